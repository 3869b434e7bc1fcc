/** @file eval_dense_rows.h
 *  Chains of dense layers with ReLU or nothing between them, samples innermost, for `dense`. The
 *  first layer is computed in pieces of its rows. Individuals of one population share most of
 *  those, whatever they were crossed from, and a piece that has been seen on a batch is not
 *  computed again. The sums are the same either way: of a piece from 0, input by input, fused;
 *  then the bias and the pieces in order. So results are the same bits on every processor, and
 *  depend on no other individual.
 */
#ifndef COPPICE_NET_EVAL_DENSE_ROWS_H
#define COPPICE_NET_EVAL_DENSE_ROWS_H

#include "coppice/net.h"

typedef struct cop_rows cop_rows;

/** Whether the network is such a chain. */
bool cop_rows_can(const cop_model *model);
/** COP_E_CONFIG if the environment names no kernel. @p setup: a chain; borrowed. */
cop_status cop_rows_create(cop_rows **rows, const cop_eval_setup *setup);
void cop_rows_destroy(cop_rows *rows);
size_t cop_rows_bytes(const cop_eval_setup *setup);
/** From now on the batch is @p x (n, D), n at most setup->batch. What is known of the batch before
 * is kept if it is the same. */
void cop_rows_batch(cop_rows *rows, const float *x, size_t n);
/** All layers for one individual; @p units: of its mask. */
void cop_rows_forward(cop_rows *rows, const cop_genome *genome, const cop_dense *units);
/** Activations of weighted layer number @p k (behind its ReLU) of the last individual:
 * (its width, *stride), samples innermost; those behind the batch are of no sample. */
const float *cop_rows_output(const cop_rows *rows, size_t k, size_t *stride);

#endif
