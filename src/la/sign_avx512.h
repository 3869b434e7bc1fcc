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
#if defined(__clang__)
#define AVX512 "avx512f,avx512bw,avx512vl,avx512dq"
#else
#define AVX512 "avx512f,avx512bw,avx512vl,avx512dq,prefer-vector-width=512"
#endif

static inline bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}
