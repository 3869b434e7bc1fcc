/* Inside of the evaluator `sparse`: float arithmetic over lists of live edges, samples innermost.
 *
 * Words: a *group* is COP_SPARSE_LANES samples (one vector); a *chunk* is what goes through the
 * network at once, `groups` of them; a *piece* is the part of a shard that is held transposed for
 * all individuals of a block. A tensor of one chunk holds feature j of sample s at j * chunk + s,
 * images as channel, row, column. */
#ifndef COPPICE_NET_EVAL_SPARSE_H
#define COPPICE_NET_EVAL_SPARSE_H

#include "coppice/la.h"
#include "net/eval_score.h"

#define SPARSE_LANES COP_SPARSE_LANES

/* One layer of the model. Those without weights use `layer` alone. */
typedef struct sparse_layer {
    const cop_layer *layer;
    bool weighted;
    bool relu;             /* the next layer is a relu that is computed with this one */
    const cop_layer *pool; /* the next layer with numbers is a max-pool computed with this one */
    size_t band;           /* rows of its output at a time */
    bool skip;             /* computed with one before */
    cop_shape in;          /* as the edges see it, padding included */
    int32_t *offset;       /* (fan_in) of the edges of one output */
    size_t blocks;         /* of the individual's lists */
    uint32_t *begin;       /* (blocks * biases + 1) */
    cop_sparse_edge *edge; /* live edges of the individual */
    size_t begin_capacity, edge_capacity;
    bool dense;    /* this individual's layer goes to BLAS instead */
    float *w;      /* then (biases, fan_in); NULL until needed */
    float *padded; /* one chunk of the input with its border of zeros; NULL: no padding */
} sparse_layer;

/* The evaluator's state. */
typedef struct sparse_eval {
    cop_eval_setup setup;
    const cop_sparse_ops *ops;
    cop_variants variants;
    sparse_layer *layers; /* (setup.model->count) */
    size_t lead;          /* layers before it are computed once for all individuals */
    size_t chunk;         /* samples */
    float *piece;         /* chunks of the input of layer `lead` */
    size_t piece_bytes;
    float *buffer[2]; /* one chunk of the widest layer */
    float *band;      /* rows of a convolution that are to be pooled */
    size_t band_bytes;
    double *rows[8]; /* (batch, width) for the sink */
    double *logit;   /* (classes) */
} sparse_eval;

/* Samples per chunk for that setup and kernel. */
size_t cop_sparse_chunk(const cop_eval_setup *setup, const cop_sparse_ops *ops);
/* Rows of a max-pool's output that are computed at a time together with the convolution before it,
 * and the memory that the convolution's rows take. */
size_t cop_sparse_band(const cop_layer *pool, size_t chunk);
size_t cop_sparse_band_bytes(const cop_layer *pool, size_t chunk);
/* Shapes, offsets and what is computed together. COP_E_CONFIG: an input too large for 32-bit
 * offsets. */
cop_status cop_sparse_layers_create(sparse_eval *e);
void cop_sparse_layers_destroy(sparse_eval *e);
/* Some layer of that individual goes to BLAS. */
bool cop_sparse_uses_blas(const sparse_eval *e, const cop_mask *mask);
/* How the kernel goes over the first @p groups of a chunk: one call per group with all pixels, or
 * (@p side) one call per pixel with all groups. */
cop_sparse_grid cop_sparse_grid_of(const sparse_eval *e, const sparse_layer *s, size_t groups,
                                   bool *side);
/* Live edges of an individual with the weights of one shared value (ignored for TRAINED). */
void cop_sparse_compile(sparse_eval *e, const cop_mask *mask, double value);
/* Sums of the weighted layer @p i from its lists, for the first @p groups of a chunk; its relu too
 * where it has one. */
void cop_sparse_sum(const sparse_eval *e, size_t i, const float *in, float *out, size_t groups);
/* The layer's output is its input: flatten, or what is computed with the layer before. */
bool cop_sparse_passes(const sparse_layer *s);
/* Layer @p i for the first @p groups of a chunk, into @p out (not @p in) unless it passes; returns
 * where its output is. */
const float *cop_sparse_apply(sparse_eval *e, size_t i, const float *in, float *out, size_t groups);
/* The buffer that does not hold @p in. */
static inline float *cop_sparse_buffer(const sparse_eval *e, const float *in) {
    return in == e->buffer[0] ? e->buffer[1] : e->buffer[0];
}

#endif
