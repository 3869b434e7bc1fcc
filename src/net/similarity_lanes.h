/** @file similarity_lanes.h
 *  Body of similarity_kernels.c, included once per vector width with
 *    WIDTH   doubles in a native vector (2, 4, 8)
 *    ROWS    samples of a product tile (divides 8)
 *    TARGET  function attribute that enables the instructions
 *    NAME(x) x with the variant's suffix
 *  Eight lanes are PARTS native vectors; all loops over PARTS and ROWS unroll completely.
 */
#define PARTS (8 / WIDTH)
#include "net/exact_lanes.h"

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
            NAME(exp)(&e, 1);
            *(NAME(vec) *)(void *)(weight + j + p * WIDTH) = e;
            s.part[p] += e;
            m.part[p] += at * e;
        }
    *sum = tree(s.lane);
    *moment = tree(m.lane);
}

/* exp by 2^k times a polynomial of degree 6; the compiler cuts 16 lanes into native vectors. */
TARGET static void NAME(rough)(const float *d, size_t count, float beta, float moment[3]) {
    rough_floats s0 = {0}, s1 = {0}, s2 = {0};
    for (size_t j = 0; j < count; j += COP_SIM_ROUGH_LANES) {
        rough_floats at = *(const rough_floats *)(const void *)(d + j);
        rough_floats x = at * -beta;
        x = (rough_floats)((x < ROUGH_LOWEST) & (rough_ints)(x * 0 + ROUGH_LOWEST)) +
            (rough_floats)((x >= ROUGH_LOWEST) & (rough_ints)x);
        rough_floats k = x * (float)LOG2_E + ROUGH_ROUNDER;
        rough_ints power = (rough_ints)k << 23;
        k -= ROUGH_ROUNDER;
        rough_floats r = x - k * ROUGH_LN2_HIGH - k * ROUGH_LN2_LOW;
        rough_floats e = r * (1.0f / 720) + 1.0f / 120;
        e = e * r + 1.0f / 24;
        e = e * r + 1.0f / 6;
        e = e * r + 0.5f;
        e = e * r + 1;
        e = e * r + 1;
        e = (rough_floats)((rough_ints)e + power);
        s0 += e;
        s1 += at * e;
        s2 += at * at * e;
    }
    moment[0] = moment[1] = moment[2] = 0;
    for (size_t l = 0; l < COP_SIM_ROUGH_LANES; l++) {
        moment[0] += s0[l];
        moment[1] += s1[l];
        moment[2] += s2[l];
    }
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
            NAME(log)(&ratio, 0);
            s.part[i] += a.part[i] * ratio + (known - known);
        }
    }
    return tree(s.lane);
}

static const cop_similarity_kernel NAME(kernel) = {TEXT, NAME(products), NAME(weights), NAME(rough),
                                                   NAME(divergence)};
#undef PARTS
#undef WIDTH
#undef ROWS
#undef TARGET
#undef NAME
#undef TEXT
