/* Evaluator `dense`: an individual that keeps or loses units as a whole is a smaller dense network,
 * and is computed as that. Chains of dense layers with ReLU: eval_dense_rows.c. Other networks:
 * float, OpenBLAS, one individual after the other. Any other mask, and shared weights, are computed
 * as under `blas`. */
#include "net/eval_dense_rows.h"
#include "net/eval_score.h"
#include "net/evaluators.h"
#include "net/score_kernels.h"

#include <math.h>
#include <string.h>

typedef struct dense {
    cop_eval_setup setup;
    size_t *width;     /* (weighted layers) of `narrow`; all 0: none yet */
    cop_model *narrow; /* of the individual computed last */
    cop_net_work *work;
    float *b;      /* (biases) in the narrow model's order */
    float *x;      /* (batch, D), for the tail */
    double *rows;  /* (batch rounded up, widest hidden layer), or units with setup.by_unit */
    double *logit; /* (classes, COP_SCORE_LANES) */
    void *wide;    /* `blas`, for what is no smaller dense network */
    cop_rows *chain;
    const cop_score_kernel *score;
    size_t last, hidden[8]; /* chain: number of the last weighted layer, and of hidden ones */
    cop_mask seen;          /* the mask computed last; bits 0: none */
    cop_genome cut;         /* what it is as a smaller network */
} dense;

static void destroy(void *self) {
    dense *d = self;
    if (!d) return;
    cop_evaluator_blas.destroy(d->wide);
    cop_rows_destroy(d->chain);
    cop_mask_clear(&d->seen);
    cop_genome_clear(&d->cut);
    cop_net_work_destroy(d->work);
    cop_model_destroy(d->narrow);
    cop_free(d->width);
    cop_free(d->b);
    cop_free(d->x);
    cop_free(d->rows);
    cop_free(d->logit);
    cop_free(d);
}

/* A chain's hidden layers are where its weighted layers end, behind their ReLU. */
static bool find_hidden(dense *d) {
    const cop_model *model = d->setup.model;
    for (size_t h = 0; h < d->setup.hidden; h++) {
        size_t k = 0, i = 0;
        for (; i < model->count; i++) {
            if (!model->layers[i].weights) continue;
            if (cop_model_activation_of(model, i) == d->setup.hidden_layer[h]) break;
            k++;
        }
        if (i == model->count) return false;
        d->hidden[h] = k;
    }
    return true;
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
    d->rows = cop_alloc(COP_UNIT_STRIDE(setup->batch), cop_widest_hidden(setup) * sizeof(double));
    d->logit = COP_NEW_ARRAY(double, setup->model->classes *COP_SCORE_LANES);
    size_t count;
    const cop_score_kernel *const *kernels = cop_score_kernels(&count);
    d->score = kernels[count - 1];
    if (cop_rows_can(setup->model) && find_hidden(d)) COP_TRY(cop_rows_create(&d->chain, setup));
    return cop_evaluator_blas.create(&d->wide, setup);
}

static size_t bytes(const cop_eval_setup *setup) {
    const cop_model *m = setup->model;
    size_t own = cop_rows_can(m) ? cop_rows_bytes(setup) : 0;
    return cop_evaluator_blas.bytes(setup) + cop_net_work_bytes(m, setup->batch, false) + own +
           m->biases * 2 * sizeof(float) + m->weights * sizeof(float) + m->weights / 4 +
           m->classes * COP_SCORE_LANES * sizeof(double) +
           setup->batch * cop_shape_size(m->input) * sizeof(float) +
           COP_UNIT_STRIDE(setup->batch) * cop_widest_hidden(setup) * sizeof(double);
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
    dense *self;
    size_t individual;
    cop_hidden_sink sink;
    void *user;
    cop_evidence *evidence;
    uint16_t *predictions;
} part;

static cop_status pass_on(void *user, size_t individual, size_t which, const double *rows, size_t n,
                          size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    const part *to = user;
    double *units = to->self->rows;
    (void)individual;
    for (size_t i = 0; to->self->setup.by_unit && i < n; i++)
        for (size_t k = 0; k < width; k++) units[k * COP_UNIT_STRIDE(n) + i] = rows[i * width + k];
    if (to->self->setup.by_unit) rows = units;
    return to->sink(to->user, to->individual, which, rows, n, width, task, batch, evidence);
}

static cop_status show(dense *d, size_t n, const cop_shard *shard, size_t batch, const part *to) {
    for (size_t h = 0; h < d->setup.hidden; h++) {
        size_t layer = d->setup.hidden_layer[h];
        size_t width = cop_shape_size(d->narrow->layers[layer].out);
        const float *out = cop_net_output(d->work, layer);
        const size_t stride = COP_UNIT_STRIDE(n);
        if (d->setup.by_unit)
            for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < width; k++)
                    d->rows[k * stride + i] = (double)out[i * width + k];
        else
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

/* ------------------------------------------------------------------ chains */

static cop_status show_rows(dense *d, size_t n, const cop_shard *shard, size_t batch,
                            const cop_dense *units, const part *to) {
    for (size_t h = 0; h < d->setup.hidden; h++) {
        size_t stride, width = units->layer[d->hidden[h]].rows;
        const float *out = cop_rows_output(d->chain, d->hidden[h], &stride);
        if (d->setup.by_unit)
            for (size_t k = 0; k < width; k++)
                for (size_t i = 0; i < COP_UNIT_STRIDE(n); i++)
                    d->rows[k * COP_UNIT_STRIDE(n) + i] = (double)out[k * stride + i];
        else
            for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < width; k++)
                    d->rows[i * width + k] = (double)out[k * stride + i];
        COP_TRY(to->sink(to->user, to->individual, h, d->rows, n, width, shard->task,
                         shard->batch_base + batch, to->evidence));
    }
    return COP_OK;
}

