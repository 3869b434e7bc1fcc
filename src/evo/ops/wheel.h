/** @file wheel.h
 *  The wheel that roulette and softmax selection spin.
 */
#ifndef COPPICE_EVO_WHEEL_H
#define COPPICE_EVO_WHEEL_H

#include "coppice/op.h"

/** Index in [0, count) with probability weight[i] / sum; uniform when all weights are 0. Weights
 * are finite and not negative, and so is their sum. One draw. */
size_t cop_wheel_spin(const double *weight, size_t count, cop_rng *rng);

#endif
