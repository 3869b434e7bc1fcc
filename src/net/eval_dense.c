/* Evaluator `dense`: an individual that keeps or loses units as a whole is a smaller dense network,
 * and is computed as that: float, OpenBLAS, one individual after the other. Any other mask, and
 * shared weights, are computed as under `blas`. */
#include "net/eval_score.h"
#include "net/evaluators.h"

#include <string.h>

typedef struct dense {
    cop_eval_setup setup;
    size_t *width;     /* (weighted layers) of `narrow`; all 0: none yet */
    cop_model *narrow; /* of the individual computed last */
    cop_net_work *work;
    float *b;      /* (biases) in the narrow model's order */
    float *x;      /* (batch, D), for the tail */
    double *rows;  /* (batch, widest hidden layer) */
    double *logit; /* (classes) */
    void *wide;    /* `blas`, for what is no smaller dense network */
} dense;

static void destroy(void *self) {
    dense *d = self;
    if (!d) return;
    cop_evaluator_blas.destroy(d->wide);
    cop_net_work_destroy(d->work);
    cop_model_destroy(d->narrow);
    cop_free(d->width);
    cop_free(d->b);
    cop_free(d->x);
    cop_free(d->rows);
    cop_free(d->logit);
    cop_free(d);
}

static cop_status create(void **self, const cop_eval_setup *setup) {
    *self = NULL;
    COP_TRY(cop_eval_check(setup));
    dense *d = COP_NEW(dense);
    d->setup = *setup;
    *self = d;
    d->width = COP_NEW_ARRAY(size_t, setup->model->count);
    d->b = COP_NEW_ARRAY(float, setup->model->biases);
    d->x = COP_NEW_ARRAY(float, setup->batch *cop_shape_size(setup->model->input));
    d->rows = COP_NEW_ARRAY(double, setup->batch *cop_widest_hidden(setup));
    d->logit = COP_NEW_ARRAY(double, setup->model->classes);
    return cop_evaluator_blas.create(&d->wide, setup);
}

static size_t bytes(const cop_eval_setup *setup) {
    const cop_model *m = setup->model;
    return cop_evaluator_blas.bytes(setup) + cop_net_work_bytes(m, setup->batch, false) +
           m->biases * sizeof(float) +
           setup->batch * (cop_shape_size(m->input) * sizeof(float) +
                           cop_widest_hidden(setup) * sizeof(double));
}

/* The model with the widths of @p genome; kept while they stay the same. */
static cop_status narrow_to(dense *d, const cop_dense *genome) {
    bool same = d->narrow != NULL;
    for (size_t k = 0; k < genome->count; k++) {
        same = same && d->width[k] == genome->layer[k].rows;
        d->width[k] = genome->layer[k].rows;
    }
    if (same) return COP_OK;
    cop_net_work_destroy(d->work);
    cop_model_destroy(d->narrow);
    d->work = NULL;
    d->narrow = NULL;
    COP_TRY(cop_dense_model(genome, d->setup.model, &d->narrow));
    d->work = cop_net_work_create(d->narrow, d->setup.batch, false);
    return COP_OK;
}

/* Where the results of individual number @p individual of a block go. */
typedef struct part {
    size_t individual;
    cop_hidden_sink sink;
    void *user;
    cop_evidence *evidence;
    uint16_t *predictions;
} part;

static cop_status pass_on(void *user, size_t individual, size_t which, const double *rows, size_t n,
                          size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    const part *to = user;
    (void)individual;
    return to->sink(to->user, to->individual, which, rows, n, width, task, batch, evidence);
}

static cop_status show(dense *d, size_t n, const cop_shard *shard, size_t batch, const part *to) {
    for (size_t h = 0; h < d->setup.hidden; h++) {
        size_t layer = d->setup.hidden_layer[h];
        size_t width = cop_shape_size(d->narrow->layers[layer].out);
        const float *out = cop_net_output(d->work, layer);
        for (size_t j = 0; j < n * width; j++) d->rows[j] = (double)out[j];
        COP_TRY(to->sink(to->user, to->individual, h, d->rows, n, width, shard->task,
                         shard->batch_base + batch, to->evidence));
    }
    return COP_OK;
}

