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

/* ------------------------------------------------------------------ cells */

/* The first layers of a network seen from one of their outputs. A *cell* is one position behind
 * them (behind the pooling, where there is some); its *patch* is what it sees of the input. A
 * *column* is one cell of one sample. Vectors hold the same number of as many columns as they have
 * 16-bit lanes, so all columns run the same instructions on contiguous memory and columns that
 * are equal are computed once.
 *
 * Number types: activations before the last of these layers are 16-bit; its sums are 32-bit, kept
 * as two vectors: the even lanes, then the odd ones. Activations under several shared values are
 * kept as a reference plane (one value) and difference planes (the others minus the reference),
 * which are small. */

#define COP_CELL_VALUES 16     /* results of one job */
#define COP_CELL_CHANNELS 4096 /* channels of one cell */

/** One channel of the first of two layers at rows x cols positions: 16-bit sums of taps of the
 * patch (offsets in vectors, those with sign + first), then bias and ReLU by value; the first value
 * is the reference. The caller has proved that sum + bias fits 16 bits for every value. */
typedef struct cop_cell_channel {
    const int32_t *tap;
    size_t plus, minus;
    size_t rows, cols, row, col; /**< steps of the patch between positions, in vectors */
    int16_t bias[3];
    size_t values; /**< 1 to 3 */
    bool relu;
} cop_cell_channel;

/** The last of these layers for one individual, one shared value and one vector of columns: all its
 * sums, from the sums of a relative (or from zero) and a program of differences.
 *
 * The program is, output by output: n, then n pairs (offset of a pair plane, signs of both); n,
 * then n fours (4 offsets, 1 or -1); the number of chunks, then for each chunk the numbers of
 * offsets added and subtracted and the offsets. With @p shared it is only the numbers of offsets
 * added and subtracted, and the offsets. Offsets are in elements from @p planes. The caller has
 * proved: a chunk's sum and that of four fit 16 bits, and so does every difference between two
 * values' sums; all sums and results fit 32 bits, and 23 where @p live is set. */
typedef struct cop_cell_job {
    const uint32_t *program;
    size_t outputs;
    const int16_t *planes;
    size_t pair_half; /**< elements from a pair plane's even half to its odd half */
    size_t positions; /**< 1, or 4: the largest of 2 x 2 is taken */
    size_t row;       /**< vectors between rows of a plane */
    /** Sums are (outputs, positions, 2, lanes/2). The reference value: @p from, the relative's or
     * NULL, and @p keep, where to leave them, or NULL. */
    const int32_t *from;
    int32_t *keep;
    /** Another value: @p shared, this individual's sums under the reference value; differences to
     * them are 16-bit (outputs, positions, lanes): the relative's, and where to leave them, or
     * NULL. The program then runs on difference planes. */
    const int32_t *shared;
    const int16_t *from16;
    int16_t *keep16;
    /** (outputs), or NULL, which is only possible with relu and without keep16: under the reference
     * value it is told whether a sum plus @p most is above 0 in any column; under the others
     * outputs where it is not are 0 and are not computed. */
    uint8_t *dead;
    const int32_t *most;
    const int32_t *bias; /**< (values, outputs) */
    size_t values;       /**< shared values that these sums serve */
    bool relu;
    int32_t *out; /**< results, or NULL; strides in elements */
    size_t out_value, out_channel, out_half;
    /** (outputs) if not NULL: bit i of a word tells that vector element i of the result is not 0
     * under some value; results are then stored as (r >> 8) << 16 | (r & 255). */
    uint32_t *live;
    bool join;      /**< live: bits are added to those that are there */
    int32_t *total; /**< with live: (values, 2, lanes/2) sums of the results over the outputs */
    /** winograd(): @p planes holds pair planes of 4 x 4 positions, @p plane elements apart; @p
     * program is the weights, see wino_outputs. */
    size_t pairs, plane;
    /** vectors(): how many, and elements between their planes; sums are (vectors, outputs, 2,
     * lanes/2), the results of a vector follow those of the one before; out_half is not used. */
    size_t vectors, vector;
    const int32_t
        *constant; /**< (outputs): 32768 times the weights of product 5, over the channels */
    int16_t *work; /**< (16, 2, pairs, lanes) */
} cop_cell_job;

/** Sums of the dense layer behind the cells, column by column, from the results that are not 0:
 * sums[sample of the column] += results * weights of its cell - less. All modulo 2^32. */
typedef struct cop_cell_events {
    const uint32_t *live;             /**< as in the job; whole vectors of words are read */
    const int32_t *in;                /**< packed results (values, channels, 2, lanes/2) */
    size_t channels, values, outputs; /**< outputs: a multiple of 16 */
    const uint32_t
        *weight; /**< (channels, outputs): sign in the low half, 256 times it in the high */
    const uint32_t *less;   /**< (values, outputs), or NULL */
    size_t columns;         /**< columns in use, from lane 0 */
    const uint32_t *sample; /**< (columns) rows of sums */
    int32_t *sums;          /**< (samples, values, outputs) */
} cop_cell_events;

