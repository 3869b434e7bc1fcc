#include "rbm.h"

#include <math.h>
#include <string.h>

#include "net/exact_math.h"

cop_rbm *cop_rbm_create(cop_live_net *net) {
    const cop_live_layer *l = &net->layer[0];
    COP_ASSERT(net->settings.layers == 1 && net->settings.both_ways);
    cop_rbm *r = COP_NEW(cop_rbm);
    *r = (cop_rbm){.net = net};
    r->bias = COP_NEW_ARRAY(float, l->inputs);
    r->bias_m = COP_NEW_ARRAY(float, l->inputs);
    r->bias_slope = COP_NEW_ARRAY(float, l->inputs);
    if (net->settings.adam) r->bias_v = COP_NEW_ARRAY(float, l->inputs);
    r->v = COP_NEW_ARRAY(float, l->inputs * net->stride);
    r->h = COP_NEW_ARRAY(float, l->outputs * net->stride);
    r->edge_part = COP_NEW_ARRAY(float, l->initial);
    r->unit_part = COP_NEW_ARRAY(float, l->inputs > l->outputs ? l->inputs : l->outputs);
    r->row = COP_NEW_ARRAY(double, net->stride);
    r->uniform = COP_NEW_ARRAY(double, net->stride);
    r->shift = COP_NEW_ARRAY(double, l->inputs);
    size_t kernels;
    const cop_unit_kernel *const *all = cop_unit_kernels(&kernels);
    r->kernel = all[kernels - 1];
    return r;
}

void cop_rbm_destroy(cop_rbm *r) {
    if (!r) return;
    void *own[] = {r->bias,      r->bias_m,    r->bias_v, r->bias_slope, r->v,    r->h,
                   r->edge_part, r->unit_part, r->row,    r->uniform,    r->shift};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) cop_free(own[i]);
    cop_free(r);
}

static double softplus(double x) {
    return fmax(x, 0) + cop_exact_log(1 + cop_exact_exp(-fabs(x)));
}

/* Units (units, S) from what goes into them, scale * in + shift: their expectations, or states
 * drawn with @p rng. Places behind the n-th become 0. */
static void activate(cop_rbm *r, size_t units, size_t n, const float *in, double scale,
                     const double *shift, cop_rng *rng, float *out) {
    const size_t stride = r->net->stride;
    for (size_t u = 0; u < units; u++) {
        float *to = out + u * stride;
        r->kernel->sigmoid(in + u * stride, stride, scale, shift ? shift[u] : 0, r->row);
        if (rng) {
            cop_rng_uniforms(rng, r->uniform, n);
            for (size_t s = 0; s < n; s++) to[s] = (float)(r->uniform[s] < r->row[s]);
        } else {
            for (size_t s = 0; s < n; s++) to[s] = (float)r->row[s];
        }
        for (size_t s = n; s < stride; s++) to[s] = 0;
    }
}

/* What the hidden states in r->h put into the visible units, without their biases, to r->v. */
static void back(cop_rbm *r) {
    cop_live_back(r->net, 0, r->h, r->v);
}

static void reconstruct(cop_rbm *r, size_t n) {
    const cop_live_layer *l = &r->net->layer[0];
    back(r);
    for (size_t i = 0; i < l->inputs; i++) r->shift[i] = (double)r->bias[i];
    activate(r, l->inputs, n, r->v, 1, r->shift, NULL, r->v);
}

static double difference(const cop_rbm *r, size_t n) {
    const size_t inputs = r->net->layer[0].inputs;
    double sum = 0;
    for (size_t i = 0; i < inputs; i++)
        for (size_t s = 0; s < n; s++) {
            const size_t at = i * r->net->stride + s;
            const double d = (double)r->net->x[at] - (double)r->v[at];
            sum += d * d;
        }
    return sum / (double)inputs;
}

/* to = (to - from) / n, the descent that contrastive divergence asks for with its sign turned. */
static void contrast(float *data, const float *chain, size_t count, size_t n) {
    for (size_t i = 0; i < count; i++) data[i] = (chain[i] - data[i]) / (float)n;
}

static void draw_hidden(cop_rbm *r, size_t n, uint32_t batch, size_t turn) {
    cop_live_net *net = r->net;
    cop_rng rng = cop_rng_at(net->settings.seed, batch, (uint32_t)turn, COP_FOR_GIBBS);
    activate(r, net->layer[0].outputs, n, net->layer[0].z, 1, NULL, &rng, r->h);
}

double cop_rbm_learn(cop_rbm *r, const float *const *rows, size_t n, size_t chain, uint32_t batch,
                     const cop_step *how) {
    cop_live_net *net = r->net;
    cop_live_layer *l = &net->layer[0];
    const cop_train_ops *ops = net->ops;
    cop_live_forward(net, rows, n, NULL);
    draw_hidden(r, n, batch, 0);
    cop_live_slope(net, 0, net->x, r->h, l->slope);
    ops->sums(l->outputs, net->vectors, r->h, l->unit_slope);
    ops->sums(l->inputs, net->vectors, net->x, r->bias_slope);
    for (size_t turn = 1; turn <= chain; turn++) {
        reconstruct(r, n);
        cop_live_sum(net, 0, r->v);
        draw_hidden(r, n, batch, turn);
    }
    cop_live_slope(net, 0, r->v, r->h, r->edge_part);
    contrast(l->slope, r->edge_part, l->edges, n);
    ops->sums(l->outputs, net->vectors, r->h, r->unit_part);
    contrast(l->unit_slope, r->unit_part, l->outputs, n);
    ops->sums(l->inputs, net->vectors, r->v, r->unit_part);
    contrast(r->bias_slope, r->unit_part, l->inputs, n);
    const double error = difference(r, n);
    cop_live_step(net, how, 0, net->slope_count);
    ops->step(how, l->inputs, 1, r->bias, r->bias_slope, r->bias_m, r->bias_v);
    return error;
}

