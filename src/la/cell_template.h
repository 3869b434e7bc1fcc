/* Kernels for cells (see la.h), once for all instruction sets. Besides what sign_template.h takes,
 * the including file defines
 *   HALF           vector type; LANES 16-bit lanes of it, LANES / 2 32-bit ones
 *   H_ZERO H_LOAD(p) H_STORE(p,v) H_SET16(i) H_SET32(i)
 *   H_ADD16 H_SUB16 H_MAX16 H_ADD32 H_SUB32 H_MAX32
 *   H_SLL32(a,n) H_SRL32(a,n) H_SRA32(a,n) H_AND H_OR
 *   H_EVEN(a,x) H_ODD(a,x)   32-bit a + sign-extended even / odd 16-bit lanes of x
 *   H_DOT(a,x,s)             32-bit a + lo(x)*lo(s) + hi(x)*hi(s)
 *   H_POSITIVE(v)            bit i: 32-bit lane i is above 0
 *   H_WITH_BIT(v,n)          bit i: 32-bit lane i has bit n
 *   EVENT_VECS               vectors of outputs under 3 values that fit the registers
 *   WINO_OUTPUTS             outputs whose two vectors fit them
 *
 * All sums wrap; la.h says what the caller has proved. */
#include "coppice/la.h"

#include <string.h>

#define CELL_INLINE static inline TARGET __attribute__((always_inline))

/* Largest position, bias, ReLU and what the next layer wants to know, for one output. */
CELL_INLINE void FN(cell_result)(const cop_cell_job *j, size_t o, HALF even, HALF odd,
                                 HALF *total) {
    const HALF best[2] = {even, odd}, zero = H_ZERO;
    const size_t words = LANES / 2;
    uint32_t live = 0;
    for (size_t v = 0; v < j->values; v++) {
        const HALF bias = H_SET32((uint32_t)j->bias[v * j->outputs + o]);
        UNROLL for (size_t h = 0; h < 2; h++) {
            HALF r = H_ADD32(best[h], bias);
            if (j->relu) r = H_MAX32(r, zero);
            if (j->live) {
                live |= (uint32_t)H_POSITIVE(r) << (h * words);
                total[v * 2 + h] = H_ADD32(total[v * 2 + h], r);
                r = H_OR(H_AND(H_SLL32(r, 8), H_SET32(0xffff0000u)), H_AND(r, H_SET32(0xffu)));
            }
            H_STORE(j->out + v * j->out_value + o * j->out_channel + h * j->out_half, r);
        }
    }
    if (j->live) j->live[o] = j->join ? j->live[o] | live : live;
}

/* One output of a node: sums in registers. Q positions and WHOLE are constants at every call.
 *
 * Cost for LANES columns: an entry of a chunk, and one of a difference, Q additions with a memory
 * operand; four of those that are summed in 32 bits, 4*Q loads or additions and 2*Q dot products; a
 * pair, 2*Q dot products with a memory operand. The bound is 64-byte loads from the first-level
 * cache, one or two a cycle by processor. With one, a generation of the CNN reaches 0.7 of it
 * (docs/evaluation.md); the rest are misses to the second level and the branch at a list's end. */
