#include "net/score_kernels.h"

#include "net/exact_math.h"

#include <math.h>

/* Some logit of a lane is no finite double: only with factors beyond 1e289. */
static bool overflows(const int64_t *logit, size_t classes, double factor) {
    for (size_t k = 0; k < classes; k++)
        if (!isfinite((double)logit[k * COP_SCORE_LANES] * factor)) return true;
    return false;
}

#define LANES "net/score_lanes.h"
#include "net/exact_variants.h"

const cop_score_kernel *const *cop_score_kernels(size_t *count) {
    static const cop_score_kernel *const all[] = {EXACT_KERNELS};
    *count = cop_exact_variants();
    return all;
}
