/* The training kernels, once for all instruction sets. The including file defines
 *   VARIANT        suffix of the functions and of the table
 *   TARGET         function attribute that enables the instructions
 *   VEC, PARTS     vector type; PARTS of them hold one vector of 16 floats
 *   SET1(f) LOAD(p) STORE(p,v)
 *   FMA(x,w,a)     x*w + a, rounded once
 *   JOIN(v)        the sum over the 16 places of VEC v[PARTS], in the order of train.h
 *   WIDEST         vectors of samples that a register tile holds
 *   TURN16, PHILOX16, KEEP16  optional: what turn() and drop() do with 16 places at a time
 *   JOIN16(v,to)   optional: the same of v[16], the sum of v[4(i mod 4) + i/4] to to[i]
 *
 * Cost per live edge and vector of 16 samples: back() one fused multiply-add with one operand in
 * memory, as the forward product; slope() the same, the gradient of the output staying in
 * registers, and 4 to 5 instructions an edge for joining the places (AVX-512). What is not
 * intrinsics is vectorised by the compiler, element by element, so its bits do not depend on the
 * width. */
#include "la/list.h"
#include "la/train.h"

#include <math.h>
#include <string.h>

#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)
#define FN(name) PASTE(train_##name##_, VARIANT)
#define INLINE static inline TARGET __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 128")
#endif
#define L COP_SPARSE_LANES
#define PER ((size_t)L / PARTS)
#define EACH(count) UNROLL for (size_t v = 0; v < (count)*PARTS; v++)

INLINE float FN(tree)(const float *restrict p) {
    float t[8];
    for (size_t i = 0; i < 8; i++) t[i] = p[i] + p[i + 8];
    for (size_t i = 0; i < 4; i++) t[i] += t[i + 4];
    return (t[0] + t[2]) + (t[1] + t[3]);
}

/* ------------------------------------------------------------------ the way back */

INLINE void FN(back_tile)(size_t inputs, const uint32_t *begin, const cop_sparse_way *way,
                          const cop_sparse_edge *edge, size_t vectors, const float *gradient,
                          float *to, size_t C) {
    for (size_t i = 0; i < inputs; i++) {
        VEC acc[WIDEST * PARTS];
        EACH(C) acc[v] = SET1(0.0f);
        for (const cop_sparse_way *p = way + begin[i], *end = way + begin[i + 1]; p < end; p++) {
            const float *x = gradient + p->offset;
            const VEC w = SET1(edge[p->edge].weight);
            EACH(C) acc[v] = FMA(LOAD(x + v * PER), w, acc[v]);
        }
        EACH(C) STORE(to + i * vectors * L + v * PER, acc[v]);
    }
}

#define BACK(C)                                                                                    \
    static TARGET __attribute__((noinline)) void FN(back_##C)(                                     \
        size_t inputs, const uint32_t *begin, const cop_sparse_way *way,                           \
        const cop_sparse_edge *edge, size_t vectors, const float *gradient, float *to) {           \
        FN(back_tile)(inputs, begin, way, edge, vectors, gradient, to, C);                         \
    }
BACK(1)
BACK(2)
BACK(3)
BACK(4)
#if WIDEST >= 8
BACK(5)
BACK(6)
BACK(7)
BACK(8)
#endif
#undef BACK

static TARGET void FN(back)(size_t inputs, const uint32_t *begin, const cop_sparse_way *way,
                            const cop_sparse_edge *edge, size_t vectors, const float *gradient,
                            float *to) {
    static void (*const tile[])(size_t, const uint32_t *, const cop_sparse_way *,
                                const cop_sparse_edge *, size_t, const float *, float *) = {
        FN(back_1),
        FN(back_2),
        FN(back_3),
        FN(back_4),
#if WIDEST >= 8
        FN(back_5),
        FN(back_6),
        FN(back_7),
        FN(back_8),
#endif
    };
    for (size_t v = 0; v < vectors; v += WIDEST) {
        const size_t c = vectors - v < WIDEST ? vectors - v : WIDEST;
        tile[c - 1](inputs, begin, way, edge, vectors, gradient + v * L, to + v * L);
    }
}

/* ------------------------------------------------------------------ gradients of edges */

INLINE void FN(dot)(const float *x, const VEC *own, const float *gradient, size_t vectors, size_t C,
                    VEC acc[PARTS]) {
    UNROLL for (size_t k = 0; k < PARTS; k++) acc[k] = SET1(0.0f);
    if (C)
        UNROLL for (size_t c = 0; c < C; c++) UNROLL for (size_t k = 0; k < PARTS; k++) acc[k] =
            FMA(LOAD(x + c * L + k * PER), own[c * PARTS + k], acc[k]);
    else
        for (size_t c = 0; c < vectors; c++)
            UNROLL for (size_t k = 0; k < PARTS; k++) acc[k] =
                FMA(LOAD(x + c * L + k * PER), LOAD(gradient + c * L + k * PER), acc[k]);
}

