/* The passes through a network of live edges. Multiply-adds: one a
 * live edge and sample forward, one for its gradient, one for the way back (not in the first
 * layer, unless a front stands before it that learns). */
#include <math.h>
#include <string.h>

#include "live.h"
#include "net/exact_math.h"

static cop_srelu srelu(const cop_live_layer *l, float *numbers) {
    const size_t n = l->outputs;
    return (cop_srelu){numbers + COP_LIVE_TL * n, numbers + COP_LIVE_AL * n,
                       numbers + COP_LIVE_TR * n, numbers + COP_LIVE_AR * n};
}

static float slope_below(const cop_live_settings *s, size_t layer) {
    if (s->activation != COP_LIVE_ALL_RELU) return 0;
    return (float)(layer % 2 ? s->alpha : -s->alpha); /* hidden layers are counted from 1 there */
}

/* Do all possible edges live? Then edge k is that of output k / inputs and input k % inputs. */
static bool full(const cop_live_layer *l) {
    return l->edges == l->inputs * l->outputs;
}

enum { EDGE = sizeof(cop_sparse_edge) / sizeof(float) };

void cop_live_sum(const cop_live_net *net, size_t layer, const float *in) {
    const cop_live_layer *l = &net->layer[layer];
    if (full(l)) {
        for (size_t o = 0; o < l->outputs; o++) net->row[o] = &l->edge[o * l->inputs].weight;
        const cop_full all = {l->outputs, l->inputs, net->vectors, net->row, EDGE,
                              l->unit,    in,        false,        l->z};
        net->ops->sparse->full(&all);
        return;
    }
    const cop_sparse_edges edges = {
        .blocks = 1, .outputs = l->outputs, .begin = l->begin, .edge = l->edge, .bias = l->unit};
    const cop_sparse_grid grid = {.rows = 1,
                                  .cols = net->vectors,
                                  .in_col = COP_SPARSE_LANES,
                                  .out_plane = net->stride,
                                  .out_col = COP_SPARSE_LANES};
    net->ops->sparse->sum(&edges, &grid, in, l->z);
}

void cop_live_back(const cop_live_net *net, size_t layer, const float *gradient, float *to) {
    const cop_live_layer *l = &net->layer[layer];
    if (full(l)) {
        for (size_t i = 0; i < l->inputs; i++) net->row[i] = &l->edge[i].weight;
        const cop_full all = {l->inputs, l->outputs, net->vectors, net->row, EDGE * l->inputs,
                              NULL,      gradient,   false,        to};
        net->ops->sparse->full(&all);
        return;
    }
    net->ops->back(l->inputs, l->from, l->way, l->edge, net->vectors, gradient, to);
}

void cop_live_slope(const cop_live_net *net, size_t layer, const float *in, const float *gradient,
                    float *slope) {
    const cop_live_layer *l = &net->layer[layer];
    if (full(l))
        net->ops->full_slope(l->outputs, l->inputs, net->vectors, in, gradient, slope);
    else
        net->ops->slope(l->outputs, l->begin, l->edge, net->vectors, in, gradient, slope);
}

void cop_live_forward(cop_live_net *net, const float *const *rows, size_t n,
                      const uint32_t *batch) {
    const cop_live_settings *s = &net->settings;
    const cop_train_ops *ops = net->ops;
    COP_ASSERT(n >= 1 && n <= s->batch);
    net->n = n;
    net->dropping = batch && s->dropout > 0;
    if (net->front) {
        const cop_dropout_key key = {
            .seed = s->seed, .batch = batch ? *batch : 0, .first = COP_LIVE_LAYERS_MAX};
        rows = cop_front_forward(net->front, rows, n, batch ? &key : NULL);
    }
    ops->turn(s->width[0], n, net->vectors, rows, net->x);
    const float *in = net->x;
    for (size_t i = 0; i < s->layers; i++) {
        const cop_live_layer *l = &net->layer[i];
        const size_t values = l->outputs * net->stride;
        cop_live_sum(net, i, in);
        if (!l->a) break;
        if (s->activation == COP_LIVE_SRELU) {
            const cop_srelu p = srelu(l, l->unit);
            ops->srelu(l->outputs, net->vectors, &p, l->z, l->a);
        } else {
            ops->leaky(values, slope_below(s, i), l->z, l->a);
        }
        if (net->dropping)
            ops->drop(values, s->dropout, s->seed, *batch, (uint32_t)i, l->a, l->kept);
        in = l->a;
    }
}

