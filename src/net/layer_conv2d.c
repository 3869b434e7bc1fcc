/* conv2d(out, kernel[, stride[, padding]]): y[o] = b[o] + sum over c, i, j of w[o][c][i][j]
 * x[c][y+i][x+j].
 *
 * Each sample becomes a matrix of patches (C*K*K, OH*OW), multiplied by W (O, C*K*K) in one sgemm;
 * one sample a time keeps the patches in the second-level cache. Bound: O*C*K*K*OH*OW multiply-adds
 * forward, twice that backward. For 32x26x26 -> 64x24x24 on one core where a large sgemm ran
 * at 50.8 GMAC/s:
 *
 *                    time      in sgemm of it      share of the sgemm peak, all in
 *   forward          234 us    218 us              89 %
 *   weights' grad    257 us    241 us              81 %
 *   inputs' grad     243 us    225 us              86 %
 *
 * Making the patches costs 16 us; storing them for the backward pass would cost 26 us and 66 MB a
 * batch of 100 samples, so the backward pass makes them again. Sums of nine shifted products
 * without patches were 10 % slower. A kernel of one pixel uses the image itself as its patches. */
#include "coppice/la.h"
#include "layer.h"

#include <string.h>

extern const cop_layer_op cop_layer_conv2d;

static cop_status shape(cop_layer *layer, const double *args, size_t count) {
    size_t outputs;
    COP_TRY(cop_layer_whole(args[0], 1, COP_LAYER_SIZE_MAX, "the number of channels", &outputs));
    COP_TRY(cop_layer_whole(args[1], 1, 65535, "the kernel", &layer->kernel));
    layer->stride = 1;
    layer->padding = 0;
    if (count > 2) COP_TRY(cop_layer_whole(args[2], 1, 65535, "the stride", &layer->stride));
    if (count > 3)
        COP_TRY(
            cop_layer_whole(args[3], 0, (double)layer->kernel - 1, "the padding", &layer->padding));
    size_t high = layer->in.height + 2 * layer->padding,
           wide = layer->in.width + 2 * layer->padding;
    if (layer->kernel > high || layer->kernel > wide)
        return cop_fail(COP_E_CONFIG,
                        "a kernel of %zux%zu does not fit an input of %zu channels of %zux%zu%s; "
                        "make the kernel smaller or pad",
                        layer->kernel, layer->kernel, layer->in.channels, layer->in.height,
                        layer->in.width, layer->padding ? " with its padding" : "");
    layer->out = (cop_shape){outputs, (high - layer->kernel) / layer->stride + 1,
                             (wide - layer->kernel) / layer->stride + 1};
    /* channels <= 2^28, kernel < 2^16: the first product is below 2^60 */
    size_t fan_in = layer->in.channels * layer->kernel * layer->kernel;
    if (fan_in > COP_LAYER_SIZE_MAX ||
        fan_in > COP_LAYER_SIZE_MAX / (layer->out.height * layer->out.width))
        return cop_fail(COP_E_CONFIG,
                        "the %zu inputs of each of %zux%zu output pixels are more than %u numbers; "
                        "take a smaller kernel or image, or a larger stride",
                        fan_in, layer->out.height, layer->out.width, COP_LAYER_SIZE_MAX);
    layer->fan_in = fan_in;
    layer->weights = fan_in * outputs;
    layer->biases = outputs;
    return COP_OK;
}

static void print(const cop_layer *layer, cop_buf *text) {
    cop_buf_printf(text, "(%zu,%zu", layer->out.channels, layer->kernel);
    if (layer->stride != 1 || layer->padding) cop_buf_printf(text, ",%zu", layer->stride);
    if (layer->padding) cop_buf_printf(text, ",%zu", layer->padding);
    cop_buf_printf(text, ")");
}

static bool pointwise(const cop_layer *layer) {
    return layer->kernel == 1 && layer->stride == 1; /* then the padding is 0 */
}