/* The slopes of n <= 16 edges of an output: of the places that @p edge names, or, NULL, of those
 * @p step floats apart. @p own: C vectors of the output's gradient, in registers; C = 0: any
 * number, from memory at @p row. */
INLINE void FN(slopes)(const float *x, const cop_sparse_edge *edge, size_t step, size_t n,
                       const VEC *own, const float *row, size_t vectors, size_t C, float *to) {
#define PLACE(e) (x + (edge ? (size_t)edge[e].offset : (e)*step))
#ifdef JOIN16
    VEC acc[16];
    if (n == L) {
        UNROLL for (size_t i = 0; i < 16; i++)
            FN(dot)(PLACE(i % 4 * 4 + i / 4), own, row, vectors, C, acc + i);
        JOIN16(acc, to);
        return;
    }
    float sums[16]; /* what is missing is 0 and not kept */
    UNROLL for (size_t i = 0; i < 16; i++) {
        const size_t e = i % 4 * 4 + i / 4;
        if (e < n)
            FN(dot)(PLACE(e), own, row, vectors, C, acc + i);
        else
            acc[i] = SET1(0.0f);
    }
    JOIN16(acc, sums);
    memcpy(to, sums, n * sizeof *to);
#else
    for (size_t e = 0; e < n; e++) {
        VEC acc[PARTS];
        FN(dot)(PLACE(e), own, row, vectors, C, acc);
        to[e] = JOIN(acc);
    }
#endif
#undef PLACE
}

INLINE void FN(slope_tile)(size_t outputs, const uint32_t *begin, const cop_sparse_edge *edge,
                           size_t vectors, const float *x, const float *gradient, float *slope,
                           size_t C) {
    for (size_t o = 0; o < outputs; o++) {
        const float *row = gradient + o * vectors * L;
        VEC own[(WIDEST ? WIDEST : 1) * PARTS];
        EACH(C) own[v] = LOAD(row + v * PER);
        for (size_t k = begin[o], end = begin[o + 1]; k < end; k += L)
            FN(slopes)(x, edge + k, 0, end - k < L ? end - k : L, own, row, vectors, C, slope + k);
    }
}

#define SLOPE(C)                                                                                   \
    static TARGET __attribute__((noinline)) void FN(slope_##C)(                                    \
        size_t outputs, const uint32_t *begin, const cop_sparse_edge *edge, size_t vectors,        \
        const float *x, const float *gradient, float *slope) {                                     \
        FN(slope_tile)(outputs, begin, edge, vectors, x, gradient, slope, C);                      \
    }
SLOPE(0)
SLOPE(1)
SLOPE(2)
SLOPE(3)
SLOPE(4)
#if WIDEST >= 8
SLOPE(5)
SLOPE(6)
SLOPE(7)
SLOPE(8)
#endif
#undef SLOPE

static TARGET void FN(slope)(size_t outputs, const uint32_t *begin, const cop_sparse_edge *edge,
                             size_t vectors, const float *x, const float *gradient, float *slope) {
    static void (*const tile[])(size_t, const uint32_t *, const cop_sparse_edge *, size_t,
                                const float *, const float *, float *) = {
        FN(slope_0),
        FN(slope_1),
        FN(slope_2),
        FN(slope_3),
        FN(slope_4),
#if WIDEST >= 8
        FN(slope_5),
        FN(slope_6),
        FN(slope_7),
        FN(slope_8),
#endif
    };
    tile[vectors <= WIDEST ? vectors : 0](outputs, begin, edge, vectors, x, gradient, slope);
}

#include "la/full_slope_template.h"

/* ------------------------------------------------------------------ between layers */

static TARGET void FN(sums)(size_t units, size_t vectors, const float *restrict x,
                            float *restrict sums) {
    for (size_t u = 0; u < units; u++) {
        float place[L] = {0};
        for (size_t v = 0; v < vectors; v++, x += L)
            for (size_t l = 0; l < L; l++) place[l] += x[l];
        sums[u] = FN(tree)(place);
    }
}

