/* Evaluator `blas`: the float forward pass with every weight in place, live or not. The batch
 * always has the same size (a tail is filled up with zeros), since BLAS rounds differently for
 * other sizes. */
#include "net/eval_score.h"
#include "net/evaluators.h"

#include <string.h>

typedef struct blas {
    cop_eval_setup setup;
    cop_net_work *work;
    cop_params params; /* w: what is computed with now; b: the base network's */
    float *x;          /* (batch, D), for the tail */
    double *rows;      /* (batch, widest hidden layer) */
    double *logit;     /* (classes) */
} blas;

static void destroy(void *self) {
    blas *b = self;
    if (!b) return;
    cop_net_work_destroy(b->work);
    cop_params_clear(&b->params);
    cop_free(b->x);
    cop_free(b->rows);
    cop_free(b->logit);
    cop_free(b);
}

static cop_status create(void **self, const cop_eval_setup *setup) {
    *self = NULL;
    COP_TRY(cop_eval_check(setup));
    blas *b = COP_NEW(blas);
    b->setup = *setup;
    b->work = cop_net_work_create(setup->model, setup->batch, false);
    cop_params_init(&b->params, setup->model);
    if (setup->model->biases)
        memcpy(b->params.b, setup->base->b, setup->model->biases * sizeof(float));
    b->x = cop_alloc(setup->batch, cop_shape_size(setup->model->input) * sizeof(float));
    b->rows = cop_alloc(setup->batch, cop_widest_hidden(setup) * sizeof(double));
    b->logit = COP_NEW_ARRAY(double, setup->model->classes);
    *self = b;
    return COP_OK;
}

static size_t bytes(const cop_eval_setup *setup) {
    const cop_model *m = setup->model;
    return cop_eval_overhead(setup) + cop_net_work_bytes(m, setup->batch, false) +
           (m->weights + m->biases) * sizeof(float) +
           setup->batch * (cop_shape_size(m->input) * sizeof(float) +
                           cop_widest_hidden(setup) * sizeof(double));
}

/* All wanted hidden layers of the batch that was computed last, to the sink. */
static cop_status show(blas *b, size_t n, cop_hidden_sink sink, void *user, size_t individual,
                       const cop_shard *shard, size_t batch, cop_evidence *evidence) {
    for (size_t h = 0; h < b->setup.hidden; h++) {
        size_t layer = b->setup.hidden_layer[h];
        size_t width = cop_shape_size(b->setup.model->layers[layer].out);
        const float *out = cop_net_output(b->work, layer);
        for (size_t j = 0; j < n * width; j++) b->rows[j] = (double)out[j];
        COP_TRY(sink(user, individual, h, b->rows, n, width, shard->task, shard->batch_base + batch,
                     evidence));
    }
    return COP_OK;
}

static cop_status evaluate(void *self, const cop_mask *const *masks, size_t count,
                           const cop_shard *shard, cop_hidden_sink sink, void *user,
                           cop_evidence *evidence, uint16_t *predictions) {
    blas *b = self;
    size_t inputs = cop_shape_size(b->setup.model->input), values = b->setup.weighting.values;
    size_t batch = b->setup.batch, classes = b->setup.model->classes;
    const cop_head head = cop_shard_head(&b->setup, shard);
    cop_variants variants = cop_eval_variants(&b->setup);
    COP_TRY(cop_shard_check(&b->setup, shard));
    for (size_t i = 0; i < count; i++) {
        evidence[i] = (cop_evidence){.samples = shard->n};
        for (size_t v = 0; v < variants.count; v++) {
            bool visible = sink && v == variants.hidden;
            if (v >= values && !visible) continue;
            cop_effective_weights(b->setup.base, masks[i], b->setup.weighting.kind,
                                  variants.value[v], b->params.w);
            for (size_t s = 0; s < shard->n; s += batch) {
                size_t n = shard->n - s < batch ? shard->n - s : batch;
                const float *x = shard->x + s * inputs;
                if (n < batch) {
                    memset(b->x, 0, batch * inputs * sizeof(float));
                    memcpy(b->x, x, n * inputs * sizeof(float));
                    x = b->x;
                }
                const float *logits = cop_net_forward(b->work, &b->params, x, batch, NULL);
                for (size_t r = 0; v < values && r < n; r++) {
                    for (size_t k = 0; k < head.count; k++)
                        b->logit[k] = (double)logits[r * classes + head.first + k];
                    cop_score_add(&evidence[i], v, b->logit, head.count, shard->label[s + r],
                                  predictions ? predictions + (i * values + v) * shard->n + s + r
                                              : NULL);
                }
                if (visible) COP_TRY(show(b, n, sink, user, i, shard, s / batch, &evidence[i]));
            }
        }
    }
    return COP_OK;
}

static cop_status explain(const cop_eval_setup *setup, cop_buf *out) {
    COP_TRY(cop_eval_check(setup));
    cop_buf_printf(out, "each individual and shared value by itself; dead edges are multiplied "
                        "like live ones\n");
    return COP_OK;
}

const cop_evaluator cop_evaluator_blas = {
    "blas", "float with OpenBLAS, every weight in place", create, destroy, evaluate, bytes, explain,
    NULL};
