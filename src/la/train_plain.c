/* Training kernels in portable C: what every other variant is tested against. */
#include "la/list.h"

#include <math.h>

#define VARIANT plain
#define TARGET
#define VEC float
#define PARTS 16
#define WIDEST 4
#define SET1(f) (f)
#define LOAD(p) (*(p))
#define STORE(p, v) (*(p) = (v))
#define FMA(x, w, a) fmaf((x), (w), (a))
#define JOIN(v) train_tree_plain(v)
#include "la/train_template.h"

static bool supported(void) {
    return true;
}
TRAIN_TABLE("plain", supported)
