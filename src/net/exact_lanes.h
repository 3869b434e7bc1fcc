/** @file exact_lanes.h
 *  exp and log on native vectors, included once per vector width with
 *    WIDTH   doubles in a native vector (2, 4, 8)
 *    TARGET  function attribute that enables the instructions
 *    NAME(x) x with the variant's suffix
 *  after exact_math.h. No fused multiply-add: every lane does the same operations in every variant.
 */
typedef double NAME(vec) __attribute__((vector_size(8 * WIDTH)));
typedef uint64_t NAME(bits) __attribute__((vector_size(8 * WIDTH)));

/* exp(x) for x <= 0, NaN kept: x = k ln 2 + r with |r| <= 0.35, Taylor to degree 13 (remainder
 * below 5e-18 of the value), scaled by 2^k in two steps so that results below the normal range are
 * rounded once, as the C library's are. For @p count <= EXACT_CHAINS vectors side by side, a
 * constant: the series is one long chain of operations, and the processor has room for several. */
TARGET static inline __attribute__((always_inline)) void NAME(exp)(NAME(vec) * value,
                                                                   size_t count) {
    NAME(vec) r[EXACT_CHAINS], y[EXACT_CHAINS];
    NAME(bits) power[EXACT_CHAINS];
    for (size_t c = 0; c < count; c++) {
        NAME(bits) tiny = (NAME(bits))(value[c] < EXP_LOWEST); /* keeps NaN */
        NAME(vec) lowest = {0};
        lowest += EXP_LOWEST;
        NAME(vec) x = (NAME(vec))(((NAME(bits))value[c] & ~tiny) | ((NAME(bits))lowest & tiny));
        NAME(vec) shifted = x * LOG2_E + ROUNDER; /* its low bits are k */
        NAME(vec) k = shifted - ROUNDER;
        r[c] = x - k * LN2_HIGH;
        r[c] = r[c] - k * LN2_LOW;
        power[c] = (NAME(bits))shifted - ROUNDER_BITS; /* k modulo 2^64, -1077..0 */
        y[c] = (NAME(vec)){0};
        y[c] += EXP_SERIES[13];
    }
    for (int d = 12; d >= 0; d--)
        for (size_t c = 0; c < count; c++) y[c] = y[c] * r[c] + EXP_SERIES[d];
    for (size_t c = 0; c < count; c++) {
        NAME(bits) half = (power[c] + 2048) >> 1; /* k/2 + 1024 */
        NAME(bits) rest = power[c] + 1024 - half; /* k - k/2 */
        y[c] *= (NAME(vec))((half - 1) << 52);
        value[c] = y[c] * (NAME(vec))((rest + 1023) << 52);
    }
}

/* ln(x / 2^below) for normal positive x: x = 2^k m with m in [sqrt(1/2), sqrt 2), ln m = 2
 * atanh((m-1)/(m+1)). */
TARGET static inline void NAME(log)(NAME(vec) * value, int below) {
    NAME(bits) x = (NAME(bits)) * value;
    NAME(bits) above = x - SQRT_HALF_BITS;
    NAME(bits) k = above & ~MANTISSA_BITS; /* exponent in place, modulo 2^64 */
    NAME(vec) m = (NAME(vec))(x - k);
    /* k>>52 as a double without a 64-bit conversion: shift it to be positive, put it into a
     * mantissa */
    NAME(vec)
    exponent = (NAME(vec))(((k + (2048ull << 52)) >> 52) | ROUND52_BITS) - (ROUND52 + 2048 + below);
    NAME(vec) t = (m - 1) / (m + 1), t2 = t * t;
    NAME(vec) y = {0};
    y += LOG_SERIES[LOG_TERMS - 1];
    for (int d = LOG_TERMS - 2; d >= 0; d--) y = y * t2 + LOG_SERIES[d];
    NAME(vec) twice = t + t;
    *value = exponent * LN2_HIGH + (twice + (exponent * LN2_LOW + twice * t2 * y));
}
