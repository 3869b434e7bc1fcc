/** @file train.h
 *  Kernels for training layers of live edges: the way back, gradients, and what stands between.
 */
#ifndef COPPICE_LA_TRAIN_H
#define COPPICE_LA_TRAIN_H

#include "coppice/la.h"

/* The way back through a layer of live edges, gradients of live edges only, and what stands between
 * layers; samples innermost as above. A matrix (units, S) has S samples to a unit, S = 16 *
 * vectors. A sum over samples is sixteen sums, one for each place in a vector, of fused
 * multiply-adds (or additions) vector by vector; then place l joins l + 8, l + 4, l + 2, l + 1. So
 * results are the same bits in every variant. */

/** A live edge as its input sees it: where the output's gradient stands (output * S), and the
 * number of the edge in the layer's list. */
typedef struct cop_sparse_way {
    int32_t offset;
    uint32_t edge;
} cop_sparse_way;

/** The four vectors of numbers of a layer of S-shaped rectified linear units (Jin et al. 2016):
 * f(x) = tl + al (x - tl) below tl; T + ar (x - T) above T = tl + |tr|; x between. (units) each. */
typedef struct cop_srelu {
    float *tl, *al, *tr, *ar;
} cop_srelu;

/** How a step of an optimiser is made; see cop_train_ops.step. */
typedef struct cop_step {
    bool adam;
    float rate, momentum;
    float l2;     /**< times the parameter, added to the gradient */
    float shrink; /**< times the parameter, taken off it after the step */
    float beta1, beta2, epsilon;
    float correct1, correct2; /**< adam: 1/(1 - beta^step) */
} cop_step;

/** One variant of the training kernels. Arrays of vectors are 64-byte aligned; nothing overlaps. */
typedef struct cop_train_ops {
    const char *name;
    bool (*supported)(void);
    const cop_sparse_ops *sparse; /**< the forward product of the same variant */
    /** to (inputs, S): row i is the sum, in list order, of weight times gradient over the edges
     * way[begin[i]..begin[i+1]); @p gradient (outputs, S). */
    void (*back)(size_t inputs, const uint32_t *begin, const cop_sparse_way *way,
                 const cop_sparse_edge *edge, size_t vectors, const float *gradient, float *to);
    /** slope[k] (edges) = sum over samples of input times gradient; @p x (inputs, S), @p gradient
     * (outputs, S). One block. */
    void (*slope)(size_t outputs, const uint32_t *begin, const cop_sparse_edge *edge,
                  size_t vectors, const float *x, const float *gradient, float *slope);
    /** The same where all edges live: slope (outputs, inputs). */
    void (*full_slope)(size_t outputs, size_t inputs, size_t vectors, const float *x,
                       const float *gradient, float *slope);
    /** sums[u] = sum over samples of row u. */
    void (*sums)(size_t units, size_t vectors, const float *x, float *sums);
    /** a (units, S) = f(z). */
    void (*srelu)(size_t units, size_t vectors, const cop_srelu *p, const float *z, float *a);
    /** @p gradient (units, S) of f(z) becomes that of z; @p slope: gradients of the numbers. */
    void (*srelu_back)(size_t units, size_t vectors, const cop_srelu *p, const float *z,
                       float *gradient, const cop_srelu *slope);
    /** a = z above 0, else slope * z; 0 is ReLU. */
    void (*leaky)(size_t count, float slope, const float *z, float *a);
    void (*leaky_back)(size_t count, float slope, const float *z, float *gradient);
    /** Inverted dropout: a value stays, divided by 1 - rate, or becomes 0. Which is a function of
     * (@p key, @p batch, @p layer, its place): 16 bits of Philox4x32-10 a value. @p kept (count)
     * receives what it was multiplied with. @p count is a multiple of 16. */
    void (*drop)(size_t count, double rate, uint64_t key, uint32_t batch, uint32_t layer, float *a,
                 float *kept);
    void (*drop_back)(size_t count, const float *kept, float *gradient);
    /** Move @p count parameters, @p stride floats apart, along their gradients (contiguous).
     * sgd: m = momentum m - rate (g + l2 w); w = w + m - shrink w. adam: Kingma and Ba 2015 with
     * g + l2 w for gradient. @p m, @p v (count) are zeros at first; v is for adam only. */
    void (*step)(const cop_step *how, size_t count, size_t stride, float *w, const float *g,
                 float *m, float *v);
    /** to (features, S) from @p n <= S rows of samples, zeros behind them. */
    void (*turn)(size_t features, size_t n, size_t vectors, const float *const *rows, float *to);
} cop_train_ops;

/** As for the sparse kernels. */
const cop_train_ops *const *cop_train_variants(size_t *count);
cop_status cop_train_choose(const cop_train_ops **ops);

#endif