CELL_INLINE const uint32_t *FN(cell_output)(const cop_cell_job *j, const uint32_t *p, size_t o,
                                            HALF *total, size_t Q, bool WHOLE) {
    const size_t y = j->row * LANES, words = LANES / 2,
                 block = Q * LANES; /* of one output's sums */
    HALF wide[4][2], sum[4];
    const HALF zero = H_ZERO;
    if (WHOLE && j->dead && j->dead[o]) {
        for (size_t h = 0; h < 2; h++) H_STORE(j->out + o * j->out_channel + h * j->out_half, zero);
        return p + 2 + p[0] + p[1];
    }
    const int32_t *from = WHOLE ? j->shared : j->from;
    UNROLL for (size_t q = 0; q < Q; q++) {
        const size_t at = o * block + q * LANES;
        wide[q][0] = from ? H_LOAD(from + at) : zero;
        wide[q][1] = from ? H_LOAD(from + at + words) : zero;
        sum[q] = WHOLE && j->from16 ? H_LOAD(j->from16 + at) : zero;
    }
#define EACH(OP)                                                                                   \
    {                                                                                              \
        const int16_t *a = j->planes + (int32_t)*p++, *b = a + y;                                  \
        sum[0] = OP(sum[0], H_LOAD(a));                                                            \
        if (Q == 4) {                                                                              \
            sum[1] = OP(sum[1], H_LOAD(a + LANES));                                                \
            sum[2] = OP(sum[2], H_LOAD(b));                                                        \
            sum[3] = OP(sum[3], H_LOAD(b + LANES));                                                \
        }                                                                                          \
    }
#define TAKE(q, even, odd, s, t)                                                                   \
    wide[q][0] = H_DOT(wide[q][0], even, s);                                                       \
    wide[q][1] = H_DOT(wide[q][1], odd, t);
    if (WHOLE) {
        uint32_t plus = p[0], minus = p[1];
        p += 2;
        for (; plus; plus--) EACH(H_ADD16)
        for (; minus; minus--) EACH(H_SUB16)
    } else {
        for (uint32_t n = *p++; n; n--, p += 2) {
            const int16_t *a = j->planes + (int32_t)p[0], *b = a + y;
            const size_t odd = j->pair_half;
            const HALF s = H_SET32(p[1]);
            TAKE(0, H_LOAD(a), H_LOAD(a + odd), s, s)
            if (Q == 4) {
                TAKE(1, H_LOAD(a + LANES), H_LOAD(a + odd + LANES), s, s)
                TAKE(2, H_LOAD(b), H_LOAD(b + odd), s, s)
                TAKE(3, H_LOAD(b + LANES), H_LOAD(b + odd + LANES), s, s)
            }
        }
        for (uint32_t n = *p++; n; n--, p += 5) {
            const int16_t *a = j->planes + (int32_t)p[0], *b = j->planes + (int32_t)p[1];
            const int16_t *c = j->planes + (int32_t)p[2], *d = j->planes + (int32_t)p[3];
            const HALF s = H_SET32(p[4] & 0xffffu), t = H_SLL32(s, 16);
#define FOUR(k)                                                                                    \
    H_ADD16(H_ADD16(H_ADD16(H_LOAD(a + k), H_LOAD(b + k)), H_LOAD(c + k)), H_LOAD(d + k))
            HALF x = FOUR(0);
            TAKE(0, x, x, s, t)
            if (Q == 4) {
                x = FOUR(LANES);
                TAKE(1, x, x, s, t)
                a += y;
                b += y;
                c += y;
                d += y;
                x = FOUR(0);
                TAKE(2, x, x, s, t)
                x = FOUR(LANES);
                TAKE(3, x, x, s, t)
            }
#undef FOUR
        }
        for (uint32_t chunks = *p++; chunks; chunks--) {
            uint32_t plus = p[0], minus = p[1];
            p += 2;
            for (; plus; plus--) EACH(H_ADD16)
            for (; minus; minus--) EACH(H_SUB16)
            UNROLL for (size_t q = 0; q < Q; q++) {
                wide[q][0] = H_EVEN(wide[q][0], sum[q]);
                wide[q][1] = H_ODD(wide[q][1], sum[q]);
                sum[q] = zero;
            }
        }
    }
#undef TAKE
#undef EACH
    HALF best[2] = {zero, zero};
    UNROLL for (size_t q = 0; q < Q; q++) {
        const size_t at = o * block + q * LANES;
        HALF even = wide[q][0], odd = wide[q][1];
        if (WHOLE) {
            if (j->keep16) H_STORE(j->keep16 + at, sum[q]);
            even = H_EVEN(even, sum[q]);
            odd = H_ODD(odd, sum[q]);
        } else if (j->keep) {
            H_STORE(j->keep + at, even);
            H_STORE(j->keep + at + words, odd);
        }
        best[0] = q ? H_MAX32(best[0], even) : even;
        best[1] = q ? H_MAX32(best[1], odd) : odd;
    }
    if (j->out) FN(cell_result)(j, o, best[0], best[1], total);
    if (!WHOLE && j->dead) {
        const HALF most = H_ADD32(H_MAX32(best[0], best[1]), H_SET32((uint32_t)j->most[o]));
        j->dead[o] = !H_POSITIVE(most);
    }
    return p;
}

