#include "targets.h"

struct cop_targets {
    const cop_experiment *experiment;
    cop_net_work *work; /* forward passes of the base network, one batch at a time */
    double *rows;       /* (batch, widest hidden layer) of the base network */
    double *q;          /* neighbours of the individual */
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
    targets->experiment = e;
    targets->work = cop_net_work_create(e->model, e->setup.batch, false);
    targets->rows = COP_NEW_ARRAY(double, e->setup.batch * e->model->widest);
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
    cop_free(targets->rows);
    cop_net_work_destroy(targets->work);
    cop_free(targets);
}

/* The base network with its trained weights, in single precision as EComp's parent. */
static void compute(cop_targets *targets, size_t task, size_t batch) {
    const cop_experiment *e = targets->experiment;
    const cop_dataset *set = e->evolve[task];
    size_t n = e->setup.batch;
    cop_net_forward(targets->work, &e->base, set->x + batch * n * cop_dataset_features(set), n,
                    NULL);
    for (size_t h = 0; h < e->setup.hidden; h++) {
        const float *output = cop_net_output(targets->work, e->setup.hidden_layer[h]);
        size_t width = cop_shape_size(e->model->layers[e->setup.hidden_layer[h]].out);
        double *p = COP_NEW_ARRAY(double, pairs(n));
        for (size_t i = 0; i < n * width; i++) targets->rows[i] = output[i];
        cop_similarity_neighbours(targets->rows, n, width, e->perplexity, p);
        targets->p[task][batch * e->setup.hidden + h] = p;
    }
}

cop_status cop_targets_compare(cop_targets *targets, size_t which, const double *rows, size_t n,
                               size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    const cop_experiment *e = targets->experiment;
    if (n < e->setup.batch || n < 2 || batch >= e->similarity_batches) return COP_OK;
    COP_ASSERT(batch < batches_of(targets, task));
    double **p = &targets->p[task][batch * e->setup.hidden + which];
    if (!*p) compute(targets, task, batch);
    cop_similarity_neighbours(rows, n, width, e->perplexity, targets->q);
    evidence->similarity[which] += cop_similarity_loss(*p, targets->q, n);
    if (which == 0) evidence->batches++;
    return COP_OK;
}
