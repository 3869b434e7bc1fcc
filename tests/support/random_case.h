/** @file random_case.h
 *  A random task for the evaluators: a small network, a block of related individuals, samples, and
 * the setup. All of it is a function of one number.
 */
#ifndef COPPICE_TEST_RANDOM_CASE_H
#define COPPICE_TEST_RANDOM_CASE_H

#include "random_net.h"

#include <math.h>

enum { TEST_BLOCK_MOST = 24 };

typedef struct test_case {
    uint32_t number;
    test_net net; /* net.mask is not used */
    size_t count;
    cop_mask mask[TEST_BLOCK_MOST];
    cop_eval_setup setup;
} test_case;

/** Networks that `sign` computes in its ways for relatives, which need layers of certain sizes: one
 * convolution that sees all or not all of its input at once, with and without a pool; two of them,
 * the second of which is the larger part. */
static inline void test_front(cop_rng *rng, char input[64], cop_buf *layers) {
    static const char *const fronts[][2] = {
        {"2x5x4", "conv2d(5,4,2) relu dense(6) relu dense(3)"},
        {"2x4x4", "conv2d(5,4) relu dense(3)"},
        {"1x4x4", "relu conv2d(7,3) relu maxpool(2) dense(5)"},
        {"3x5x5", "conv2d(4,3) relu maxpool(2) dense(5)"},
        {"3x6x9", "conv2d(4,3,2) relu dense(17) relu dense(5)"},
        {"1x6x6", "conv2d(2,2) relu conv2d(9,3) relu maxpool(2) dense(5) relu dense(3)"},
        {"1x8x8", "conv2d(3,3) relu conv2d(16,3) relu maxpool(2) dense(5)"},
        {"1x9x5", "conv2d(3,2,2) conv2d(12,2) relu dense(4)"},
        {"2x7x6", "conv2d(5,1) relu conv2d(6,2) maxpool(2) relu dense(4)"},
        {"33", "relu dense(9) relu dense(8) dense(4)"},
    };
    size_t which = (size_t)cop_rng_below(rng, sizeof fronts / sizeof *fronts);
    snprintf(input, 64, "%s", fronts[which][0]);
    cop_buf_printf(layers, "%s", fronts[which][1]);
}

/** Words of an architecture of any kind that there is; it may not fit together. */
static inline void test_any_architecture(cop_rng *rng, bool smooth, char input[64],
                                         cop_buf *layers) {
    static const char *const curves[] = {"leaky_relu", "elu",      "tanh",
                                         "sigmoid",    "softplus", "silu"};
    static const char *const between[] = {"relu",         "relu",         "relu",
                                          "maxpool(2)",   "maxpool(3,1)", "maxpool(2,1)",
                                          "maxpool(3,2)", "dropout(0.5)", "identity"};
    if (!smooth && cop_rng_below(rng, 5) == 0) {
        test_front(rng, input, layers);
        return;
    }
    bool image = cop_rng_below(rng, 3) != 0;
    size_t side = cop_rng_below(rng, 4) ? 8 : 20;
    if (image)
        snprintf(input, 64, "%zux%zux%zu", test_draw(rng, 1, 5), test_draw(rng, 1, side),
                 test_draw(rng, 1, side));
    else
        snprintf(input, 64, "%zu", test_draw(rng, 1, cop_rng_below(rng, 8) ? 40 : 700));
    if (cop_rng_below(rng, 6) == 0) cop_buf_printf(layers, "%s ", between[cop_rng_below(rng, 9)]);
    for (size_t i = image ? test_draw(rng, 0, 3) : 0; i > 0; i--) {
        cop_buf_printf(layers, "conv2d(%zu,%zu,%zu,%zu) ", test_draw(rng, 1, 9),
                       test_draw(rng, 1, 5), cop_rng_below(rng, 3) ? 1 : test_draw(rng, 2, 3),
                       cop_rng_below(rng, 2) ? 0 : test_draw(rng, 1, 3));
        for (size_t k = test_draw(rng, 0, 2); k > 0; k--)
            cop_buf_printf(layers, "%s ",
                           smooth && cop_rng_below(rng, 2) ? curves[cop_rng_below(rng, 6)]
                                                           : between[cop_rng_below(rng, 9)]);
    }
    if (cop_rng_below(rng, 10) == 0) { /* what the logits are may have positions */
        cop_buf_printf(layers, "conv2d(%zu,1)", test_draw(rng, 1, 12));
        return;
    }
    if (cop_rng_below(rng, 2)) cop_buf_printf(layers, "flatten ");
    if (cop_rng_below(rng, 10) == 0) cop_buf_printf(layers, "conv2d(3,1) relu ");
    for (size_t i = test_draw(rng, 0, 3); i > 0; i--)
        cop_buf_printf(layers, "dense(%zu) %s ", test_draw(rng, 1, 33),
                       smooth && cop_rng_below(rng, 2) ? curves[cop_rng_below(rng, 6)]
                       : cop_rng_below(rng, 4)         ? "relu"
                                                       : "");
    cop_buf_printf(layers, "dense(%zu)",
                   cop_rng_below(rng, 4) ? test_draw(rng, 2, 11) : test_draw(rng, 2, 40));
}

