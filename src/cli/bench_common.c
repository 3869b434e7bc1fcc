/* Options, clock and results of the benchmarks. */
#include "bench.h"

#include "coppice/la.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ------------------------------------------------------------------ options */

cop_status cop_bench_count(const cop_args *args, const char *flag, uint64_t low, uint64_t high,
                           uint64_t *value) {
    const char *text = cop_args_get(args, flag);
    if (text && (!cop_parse_u64(text, value) || *value < low || *value > high))
        return cop_fail(COP_E_USAGE, "bench: --%s %s: wanted a whole number from %llu to %llu",
                        flag, text, (unsigned long long)low, (unsigned long long)high);
    return COP_OK;
}

cop_status cop_bench_fraction(const cop_args *args, const char *flag, double *value) {
    const char *text = cop_args_get(args, flag);
    if (text && (!cop_parse_double(text, value) || *value < 0 || *value > 1))
        return cop_fail(COP_E_USAGE, "bench: --%s %s: wanted a number from 0 to 1", flag, text);
    return COP_OK;
}

cop_status cop_bench_values(const cop_args *args, cop_weighting *weighting) {
    const char *text = cop_args_get(args, "values");
    cop_list list = {0};
    cop_status status = COP_OK;
    if (!text) text = "0.5,1,2";
    *weighting = (cop_weighting){.kind = COP_WEIGHTS_SIGNED};
    cop_list_split(&list, text, ",");
    if (!list.count || list.count > COP_VALUES_MAX)
        COP_GO(cop_fail(COP_E_USAGE, "bench: --values %s: wanted 1 to %d numbers", text,
                        COP_VALUES_MAX));
    for (size_t i = 0; i < list.count; i++) {
        double *v = &weighting->value[weighting->values++];
        if (!cop_parse_double(list.items[i], v) || *v <= 0 || (i && *v <= v[-1]))
            COP_GO(cop_fail(COP_E_USAGE, "bench: --values %s: wanted ascending numbers above 0",
                            text));
    }
done:
    cop_list_clear(&list);
    return status;
}

cop_status cop_bench_kernel(const cop_args *args) {
    const char *wanted = cop_args_get(args, "kernel"), *names[16];
    if (!wanted) return COP_OK;
    size_t count = cop_sign_names(names, sizeof names / sizeof *names);
    cop_buf known = {0};
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], wanted) == 0) {
            setenv("COPPICE_KERNEL", wanted, 1);
            cop_buf_clear(&known);
            return COP_OK;
        }
        cop_buf_printf(&known, "%s%s", i ? ", " : "", names[i]);
    }
    cop_status status = cop_fail(COP_E_USAGE, "bench: --kernel %s: this processor can use %s",
                                 wanted, cop_buf_text(&known));
    cop_buf_clear(&known);
    return status;
}

cop_status cop_bench_evaluator(const cop_args *args, const cop_evaluator **evaluator) {
    const char *name = cop_args_get(args, "evaluator");
    *evaluator = cop_evaluator_find(name ? name : "sign");
    if (*evaluator) return COP_OK;
    size_t count;
    const cop_evaluator *const *all = cop_evaluators(&count);
    cop_buf known = {0};
    for (size_t i = 0; i < count; i++) cop_buf_printf(&known, "%s%s", i ? ", " : "", all[i]->name);
    cop_status status = cop_fail(COP_E_USAGE, "bench: --evaluator %s: wanted one of %s", name,
                                 cop_buf_text(&known));
    cop_buf_clear(&known);
    return status;
}

static const cop_bench_net nets[] = {
    {"padawann-cnn", "1x28x28",
     "conv2d(32,3) relu conv2d(64,3) relu maxpool(2) dropout(0.25) flatten dense(128) relu "
     "dropout(0.5) dense(10)"},
    {"padawann-ff", "1x28x28", "relu dense(64) relu dense(10)"}};

cop_status cop_bench_find_net(const cop_args *args, const cop_bench_net **net) {
    const char *name = cop_args_get(args, "net");
    *net = name ? NULL : &nets[0];
    for (size_t i = 0; i < sizeof nets / sizeof *nets && name; i++)
        if (strcmp(name, nets[i].name) == 0) *net = &nets[i];
    if (*net) return COP_OK;
    return cop_fail(COP_E_USAGE, "bench: --net %s: wanted padawann-cnn or padawann-ff", name);
}

/* ------------------------------------------------------------------ time */

double cop_bench_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double cop_bench_median(double *values, size_t count) {
    COP_ASSERT(count > 0);
    qsort(values, count, sizeof *values, by_size);
    return 0.5 * (values[(count - 1) / 2] + values[count / 2]);
}

/* ------------------------------------------------------------------ results */

void cop_bench_text(json_t *result, const char *key, const char *value) {
    json_t *text = json_string(value);
    json_object_set_new(result, key, text ? text : json_string("(not UTF-8)"));
}

void cop_bench_real(json_t *result, const char *key, double value) {
    json_object_set_new(result, key, cop_json_real(value));
}

void cop_bench_int(json_t *result, const char *key, uint64_t value) {
    json_object_set_new(result, key, cop_json_id(value));
}

void cop_bench_add_bounds(json_t *result, const cop_bench_bounds *bounds) {
    cop_bench_real(result, "sgemm_macs_per_s", bounds->sgemm);
    cop_bench_real(result, "copy_bytes_per_s", bounds->copy);
    cop_bench_text(result, "dot_kernel", bounds->dot_kernel);
    cop_bench_real(result, "dot_macs_per_s", bounds->dot);
    cop_bench_real(result, "dot_memory_macs_per_s", bounds->dot_memory);
}

void cop_bench_add_ratio(json_t *result, const char *evaluator, double macs_per_s,
                         const cop_bench_bounds *bounds) {
    bool sign = strcmp(evaluator, "sign") == 0;
    double bound = sign ? bounds->dot : bounds->sgemm;
    cop_bench_real(result, "live_macs_per_s", macs_per_s);
    cop_bench_real(result, "bound", bound);
    cop_bench_text(result, "bound_name", sign ? "dot_macs_per_s" : "sgemm_macs_per_s");
    cop_bench_real(result, "ratio", macs_per_s / bound);
}
