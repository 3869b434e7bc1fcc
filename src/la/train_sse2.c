/* Training kernels for any x86-64: one vector of 16 samples is four registers. */
#include "la/list.h"

#if defined(__x86_64__)
#include "la/fused_sse2.h"

#define VARIANT sse2
#define TARGET
#define VEC __m128
#define PARTS 4
#define WIDEST 4
#define SET1(f) _mm_set1_ps(f)
#define LOAD(p) _mm_load_ps(p)
#define STORE(p, v) _mm_store_ps((p), (v))
#define FMA(x, w, a) fused((x), (w), (a))
#define JOIN(v) join(v)

static inline float join(const __m128 *v) {
    const __m128 quarter = _mm_add_ps(_mm_add_ps(v[0], v[2]), _mm_add_ps(v[1], v[3]));
    const __m128 pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_shuffle_ps(pair, pair, 1)));
}
#include "la/train_template.h"

static bool supported(void) {
    return true;
}
TRAIN_TABLE("sse2", supported)
#else
typedef int cop_train_sse2_absent; /* a translation unit must declare something */
#endif
