/* Genomes that are smaller dense networks: which units they keep, and their weights by layer. */
#include "coppice/net.h"
#include "net/layer.h"

#include <string.h>

/* Inputs of layer @p k come in groups of `per` weights: one for each unit of the weighted layer
 * before, for the first one each feature or channel of the samples. */
static size_t groups_before(const cop_dense *dense, const cop_model *model, size_t k) {
    const cop_layer *layer = &model->layers[dense->layer[k].layer];
    if (k > 0) return model->layers[dense->layer[k - 1].layer].biases;
    return layer->kind == COP_LAYER_CONV2D ? layer->in.channels : layer->fan_in;
}

static void prepare(cop_dense *dense, const cop_model *model) {
    size_t numbers = 0;
    *dense = (cop_dense){.layer = COP_NEW_ARRAY(cop_dense_layer, model->count)};
    for (size_t i = 0; i < model->count; i++)
        if (model->layers[i].weights) dense->layer[dense->count++].layer = i;
    for (size_t k = 0; k < dense->count; k++) {
        const cop_layer *layer = &model->layers[dense->layer[k].layer];
        size_t groups = groups_before(dense, model, k);
        dense->layer[k].per = layer->fan_in / groups;
        COP_ASSERT(dense->layer[k].per * groups == layer->fan_in);
        numbers += layer->biases + (k == 0 ? groups : 0);
    }
    dense->numbers = cop_realloc(NULL, 0, numbers, sizeof *dense->numbers);
}

/* The kept units of layer @p k stand at @p rows; its columns are the rows of the layer before. */
static void enter(cop_dense *dense, size_t k, const uint32_t *rows, size_t count) {
    cop_dense_layer *layer = &dense->layer[k];
    layer->row = rows;
    layer->rows = count;
    if (k > 0) {
        layer->column = dense->layer[k - 1].row;
        layer->columns = dense->layer[k - 1].rows;
    }
    layer->begin = dense->weights;
    dense->weights += layer->rows * layer->columns * layer->per;
}

static uint32_t *all_inputs(cop_dense *dense, const cop_model *model) {
    cop_dense_layer *first = &dense->layer[0];
    first->columns = groups_before(dense, model, 0);
    for (size_t c = 0; c < first->columns; c++) dense->numbers[c] = (uint32_t)c;
    first->column = dense->numbers;
    return dense->numbers + first->columns;
}

void cop_dense_of_units(cop_dense *dense, const cop_model *model, const cop_mask *units) {
    COP_ASSERT(units->bits == model->biases);
    prepare(dense, model);
    uint32_t *at = all_inputs(dense, model);
    for (size_t k = 0; k < dense->count; k++) {
        const cop_layer *layer = &model->layers[dense->layer[k].layer];
        uint32_t *rows = at;
        for (size_t u = 0; u < layer->biases; u++)
            if (cop_mask_get(units, layer->bias_begin + u)) *at++ = (uint32_t)u;
        COP_ASSERT(at > rows);
        enter(dense, k, rows, (size_t)(at - rows));
    }
}

/* A unit is kept when its edge from the first kept input lives. */
void cop_dense_of_mask(cop_dense *dense, const cop_model *model, const cop_mask *mask) {
    prepare(dense, model);
    uint32_t *at = all_inputs(dense, model);
    for (size_t k = 0; k < dense->count; k++) {
        const cop_layer *layer = &model->layers[dense->layer[k].layer];
        uint32_t *rows = at;
        size_t first = k == 0 ? 0 : dense->layer[k - 1].rows == 0 ? 0 : dense->layer[k - 1].row[0];
        size_t bit = layer->weight_begin + first * dense->layer[k].per;
        for (size_t u = 0; u < layer->biases; u++, bit += layer->fan_in)
            if (cop_mask_get(mask, bit)) *at++ = (uint32_t)u;
        enter(dense, k, rows, (size_t)(at - rows));
    }
}

void cop_dense_clear(cop_dense *dense) {
    cop_free(dense->layer);
    cop_free(dense->numbers);
    *dense = (cop_dense){0};
}

void cop_dense_units(const cop_dense *dense, const cop_model *model, cop_mask *units) {
    memset(units->words, 0, cop_mask_words(units->bits) * sizeof *units->words);
    for (size_t k = 0; k < dense->count; k++) {
        const cop_dense_layer *d = &dense->layer[k];
        for (size_t r = 0; r < d->rows; r++)
            cop_mask_set(units, model->layers[d->layer].bias_begin + d->row[r]);
    }
}

