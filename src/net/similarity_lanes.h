/** @file similarity_lanes.h
 *  Body of similarity_kernels.c, included once per vector width with
 *    WIDTH   doubles in a native vector (2, 4, 8)
 *    ROWS    samples of a product tile (divides 8)
 *    TARGET  function attribute that enables the instructions
 *    NAME(x) x with the variant's suffix
 *  Eight lanes are PARTS native vectors; all loops over PARTS and ROWS unroll completely.
 */
#define PARTS (8 / WIDTH)
typedef double NAME(vec) __attribute__((vector_size(8 * WIDTH)));
typedef uint64_t NAME(bits) __attribute__((vector_size(8 * WIDTH)));

TARGET static void NAME(products)(const double *columns, size_t depth, size_t stride, double *g) {
    for (size_t i = 0; i < stride; i += ROWS)
        for (size_t j = i / 8 * 8; j < stride; j += 8) {
            NAME(vec) sum[ROWS][PARTS] = {0};
            const double *column = columns;
            for (size_t k = 0; k < depth; k++, column += stride) {
                const NAME(vec) *b = (const NAME(vec) *)(const void *)(column + j);
                for (size_t r = 0; r < ROWS; r++)
                    for (size_t p = 0; p < PARTS; p++) sum[r][p] += column[i + r] * b[p];
            }
            for (size_t r = 0; r < ROWS; r++) {
                NAME(vec) *to = (NAME(vec) *)(void *)(g + (i + r) * stride + j);
                for (size_t p = 0; p < PARTS; p++) to[p] += sum[r][p];
            }
        }
}

/* exp(x) for x <= 0, NaN kept: x = k ln 2 + r with |r| <= 0.35, Taylor to degree 13 (remainder
 * below 5e-18 of the value), scaled by 2^k in two steps so that results below the normal range are
 * rounded once, as the C library's are. */
TARGET static inline void NAME(exp)(NAME(vec) * value) {
    NAME(vec) x = *value;
    NAME(bits) tiny = (NAME(bits))(x < EXP_LOWEST); /* keeps NaN */
    NAME(vec) lowest = {0};
    lowest += EXP_LOWEST;
    x = (NAME(vec))(((NAME(bits))x & ~tiny) | ((NAME(bits))lowest & tiny));
    NAME(vec) shifted = x * LOG2_E + ROUNDER; /* its low bits are k */
    NAME(vec) k = shifted - ROUNDER;
    NAME(vec) r = x - k * LN2_HIGH;
    r = r - k * LN2_LOW;
    NAME(vec) y = {0};
    y += EXP_SERIES[13];
    for (int d = 12; d >= 0; d--) y = y * r + EXP_SERIES[d];
    NAME(bits) power = (NAME(bits))shifted - ROUNDER_BITS; /* k modulo 2^64, -1077..0 */
    NAME(bits) half = (power + 2048) >> 1;                 /* k/2 + 1024 */
    NAME(bits) rest = power + 1024 - half;                 /* k - k/2 */
    y *= (NAME(vec))((half - 1) << 52);
    *value = y * (NAME(vec))((rest + 1023) << 52);
}

TARGET static void NAME(weights)(const double *d, size_t stride, double beta, double *weight,
                                 double *sum, double *moment) {
    union {
        NAME(vec) part[PARTS];
        double lane[8];
    } s = {.lane = {0}}, m = {.lane = {0}};
    for (size_t j = 0; j < stride; j += 8)
        for (size_t p = 0; p < PARTS; p++) {
            NAME(vec) at = *(const NAME(vec) *)(const void *)(d + j + p * WIDTH);
            NAME(vec) e = at * -beta;
            NAME(exp)(&e);
            *(NAME(vec) *)(void *)(weight + j + p * WIDTH) = e;
            s.part[p] += e;
            m.part[p] += at * e;
        }
    *sum = tree(s.lane);
    *moment = tree(m.lane);
}

/* ln(x) for normal positive x: x = 2^k m with m in [sqrt(1/2), sqrt 2), ln m = 2
 * atanh((m-1)/(m+1)); cop_similarity_log is the same in scalars. */
TARGET static inline void NAME(log)(NAME(vec) * value) {
    NAME(bits) x = (NAME(bits)) * value;
    NAME(bits) above = x - SQRT_HALF_BITS;
    NAME(bits) k = above & ~MANTISSA_BITS; /* exponent in place, modulo 2^64 */
    NAME(vec) m = (NAME(vec))(x - k);
    /* k>>52 as a double without a 64-bit conversion: shift it to be positive, put it into a
     * mantissa */
    NAME(vec)
    exponent = (NAME(vec))(((k + (2048ull << 52)) >> 52) | ROUND52_BITS) - (ROUND52 + 2048);
    NAME(vec) t = (m - 1) / (m + 1), t2 = t * t;
    NAME(vec) y = {0};
    y += LOG_SERIES[LOG_TERMS - 1];
    for (int d = LOG_TERMS - 2; d >= 0; d--) y = y * t2 + LOG_SERIES[d];
    NAME(vec) twice = t + t;
    *value = exponent * LN2_HIGH + (twice + (exponent * LN2_LOW + twice * t2 * y));
}

TARGET static double NAME(divergence)(const double *p, const double *q, size_t count) {
    union {
        NAME(vec) part[PARTS];
        double lane[8];
    } s = {.lane = {0}}, a, b;
    for (size_t j = 0; j < count; j += 8) {
        for (size_t l = 0; l < 8; l++) { /* past the end: 1 ln(1/1) = 0 */
            a.lane[l] = j + l < count ? p[j + l] : 1.0;
            b.lane[l] = j + l < count ? q[j + l] : 1.0;
        }
        for (size_t i = 0; i < PARTS; i++) {
            NAME(vec) ratio = a.part[i] / b.part[i];
            NAME(vec) known = a.part[i] + b.part[i]; /* NaN when either is */
            NAME(log)(&ratio);
            s.part[i] += a.part[i] * ratio + (known - known);
        }
    }
    return tree(s.lane);
}

static const cop_similarity_kernel NAME(kernel) = {TEXT, NAME(products), NAME(weights),
                                                   NAME(divergence)};
#undef PARTS
#undef WIDTH
#undef ROWS
#undef TARGET
#undef NAME
#undef TEXT
