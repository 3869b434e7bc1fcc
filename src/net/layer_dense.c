/* dense(out): y = W x + b.
 * Work: D*O multiply-adds a sample forward, twice that backward, all in sgemm; a batch reads W once
 * (4 bytes a weight), so up to about 10 samples a batch it is bounded by memory, beyond by
 * arithmetic. */
#include "coppice/la.h"
#include "layer.h"

#include <string.h>

extern const cop_layer_op cop_layer_dense;

static cop_status shape(cop_layer *layer, const double *args, size_t count) {
    (void)count;
    size_t outputs;
    COP_TRY(cop_layer_whole(args[0], 1, COP_LAYER_SIZE_MAX, "the number of outputs", &outputs));
    layer->out = (cop_shape){outputs, 1, 1};
    layer->fan_in = cop_shape_size(layer->in);
    layer->weights = layer->fan_in * outputs; /* at most 2^56: both factors are bounded */
    layer->biases = outputs;
    return COP_OK;
}

static void print(const cop_layer *layer, cop_buf *text) {
    cop_buf_printf(text, "(%zu)", layer->out.channels);
}

static void forward(const cop_layer_pass *p) {
    size_t outputs = p->layer->biases, inputs = p->layer->fan_in;
    for (size_t i = 0; i < p->n; i++) memcpy(p->y + i * outputs, p->b, outputs * sizeof(float));
    cop_sgemm(false, true, p->n, outputs, inputs, p->x, inputs, p->w, inputs, 1.0f, p->y, outputs);
}

static void backward(const cop_layer_pass *p) {
    size_t outputs = p->layer->biases, inputs = p->layer->fan_in;
    cop_sgemm(true, false, outputs, inputs, p->n, p->dy, outputs, p->x, inputs, 0.0f, p->dw,
              inputs);
    memset(p->db, 0, outputs * sizeof(float));
    for (size_t i = 0; i < p->n; i++)
        for (size_t o = 0; o < outputs; o++) p->db[o] += p->dy[i * outputs + o];
    if (p->dx)
        cop_sgemm(false, false, p->n, inputs, outputs, p->dy, outputs, p->w, inputs, 0.0f, p->dx,
                  inputs);
}

const cop_layer_op cop_layer_dense = {
    .kind = COP_LAYER_DENSE,
    .prefix = "dense",
    .fewest = 1,
    .most = 1,
    .shape = shape,
    .print = print,
    .forward = forward,
    .backward = backward,
};
