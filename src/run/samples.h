/** @file samples.h
 *  Which samples a generation is judged on: all, shard by shard, or ([evaluate] draw) some new
 *  batches of each task. A function of configuration, seed and generation, on every rank.
 */
#ifndef COPPICE_RUN_SAMPLES_H
#define COPPICE_RUN_SAMPLES_H

#include "experiment.h"

/** recipe->born of the copies that name the best of the last population; no generation has it. */
#define COP_BORN_FINAL UINT32_MAX

/** With draw: batches of a task with that many @p samples that are judged on where @p wanted are
 * asked for, at most those of a pass over its subset; a task that does not fill one has none. */
size_t cop_samples_batches(const cop_conf *conf, size_t samples, size_t batch, size_t wanted);
/** Batches asked for to judge the last population again: [evaluate] final, SIZE_MAX for all. */
size_t cop_samples_last(const cop_conf *conf);

/** Shards of that generation; with draw each is one batch. */
size_t cop_samples_count(const cop_experiment *experiment, uint32_t generation);
/** Task of a shard below that count. */
size_t cop_samples_task(const cop_experiment *experiment, uint32_t generation, size_t shard);

typedef struct cop_samples cop_samples;
cop_samples *cop_samples_create(const cop_experiment *experiment);
void cop_samples_destroy(cop_samples *samples);
/** Borrowed until the next call. */
const cop_shard *cop_samples_shard(cop_samples *samples, uint32_t generation, size_t shard);

#endif