double cop_rbm_error(cop_rbm *r, const float *const *rows, size_t n) {
    cop_live_net *net = r->net;
    cop_live_forward(net, rows, n, NULL);
    activate(r, net->layer[0].outputs, n, net->layer[0].z, 1, NULL, NULL, r->h);
    reconstruct(r, n);
    return difference(r, n);
}

/* ------------------------------------------------------------------ log-probabilities */

/* Of visible states @p v (inputs, S), z of the layer being made from them: (1 - beta) v base +
 * beta v bias + sum of softplus(beta z), for each place. */
static void log_p(const cop_rbm *r, const float *v, size_t n, const double *base, double beta,
                  double *out) {
    const cop_live_layer *l = &r->net->layer[0];
    for (size_t s = 0; s < n; s++) out[s] = 0;
    for (size_t i = 0; i < l->inputs; i++) {
        const double b = beta * (double)r->bias[i] + (base ? (1 - beta) * base[i] : 0);
        for (size_t s = 0; s < n; s++) out[s] += b * (double)v[i * r->net->stride + s];
    }
    const size_t stride = r->net->stride;
    for (size_t s = 0; s < stride; s++) r->row[s] = s < n ? out[s] : 0;
    for (size_t u = 0; u < l->outputs; u++)
        r->kernel->softplus(l->z + u * stride, stride, beta, r->row);
    for (size_t s = 0; s < n; s++) out[s] = r->row[s];
}

void cop_rbm_free(cop_rbm *r, const float *const *rows, size_t n, double *out) {
    cop_live_forward(r->net, rows, n, NULL);
    log_p(r, r->net->x, n, NULL, 1, out);
}

static double temperature(size_t k) {
    return k <= 500    ? (double)k * 1e-3
           : k <= 4500 ? 0.5 + (double)(k - 500) * 1e-4
                       : 0.9 + (double)(k - 4500) * 1e-5;
}
enum { TEMPERATURES = 14500 };

/* ln of the mean weight of the runs, and its standard error. */
static cop_rbm_log_z mean_of(const double *weight, size_t runs) {
    double most = -INFINITY, sum = 0, spread = 0;
    for (size_t i = 0; i < runs; i++) most = fmax(most, weight[i]);
    for (size_t i = 0; i < runs; i++) sum += exp(weight[i] - most);
    const double mean = sum / (double)runs;
    for (size_t i = 0; i < runs; i++) {
        const double d = exp(weight[i] - most) - mean;
        spread += d * d;
    }
    return (cop_rbm_log_z){most + log(mean),
                           runs > 1 ? sqrt(spread / (double)(runs - 1) / (double)runs) / mean
                                    : INFINITY};
}

/* @p n runs side by side; their log weights are added to @p weight. */
static void anneal(cop_rbm *r, const double *base, size_t n, size_t thin, cop_rng *rng,
                   double *weight) {
    cop_live_net *net = r->net;
    const cop_live_layer *l = &net->layer[0];
    double *p = COP_NEW_ARRAY(double, n);
    memset(r->v, 0, l->inputs * net->stride * sizeof *r->v);
    activate(r, l->inputs, n, r->v, 1, base, rng, r->v);
    double now = 0;
    for (size_t k = 0; k < TEMPERATURES;) {
        k = k + thin < TEMPERATURES ? k + thin : TEMPERATURES;
        const double next = temperature(k);
        cop_live_sum(net, 0, r->v);
        log_p(r, r->v, n, base, now, p);
        for (size_t s = 0; s < n; s++) weight[s] -= p[s];
        log_p(r, r->v, n, base, next, p);
        for (size_t s = 0; s < n; s++) weight[s] += p[s];
        now = next;
        if (k == TEMPERATURES) break;
        activate(r, l->outputs, n, l->z, now, NULL, rng, r->h);
        back(r);
        for (size_t i = 0; i < l->inputs; i++)
            r->shift[i] = (1 - now) * base[i] + now * (double)r->bias[i];
        activate(r, l->inputs, n, r->v, now, r->shift, rng, r->v);
    }
    cop_free(p);
}

cop_rbm_log_z cop_rbm_anneal(cop_rbm *r, const double *means, size_t runs, size_t thin,
                             uint64_t seed) {
    const cop_live_layer *l = &r->net->layer[0];
    const size_t batch = r->net->settings.batch;
    double *base = COP_NEW_ARRAY(double, l->inputs), *weight = COP_NEW_ARRAY(double, runs);
    double log_base = (double)l->outputs * log(2);
    for (size_t i = 0; i < l->inputs; i++) {
        const double p = fmin(fmax(means[i], 1e-6), 1 - 1e-6);
        base[i] = log(p) - log(1 - p);
        log_base += softplus(base[i]);
    }
    for (size_t at = 0; at < runs; at += batch) {
        cop_rng rng = cop_rng_at(seed, UINT32_MAX, (uint32_t)(at / batch), COP_FOR_GIBBS);
        anneal(r, base, runs - at < batch ? runs - at : batch, thin, &rng, weight + at);
    }
    cop_rbm_log_z found = mean_of(weight, runs);
    found.log_z += log_base;
    cop_free(base);
    cop_free(weight);
    return found;
}
