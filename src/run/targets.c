#include "targets.h"

#include <string.h>

/* The base network computes with its trained weights. Under exact arithmetic its activations must
 * be the same bits on every machine too, or a result would depend on who computed it: so they come
 * from the evaluator `reference` (slower, but once per batch and worker), and from `blas` only
 * where the individuals' do. */
struct cop_targets {
    const cop_experiment *experiment;
    const cop_evaluator *evaluator; /* of the base network */
    void *base;
    cop_mask all; /* its edges */
    double *q;    /* neighbours of the individual */
    double **
        *p; /* [task][batch * hidden + which]: neighbours of the base network, NULL until needed */
};

static size_t batches_of(const cop_targets *targets, size_t task) {
    return targets->experiment->evolve[task]->samples / targets->experiment->setup.batch;
}

static size_t pairs(size_t n) {
    return n * (n - 1) / 2;
}

cop_targets *cop_targets_create(const cop_experiment *e) {
    cop_targets *targets = COP_NEW(cop_targets);
    bool floating = strcmp(e->evaluator->name, "blas") == 0;
    targets->experiment = e;
    targets->evaluator = floating ? e->evaluator : cop_evaluator_find("reference");
    cop_mask_init(&targets->all, e->model->weights);
    cop_mask_fill(&targets->all);
    targets->q = COP_NEW_ARRAY(double, pairs(e->setup.batch));
    targets->p = COP_NEW_ARRAY(double **, e->tasks);
    for (size_t t = 0; t < e->tasks; t++)
        targets->p[t] = COP_NEW_ARRAY(double *, batches_of(targets, t) * e->setup.hidden);
    return targets;
}

void cop_targets_destroy(cop_targets *targets) {
    if (!targets) return;
    for (size_t t = 0; t < targets->experiment->tasks; t++) {
        size_t count = batches_of(targets, t) * targets->experiment->setup.hidden;
        for (size_t i = 0; i < count; i++) cop_free(targets->p[t][i]);
        cop_free(targets->p[t]);
    }
    cop_free(targets->p);
    cop_free(targets->q);
    cop_mask_clear(&targets->all);
    if (targets->base) targets->evaluator->destroy(targets->base);
    cop_free(targets);
}

static cop_status keep(void *user, size_t individual, size_t which, const double *rows, size_t n,
                       size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    cop_targets *targets = user;
    const cop_experiment *e = targets->experiment;
    double *p = COP_NEW_ARRAY(double, pairs(n));
    (void)individual, (void)evidence;
    cop_similarity_neighbours(rows, n, width, e->perplexity, p);
    targets->p[task][batch * e->setup.hidden + which] = p;
    return COP_OK;
}

/* All hidden layers of the base network on one batch. */
static cop_status compute(cop_targets *targets, size_t task, size_t batch) {
    const cop_experiment *e = targets->experiment;
    const cop_dataset *set = e->evolve[task];
    const cop_mask *all = &targets->all;
    size_t n = e->setup.batch;
    cop_evidence unused;
    cop_shard shard = {.x = set->x + batch * n * cop_dataset_features(set),
                       .label = set->label + batch * n,
                       .n = n,
                       .batch_base = batch,
                       .task = task,
                       .head = set->head};
    if (!targets->base) {
        cop_eval_setup setup = e->setup;
        setup.weighting = (cop_weighting){COP_WEIGHTS_TRAINED, 1, {1}};
        COP_TRY(targets->evaluator->create(&targets->base, &setup));
    }
    return targets->evaluator->evaluate(targets->base, &all, 1, &shard, keep, targets, &unused,
                                        NULL);
}

cop_status cop_targets_compare(cop_targets *targets, size_t which, const double *rows, size_t n,
                               size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    const cop_experiment *e = targets->experiment;
    if (n < e->setup.batch || n < 2 || batch >= e->similarity_batches) return COP_OK;
    COP_ASSERT(batch < batches_of(targets, task));
    double **p = &targets->p[task][batch * e->setup.hidden + which];
    if (!*p) COP_TRY(compute(targets, task, batch));
    cop_similarity_neighbours(rows, n, width, e->perplexity, targets->q);
    evidence->similarity[which] += cop_similarity_loss(*p, targets->q, n);
    if (which == 0) evidence->batches++;
    return COP_OK;
}
