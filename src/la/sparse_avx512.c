/* Sparse kernels for AVX-512: one vector of 16 samples is one register. */
#include "la/list.h"
#include "la/skip.h"

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
#define SET1(f) _mm512_set1_ps(f)
#define LOAD(p) _mm512_load_ps(p)
#define STORE(p, v) _mm512_store_ps((p), (v))
#define FMA(x, w, a) _mm512_fmadd_ps((x), (w), (a))
/* of two zeros and beside a NaN the instruction gives its second operand */
#define ADD(a, b) _mm512_add_ps((a), (b))
#define RELU(v) _mm512_max_ps(_mm512_setzero_ps(), (v))
#define LARGER(v, b)                                                                               \
    _mm512_mask_mov_ps(                                                                            \
        (b),                                                                                       \
        _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask((b), (b), _CMP_ORD_Q), (v), (b), _CMP_NLE_UQ),  \
        (v))
/* 32 registers: up to 24 accumulators, the weight, and room to load ahead. Those with one row and
 * several outputs are for dense layers. */
#define PIXELS(X) X(1, 2, 12) X(1, 3, 8) X(1, 4, 6) X(1, 1, 8)
#define WIDE(X) X(2, 1, 7) X(2, 1, 6) X(2, 1, 5) X(4, 1, 4) X(4, 1, 3)
#define NARROW(X) X(1, 1, 4) X(4, 1, 2) X(8, 1, 1) X(4, 1, 1) X(1, 1, 2) X(1, 1, 1)
#define TILES(X) PIXELS(X) WIDE(X) NARROW(X)
#define FULL_TILES(X) X(6, 4) X(1, 4) X(6, 3) X(1, 3) X(8, 2) X(1, 2) X(8, 1) X(1, 1)
#include "la/sparse_template.h"

static bool supported(void) {
    return __builtin_cpu_supports("avx512f");
}
extern const cop_sparse_ops cop_sparse_ops_avx512;
TABLE("avx512", supported, cop_nonzeros_avx512, cop_skip_avx512)
#else
typedef int cop_sparse_avx512_absent; /* a translation unit must declare something */
#endif
