#include "targets.h"

#include <string.h>

/* The base network computes with its trained weights. Under exact arithmetic its activations must
 * be the same bits on every machine too, or a result would depend on who computed it: so they come
 * from the evaluator `reference` (slower, but once per batch and worker), and from `blas` or
 * `dense` only where the individuals' do. */
struct cop_targets {
    const cop_experiment *experiment;
    const cop_evaluator *evaluator; /* of the base network */
    void *base;
    cop_mask all; /* its edges */
    double *q;    /* neighbours of the individual */
    struct target {
        double *p;         /* neighbours of the base network, NULL until needed */
        double scale;      /* what the divergence is divided by */
    } * of[COP_TASKS_MAX]; /* [task][batch * hidden + which] */
    cop_shard drawn;       /* with draw: the one batch that there is */
};

static size_t batches_of(const cop_targets *targets, size_t task) {
    if (targets->experiment->draw) return 1;
    return targets->experiment->evolve[task]->samples / targets->experiment->setup.batch;
}

static size_t pairs(size_t n) {
    return n * (n - 1) / 2;
}

cop_targets *cop_targets_create(const cop_experiment *e) {
    cop_targets *targets = COP_NEW(cop_targets);
    bool floating =
        strcmp(e->evaluator->name, "blas") == 0 || strcmp(e->evaluator->name, "dense") == 0;
    targets->experiment = e;
    targets->evaluator = floating ? e->evaluator : cop_evaluator_find("reference");
    cop_mask_init(&targets->all, e->model->weights);
    cop_mask_fill(&targets->all);
    targets->q = COP_NEW_ARRAY(double, pairs(e->setup.batch));
    for (size_t t = 0; t < e->tasks; t++)
        targets->of[t] = COP_NEW_ARRAY(struct target, batches_of(targets, t) * e->setup.hidden);
    return targets;
}

static void forget(cop_targets *targets, size_t task) {
    size_t count = batches_of(targets, task) * targets->experiment->setup.hidden;
    for (size_t i = 0; i < count; i++) {
        cop_free(targets->of[task][i].p);
        targets->of[task][i].p = NULL;
    }
}

void cop_targets_draw(cop_targets *targets, const cop_shard *shard) {
    if (!targets->experiment->draw) return;
    if (targets->drawn.x && shard->batch_base != targets->drawn.batch_base)
        for (size_t t = 0; t < targets->experiment->tasks; t++) forget(targets, t);
    targets->drawn = *shard;
}

void cop_targets_destroy(cop_targets *targets) {
    if (!targets) return;
    for (size_t t = 0; t < targets->experiment->tasks; t++) {
        forget(targets, t);
        cop_free(targets->of[t]);
    }
    cop_free(targets->q);
    cop_mask_clear(&targets->all);
    if (targets->base) targets->evaluator->destroy(targets->base);
    cop_free(targets);
}

/* The divergence from @p p of neighbours that are all alike: what a layer without any information
 * has. */
static double worst_divergence(const double *p, size_t n) {
    double *alike = COP_NEW_ARRAY(double, pairs(n));
    for (size_t i = 0; i < pairs(n); i++) alike[i] = 1.0 / (double)(n * (n - 1));
    double worst = cop_similarity_loss(p, alike, n);
    cop_free(alike);
    return worst > 0 ? worst : 1;
}

static void neighbours(const cop_experiment *e, const double *rows, size_t n, size_t width,
                       double *p) {
    if (e->setup.by_unit)
        cop_similarity_neighbours_by_unit(rows, n, width, e->perplexity, p);
    else
        cop_similarity_neighbours(rows, n, width, e->perplexity, p);
}

static cop_status keep(void *user, size_t individual, size_t which, const double *rows, size_t n,
                       size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    cop_targets *targets = user;
    const cop_experiment *e = targets->experiment;
    double *p = COP_NEW_ARRAY(double, pairs(n));
    (void)individual, (void)evidence;
    neighbours(e, rows, n, width, p);
    targets->of[task][(e->draw ? 0 : batch) * e->setup.hidden + which] =
        (struct target){p, e->normalise ? worst_divergence(p, n) : 1};
    return COP_OK;
}

/* All hidden layers of the base network on one batch. */
static cop_status compute(cop_targets *targets, size_t task, size_t batch) {
    const cop_experiment *e = targets->experiment;
    const cop_dataset *set = e->evolve[task];
    const cop_mask *all = &targets->all;
    size_t n = e->setup.batch;
    cop_evidence unused;
    if (e->draw) COP_ASSERT(targets->drawn.x && targets->drawn.batch_base == batch);
    size_t first = e->draw ? 0 : batch * n;
    cop_shard shard = {.x = set->x + first * cop_dataset_features(set),
                       .label = set->label + first,
                       .n = n,
                       .batch_base = batch,
                       .task = task,
                       .head = set->head};
    if (e->draw) shard = targets->drawn;
    if (!targets->base) {
        cop_eval_setup setup = e->setup;
        setup.weighting = (cop_weighting){COP_WEIGHTS_TRAINED, 1, {1}};
        setup.alone = true; /* it has no relatives */
        COP_TRY(targets->evaluator->create(&targets->base, &setup));
    }
    return targets->evaluator->evaluate(targets->base, &all, 1, &shard, keep, targets, &unused,
                                        NULL);
}

cop_status cop_targets_compare(cop_targets *targets, size_t which, const double *rows, size_t n,
                               size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    const cop_experiment *e = targets->experiment;
    if (n < e->setup.batch || n < 2 || batch >= e->similarity_batches) return COP_OK;
    COP_ASSERT(e->draw || batch < batches_of(targets, task));
    const struct target *target =
        &targets->of[task][(e->draw ? 0 : batch) * e->setup.hidden + which];
    if (!target->p) COP_TRY(compute(targets, task, batch));
    neighbours(e, rows, n, width, targets->q);
    evidence->similarity[which] += cop_similarity_loss(target->p, targets->q, n) / target->scale;
    if (which == 0) evidence->batches++;
    return COP_OK;
}
