/* Sparse kernels for any x86-64: one vector of 16 samples is four registers, and the fused
 * multiply-add that the processor lacks is made of double arithmetic. */
#include "la/list.h"

#if defined(__x86_64__)
#include "la/fused_sse2.h"

#define VARIANT sse2
#define TARGET
#define VEC __m128
#define PARTS 4
#define SET1(f) _mm_set1_ps(f)
#define LOAD(p) _mm_load_ps(p)
#define STORE(p, v) _mm_store_ps((p), (v))
#define FMA(x, w, a) fused((x), (w), (a))
/* of two zeros and beside a NaN the instruction gives its second operand */
#define ADD(a, b) _mm_add_ps((a), (b))
#define RELU(v) _mm_max_ps(_mm_setzero_ps(), (v))
#define LARGER(v, b) larger((v), (b))
#define TILES(X) X(1, 1, 1)

static inline __m128 larger(__m128 v, __m128 b) {
    const __m128 take = _mm_or_ps(_mm_cmpgt_ps(v, b), _mm_cmpunord_ps(v, v));
    return _mm_or_ps(_mm_and_ps(take, v), _mm_andnot_ps(take, b));
}
#define FULL_TILES(X) X(1, 1)
#include "la/sparse_template.h"

static bool supported(void) {
    return true;
}
extern const cop_sparse_ops cop_sparse_ops_sse2;
TABLE("sse2", supported, NULL, NULL)
#else
typedef int cop_sparse_sse2_absent; /* a translation unit must declare something */
#endif
