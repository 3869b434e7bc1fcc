/** @file similarity_lanes.h
 *  Body of similarity_kernels.c, included once per vector width with
 *    WIDTH   doubles in a native vector (2, 4, 8)
 *    TARGET  function attribute that enables the instructions
 *    NAME(x) x with the variant's suffix
 *  Eight lanes are PARTS native vectors; all loops over PARTS and ROWS unroll completely.
 */
#define PARTS (8 / WIDTH)
#define ROWS WIDTH /* samples of a product tile (divides 8) */
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

TARGET static size_t NAME(varied)(const double *units, size_t count, size_t n, size_t stride,
                                  double *columns) {
    size_t packed = 0;
    for (size_t k = 0; k < count; k++) {
        const double *unit = units + k * stride;
        NAME(vec) *to = (NAME(vec) *)(void *)(columns + packed * stride), first = {0};
        NAME(bits) differs = {0};
        bool varies = false;
        first += unit[0];
        for (size_t j = 0; j < stride; j += WIDTH) {
            NAME(vec) at = *(const NAME(vec) *)(const void *)(unit + j);
            if (j + WIDTH <= n) differs |= (NAME(bits))(at != first);
            to[j / WIDTH] = at;
        }
        for (size_t i = n / WIDTH * WIDTH; i < n; i++) varies |= unit[i] != unit[0];
        for (size_t l = 0; l < WIDTH; l++) varies |= differs[l] != 0;
        packed += varies;
    }
    return packed;
}

TARGET static size_t NAME(apart)(double *g, size_t n, size_t stride, double *norm) {
    size_t near = 0;
    for (size_t i = 0; i < stride; i++) norm[i] = g[i * stride + i];
    for (size_t i = 0; i < n; i++) {
        double *row = g + i * stride;
        size_t j = i + 1;
        int64_t below = 0;
        for (; j % 8 && j < n; j++) {
            double norms = norm[i] + norm[j];
            row[j] = norms - 2 * row[j];
            below += row[j] < norms * 0x1p-20;
        }
        NAME(bits) seen[PARTS] = {0};
        for (; j + 8 <= n; j += 8)
            for (size_t p = 0; p < PARTS; p++) {
                NAME(vec) *to = (NAME(vec) *)(void *)(row + j + p * WIDTH);
                NAME(vec) norms = norm[i] + *(NAME(vec) *)(void *)(norm + j + p * WIDTH);
                *to = norms - 2 * *to;
                seen[p] -= (NAME(bits))(*to < norms * 0x1p-20);
            }
        for (; j < n; j++) {
            double norms = norm[i] + norm[j];
            row[j] = norms - 2 * row[j];
            below += row[j] < norms * 0x1p-20;
        }
        for (size_t p = 0; p < PARTS; p++)
            for (size_t l = 0; l < WIDTH; l++) below += (int64_t)seen[p][l];
        near += (size_t)below;
    }
    return near;
}

TARGET static void NAME(mirror)(double *d, size_t n, size_t stride) {
    for (size_t i = 0; i < n; i++) {
        d[i * stride + i] = DBL_MAX;
        for (size_t j = n; j < stride; j++) d[i * stride + j] = DBL_MAX;
    }
    for (size_t i = 0; i < stride; i += 8)
        for (size_t j = i; j < stride; j += 8)
            for (size_t r = 0; r < 8; r++)
                for (size_t c = i == j ? r + 1 : 0; c < 8; c++)
                    d[(j + c) * stride + i + r] = d[(i + r) * stride + j + c];
}

