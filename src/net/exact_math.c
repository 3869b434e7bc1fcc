#include "net/exact_math.h"

#include <math.h>

#define WIDTH 2
#define TARGET
#define NAME(x) x##_base
#include "net/exact_lanes.h"

double cop_exact_exp(double x) {
    vec_base v = {x, x};
    exp_base(&v, 1);
    return v[0];
}

double cop_exact_log(double x) {
    if (x == 0) return -INFINITY;
    if (!(x <= 0x1.fffffffffffffp+1023)) return x; /* infinity, NaN */
    int below = x < 0x1p-1022 ? 54 : 0;            /* subnormal */
    if (below) x *= 0x1p54;
    vec_base v = {x, x};
    log_base(&v, below);
    return v[0];
}

size_t cop_exact_variants(void) {
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx2")) return 1;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") ? 3 : 2;
#else
    return 1;
#endif
}
