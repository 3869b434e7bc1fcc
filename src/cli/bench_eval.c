/* coppice bench eval: a network, or a block of relatives, on one shard of samples. */
#include "bench_rival.h"

#include "coppice/la.h"
#include "net/eval_sign_cells.h"
#include "net/evaluators.h"

#include <string.h>

typedef struct bench {
    const cop_bench_net *net;
    const cop_evaluator *evaluator;
    double density, distance;
    uint64_t samples, individuals, repeat;
    cop_weighting weighting;
    bool glyphs, alone;
    cop_model *model;
    cop_params params;
    cop_mask *mask; /* (individuals) */
    cop_dataset *set;
    double planned; /* of a block: share of what its individuals cost one by one, by the model */
    double apart;   /* seconds of the individuals in calls of their own; 0: there is no plan */
} bench;

static cop_status parse(const cop_args *args, bench *b) {
    const char *images = cop_args_get(args, "images");
    *b = (bench){.density = 0.6, .samples = 1000, .individuals = 1, .repeat = 5, .glyphs = true};
    COP_TRY(cop_bench_find_net(args, &b->net));
    COP_TRY(cop_bench_fraction(args, "density", &b->density));
    COP_TRY(cop_bench_values(args, &b->weighting));
    COP_TRY(cop_bench_count(args, "samples", 1, 1000000, &b->samples));
    COP_TRY(cop_bench_count(args, "individuals", 1, 10000, &b->individuals));
    b->distance = b->individuals > 1 ? 0.025 : 0;
    COP_TRY(cop_bench_fraction(args, "distance", &b->distance));
    COP_TRY(cop_bench_count(args, "repeat", 1, 1000, &b->repeat));
    COP_TRY(cop_bench_evaluator(args, &b->evaluator));
    COP_TRY(cop_bench_kernel(args));
    if (images && strcmp(images, "glyphs") != 0 && strcmp(images, "random") != 0)
        return cop_fail(COP_E_USAGE, "bench: --images %s: wanted glyphs or random", images);
    b->glyphs = !images || strcmp(images, "glyphs") == 0;
    b->alone = cop_args_has(args, "alone");
    return COP_OK;
}

/* Noise: four in five pixels are background. */
static cop_dataset *noise(size_t samples) {
    cop_dataset *set = cop_dataset_create("noise", samples, 1, 28, 28, 10);
    size_t inputs = cop_dataset_features(set);
    for (size_t s = 0; s < samples; s++) {
        cop_rng rng = cop_rng_at(1, 1, (uint32_t)s, COP_FOR_SYNTH);
        for (size_t i = 0; i < inputs; i++) {
            double grey = cop_rng_below(&rng, 5) ? 0 : (double)cop_rng_below(&rng, 256) / 255;
            set->x[s * inputs + i] = (float)((grey - 0.1307) / 0.3081);
        }
        set->label[s] = (int32_t)cop_rng_below(&rng, 10);
    }
    return set;
}

static cop_status draw_glyphs(size_t samples, cop_dataset **set) {
    cop_conf *conf = NULL;
    char *text =
        cop_sprintf("[task.digits]\nsource = glyphs-digits\nevolve_samples = %zu\n", samples);
    cop_status status = cop_conf_parse(&conf, cop_run_schema(), text, "bench");
    if (status == COP_OK) status = cop_task_load(set, conf, "digits", COP_SPLIT_EVOLVE, NULL);
    cop_conf_destroy(conf);
    cop_free(text);
    return status;
}

/* A parent of the density asked for; every individual has lost its own part of the parent's edges.
 */
static void make_masks(bench *b) {
    cop_mask parent, dead;
    cop_rng rng = cop_rng_at(1, 0, 0, COP_FOR_SYNTH);
    cop_mask_init(&parent, b->model->weights);
    cop_rng_sample(&rng, (size_t)((double)parent.bits * b->density + 0.5), &parent);
    size_t live = cop_mask_count(&parent), lost = (size_t)((double)live * b->distance + 0.5);
    cop_mask_init(&dead, live);
    b->mask = COP_NEW_ARRAY(cop_mask, b->individuals);
    for (size_t i = 0; i < b->individuals; i++) {
        size_t number = 0;
        rng = cop_rng_at(1, 2, (uint32_t)i, COP_FOR_SYNTH);
        cop_rng_sample(&rng, lost, &dead);
        cop_mask_init(&b->mask[i], parent.bits);
        cop_mask_copy(&b->mask[i], &parent);
        for (size_t e = 0; e < parent.bits && lost; e++)
            if (cop_mask_get(&parent, e) && cop_mask_get(&dead, number++))
                cop_mask_unset(&b->mask[i], e);
    }
    cop_mask_clear(&parent);
    cop_mask_clear(&dead);
}

static cop_status prepare(bench *b) {
    COP_TRY(cop_model_create(&b->model, b->net->input, b->net->layers));
    cop_params_init(&b->params, b->model);
    cop_params_randomise(&b->params, b->model, 1);
    make_masks(b);
    if (b->glyphs) return draw_glyphs(b->samples, &b->set);
    b->set = noise(b->samples);
    return COP_OK;
}

static void clear(bench *b) {
    for (size_t i = 0; i < b->individuals && b->mask; i++) cop_mask_clear(&b->mask[i]);
    cop_free(b->mask);
    cop_dataset_destroy(b->set);
    cop_params_clear(&b->params);
    cop_model_destroy(b->model);
}

/* What relatives save by the model that planned them, and every individual in a call of its own,
 * which shows what they save by the clock. */
