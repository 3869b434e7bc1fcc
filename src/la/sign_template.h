/* The sign kernels, once for all instruction sets. The including file defines
 *   VARIANT        suffix of the functions and of the table
 *   TARGET         function attribute that enables the instructions
 *   VEC, PARTS     vector type of 64/PARTS bytes; PARTS of them hold one vector of 16 32-bit
 * elements ZERO SET1(u) LOAD(p) STORE(p,v) ADD(a,b) SUB(a,b)   on 32-bit elements DOT(a,x,s)     a
 * + lo(x)*lo(s) + hi(x)*hi(s), signed 16-bit halves TILES(X)       X(rows, cols): register tiles,
 * ending with X(1, 1)
 *
 * All arithmetic wraps (unsigned or vector instructions): whether it can wrap is the caller's
 * proof.
 *
 * Cost: one entry of an edge list costs one broadcast or load of its position, shared by the
 * rows*cols vectors of a tile, and per vector one instruction with a memory operand: 16 samples * 2
 * edges in mode PAIRS, 16 samples * 1 edge in the 32-bit modes. Bytes per live edge: 4 (at most 8
 * in PAIRS). The bound is one 64-byte load from the first-level cache per cycle; the second
 * convolution of the CNN reaches 0.9 of it. */
#include "coppice/la.h"

#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)
#define FN(name) PASTE(name##_, VARIANT)
#define INLINE static inline TARGET __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif
enum { FN(L) = COP_SIGN_LANES, FN(PER) = COP_SIGN_LANES / PARTS };
#define L FN(L)
#define PER FN(PER)

/* Sums of the outputs at one tile of positions. R, C are constants at every call, so that the
 * accumulators are registers and the loops over them disappear; so is `col` where it is L. */
INLINE void FN(tile)(cop_sign_mode mode, const cop_sign_edges *e, const uint32_t *in, size_t in_row,
                     size_t col, void *out, size_t out_plane, size_t out_row, size_t R, size_t C) {
    for (size_t b = 0; b < e->blocks; b++)
        for (size_t o = 0; o < e->outputs; o++) {
            size_t list = b * e->outputs + o;
            VEC acc[24 * PARTS];
            uint32_t *o32 = (uint32_t *)out + o * out_plane;
            bool resume = b > 0 && mode != COP_SIGN_WIDE;
            UNROLL for (size_t r = 0; r < R; r++) UNROLL for (size_t c = 0; c < C; c++)
                UNROLL for (size_t k = 0; k < PARTS; k++) acc[(r * C + c) * PARTS + k] =
                    resume ? LOAD(o32 + r * out_row + c * L + k * PER) : ZERO;
            if (mode == COP_SIGN_PAIRS) {
                const cop_sign_pair *p = e->pair + e->begin[list],
                                    *end = e->pair + e->begin[list + 1];
                for (; p < end; p++) {
                    const uint32_t *x = in + p->offset;
                    VEC s = SET1(p->signs);
                    UNROLL for (size_t r = 0; r < R; r++) UNROLL for (size_t c = 0; c < C; c++)
                        UNROLL for (size_t k = 0; k < PARTS; k++) acc[(r * C + c) * PARTS + k] =
                            DOT(acc[(r * C + c) * PARTS + k],
                                LOAD(x + r * in_row + c * col + k * PER), s);
                }
            } else {
                const int32_t *p = e->offset + e->begin[2 * list],
                              *middle = e->offset + e->begin[2 * list + 1],
                              *end = e->offset + e->begin[2 * list + 2];
                for (; p < middle; p++) {
                    const uint32_t *x = in + *p;
                    UNROLL for (size_t r = 0; r < R; r++) UNROLL for (size_t c = 0; c < C; c++)
                        UNROLL for (size_t k = 0; k < PARTS; k++) acc[(r * C + c) * PARTS + k] =
                            ADD(acc[(r * C + c) * PARTS + k],
                                LOAD(x + r * in_row + c * col + k * PER));
                }
                for (; p < end; p++) {
                    const uint32_t *x = in + *p;
                    UNROLL for (size_t r = 0; r < R; r++) UNROLL for (size_t c = 0; c < C; c++)
                        UNROLL for (size_t k = 0; k < PARTS; k++) acc[(r * C + c) * PARTS + k] =
                            SUB(acc[(r * C + c) * PARTS + k],
                                LOAD(x + r * in_row + c * col + k * PER));
                }
            }
            if (mode == COP_SIGN_WIDE) {
                int64_t *o64 = (int64_t *)out + o * out_plane;
                UNROLL for (size_t r = 0; r < R; r++) UNROLL for (size_t c = 0; c < C; c++) {
                    int32_t part[COP_SIGN_LANES] __attribute__((aligned(64)));
                    int64_t *to = o64 + r * out_row + c * L;
                    UNROLL for (size_t k = 0; k < PARTS; k++)
                        STORE((uint32_t *)part + k * PER, acc[(r * C + c) * PARTS + k]);
                    if (b == 0)
                        for (size_t i = 0; i < L; i++) to[i] = part[i];
                    else
                        for (size_t i = 0; i < L; i++) to[i] += part[i];
                }
            } else {
                UNROLL for (size_t r = 0; r < R; r++) UNROLL for (size_t c = 0; c < C; c++)
                    UNROLL for (size_t k = 0; k < PARTS; k++)
                        STORE(o32 + r * out_row + c * L + k * PER, acc[(r * C + c) * PARTS + k]);
            }
        }
}

