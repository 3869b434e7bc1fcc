/* What the two AVX-512 variants share; see sign_template.h. */
#include <immintrin.h>

#define VEC __m512i
#define PARTS 1
#define ZERO _mm512_setzero_si512()
#define SET1(u) _mm512_set1_epi32((int)(u))
#define LOAD(p) _mm512_load_si512((const void *)(p))
#define STORE(p, v) _mm512_store_si512((void *)(p), (v))
#define ADD(a, b) _mm512_add_epi32((a), (b))
#define SUB(a, b) _mm512_sub_epi32((a), (b))
/* 32 registers: 24 accumulators, the signs, and room to load ahead */
#define TILES(X) X(2, 12) X(3, 8) X(4, 6) X(1, 8) X(1, 4) X(1, 1)
#define HALF __m512i
#define LANES 32
#define WINO_OUTPUTS 8
#define EVENT_VECS 8
#define H_ZERO _mm512_setzero_si512()
#define H_LOAD(p) _mm512_load_si512((const void *)(p))
#define H_STORE(p, v) _mm512_store_si512((void *)(p), (v))
#define H_SET16(i) _mm512_set1_epi16(i)
#define H_SET32(u) _mm512_set1_epi32((int)(u))
#define H_ADD16(a, b) _mm512_add_epi16((a), (b))
#define H_SUB16(a, b) _mm512_sub_epi16((a), (b))
#define H_MAX16(a, b) _mm512_max_epi16((a), (b))
#define H_ADD32(a, b) _mm512_add_epi32((a), (b))
#define H_SUB32(a, b) _mm512_sub_epi32((a), (b))
#define H_MAX32(a, b) _mm512_max_epi32((a), (b))
#define H_SLL32(a, n) _mm512_slli_epi32((a), (n))
#define H_SRL32(a, n) _mm512_srli_epi32((a), (n))
#define H_SRA32(a, n) _mm512_srai_epi32((a), (n))
#define H_AND(a, b) _mm512_and_si512((a), (b))
#define H_OR(a, b) _mm512_or_si512((a), (b))
#define H_EVEN(a, x) H_DOT((a), (x), H_SET32(1))
#define H_ODD(a, x) H_DOT((a), (x), H_SET32(0x10000))
#define H_POSITIVE(v) _mm512_cmpgt_epi32_mask((v), _mm512_setzero_si512())
#define H_WITH_BIT(v, n) _mm512_test_epi32_mask((v), _mm512_set1_epi32((int)(1u << (n))))
#if defined(__clang__)
#define AVX512 "avx512f,avx512bw,avx512vl,avx512dq"
#else
#define AVX512 "avx512f,avx512bw,avx512vl,avx512dq,prefer-vector-width=512"
#endif

static inline bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}
