/** @file exact_math.h
 *  Exponential and logarithm in fixed double operations, the same bits on every processor (the last
 *  bit of the C library's is not): in scalars here, in vectors in exact_lanes.h, which holds the
 * one definition of both.
 */
#ifndef COPPICE_NET_EXACT_MATH_H
#define COPPICE_NET_EXACT_MATH_H

#include "coppice/base.h"

/** exp(x) for x <= 0 (NaN stays), within 2 units of the last place. */
double cop_exact_exp(double x);
/** Natural logarithm of x >= 0 within 2 units of the last place, -inf at 0; NaN stays. */
double cop_exact_log(double x);
/** How many variants of exact_variants.h this processor can run. */
size_t cop_exact_variants(void);

/* vectors whose exponentials are computed side by side */
#define EXACT_CHAINS 4
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

#endif