void cop_dense_mask(const cop_dense *dense, const cop_model *model, cop_mask *mask) {
    memset(mask->words, 0, cop_mask_words(mask->bits) * sizeof *mask->words);
    for (size_t k = 0; k < dense->count; k++) {
        const cop_dense_layer *d = &dense->layer[k];
        const cop_layer *layer = &model->layers[d->layer];
        for (size_t r = 0; r < d->rows; r++) {
            size_t row = layer->weight_begin + d->row[r] * layer->fan_in;
            for (size_t c = 0; c < d->columns; c++)
                for (size_t p = 0; p < d->per; p++)
                    cop_mask_set(mask, row + d->column[c] * d->per + p);
        }
    }
}

bool cop_dense_is(const cop_model *model, const cop_mask *mask) {
    cop_dense dense;
    cop_mask wanted;
    cop_dense_of_mask(&dense, model, mask);
    cop_mask_init(&wanted, model->weights);
    cop_dense_mask(&dense, model, &wanted);
    bool is = cop_mask_equal(mask, &wanted);
    for (size_t k = 0; k < dense.count; k++) is &= dense.layer[k].rows > 0;
    is &= dense.layer[dense.count - 1].rows ==
          model->layers[dense.layer[dense.count - 1].layer].biases;
    cop_mask_clear(&wanted);
    cop_dense_clear(&dense);
    return is;
}

/* Where in @p numbers (ascending) each of @p wanted stands, or SIZE_MAX. */
static void places(const uint32_t *wanted, size_t count, const uint32_t *numbers, size_t have,
                   size_t *place) {
    for (size_t i = 0, at = 0; i < count; i++) {
        while (at < have && numbers[at] < wanted[i]) at++;
        place[i] = at < have && numbers[at] == wanted[i] ? at : SIZE_MAX;
    }
}

void cop_dense_build(cop_genome *to, const cop_model *model, const cop_params *base,
                     const cop_genome *from, const cop_mask *units) {
    cop_dense now, old = {0};
    *to = (cop_genome){0};
    cop_dense_of_units(&now, model, units);
    if (from) cop_dense_of_mask(&old, model, &from->mask);
    cop_mask_init(&to->mask, model->weights);
    cop_dense_mask(&now, model, &to->mask);
    to->w = cop_realloc(NULL, 0, now.weights, sizeof *to->w);
    to->b = COP_NEW_ARRAY(float, model->biases);
    float *w = to->w;
    for (size_t k = 0; k < now.count; k++) {
        const cop_dense_layer *d = &now.layer[k], *o = from ? &old.layer[k] : NULL;
        const cop_layer *layer = &model->layers[d->layer];
        size_t *row = COP_NEW_ARRAY(size_t, d->rows), *column = COP_NEW_ARRAY(size_t, d->columns);
        places(d->row, d->rows, o ? o->row : NULL, o ? o->rows : 0, row);
        places(d->column, d->columns, o ? o->column : NULL, o ? o->columns : 0, column);
        for (size_t r = 0; r < d->rows; r++) {
            bool kept = row[r] != SIZE_MAX;
            size_t unit = layer->bias_begin + d->row[r];
            to->b[unit] = kept ? from->b[unit] : base->b[unit];
            for (size_t c = 0; c < d->columns; c++, w += d->per) {
                const float *source =
                    kept && column[c] != SIZE_MAX
                        ? from->w + o->begin + (row[r] * o->columns + column[c]) * d->per
                        : base->w + layer->weight_begin + d->row[r] * layer->fan_in +
                              d->column[c] * d->per;
                for (size_t p = 0; p < d->per; p++) w[p] = source[p];
            }
        }
        cop_free(row);
        cop_free(column);
    }
    cop_dense_clear(&now);
    cop_dense_clear(&old);
}

cop_status cop_dense_model(const cop_dense *dense, const cop_model *model, cop_model **narrow) {
    cop_buf input = {0}, text = {0};
    cop_buf_printf(&input, "%zu", model->input.channels);
    if (model->input.height != 1 || model->input.width != 1)
        cop_buf_printf(&input, "x%zux%zu", model->input.height, model->input.width);
    size_t k = 0;
    for (size_t i = 0; i < model->count; i++) {
        const cop_layer_info *info;
        cop_layer layer = model->layers[i];
        const cop_layer_op *op = cop_layer_op_of(&layer, &info);
        if (k < dense->count && dense->layer[k].layer == i)
            layer.out.channels = dense->layer[k++].rows;
        cop_buf_printf(&text, " %s=%s", layer.name, info->word);
        if (op->print) op->print(&layer, &text);
    }
    cop_status status = cop_model_create(narrow, cop_buf_text(&input), cop_buf_text(&text));
    cop_buf_clear(&input);
    cop_buf_clear(&text);
    return status;
}

void cop_dense_biases(const cop_dense *dense, const cop_model *model, const float *b, float *out) {
    for (size_t k = 0; k < dense->count; k++) {
        const cop_dense_layer *d = &dense->layer[k];
        for (size_t r = 0; r < d->rows; r++)
            *out++ = b[model->layers[d->layer].bias_begin + d->row[r]];
    }
}
