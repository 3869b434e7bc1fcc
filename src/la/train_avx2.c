/* Training kernels for AVX2 with fused multiply-add: one vector of 16 samples is two registers. */
#include "la/list.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define VARIANT avx2
#define TARGET __attribute__((target("avx2,fma")))
#define VEC __m256
#define PARTS 2
#define WIDEST 4
#define SET1(f) _mm256_set1_ps(f)
#define LOAD(p) _mm256_load_ps(p)
#define STORE(p, v) _mm256_store_ps((p), (v))
#define FMA(x, w, a) _mm256_fmadd_ps((x), (w), (a))
#define JOIN(v) join(v)

static inline TARGET __attribute__((always_inline)) float join(const __m256 *v) {
    const __m256 half = _mm256_add_ps(v[0], v[1]);
    const __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    const __m128 pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_shuffle_ps(pair, pair, 1)));
}
#include "la/train_template.h"

static bool supported(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
TRAIN_TABLE("avx2", supported)
#else
typedef int cop_train_avx2_absent; /* a translation unit must declare something */
#endif
