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

static const cop_similarity_kernel NAME(kernel) = {TEXT, NAME(products), NAME(weights),
                                                   NAME(divergence)};
#undef PARTS
#undef WIDTH
#undef ROWS
#undef TARGET
#undef NAME
#undef TEXT
