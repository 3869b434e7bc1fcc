/** @file generation.h  The children of one generation, bred and evaluated on the farm. */
#ifndef COPPICE_RUN_GENERATION_H
#define COPPICE_RUN_GENERATION_H

#include "experiment.h"

/** On rank 0: breed @p recipes (count) at every worker, evaluate them on all shards and make their
 * measures. What comes out does not depend on the cut into units, which follows from @p workers and
 * [parallel] block.
 *  @p idle (may be NULL), @p user: called at least every 100 ms; a failure abandons the generation.
 *  @p measures (count, M): filled on COP_OK. */
cop_status cop_generation_evaluate(const cop_experiment *experiment, cop_farm *farm, size_t workers,
                                   const cop_recipe *recipes, size_t count, cop_farm_idle idle,
                                   void *user, double *measures);

/** What a unit's result says, for people (cop_farm_work.describe). */
void cop_generation_describe(const void *result, size_t length, cop_buf *text);

#endif