TARGET static void NAME(scaled)(const double *d, size_t stride, float far, float *rough,
                                size_t count, double *least, double *mean) {
    union {
        NAME(vec) part[PARTS];
        double lane[8];
    } low, sum = {.lane = {0}};
    union {
        NAME(bits) part[PARTS];
        uint64_t lane[8];
    } real = {.lane = {0}};
    NAME(vec) most = {0};
    most += DBL_MAX;
    for (size_t p = 0; p < PARTS; p++) low.part[p] = most;
    for (size_t j = 0; j < stride; j += 8)
        for (size_t p = 0; p < PARTS; p++) {
            NAME(vec) at = *(const NAME(vec) *)(const void *)(d + j + p * WIDTH);
            NAME(bits) below = (NAME(bits))(at < low.part[p]), finite = (NAME(bits))(at < most);
            low.part[p] =
                (NAME(vec))(((NAME(bits))at & below) | ((NAME(bits))low.part[p] & ~below));
            sum.part[p] += (NAME(vec))((NAME(bits))at & finite);
            real.part[p] -= finite;
        }
    uint64_t finite = 0;
    for (size_t l = 0; l < 8; l++) {
        low.lane[0] = low.lane[l] < low.lane[0] ? low.lane[l] : low.lane[0];
        finite += real.lane[l];
    }
    *least = low.lane[0];
    *mean = tree(sum.lane) / (double)finite - low.lane[0];
    const double from = low.lane[0], scale = 1 / *mean;
    for (size_t j = 0; j < stride; j += WIDTH) {
        NAME(vec) at = *(const NAME(vec) *)(const void *)(d + j);
        NAME(bits) there = (NAME(bits))(at < most);
        NAME(vec) x = (at - from) * scale, none = {0};
        none += (double)far;
        x = (NAME(vec))(((NAME(bits))x & there) | ((NAME(bits))none & ~there));
        for (size_t l = 0; l < WIDTH; l++) rough[j + l] = (float)x[l];
    }
    for (size_t j = stride; j < count; j++) rough[j] = far;
}

TARGET static void NAME(share)(double *restrict d, const double *restrict weight, size_t stride,
                               double sum) {
    for (size_t j = 0; j < stride; j++) d[j] = weight[j] / sum;
}

TARGET static void NAME(pairs)(const double *restrict d, size_t i, size_t n, size_t stride,
                               double *restrict to) {
    for (size_t j = i + 1; j < n; j++) to[j - i - 1] = d[i * stride + j] + d[j * stride + i];
}

TARGET static void NAME(floored)(double *p, size_t count, double total, double least) {
    for (size_t k = 0; k < count; k++) {
        double share = p[k] / total;
        p[k] = share < least ? least : share;
    }
}

/* Eights of lanes whose exponentials are computed side by side. */
#define EIGHTS (EXACT_CHAINS / PARTS ? EXACT_CHAINS / PARTS : 1)

TARGET static inline __attribute__((always_inline)) void NAME(weigh)(const double *d, double beta,
                                                                     double *weight, NAME(vec) * s,
                                                                     NAME(vec) * m, size_t eights) {
    const NAME(vec) *at = (const NAME(vec) *)(const void *)d;
    NAME(vec) *to = (NAME(vec) *)(void *)weight, e[EIGHTS * PARTS];
    for (size_t k = 0; k < eights * PARTS; k++) e[k] = at[k] * -beta;
    NAME(exp)(e, eights * PARTS);
    for (size_t k = 0; k < eights * PARTS; k++) {
        to[k] = e[k];
        s[k % PARTS] += e[k];
        m[k % PARTS] += at[k] * e[k];
    }
}

TARGET static void NAME(weights)(const double *d, size_t stride, double beta, double *weight,
                                 double *sum, double *moment) {
    union {
        NAME(vec) part[PARTS];
        double lane[8];
    } s = {.lane = {0}}, m = {.lane = {0}};
    size_t j = 0;
    for (; j + EIGHTS * 8 <= stride; j += EIGHTS * 8)
        NAME(weigh)(d + j, beta, weight + j, s.part, m.part, EIGHTS);
    for (; j < stride; j += 8) NAME(weigh)(d + j, beta, weight + j, s.part, m.part, 1);
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
    moment[0] = rough_tree(&s0);
    moment[1] = rough_tree(&s1);
    moment[2] = rough_tree(&s2);
}

TARGET static double NAME(divergence)(const double *p, const double *q, size_t count) {
    union {
        NAME(vec) part[PARTS];
        double lane[8];
    } s = {.lane = {0}}, a, b;
    for (size_t j = 0; j < count; j += 8) {
        if (j + 8 <= count) {
            memcpy(a.lane, p + j, sizeof a.lane);
            memcpy(b.lane, q + j, sizeof b.lane);
        } else {
            for (size_t l = 0; l < 8; l++) { /* past the end: 1 ln(1/1) = 0 */
                a.lane[l] = j + l < count ? p[j + l] : 1.0;
                b.lane[l] = j + l < count ? q[j + l] : 1.0;
            }
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

static const cop_similarity_kernel NAME(kernel) = {
    TEXT,        NAME(products), NAME(varied),  NAME(apart),   NAME(mirror), NAME(scaled),
    NAME(share), NAME(pairs),    NAME(floored), NAME(weights), NAME(rough),  NAME(divergence)};
#undef PARTS
#undef EIGHTS
#undef WIDTH
#undef ROWS
#undef TARGET
#undef NAME
#undef TEXT
