/** @file optimiser.h
 *  An optimiser: one cop_optimiser in src/train/optimiser_<name>.c and one line in
 * src/train/list.h.
 */
#ifndef COPPICE_TRAIN_OPTIMISER_H
#define COPPICE_TRAIN_OPTIMISER_H

#include "coppice/train.h"

#define COP_OPTIMISER_ARRAYS 2

/** Settings of a step; each optimiser uses those that it knows. */
typedef struct cop_hyper {
    double rate, momentum, weight_decay, rho, beta1, beta2, epsilon;
    uint64_t step; /**< 1 for the first */
} cop_hyper;

typedef struct cop_optimiser {
    double rate, epsilon; /**< used when [base] leaves them at 0 */
    size_t arrays;        /**< numbers remembered for each parameter */
    /** Move @p count parameters @p w along the gradient @p g. @p memory: arrays of @p count, zeros
     * before the first step. */
    void (*step)(const cop_hyper *hyper, size_t count, float *w, const float *g,
                 float *const memory[COP_OPTIMISER_ARRAYS]);
} cop_optimiser;

/** NULL if unknown. */
const cop_optimiser *cop_optimiser_find(const char *name);

/** A remembered average below this counts as 0. It is far below what any epsilon lets through, and
 * keeps the averages of parameters that no longer move out of the slow denormal numbers. */
#define COP_FORGET 1e-30f

/** Learning rate of @p epoch (0 first) under [base] schedule @p name:
 *  constant r; exponential r d^e; step r d^floor(e/s); cosine r (1 + cos(pi e/E))/2. */
double cop_schedule_rate(const char *name, double rate, double decay, size_t step, size_t epoch,
                         size_t epochs);

#endif
