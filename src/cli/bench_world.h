/** @file bench_world.h  PADAWANN's genetic algorithm on drawn images, in this process: what the
 *  benchmark of a generation is about. */
#ifndef COPPICE_CLI_BENCH_WORLD_H
#define COPPICE_CLI_BENCH_WORLD_H

#include "bench.h"
#include "run/experiment.h"

/** Its configuration but for network, tasks and sizes: the composition of configs/base/ga.ini (a
 * test keeps the two alike). */
extern const char cop_bench_ga[];

typedef struct cop_bench_world {
    const cop_bench_net *net;
    uint64_t population, generation, samples;
    uint64_t fitness_samples; /**< what the generations before are judged on */
    const char *values;       /**< as [evaluate] values */
    const char *evaluator;
    cop_experiment breeding; /**< with the few samples that breed the population */
    cop_experiment timed;    /**< the same search on all samples */
    cop_recipe **recipes;    /**< by generation, 0..generation: all that were ever born */
    size_t *births;          /**< (generation + 1) */
    uint64_t **keep; /**< (generation): who lives on after it; the last ones are the parents */
    size_t *kept;
} cop_bench_world;

/** Load both sets, train (or find) the base network, search for `generation` generations and ask
 * for the children of the next one. */
cop_status cop_bench_world_create(cop_bench_world *world, const cop_par *par);
void cop_bench_world_clear(cop_bench_world *world);
/** A new worker with all samples that has lived through the generations before, without evaluating
 * anybody. */
cop_status cop_bench_world_worker(const cop_bench_world *world, const cop_par *par,
                                  cop_worker **worker);

#endif
