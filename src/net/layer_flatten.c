/* flatten: names the same numbers as one row (channel-major), so nothing moves. */
#include "layer.h"

extern const cop_layer_op cop_layer_flatten;

static cop_status shape(cop_layer *layer, const double *args, size_t count) {
    (void)args;
    (void)count;
    layer->out = (cop_shape){cop_shape_size(layer->in), 1, 1};
    return COP_OK;
}

const cop_layer_op cop_layer_flatten = {
    .kind = COP_LAYER_FLATTEN,
    .prefix = "flatten",
    .shape = shape,
    .passes_in_training = true,
    .passes_in_inference = true,
};