/* The patches of one sample, and after their last use the gradient by them. */
static size_t patch_values(const cop_layer *layer) {
    return pointwise(layer) ? 0 : layer->fan_in * layer->out.height * layer->out.width;
}

/** Output columns [*begin, *end) whose input column ox*stride + kx - padding lies inside the image.
 */
static void columns_inside(const cop_layer *layer, size_t kx, size_t *begin, size_t *end) {
    size_t stride = layer->stride, padding = layer->padding;
    *begin = kx >= padding ? 0 : (padding - kx + stride - 1) / stride;
    *end = layer->in.width + padding > kx ? (layer->in.width + padding - kx - 1) / stride + 1 : 0;
    if (*end > layer->out.width) *end = layer->out.width;
    if (*begin > *end) *begin = *end;
}

/* Stride 1 and an output as wide and high as the image: the patches of one place in the kernel are
 * the image moved, in one copy, and the pixels that came round an edge set to 0. */
static void moved_image(const cop_layer *layer, const float *restrict image, size_t ky, size_t kx,
                        float *restrict patches) {
    const size_t high = layer->in.height, wide = layer->in.width, pad = layer->padding;
    size_t begin, end;
    columns_inside(layer, kx, &begin, &end);
    const size_t first = ky < pad ? pad - ky : 0, from = ky > pad ? ky - pad : 0;
    const size_t rows = high - first - from; /* that lie inside; first + from < high */
    float *to = patches + first * wide;
    const float *source = image + from * wide;
    if (kx < pad)
        memcpy(to + (pad - kx), source, (rows * wide - (pad - kx)) * sizeof(float));
    else
        memcpy(to, source + (kx - pad), (rows * wide - (kx - pad)) * sizeof(float));
    memset(patches, 0, first * wide * sizeof(float));
    memset(to + rows * wide, 0, from * wide * sizeof(float));
    /* column by column: a row has one or two of them, too few for a call */
    for (size_t x = 0; x < begin; x++)
        for (size_t y = 0; y < rows; y++) to[y * wide + x] = 0;
    for (size_t x = end; x < wide; x++)
        for (size_t y = 0; y < rows; y++) to[y * wide + x] = 0;
}

static void image_to_patches(const cop_layer *layer, const float *restrict image,
                             float *restrict patches) {
    const size_t kernel = layer->kernel, stride = layer->stride, padding = layer->padding;
    const size_t high = layer->in.height, wide = layer->in.width, across = layer->out.width;
    const bool same = stride == 1 && layer->out.height == high && across == wide &&
                      padding < high && padding < wide;
    for (size_t c = 0; c < layer->in.channels; c++, image += high * wide)
        for (size_t ky = 0; ky < kernel; ky++)
            for (size_t kx = 0; kx < kernel; kx++) {
                size_t begin, end;
                if (same) {
                    moved_image(layer, image, ky, kx, patches);
                    patches += high * wide;
                    continue;
                }
                columns_inside(layer, kx, &begin, &end);
                for (size_t oy = 0; oy < layer->out.height; oy++, patches += across) {
                    size_t y = oy * stride + ky; /* of the padded image */
                    if (y < padding || y >= high + padding || begin == end) {
                        memset(patches, 0, across * sizeof(float));
                        continue;
                    }
                    const float *row =
                        image + (y - padding) * wide + (begin * stride + kx - padding);
                    if (begin) memset(patches, 0, begin * sizeof(float));
                    if (stride == 1)
                        memcpy(patches + begin, row, (end - begin) * sizeof(float));
                    else
                        for (size_t i = 0; i < end - begin; i++)
                            patches[begin + i] = row[i * stride];
                    if (end < across) memset(patches + end, 0, (across - end) * sizeof(float));
                }
            }
}

