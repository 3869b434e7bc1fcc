/* Evaluator `reference`: the definition of what a network computes, in plain C and double. Every
 * layer kind, every activation, every weighting; one sample at a time. Nothing here is meant to be
 * fast. */
#include "net/eval_score.h"
#include "net/evaluators.h"

#include <math.h>
#include <string.h>

typedef struct reference {
    cop_eval_setup setup;
    double *w;         /* (E) weights computed with */
    double **out;      /* per layer: output of the current sample */
    double *hidden[8]; /* (batch, width) rows for the sink */
} reference;

static void destroy(void *self) {
    reference *r = self;
    if (!r) return;
    for (size_t i = 0; i < r->setup.model->count; i++) cop_free(r->out[i]);
    for (size_t h = 0; h < r->setup.hidden; h++) cop_free(r->hidden[h]);
    cop_free(r->out);
    cop_free(r->w);
    cop_free(r);
}

static cop_status create(void **self, const cop_eval_setup *setup) {
    *self = NULL;
    COP_TRY(cop_eval_check(setup));
    reference *r = COP_NEW(reference);
    r->setup = *setup;
    r->w = COP_NEW_ARRAY(double, setup->model->weights);
    r->out = COP_NEW_ARRAY(double *, setup->model->count);
    for (size_t i = 0; i < setup->model->count; i++)
        r->out[i] = COP_NEW_ARRAY(double, cop_shape_size(setup->model->layers[i].out));
    for (size_t h = 0; h < setup->hidden; h++)
        r->hidden[h] = cop_alloc(
            setup->batch,
            sizeof(double) * cop_shape_size(setup->model->layers[setup->hidden_layer[h]].out));
    *self = r;
    return COP_OK;
}

static size_t bytes(const cop_eval_setup *setup) {
    size_t total = cop_eval_overhead(setup) + setup->model->weights * sizeof(double);
    for (size_t i = 0; i < setup->model->count; i++)
        total += cop_shape_size(setup->model->layers[i].out) * sizeof(double);
    for (size_t h = 0; h < setup->hidden; h++)
        total += setup->batch * sizeof(double) *
                 cop_shape_size(setup->model->layers[setup->hidden_layer[h]].out);
    return total;
}

static void weigh(reference *r, const cop_mask *mask, double value) {
    const float *base = r->setup.base->w;
    for (size_t e = 0; e < r->setup.model->weights; e++) {
        double w = 0;
        if (cop_mask_get(mask, e)) switch (r->setup.weighting.kind) {
            case COP_WEIGHTS_TRAINED:
                w = (double)base[e];
                break;
            case COP_WEIGHTS_SIGNED:
                w = base[e] > 0 ? value : base[e] < 0 ? -value : 0;
                break;
            case COP_WEIGHTS_POSITIVE:
                w = value;
                break;
            }
        r->w[e] = w;
    }
}

static double activate(cop_activation kind, double x) {
    switch (kind) {
    case COP_ACT_IDENTITY:
        return x;
    case COP_ACT_RELU:
        return x > 0 ? x : x < 0 ? 0 : x; /* NaN stays */
    case COP_ACT_LEAKY_RELU:
        return x > 0 ? x : 0.01 * x;
    case COP_ACT_ELU:
        return x > 0 ? x : expm1(x);
    case COP_ACT_TANH:
        return tanh(x);
    case COP_ACT_SIGMOID:
        return 1 / (1 + exp(-x));
    case COP_ACT_SOFTPLUS:
        return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    case COP_ACT_SILU:
        return x / (1 + exp(-x));
    }
    cop_assert_failed("a known activation", __FILE__, __LINE__, __func__);
}

static void dense(const cop_layer *l, const double *w, const float *bias, const double *in,
                  double *out) {
    size_t inputs = cop_shape_size(l->in);
    for (size_t o = 0; o < cop_shape_size(l->out); o++) {
        double sum = (double)bias[o];
        for (size_t i = 0; i < inputs; i++) sum += w[o * inputs + i] * in[i];
        out[o] = sum;
    }
}

static void conv2d(const cop_layer *l, const double *w, const float *bias, const double *in,
                   double *out) {
    cop_shape a = l->in, b = l->out;
    size_t k = l->kernel, pad = l->padding;
    for (size_t o = 0; o < b.channels; o++)
        for (size_t y = 0; y < b.height; y++)
            for (size_t x = 0; x < b.width; x++) {
                double sum = (double)bias[o];
                for (size_t c = 0; c < a.channels; c++)
                    for (size_t i = 0; i < k; i++)
                        for (size_t j = 0; j < k; j++) {
                            size_t row = y * l->stride + i, col = x * l->stride + j;
                            if (row < pad || col < pad || row - pad >= a.height ||
                                col - pad >= a.width)
                                continue;
                            sum += w[((o * a.channels + c) * k + i) * k + j] *
                                   in[(c * a.height + row - pad) * a.width + col - pad];
                        }
                out[(o * b.height + y) * b.width + x] = sum;
            }
}

