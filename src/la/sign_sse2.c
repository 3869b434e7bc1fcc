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
#include "la/sign_template.h"

static bool supported(void) {
    return true;
}
extern const cop_sign_ops cop_sign_ops_sse2;
TABLE("sse2", supported)
#else
typedef int cop_sign_sse2_absent; /* a translation unit must declare something */
#endif