/* Softmax and cross entropy of one sample, in double and in fixed operations; logits and gradient
 * are S apart. */
static double one_loss(const float *logit, size_t classes, size_t stride, int32_t label,
                       double scale, float *gradient, size_t *best) {
    double largest = -INFINITY, total = 0;
    bool finite = true;
    *best = 0;
    for (size_t k = 0; k < classes; k++) {
        const double v = (double)logit[k * stride];
        if (!isfinite(v)) {
            finite = false;
            continue;
        }
        if (v > largest) {
            largest = v;
            *best = k;
        }
    }
    if (!finite) return INFINITY;
    for (size_t k = 0; k < classes; k++)
        total += cop_exact_exp((double)logit[k * stride] - largest);
    for (size_t k = 0; scale != 0 && k < classes; k++) {
        const double p = cop_exact_exp((double)logit[k * stride] - largest) / total;
        gradient[k * stride] = (float)(scale * (p - ((size_t)label == k)));
    }
    return cop_exact_log(total) - ((double)logit[(size_t)label * stride] - largest);
}

double cop_live_loss(cop_live_net *net, const int32_t *label, double scale, size_t *correct,
                     uint16_t *classes) {
    const cop_live_layer *l = &net->layer[net->settings.layers - 1];
    double total = 0;
    size_t right = 0;
    if (scale != 0) memset(net->gradient[0], 0, l->outputs * net->stride * sizeof(float));
    for (size_t i = 0; i < net->n; i++) {
        size_t best;
        COP_ASSERT(label[i] >= 0 && (size_t)label[i] < l->outputs);
        total += one_loss(l->z + i, l->outputs, net->stride, label[i], scale, net->gradient[0] + i,
                          &best);
        right += best == (size_t)label[i];
        if (classes) classes[i] = (uint16_t)best;
    }
    if (correct) *correct = right;
    return total;
}

void cop_live_backward(cop_live_net *net, cop_live_see see, void *user) {
    const cop_live_settings *s = &net->settings;
    const cop_train_ops *ops = net->ops;
    size_t turn = 0;
    for (size_t i = s->layers; i-- > 0;) {
        cop_live_layer *l = &net->layer[i];
        float *gradient = net->gradient[turn];
        const float *in = i ? net->layer[i - 1].a : net->x;
        if (see) see(user, i, gradient);
        ops->sums(l->outputs, net->vectors, gradient, l->unit_slope + COP_LIVE_BIAS * l->outputs);
        cop_live_slope(net, i, in, gradient, l->slope);
        if (!i && (see || !(net->front && net->front->model->weights))) break;
        float *back = net->gradient[1 - turn];
        cop_live_back(net, i, gradient, back);
        if (!i) {
            cop_front_backward(net->front, back, net->n, net->stride);
            break;
        }
        const cop_live_layer *before = &net->layer[i - 1];
        const size_t values = before->outputs * net->stride;
        if (net->dropping) ops->drop_back(values, before->kept, back);
        if (s->activation == COP_LIVE_SRELU) {
            const cop_srelu p = srelu(before, before->unit),
                            slope = srelu(before, before->unit_slope);
            ops->srelu_back(before->outputs, net->vectors, &p, before->z, back, &slope);
        } else {
            ops->leaky_back(values, slope_below(s, i - 1), before->z, back);
        }
        turn = 1 - turn;
    }
}
