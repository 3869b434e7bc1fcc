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

/** A row of outputs, position by position in the window: no branches, so that the compiler can take
 *  several outputs at once. @p start: position of the row's first window in the plane. */
static inline void pool_row(const float *restrict x, size_t start, size_t wide, size_t kernel,
                            size_t stride, size_t across, float *restrict y,
                            uint32_t *restrict won) {
    for (size_t i = 0; i < across; i++) {
        y[i] = x[start + i * stride];
        won[i] = (uint32_t)(start + i * stride);
    }
    for (size_t at = 1; at < kernel * kernel; at++) {
        const size_t from = start + at / kernel * wide + at % kernel;
        const float *restrict row = x + from;
        for (size_t i = 0; i < across; i++) {
            const float value = row[i * stride];
            const bool better = (value > y[i]) | (value != value);
            won[i] = better ? (uint32_t)(from + i * stride) : won[i];
            y[i] = better ? value : y[i];
        }
    }
}

/* in inference the winners of one row are written and forgotten; same size as floats */
static size_t scratch(const cop_layer *layer) {
    return layer->out.width;
}

static void forward(const cop_layer_pass *p) {
    const size_t kernel = p->layer->kernel, stride = p->layer->stride, wide = p->layer->in.width;
    const size_t plane = p->layer->in.height * wide, planes = p->n * p->layer->in.channels;
    const size_t down = p->layer->out.height, across = p->layer->out.width;
    uint32_t *row = p->memo ? p->memo : (void *)p->scratch;
    float *y = p->y;
    for (size_t c = 0; c < planes; c++)
        for (size_t oy = 0; oy < down; oy++, y += across, row += p->memo ? across : 0) {
            if (kernel == 2 && stride == 2) /* sizes known to the compiler */
                pool_row(p->x + c * plane, oy * 2 * wide, wide, 2, 2, across, y, row);
            else
                pool_row(p->x + c * plane, oy * stride * wide, wide, kernel, stride, across, y,
                         row);
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
    .scratch = scratch,
    .memo = memo,
    .forward = forward,
    .backward = backward,
};
