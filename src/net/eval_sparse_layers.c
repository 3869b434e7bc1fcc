/* From a model to layers over lists, and from an individual's mask to its lists of live edges. */
#include "net/eval_sparse.h"

#include <string.h>

/* Inputs of a layer that a chunk may occupy: half of a second-level cache of 1 MiB. */
#define CACHE_BYTES 524288
#define GROUPS_MAX 8 /* vectors side by side that a register tile takes */
static bool has_weights(const cop_layer *layer) {
    return layer->kind == COP_LAYER_DENSE || layer->kind == COP_LAYER_CONV2D;
}

/* Input of a weighted layer with its padding. */
static cop_shape padded_input(const cop_layer *layer) {
    cop_shape in = layer->in;
    if (layer->kind == COP_LAYER_CONV2D) {
        in.height += 2 * layer->padding;
        in.width += 2 * layer->padding;
    }
    return in;
}

size_t cop_sparse_chunk(const cop_eval_setup *setup) {
    size_t groups = (setup->batch + SPARSE_LANES - 1) / SPARSE_LANES;
    if (groups > GROUPS_MAX) groups = GROUPS_MAX;
    for (size_t i = 0; i < setup->model->count; i++) {
        const cop_layer *l = &setup->model->layers[i];
        if (!has_weights(l)) continue;
        size_t bytes = cop_shape_size(padded_input(l)) * SPARSE_LANES * sizeof(float);
        size_t fit = CACHE_BYTES / bytes;
        /* pixels fill the register tiles of a convolution, and one group has them in a row */
        if (l->kind == COP_LAYER_CONV2D && l->out.height * l->out.width >= GROUPS_MAX) fit = 1;
        if (fit < groups) groups = fit ? fit : 1;
    }
    return groups * SPARSE_LANES;
}

static void set_offsets(sparse_layer *s, size_t chunk) {
    const cop_layer *l = s->layer;
    size_t kernel = l->kind == COP_LAYER_CONV2D ? l->kernel : 1, at = 0;
    size_t plane = l->kind == COP_LAYER_CONV2D ? s->in.height * s->in.width : 1;
    s->offset = COP_NEW_ARRAY(int32_t, l->fan_in);
    for (size_t c = 0; at < l->fan_in; c++)
        for (size_t y = 0; y < kernel; y++)
            for (size_t x = 0; x < kernel; x++)
                s->offset[at++] = (int32_t)((c * plane + y * s->in.width + x) * chunk);
}

cop_status cop_sparse_layers_create(sparse_eval *e) {
    const cop_model *m = e->setup.model;
    e->layers = COP_NEW_ARRAY(sparse_layer, m->count);
    e->lead = m->count;
    for (size_t i = 0; i < m->count; i++) {
        sparse_layer *s = &e->layers[i];
        bool shown = false;
        s->layer = &m->layers[i];
        for (size_t h = 0; h < e->setup.hidden; h++) shown |= e->setup.hidden_layer[h] == i;
        if ((shown || has_weights(s->layer)) && e->lead == m->count) e->lead = i;
        if (!has_weights(s->layer)) continue;
        s->weighted = true;
        s->in = padded_input(s->layer);
        if (cop_shape_size(s->in) > INT32_MAX / e->chunk)
            return cop_fail(COP_E_CONFIG,
                            "[evaluate] arithmetic = sparse cannot compute layer %s: its input of "
                            "%zu numbers is too large; use arithmetic = blas",
                            s->layer->name, cop_shape_size(s->in));
        if (!shown && i + 1 < m->count && m->layers[i + 1].kind == COP_LAYER_ACTIVATION &&
            m->layers[i + 1].activation == COP_ACT_RELU)
            s->relu = e->layers[i + 1].skip = true;
        s->begin = COP_NEW_ARRAY(uint32_t, s->layer->biases + 1);
        set_offsets(s, e->chunk);
        if (cop_shape_size(s->in) > cop_shape_size(s->layer->in))
            s->padded = COP_NEW_ARRAY(float, cop_shape_size(s->in) * e->chunk);
    }
    return COP_OK;
}

