/* coppice bench sparse: the forward product of one dense layer as the evaluator `sparse` computes
 * it, and the same layer with every weight in place as one product of BLAS, in turn. */
#include "bench.h"

#include "coppice/la.h"
#include "net/eval_sparse.h"
#include "net/evaluators.h"

#include <math.h>
#include <string.h>

#define BURST 4e-3 /* seconds that a measurement lasts at least: caches as warm as in real use */

typedef struct bench {
    uint64_t rows, cols, batch, repeat;
    double density;
    cop_model *model;
    cop_params params;
    cop_mask mask;
    sparse_eval *sparse;
    float *x, *y;        /* chunks of the lists: (inputs, chunk) and (outputs, chunk) each */
    float *flat, *w, *z; /* of the dense product: (batch, D), (O, D), (batch, O) */
} bench;

static cop_status parse(const cop_args *args, bench *b) {
    *b = (bench){.rows = 1000, .cols = 1000, .batch = 128, .repeat = 21, .density = 0.05};
    COP_TRY(cop_bench_count(args, "rows", 1, 65535, &b->rows));
    COP_TRY(cop_bench_count(args, "cols", 1, 100000, &b->cols));
    COP_TRY(cop_bench_count(args, "batch", 1, 100000, &b->batch));
    COP_TRY(cop_bench_count(args, "repeat", 1, 1000, &b->repeat));
    COP_TRY(cop_bench_fraction(args, "density", &b->density));
    if (b->rows * b->cols > 200000000 || b->rows * b->batch > 200000000 ||
        b->cols * b->batch > 200000000)
        return cop_fail(COP_E_USAGE, "bench: --rows, --cols and --batch make arrays of more than "
                                     "2e8 numbers");
    return cop_bench_kernel(args);
}

static size_t chunks(const bench *b) {
    return (b->batch + b->sparse->chunk - 1) / b->sparse->chunk;
}

static cop_status prepare(bench *b) {
    char *input = cop_sprintf("%llu", (unsigned long long)b->cols);
    char *layers = cop_sprintf("dense(%llu)", (unsigned long long)b->rows);
    cop_status status = COP_OK;
    void *self = NULL;
    COP_GO(cop_model_create(&b->model, input, layers));
    cop_params_init(&b->params, b->model);
    cop_params_randomise(&b->params, b->model, 1);
    cop_mask_init(&b->mask, b->model->weights);
    const cop_eval_setup setup = {.model = b->model,
                                  .base = &b->params,
                                  .weighting = {COP_WEIGHTS_TRAINED, 1, {0}},
                                  .batch = b->batch};
    COP_GO(cop_evaluator_sparse.create(&self, &setup));
    b->sparse = self;
    b->x = cop_alloc(chunks(b) * b->sparse->chunk, b->cols * sizeof(float));
    b->y = cop_alloc(chunks(b) * b->sparse->chunk, b->rows * sizeof(float));
    b->flat = cop_alloc(b->batch, b->cols * sizeof(float));
    b->z = cop_alloc(b->batch, b->rows * sizeof(float));
    b->w = cop_alloc(b->rows, b->cols * sizeof(float));
    for (size_t s = 0; s < b->batch; s++) {
        cop_rng rng = cop_rng_at(1, 3, (uint32_t)s, COP_FOR_SYNTH);
        size_t chunk = b->sparse->chunk;
        for (size_t i = 0; i < b->cols; i++)
            b->flat[s * b->cols + i] = b->x[(s / chunk * b->cols + i) * chunk + s % chunk] =
                (float)cop_rng_normal(&rng);
    }
done:
    cop_free(input);
    cop_free(layers);
    return status;
}

static void clear(bench *b) {
    cop_evaluator_sparse.destroy(b->sparse);
    cop_free(b->x);
    cop_free(b->y);
    cop_free(b->flat);
    cop_free(b->z);
    cop_free(b->w);
    cop_mask_clear(&b->mask);
    cop_params_clear(&b->params);
    cop_model_destroy(b->model);
}

static void draw_mask(bench *b, double density) {
    cop_rng rng = cop_rng_at(1, 0, 0, COP_FOR_SYNTH);
    cop_rng_sample(&rng, (size_t)((double)b->mask.bits * density + 0.5), &b->mask);
    cop_sparse_compile(b->sparse, &b->mask, 1);
    cop_effective_weights(&b->params, &b->mask, COP_WEIGHTS_TRAINED, 1, b->w);
}

static void product(const bench *b) {
    size_t chunk = b->sparse->chunk;
    for (size_t s = 0; s < b->batch; s += chunk) {
        size_t n = b->batch - s < chunk ? b->batch - s : chunk;
        cop_sparse_sum(b->sparse, 0, b->x + s * b->cols, b->y + s * b->rows,
                       (n + SPARSE_LANES - 1) / SPARSE_LANES);
    }
}

static void dense_product(const bench *b) {
    for (size_t s = 0; s < b->batch; s++) /* as the layer does it */
        memcpy(b->z + s * b->rows, b->params.b, b->rows * sizeof(float));
    cop_sgemm(false, true, b->batch, b->rows, b->cols, b->flat, b->cols, b->w, b->cols, 1.0f, b->z,
              b->rows);
}

