/* Sparse kernels in portable C: what every other variant is tested against. fmaf is one instruction
 * where the compiler may assume it, elsewhere a call: slow, and right. */
#include "la/list.h"

#include <math.h>

#define VARIANT plain
#define TARGET
#define VEC float
#define PARTS 16
#define SET1(f) (f)
#define LOAD(p) (*(p))
#define STORE(p, v) (*(p) = (v))
#define FMA(x, w, a) fmaf((x), (w), (a))
#define ADD(a, b) ((a) + (b))
#define RELU(v) above_zero(v)
#define LARGER(v, b) ((v) > (b) || (v) != (v) ? (v) : (b))
#define TILES(X) X(1, 1, 1)

static inline float above_zero(float v) {
    return v < 0.0f ? 0.0f : v;
}
#define FULL_TILES(X) X(1, 1)
#include "la/sparse_template.h"

static bool supported(void) {
    return true;
}
extern const cop_sparse_ops cop_sparse_ops_plain;
TABLE("plain", supported, NULL, NULL)
