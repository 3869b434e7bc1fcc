/** @file front.h
 *  Layers in front of a network of live edges: convolutions, pooling, dropout and what else
 * [network] layers may be. They have all their edges and keep them. Products by BLAS, so results
 * carry its rounding; samples are rows here, (n, D), and are turned where the live edges begin.
 */
#ifndef COPPICE_TRAIN_FRONT_H
#define COPPICE_TRAIN_FRONT_H

#include "coppice/net.h"
#include "la/train.h"

typedef struct cop_front {
    const cop_model *model; /**< borrowed */
    size_t batch;
    cop_params params, slope; /**< slope: borrowed places for the gradients */
    cop_params m, v;          /**< memory of the optimiser (v: adam only) */
    cop_net_work *work;
    float *x;         /**< (batch, D) */
    const float **of; /**< (batch) what the front made of each sample */
} cop_front;

/** First weights are drawn; biases are 0. COP_E_MEMORY. */
cop_status cop_front_create(cop_front **front, const cop_model *model, size_t batch, bool adam);
void cop_front_destroy(cop_front *front);
/** How many gradients it has, in whole vectors of 16; where they go (borrowed). */
size_t cop_front_slopes(const cop_model *model);
void cop_front_slopes_at(cop_front *front, float *where);
/** Bytes of parameters, optimiser's memory and workspace. */
size_t cop_front_bytes(const cop_model *model, size_t batch, bool adam);

/** @p rows (n) of samples; returns (n) rows of classes numbers, borrowed. @p key NULL: inference.
 */
const float *const *cop_front_forward(cop_front *front, const float *const *rows, size_t n,
                                      const cop_dropout_key *key);
/** From the gradient by what the last forward pass gave, (classes, S) with S = @p stride samples to
 * a row, to those of the parameters (overwritten). */
void cop_front_backward(cop_front *front, const float *gradient, size_t n, size_t stride);
/** The optimiser forgets all that it remembers. */
void cop_front_forget(cop_front *front);
/** Adds parameters and what the optimiser remembers to @p hash. */
void cop_front_hash(const cop_front *front, cop_hash *hash);

#endif
