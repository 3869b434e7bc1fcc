/** @file random_net.h
 *  Small random networks, masks and samples for the tests of the evaluators, all keyed.
 */
#ifndef COPPICE_TEST_RANDOM_NET_H
#define COPPICE_TEST_RANDOM_NET_H

#include "coppice/net.h"
#include "support.h"

#include <string.h>

typedef struct test_net {
    cop_model *model;
    cop_params params;
    cop_mask mask;
    float *x; /* (n, D) */
    int32_t *label;
    size_t n;
} test_net;

static inline size_t test_draw(cop_rng *rng, size_t low, size_t high) {
    return low + (size_t)cop_rng_below(rng, high - low + 1);
}

/* Words of a random architecture whose layers may or may not fit each other. */
static inline void test_architecture(cop_rng *rng, char input[64], cop_buf *layers) {
    static const char *const between[] = {"relu", "relu", "maxpool(2)", "maxpool(3,1)",
                                          "dropout(0.5)"};
    bool image = cop_rng_below(rng, 4) != 0;
    if (image)
        snprintf(input, 64, "%zux%zux%zu", test_draw(rng, 1, 3), test_draw(rng, 1, 9),
                 test_draw(rng, 1, 17));
    else
        snprintf(input, 64, "%zu", test_draw(rng, 1, 70));
    if (cop_rng_below(rng, 4) == 0) cop_buf_printf(layers, "%s ", between[cop_rng_below(rng, 5)]);
    for (size_t i = image ? test_draw(rng, 0, 3) : 0; i > 0; i--) {
        cop_buf_printf(layers, "conv2d(%zu,%zu,%zu,%zu) ", test_draw(rng, 1, 5),
                       test_draw(rng, 1, 3), test_draw(rng, 1, 2), test_draw(rng, 0, 2));
        for (size_t k = test_draw(rng, 0, 2); k > 0; k--)
            cop_buf_printf(layers, "%s ", between[cop_rng_below(rng, 5)]);
    }
    if (cop_rng_below(rng, 2)) cop_buf_printf(layers, "flatten ");
    if (cop_rng_below(rng, 8) == 0) cop_buf_printf(layers, "conv2d(3,1) relu ");
    for (size_t i = test_draw(rng, 0, 2); i > 0; i--)
        cop_buf_printf(layers, "dense(%zu) %s", test_draw(rng, 1, 20),
                       cop_rng_below(rng, 3) ? "relu " : "");
    cop_buf_printf(layers, "dense(%zu)", test_draw(rng, 2, 11));
}

/* Weights with zeros among them, biases, a mask of random density (rows and layers may be dead),
 * samples and labels. Inputs are multiples of 1/scale up to steps/scale, biases multiples of
 * 1/scale. */
static inline void test_net_create(test_net *net, cop_rng *rng, size_t n, double scale,
                                   double steps) {
    for (net->model = NULL; !net->model;) {
        char input[64];
        cop_buf layers = {0};
        test_architecture(rng, input, &layers);
        if (cop_model_create(&net->model, input, cop_buf_text(&layers)) != COP_OK)
            net->model = NULL;
        cop_buf_clear(&layers);
    }
    cop_error_clear();
    cop_params_init(&net->params, net->model);
    cop_mask_init(&net->mask, net->model->weights);
    double density = (double)cop_rng_below(rng, 5) / 4, zeros = cop_rng_below(rng, 2) ? 0.1 : 0;
    for (size_t e = 0; e < net->model->weights; e++) {
        net->params.w[e] = cop_rng_uniform(rng) < zeros ? 0 : (float)cop_rng_normal(rng);
        if (cop_rng_uniform(rng) < density) cop_mask_set(&net->mask, e);
    }
    double largest = cop_rng_below(rng, 3) ? 100 : 0;
    for (size_t b = 0; b < net->model->biases; b++)
        net->params.b[b] = (float)(nearbyint(cop_rng_normal(rng) * largest) / scale);
    size_t inputs = cop_shape_size(net->model->input);
    net->n = n;
    net->x = cop_alloc(n, inputs * sizeof(float));
    net->label = COP_NEW_ARRAY(int32_t, n);
    for (size_t i = 0; i < n * inputs; i++)
        net->x[i] = (float)(nearbyint((2 * cop_rng_uniform(rng) - 1) * steps) / scale);
    for (size_t i = 0; i < n; i++) net->label[i] = (int32_t)cop_rng_below(rng, net->model->classes);
}

static inline void test_net_clear(test_net *net) {
    cop_model_destroy(net->model);
    cop_params_clear(&net->params);
    cop_mask_clear(&net->mask);
    cop_free(net->x);
    cop_free(net->label);
    *net = (test_net){0};
}

static inline cop_shard test_net_shard(const test_net *net) {
    return (cop_shard){.x = net->x, .label = net->label, .n = net->n};
}

/* Evaluator by name on one mask; evidence and (V, n) predictions. */
static inline void test_evaluate(const char *name, const cop_eval_setup *setup,
                                 const cop_mask *mask, const cop_shard *shard, cop_hidden_sink sink,
                                 void *user, cop_evidence *evidence, uint16_t *predictions) {
    const cop_evaluator *e = cop_evaluator_find(name);
    void *self = NULL;
    assert_non_null(e);
    assert_ok(e->create(&self, setup));
    assert_ok(e->evaluate(self, &mask, 1, shard, sink, user, evidence, predictions));
    e->destroy(self);
}

#endif