static void score_rows(dense *d, const cop_head *head, const int32_t *label, size_t n,
                       cop_evidence *evidence, uint16_t *predictions) {
    size_t stride;
    const float *out = cop_rows_output(d->chain, d->last, &stride) + head->first * stride;
    for (size_t s = 0; s < n; s += COP_SCORE_LANES) {
        size_t lanes = n - s < COP_SCORE_LANES ? n - s : COP_SCORE_LANES;
        uint16_t *to = predictions ? predictions + s : NULL;
        bool finite = true;
        for (size_t k = 0; k < head->count; k++)
            for (size_t l = 0; l < COP_SCORE_LANES; l++) {
                d->logit[k * COP_SCORE_LANES + l] = (double)out[k * stride + s + l];
                finite &= isfinite(out[k * stride + s + l]) != 0;
            }
        if (finite) {
            d->score->reals(d->logit, head->count, label + s, lanes, to, &evidence->correct[0],
                            &evidence->loss[0]);
            continue;
        }
        for (size_t l = 0; l < lanes; l++) {
            for (size_t k = 0; k < head->count; k++) d->logit[k] = (double)out[k * stride + s + l];
            cop_score_add(evidence, 0, d->logit, head->count, label[s + l], to ? to + l : NULL);
        }
    }
}

/* Batch by batch, in each one individual after the other. */
static cop_status evaluate_chains(dense *d, const cop_genome *const *genomes, size_t count,
                                  const cop_shard *shard, part to) {
    const cop_head head = cop_shard_head(&d->setup, shard);
    const size_t batch = d->setup.batch, inputs = cop_shape_size(d->setup.model->input);
    cop_status status = COP_OK;
    for (size_t i = 0; i < count; i++) to.evidence[i] = (cop_evidence){.samples = shard->n};
    for (size_t s = 0; s < shard->n && status == COP_OK; s += batch) {
        size_t n = shard->n - s < batch ? shard->n - s : batch;
        cop_rows_batch(d->chain, shard->x + s * inputs, n);
        for (size_t i = 0; i < count && status == COP_OK; i++) {
            cop_dense units;
            part one = to;
            one.individual += i;
            one.evidence += i;
            cop_dense_of_mask(&units, d->setup.model, &genomes[i]->mask);
            cop_rows_forward(d->chain, genomes[i], &units);
            d->last = units.count - 1;
            score_rows(d, &head, shard->label + s, n, one.evidence,
                       to.predictions ? to.predictions + i * shard->n + s : NULL);
            if (to.sink) status = show_rows(d, n, shard, s / batch, &units, &one);
            cop_dense_clear(&units);
        }
    }
    return status;
}

/* ------------------------------------------------------------------ any of them */

static cop_status evaluate_narrow(dense *d, const cop_genome *genome, const cop_shard *shard,
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
    part to = {d, 0, sink, user, evidence, predictions};
    COP_TRY(cop_shard_check(&d->setup, shard));
    if (d->chain) return evaluate_chains(d, genomes, count, shard, to);
    for (; to.individual < count; to.individual++, to.evidence++) {
        COP_TRY(evaluate_narrow(d, genomes[to.individual], shard, to));
        if (predictions) to.predictions += shard->n;
    }
    return COP_OK;
}

/* The mask as a smaller network, kept for the next call. */
static void cut_down(dense *d, const cop_mask *mask) {
    const cop_model *model = d->setup.model;
    cop_dense view;
    cop_mask units;
    cop_mask_clear(&d->seen);
    cop_genome_clear(&d->cut);
    cop_mask_init(&d->seen, model->weights);
    cop_mask_copy(&d->seen, mask);
    cop_mask_init(&units, model->biases);
    cop_dense_of_mask(&view, model, mask);
    cop_dense_units(&view, model, &units);
    cop_dense_build(&d->cut, model, d->setup.base, NULL, &units);
    cop_dense_clear(&view);
    cop_mask_clear(&units);
}

/* A mask of the base network: cut down to the smaller network if it is one. */
static cop_status evaluate_mask(dense *d, const cop_mask *mask, const cop_shard *shard, part to) {
    const cop_genome *genome = &d->cut;
    bool same = d->seen.bits && cop_mask_equal(&d->seen, mask);
    if (d->setup.weighting.kind != COP_WEIGHTS_TRAINED ||
        (!same && !cop_dense_is(d->setup.model, mask)))
        return cop_evaluator_blas.evaluate(d->wide, &mask, 1, shard, to.sink ? pass_on : NULL, &to,
                                           to.evidence, to.predictions);
    if (!same) cut_down(d, mask);
    if (d->chain) return evaluate_chains(d, &genome, 1, shard, to);
    return evaluate_narrow(d, genome, shard, to);
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
            (part){d, i, sink, user, &evidence[i], predictions ? predictions + i * each : NULL}));
    return COP_OK;
}

static cop_status explain(const cop_eval_setup *setup, cop_buf *out) {
    COP_TRY(cop_eval_check(setup));
    cop_buf_printf(out, "each individual as the smaller dense network that it is%s\n",
                   cop_rows_can(setup->model)
                       ? "; rows of the first layer that several share are summed once a batch"
                       : "");
    return COP_OK;
}

const cop_evaluator cop_evaluator_dense = {"dense",  "float, as wide as the units that are left",
                                           create,   destroy,
                                           evaluate, bytes,
                                           explain,  evaluate_own};
