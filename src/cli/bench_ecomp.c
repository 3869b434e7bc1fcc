/* coppice bench ecomp: generations of EComp's search, as one worker breeds and judges them. */
#include "bench.h"
#include "bench_rival.h"

#include "run/experiment.h"
#include "run/generation.h"

#include <string.h>

static const char digits[] =
    "[task.images]\nsource = glyphs-digits\ntrain_samples = 4000\nevolve_samples = 4000\n";
static const char fashion[] = "[task.images]\nsource = idx\n"
                              "images = fashion-mnist/train-images-idx3-ubyte.gz\n"
                              "labels = fashion-mnist/train-labels-idx1-ubyte.gz\n"
                              "test_images = fashion-mnist/t10k-images-idx3-ubyte.gz\n"
                              "test_labels = fashion-mnist/t10k-labels-idx1-ubyte.gz\n"
                              "normalise = fixed\ndivide = 255\nmean = 0\nsd = 1\n";
/* The search of configs/base/ecomp.ini behind one of these; every width near 150 of 256. */
static const char search[] =
    "[network]\ninput = 1x28x28\n"
    "layers = flatten hidden1=dense(256) relu hidden2=dense(256) relu output=dense(10)\n"
    "[base]\ntask = images\noptimiser = adam\nrate = 0.001\nepochs = 2\nbatch = 100\n"
    "[initialise]\nop = neuron_ramp\nfrom = 0.36\nto = 0.47\n"
    "[evaluate]\nop = trained_weights\narithmetic = dense\nbatch = 100\nshard = 100\ndraw = 1\n"
    "[fitness]\nop = ecomp\nw_accuracy = 1\nw_similarity = 2\nw_compression = 1\n"
    "[similarity]\nlayers = hidden1, hidden2\nperplexity = 30\n"
    "[pool]\nop = elite_cull\nelite = 0\ncull = 0\n"
    "[select]\nop = softmax\ntemperature = 1\n"
    "[cross]\nop = layer_block\nprobability = 1\ntwins = yes\n"
    "[vary]\nops = weight.noise\n[weight.noise]\namount = 0.1\nchance = 0.01\n"
    "[survive]\nop = generational\n[stop]\ngenerations = 1000000\n";

typedef struct bench {
    uint64_t population, generations, repeat;
    cop_experiment experiment;
    double units, accuracy, similarity; /* means over the last population */
} bench;

static cop_status parse(const cop_args *args, bench *b) {
    *b = (bench){.population = 100, .generations = 10, .repeat = 5};
    COP_TRY(cop_bench_count(args, "population", 2, 10000, &b->population));
    COP_TRY(cop_bench_count(args, "generation", 1, 1000, &b->generations));
    COP_TRY(cop_bench_count(args, "repeat", 1, 1000, &b->repeat));
    return cop_bench_kernel(args);
}

static cop_status load(bench *b, const char *data, const cop_par *par) {
    cop_experiment *e = &b->experiment;
    char *size = cop_sprintf("population.size=%llu", (unsigned long long)b->population);
    char *text = cop_sprintf("%s%s", data ? fashion : digits, search);
    cop_status status = cop_conf_parse(&e->conf, cop_run_schema(), text, "bench");
    e->data_dir = data;
    cop_free(text);
    if (status == COP_OK) status = cop_conf_set(e->conf, size);
    cop_free(size);
    COP_TRY(status);
    COP_TRY(cop_experiment_load(e, par));
    COP_TRY(cop_experiment_base(e, par));
    return cop_experiment_compose(e);
}

static double mean(const bench *b, const double *measures, const char *name) {
    const cop_plan *plan = b->experiment.plan;
    size_t width = cop_plan_measures(plan)->count, column = (size_t)cop_plan_measure(plan, name);
    double sum = 0;
    for (size_t i = 0; i < b->population; i++) sum += measures[i * width + column];
    return sum / (double)b->population;
}