static TARGET void FN(cell_totals)(const cop_cell_job *j, const HALF *total) {
    for (size_t i = 0; j->live && i < 2 * j->values; i++)
        H_STORE(j->total + i * (LANES / 2), total[i]);
}

CELL_INLINE void FN(cell_all)(const cop_cell_job *j, size_t Q, bool WHOLE) {
    HALF total[2 * COP_CELL_VALUES];
    for (size_t i = 0; i < 2 * j->values; i++) total[i] = H_ZERO;
    const uint32_t *p = j->program;
    for (size_t o = 0; o < j->outputs; o++) p = FN(cell_output)(j, p, o, total, Q, WHOLE);
    FN(cell_totals)(j, total);
}
#define CELL_INSTANCE(Q, WHOLE)                                                                    \
    static TARGET __attribute__((noinline)) void FN(cell_##Q##_##WHOLE)(const cop_cell_job *j) {   \
        FN(cell_all)(j, Q, WHOLE);                                                                 \
    }
CELL_INSTANCE(1, 0)
CELL_INSTANCE(1, 1)
CELL_INSTANCE(4, 0)
CELL_INSTANCE(4, 1)
#undef CELL_INSTANCE

static void FN(cell_node)(const cop_cell_job *j) {
    static void (*const all[2][2])(const cop_cell_job *) = {{FN(cell_1_0), FN(cell_1_1)},
                                                            {FN(cell_4_0), FN(cell_4_1)}};
    all[j->positions == 4][j->shared != NULL](j);
}

/* Sums of one value minus those of another, as 16-bit numbers. */
static TARGET void FN(cell_difference)(const int32_t *a, const int32_t *b, int16_t *out, size_t n) {
    const HALF low = H_SET32(0xffffu);
    const size_t words = LANES / 2;
    for (size_t i = 0; i < n; i += LANES) {
        HALF even = H_SUB32(H_LOAD(a + i), H_LOAD(b + i));
        HALF odd = H_SUB32(H_LOAD(a + i + words), H_LOAD(b + i + words));
        H_STORE(out + i, H_OR(H_AND(even, low), H_SLL32(odd, 16)));
    }
}

/* ---- Winograd's F(2x2, 3x3) in integers: 16 products instead of 36 per 2 x 2 outputs.
 *
 * With B, G, A the transforms for the points 0, 1, -1, infinity and G' = G with its halves doubled,
 *   4 Y = A' ((G' g G'^T) * (B^T d B)) A'^T,  A' = A with its first and last column doubled,
 * in integers throughout. B^T d B of numbers 0..h lies in [-2h, 2h] but for the one element that is
 * a sum of four, in [0, 4h]: that one is stored less 32768, and the products with it are given
 * back by the constant term. So h <= 16383 suffices for 16 bits. */
CELL_INLINE void FN(wino_input)(const int16_t *d, int16_t *v, size_t step) {
    HALF t[4][4];
    UNROLL for (size_t x = 0; x < 4; x++) { /* columns */
        const HALF a = H_LOAD(d + x * LANES), b = H_LOAD(d + (4 + x) * LANES),
                   c = H_LOAD(d + (8 + x) * LANES), e = H_LOAD(d + (12 + x) * LANES);
        t[0][x] = H_SUB16(a, c);
        t[1][x] = H_ADD16(b, c);
        t[2][x] = H_SUB16(c, b);
        t[3][x] = H_SUB16(b, e);
    }
    UNROLL for (size_t y = 0; y < 4; y++) {
        HALF sum = H_ADD16(t[y][1], t[y][2]);
        if (y == 1) sum = H_SUB16(sum, H_SET16((short)-32768));
        H_STORE(v + (4 * y + 0) * step, H_SUB16(t[y][0], t[y][2]));
        H_STORE(v + (4 * y + 1) * step, sum);
        H_STORE(v + (4 * y + 2) * step, H_SUB16(t[y][2], t[y][1]));
        H_STORE(v + (4 * y + 3) * step, H_SUB16(t[y][1], t[y][3]));
    }
}