static TARGET void FN(srelu)(size_t units, size_t vectors, const cop_srelu *p,
                             const float *restrict z, float *restrict a) {
    const size_t s = vectors * L;
    for (size_t u = 0; u < units; u++, z += s, a += s) {
        const float tl = p->tl[u], al = p->al[u], top = tl + fabsf(p->tr[u]), ar = p->ar[u];
        for (size_t i = 0; i < s; i++) {
            const float low = tl + al * (z[i] - tl), high = top + ar * (z[i] - top);
            const float y = z[i] >= top ? high : z[i];
            a[i] = z[i] <= tl ? low : y;
        }
    }
}

static TARGET void FN(srelu_back)(size_t units, size_t vectors, const cop_srelu *p,
                                  const float *restrict z, float *restrict gradient,
                                  const cop_srelu *slope) {
    for (size_t u = 0; u < units; u++) {
        const float tl = p->tl[u], al = p->al[u], top = tl + fabsf(p->tr[u]), ar = p->ar[u];
        float left[L] = {0}, left_x[L] = {0}, right[L] = {0}, right_x[L] = {0};
        for (size_t v = 0; v < vectors; v++, z += L, gradient += L)
            for (size_t l = 0; l < L; l++) {
                const float x = z[l], d = gradient[l];
                const float below = x <= tl ? d : 0.0f;
                const float above = x <= tl ? 0.0f : x >= top ? d : 0.0f;
                left[l] += below;
                left_x[l] += below * (x - tl);
                right[l] += above;
                right_x[l] += above * (x - top);
                gradient[l] = d * (x <= tl ? al : x >= top ? ar : 1.0f);
            }
        const float low = FN(tree)(left), high = FN(tree)(right);
        slope->al[u] = FN(tree)(left_x);
        slope->ar[u] = FN(tree)(right_x);
        slope->tl[u] = (1.0f - al) * low + (1.0f - ar) * high;
        slope->tr[u] = (1.0f - ar) * high * (p->tr[u] < 0.0f ? -1.0f : 1.0f);
    }
}

static TARGET void FN(leaky)(size_t count, float slope, const float *restrict z,
                             float *restrict a) {
    for (size_t i = 0; i < count; i++) a[i] = z[i] > 0.0f ? z[i] : slope * z[i];
}

static TARGET void FN(leaky_back)(size_t count, float slope, const float *restrict z,
                                  float *restrict gradient) {
    for (size_t i = 0; i < count; i++) gradient[i] *= z[i] > 0.0f ? 1.0f : slope;
}

/* Philox4x32-10 (Salmon et al. 2011) for sixteen counters side by side. A block of 128 values takes
 * the numbers of counters 16 b to 16 b + 15: place l of its vectors 2 w and 2 w + 1 the low and the
 * high half of word w of counter 16 b + l. */
#ifndef PHILOX16
#define ROUND(k)                                                                                   \
    {                                                                                              \
        const uint64_t a = (uint64_t)0xD2511F53u * x0, b = (uint64_t)0xCD9E8D57u * x2;             \
        x0 = (uint32_t)(b >> 32) ^ x1 ^ (k0 + (k)*0x9E3779B9u);                                    \
        x2 = (uint32_t)(a >> 32) ^ x3 ^ (k1 + (k)*0xBB67AE85u);                                    \
        x1 = (uint32_t)b;                                                                          \
        x3 = (uint32_t)a;                                                                          \
    }
INLINE void FN(philox)(uint64_t key, uint32_t block, uint32_t batch, uint32_t layer,
                       uint32_t (*restrict word)[L]) {
    const uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (uint32_t l = 0; l < L; l++) {
        uint32_t x0 = 16 * block + l, x1 = COP_FOR_DROPOUT, x2 = layer, x3 = batch;
        ROUND(0u)
        ROUND(1u)
        ROUND(2u)
        ROUND(3u) ROUND(4u) ROUND(5u) ROUND(6u) ROUND(7u) ROUND(8u) ROUND(9u) word[0][l] = x0;
        word[1][l] = x1;
        word[2][l] = x2;
        word[3][l] = x3;
    }
}
#undef ROUND
#endif

static TARGET void FN(drop)(size_t count, double rate, uint64_t key, uint32_t batch, uint32_t layer,
                            float *restrict a, float *restrict kept) {
    const float scale = (float)(1.0 / (1.0 - rate));
    const uint32_t limit = (uint32_t)(rate * 65536.0);
    for (size_t i = 0; i < count; i += 8 * L) {
        uint32_t word[4][L];
#ifdef PHILOX16
        PHILOX16(key, (uint32_t)(i / (8 * L)), batch, layer, word);
#else
        FN(philox)(key, (uint32_t)(i / (8 * L)), batch, layer, word);
#endif
        for (size_t v = 0; v < 8 && i + v * L < count; v++) {
            const uint32_t *restrict w = word[v / 2];
            const int shift = v % 2 ? 16 : 0;
            float *restrict to = a + i + v * L, *restrict factor = kept + i + v * L;
#ifdef KEEP16
            KEEP16(w, shift, limit, scale, to, factor);
#else
            for (size_t l = 0; l < L; l++)
                factor[l] = scale * (float)(int32_t)(((w[l] >> shift) & 0xffffu) >= limit);
            for (size_t l = 0; l < L; l++) to[l] *= factor[l];
#endif
        }
    }
}

