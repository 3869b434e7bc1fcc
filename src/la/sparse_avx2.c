/* Sparse kernels for AVX2 with fused multiply-add: one vector of 16 samples is two registers. */
#include "la/list.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define VARIANT avx2
#define TARGET __attribute__((target("avx2,fma")))
#define VEC __m256
#define PARTS 2
#define SET1(f) _mm256_set1_ps(f)
#define LOAD(p) _mm256_load_ps(p)
#define STORE(p, v) _mm256_store_ps((p), (v))
#define FMA(x, w, a) _mm256_fmadd_ps((x), (w), (a))
/* of two zeros and beside a NaN the instruction gives its second operand */
#define ADD(a, b) _mm256_add_ps((a), (b))
#define RELU(v) _mm256_max_ps(_mm256_setzero_ps(), (v))
#define LARGER(v, b)                                                                               \
    _mm256_blendv_ps(                                                                              \
        (b), (v),                                                                                  \
        _mm256_or_ps(_mm256_cmp_ps((v), (b), _CMP_GT_OQ), _mm256_cmp_ps((v), (v), _CMP_UNORD_Q)))
/* 16 registers: 12 accumulators, the weight */
#define TILES(X)                                                                                   \
    X(1, 1, 6)                                                                                     \
    X(1, 2, 3) X(1, 1, 5) X(1, 1, 4) X(2, 1, 3) X(3, 1, 2) X(4, 1, 1) X(1, 1, 2) X(1, 1, 1)
#define FULL_TILES(X) X(2, 2) X(1, 2) X(6, 1) X(1, 1)
#include "la/sparse_template.h"

static bool supported(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
extern const cop_sparse_ops cop_sparse_ops_avx2;
TABLE("avx2", supported, NULL, NULL)
#else
typedef int cop_sparse_avx2_absent; /* a translation unit must declare something */
#endif