/** The transpose of image_to_patches: adds every patch value to the pixel that it came from. */
static void patches_to_image(const cop_layer *layer, const float *restrict patches,
                             float *restrict image) {
    const size_t kernel = layer->kernel, stride = layer->stride, padding = layer->padding;
    const size_t high = layer->in.height, wide = layer->in.width, across = layer->out.width;
    memset(image, 0, cop_shape_size(layer->in) * sizeof(float));
    for (size_t c = 0; c < layer->in.channels; c++, image += high * wide)
        for (size_t ky = 0; ky < kernel; ky++)
            for (size_t kx = 0; kx < kernel; kx++) {
                size_t begin, end;
                columns_inside(layer, kx, &begin, &end);
                for (size_t oy = 0; oy < layer->out.height; oy++, patches += across) {
                    size_t y = oy * stride + ky;
                    if (y < padding || y >= high + padding || begin == end) continue;
                    float *row = image + (y - padding) * wide + (begin * stride + kx - padding);
                    if (stride == 1)
                        for (size_t i = 0; i < end - begin; i++) row[i] += patches[begin + i];
                    else
                        for (size_t i = 0; i < end - begin; i++)
                            row[i * stride] += patches[begin + i];
                }
            }
}

static const float *patches_of(const cop_layer_pass *p, size_t sample) {
    const float *image = p->x + sample * cop_shape_size(p->layer->in);
    if (pointwise(p->layer)) return image;
    image_to_patches(p->layer, image, p->scratch);
    return p->scratch;
}

/** In 16 interleaved sums: a fixed order that the compiler may still compute in vectors. */
static float sum_of(const float *values, size_t count) {
    float part[16] = {0};
    size_t whole = count - count % 16;
    for (size_t i = 0; i < whole; i += 16)
        for (size_t j = 0; j < 16; j++) part[j] += values[i + j];
    for (size_t i = whole; i < count; i++) part[i - whole] += values[i];
    for (size_t half = 8; half; half /= 2)
        for (size_t j = 0; j < half; j++) part[j] += part[j + half];
    return part[0];
}

static void forward(const cop_layer_pass *p) {
    const size_t outputs = p->layer->biases, inputs = p->layer->fan_in;
    const size_t pixels = p->layer->out.height * p->layer->out.width;
    for (size_t s = 0; s < p->n; s++) {
        const float *patches = patches_of(p, s);
        float *y = p->y + s * outputs * pixels;
        for (size_t o = 0; o < outputs; o++)
            for (size_t i = 0; i < pixels; i++) y[o * pixels + i] = p->b[o];
        cop_sgemm(false, false, outputs, pixels, inputs, p->w, inputs, patches, pixels, 1.0f, y,
                  pixels);
    }
}

static void backward(const cop_layer_pass *p) {
    const size_t outputs = p->layer->biases, inputs = p->layer->fan_in;
    const size_t pixels = p->layer->out.height * p->layer->out.width;
    memset(p->db, 0, outputs * sizeof(float));
    for (size_t s = 0; s < p->n; s++) {
        const float *dy = p->dy + s * outputs * pixels;
        for (size_t o = 0; o < outputs; o++) p->db[o] += sum_of(dy + o * pixels, pixels);
        cop_sgemm(false, true, outputs, inputs, pixels, dy, pixels, patches_of(p, s), pixels,
                  s ? 1.0f : 0.0f, p->dw, inputs);
        if (!p->dx) continue;
        float *dx = p->dx + s * cop_shape_size(p->layer->in);
        float *dpatches = pointwise(p->layer) ? dx : p->scratch;
        cop_sgemm(true, false, inputs, pixels, outputs, p->w, inputs, dy, pixels, 0.0f, dpatches,
                  pixels);
        if (dpatches != dx) patches_to_image(p->layer, dpatches, dx);
    }
}

const cop_layer_op cop_layer_conv2d = {
    .kind = COP_LAYER_CONV2D,
    .prefix = "conv",
    .fewest = 2,
    .most = 4,
    .shape = shape,
    .print = print,
    .scratch = patch_values,
    .forward = forward,
    .backward = backward,
};
