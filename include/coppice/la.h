/** @file la.h
 *  Kernels: dense products in single precision (the only module that calls BLAS), exact integer
 *  sums over signed live edges, float sums over weighted live edges.
 */
#ifndef COPPICE_LA_H
#define COPPICE_LA_H

#include "coppice/base.h"

/* ------------------------------------------------------------------ dense products */

/** C = A B + beta C, all row-major. A is (m, k), stored (k, m) when @p ta; B is (k, n), stored (n,
 * k) when @p tb. @p lda, @p ldb, @p ldc are the lengths of the stored rows. With beta 0 the old C
 * is not read. Every size is below 2^31. Deterministic for given sizes on a given processor. */
void cop_sgemm(bool ta, bool tb, size_t m, size_t n, size_t k, const float *a, size_t lda,
               const float *b, size_t ldb, float beta, float *c, size_t ldc);

/** From now on BLAS computes on the calling thread alone: a rank has one core, and the order of
 * sums must not depend on a thread count. Costs nothing to repeat. */
void cop_blas_one_thread(void);

/** "OpenBLAS 0.3.21, SkylakeX kernels", or what little another BLAS tells. Valid for the life of
 *  the process. */
const char *cop_blas_version(void);

/* ------------------------------------------------------------------ sign kernels */

/* Exact integer sums over live edges with signs, samples innermost: everything is made of vectors
 * of COP_SIGN_LANES elements, one element per sample; strides and offsets count elements. */

/** Samples per vector: 64 bytes of 32-bit elements, one cache line, one AVX-512 register. */
#define COP_SIGN_LANES 16

/** How one weighted layer is summed. The caller has proved that neither inputs nor any partial sum,
 * in any order, leave the types named here. */
typedef enum cop_sign_mode {
    /** Inputs are 16-bit, two channels to an element (low half: the even channel); sums are 32-bit.
     * One entry of the edge list is a pair of edges: 2 multiply-adds per element and instruction.
     */
    COP_SIGN_PAIRS,
    COP_SIGN_32,   /**< inputs and sums are 32-bit */
    COP_SIGN_WIDE, /**< inputs 32-bit, 32-bit inside a block of edges, blocks add up in 64 bits */
    COP_SIGN_64    /**< inputs and sums are 64-bit */
} cop_sign_mode;

/** A pair of edges: position of the input element relative to the output's origin, and the two
 * signs as 16-bit halves (low: even channel). */
typedef struct cop_sign_pair {
    int32_t offset;
    uint32_t signs;
} cop_sign_pair;

/** Live edges of one layer, block by block (a block's inputs fit the first-level cache), in each
 * block output by output. PAIRS: list k = block * outputs + output is pair[begin[k]..begin[k+1]).
 * Others: the edges with sign +1 are offset[begin[2k]..begin[2k+1]), those with -1
 * offset[begin[2k+1]..begin[2k+2]). */
typedef struct cop_sign_edges {
    size_t blocks, outputs;
    uint32_t *begin;
    cop_sign_pair *pair;
    int32_t *offset;
} cop_sign_edges;

/** Positions at which every output is computed. Output o at (r, c) sums inputs at
 *  in + r*in_row + c*in_col + offset, and goes to sums + o*out_plane + r*out_row +
 * c*COP_SIGN_LANES. */
typedef struct cop_sign_grid {
    size_t rows, cols;
    size_t in_row, in_col, out_plane, out_row;
} cop_sign_grid;

/** Where a plane of vectors lies: vector (r, c) is at r*row + c*col. */
typedef struct cop_sign_plane {
    size_t rows, cols, row, col;
} cop_sign_plane;

/** Types of stored activations; PAIR_EVEN also clears the odd half. */
typedef enum cop_sign_store {
    COP_SIGN_STORE_PAIR_EVEN,
    COP_SIGN_STORE_PAIR_ODD,
    COP_SIGN_STORE_32,
    COP_SIGN_STORE_64
} cop_sign_store;

/** One variant of the sign kernels. Elements are 32-bit, or 64-bit where `wide` is set (sums of
 * modes WIDE and 64). Arrays are 64-byte aligned; nothing overlaps unless said. */
typedef struct cop_sign_ops {
    const char *name;
    bool (*supported)(void); /**< by the processor this runs on */
    /** Rows and columns of the register tile that will be used for a grid (for cache blocking). */
    void (*tile)(const cop_sign_grid *grid, size_t *rows, size_t *cols);
    /** All sums of one layer, overwritten. */
    void (*sum)(cop_sign_mode mode, const cop_sign_edges *edges, const cop_sign_grid *grid,
                const void *in, void *sums);
    /** out[i] = sums[i*step] + bias, and the ReLU of it when @p relu; @p count vectors. */
    void (*bias)(bool wide, const void *sums, size_t step, size_t count, int64_t bias, bool relu,
                 void *out);
    /** Largest of each window of a contiguous (height, width) plane, contiguous output. */
    void (*pool)(bool wide, const void *in, size_t height, size_t width, size_t kernel,
                 size_t stride, void *out);
    /** A contiguous plane into its place in an activation tensor. */
    void (*store)(bool wide, const void *in, cop_sign_store as, const cop_sign_plane *place,
                  void *out);
} cop_sign_ops;

