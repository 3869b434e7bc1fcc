/* coppice bench generation: the children of one generation of PADAWANN's genetic algorithm, as a
 * search with one worker treats them: bred, evaluated on all samples, measured. */
#include "bench_rival.h"
#include "bench_world.h"

#include "run/generation.h"

#include <string.h>

typedef struct bench {
    cop_bench_world world;
    cop_weighting weighting;
    uint64_t repeat;
    size_t children;
    double *measures;                    /* (children, M) of the last pass */
    double density, distance, live_macs; /* means over the children; live_macs is a sum */
    double wall;
} bench;

static cop_status parse(const cop_args *args, bench *b) {
    cop_bench_world *w = &b->world;
    const cop_evaluator *evaluator;
    *b = (bench){.repeat = 3};
    *w = (cop_bench_world){
        .population = 20, .generation = 10, .samples = 14000, .fitness_samples = 500};
    COP_TRY(cop_bench_find_net(args, &w->net));
    COP_TRY(cop_bench_values(args, &b->weighting));
    w->values = cop_args_get(args, "values") ? cop_args_get(args, "values") : "0.5,1,2";
    COP_TRY(cop_bench_count(args, "population", 8, 10000, &w->population));
    COP_TRY(cop_bench_count(args, "generation", 1, 1000, &w->generation));
    COP_TRY(cop_bench_count(args, "samples", 2, 1000000, &w->samples));
    COP_TRY(cop_bench_count(args, "fitness-samples", 2, 1000000, &w->fitness_samples));
    COP_TRY(cop_bench_count(args, "repeat", 1, 1000, &b->repeat));
    COP_TRY(cop_bench_evaluator(args, &evaluator));
    w->evaluator = evaluator->name;
    return cop_bench_kernel(args);
}

/* Density of the children, and edges to the nearest relative: an older sister or a parent. */
static void describe(bench *b, const cop_worker *worker) {
    const cop_bench_world *w = &b->world;
    const cop_recipe *recipes = w->recipes[w->generation];
    const cop_model *model = w->timed.model;
    for (size_t i = 0; i < b->children; i++) {
        const cop_mask *child = cop_worker_genome(worker, recipes[i].id);
        size_t nearest = child->bits;
        for (size_t k = 0; k < i + w->kept[w->generation - 1]; k++) {
            uint64_t id = k < i ? recipes[k].id : w->keep[w->generation - 1][k - i];
            size_t distance = cop_mask_distance(child, cop_worker_genome(worker, id));
            if (distance < nearest) nearest = distance;
        }
        b->density += (double)cop_mask_count(child) / (double)child->bits / (double)b->children;
        b->distance += (double)nearest / (double)b->children;
        b->live_macs += (double)cop_model_macs(model, child);
    }
}

/* One pass: a worker as it stands after the generations before, then the generation on the clock.
 * The worker is new each time, so that no pass helps the next. */
static cop_status once(bench *b, const cop_par *par, bool first, double *seconds, double *wall) {
    const cop_bench_world *w = &b->world;
    cop_worker *worker = NULL;
    cop_farm *farm = NULL;
    cop_status status = COP_OK;
    COP_GO(cop_bench_world_worker(w, par, &worker));
    cop_farm_work work = cop_worker_work(worker);
    farm = cop_farm_create(par, &work);
    double start = cop_bench_clock(), wall_start = cop_clock();
    COP_GO(cop_generation_evaluate(&w->timed, farm, 1, w->recipes[w->generation], b->children, NULL,
                                   NULL, b->measures));
    *seconds = cop_bench_clock() - start;
    *wall = cop_clock() - wall_start;
    if (first) describe(b, worker);
done:
    cop_farm_destroy(farm);
    cop_worker_destroy(worker);
    return status;
}

static void report(const bench *b, cop_bench_rival *rival, double seconds, double wall,
                   json_t *result) {
    const cop_bench_world *w = &b->world;
    bool sign = strcmp(w->evaluator, "sign") == 0;
    const char *kernel = sign ? cop_sign_kernel() : w->evaluator;
    double work = (double)w->samples * (double)b->weighting.values, best = 0;
    size_t width = cop_plan_measures(w->timed.plan)->count;
    for (size_t i = 0; i < b->children; i++)
        for (size_t t = 0; t < w->timed.tasks; t++) { /* the first columns: accuracy.TASK */
            double accuracy = b->measures[i * width + t];
            if (t == 0 && accuracy > best) best = accuracy;
        }
    cop_bench_bounds bounds;
    cop_bench_measure_bounds(sign ? kernel : NULL, &bounds);
    cop_bench_text(result, "net", w->net->name);
    cop_bench_text(result, "evaluator", w->evaluator);
    cop_bench_text(result, "kernel", kernel);
    cop_bench_int(result, "values", b->weighting.values);
    cop_bench_int(result, "samples", w->samples);
    cop_bench_int(result, "population", w->population);
    cop_bench_int(result, "generation", w->generation);
    cop_bench_int(result, "fitness_samples", w->fitness_samples);
    cop_bench_int(result, "individuals", b->children);
    cop_bench_real(result, "density", b->density);
    cop_bench_real(result, "distance_edges", b->distance);
    cop_bench_real(result, "accuracy_digits", best);
    cop_bench_int(result, "repeat", b->repeat);
    cop_bench_real(result, "seconds", seconds);
    cop_bench_real(result, "wall_seconds", wall);
    cop_bench_real(result, "evaluations_per_s", (double)b->children / seconds);
    cop_bench_real(result, "samples_x_values_per_s", work * (double)b->children / seconds);
    cop_bench_add_ratio(result, w->evaluator, b->live_macs * work / seconds, &bounds);
    cop_bench_add_bounds(result, &bounds);
    cop_bench_rival_report(rival, seconds, result);
}

static cop_status run(const cop_args *args, cop_par *par, json_t *result) {
    bench b;
    double *seconds = NULL, *wall = NULL;
    cop_bench_rival *rival = NULL;
    COP_TRY(parse(args, &b));
    cop_status status = COP_OK;
    COP_GO(cop_bench_world_create(&b.world, par));
    b.children = b.world.births[b.world.generation];
    b.measures = COP_NEW_ARRAY(double, b.children *cop_plan_measures(b.world.timed.plan)->count);
    seconds = COP_NEW_ARRAY(double, b.repeat);
    wall = COP_NEW_ARRAY(double, b.repeat);
    for (size_t i = 0; i < b.repeat; i++) {
        COP_GO(once(&b, par, i == 0, &seconds[i], &wall[i]));
        if (i == 0) { /* only now is the density known */
            const cop_bench_spec spec = {b.world.net->name, &b.weighting, b.density,
                                         b.world.samples, b.children};
            COP_GO(cop_bench_rival_create(args, &spec, b.repeat, &rival));
        }
        COP_GO(cop_bench_rival_run(rival));
    }
    report(&b, rival, cop_bench_median(seconds, b.repeat), cop_bench_median(wall, b.repeat),
           result);
done:
    cop_bench_rival_destroy(rival);
    cop_free(seconds);
    cop_free(wall);
    cop_free(b.measures);
    cop_bench_world_clear(&b.world);
    return status;
}

const cop_bench cop_bench_generation = {
    .name = "generation",
    .summary = "the children of one generation of PADAWANN's genetic algorithm, one worker",
    .uses = "net values samples population generation fitness-samples evaluator kernel repeat "
            "compare-with",
    .run = run};
