/** @file similarity_kernels.h
 *  The inner loops of the neighbourhood similarity, compiled for several vector widths. All
 * variants do the same double operations in the same order (eight lanes, then a fixed tree),
 * without fused multiply-add and without the C library's exp and log, whose last bit differs
 * between processors: so every variant gives the same bits on every machine.
 */
#ifndef COPPICE_NET_SIMILARITY_KERNELS_H
#define COPPICE_NET_SIMILARITY_KERNELS_H

#include "coppice/base.h"

#define COP_SIM_LANES ((size_t)8) /**< arrays are padded to a multiple of this */

#define COP_SIM_ROUGH_LANES ((size_t)16)

typedef struct cop_similarity_kernel {
    const char *name;
    /** Add to g[i*stride + j] the products of samples i and j over @p depth features, for every
     * pair of the upper triangle (and some of the lower). @p columns (depth, stride): samples
     * innermost, 64-byte aligned; each pair is summed from the first feature to the last, then
     * added. */
    void (*products)(const double *columns, size_t depth, size_t stride, double *g);
    /** Copy to @p columns (.., stride) those of @p count units of @p units (count, stride) in which
     * the first @p n samples differ; returns how many. */
    size_t (*varied)(const double *units, size_t count, size_t n, size_t stride, double *columns);
    /** From products to squared distances: @p g (stride, stride) upper triangle; @p norm (stride)
     * scratch that keeps the diagonal. Entries below norms * 2^-20 in rows i < n, i < j < n are
     * counted. */
    size_t (*apart)(double *g, size_t n, size_t stride, double *norm);
    /** The upper triangle's mirror image into the lower; DBL_MAX on the diagonal and behind the n
     * samples. */
    void (*mirror)(double *d, size_t n, size_t stride);
    /** rough[j] = (d[j] - least) / mean for finite distances, @p far for the others and up to @p
     * count; *mean: of d[j] - least. */
    void (*scaled)(const double *d, size_t stride, float far, float *rough, size_t count,
                   double *least, double *mean);
    /** d[j] = weight[j] / sum. */
    void (*share)(double *d, const double *weight, size_t stride, double sum);
    /** to[j - i - 1] = d[i][j] + d[j][i] for i < j < n. */
    void (*pairs)(const double *d, size_t i, size_t n, size_t stride, double *to);
    /** p[k] = p[k] / total, at least @p least; NaN stays. */
    void (*floored)(double *p, size_t count, double total, double least);
    /** weight[j] = exp(-beta * d[j]) for @p stride distances; their sum and sum of d*weight. A
     * distance of DBL_MAX has weight 0. */
    void (*weights)(const double *d, size_t stride, double beta, double *weight, double *sum,
                    double *moment);
    /** Rough moments in single precision, good to some 1e-6 of their values: sums of exp(-beta *
     * d[j]) times 1, d[j] and d[j]^2 over @p count distances, a multiple of COP_SIM_ROUGH_LANES.
     * beta * d may be as large as it likes: such weights are 0. */
    void (*rough)(const float *d, size_t count, float beta, float moment[3]);
    /** Sum of p ln(p/q) over @p count entries of at least DBL_EPSILON. */
    double (*divergence)(const double *p, const double *q, size_t count);
} cop_similarity_kernel;

/** Those that this processor can run, best last. */
const cop_similarity_kernel *const *cop_similarity_kernels(size_t *count);

#endif
