/** @file bench_rival.h  An outside program timed on the same work (--compare-with). */
#ifndef COPPICE_CLI_BENCH_RIVAL_H
#define COPPICE_CLI_BENCH_RIVAL_H

#include "bench.h"

/** The work that the program is to do, as it is told. */
typedef struct cop_bench_spec {
    const char *net;
    const cop_weighting *weighting;
    double density;
    uint64_t samples, individuals;
} cop_bench_spec;

typedef struct cop_bench_rival cop_bench_rival;

/** NULL when --compare-with is not given. Else the command split at blanks, nothing else being
 * special to it (no shell sees it), with {net}, {density}, {values}, {samples} and {individuals}
 * replaced; the same are in the environment from now on. @p repeat: times it will be run at most.
 * COP_E_USAGE for an empty command. */
cop_status cop_bench_rival_create(const cop_args *args, const cop_bench_spec *spec, size_t repeat,
                                  cop_bench_rival **rival);
void cop_bench_rival_destroy(cop_bench_rival *rival); /**< NULL is allowed */
/** Run it once (nothing for NULL) and read what it says: the last line of its standard output, a
 * JSON object with samples_x_values_per_s, or else with seconds. COP_E_IO when it cannot be started
 * or fails; COP_E_FORMAT when it says something else. */
cop_status cop_bench_rival_run(cop_bench_rival *rival);
/** Keys compare_with, compare_name, compare_seconds, compare_samples_x_values_per_s and
 * compare_ratio (its median over ours, @p seconds). Nothing for NULL. */
void cop_bench_rival_report(cop_bench_rival *rival, double seconds, json_t *result);

#endif