#define TWICE(a) H_ADD32((a), (a))
CELL_INLINE void FN(wino_output)(const int32_t *m, size_t step, HALF constant, HALF *y) {
    HALF t[4][2];
    UNROLL for (size_t i = 0; i < 4; i++) {
        const HALF a = H_LOAD(m + (4 * i) * step), c = H_LOAD(m + (4 * i + 2) * step),
                   e = H_LOAD(m + (4 * i + 3) * step);
        HALF b = H_LOAD(m + (4 * i + 1) * step);
        if (i == 1) b = H_ADD32(b, constant);
        t[i][0] = H_ADD32(H_ADD32(TWICE(a), b), c);
        t[i][1] = H_SUB32(H_SUB32(b, c), TWICE(e));
    }
    UNROLL for (size_t k = 0; k < 2; k++) {
        y[k] = H_SRA32(H_ADD32(H_ADD32(TWICE(t[0][k]), t[1][k]), t[2][k]), 2);
        y[2 + k] = H_SRA32(H_SUB32(H_SUB32(t[1][k], t[2][k]), TWICE(t[3][k])), 2);
    }
}
#undef TWICE

/* Cost for 32 columns and each of 16 products: per pair of channels WINO_OUTPUTS broadcasts and two
 * loads serve 2*WINO_OUTPUTS dot products, which are the bound: 0.77 of it is reached with
 * AVX-512, the rest are the transforms and what the registers spill. */
static TARGET __attribute__((noinline)) void FN(cell_winograd)(const cop_cell_job *j) {
    const size_t pairs = j->pairs, half = pairs * LANES, step = 2 * half;
    const size_t words = LANES / 2, block = 4 * LANES;
    HALF total[2 * COP_CELL_VALUES];
    for (size_t i = 0; i < 2 * j->values; i++) total[i] = H_ZERO;
    /* (product, even or odd lanes, pair) */
    for (size_t c = 0; c < pairs; c++)
        for (size_t h = 0; h < 2; h++) FN(wino_input)
    (j->planes + c * j->plane + h * j->pair_half, j->work + h * half + c * LANES, step);
    const uint32_t *weight = j->program;
    for (size_t first = 0; first < j->outputs; first += WINO_OUTPUTS) {
        HALF product[16 * WINO_OUTPUTS * 2];
        for (size_t f = 0; f < 16; f++) {
            const int16_t *even = j->work + f * step, *odd = even + half;
            HALF acc[WINO_OUTPUTS][2];
            UNROLL for (size_t o = 0; o < WINO_OUTPUTS; o++) acc[o][0] = acc[o][1] = H_ZERO;
            for (size_t c = 0; c < pairs;
                 c++, even += LANES, odd += LANES, weight += WINO_OUTPUTS) {
                const HALF a = H_LOAD(even), b = H_LOAD(odd);
                UNROLL for (size_t o = 0; o < WINO_OUTPUTS; o++) {
                    const HALF w = H_SET32(weight[o]);
                    acc[o][0] = H_DOT(acc[o][0], a, w);
                    acc[o][1] = H_DOT(acc[o][1], b, w);
                }
            }
            UNROLL for (size_t o = 0; o < WINO_OUTPUTS; o++) UNROLL for (size_t h = 0; h < 2; h++)
                product[(o * 2 + h) * 16 + f] = acc[o][h];
        }
        for (size_t o = first; o < first + WINO_OUTPUTS && o < j->outputs; o++) {
            const HALF constant = H_SET32((uint32_t)j->constant[o]);
            HALF best[2], y[4];
            UNROLL for (size_t h = 0; h < 2; h++) {
                const int32_t *m =
                    (const int32_t *)(const void *)&product[((o - first) * 2 + h) * 16];
                FN(wino_output)(m, words, constant, y);
                for (size_t q = 0; q < 4 && j->keep; q++)
                    H_STORE(j->keep + o * block + q * LANES + h * words, y[q]);
                best[h] = H_MAX32(H_MAX32(y[0], y[1]), H_MAX32(y[2], y[3]));
            }
            if (j->out) FN(cell_result)(j, o, best[0], best[1], total);
        }
    }
    FN(cell_totals)(j, total);
}

