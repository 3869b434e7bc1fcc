/* Training kernels for AVX-512: one vector of 16 samples is one register. */
#include "la/list.h"
#include "la/train.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define VARIANT avx512
#if defined(__clang__)
#define TARGET __attribute__((target("avx512f")))
#else
#define TARGET __attribute__((target("avx512f,prefer-vector-width=512")))
#endif
#define VEC __m512
#define PARTS 1
#define WIDEST 8
#define SET1(f) _mm512_set1_ps(f)
#define LOAD(p) _mm512_load_ps(p)
#define STORE(p, v) _mm512_store_ps((p), (v))
#define FMA(x, w, a) _mm512_fmadd_ps((x), (w), (a))
#define JOIN16(v, to) join16((v), (to))
#define PHILOX16(key, block, batch, layer, word) philox16((key), (block), (batch), (layer), (word))
#define KEEP16(w, shift, limit, scale, to, factor)                                                 \
    keep16((w), (shift), (limit), (scale), (to), (factor))
#define TURN16(block, to, step) turn16((block), (to), (step))

static inline TARGET __attribute__((always_inline)) void join16(const __m512 *v, float *to) {
    __m512 half[8], quarter[4], pair[2];
    for (int i = 0; i < 8; i++) { /* places l and l + 8 */
        const __m512 a = v[2 * i], b = v[2 * i + 1];
        half[i] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
    }
    for (int i = 0; i < 4; i++) { /* l and l + 4 */
        const __m512 a = half[2 * i], b = half[2 * i + 1];
        quarter[i] =
            _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
    }
    for (int i = 0; i < 2; i++) { /* l and l + 2 */
        const __m512 a = quarter[2 * i], b = quarter[2 * i + 1];
        pair[i] = _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xEE));
    }
    _mm512_storeu_ps(to, _mm512_add_ps(_mm512_shuffle_ps(pair[0], pair[1], 0x88),
                                       _mm512_shuffle_ps(pair[0], pair[1], 0xDD)));
}

/* Columns of a 16 x 16 block to rows @p step apart. */
static inline TARGET __attribute__((always_inline)) void turn16(float (*block)[16], float *to,
                                                                size_t step) {
    __m512 a[16], b[16];
    for (int i = 0; i < 16; i++) a[i] = _mm512_loadu_ps(block[i]);
    for (int i = 0; i < 16; i += 4) { /* 4 x 4 inside each quarter */
        const __m512 p = _mm512_unpacklo_ps(a[i], a[i + 1]), q = _mm512_unpackhi_ps(a[i], a[i + 1]);
        const __m512 r = _mm512_unpacklo_ps(a[i + 2], a[i + 3]),
                     t = _mm512_unpackhi_ps(a[i + 2], a[i + 3]);
        b[i] = _mm512_shuffle_ps(p, r, 0x44);
        b[i + 1] = _mm512_shuffle_ps(p, r, 0xEE);
        b[i + 2] = _mm512_shuffle_ps(q, t, 0x44);
        b[i + 3] = _mm512_shuffle_ps(q, t, 0xEE);
    }
    for (int j = 0; j < 4; j++) { /* quarter k of b[4 i + j] is rows 4 i.. of column 4 k + j */
        const __m512 p = _mm512_shuffle_f32x4(b[j], b[4 + j], 0x44),
                     q = _mm512_shuffle_f32x4(b[j], b[4 + j], 0xEE),
                     r = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0x44),
                     t = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0xEE);
        _mm512_storeu_ps(to + (size_t)j * step, _mm512_shuffle_f32x4(p, r, 0x88));
        _mm512_storeu_ps(to + (size_t)(4 + j) * step, _mm512_shuffle_f32x4(p, r, 0xDD));
        _mm512_storeu_ps(to + (size_t)(8 + j) * step, _mm512_shuffle_f32x4(q, t, 0x88));
        _mm512_storeu_ps(to + (size_t)(12 + j) * step, _mm512_shuffle_f32x4(q, t, 0xDD));
    }
}

/* The 64-bit products of x with m in two parts, each in the place of its factor. */
static inline TARGET __attribute__((always_inline)) void multiply(__m512i x, uint32_t m,
                                                                  __m512i *high, __m512i *low) {
    const __m512i factor = _mm512_set1_epi64(m);
    const __m512i even = _mm512_mul_epu32(x, factor);
    const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), factor);
    *high = _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), 0xAAAA, odd);
    *low = _mm512_mask_mov_epi32(even, 0xAAAA, _mm512_slli_epi64(odd, 32));
}

/* Philox4x32-10 for counters 16 * block and on: left to itself the compiler multiplies in 64 bits.
 */
static inline TARGET __attribute__((always_inline)) void
philox16(uint64_t key, uint32_t block, uint32_t batch, uint32_t layer, uint32_t (*word)[16]) {
    const __m512i place = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i x[4] = {_mm512_add_epi32(_mm512_set1_epi32((int)(16 * block)), place),
                    _mm512_set1_epi32(COP_FOR_DROPOUT), _mm512_set1_epi32((int)layer),
                    _mm512_set1_epi32((int)batch)};
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
        __m512i high0, low0, high2, low2;
        multiply(x[0], 0xD2511F53u, &high0, &low0);
        multiply(x[2], 0xCD9E8D57u, &high2, &low2);
        x[0] = _mm512_xor_si512(_mm512_xor_si512(high2, x[1]), _mm512_set1_epi32((int)k0));
        x[2] = _mm512_xor_si512(_mm512_xor_si512(high0, x[3]), _mm512_set1_epi32((int)k1));
        x[1] = low2;
        x[3] = low0;
    }
    for (int i = 0; i < 4; i++) _mm512_storeu_si512(word[i], x[i]);
}

static inline TARGET __attribute__((always_inline)) void
keep16(const uint32_t *w, int shift, uint32_t limit, float scale, float *to, float *factor) {
    const __m512i number =
        _mm512_and_si512(_mm512_srl_epi32(_mm512_loadu_si512(w), _mm_cvtsi32_si128(shift)),
                         _mm512_set1_epi32(0xffff));
    const __mmask16 stays =
        _mm512_cmp_epu32_mask(number, _mm512_set1_epi32((int)limit), _MM_CMPINT_NLT);
    const __m512 f = _mm512_maskz_mov_ps(stays, _mm512_set1_ps(scale));
    _mm512_store_ps(factor, f);
    _mm512_store_ps(to, _mm512_mul_ps(_mm512_load_ps(to), f));
}

#include "la/train_template.h"

static bool supported(void) {
    return __builtin_cpu_supports("avx512f");
}
TRAIN_TABLE("avx512", supported)
#else
typedef int cop_train_avx512_absent; /* a translation unit must declare something */
#endif