static inline void test_any_model(test_case *t, cop_rng *rng, bool smooth) {
    for (t->net.model = NULL; !t->net.model;) {
        char input[64];
        cop_buf layers = {0};
        test_any_architecture(rng, smooth, input, &layers);
        if (cop_model_create(&t->net.model, input, cop_buf_text(&layers)) != COP_OK)
            t->net.model = NULL;
        if (t->net.model &&
            (cop_model_macs(t->net.model, NULL) > 12000 || t->net.model->classes > 60)) {
            cop_model_destroy(t->net.model);
            t->net.model = NULL;
        }
        cop_buf_clear(&layers);
    }
    cop_error_clear();
}

/* ---- masks */

static inline void test_thin(cop_rng *rng, double keep, size_t begin, size_t end, cop_mask *mask) {
    for (size_t e = begin; e < end; e++)
        if (cop_rng_uniform(rng) >= keep) cop_mask_unset(mask, e);
}

static inline void test_fresh_mask(cop_rng *rng, const cop_model *m, cop_mask *mask) {
    static const double densities[] = {0, 0.03, 0.1, 0.3, 0.6, 0.9, 1};
    cop_mask_fill(mask);
    test_thin(rng, densities[cop_rng_below(rng, 7)], 0, m->weights, mask);
    for (size_t i = 0; i < m->count; i++) {
        const cop_layer *l = &m->layers[i];
        if (!l->weights) continue;
        if (cop_rng_below(rng, 12) == 0) /* a dead layer */
            test_thin(rng, 0, l->weight_begin, l->weight_begin + l->weights, mask);
        for (size_t o = 0; o < l->weights / l->fan_in; o++) /* dead units */
            if (cop_rng_below(rng, 8) == 0)
                test_thin(rng, 0, l->weight_begin + o * l->fan_in,
                          l->weight_begin + (o + 1) * l->fan_in, mask);
    }
}

