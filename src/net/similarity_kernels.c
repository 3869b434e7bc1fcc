#include "net/similarity_kernels.h"

#include <math.h>
#include <string.h>

/* exp: below this the result rounds to 0 (half of the least subnormal is exp(-745.13...)) */
#define EXP_LOWEST (-746.0)
#define LOG2_E 1.4426950408889634074
/* ln 2 in two parts: k * LN2_HIGH is exact for |k| < 2^20 */
#define LN2_HIGH 0x1.62e42fee00000p-1
#define LN2_LOW 0x1.a39ef35793c76p-33
#define ROUNDER 0x1.8p52 /* x + ROUNDER - ROUNDER rounds x to a whole number */
#define ROUNDER_BITS 0x4338000000000000ull
#define ROUND52 0x1p52
#define ROUND52_BITS 0x4330000000000000ull
#define SQRT_HALF_BITS 0x3fe6a09e667f3bcdull
#define MANTISSA_BITS 0x000fffffffffffffull

static const double EXP_SERIES[14] = {1.0,
                                      1.0,
                                      1.0 / 2,
                                      1.0 / 6,
                                      1.0 / 24,
                                      1.0 / 120,
                                      1.0 / 720,
                                      1.0 / 5040,
                                      1.0 / 40320,
                                      1.0 / 362880,
                                      1.0 / 3628800,
                                      1.0 / 39916800,
                                      1.0 / 479001600,
                                      1.0 / 6227020800};
/* atanh(t)/t = 1 + t^2 (1/3 + t^2 (1/5 + ...)); t^2 <= 0.0295, so ten terms leave 0.0295^11/23 <
 * 1e-18 */
enum { LOG_TERMS = 10 };
static const double LOG_SERIES[LOG_TERMS] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                                             1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};

static inline double tree(const double lane[8]) {
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

double cop_similarity_log(double value) {
    if (value == 0) return -INFINITY;
    if (!(value <= 0x1.fffffffffffffp+1023)) return value; /* infinity, NaN */
    double below = 0;
    if (value < 0x1p-1022) {
        value *= 0x1p54;
        below = 54;
    }
    uint64_t x;
    memcpy(&x, &value, sizeof x);
    uint64_t k = (x - SQRT_HALF_BITS) & ~MANTISSA_BITS, bits = x - k;
    double m;
    memcpy(&m, &bits, sizeof m);
    double exponent = (double)((k + (2048ull << 52)) >> 52) - 2048 - below;
    double t = (m - 1) / (m + 1), t2 = t * t, y = LOG_SERIES[LOG_TERMS - 1];
    for (int d = LOG_TERMS - 2; d >= 0; d--) y = y * t2 + LOG_SERIES[d];
    return exponent * LN2_HIGH + ((t + t) + (exponent * LN2_LOW + (t + t) * t2 * y));
}

#define WIDTH 2
#define ROWS 2
#define TARGET
#define NAME(x) x##_base
#define TEXT "base"
#include "net/similarity_lanes.h"

#if defined(__x86_64__)
#define WIDTH 4
#define ROWS 4
#define TARGET __attribute__((target("avx2")))
#define NAME(x) x##_avx2
#define TEXT "avx2"
#include "net/similarity_lanes.h"

#define WIDTH 8
#define ROWS 8
#define TARGET __attribute__((target("avx512f,avx512dq")))
#define NAME(x) x##_avx512
#define TEXT "avx512"
#include "net/similarity_lanes.h"
#endif

const cop_similarity_kernel *const *cop_similarity_kernels(size_t *count) {
    static const cop_similarity_kernel *const all[] = {
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