/* Seconds of one call, from as many as fill a burst. */
static double time_of(const bench *b, void (*call)(const bench *)) {
    size_t calls = 0;
    double start = cop_bench_clock(), spent;
    do {
        call(b);
        calls++;
        spent = cop_bench_clock() - start;
    } while (spent < BURST);
    return spent / (double)calls;
}

/* Both computed the same, to the rounding of their sums. */
static cop_status check(const bench *b) {
    size_t chunk = b->sparse->chunk;
    double size = sqrt((double)b->cols) + 1; /* weights are at most 1/sqrt(D), values about 1 */
    for (size_t s = 0; s < b->batch; s++)
        for (size_t o = 0; o < b->rows; o++) {
            float ours = b->y[(s / chunk * b->rows + o) * chunk + s % chunk];
            float blas = b->z[s * b->rows + o];
            if (!(fabs((double)ours - (double)blas) <= 1e-5 * size))
                return cop_fail(COP_E_EVALUATE,
                                "bench sparse: output %zu of sample %zu is %g from lists and %g "
                                "from BLAS; one of them is broken on this machine",
                                o, s, (double)ours, (double)blas);
        }
    return COP_OK;
}

static cop_status measure(bench *b, double density, double *seconds, double *dense) {
    double *ours = COP_NEW_ARRAY(double, b->repeat), *blas = COP_NEW_ARRAY(double, b->repeat);
    draw_mask(b, density);
    product(b);
    dense_product(b);
    cop_status status = check(b);
    for (size_t i = 0; i < b->repeat && status == COP_OK; i++) {
        ours[i] = time_of(b, product);
        blas[i] = time_of(b, dense_product);
    }
    *seconds = cop_bench_median(ours, b->repeat);
    *dense = cop_bench_median(blas, b->repeat);
    cop_free(ours);
    cop_free(blas);
    return status;
}

/* Density at which both would be equally fast, between two that were measured; 1 when lists won
 * everywhere. */
static cop_status sweep(bench *b, json_t *result) {
    static const double densities[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
    double before = 0, before_ratio = INFINITY, crossover = 1;
    json_t *rows = json_array();
    cop_status status = COP_OK;
    for (size_t i = 0; i < sizeof densities / sizeof *densities; i++) {
        double seconds, dense, ratio;
        COP_GO(measure(b, densities[i], &seconds, &dense));
        ratio = dense / seconds;
        json_t *row = json_object();
        cop_bench_real(row, "density", densities[i]);
        cop_bench_real(row, "seconds", seconds);
        cop_bench_real(row, "sgemm_seconds", dense);
        cop_bench_real(row, "ratio", ratio);
        json_array_append_new(rows, row);
        if (ratio < 1 && before_ratio >= 1)
            crossover =
                i ? before + (densities[i] - before) * (before_ratio - 1) / (before_ratio - ratio)
                  : densities[i];
        before = densities[i];
        before_ratio = ratio;
    }
    cop_bench_real(result, "crossover", crossover);
done:
    json_object_set_new(result, "rows", rows);
    return status;
}

static cop_status report(bench *b, json_t *result, bool sweeping) {
    double seconds, dense, bound = cop_bench_kernel_peak(b->sparse->ops);
    cop_bench_text(result, "kernel", b->sparse->ops->name);
    cop_bench_int(result, "outputs", b->rows);
    cop_bench_int(result, "inputs", b->cols);
    cop_bench_int(result, "batch", b->batch);
    cop_bench_int(result, "repeat", b->repeat);
    cop_bench_real(result, "bound", bound);
    cop_bench_text(result, "bound_name", "kernel_cached_macs_per_s");
    if (sweeping) return sweep(b, result);
    COP_TRY(measure(b, b->density, &seconds, &dense));
    double macs = (double)cop_mask_count(&b->mask) * (double)b->batch;
    cop_bench_real(result, "density", b->density);
    cop_bench_real(result, "seconds", seconds);
    cop_bench_real(result, "sgemm_seconds", dense);
    cop_bench_real(result, "ratio", dense / seconds);
    cop_bench_real(result, "live_macs_per_s", macs / seconds);
    cop_bench_real(result, "bound_share", macs / seconds / bound);
    cop_bench_real(result, "sgemm_macs_per_s",
                   (double)b->rows * (double)b->cols * (double)b->batch / dense);
    return COP_OK;
}

static cop_status run(const cop_args *args, cop_par *par, json_t *result) {
    bench b;
    (void)par;
    COP_TRY(parse(args, &b));
    cop_blas_one_thread();
    cop_status status = prepare(&b);
    if (status == COP_OK) status = report(&b, result, cop_args_has(args, "sweep"));
    clear(&b);
    return status;
}

const cop_bench cop_bench_sparse = {
    .name = "sparse",
    .summary = "one dense layer of floats with few live edges, against the dense product",
    .uses = "rows cols density batch sweep kernel repeat",
    .run = run};
