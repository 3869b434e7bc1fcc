/** @file unit_kernels.h
 *  Sigmoids and softplus of rows of numbers, compiled for several vector widths. All variants do
 *  the double operations of the formulas here in the same order, without fused multiply-add and
 *  with exp and log of net/exact_math.h: the same bits on every machine.
 */
#ifndef COPPICE_TRAIN_UNIT_KERNELS_H
#define COPPICE_TRAIN_UNIT_KERNELS_H

#include "coppice/base.h"

typedef struct cop_unit_kernel {
    const char *name;
    /** to[i] = 1 / (1 + exp(-x)), x = scale in[i] + shift, as exp(x) / (1 + exp(x)) below 0;
     * (count) each, a multiple of 16. */
    void (*sigmoid)(const float *in, size_t count, double scale, double shift, double *to);
    /** to[i] += ln(1 + exp(x)) = max(x, 0) + ln(1 + exp(-|x|)), x = scale in[i]; likewise. NaN in,
     * NaN out. */
    void (*softplus)(const float *in, size_t count, double scale, double *to);
} cop_unit_kernel;

/** Those that this processor can run, best last. */
const cop_unit_kernel *const *cop_unit_kernels(size_t *count);

#endif
