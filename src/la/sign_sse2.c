/* Sign kernels for any x86-64: one vector of 16 samples is four registers. */
#include "la/list.h"

#if defined(__x86_64__)
#include <emmintrin.h>

#define VARIANT sse2
#define TARGET
#define VEC __m128i
#define PARTS 4
#define ZERO _mm_setzero_si128()
#define SET1(u) _mm_set1_epi32((int)(u))
#define LOAD(p) _mm_load_si128((const __m128i *)(const void *)(p))
#define STORE(p, v) _mm_store_si128((__m128i *)(void *)(p), (v))
#define ADD(a, b) _mm_add_epi32((a), (b))
#define SUB(a, b) _mm_sub_epi32((a), (b))
#define DOT(a, x, s) _mm_add_epi32((a), _mm_madd_epi16((x), (s)))
/* 16 registers: 12 accumulators, the signs, products */
#define TILES(X) X(1, 3) X(1, 2) X(1, 1)
#define HALF __m128i
#define LANES 8
#define WINO_OUTPUTS 4
#define EVENT_VECS 4
#define H_ZERO _mm_setzero_si128()
#define H_LOAD(p) _mm_load_si128((const __m128i *)(const void *)(p))
#define H_STORE(p, v) _mm_store_si128((__m128i *)(void *)(p), (v))
#define H_SET16(i) _mm_set1_epi16(i)
#define H_SET32(u) _mm_set1_epi32((int)(u))
#define H_ADD16(a, b) _mm_add_epi16((a), (b))
#define H_SUB16(a, b) _mm_sub_epi16((a), (b))
#define H_MAX16(a, b) _mm_max_epi16((a), (b))
#define H_ADD32(a, b) _mm_add_epi32((a), (b))
#define H_SUB32(a, b) _mm_sub_epi32((a), (b))
#define H_MAX32(a, b) max32((a), (b))
#define H_SLL32(a, n) _mm_slli_epi32((a), (n))
#define H_SRL32(a, n) _mm_srli_epi32((a), (n))
#define H_SRA32(a, n) _mm_srai_epi32((a), (n))
#define H_AND(a, b) _mm_and_si128((a), (b))
#define H_OR(a, b) _mm_or_si128((a), (b))
#define H_EVEN(a, x) DOT((a), (x), H_SET32(1))
#define H_ODD(a, x) DOT((a), (x), H_SET32(0x10000))
#define H_DOT(a, x, s) DOT((a), (x), (s))
#define H_POSITIVE(v) (unsigned)_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpgt_epi32((v), H_ZERO)))
#define H_WITH_BIT(v, n)                                                                           \
    (unsigned)_mm_movemask_ps(                                                                     \
        _mm_castsi128_ps(_mm_sll_epi32((v), _mm_cvtsi32_si128(31 - (int)(n)))))

static inline __m128i max32(__m128i a, __m128i b) { /* SSE2 has none */
    __m128i m = _mm_cmpgt_epi32(a, b);
    return _mm_or_si128(_mm_and_si128(m, a), _mm_andnot_si128(m, b));
}
#include "la/sign_template.h"

static bool supported(void) {
    return true;
}
extern const cop_sign_ops cop_sign_ops_sse2;
TABLE("sse2", supported)
#else
typedef int cop_sign_sse2_absent; /* a translation unit must declare something */
#endif
