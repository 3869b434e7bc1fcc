/* coppice bench kernels: every variant of the integer kernels on the layers of PADAWANN's networks,
 * each layer by itself, through the evaluator `sign`. */
#include "bench.h"

#include "coppice/la.h"

#include <stdlib.h>
#include <string.h>

/* One layer and as little else as a network can have: its edges are nearly all of the work. */
static const struct shape {
    const char *name, *input, *layers;
} shapes[] = {
    {"conv1", "1x28x28", "conv2d(32,3) relu maxpool(26) dense(10)"},
    {"conv2", "32x26x26", "conv2d(64,3) relu maxpool(24) dense(10)"},
    {"dense1", "9216", "dense(128) relu dense(10)"},
    {"dense-ff", "784", "dense(64) relu dense(10)"},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Largest input on the integer grid: these take 16-bit, 32-bit and (where enough edges are live)
 * 64-bit sums of the kernels. */
static const struct {
    int bits;
    double steps;
} inputs[] = {{11, 2047}, {17, 131071}, {30, 1073741823}};
enum { INPUTS = sizeof inputs / sizeof *inputs, DENSITIES_MAX = 16 };

/* A measurement is long enough for the clock, and short enough for some hundred of them. */
#define AT_LEAST 0.02
#define SAMPLES_MAX 16384
#define FLOATS_MAX ((size_t)1 << 24) /* of samples in memory */

typedef struct bench {
    double density[DENSITIES_MAX];
    size_t densities;
    uint64_t samples, repeat; /* samples 0: as many as AT_LEAST wants */
    json_t *rows;
} bench;

static cop_status parse(const cop_args *args, bench *b) {
    const char *text = cop_args_get(args, "density");
    cop_list list = {0};
    cop_status status = COP_OK;
    cop_list_split(&list, text ? text : "1,0.6,0.1", ",");
    if (!list.count || list.count > DENSITIES_MAX)
        COP_GO(cop_fail(COP_E_USAGE, "bench: --density %s: wanted 1 to %d numbers", text,
                        DENSITIES_MAX));
    for (size_t i = 0; i < list.count; i++) {
        double *d = &b->density[b->densities++];
        if (!cop_parse_double(list.items[i], d) || *d <= 0 || *d > 1)
            COP_GO(cop_fail(COP_E_USAGE, "bench: --density %s: wanted numbers above 0, at most 1",
                            text));
    }
    COP_GO(cop_bench_count(args, "samples", 1, SAMPLES_MAX, &b->samples));
    COP_GO(cop_bench_count(args, "repeat", 1, 1000, &b->repeat));
done:
    cop_list_clear(&list);
    return status;
}

/* Inputs as they come out of a ReLU: half of them 0, the largest one 1. */
static void fill(float *x, size_t count) {
    cop_rng rng = cop_rng_at(1, 3, 0, COP_FOR_SYNTH);
    for (size_t i = 0; i < count; i++) {
        double u = 2 * cop_rng_uniform(&rng) - 1;
        x[i] = u > 0 ? (float)u : 0;
    }
    x[0] = 1;
}

/* Seconds of one evaluation of @p n samples. */
static cop_status once(const cop_eval_setup *setup, const cop_mask *mask, cop_shard *shard,
                       size_t n, double *seconds) {
    const cop_evaluator *sign = cop_evaluator_find("sign");
    cop_evidence evidence;
    void *self = NULL;
    cop_status status = sign->create(&self, setup);
    shard->n = n;
    double start = cop_bench_clock();
    if (status == COP_OK)
        status = sign->evaluate(self, &mask, 1, shard, NULL, NULL, &evidence, NULL);
    *seconds = cop_bench_clock() - start;
    if (self) sign->destroy(self);
    return status;
}

static cop_status measure(const bench *b, const cop_eval_setup *setup, const cop_mask *mask,
                          cop_shard *shard, size_t room, size_t *n, double *seconds) {
    double *spent = COP_NEW_ARRAY(double, b->repeat);
    cop_status status = COP_OK;
    *n = b->samples ? b->samples : COP_SIGN_LANES;
    COP_GO(once(setup, mask, shard, *n, seconds)); /* warms up, too */
    while (!b->samples && *seconds < AT_LEAST && 2 * *n <= room) {
        *n *= 2;
        COP_GO(once(setup, mask, shard, *n, seconds));
    }
    for (size_t i = 0; i < b->repeat; i++) COP_GO(once(setup, mask, shard, *n, &spent[i]));
    *seconds = cop_bench_median(spent, b->repeat);
done:
    cop_free(spent);
    return status;
}

static cop_status measure_shape(const bench *b, const struct shape *shape, const char *kernel,
                                const cop_bench_bounds *bounds) {
    cop_model *model = NULL;
    cop_params params = {0};
    cop_mask mask = {0};
    float *x = NULL;
    int32_t *label = NULL;
    cop_status status = COP_OK;
    COP_GO(cop_model_create(&model, shape->input, shape->layers));
    cop_params_init(&params, model);
    cop_params_randomise(&params, model, 1);
    memset(params.b, 0, params.biases * sizeof *params.b);
    cop_mask_init(&mask, model->weights);
    size_t features = cop_shape_size(model->input), room = b->samples;
    if (!room) room = FLOATS_MAX / features < SAMPLES_MAX ? FLOATS_MAX / features : SAMPLES_MAX;
    x = COP_NEW_ARRAY(float, room *features);
    label = COP_NEW_ARRAY(int32_t, room);
    fill(x, room * features);
    for (size_t i = 0; i < INPUTS; i++)
        for (size_t d = 0; d < b->densities; d++) {
            cop_rng rng = cop_rng_at(1, 4, 0, COP_FOR_SYNTH);
            cop_rng_sample(&rng, (size_t)((double)mask.bits * b->density[d] + 0.5), &mask);
            cop_eval_setup setup = {
                .model = model,
                .base = &params,
                .weighting = {.kind = COP_WEIGHTS_SIGNED, .values = 1, .value = {1}},
                .scale = inputs[i].steps,
                .batch = 100};
            cop_shard shard = {.x = x, .label = label};
            size_t n;
            double seconds;
            COP_GO(measure(b, &setup, &mask, &shard, room, &n, &seconds));
            double macs = (double)cop_model_macs(model, &mask) * (double)n / seconds;
            json_t *row = json_object();
            cop_bench_text(row, "kernel", kernel);
            cop_bench_text(row, "shape", shape->name);
            cop_bench_int(row, "input_bits", (uint64_t)inputs[i].bits);
            cop_bench_real(row, "density", b->density[d]);
            cop_bench_int(row, "samples", n);
            cop_bench_real(row, "seconds", seconds);
            cop_bench_add_ratio(row, "sign", macs, bounds);
            json_array_append_new(b->rows, row);
        }
done:
    cop_free(x);
    cop_free(label);
    cop_mask_clear(&mask);
    cop_params_clear(&params);
    cop_model_destroy(model);
    return status;
}

static cop_status run(const cop_args *args, cop_par *par, json_t *result) {
    bench b = {.repeat = 3};
    const char *names[16], *only = cop_args_get(args, "kernel");
    cop_bench_bounds bounds;
    (void)par;
    COP_TRY(parse(args, &b));
    COP_TRY(cop_bench_kernel(args));
    size_t count = cop_sign_names(names, sizeof names / sizeof *names);
    cop_bench_measure_bounds(only, &bounds);
    cop_bench_int(result, "repeat", b.repeat);
    cop_bench_add_bounds(result, &bounds);
    b.rows = json_array();
    json_object_set_new(result, "rows", b.rows);
    for (size_t k = 0; k < count; k++) {
        if (only && strcmp(only, names[k]) != 0) continue;
        setenv("COPPICE_KERNEL", names[k], 1);
        cop_bench_measure_dot(names[k], &bounds);
        for (size_t s = 0; s < SHAPES; s++)
            COP_TRY(measure_shape(&b, &shapes[s], names[k], &bounds));
    }
    return COP_OK;
}

const cop_bench cop_bench_kernels = {
    .name = "kernels",
    .summary = "every integer kernel of this machine on each layer of the networks",
    .uses = "density samples kernel repeat",
    .run = run};