/* Batch by batch; d->narrow fits and d->b holds the biases. */
static cop_status compute(dense *d, const cop_genome *genome, const cop_shard *shard, part to) {
    cop_params params = {d->narrow->weights, d->narrow->biases, genome->w, d->b};
    size_t inputs = cop_shape_size(d->narrow->input), classes = d->narrow->classes;
    const cop_head head = cop_shard_head(&d->setup, shard);
    size_t batch = d->setup.batch;
    *to.evidence = (cop_evidence){.samples = shard->n};
    for (size_t s = 0; s < shard->n; s += batch) {
        size_t n = shard->n - s < batch ? shard->n - s : batch;
        const float *x = shard->x + s * inputs;
        if (n < batch) { /* BLAS rounds differently for other sizes */
            memset(d->x, 0, batch * inputs * sizeof(float));
            memcpy(d->x, x, n * inputs * sizeof(float));
            x = d->x;
        }
        const float *logits = cop_net_forward(d->work, &params, x, batch, NULL);
        for (size_t r = 0; r < n; r++) {
            for (size_t k = 0; k < head.count; k++)
                d->logit[k] = (double)logits[r * classes + head.first + k];
            cop_score_add(to.evidence, 0, d->logit, head.count, shard->label[s + r],
                          to.predictions ? to.predictions + s + r : NULL);
        }
        if (to.sink) COP_TRY(show(d, n, shard, s / batch, &to));
    }
    return COP_OK;
}

static cop_status evaluate_one(dense *d, const cop_genome *genome, const cop_shard *shard,
                               part to) {
    cop_dense view;
    cop_dense_of_mask(&view, d->setup.model, &genome->mask);
    cop_status status = narrow_to(d, &view);
    cop_dense_biases(&view, d->setup.model, genome->b, d->b);
    cop_dense_clear(&view);
    return status == COP_OK ? compute(d, genome, shard, to) : status;
}

static cop_status evaluate_own(void *self, const cop_genome *const *genomes, size_t count,
                               const cop_shard *shard, cop_hidden_sink sink, void *user,
                               cop_evidence *evidence, uint16_t *predictions) {
    dense *d = self;
    COP_TRY(cop_shard_check(&d->setup, shard));
    for (size_t i = 0; i < count; i++)
        COP_TRY(evaluate_one(
            d, genomes[i], shard,
            (part){i, sink, user, &evidence[i], predictions ? predictions + i * shard->n : NULL}));
    return COP_OK;
}

/* A mask of the base network: cut down to the smaller network if it is one. */
static cop_status evaluate_mask(dense *d, const cop_mask *mask, const cop_shard *shard, part to) {
    const cop_model *model = d->setup.model;
    if (d->setup.weighting.kind != COP_WEIGHTS_TRAINED || !cop_dense_is(model, mask))
        return cop_evaluator_blas.evaluate(d->wide, &mask, 1, shard, to.sink ? pass_on : NULL, &to,
                                           to.evidence, to.predictions);
    cop_genome genome;
    cop_dense view;
    cop_mask units;
    cop_mask_init(&units, model->biases);
    cop_dense_of_mask(&view, model, mask);
    cop_dense_units(&view, model, &units);
    cop_dense_build(&genome, model, d->setup.base, NULL, &units);
    cop_status status = evaluate_one(d, &genome, shard, to);
    cop_genome_clear(&genome);
    cop_dense_clear(&view);
    cop_mask_clear(&units);
    return status;
}

static cop_status evaluate(void *self, const cop_mask *const *masks, size_t count,
                           const cop_shard *shard, cop_hidden_sink sink, void *user,
                           cop_evidence *evidence, uint16_t *predictions) {
    dense *d = self;
    size_t each = d->setup.weighting.values * shard->n;
    COP_TRY(cop_shard_check(&d->setup, shard));
    for (size_t i = 0; i < count; i++)
        COP_TRY(evaluate_mask(
            d, masks[i], shard,
            (part){i, sink, user, &evidence[i], predictions ? predictions + i * each : NULL}));
    return COP_OK;
}

static cop_status explain(const cop_eval_setup *setup, cop_buf *out) {
    COP_TRY(cop_eval_check(setup));
    cop_buf_printf(out, "each individual by itself, as the smaller dense network that it is\n");
    return COP_OK;
}

const cop_evaluator cop_evaluator_dense = {
    "dense",  "float with OpenBLAS, as wide as the units that are left",
    create,   destroy,
    evaluate, bytes,
    explain,  evaluate_own};