/* A search from its beginning; the clock runs when the first population has been judged. */
static cop_status once(bench *b, const cop_par *par, double *measures, double *seconds) {
    const cop_experiment *e = &b->experiment;
    cop_engine *engine = cop_engine_create(e->plan);
    cop_worker *worker = NULL;
    cop_farm *farm = NULL;
    cop_status status = COP_OK;
    double start = 0;
    COP_GO(cop_worker_create(&worker, e, par));
    cop_farm_work work = cop_worker_work(worker);
    farm = cop_farm_create(par, &work);
    for (size_t g = 0; g <= b->generations; g++) {
        size_t count;
        if (g == 1) start = cop_bench_clock();
        const cop_recipe *recipes = cop_engine_ask(engine, &count);
        COP_GO(cop_generation_evaluate(e, farm, 1, recipes, count, NULL, NULL, measures));
        cop_engine_tell(engine, measures);
        const uint64_t *ids = cop_engine_keep(engine, &count);
        COP_GO(cop_farm_keep(farm, ids, count));
    }
    *seconds = cop_bench_clock() - start;
    b->units = mean(b, measures, "units");
    b->accuracy = mean(b, measures, "accuracy.images");
    b->similarity = mean(b, measures, "similarity");
done:
    cop_farm_destroy(farm);
    cop_worker_destroy(worker);
    cop_engine_destroy(engine);
    return status;
}

static void report(const bench *b, cop_bench_rival *rival, double seconds, json_t *result) {
    double individuals = (double)(b->population * b->generations);
    cop_bench_bounds bounds;
    cop_bench_measure_bounds(NULL, &bounds);
    cop_bench_text(result, "data", b->experiment.data_dir ? "fashion-mnist" : "glyphs-digits");
    cop_bench_text(result, "net", "784-256-256-10");
    cop_bench_int(result, "samples", 100);
    cop_bench_int(result, "population", b->population);
    cop_bench_int(result, "generations", b->generations);
    cop_bench_real(result, "units", b->units);
    cop_bench_real(result, "accuracy", b->accuracy);
    cop_bench_real(result, "similarity", b->similarity);
    cop_bench_int(result, "repeat", b->repeat);
    cop_bench_real(result, "seconds", seconds);
    cop_bench_real(result, "seconds_per_individual", seconds / individuals);
    cop_bench_add_bounds(result, &bounds);
    cop_bench_rival_report(rival, seconds, result);
}

static cop_status run(const cop_args *args, cop_par *par, json_t *result) {
    bench b;
    double *seconds = NULL, *measures = NULL;
    cop_bench_rival *rival = NULL;
    const cop_weighting trained = {COP_WEIGHTS_TRAINED, 1, {1}};
    COP_TRY(parse(args, &b));
    cop_status status = COP_OK;
    COP_GO(load(&b, cop_args_get(args, "data"), par));
    seconds = COP_NEW_ARRAY(double, b.repeat);
    measures = COP_NEW_ARRAY(double, b.population *cop_plan_measures(b.experiment.plan)->count);
    const cop_bench_spec spec = {"784-150-150-10", &trained, 1, 100, b.population * b.generations};
    COP_GO(cop_bench_rival_create(args, &spec, b.repeat, &rival));
    for (size_t i = 0; i < b.repeat; i++) {
        COP_GO(once(&b, par, measures, &seconds[i]));
        COP_GO(cop_bench_rival_run(rival));
    }
    report(&b, rival, cop_bench_median(seconds, b.repeat), result);
done:
    cop_bench_rival_destroy(rival);
    cop_free(seconds);
    cop_free(measures);
    cop_experiment_clear(&b.experiment);
    return status;
}

const cop_bench cop_bench_ecomp = {
    .name = "ecomp",
    .summary =
        "generations of EComp's search: dense networks with weights and widths of their own, "
        "bred and judged on a batch of 100 with similarity, one worker",
    .uses = "data population generation kernel repeat compare-with",
    .run = run};