/* Cover the grid with tiles; where they do not divide it the last ones overlap their neighbours and
 * compute the same sums again. A tile runs over all blocks before the next one starts. */
INLINE void FN(cover)(cop_sign_mode mode, const cop_sign_edges *e, const cop_sign_grid *g,
                      const uint32_t *in, void *out, size_t R, size_t C) {
    size_t bytes = mode == COP_SIGN_WIDE ? 8 : 4;
    for (size_t y = 0; y < g->rows; y += R) {
        size_t r = y + R > g->rows ? g->rows - R : y;
        for (size_t x = 0; x < g->cols; x += C) {
            size_t c = x + C > g->cols ? g->cols - C : x;
            const uint32_t *from = in + r * g->in_row + c * g->in_col;
            void *to = (char *)out + (r * g->out_row + c * L) * bytes;
            if (g->in_col == L)
                FN(tile)(mode, e, from, g->in_row, L, to, g->out_plane, g->out_row, R, C);
            else
                FN(tile)(mode, e, from, g->in_row, g->in_col, to, g->out_plane, g->out_row, R, C);
        }
    }
}

/* The tile with the least work for a grid: vectors computed plus what each edge costs besides. */
static void FN(choose)(const cop_sign_grid *g, size_t *rows, size_t *cols) {
    size_t least = SIZE_MAX;
#define CONSIDER(R, C)                                                                             \
    if (R <= g->rows && C <= g->cols) {                                                            \
        size_t cost = ((g->rows + R - 1) / R) * ((g->cols + C - 1) / C) * (R * C + 2);             \
        if (cost < least) {                                                                        \
            least = cost;                                                                          \
            *rows = R;                                                                             \
            *cols = C;                                                                             \
        }                                                                                          \
    }
    TILES(CONSIDER)
#undef CONSIDER
}

#define COVERS(R, C)                                                                               \
    static TARGET __attribute__((noinline)) void FN(pairs_##R##x##C)(                              \
        const cop_sign_edges *e, const cop_sign_grid *g, const uint32_t *in, void *out) {          \
        FN(cover)(COP_SIGN_PAIRS, e, g, in, out, R, C);                                            \
    }                                                                                              \
    static TARGET __attribute__((noinline)) void FN(narrow_##R##x##C)(                             \
        const cop_sign_edges *e, const cop_sign_grid *g, const uint32_t *in, void *out) {          \
        FN(cover)(COP_SIGN_32, e, g, in, out, R, C);                                               \
    }                                                                                              \
    static TARGET __attribute__((noinline)) void FN(wide_##R##x##C)(                               \
        const cop_sign_edges *e, const cop_sign_grid *g, const uint32_t *in, void *out) {          \
        FN(cover)(COP_SIGN_WIDE, e, g, in, out, R, C);                                             \
    }
TILES(COVERS)
#undef COVERS

