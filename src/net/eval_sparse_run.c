/* One layer of `sparse` on one chunk of samples. */
#include "net/eval_sparse.h"
#include "net/layer.h"

#include <string.h>

bool cop_sparse_passes(const sparse_layer *s) {
    const cop_layer *l = s->layer; /* only training drops */
    return s->skip || l->kind == COP_LAYER_DROPOUT || l->kind == COP_LAYER_FLATTEN ||
           (l->kind == COP_LAYER_ACTIVATION && l->activation == COP_ACT_IDENTITY);
}

/* Into the middle of the border of zeros, which nothing ever writes. */
static const float *pad(const sparse_eval *e, const sparse_layer *s, const float *in) {
    if (!s->padded) return in;
    cop_shape shape = s->layer->in;
    size_t padding = s->layer->padding, row = shape.width * e->chunk;
    for (size_t c = 0; c < shape.channels; c++)
        for (size_t y = 0; y < shape.height; y++, in += row)
            memcpy(s->padded +
                       ((c * s->in.height + y + padding) * s->in.width + padding) * e->chunk,
                   in, row * sizeof(float));
    return s->padded;
}

/* Always the whole chunk, so that a sample's bits depend only on its place in it. */
static void dense_by_blas(const sparse_eval *e, const sparse_layer *s, const float *in,
                          float *out) {
    size_t outputs = s->layer->biases, inputs = s->layer->fan_in, chunk = e->chunk;
    const float *bias = e->setup.base->b + s->layer->bias_begin;
    for (size_t o = 0; o < outputs; o++)
        for (size_t l = 0; l < chunk; l++) out[o * chunk + l] = bias[o];
    cop_sgemm(false, false, outputs, chunk, inputs, s->w, inputs, in, chunk, 1.0f, out, chunk);
    for (size_t i = 0; s->relu && i < outputs * chunk; i++) out[i] = out[i] < 0 ? 0 : out[i];
}

cop_sparse_grid cop_sparse_grid_of(const sparse_eval *e, const sparse_layer *s, size_t groups,
                                   bool *side) {
    const cop_layer *l = s->layer;
    size_t chunk = e->chunk, stride = l->kind == COP_LAYER_CONV2D ? l->stride : 1;
    cop_sparse_grid grid = {.rows = l->out.height,
                            .cols = l->out.width,
                            .in_row = stride * s->in.width * chunk,
                            .in_col = stride * chunk,
                            .out_plane = l->out.height * l->out.width * chunk,
                            .out_row = l->out.width * chunk,
                            .out_col = chunk,
                            .relu = s->relu};
    *side = l->out.height * l->out.width <= groups;
    if (*side) {
        grid.rows = 1;
        grid.cols = groups;
        grid.in_col = grid.out_col = SPARSE_LANES;
    }
    return grid;
}

/* Sums of @p rows rows of outputs beginning at row @p first, into planes of that many rows. */
static void sum_rows(const sparse_eval *e, const sparse_layer *s, const float *in, size_t first,
                     size_t rows, float *out, size_t groups) {
    const cop_layer *l = s->layer;
    size_t chunk = e->chunk, stride = l->kind == COP_LAYER_CONV2D ? l->stride : 1;
    const cop_sparse_edges edges = {.blocks = s->blocks,
                                    .outputs = l->biases,
                                    .begin = s->begin,
                                    .edge = s->edge,
                                    .bias = e->setup.base->b + l->bias_begin};
    bool side;
    cop_sparse_grid grid = cop_sparse_grid_of(e, s, groups, &side);
    grid.out_plane = rows * l->out.width * chunk;
    in += first * stride * s->in.width * chunk;
    if (!side) grid.rows = rows;
    for (size_t g = 0; !side && g < groups; g++)
        e->ops->sum(&edges, &grid, in + g * SPARSE_LANES, out + g * SPARSE_LANES);
    for (size_t y = 0; side && y < rows; y++)
        for (size_t x = 0; x < l->out.width; x++)
            e->ops->sum(&edges, &grid, in + (y * s->in.width + x) * stride * chunk,
                        out + (y * l->out.width + x) * chunk);
}

void cop_sparse_sum(const sparse_eval *e, size_t i, const float *in, float *out, size_t groups) {
    const sparse_layer *s = &e->layers[i];
    sum_rows(e, s, pad(e, s, in), 0, s->layer->out.height, out, groups);
}

static void pool(const sparse_eval *e, const cop_layer *l, size_t rows, const float *in,
                 float *out) {
    e->ops->pool(&(cop_sparse_pool){.planes = l->in.channels,
                                    .height = rows,
                                    .width = l->in.width,
                                    .kernel = l->kernel,
                                    .stride = l->stride,
                                    .vector = e->chunk,
                                    .out_plane = l->out.height * l->out.width * e->chunk},
                 in, out);
}

/* A convolution and the max-pool behind it, a band of rows at a time: what is pooled has not left
 * the second-level cache. */
static void sum_and_pool(const sparse_eval *e, const sparse_layer *s, const float *in, float *out,
                         size_t groups) {
    const cop_layer *p = s->pool;
    in = pad(e, s, in);
    for (size_t y = 0; y < p->out.height; y += s->band) {
        size_t n = p->out.height - y < s->band ? p->out.height - y : s->band;
        size_t rows = (n - 1) * p->stride + p->kernel;
        sum_rows(e, s, in, y * p->stride, rows, e->band, groups);
        pool(e, p, rows, e->band, out + y * p->out.width * e->chunk);
    }
}

const float *cop_sparse_apply(sparse_eval *e, size_t i, const float *in, float *out,
                              size_t groups) {
    const sparse_layer *s = &e->layers[i];
    const cop_layer *l = s->layer;
    if (cop_sparse_passes(s)) return in;
    if (s->weighted && s->dense)
        dense_by_blas(e, s, in, out);
    else if (s->pool)
        sum_and_pool(e, s, in, out, groups);
    else if (s->weighted)
        cop_sparse_sum(e, i, in, out, groups);
    else if (l->kind == COP_LAYER_MAXPOOL2D)
        pool(e, l, l->in.height, in, out);
    else /* an activation: value by value, so the order of samples is no matter */
        cop_layer_op_of(l, NULL)->forward(
            &(cop_layer_pass){.layer = l, .index = i, .n = e->chunk, .x = in, .y = out});
    return out;
}
