/* Questions about a network's shape and cost. */
#include "coppice/net.h"

#include <string.h>

long cop_model_find(const cop_model *model, const char *name) {
    for (size_t i = 0; i < model->count; i++)
        if (strcmp(model->layers[i].name, name) == 0) return (long)i;
    return -1;
}

size_t cop_model_activation_of(const cop_model *model, size_t index) {
    COP_ASSERT(index < model->count);
    bool follows =
        index + 1 < model->count && model->layers[index + 1].kind == COP_LAYER_ACTIVATION;
    return follows ? index + 1 : index;
}

size_t cop_layer_uses(const cop_layer *layer) {
    return layer->kind == COP_LAYER_CONV2D ? layer->out.height * layer->out.width : 1;
}

uint64_t cop_model_macs(const cop_model *model, const cop_mask *mask) {
    uint64_t macs = 0;
    for (size_t i = 0; i < model->count; i++) {
        const cop_layer *layer = &model->layers[i];
        size_t begin = layer->weight_begin, end = begin + layer->weights;
        size_t edges =
            mask && layer->weights ? cop_mask_count_range(mask, begin, end) : layer->weights;
        macs += (uint64_t)edges * cop_layer_uses(layer);
    }
    return macs;
}