static TARGET void FN(cell_plane)(const cop_cell_channel *c, const int16_t *x, int16_t *out,
                                  size_t plane) {
    const HALF zero = H_ZERO;
    for (size_t r = 0; r < c->rows; r++)
        for (size_t k = 0; k < c->cols; k++, out += LANES) {
            const int16_t *at = x + (r * c->row + k * c->col) * LANES;
            const int32_t *tap = c->tap;
            HALF sum = zero;
            for (size_t i = 0; i < c->plus; i++, tap++)
                sum = H_ADD16(sum, H_LOAD(at + *tap * LANES));
            for (size_t i = 0; i < c->minus; i++, tap++)
                sum = H_SUB16(sum, H_LOAD(at + *tap * LANES));
            HALF ref = H_ADD16(sum, H_SET16(c->bias[0]));
            if (c->relu) ref = H_MAX16(ref, zero);
            H_STORE(out, ref);
            for (size_t v = 1; v < c->values; v++) {
                HALF a = H_ADD16(sum, H_SET16(c->bias[v]));
                if (c->relu) a = H_MAX16(a, zero);
                H_STORE(out + v * plane, H_SUB16(a, ref));
            }
        }
}

static TARGET void FN(cell_add)(const int16_t *a, const int16_t *b, int16_t *out, size_t n) {
    for (size_t i = 0; i < n; i += LANES) H_STORE(out + i, H_ADD16(H_LOAD(a + i), H_LOAD(b + i)));
}
static TARGET void FN(cell_subtract)(const int16_t *a, const int16_t *b, int16_t *out, size_t n) {
    for (size_t i = 0; i < n; i += LANES) H_STORE(out + i, H_SUB16(H_LOAD(a + i), H_LOAD(b + i)));
}
static TARGET int16_t FN(cell_most)(const int16_t *a, size_t n) {
    int16_t lane[LANES] __attribute__((aligned(64))), top = 0;
    HALF most = H_ZERO;
    for (size_t i = 0; i < n; i += LANES) most = H_MAX16(most, H_LOAD(a + i));
    H_STORE(lane, most);
    for (size_t i = 0; i < LANES; i++) top = lane[i] > top ? lane[i] : top;
    return top;
}
static TARGET void FN(cell_pair)(const int16_t *a, const int16_t *b, int16_t *even, int16_t *odd,
                                 size_t n) {
    const HALF low = H_SET32(0xffffu), high = H_SET32(0xffff0000u);
    for (size_t i = 0; i < n; i += LANES) {
        HALF u = H_LOAD(a + i), w = b ? H_LOAD(b + i) : H_ZERO;
        H_STORE(even + i, H_OR(H_AND(u, low), H_SLL32(w, 16)));
        H_STORE(odd + i, H_OR(H_SRL32(u, 16), H_AND(w, high)));
    }
}

#include "la/cell_behind.h"
#include "la/cell_flat.h"

static const cop_cell_ops FN(cell_ops) = {LANES,
                                          WINO_OUTPUTS,
                                          FN(cell_plane),
                                          FN(cell_add),
                                          FN(cell_subtract),
                                          FN(cell_most),
                                          FN(cell_pair),
                                          FN(cell_node),
                                          FN(cell_vectors),
                                          FN(cell_winograd),
                                          FN(cell_difference),
                                          FN(cell_expand),
                                          FN(cell_events),
                                          FN(cell_grid),
                                          FN(cell_extent)};
