/* coppice bench eval: how fast evaluators run on this machine, beside what its processor could do.
 */
#include "commands.h"

#include "coppice/la.h"
#include "coppice/net.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

typedef struct bench_net {
    const char *name, *input, *layers;
} bench_net;
static const bench_net nets[] = {
    {"padawann-cnn", "1x28x28",
     "conv2d(32,3) relu conv2d(64,3) relu maxpool(2) dropout(0.25) flatten dense(128) relu "
     "dropout(0.5) dense(10)"},
    {"padawann-ff", "1x28x28", "relu flatten dense(64) relu dense(10)"}};

typedef struct bench {
    const bench_net *net;
    const cop_evaluator *evaluator;
    double density;
    uint64_t samples;
    cop_weighting weighting;
} bench;

static const cop_flag flags[] = {
    {"net", 0, "NAME", false, "padawann-cnn (default) or padawann-ff."},
    {"density", 0, "FRACTION", false, "Fraction of edges that are live (0.6)."},
    {"values", 0, "LIST", false, "Shared weights (0.5,1,2)."},
    {"samples", 0, "N", false, "Samples to evaluate (1000)."},
    {"evaluator", 0, "NAME", false, "sign (default), blas or reference."},
    {"json", 0, NULL, false, "Print JSON."},
    {0}};

