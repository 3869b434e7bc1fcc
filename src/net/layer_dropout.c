/* dropout(rate), inverted (Srivastava et al. 2014): in training each value is zeroed with
 * probability `rate` and the others are divided by 1 - rate, so that inference needs no correction.
 * Which ones is a function of (seed, batch number, layer). Work: one random word a value. */
#include "layer.h"

#include <string.h>

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

/* to = x * scale where kept, else 0, by bits: no branch, whatever the values are. */
static inline void keep(const unsigned char *restrict kept, float scale, size_t count,
                        const float *x, float *to) {
    for (size_t i = 0; i < count; i++) {
        const float value = x[i] * scale;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        bits &= 0u - kept[i];
        memcpy(&to[i], &bits, sizeof bits);
    }
}

static void forward(const cop_layer_pass *p) {
    enum { CHUNK = 1024 };
    const size_t count = p->n * cop_shape_size(p->layer->out);
    const float scale = (float)(1.0 / (1.0 - p->layer->rate));
    const uint32_t limit = (uint32_t)(p->layer->rate * 0x1p32); /* the rate is below 1 */
    uint32_t word[CHUNK];
    cop_rng rng = cop_rng_at(p->key->seed, p->key->batch, p->key->first + (uint32_t)p->index,
                             COP_FOR_DROPOUT);
    unsigned char *restrict kept = p->memo;
    for (size_t at = 0; at < count; at += CHUNK) {
        const size_t n = count - at < CHUNK ? count - at : CHUNK;
        cop_rng_words(&rng, word, n);
        for (size_t i = 0; i < n; i++) kept[at + i] = word[i] >= limit;
        keep(kept + at, scale, n, p->x + at, p->y + at);
    }
}

static void backward(const cop_layer_pass *p) {
    const size_t count = p->n * cop_shape_size(p->layer->out);
    keep(p->memo, (float)(1.0 / (1.0 - p->layer->rate)), count, p->dx, p->dx);
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
