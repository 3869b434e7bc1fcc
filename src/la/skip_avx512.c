/* Whole rows times samples of which only the inputs that are not zero are looked at; AVX-512.
 *
 * Cost per such input and sixteen outputs: one fused multiply-add with a vector of weights from the
 * first-level cache, so the bound is loads, one such vector a cycle; per input also its place and a
 * broadcast. Rows are turned over, 64 inputs at a time, into vectors of outputs, and sums back into
 * vectors of samples: some 4 instructions for 16 numbers, once a call. Measured on one core of a
 * Zen 4 (3.6e9 multiply-adds of 16 a second from registers, 2.2e9 to 2.5e9 here), 112 samples,
 * lists included, times as fast as cop_sparse_ops.full: 204 x 204 at 36 % not zero 1.5, 204 x
 * 784 1.6, 145 x 145 1.3; from 55 % on there is nothing to win, and little below 64 outputs. */
#include "la/skip.h"

#if defined(__x86_64__)
#include <immintrin.h>

#if defined(__clang__)
#define TARGET __attribute__((target("avx512f")))
#else
#define TARGET __attribute__((target("avx512f,prefer-vector-width=512")))
#endif
#define INLINE static inline TARGET __attribute__((always_inline))

enum { L = COP_SPARSE_LANES, BLOCK = COP_NONZERO_BLOCK, MOST = 6 };

/* Rows become columns. */
INLINE void turn(__m512 r[16]) {
    __m512 t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int h = 0; h < 2; h++) {
            const __m512d a = _mm512_castps_pd(t[i + h]), b = _mm512_castps_pd(t[i + h + 2]);
            r[i + 2 * h] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
            r[i + 2 * h + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
        }
    for (int h = 0; h < 4; h++) {
        t[h] = _mm512_shuffle_f32x4(r[h], r[h + 4], 0x88);
        t[h + 4] = _mm512_shuffle_f32x4(r[h], r[h + 4], 0xdd);
        t[h + 8] = _mm512_shuffle_f32x4(r[h + 8], r[h + 12], 0x88);
        t[h + 12] = _mm512_shuffle_f32x4(r[h + 8], r[h + 12], 0xdd);
    }
    for (int h = 0; h < 8; h++) {
        r[h] = _mm512_shuffle_f32x4(t[h], t[h + 8], 0x88);
        r[h + 8] = _mm512_shuffle_f32x4(t[h], t[h + 8], 0xdd);
    }
}

/* ------------------------------------------------------------------ lists */

TARGET void cop_nonzeros_avx512(const float *x, cop_nonzeros *list) {
    const size_t s = list->vectors * L;
    const __m512i count = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    size_t used = 0, at = 0;
    _Alignas(64) float tile[L * BLOCK]; /* sample by sample */
    for (size_t first = 0; first < list->inputs; first += BLOCK)
        for (size_t v = 0; v < list->vectors; v++) {
            for (size_t part = 0; part < BLOCK; part += L) {
                __m512 row[16];
                for (size_t i = 0; i < 16; i++)
                    row[i] = first + part + i < list->inputs
                                 ? _mm512_load_ps(x + (first + part + i) * s + v * L)
                                 : _mm512_setzero_ps();
                turn(row);
                for (size_t i = 0; i < 16; i++) _mm512_store_ps(tile + i * BLOCK + part, row[i]);
            }
            for (size_t i = 0; i < L; i++) {
                list->begin[at++] = (uint32_t)used;
                for (size_t part = 0; part < BLOCK; part += L) {
                    const __m512 value = _mm512_load_ps(tile + i * BLOCK + part);
                    const __mmask16 there =
                        _mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_NEQ_UQ);
                    const __m512i place = _mm512_add_epi32(count, _mm512_set1_epi32((int)part));
                    _mm512_storeu_si512(list->place + used,
                                        _mm512_maskz_compress_epi32(there, place));
                    _mm512_storeu_ps(list->value + used, _mm512_maskz_compress_ps(there, value));
                    used += (size_t)__builtin_popcount(there);
                }
            }
        }
    list->begin[at] = (uint32_t)used;
}

/* ------------------------------------------------------------------ sums */

/* Inputs [from, from + count) of 16 V rows as (count, 16 V), zeros for rows that are not there.
 * False: some weight is not finite, and would make even a zero count. */
INLINE bool turn_rows(const cop_full *f, size_t first, size_t from, size_t count, float *to,
                      size_t V) {
    const __m512i exponent = _mm512_set1_epi32(0x7f800000);
    __mmask16 bad = 0;
    for (size_t part = 0; part < count; part += L) {
        const size_t left = count - part < L ? count - part : L;
        const __mmask16 there = (__mmask16)((1u << left) - 1);
        for (size_t v = 0; v < V; v++) {
            __m512 row[16];
            for (size_t i = 0; i < 16; i++) {
                const size_t o = first + v * L + i;
                row[i] = o < f->outputs ? _mm512_maskz_loadu_ps(there, f->row[o] + from + part)
                                        : _mm512_setzero_ps();
                bad |= _mm512_cmpeq_epi32_mask(
                    _mm512_and_si512(_mm512_castps_si512(row[i]), exponent), exponent);
            }
            turn(row);
            for (size_t i = 0; i < left; i++)
                _mm512_store_ps(to + (part + i) * V * L + v * L, row[i]);
        }
    }
    return !bad;
}

