/* The sparse float kernels, once for all instruction sets. The including file defines
 *   VARIANT        suffix of the functions and of the table
 *   TARGET         function attribute that enables the instructions
 *   VEC, PARTS     vector type; PARTS of them hold one vector of 16 floats
 *   SET1(f) LOAD(p) STORE(p,v)
 *   FMA(x,w,a)     x*w + a, rounded once
 *   RELU(v)        v < 0 ? 0 : v, in every lane; NaN stays
 *   ADD(a,b)       a + b
 *   LARGER(v,b)    v > b or v is NaN ? v : b, in every lane
 *   TILES(X)       X(outputs, rows, cols): register tiles, ending with X(1, 1, 1)
 *
 * Exactness: an output is its bias, then one fused multiply-add per live edge in the order of the
 * list. Every variant, tile and cut does these and no others, so all give the same bits (of a NaN
 * only that it is one).
 *
 * Cost per live edge and vector of 16 samples: one fused multiply-add whose operand is a vector in
 * memory, so 16 multiply-adds; per live edge and tile also one 4-byte load of the offset and one
 * broadcast of the weight. Bytes: 8 per live edge and tile, 64 per live edge and vector. The bound
 * is therefore vector loads: with two per cycle, V vectors side by side take (V + 1) / 2 cycles an
 * edge, 28 multiply-adds a cycle at V = 8; a tile needs 8 sums under way to hide 4 cycles of
 * latency of two units. Inputs beyond the first-level cache come from the second, at about one line
 * a cycle at best. Measured, AVX-512 on a Zen 5 core, 1000x1000 at 5 %, 128 samples: 0.155 ms,
 * 4.1e10 multiply-adds/s, 54 % of what the same instructions do on data in the first-level cache
 * (`coppice bench sparse` prints both); at 50 %, in blocks of inputs that fit it, 6.0e10 or 80 %.
 * Blocks lose to sums going through memory what they win below some 8 edges per output and block;
 * rows sorted by length and huge pages gained nothing. */
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
enum { FN(L) = COP_SPARSE_LANES, FN(PER) = COP_SPARSE_LANES / PARTS };
#define L FN(L)
#define PER FN(PER)
#define EACH_VECTOR                                                                                \
    UNROLL for (size_t r = 0; r < R; r++) UNROLL for (size_t c = 0; c < C; c++)                    \
        UNROLL for (size_t k = 0; k < PARTS; k++)
#define ACC(o) acc[(((o)*R + r) * C + c) * PARTS + k]

/* All outputs at one tile of positions, block by block, O at a time: their lists go side by side as
 * far as the shortest, then each to its end. O, R, C are constants at every call, so that the
 * accumulators are registers and the loops over them disappear; so are the columns' distances where
 * they are L. */
INLINE void FN(tile)(const cop_sparse_edges *e, const cop_sparse_grid *g, const float *in,
                     size_t in_col, float *out, size_t out_col, size_t O, size_t R, size_t C) {
    for (size_t b = 0; b < e->blocks; b++)
        for (size_t first = 0; first < e->outputs; first += O) {
            const size_t left = e->outputs - first; /* of the last ones there may be less than O */
            const uint32_t *begin = e->begin + b * e->outputs + first;
            const bool relu = g->relu && b + 1 == e->blocks;
            const cop_sparse_edge *p[8], *end[8];
            size_t least = SIZE_MAX;
            VEC acc[24 * PARTS];
            UNROLL for (size_t o = 0; o < O; o++) {
                const bool there = O == 1 || o < left;
                const float *from = out + (first + o) * g->out_plane;
                p[o] = e->edge + begin[there ? o : 0];
                end[o] = there ? e->edge + begin[o + 1] : p[o];
                const size_t n = (size_t)(end[o] - p[o]);
                if (n < least) least = n;
                const VEC start = SET1(e->bias[there ? first + o : first]);
                EACH_VECTOR ACC(o) = start;
                if (b && there)
                    EACH_VECTOR ACC(o) = LOAD(from + r * g->out_row + c * out_col + k * PER);
            }
            for (size_t i = 0; i < least; i++) UNROLL for (size_t o = 0; o < O; o++) {
                    const float *x = in + p[o][i].offset;
                    const VEC w = SET1(p[o][i].weight);
                    EACH_VECTOR ACC(o) =
                        FMA(LOAD(x + r * g->in_row + c * in_col + k * PER), w, ACC(o));
                }
            UNROLL for (size_t o = 0; o < O; o++) {
                if (O > 1)
                    for (const cop_sparse_edge *q = p[o] + least; q < end[o]; q++) {
                        const float *x = in + q->offset;
                        const VEC w = SET1(q->weight);
                        EACH_VECTOR ACC(o) =
                            FMA(LOAD(x + r * g->in_row + c * in_col + k * PER), w, ACC(o));
                    }
                if (O > 1 && o >= left) continue;
                float *to = out + (first + o) * g->out_plane;
                if (relu)
                    EACH_VECTOR STORE(to + r * g->out_row + c * out_col + k * PER, RELU(ACC(o)));
                else
                    EACH_VECTOR STORE(to + r * g->out_row + c * out_col + k * PER, ACC(o));
            }
        }
}

