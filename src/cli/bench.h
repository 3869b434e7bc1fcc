/** @file bench.h  What the benchmarks of `coppice bench` share. */
#ifndef COPPICE_CLI_BENCH_H
#define COPPICE_CLI_BENCH_H

#include "coppice/cli.h"
#include "coppice/la.h"
#include "coppice/report.h"

/** One benchmark: a row of bench_list.h. */
typedef struct cop_bench {
    const char *name, *summary;
    const char *uses; /**< options it takes beside --json and --csv, blank-separated */
    /** Measure; @p result is an empty object to fill: keys in the order of printing, numbers and
     * texts; "rows" may be an array of flat objects with equal keys. Keys stand in
     * docs/benchmarks.md. */
    cop_status (*run)(const cop_args *args, cop_par *par, json_t *result);
} cop_bench;
#define COP_BENCH(name) extern const cop_bench cop_bench_##name;
#include "bench_list.h"
#undef COP_BENCH

/* ------------------------------------------------------------------ options */

/** A whole number in [low, high]; @p value keeps what it has when the option is not given. */
cop_status cop_bench_count(const cop_args *args, const char *flag, uint64_t low, uint64_t high,
                           uint64_t *value);
/** A number in [0, 1]; likewise. */
cop_status cop_bench_fraction(const cop_args *args, const char *flag, double *value);
/** --values: shared weights, 0.5,1,2 when not given. */
cop_status cop_bench_values(const cop_args *args, cop_weighting *weighting);
/** --kernel: from now on `sign` uses that variant. */
cop_status cop_bench_kernel(const cop_args *args);
/** --evaluator, sign when not given. */
cop_status cop_bench_evaluator(const cop_args *args, const cop_evaluator **evaluator);

/** A network of --net. */
typedef struct cop_bench_net {
    const char *name, *input, *layers;
} cop_bench_net;
/** --net, padawann-cnn when not given. */
cop_status cop_bench_find_net(const cop_args *args, const cop_bench_net **net);

/* ------------------------------------------------------------------ time */

/** Processor time of this process in seconds: what one core spends, whatever else the machine is
 * doing. */
double cop_bench_clock(void);
/** Median of @p count numbers, which are sorted on the way. */
double cop_bench_median(double *values, size_t count);

/* ------------------------------------------------------------------ the machine's bounds */

/** Measured in the same process as what is compared with them; the best of several tries, as other
 * programs only slow down. */
typedef struct cop_bench_bounds {
    double sgemm;      /**< float multiply-adds per second: 512^3, BLAS, one thread */
    double copy;       /**< bytes read plus bytes written per second, far larger than any cache */
    double dot;        /**< multiply-adds per second of 16-bit pairs, from registers */
    double dot_memory; /**< with one operand of each from the first-level cache */
    const char *dot_kernel; /**< the variant that these two were measured with */
} cop_bench_bounds;
/** @p kernel: variant of the sign kernels; NULL: the fastest. */
void cop_bench_measure_bounds(const char *kernel, cop_bench_bounds *bounds);
/** The first of them alone. */
double cop_bench_sgemm_peak(void);
/** Only the two integer ones. */
void cop_bench_measure_dot(const char *kernel, cop_bench_bounds *bounds);

/** Multiply-adds per second of a sparse kernel where nothing but its instructions holds it up: a
 * list that reads the same 48 inputs of 8 vectors (24 KiB) again and again. */
double cop_bench_kernel_peak(const cop_sparse_ops *ops);

/* ------------------------------------------------------------------ results */

void cop_bench_text(json_t *result, const char *key, const char *value);
void cop_bench_real(json_t *result, const char *key, double value);
void cop_bench_int(json_t *result, const char *key, uint64_t value);
/** Keys sgemm_macs_per_s, copy_bytes_per_s, dot_kernel, dot_macs_per_s, dot_memory_macs_per_s. */
void cop_bench_add_bounds(json_t *result, const cop_bench_bounds *bounds);
/** Keys live_macs_per_s, bound, bound_name and ratio: against the integer dot product for the
 * evaluator `sign`, against sgemm for the others. */
void cop_bench_add_ratio(json_t *result, const char *evaluator, double macs_per_s,
                         const cop_bench_bounds *bounds);

#endif
