/** @file score_lanes.h
 *  Body of score_kernels.c, included once per vector width with WIDTH, TARGET and NAME as in
 *  exact_lanes.h, and
 *    TEXT    the variant's name
 *  Sixteen lanes are PARTS native vectors; all loops over PARTS unroll completely.
 *
 *  Cost: 45 vector operations per class and native vector, 26 of them the exponential's series.
 */
#include "net/exact_lanes.h"
#define PARTS (16 / WIDTH)
#define CHAINS (PARTS < EXACT_CHAINS ? PARTS : EXACT_CHAINS) /* parts at a time */
#define STEP (EXACT_CHAINS / CHAINS)                         /* classes at a time */
typedef int64_t NAME(ints) __attribute__((vector_size(8 * WIDTH)));

/* (double)i * factor. The conversion rounds once, like the language's: the halves become doubles of
 * 2^84 and of 2^52 in their mantissas, exactly, and the one sum that is not exact is the last. */
TARGET static inline void NAME(real)(const NAME(ints) * i, double factor, NAME(vec) * out) {
    NAME(bits) low = ((NAME(bits)) * i & 0xffffffffu) | ROUND52_BITS;
    NAME(bits) high = ((NAME(bits)) * i >> 32) ^ 0x4530000080000000u; /* sign bit flipped: + 2^63 */
    NAME(vec) upper = (NAME(vec))high - (0x1p84 + 0x1p63 + 0x1p52);
    *out = (upper + (NAME(vec))low) * factor;
}

/* Add exp(logit - top) of @p step classes to the sums of CHAINS parts, class after class. */
TARGET static inline __attribute__((always_inline)) void
NAME(exponentials)(const NAME(ints) * in, double factor, const NAME(vec) * top, NAME(vec) * sum,
                   size_t step) {
    NAME(vec) z[EXACT_CHAINS];
    for (size_t s = 0; s < step; s++)
        for (size_t p = 0; p < CHAINS; p++) {
            NAME(vec) *one = &z[s * CHAINS + p];
            NAME(real)(&in[s * PARTS + p], factor, one);
            *one -= top[p];
        }
    NAME(exp)(z, step * CHAINS);
    for (size_t s = 0; s < step; s++)
        for (size_t p = 0; p < CHAINS; p++) sum[p] += z[s * CHAINS + p];
}

TARGET static void NAME(score)(const int64_t *logit, size_t classes, double factor,
                               const int32_t *label, size_t n, uint16_t *prediction,
                               uint64_t *correct, double *loss) {
    const NAME(ints) *in = (const NAME(ints) *)(const void *)logit;
    union {
        NAME(ints) part[PARTS];
        int64_t lane[16];
    } best = {.lane = {0}}, own = {.lane = {0}};
    union {
        NAME(vec) part[PARTS];
        double lane[16];
    } result;
    bool far = !isfinite(factor * 0x1p63);
    NAME(ints) most[PARTS];
    NAME(vec) top[PARTS], sum[PARTS];
    for (size_t p = 0; p < PARTS; p++) most[p] = in[p];
    for (size_t k = 1; k < classes; k++)
        for (size_t p = 0; p < PARTS; p++) {
            NAME(ints) z = in[k * PARTS + p], above = z > most[p];
            most[p] = (z & above) | (most[p] & ~above);
            best.part[p] = ((int64_t)k & above) | (best.part[p] & ~above);
        }
    /* rounding and a factor that is not negative keep the order: the largest integer is the largest
     * logit */
    for (size_t p = 0; p < PARTS; p++) {
        NAME(real)(&most[p], factor, &top[p]);
        sum[p] = (NAME(vec)){0};
    }
    size_t k = 0;
    for (; k + STEP <= classes; k += STEP)
        for (size_t p = 0; p < PARTS; p += CHAINS)
            NAME(exponentials)(in + k * PARTS + p, factor, top + p, sum + p, STEP);
    for (; k < classes; k++)
        for (size_t p = 0; p < PARTS; p += CHAINS)
            NAME(exponentials)(in + k * PARTS + p, factor, top + p, sum + p, 1);
    for (size_t l = 0; l < n; l++) own.lane[l] = logit[(size_t)label[l] * 16 + l];
    for (size_t p = 0; p < PARTS; p++) {
        NAME(vec) z;
        NAME(real)(&own.part[p], factor, &z);
        NAME(log)(&sum[p], 0);
        result.part[p] = sum[p] + (top[p] - z);
    }
    for (size_t l = 0; l < n; l++) {
        *correct += best.lane[l] == label[l];
        *loss += far && overflows(logit + l, classes, factor) ? (double)INFINITY : result.lane[l];
        if (prediction) prediction[l] = (uint16_t)best.lane[l];
    }
}

/* The same from logits in double that are all finite. */
TARGET static inline __attribute__((always_inline)) void
NAME(real_exponentials)(const NAME(vec) * in, const NAME(vec) * top, NAME(vec) * sum, size_t step) {
    NAME(vec) z[EXACT_CHAINS];
    for (size_t s = 0; s < step; s++)
        for (size_t p = 0; p < CHAINS; p++) z[s * CHAINS + p] = in[s * PARTS + p] - top[p];
    NAME(exp)(z, step * CHAINS);
    for (size_t s = 0; s < step; s++)
        for (size_t p = 0; p < CHAINS; p++) sum[p] += z[s * CHAINS + p];
}

TARGET static void NAME(score_reals)(const double *logit, size_t classes, const int32_t *label,
                                     size_t n, uint16_t *prediction, uint64_t *correct,
                                     double *loss) {
    const NAME(vec) *in = (const NAME(vec) *)(const void *)logit;
    union {
        NAME(ints) part[PARTS];
        int64_t lane[16];
    } best = {.lane = {0}};
    union {
        NAME(vec) part[PARTS];
        double lane[16];
    } result, own = {.lane = {0}};
    NAME(vec) top[PARTS], sum[PARTS];
    for (size_t p = 0; p < PARTS; p++) {
        top[p] = in[p];
        sum[p] = (NAME(vec)){0};
    }
    for (size_t k = 1; k < classes; k++)
        for (size_t p = 0; p < PARTS; p++) {
            NAME(vec) z = in[k * PARTS + p];
            NAME(ints) above = z > top[p];
            top[p] = (NAME(vec))(((NAME(ints))z & above) | ((NAME(ints))top[p] & ~above));
            best.part[p] = ((int64_t)k & above) | (best.part[p] & ~above);
        }
    size_t k = 0;
    for (; k + STEP <= classes; k += STEP)
        for (size_t p = 0; p < PARTS; p += CHAINS)
            NAME(real_exponentials)(in + k * PARTS + p, top + p, sum + p, STEP);
    for (; k < classes; k++)
        for (size_t p = 0; p < PARTS; p += CHAINS)
            NAME(real_exponentials)(in + k * PARTS + p, top + p, sum + p, 1);
    for (size_t l = 0; l < n; l++) own.lane[l] = logit[(size_t)label[l] * 16 + l];
    for (size_t p = 0; p < PARTS; p++) {
        NAME(log)(&sum[p], 0);
        result.part[p] = sum[p] + (top[p] - own.part[p]);
    }
    for (size_t l = 0; l < n; l++) {
        *correct += best.lane[l] == label[l];
        *loss += result.lane[l];
        if (prediction) prediction[l] = (uint16_t)best.lane[l];
    }
}

static const cop_score_kernel NAME(kernel) = {TEXT, NAME(score), NAME(score_reals)};
#undef PARTS
#undef CHAINS
#undef STEP
#undef WIDTH
#undef TARGET
#undef NAME
#undef TEXT
