/* dropout(rate), inverted (Srivastava et al. 2014): in training each value is zeroed with
 * probability `rate` and the others are divided by 1 - rate, so that inference needs no correction.
 * Which ones is a function of (seed, batch number, layer). Work: one random word a value. */
#include "layer.h"

extern const cop_layer_op cop_layer_dropout;

static cop_status shape(cop_layer *layer, const double *args, size_t count) {
    (void)count;
    if (!(args[0] >= 0.0 && args[0] < 1.0))
        return cop_fail(COP_E_CONFIG, "the rate is %g, wanted at least 0 and below 1", args[0]);
    layer->rate = args[0];
    return COP_OK;
}

static void print(const cop_layer *layer, cop_buf *text) {
    /* the shortest text that reads back to the same number */
    char number[40];
    double back;
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, layer->rate);
        if (cop_parse_double(number, &back) && back == layer->rate) break;
    }
    cop_buf_printf(text, "(%s)", number);
}

/* which values are kept */
static size_t memo(const cop_layer *layer, size_t batch) {
    return batch * cop_shape_size(layer->out);
}

static void forward(const cop_layer_pass *p) {
    const size_t count = p->n * cop_shape_size(p->layer->out);
    const float scale = (float)(1.0 / (1.0 - p->layer->rate));
    const uint64_t limit = (uint64_t)(p->layer->rate * 0x1p32);
    cop_rng rng = cop_rng_at(p->key->seed, p->key->batch, (uint32_t)p->index, COP_FOR_DROPOUT);
    unsigned char *restrict kept = p->memo;
    for (size_t i = 0; i < count; i++) kept[i] = cop_rng_u32(&rng) >= limit;
    const float *restrict x = p->x;
    float *restrict y = p->y;
    for (size_t i = 0; i < count; i++) y[i] = kept[i] ? x[i] * scale : 0.0f;
}

static void backward(const cop_layer_pass *p) {
    const size_t count = p->n * cop_shape_size(p->layer->out);
    const float scale = (float)(1.0 / (1.0 - p->layer->rate));
    const unsigned char *restrict kept = p->memo;
    float *restrict gradient = p->dx;
    for (size_t i = 0; i < count; i++) gradient[i] = kept[i] ? gradient[i] * scale : 0.0f;
}

const cop_layer_op cop_layer_dropout = {
    .kind = COP_LAYER_DROPOUT,
    .prefix = "dropout",
    .fewest = 1,
    .most = 1,
    .shape = shape,
    .print = print,
    .memo = memo,
    .passes_in_inference = true,
    .in_place = true,
    .forward = forward,
    .backward = backward,
};