INLINE void add(float value, const float *w, __m512 *acc, size_t V) {
    const __m512 x = _mm512_set1_ps(value);
    for (size_t v = 0; v < V; v++) acc[v] = _mm512_fmadd_ps(_mm512_load_ps(w + v * L), x, acc[v]);
}

/* A block's part of all sums; two samples at a time, as few sums alone would wait for each other.
 */
INLINE void add_block(const cop_nonzeros *list, const uint32_t *begin, const float *restrict w,
                      float *restrict sum, size_t V) {
    const uint32_t *const restrict place = list->place;
    const float *const restrict value = list->value;
    const size_t samples = list->vectors * L;
    for (size_t s = 0; s < samples; s += 2, sum += 2 * V * L) {
        __m512 one[MOST], two[MOST];
        size_t a = begin[s], b = begin[s + 1];
        const size_t end = b, last = begin[s + 2];
        const size_t both = end - a < last - b ? end : a + (last - b);
        for (size_t v = 0; v < V; v++) one[v] = _mm512_load_ps(sum + v * L);
        for (size_t v = 0; v < V; v++) two[v] = _mm512_load_ps(sum + (V + v) * L);
        for (; a < both; a++, b++) {
            add(value[a], w + place[a] * V * L, one, V);
            add(value[b], w + place[b] * V * L, two, V);
        }
        for (; a < end; a++) add(value[a], w + place[a] * V * L, one, V);
        for (; b < last; b++) add(value[b], w + place[b] * V * L, two, V);
        for (size_t v = 0; v < V; v++) _mm512_store_ps(sum + v * L, one[v]);
        for (size_t v = 0; v < V; v++) _mm512_store_ps(sum + (V + v) * L, two[v]);
    }
}

/* Outputs [first, first + 16 V). */
INLINE bool strip(const cop_full *f, const cop_nonzeros *list, size_t block, size_t first,
                  float *scratch, size_t V) {
    const size_t s = list->vectors * L;
    float *w = scratch, *sum = scratch + BLOCK * MOST * L;
    for (size_t v = 0; v < V; v++) {
        _Alignas(64) float start[L] = {0};
        for (size_t i = 0; f->bias && i < L && first + v * L + i < f->outputs; i++)
            start[i] = f->bias[first + v * L + i];
        for (size_t i = 0; i < s; i++)
            _mm512_store_ps(sum + (i * V + v) * L, _mm512_load_ps(start));
    }
    for (size_t from = 0; from < f->inputs; from += BLOCK, block++) {
        const size_t count = f->inputs - from < BLOCK ? f->inputs - from : BLOCK;
        if (!turn_rows(f, first, from, count, w, V)) return false;
        add_block(list, list->begin + block * s, w, sum, V);
    }
    for (size_t at = 0; at < s; at += L)
        for (size_t v = 0; v < V; v++) {
            __m512 row[16];
            for (size_t i = 0; i < 16; i++) row[i] = _mm512_load_ps(sum + ((at + i) * V + v) * L);
            turn(row);
            for (size_t i = 0; i < 16 && first + v * L + i < f->outputs; i++)
                _mm512_store_ps(f->y + (first + v * L + i) * s + at,
                                f->relu ? _mm512_max_ps(_mm512_setzero_ps(), row[i]) : row[i]);
        }
    return true;
}

#define STRIPS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define STRIP(V)                                                                                   \
    static TARGET __attribute__((noinline)) bool strip_##V(                                        \
        const cop_full *f, const cop_nonzeros *list, size_t block, size_t first, float *scratch) { \
        return strip(f, list, block, first, scratch, V);                                           \
    }
STRIPS(STRIP)
#undef STRIP

typedef bool strip_of(const cop_full *f, const cop_nonzeros *list, size_t block, size_t first,
                      float *scratch);
#define ENTRY(V) strip_##V,
static strip_of *const strips[] = {STRIPS(ENTRY)};
#undef ENTRY

bool cop_skip_avx512(const cop_full *f, const cop_nonzeros *list, size_t block, float *scratch) {
    COP_ASSERT(f->stride == 1);
    size_t vectors = (f->outputs + L - 1) / L, cuts = (vectors + MOST - 1) / MOST, first = 0;
    for (; cuts; cuts--) { /* as even as they come */
        const size_t v = (vectors + cuts - 1) / cuts;
        if (!strips[v - 1](f, list, block, first, scratch)) return false;
        first += v * L;
        vectors -= v;
    }
    return true;
}
#else
typedef int cop_skip_avx512_absent; /* a translation unit must declare something */
#endif
