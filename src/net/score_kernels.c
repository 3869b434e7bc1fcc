#include "net/score_kernels.h"

#include "net/exact_math.h"

#include <math.h>

/* Some logit of a lane is no finite double: only with factors beyond 1e289. */
static bool overflows(const int64_t *logit, size_t classes, double factor) {
    for (size_t k = 0; k < classes; k++)
        if (!isfinite((double)logit[k * COP_SCORE_LANES] * factor)) return true;
    return false;
}

#define WIDTH 2
#define TARGET
#define NAME(x) x##_base
#define TEXT "base"
#include "net/score_lanes.h"

#if defined(__x86_64__)
#define WIDTH 4
#define TARGET __attribute__((target("avx2")))
#define NAME(x) x##_avx2
#define TEXT "avx2"
#include "net/score_lanes.h"

#define WIDTH 8
#define TARGET __attribute__((target("avx512f,avx512dq")))
#define NAME(x) x##_avx512
#define TEXT "avx512"
#include "net/score_lanes.h"
#endif

const cop_score_kernel *const *cop_score_kernels(size_t *count) {
    static const cop_score_kernel *const all[] = {
        &kernel_base,
#if defined(__x86_64__)
        &kernel_avx2,
        &kernel_avx512,
#endif
    };
    *count = 1;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) *count = 2;
    if (*count == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
        *count = 3;
#endif
    return all;
}
