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
#include "la/sign_template.h"

static bool supported(void) {
    return __builtin_cpu_supports("avx2");
}
extern const cop_sign_ops cop_sign_ops_avx2;
TABLE("avx2", supported)
#else
typedef int cop_sign_avx2_absent; /* a translation unit must declare something */
#endif