/** Individual @p i: a relative of earlier ones, of any kind, or none. */
static inline void test_relative(test_case *t, cop_rng *rng, size_t i) {
    const cop_model *m = t->net.model;
    cop_mask *mask = &t->mask[i];
    size_t edges = m->weights;
    if (i == 0 || cop_rng_below(rng, 6) == 0) {
        test_fresh_mask(rng, m, mask);
        return;
    }
    const cop_mask *one = &t->mask[cop_rng_below(rng, i)], *other = &t->mask[cop_rng_below(rng, i)];
    cop_mask_copy(mask, one);
    const cop_layer *layer = &m->layers[cop_rng_below(rng, m->count)];
    size_t from = layer->weight_begin, to = from + layer->weights; /* empty without weights */
    switch (cop_rng_below(rng, 7)) {
    case 0: /* a twin */
        break;
    case 1: /* pruned */
        test_thin(rng, 1 - cop_rng_uniform(rng) * 0.3, 0, edges, mask);
        break;
    case 2: /* one edge differs */
        from = (size_t)cop_rng_below(rng, edges);
        if (cop_mask_get(mask, from))
            cop_mask_unset(mask, from);
        else
            cop_mask_set(mask, from);
        break;
    case 3: /* crossed at one point, perhaps pruned */
        cop_mask_copy_range(mask, other, (size_t)cop_rng_below(rng, edges + 1), edges);
        if (cop_rng_below(rng, 2)) test_thin(rng, 0.95, 0, edges, mask);
        break;
    case 4: /* crossed layer by layer */
        for (size_t k = 0; k < m->count; k++)
            if (m->layers[k].weights && cop_rng_below(rng, 2))
                cop_mask_copy_range(mask, other, m->layers[k].weight_begin,
                                    m->layers[k].weight_begin + m->layers[k].weights);
        break;
    case 5: /* only one layer differs: pruned, and edges that come back */
        test_thin(rng, 0.8, from, to, mask);
        for (size_t e = from; e < to; e++)
            if (cop_rng_below(rng, 10) == 0) cop_mask_set(mask, e);
        break;
    default: /* one layer dead */
        test_thin(rng, 0, from, to, mask);
    }
}

/* ---- numbers */

static inline float test_input(cop_rng *rng, size_t kind, double steps, double scale) {
    double u = 2 * cop_rng_uniform(rng) - 1;
    switch (kind) {
    case 0: /* on the grid */
        return (float)(nearbyint(u * steps) / scale);
    case 1: /* off the grid */
        return (float)(u * steps / scale);
    case 2: /* mostly nothing, as images are */
        return cop_rng_below(rng, 4) ? 0 : (float)(fabs(u) * steps / scale);
    case 3: /* the ends only */
        return (float)((u < 0 ? -steps : steps) / scale);
    case 4:
        return (float)(-fabs(u) * steps / scale);
    case 5: /* halfway between grid steps */
        return (float)((nearbyint(u * fmin(steps, 1000)) + 0.5) / scale);
    default: /* constant: all, nothing, the least */
        return (float)((kind == 6 ? steps : kind == 7 ? 0 : -steps) / scale);
    }
}

/* Inputs so large that the bound of some layer is near a limit of 16 or 32 bits: individuals of one
 * block then need different number types. */
static inline double test_steps_near_a_limit(const cop_model *m, cop_rng *rng) {
    double steps = (cop_rng_below(rng, 2) ? 0x1p31 : 0x1p15) * (0.1 + 2 * cop_rng_uniform(rng));
    for (size_t i = 0, stop = (size_t)cop_rng_below(rng, m->count + 1); i < stop; i++)
        if (m->layers[i].weights) steps /= ceil((double)m->layers[i].fan_in * cop_rng_uniform(rng));
    return fmin(fmax(nearbyint(steps), 1), 0x1p30 - 64);
}