/** Kernels for cells of one variant. Arrays are aligned to 64 bytes and hold whole vectors. */
typedef struct cop_cell_ops {
    size_t lanes;        /**< columns per vector, even, at most 32 */
    size_t wino_outputs; /**< winograd(): weights are (blocks of so many outputs, 16, pairs, outputs
                            of the block) */
    void (*channel)(const cop_cell_channel *channel, const int16_t *x, int16_t *out, size_t plane);
    void (*add)(const int16_t *a, const int16_t *b, int16_t *out, size_t n); /**< n elements */
    void (*subtract)(const int16_t *a, const int16_t *b, int16_t *out, size_t n);
    int16_t (*most)(const int16_t *a, size_t n); /**< the largest, at least 0 */
    /** Planes a (even halves of pairs) and b (NULL: zeros) interleaved into 32-bit elements. */
    void (*pair)(const int16_t *a, const int16_t *b, int16_t *even, int16_t *odd, size_t n);
    void (*node)(const cop_cell_job *job);
    /** The same for one position and several vectors of columns; chunks only, no @p shared, no @p
     * live. */
    void (*vectors)(const cop_cell_job *job);
    /** node() from nothing for 3 x 3 kernels and 2 x 2 positions; all activations in 0..16383 and
     * sums below 2^29. */
    void (*winograd)(const cop_cell_job *job);
    /** out = a - b: n sums as jobs leave them, into 16-bit differences; the caller has proved that
     * they fit. */
    void (*difference)(const int32_t *a, const int32_t *b, int16_t *out, size_t n);
    /** Signs as bytes to what events want. */
    void (*expand)(const int8_t *sign, size_t n, uint32_t *weight);
    void (*events)(const cop_cell_events *job);
    /** out = x * scale to the nearest integer, halves to the even one, and the ReLU of it when @p
     * relu. False, and nothing to be used, if one (before the ReLU) is not in [low, high], which
     * are 16-bit numbers. */
    bool (*grid)(const float *x, size_t n, double scale, bool relu, double low, double high,
                 int16_t *out);
    /** Smallest and largest of @p x and 0; false if an element is not finite. */
    bool (*extent)(const float *x, size_t n, float *low, float *high);
} cop_cell_ops;

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
    const cop_cell_ops *cells;
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

/** Whole rows of weights: y (outputs, S) = max(bias + W x, 0) or without the max, S =
 * COP_SPARSE_LANES * vectors. An output is its bias and then one fused multiply-add per input in
 * order, the same bits in every variant and whatever rows stand beside it. */
typedef struct cop_full {
    size_t outputs, inputs, vectors;
    const float *const *row; /**< (outputs) rows of (inputs) weights, */
    size_t stride;           /**< so many floats apart; skip_zeros: 1 */
    const float *bias;       /**< (outputs), or NULL: 0 */
    const float *x;          /**< (inputs, S) */
    bool relu;               /**< NaN stays */
    float *y;                /**< (outputs, S) */
} cop_full;

/** The inputs of @p vectors * COP_SPARSE_LANES samples that are not zero, COP_NONZERO_BLOCK of the
 * inputs at a time: list k = block * samples + sample is place[begin[k]..begin[k+1]), which counts
 * from the block's first input, with value[]. Room for inputs * samples + COP_SPARSE_LANES, which
 * must be less than 2^32. */
typedef struct cop_nonzeros {
    size_t inputs, vectors;
    uint32_t *begin; /**< (blocks * samples + 1) */
    uint32_t *place;
    float *value;
} cop_nonzeros;
#define COP_NONZERO_BLOCK ((size_t)64)
/** Floats of working space of cop_sparse_ops.skip_zeros for @p samples. */
#define COP_SKIP_SCRATCH(samples) (6 * COP_SPARSE_LANES * (COP_NONZERO_BLOCK + (samples)))

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
    void (*full)(const cop_full *layer);
    /** y = bias + the sum of vectors (S) @p piece (outputs, pieces), one after the other; row,
     * inputs and x are not read. */
    void (*join)(const cop_full *layer, const float *const *piece, size_t pieces);
    /** Fill the lists of x (list->inputs, list->vectors * COP_SPARSE_LANES); NULL, like skip_zeros,
     * where the variant has none. */
    void (*nonzeros)(const float *x, cop_nonzeros *list);
    /** What full does, from lists in place of layer->x; the layer's first input is that of list
     * block @p block. Equal values; a zero may have another sign. False when some weight is not
     * finite, which would make zeros count: nothing useful is in y then. */
    bool (*skip_zeros)(const cop_full *layer, const cop_nonzeros *list, size_t block,
                       float *scratch);
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