static TARGET void FN(drop_back)(size_t count, const float *restrict kept,
                                 float *restrict gradient) {
    for (size_t i = 0; i < count; i++) gradient[i] *= kept[i];
}

/* ------------------------------------------------------------------ steps */

/* What is remembered falls to 0 before it reaches the slow denormal numbers. */
#define FORGET(x) (fabsf(x) < 1e-30f ? 0.0f : (x))

INLINE void FN(descend)(const cop_step *how, size_t count, size_t stride, float *restrict w,
                        const float *restrict g, float *restrict m) {
    const float rate = how->rate, momentum = how->momentum, l2 = how->l2, shrink = how->shrink;
    for (size_t i = 0; i < count; i++) {
        const float old = w[i * stride];
        const float next = momentum * m[i] - rate * (g[i] + l2 * old);
        m[i] = FORGET(next);
        w[i * stride] = (old + m[i]) - shrink * old;
    }
}

INLINE void FN(adam)(const cop_step *how, size_t count, size_t stride, float *restrict w,
                     const float *restrict g, float *restrict m, float *restrict v) {
    const float rate = how->rate, l2 = how->l2, shrink = how->shrink, epsilon = how->epsilon;
    const float b1 = how->beta1, b2 = how->beta2, c1 = how->correct1, c2 = how->correct2;
    for (size_t i = 0; i < count; i++) {
        const float old = w[i * stride], slope = g[i] + l2 * old;
        const float mean = b1 * m[i] + (1.0f - b1) * slope;
        const float square = b2 * v[i] + (1.0f - b2) * (slope * slope);
        m[i] = FORGET(mean);
        v[i] = FORGET(square);
        w[i * stride] = (old - rate * (m[i] * c1) / (sqrtf(v[i] * c2) + epsilon)) - shrink * old;
    }
}

static TARGET void FN(step)(const cop_step *how, size_t count, size_t stride, float *w,
                            const float *g, float *m, float *v) {
    if (how->adam && stride == 1)
        FN(adam)(how, count, 1, w, g, m, v);
    else if (how->adam)
        FN(adam)(how, count, stride, w, g, m, v);
    else if (stride == 1)
        FN(descend)(how, count, 1, w, g, m);
    else if (stride == 2)
        FN(descend)(how, count, 2, w, g, m);
    else
        FN(descend)(how, count, stride, w, g, m);
}

/* ------------------------------------------------------------------ samples */

static TARGET void FN(turn)(size_t features, size_t n, size_t vectors, const float *const *rows,
                            float *restrict to) {
    const size_t s = vectors * L;
    for (size_t v = 0; v < s; v += L) {
        const size_t count = n <= v ? 0 : n - v < L ? n - v : L;
        for (size_t f = 0; f < features; f += L) {
            const size_t width = features - f < L ? features - f : L;
            float block[L][L] = {{0}};
            for (size_t i = 0; i < count; i++)
                memcpy(block[i], rows[v + i] + f, width * sizeof(float));
#ifdef TURN16
            if (width == L) {
                TURN16(block, to + f * s + v, s);
                continue;
            }
#endif
            for (size_t j = 0; j < width; j++)
                for (size_t i = 0; i < L; i++) to[(f + j) * s + v + i] = block[i][j];
        }
    }
}

#define TRAIN_TABLE(text, is_supported)                                                            \
    extern const cop_sparse_ops PASTE(cop_sparse_ops_, VARIANT);                                   \
    extern const cop_train_ops PASTE(cop_train_ops_, VARIANT);                                     \
    const cop_train_ops PASTE(cop_train_ops_, VARIANT) = {                                         \
        text,          is_supported,   &PASTE(cop_sparse_ops_, VARIANT),                           \
        FN(back),      FN(slope),      FN(full_slope),                                             \
        FN(sums),      FN(srelu),      FN(srelu_back),                                             \
        FN(leaky),     FN(leaky_back), FN(drop),                                                   \
        FN(drop_back), FN(step),       FN(turn)};