static inline void test_any_numbers(test_case *t, cop_rng *rng) {
    static const double steps[] = {100, 100, 2047, 2047, 2047, 32767, 32768, 3e7, 0x1p30 - 64};
    static const double scales[] = {1, 512, 512, 726.3, 726.3, 0.03125, 1e4};
    static const double biases[] = {0, 0, 1, 100, 3000, 1e6, 2e9, 4e12, 1e17};
    static const double values[] = {0.001, 0.05, 0.1, 0.25, 0.5, 0.7, 1, 1.5, 2, 3, 4, 7.25, 100};
    cop_eval_setup *s = &t->setup;
    test_net *net = &t->net;
    *s = (cop_eval_setup){.model = net->model, .base = &net->params};
    double most = steps[cop_rng_below(rng, 9)], bias = biases[cop_rng_below(rng, 9)];
    if (cop_rng_below(rng, 3) == 0) most = test_steps_near_a_limit(net->model, rng);
    s->scale = scales[cop_rng_below(rng, 7)];
    s->batch = test_draw(rng, 1, 40);
    s->weighting.kind = cop_rng_below(rng, 4) ? COP_WEIGHTS_SIGNED : COP_WEIGHTS_POSITIVE;
    s->weighting.values = test_draw(rng, 1, 5);
    uint32_t order[13];
    for (uint32_t v = 0; v < 13; v++) order[v] = v;
    cop_rng_shuffle(rng, order, 13);
    for (uint32_t v = 0, n = 0; v < 13 && n < s->weighting.values; v++) /* ascending */
        for (size_t k = 0; k < s->weighting.values; k++)
            if (order[k] == v) s->weighting.value[n++] = values[v];
    s->hidden_value = values[order[cop_rng_below(rng, 2) ? 0 : 12]];
    double zeros = cop_rng_below(rng, 2) ? 0.1 : 0, shift = (double)cop_rng_below(rng, 3) - 1;
    cop_params_init(&net->params, net->model);
    for (size_t e = 0; e < net->model->weights; e++)
        net->params.w[e] = cop_rng_uniform(rng) < zeros ? 0 : (float)(cop_rng_normal(rng) + shift);
    for (size_t b = 0; b < net->model->biases; b++)
        net->params.b[b] = (float)(cop_rng_normal(rng) * bias / s->scale);
    size_t inputs = cop_shape_size(net->model->input), kind = (size_t)cop_rng_below(rng, 10);
    net->n = test_draw(rng, 1, cop_rng_below(rng, 3) ? 20 : 70);
    if (cop_model_macs(net->model, NULL) < 150 && cop_rng_below(rng, 40) == 0)
        net->n = test_draw(rng, 900, 2300); /* more than evaluators hold at a time */
    net->x = cop_alloc(net->n * inputs, sizeof(float));
    net->label = COP_NEW_ARRAY(int32_t, net->n);
    for (size_t i = 0; i < net->n * inputs; i++)
        net->x[i] =
            test_input(rng, kind < 9 ? kind : (size_t)cop_rng_below(rng, 6), most, s->scale);
    for (size_t i = 0; i < net->n; i++)
        net->label[i] = (int32_t)cop_rng_below(rng, net->model->classes);
}

/** Hidden layers that every evaluator can show: weighted ones, or what stands behind them. */
static inline void test_any_hidden(test_case *t, cop_rng *rng) {
    const cop_model *m = t->net.model;
    for (size_t i = 0; i < m->count && t->setup.hidden < 8; i++)
        if (m->layers[i].weights && cop_rng_below(rng, 2))
            t->setup.hidden_layer[t->setup.hidden++] =
                cop_rng_below(rng, 2) ? i : cop_model_activation_of(m, i);
}

/** Case number @p number; @p trained: floating point only, weights and curves of any kind. */
static inline void test_case_create(test_case *t, uint32_t number, bool trained) {
    cop_rng rng = cop_rng_at(trained ? 32 : 31, number, 0, COP_FOR_TEST);
    *t = (test_case){.number = number};
    test_any_model(t, &rng, trained);
    test_any_numbers(t, &rng);
    if (trained) t->setup.weighting = (cop_weighting){COP_WEIGHTS_TRAINED, 1, {0}};
    if (trained || cop_rng_below(&rng, 3) == 0) test_any_hidden(t, &rng);
    t->count =
        cop_rng_below(&rng, 12) ? test_draw(&rng, 1, 6) : test_draw(&rng, 7, TEST_BLOCK_MOST);
    for (size_t i = 0; i < t->count; i++) {
        cop_mask_init(&t->mask[i], t->net.model->weights);
        test_relative(t, &rng, i);
    }
}

static inline void test_case_clear(test_case *t) {
    for (size_t i = 0; i < t->count; i++) cop_mask_clear(&t->mask[i]);
    test_net_clear(&t->net);
}

#endif
