/* maxpool(kernel[, stride]): the largest value of each window that fits into the image; of equal
 * ones the first in reading order, which alone receives the gradient. NaN counts as largest, as in
 * PyTorch. Work: K*K comparisons an output, far below the convolutions around it. */
#include "layer.h"

#include <string.h>

extern const cop_layer_op cop_layer_maxpool;

static cop_status shape(cop_layer *layer, const double *args, size_t count) {
    COP_TRY(cop_layer_whole(args[0], 1, 65535, "the kernel", &layer->kernel));
    layer->stride = layer->kernel;
    if (count > 1) COP_TRY(cop_layer_whole(args[1], 1, 65535, "the stride", &layer->stride));
    if (layer->kernel > layer->in.height || layer->kernel > layer->in.width)
        return cop_fail(
            COP_E_CONFIG, "a window of %zux%zu does not fit an input of %zu channels of %zux%zu",
            layer->kernel, layer->kernel, layer->in.channels, layer->in.height, layer->in.width);
    layer->out =
        (cop_shape){layer->in.channels, (layer->in.height - layer->kernel) / layer->stride + 1,
                    (layer->in.width - layer->kernel) / layer->stride + 1};
    return COP_OK;
}

static void print(const cop_layer *layer, cop_buf *text) {
    cop_buf_printf(text, "(%zu", layer->kernel);
    if (layer->stride != layer->kernel) cop_buf_printf(text, ",%zu", layer->stride);
    cop_buf_printf(text, ")");
}

/* position inside its plane of the value that won, for each output */
static size_t memo(const cop_layer *layer, size_t batch) {
    return batch * cop_shape_size(layer->out) * sizeof(uint32_t);
}

static void forward(const cop_layer_pass *p) {
    const size_t kernel = p->layer->kernel, stride = p->layer->stride, wide = p->layer->in.width;
    const size_t plane = p->layer->in.height * wide;
    const size_t planes = p->n * p->layer->in.channels;
    const float *x = p->x;
    float *y = p->y;
    uint32_t *won = p->memo;
    for (size_t c = 0; c < planes; c++, x += plane)
        for (size_t oy = 0; oy < p->layer->out.height; oy++)
            for (size_t ox = 0; ox < p->layer->out.width; ox++) {
                size_t corner = oy * stride * wide + ox * stride, best = corner;
                float value = x[corner];
                for (size_t ky = 0; ky < kernel; ky++)
                    for (size_t kx = 0; kx < kernel; kx++) {
                        size_t at = corner + ky * wide + kx;
                        bool better = !(x[at] <= value) && value == value;
                        best = better ? at : best;
                        value = better ? x[at] : value;
                    }
                *y++ = value;
                if (won) *won++ = (uint32_t)best;
            }
}

static void backward(const cop_layer_pass *p) {
    const size_t plane = p->layer->in.height * p->layer->in.width;
    const size_t windows = p->layer->out.height * p->layer->out.width;
    const size_t planes = p->n * p->layer->in.channels;
    if (!p->dx) return;
    memset(p->dx, 0, planes * plane * sizeof(float));
    const uint32_t *won = p->memo;
    for (size_t c = 0; c < planes; c++)
        for (size_t i = 0; i < windows; i++)
            p->dx[c * plane + won[c * windows + i]] += p->dy[c * windows + i];
}

const cop_layer_op cop_layer_maxpool = {
    .kind = COP_LAYER_MAXPOOL2D,
    .prefix = "maxpool",
    .fewest = 1,
    .most = 2,
    .shape = shape,
    .print = print,
    .memo = memo,
    .forward = forward,
    .backward = backward,
};