/* 64-bit inputs are rare (the last, small layers of deep networks): one position at a time. */
static TARGET void FN(sum64)(const cop_sign_edges *e, const cop_sign_grid *g, const uint64_t *in,
                             uint64_t *out) {
    for (size_t r = 0; r < g->rows; r++)
        for (size_t c = 0; c < g->cols; c++)
            for (size_t b = 0; b < e->blocks; b++)
                for (size_t o = 0; o < e->outputs; o++) {
                    const uint64_t *from = in + r * g->in_row + c * g->in_col;
                    uint64_t *to = out + o * g->out_plane + r * g->out_row + c * L;
                    const uint32_t *begin = e->begin + 2 * (b * e->outputs + o);
                    uint64_t acc[COP_SIGN_LANES] = {0};
                    for (uint32_t i = begin[0]; i < begin[1]; i++)
                        for (size_t l = 0; l < L; l++) acc[l] += from[e->offset[i] + (int32_t)l];
                    for (uint32_t i = begin[1]; i < begin[2]; i++)
                        for (size_t l = 0; l < L; l++) acc[l] -= from[e->offset[i] + (int32_t)l];
                    for (size_t l = 0; l < L; l++) to[l] = b ? to[l] + acc[l] : acc[l];
                }
}

static void FN(sum)(cop_sign_mode mode, const cop_sign_edges *e, const cop_sign_grid *g,
                    const void *in, void *out) {
    size_t rows = 1, cols = 1;
    if (mode == COP_SIGN_64) {
        FN(sum64)(e, g, in, out);
        return;
    }
    FN(choose)(g, &rows, &cols);
#define DISPATCH(R, C)                                                                             \
    if (rows == R && cols == C) {                                                                  \
        if (mode == COP_SIGN_PAIRS)                                                                \
            FN(pairs_##R##x##C)(e, g, in, out);                                                    \
        else if (mode == COP_SIGN_32)                                                              \
            FN(narrow_##R##x##C)(e, g, in, out);                                                   \
        else                                                                                       \
            FN(wide_##R##x##C)(e, g, in, out);                                                     \
    }
    TILES(DISPATCH)
#undef DISPATCH
}

/* What follows sums, for 32- and 64-bit elements. A vector is read whole before any of it is
 * written, so that the loops over its lanes become vector code without tests for overlap. */
#define PLANE_FUNCTIONS(S, U, W)                                                                   \
    static TARGET void FN(bias##W)(const S *sums, size_t step, size_t count, S bias, bool relu,    \
                                   S *out) {                                                       \
        const S floor = relu ? 0 : (S)((U)1 << (W - 1));                                           \
        for (size_t i = 0; i < count; i++, sums += step, out += L) {                               \
            S v[COP_SIGN_LANES];                                                                   \
            for (size_t l = 0; l < L; l++) v[l] = (S)((U)sums[l] + (U)bias);                       \
            for (size_t l = 0; l < L; l++) out[l] = v[l] > floor ? v[l] : floor;                   \
        }                                                                                          \
    }                                                                                              \
    static TARGET void FN(pool##W)(const S *in, size_t height, size_t width, size_t kernel,        \
                                   size_t stride, S *out) {                                        \
        for (size_t y = 0; y + kernel <= height; y += stride)                                      \
            for (size_t x = 0; x + kernel <= width; x += stride, out += L) {                       \
                const S *corner = in + (y * width + x) * L;                                        \
                S best[COP_SIGN_LANES];                                                            \
                for (size_t l = 0; l < L; l++) best[l] = corner[l];                                \
                for (size_t i = 0; i < kernel; i++)                                                \
                    for (size_t j = 0; j < kernel; j++) {                                          \
                        const S *v = corner + (i * width + j) * L;                                 \
                        for (size_t l = 0; l < L; l++) best[l] = v[l] > best[l] ? v[l] : best[l];  \
                    }                                                                              \
                for (size_t l = 0; l < L; l++) out[l] = best[l];                                   \
            }                                                                                      \
    }                                                                                              \
    static TARGET void FN(even##W)(const S *in, const cop_sign_plane *p, uint32_t *out) {          \
        for (size_t r = 0; r < p->rows; r++)                                                       \
            for (size_t c = 0; c < p->cols; c++, in += L) {                                        \
                uint32_t *to = out + r * p->row + c * p->col, v[COP_SIGN_LANES];                   \
                for (size_t l = 0; l < L; l++) v[l] = (uint32_t)in[l] & 0xffffu;                   \
                for (size_t l = 0; l < L; l++) to[l] = v[l];                                       \
            }                                                                                      \
    }                                                                                              \
    static TARGET void FN(odd##W)(const S *in, const cop_sign_plane *p, uint32_t *out) {           \
        for (size_t r = 0; r < p->rows; r++)                                                       \
            for (size_t c = 0; c < p->cols; c++, in += L) {                                        \
                uint32_t *to = out + r * p->row + c * p->col, v[COP_SIGN_LANES];                   \
                for (size_t l = 0; l < L; l++) v[l] = to[l] | (uint32_t)in[l] << 16;               \
                for (size_t l = 0; l < L; l++) to[l] = v[l];                                       \
            }                                                                                      \
    }                                                                                              \
    static TARGET void FN(narrow##W)(const S *in, const cop_sign_plane *p, uint32_t *out) {        \
        for (size_t r = 0; r < p->rows; r++)                                                       \
            for (size_t c = 0; c < p->cols; c++, in += L) {                                        \
                uint32_t *to = out + r * p->row + c * p->col, v[COP_SIGN_LANES];                   \
                for (size_t l = 0; l < L; l++) v[l] = (uint32_t)in[l];                             \
                for (size_t l = 0; l < L; l++) to[l] = v[l];                                       \
            }                                                                                      \
    }                                                                                              \
    static TARGET void FN(widen##W)(const S *in, const cop_sign_plane *p, int64_t *out) {          \
        for (size_t r = 0; r < p->rows; r++)                                                       \
            for (size_t c = 0; c < p->cols; c++, in += L) {                                        \
                int64_t *to = out + r * p->row + c * p->col, v[COP_SIGN_LANES];                    \
                for (size_t l = 0; l < L; l++) v[l] = in[l];                                       \
                for (size_t l = 0; l < L; l++) to[l] = v[l];                                       \
            }                                                                                      \
    }                                                                                              \
    static void FN(store##W)(const S *in, cop_sign_store as, const cop_sign_plane *p, void *out) { \
        switch (as) {                                                                              \
        case COP_SIGN_STORE_PAIR_EVEN:                                                             \
            FN(even##W)(in, p, out);                                                               \
            break;                                                                                 \
        case COP_SIGN_STORE_PAIR_ODD:                                                              \
            FN(odd##W)(in, p, out);                                                                \
            break;                                                                                 \
        case COP_SIGN_STORE_32:                                                                    \
            FN(narrow##W)(in, p, out);                                                             \
            break;                                                                                 \
        case COP_SIGN_STORE_64:                                                                    \
            FN(widen##W)(in, p, out);                                                              \
            break;                                                                                 \
        }                                                                                          \
    }
PLANE_FUNCTIONS(int32_t, uint32_t, 32)
PLANE_FUNCTIONS(int64_t, uint64_t, 64)
#undef PLANE_FUNCTIONS

static void FN(bias)(bool wide, const void *sums, size_t step, size_t count, int64_t bias,
                     bool relu, void *out) {
    if (wide)
        FN(bias64)(sums, step, count, bias, relu, out);
    else
        FN(bias32)(sums, step, count, (int32_t)bias, relu, out);
}

static void FN(pool)(bool wide, const void *in, size_t height, size_t width, size_t kernel,
                     size_t stride, void *out) {
    if (wide)
        FN(pool64)(in, height, width, kernel, stride, out);
    else
        FN(pool32)(in, height, width, kernel, stride, out);
}

static void FN(store)(bool wide, const void *in, cop_sign_store as, const cop_sign_plane *place,
                      void *out) {
    if (wide)
        FN(store64)(in, as, place, out);
    else
        FN(store32)(in, as, place, out);
}

#define TABLE(text, is_supported)                                                                  \
    const cop_sign_ops PASTE(cop_sign_ops_, VARIANT) = {                                           \
        text, is_supported, FN(choose), FN(sum), FN(bias), FN(pool), FN(store), &FN(cell_ops)};

#include "la/cell_template.h"