void cop_sparse_layers_destroy(sparse_eval *e) {
    for (size_t i = 0; e->layers && i < e->setup.model->count; i++) {
        sparse_layer *s = &e->layers[i];
        cop_free(s->offset);
        cop_free(s->begin);
        cop_free(s->edge);
        cop_free(s->w);
        cop_free(s->padded);
    }
    cop_free(e->layers);
}

/* Convolutions never go: their lists are as fast at any density. */
static bool beyond_crossover(const sparse_eval *e, const cop_layer *layer, size_t live) {
    return layer->kind == COP_LAYER_DENSE && (double)live >= e->crossover * (double)layer->weights;
}

static size_t live_edges(const cop_layer *layer, const cop_mask *mask) {
    return cop_mask_count_range(mask, layer->weight_begin, layer->weight_begin + layer->weights);
}

bool cop_sparse_uses_blas(const sparse_eval *e, const cop_mask *mask) {
    bool any = false;
    for (size_t i = 0; i < e->setup.model->count; i++)
        if (e->layers[i].weighted)
            any |= beyond_crossover(e, e->layers[i].layer, live_edges(e->layers[i].layer, mask));
    return any;
}

static inline float weigh(cop_weighting_kind kind, float w, float value) {
    if (kind == COP_WEIGHTS_TRAINED) return w;
    if (kind == COP_WEIGHTS_POSITIVE) return value;
    return w > 0 ? value : w < 0 ? -value : 0;
}

static void compile_dense(sparse_eval *e, sparse_layer *s, const cop_mask *mask, float value) {
    const cop_layer *l = s->layer;
    const float *base = e->setup.base->w + l->weight_begin;
    cop_free(s->edge);
    s->edge = NULL;
    s->capacity = 0;
    if (!s->w) s->w = COP_NEW_ARRAY(float, l->weights);
    for (size_t k = 0; k < l->weights; k++)
        s->w[k] = cop_mask_get(mask, l->weight_begin + k)
                      ? weigh(e->setup.weighting.kind, base[k], value)
                      : 0;
}

static void compile_lists(sparse_eval *e, sparse_layer *s, const cop_mask *mask, float value,
                          size_t live) {
    const cop_layer *l = s->layer;
    const float *base = e->setup.base->w;
    cop_weighting_kind kind = e->setup.weighting.kind;
    cop_free(s->w);
    s->w = NULL;
    if (live > s->capacity) {
        cop_free(s->edge);
        s->edge = COP_NEW_ARRAY(cop_sparse_edge, live);
        s->capacity = live;
    }
    uint32_t at = 0; /* the model has fewer than 2^31 weights */
    for (size_t o = 0; o < l->biases; o++) {
        size_t first = l->weight_begin + o * l->fan_in, end = first + l->fan_in;
        s->begin[o] = at;
        for (size_t word = first / 64; word * 64 < end; word++) {
            uint64_t bits = mask->words[word];
            if (word == first / 64) bits &= ~(uint64_t)0 << (first % 64);
            if (word == end / 64) bits &= ((uint64_t)1 << (end % 64)) - 1;
            for (; bits; bits &= bits - 1) {
                size_t edge = word * 64 + (size_t)__builtin_ctzll(bits);
                s->edge[at++] =
                    (cop_sparse_edge){s->offset[edge - first], weigh(kind, base[edge], value)};
            }
        }
    }
    s->begin[l->biases] = at;
}

void cop_sparse_compile(sparse_eval *e, const cop_mask *mask, double value) {
    COP_ASSERT(mask->bits == e->setup.model->weights);
    for (size_t i = 0; i < e->setup.model->count; i++) {
        sparse_layer *s = &e->layers[i];
        if (!s->weighted) continue;
        size_t live = live_edges(s->layer, mask);
        s->dense = beyond_crossover(e, s->layer, live);
        if (s->dense)
            compile_dense(e, s, mask, (float)value);
        else
            compile_lists(e, s, mask, (float)value, live);
    }
}