/* Processor time: what one core spends, whatever else the machine is doing. */
static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static cop_status parse_values(const char *text, cop_weighting *weighting) {
    cop_list list = {0};
    cop_status status = COP_OK;
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

static cop_status parse(const cop_args *args, bench *b) {
    const char *net = cop_args_get(args, "net"), *density = cop_args_get(args, "density");
    const char *samples = cop_args_get(args, "samples"), *values = cop_args_get(args, "values");
    const char *evaluator = cop_args_get(args, "evaluator");
    *b = (bench){.density = 0.6, .samples = 1000};
    if (strcmp(args->words[0], "eval") != 0)
        return cop_fail(COP_E_USAGE, "bench: there is no benchmark \"%s\"; known: eval",
                        args->words[0]);
    if (!net) net = nets[0].name;
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        if (strcmp(net, nets[i].name) == 0) b->net = &nets[i];
    if (!b->net)
        return cop_fail(COP_E_USAGE, "bench: --net %s: wanted padawann-cnn or padawann-ff", net);
    if (density && (!cop_parse_double(density, &b->density) || b->density < 0 || b->density > 1))
        return cop_fail(COP_E_USAGE, "bench: --density %s: wanted a number from 0 to 1", density);
    if (samples && (!cop_parse_u64(samples, &b->samples) || !b->samples || b->samples > 1000000))
        return cop_fail(COP_E_USAGE, "bench: --samples %s: wanted 1 to 1000000", samples);
    b->evaluator = cop_evaluator_find(evaluator ? evaluator : "sign");
    if (!b->evaluator)
        return cop_fail(COP_E_USAGE, "bench: --evaluator %s: wanted sign, blas or reference",
                        evaluator);
    return parse_values(values ? values : "0.5,1,2", &b->weighting);
}

/* Multiply-adds per second of a product that BLAS likes: the bound of dense float arithmetic. */
static double sgemm_peak(void) {
    enum { N = 512 };
    float *a = COP_NEW_ARRAY(float, N *N), *b = COP_NEW_ARRAY(float, N *N),
          *c = COP_NEW_ARRAY(float, N *N);
    double best = 0;
    for (size_t i = 0; i < (size_t)N * N; i++) a[i] = b[i] = (float)(i % 7) * 0.25f;
    cop_blas_one_thread();
    for (int i = 0; i < 12; i++) {
        double start = cpu_seconds();
        cop_sgemm(false, false, N, N, N, a, N, b, N, 0, c, N);
        double rate = (double)N * N * N / (cpu_seconds() - start);
        if (rate > best) best = rate;
    }
    cop_free(a);
    cop_free(b);
    cop_free(c);
    return best;
}

/* Images like normalised digits: four in five pixels are background. */
static void fill(const cop_model *model, cop_params *params, cop_mask *mask, double density,
                 float *x, int32_t *label, size_t n) {
    size_t inputs = cop_shape_size(model->input);
    cop_params_randomise(params, model, 1);
    cop_rng rng = cop_rng_at(1, 0, 0, COP_FOR_SYNTH);
    cop_rng_sample(&rng, (size_t)((double)model->weights * density + 0.5), mask);
    for (size_t s = 0; s < n; s++) {
        rng = cop_rng_at(1, 1, (uint32_t)s, COP_FOR_SYNTH);
        for (size_t i = 0; i < inputs; i++) {
            double grey = cop_rng_below(&rng, 5) ? 0 : (double)cop_rng_below(&rng, 256) / 255;
            x[s * inputs + i] = (float)((grey - 0.1307) / 0.3081);
        }
        label[s] = (int32_t)cop_rng_below(&rng, model->classes);
    }
}

static void print(const bench *b, const cop_model *model, const cop_mask *mask, double seconds,
                  double peak, bool json) {
    double work = (double)b->samples * (double)b->weighting.values;
    double macs = (double)cop_model_macs(model, mask) * work / seconds;
    bool sign = strcmp(b->evaluator->name, "sign") == 0;
    const char *kernel = sign ? cop_sign_kernel() : b->evaluator->name;
    if (json) {
        json_t *out = json_pack("{s:s, s:s, s:s, s:f, s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "net",
                                b->net->name, "evaluator", b->evaluator->name, "kernel", kernel,
                                "density", b->density, "samples", (json_int_t)b->samples, "values",
                                (json_int_t)b->weighting.values, "seconds", seconds,
                                "samples_x_values_per_s", work / seconds, "live_macs_per_s", macs,
                                "sgemm_macs_per_s", peak, "ratio", macs / peak);
        char *text = json_dumps(out, JSON_INDENT(2));
        puts(text);
        free(text);
        json_decref(out);
        return;
    }
    printf("%s, density %g, %zu shared weights, %llu samples, evaluator %s, one core\n",
           b->net->name, b->density, b->weighting.values, (unsigned long long)b->samples,
           b->evaluator->name);
    printf("kernel                  %s\n", kernel);
    printf("samples_x_values_per_s  %.0f   (%.0f samples/s with all values)\n", work / seconds,
           (double)b->samples / seconds);
    printf("live multiply-adds/s    %.3g\n", macs);
    printf("bound, sgemm            %.3g   (%s)\n", peak, cop_blas_version());
    printf("ratio                   %.2f\n", macs / peak);
}

static cop_status run(const cop_args *args, cop_par *par) {
    (void)par;
    bench b;
    COP_TRY(parse(args, &b));
    cop_status status = COP_OK;
    cop_model *model = NULL;
    cop_params params = {0};
    cop_mask mask = {0};
    float *x = NULL;
    int32_t *label = NULL;
    void *self = NULL;
    COP_GO(cop_model_create(&model, b.net->input, b.net->layers));
    cop_params_init(&params, model);
    cop_mask_init(&mask, model->weights);
    x = cop_alloc(b.samples, cop_shape_size(model->input) * sizeof(float));
    label = COP_NEW_ARRAY(int32_t, b.samples);
    fill(model, &params, &mask, b.density, x, label, b.samples);
    cop_dataset set = {.samples = b.samples, .channels = 1, .height = 28, .width = 28, .x = x};
    const cop_dataset *sets[] = {&set};
    cop_eval_setup setup = {.model = model,
                            .base = &params,
                            .weighting = b.weighting,
                            .scale = cop_eval_scale(sets, 1, 2047),
                            .batch = 100};
    COP_GO(b.evaluator->create(&self, &setup));
    const cop_mask *masks[] = {&mask};
    cop_evidence evidence;
    double seconds = 1e300, total = 0;
    /* the first pass warms up; the best of the others counts, since other programs only slow down
     */
    for (int pass = 0; pass < 4 && (pass < 2 || total < 5); pass++) {
        cop_shard shard = {.x = x, .label = label, .n = pass ? b.samples : 1};
        double start = cpu_seconds();
        COP_GO(b.evaluator->evaluate(self, masks, 1, &shard, NULL, NULL, &evidence, NULL));
        double spent = cpu_seconds() - start;
        total += spent;
        if (pass && spent < seconds) seconds = spent;
    }
    print(&b, model, &mask, seconds, sgemm_peak(), cop_args_has(args, "json"));
done:
    if (self) b.evaluator->destroy(self);
    cop_free(x);
    cop_free(label);
    cop_mask_clear(&mask);
    cop_params_clear(&params);
    cop_model_destroy(model);
    return status;
}

const cop_command cop_cmd_bench = {
    .name = "bench",
    .synopsis = "eval [options]",
    .summary = "Measure how fast networks are evaluated on this machine",
    .details =
        "Evaluates a network with random signed weights, mask and images and prints samples "
        "times shared weights per second, multiply-adds of live edges per second, and "
        "beside it the rate of a dense float product (sgemm) measured in the same run: all per "
        "second of processor time, on one core. COPPICE_KERNEL chooses another kernel.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .ranks = COP_RANKS_ONE,
    .run = run};
