/* The last layer of a network alone: what it sees, as samples of their own. */
#include <string.h>

#include "coppice/train.h"

enum { BATCH = 100 };

static size_t last_weighted(const cop_model *model) {
    size_t last = model->count;
    while (last-- > 0)
        if (model->layers[last].weights) return last;
    COP_ASSERT(!"a model has a layer with weights");
    return 0;
}

cop_status cop_tail_create(cop_model **tail, const cop_model *model) {
    const cop_layer *layer = &model->layers[last_weighted(model)];
    if (layer->kind != COP_LAYER_DENSE)
        return cop_fail(COP_E_CONFIG, "the last layer with weights, %s, is not a dense one",
                        layer->name);
    char *input = cop_sprintf("%zu", cop_shape_size(layer->in));
    char *layers = cop_sprintf("%s=dense(%zu)", layer->name, model->classes);
    cop_status status = cop_model_create(tail, input, layers);
    cop_free(input);
    cop_free(layers);
    return status;
}

cop_dataset *cop_tail_features(const cop_model *model, const cop_params *params,
                               const cop_dataset *set, const uint64_t *dropout_seed) {
    const size_t last = last_weighted(model), inputs = cop_dataset_features(set),
                 width = cop_shape_size(model->layers[last].in);
    COP_ASSERT(inputs == cop_shape_size(model->input));
    cop_dataset *out = cop_dataset_create(set->name, set->samples, 1, 1, width, set->classes);
    out->head = set->head;
    cop_net_work *work = cop_net_work_create(model, BATCH, dropout_seed != NULL);
    memcpy(out->label, set->label, set->samples * sizeof *out->label);
    for (size_t at = 0, number = 0; at < set->samples; at += BATCH, number++) {
        size_t n = set->samples - at < BATCH ? set->samples - at : BATCH;
        const float *x = set->x + at * inputs;
        cop_dropout_key key = {.seed = dropout_seed ? *dropout_seed : 0, .batch = (uint32_t)number};
        cop_net_forward(work, params, x, n, dropout_seed ? &key : NULL);
        memcpy(out->x + at * width, last ? cop_net_output(work, last - 1) : x,
               n * width * sizeof *x);
    }
    cop_net_work_destroy(work);
    return out;
}

void cop_tail_take(const cop_model *model, const cop_params *params, cop_params *tail) {
    const cop_layer *layer = &model->layers[last_weighted(model)];
    COP_ASSERT(tail->weights == layer->weights && tail->biases == layer->biases);
    memcpy(tail->w, params->w + layer->weight_begin, layer->weights * sizeof *tail->w);
    memcpy(tail->b, params->b + layer->bias_begin, layer->biases * sizeof *tail->b);
}

void cop_tail_put(const cop_model *model, cop_params *params, const cop_params *tail) {
    const cop_layer *layer = &model->layers[last_weighted(model)];
    COP_ASSERT(tail->weights == layer->weights && tail->biases == layer->biases);
    memcpy(params->w + layer->weight_begin, tail->w, layer->weights * sizeof *tail->w);
    memcpy(params->b + layer->bias_begin, tail->b, layer->biases * sizeof *tail->b);
}
