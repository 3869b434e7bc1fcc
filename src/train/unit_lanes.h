/** @file unit_lanes.h
 *  Body of unit_kernels.c, included once per vector width with WIDTH, TARGET and NAME as in
 *  exact_lanes.h, and TEXT, the variant's name. Sixteen lanes at a time.
 */
#include "net/exact_lanes.h"
#define PARTS (16 / WIDTH)
#define CHAINS (PARTS < EXACT_CHAINS ? PARTS : EXACT_CHAINS)

/* x = scale in + shift and e = exp(-|x|) of CHAINS vectors. */
TARGET static inline __attribute__((always_inline)) void
NAME(exponentials)(const float *in, double scale, double shift, NAME(vec) * x, NAME(vec) * e) {
    for (size_t c = 0; c < CHAINS; c++) {
        for (size_t l = 0; l < WIDTH; l++) x[c][l] = (double)in[c * WIDTH + l];
        x[c] = x[c] * scale + shift;
        e[c] = (NAME(vec))((NAME(bits))x[c] | SIGN_BIT);
    }
    NAME(exp)(e, CHAINS);
}

TARGET static void NAME(sigmoid)(const float *in, size_t count, double scale, double shift,
                                 double *to) {
    NAME(vec) x[CHAINS], e[CHAINS];
    for (size_t i = 0; i < count; i += CHAINS * WIDTH) {
        NAME(exponentials)(in + i, scale, shift, x, e);
        for (size_t c = 0; c < CHAINS; c++) {
            NAME(bits) below = (NAME(bits))(x[c] < 0);
            NAME(vec) one = {0};
            one += 1;
            one = (NAME(vec))(((NAME(bits))e[c] & below) | ((NAME(bits))one & ~below)) / (1 + e[c]);
            memcpy(to + i + c * WIDTH, &one, sizeof one);
        }
    }
}

TARGET static void NAME(softplus)(const float *in, size_t count, double scale, double *to) {
    NAME(vec) x[CHAINS], e[CHAINS], sum;
    for (size_t i = 0; i < count; i += CHAINS * WIDTH) {
        NAME(exponentials)(in + i, scale, 0, x, e);
        for (size_t c = 0; c < CHAINS; c++) {
            NAME(vec) ln = 1 + e[c]; /* from 1 to 2: a normal number; NaN does not survive log */
            NAME(log)(&ln, 0);
            NAME(bits) above = (NAME(bits))(x[c] > 0) | (NAME(bits))(x[c] != x[c]);
            memcpy(&sum, to + i + c * WIDTH, sizeof sum);
            sum += (NAME(vec))((NAME(bits))x[c] & above) + ln;
            memcpy(to + i + c * WIDTH, &sum, sizeof sum);
        }
    }
}

static const cop_unit_kernel NAME(kernel) = {TEXT, NAME(sigmoid), NAME(softplus)};

#undef PARTS
#undef CHAINS
#undef WIDTH
#undef TARGET
#undef NAME
#undef TEXT