static void maxpool2d(const cop_layer *l, const double *in, double *out) {
    cop_shape a = l->in, b = l->out;
    for (size_t c = 0; c < b.channels; c++)
        for (size_t y = 0; y < b.height; y++)
            for (size_t x = 0; x < b.width; x++) {
                const double *corner =
                    in + (c * a.height + y * l->stride) * a.width + x * l->stride;
                double best = corner[0];
                for (size_t i = 0; i < l->kernel; i++)
                    for (size_t j = 0; j < l->kernel; j++) {
                        double v = corner[i * a.width + j];
                        if (v > best || isnan(v)) best = v;
                    }
                out[(c * b.height + y) * b.width + x] = best;
            }
}

static void forward(reference *r, const double *x) {
    const cop_model *m = r->setup.model;
    for (size_t i = 0; i < m->count; i++) {
        const cop_layer *l = &m->layers[i];
        const double *in = i ? r->out[i - 1] : x;
        size_t size = cop_shape_size(l->out);
        switch (l->kind) {
        case COP_LAYER_DENSE:
            dense(l, r->w + l->weight_begin, r->setup.base->b + l->bias_begin, in, r->out[i]);
            break;
        case COP_LAYER_CONV2D:
            conv2d(l, r->w + l->weight_begin, r->setup.base->b + l->bias_begin, in, r->out[i]);
            break;
        case COP_LAYER_MAXPOOL2D:
            maxpool2d(l, in, r->out[i]);
            break;
        case COP_LAYER_ACTIVATION:
            for (size_t j = 0; j < size; j++) r->out[i][j] = activate(l->activation, in[j]);
            break;
        case COP_LAYER_DROPOUT: /* only training drops */
        case COP_LAYER_FLATTEN:
            memcpy(r->out[i], in, size * sizeof(double));
            break;
        }
    }
}

static cop_status evaluate(void *self, const cop_mask *const *masks, size_t count,
                           const cop_shard *shard, cop_hidden_sink sink, void *user,
                           cop_evidence *evidence, uint16_t *predictions) {
    reference *r = self;
    const cop_model *m = r->setup.model;
    size_t inputs = cop_shape_size(m->input), values = r->setup.weighting.values;
    cop_status status = COP_OK;
    COP_TRY(cop_shard_check(&r->setup, shard));
    const cop_head head = cop_shard_head(&r->setup, shard);
    double *x = COP_NEW_ARRAY(double, inputs);
    cop_variants variants = cop_eval_variants(&r->setup);
    for (size_t i = 0; i < count; i++) {
        evidence[i] = (cop_evidence){.samples = shard->n};
        for (size_t v = 0; v < variants.count; v++) {
            bool show = sink && v == variants.hidden;
            if (v >= values && !show) continue;
            weigh(r, masks[i], variants.value[v]);
            for (size_t s = 0; s < shard->n; s++) {
                for (size_t j = 0; j < inputs; j++) x[j] = (double)shard->x[s * inputs + j];
                forward(r, x);
                if (v < values)
                    cop_score_add(&evidence[i], v, r->out[m->count - 1] + head.first, head.count,
                                  shard->label[s],
                                  predictions ? predictions + (i * values + v) * shard->n + s
                                              : NULL);
                if (!show) continue;
                size_t row = s % r->setup.batch;
                bool last = row + 1 == r->setup.batch || s + 1 == shard->n;
                for (size_t h = 0; h < r->setup.hidden; h++) {
                    size_t layer = r->setup.hidden_layer[h];
                    size_t width = cop_shape_size(m->layers[layer].out);
                    memcpy(r->hidden[h] + row * width, r->out[layer], width * sizeof(double));
                    if (last)
                        COP_GO(sink(user, i, h, r->hidden[h], row + 1, width, shard->task,
                                    shard->batch_base + s / r->setup.batch, &evidence[i]));
                }
            }
        }
    }
done:
    cop_free(x);
    return status;
}

static cop_status explain(const cop_eval_setup *setup, cop_buf *out) {
    COP_TRY(cop_eval_check(setup));
    cop_buf_printf(out, "each individual and shared value by itself, edge by edge\n");
    return COP_OK;
}

const cop_evaluator cop_evaluator_reference = {
    "reference", "plain C in double precision: the definition, slow",
    create,      destroy,
    evaluate,    bytes,
    explain,     NULL};
