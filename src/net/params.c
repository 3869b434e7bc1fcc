/* Weights and biases: one flat array each, in layer order. */
#include "coppice/net.h"

#include <math.h>
#include <string.h>

void cop_params_init(cop_params *params, const cop_model *model) {
    *params = (cop_params){model->weights, model->biases, COP_NEW_ARRAY(float, model->weights),
                           COP_NEW_ARRAY(float, model->biases)};
}

void cop_params_clear(cop_params *params) {
    cop_free(params->w);
    cop_free(params->b);
    *params = (cop_params){0};
}

void cop_params_copy(cop_params *to, const cop_params *from) {
    COP_ASSERT(to->weights == from->weights && to->biases == from->biases);
    memcpy(to->w, from->w, from->weights * sizeof *from->w);
    memcpy(to->b, from->b, from->biases * sizeof *from->b);
}

static void fill(cop_rng *rng, float *values, size_t count, double bound) {
    for (size_t i = 0; i < count; i++)
        values[i] = (float)((2.0 * cop_rng_uniform(rng) - 1.0) * bound);
}

void cop_params_randomise(cop_params *params, const cop_model *model, uint64_t seed) {
    for (size_t i = 0; i < model->count; i++) {
        const cop_layer *layer = &model->layers[i];
        if (!layer->weights) continue;
        cop_rng rng = cop_rng_at(seed, 0, (uint32_t)i, COP_FOR_INIT_WEIGHTS);
        double bound = 1.0 / sqrt((double)layer->fan_in);
        fill(&rng, params->w + layer->weight_begin, layer->weights, bound);
        fill(&rng, params->b + layer->bias_begin, layer->biases, bound);
    }
}