/* Cover the grid with tiles; where they do not divide it the last ones overlap their neighbours and
 * compute the same sums again. A tile runs over all blocks before the next one starts. */
INLINE void FN(cover)(const cop_sparse_edges *e, const cop_sparse_grid *g, const float *in,
                      float *out, size_t O, size_t R, size_t C) {
    for (size_t y = 0; y < g->rows; y += R) {
        const size_t r = y + R > g->rows ? g->rows - R : y;
        for (size_t x = 0; x < g->cols; x += C) {
            const size_t c = x + C > g->cols ? g->cols - C : x;
            const float *from = in + r * g->in_row + c * g->in_col;
            float *to = out + r * g->out_row + c * g->out_col;
            if (g->in_col == L && g->out_col == L)
                FN(tile)(e, g, from, L, to, L, O, R, C);
            else
                FN(tile)(e, g, from, g->in_col, to, g->out_col, O, R, C);
        }
    }
}

#define COVERS(O, R, C)                                                                            \
    static TARGET __attribute__((noinline)) void FN(sum_##O##x##R##x##C)(                          \
        const cop_sparse_edges *e, const cop_sparse_grid *g, const float *in, float *out) {        \
        FN(cover)(e, g, in, out, O, R, C);                                                         \
    }
TILES(COVERS)
#undef COVERS

/* The tile with the least work for a grid. Per edge and tile position it costs its vectors, about
 * one and a half for offset and weight, and never less than the latency that its sums leave open.
 */
static void FN(choose)(size_t outputs, const cop_sparse_grid *g, size_t tile[3]) {
    size_t least = SIZE_MAX;
#define CONSIDER(O, R, C)                                                                          \
    if (O <= outputs && R <= g->rows && C <= g->cols) {                                            \
        const size_t each = 2 * R * C + 3 > 16 / O ? 2 * R * C + 3 : 16 / O;                       \
        const size_t cost = ((g->rows + R - 1) / R) * ((g->cols + C - 1) / C) * each;              \
        if (cost < least) {                                                                        \
            least = cost;                                                                          \
            tile[0] = O;                                                                           \
            tile[1] = R;                                                                           \
            tile[2] = C;                                                                           \
        }                                                                                          \
    }
    TILES(CONSIDER)
#undef CONSIDER
}

static void FN(sum)(const cop_sparse_edges *e, const cop_sparse_grid *g, const float *in,
                    float *out) {
    size_t tile[3] = {1, 1, 1};
    if (!e->outputs || !g->rows || !g->cols) return;
    FN(choose)(e->outputs, g, tile);
#define DISPATCH(O, R, C)                                                                          \
    if (tile[0] == O && tile[1] == R && tile[2] == C) FN(sum_##O##x##R##x##C)(e, g, in, out);
    TILES(DISPATCH)
#undef DISPATCH
}

/* A NaN counts as largest, as in the other evaluators. */
static TARGET void FN(pool)(const cop_sparse_pool *p, const float *in, float *out) {
    for (size_t plane = 0; plane < p->planes; plane++) {
        const float *from = in + plane * p->height * p->width * p->vector;
        float *to = out + plane * p->out_plane;
        for (size_t y = 0; y + p->kernel <= p->height; y += p->stride)
            for (size_t x = 0; x + p->kernel <= p->width; x += p->stride)
                for (size_t s = 0; s < p->vector; s += PER, to += PER) {
                    const float *corner = from + (y * p->width + x) * p->vector + s;
                    VEC best = LOAD(corner);
                    for (size_t i = 0; i < p->kernel; i++)
                        for (size_t j = 0; j < p->kernel; j++) {
                            const VEC v = LOAD(corner + (i * p->width + j) * p->vector);
                            best = LARGER(v, best);
                        }
                    STORE(to, best);
                }
    }
}

#include "la/full_template.h"

#define TABLE(text, is_supported, nonzeros, skip)                                                  \
    const cop_sparse_ops PASTE(cop_sparse_ops_, VARIANT) = {                                       \
        text, is_supported, FN(choose), FN(sum), FN(pool), FN(full), FN(join), nonzeros, skip};