/** All variants compiled in, fastest first; the last is plain C. Some may not be supported here. */
const cop_sign_ops *const *cop_sign_variants(size_t *count);
/** The variant to use: the first supported one, or the one that the environment's COPPICE_KERNEL
 * names. COP_E_CONFIG if that is unknown or not supported by this processor. */
cop_status cop_sign_choose(const cop_sign_ops **ops);

/** Names of the variants that this processor supports, fastest first, at most @p capacity; returns
 * how many. Static text. */
size_t cop_sign_names(const char **names, size_t capacity);

/* ------------------------------------------------------------------ sparse float kernels */

/* Float sums over live edges with any weights, samples innermost: everything is made of vectors of
 * COP_SPARSE_LANES floats, one per sample; strides and offsets count floats. Every sum is its bias
 * and then one fused multiply-add (one rounding) per edge in list order, in every variant: results
 * are the same bits on every processor. Of a NaN only that it is one. */

/** Samples per vector: 64 bytes, one cache line, one AVX-512 register. */
#define COP_SPARSE_LANES 16

/** A live edge: position of its input relative to the output's origin, and its weight. */
typedef struct cop_sparse_edge {
    int32_t offset;
    float weight;
} cop_sparse_edge;

/** Live edges of one layer (compressed rows), block by block (a block's inputs fit the first-level
 * cache), in each block output by output: list k = block * outputs + output is
 * edge[begin[k]..begin[k+1]). Edges of an output ascend from block to block and inside of each.
 * With one block, entry k of the layer is its k-th live edge. Lists by input for the way back are
 * the same type with the roles exchanged. All borrowed. */
typedef struct cop_sparse_edges {
    size_t blocks, outputs;
    const uint32_t *begin;       /**< (blocks * outputs + 1) */
    const cop_sparse_edge *edge; /**< (begin[blocks * outputs]) */
    const float *bias;           /**< (outputs) what sums start from */
} cop_sparse_edges;

/** Positions at which every output is computed. Output o at (r, c) sums inputs at
 *  in + r*in_row + c*in_col + offset, and goes to out + o*out_plane + r*out_row + c*out_col. A
 *  position is a pixel of a convolution, or a vector of further samples of a dense layer. */
typedef struct cop_sparse_grid {
    size_t rows, cols;
    size_t in_row, in_col, out_plane, out_row, out_col;
    bool relu; /**< store max(sum, 0); NaN stays */
} cop_sparse_grid;

/** Max-pooling of contiguous planes (height, width) of `vector` samples, a multiple of
 *  COP_SPARSE_LANES; the results of a plane begin out_plane floats behind those before. */
typedef struct cop_sparse_pool {
    size_t planes, height, width, kernel, stride, vector, out_plane;
} cop_sparse_pool;

/** One variant of the sparse kernels. Vectors are 64-byte aligned; nothing overlaps. */
typedef struct cop_sparse_ops {
    const char *name;
    bool (*supported)(void); /**< by the processor this runs on */
    /** Outputs, rows and columns of the register tile that will be used for a grid with at least
     * one position (for cache blocking). */
    void (*tile)(size_t outputs, const cop_sparse_grid *grid, size_t tile[3]);
    /** All sums of one layer, overwritten. At least one block. */
    void (*sum)(const cop_sparse_edges *edges, const cop_sparse_grid *grid, const float *in,
                float *out);
    /** Largest of each window, row by row; NaN counts as largest. */
    void (*pool)(const cop_sparse_pool *pool, const float *in, float *out);
} cop_sparse_ops;

/** All variants compiled in, fastest first; the last is plain C. Some may not be supported here. */
const cop_sparse_ops *const *cop_sparse_variants(size_t *count);
/** The variant to use: the first supported one. Where the environment's COPPICE_KERNEL names a sign
 * kernel, the one for the same instructions (avx512 for avx512-vnni) or the next slower one that is
 * supported. COP_E_CONFIG if that variable is unknown or not supported by this processor. */
cop_status cop_sparse_choose(const cop_sparse_ops **ops);

/* ------------------------------------------------------------------ bounds, for benchmarks */

/** A burst (some 50 us) of 16-bit products summed in pairs into 32-bit sums, with the instructions
 * of the variant @p kernel (NULL, unknown or unsupported: the fastest that this processor has),
 * @p memory: one operand of each comes from the first-level cache, else all from registers. Sets
 * @p macs to the multiply-adds done; returns the name of the variant. The caller takes the time. */
const char *cop_dot_burst(const char *kernel, bool memory, uint64_t *macs);

#endif
