/* Sign kernels for AVX2: one vector of 16 samples is two registers. */
#include "la/list.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define VARIANT avx2
#define TARGET __attribute__((target("avx2")))
#define VEC __m256i
#define PARTS 2
#define ZERO _mm256_setzero_si256()
#define SET1(u) _mm256_set1_epi32((int)(u))
#define LOAD(p) _mm256_load_si256((const __m256i *)(const void *)(p))
#define STORE(p, v) _mm256_store_si256((__m256i *)(void *)(p), (v))
#define ADD(a, b) _mm256_add_epi32((a), (b))
#define SUB(a, b) _mm256_sub_epi32((a), (b))
#define DOT(a, x, s) _mm256_add_epi32((a), _mm256_madd_epi16((x), (s)))
/* 16 registers: 12 accumulators, the signs, products */
#define TILES(X) X(1, 6) X(2, 3) X(1, 4) X(1, 1)
#define HALF __m256i
#define LANES 16
#define WINO_OUTPUTS 4
#define EVENT_VECS 4
#define H_ZERO _mm256_setzero_si256()
#define H_LOAD(p) _mm256_load_si256((const __m256i *)(const void *)(p))
#define H_STORE(p, v) _mm256_store_si256((__m256i *)(void *)(p), (v))
#define H_SET16(i) _mm256_set1_epi16(i)
#define H_SET32(u) _mm256_set1_epi32((int)(u))
#define H_ADD16(a, b) _mm256_add_epi16((a), (b))
#define H_SUB16(a, b) _mm256_sub_epi16((a), (b))
#define H_MAX16(a, b) _mm256_max_epi16((a), (b))
#define H_ADD32(a, b) _mm256_add_epi32((a), (b))
#define H_SUB32(a, b) _mm256_sub_epi32((a), (b))
#define H_MAX32(a, b) _mm256_max_epi32((a), (b))
#define H_SLL32(a, n) _mm256_slli_epi32((a), (n))
#define H_SRL32(a, n) _mm256_srli_epi32((a), (n))
#define H_SRA32(a, n) _mm256_srai_epi32((a), (n))
#define H_AND(a, b) _mm256_and_si256((a), (b))
#define H_OR(a, b) _mm256_or_si256((a), (b))
#define H_EVEN(a, x) DOT((a), (x), H_SET32(1))
#define H_ODD(a, x) DOT((a), (x), H_SET32(0x10000))
#define H_DOT(a, x, s) DOT((a), (x), (s))
#define H_POSITIVE(v)                                                                              \
    (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32((v), H_ZERO)))
#define H_WITH_BIT(v, n)                                                                           \
    (unsigned)_mm256_movemask_ps(                                                                  \
        _mm256_castsi256_ps(_mm256_sll_epi32((v), _mm_cvtsi32_si128(31 - (int)(n)))))
#include "la/sign_template.h"

static bool supported(void) {
    return __builtin_cpu_supports("avx2");
}
extern const cop_sign_ops cop_sign_ops_avx2;
TABLE("avx2", supported)
#else
typedef int cop_sign_avx2_absent; /* a translation unit must declare something */
#endif