static cop_status compare_plan(bench *b, const void *self, const cop_eval_setup *setup,
                               const cop_shard *shard) {
    uint64_t cost = 0, full = 0;
    void *other = NULL;
    if (b->evaluator != &cop_evaluator_sign || b->individuals < 2) return COP_OK;
    cop_sign_planned(self, &cost, &full);
    if (!full) return COP_OK;
    b->planned = (double)cost / (double)full;
    COP_TRY(b->evaluator->create(&other, setup));
    cop_status status = COP_OK;
    double start = cop_bench_clock();
    for (size_t i = 0; i < b->individuals && status == COP_OK; i++) {
        const cop_mask *one = &b->mask[i];
        cop_evidence evidence;
        status = b->evaluator->evaluate(other, &one, 1, shard, NULL, NULL, &evidence, NULL);
    }
    b->apart = cop_bench_clock() - start;
    b->evaluator->destroy(other);
    return status;
}

/* Median seconds of one evaluation of the whole block. */
static cop_status measure(bench *b, cop_bench_rival *rival, double *seconds) {
    const cop_dataset *sets[] = {b->set};
    cop_eval_setup setup = {.model = b->model,
                            .base = &b->params,
                            .weighting = b->weighting,
                            .scale = cop_eval_scale(sets, 1, 2047),
                            .batch = 100,
                            .alone = b->alone};
    void *self = NULL;
    const cop_mask **masks = COP_NEW_ARRAY(const cop_mask *, b->individuals);
    cop_evidence *evidence = COP_NEW_ARRAY(cop_evidence, b->individuals);
    double *spent = COP_NEW_ARRAY(double, b->repeat);
    cop_status status = COP_OK;
    for (size_t i = 0; i < b->individuals; i++) masks[i] = &b->mask[i];
    for (size_t pass = 0; pass <= b->repeat; pass++) {
        /* a new evaluator each time: nothing that an earlier pass worked out may help; the first
         * pass warms up the processor and is short */
        cop_shard shard = {.x = b->set->x, .label = b->set->label, .n = pass ? b->samples : 1};
        if (self) b->evaluator->destroy(self);
        COP_GO(b->evaluator->create(&self, &setup));
        double start = cop_bench_clock();
        COP_GO(cop_evaluate_distinct(b->evaluator, self, &setup, masks, b->individuals, &shard,
                                     NULL, NULL, evidence, NULL));
        if (!pass) continue;
        spent[pass - 1] = cop_bench_clock() - start;
        if (pass == b->repeat) COP_GO(compare_plan(b, self, &setup, &shard));
        COP_GO(cop_bench_rival_run(rival));
    }
    *seconds = cop_bench_median(spent, b->repeat);
done:
    if (self) b->evaluator->destroy(self);
    cop_free(spent);
    cop_free(evidence);
    cop_free(masks);
    return status;
}

static void report(const bench *b, cop_bench_rival *rival, double seconds, json_t *result) {
    bool sign = strcmp(b->evaluator->name, "sign") == 0;
    const char *kernel = sign ? cop_sign_kernel() : b->evaluator->name;
    double work = (double)b->samples * (double)b->weighting.values, macs = 0;
    for (size_t i = 0; i < b->individuals; i++)
        macs += (double)cop_model_macs(b->model, &b->mask[i]);
    cop_bench_bounds bounds;
    cop_bench_measure_bounds(sign ? kernel : NULL, &bounds);
    cop_bench_text(result, "net", b->net->name);
    cop_bench_text(result, "evaluator", b->evaluator->name);
    cop_bench_text(result, "kernel", kernel);
    cop_bench_real(result, "density", b->density);
    cop_bench_int(result, "values", b->weighting.values);
    cop_bench_int(result, "samples", b->samples);
    cop_bench_text(result, "images", b->glyphs ? "glyphs" : "random");
    cop_bench_int(result, "individuals", b->individuals);
    cop_bench_real(result, "distance", b->distance);
    cop_bench_text(result, "alone", b->alone ? "yes" : "no");
    cop_bench_int(result, "repeat", b->repeat);
    cop_bench_real(result, "seconds", seconds);
    cop_bench_real(result, "seconds_per_individual", seconds / (double)b->individuals);
    cop_bench_real(result, "samples_x_values_per_s", work * (double)b->individuals / seconds);
    if (b->apart > 0) {
        cop_bench_real(result, "planned_share", b->planned);
        cop_bench_real(result, "measured_share", seconds / b->apart);
    }
    cop_bench_add_ratio(result, b->evaluator->name, macs * work / seconds, &bounds);
    cop_bench_add_bounds(result, &bounds);
    cop_bench_rival_report(rival, seconds, result);
}

static cop_status run(const cop_args *args, cop_par *par, json_t *result) {
    bench b;
    double seconds = 0;
    (void)par;
    COP_TRY(parse(args, &b));
    cop_bench_rival *rival = NULL;
    const cop_bench_spec spec = {b.net->name, &b.weighting, b.density, b.samples, b.individuals};
    COP_TRY(cop_bench_rival_create(args, &spec, b.repeat, &rival));
    cop_status status = prepare(&b);
    if (status == COP_OK) status = measure(&b, rival, &seconds);
    if (status == COP_OK) report(&b, rival, seconds, result);
    cop_bench_rival_destroy(rival);
    clear(&b);
    return status;
}

const cop_bench cop_bench_eval = {
    .name = "eval",
    .summary = "a network with random signed weights and mask, or a block of relatives",
    .uses = "net density values samples images individuals distance alone evaluator kernel repeat "
            "compare-with",
    .run = run};
