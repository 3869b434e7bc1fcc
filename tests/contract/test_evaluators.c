/* What every evaluator promises: it computes what `reference` computes, each individual and sample
 * for itself, and touches nothing. */
#include "../support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../support/random_net.h"

/* Hidden rows of all batches, gathered; checks order and shape. */
typedef struct gathered {
    double *rows[8];
    size_t width[8], batch, n, next, hidden, individuals;
} gathered;

static cop_status gather(void *user, size_t individual, size_t which, const double *rows, size_t n,
                         size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    gathered *g = user;
    size_t batches = (g->n + g->batch - 1) / g->batch;
    assert_true(individual < g->individuals);
    assert_int_equal(which, g->next % g->hidden);
    assert_int_equal(batch, 2 + g->next / g->hidden % batches);
    assert_int_equal(width, g->width[which]);
    assert_int_equal(task, 1);
    size_t first = (batch - 2) * g->batch;
    assert_int_equal(n, g->n - first < g->batch ? g->n - first : g->batch);
    memcpy(g->rows[which] + first * width, rows, n * width * sizeof(double));
    g->next++;
    evidence->similarity[which] += (double)n;
    return COP_OK;
}

static void gather_start(gathered *g, const cop_eval_setup *setup, size_t n) {
    *g = (gathered){.batch = setup->batch, .n = n, .hidden = setup->hidden, .individuals = 1};
    for (size_t h = 0; h < setup->hidden; h++) {
        g->width[h] = cop_shape_size(setup->model->layers[setup->hidden_layer[h]].out);
        g->rows[h] = cop_alloc(n * g->width[h], sizeof(double));
    }
}

static void gather_end(gathered *g) {
    for (size_t h = 0; h < g->hidden; h++) cop_free(g->rows[h]);
}

static cop_eval_setup setup_for(const test_net *net, cop_rng *rng, bool trained) {
    cop_eval_setup s = {.model = net->model, .base = &net->params, .scale = 64};
    s.batch = test_draw(rng, 1, 30);
    if (trained) {
        s.weighting = (cop_weighting){COP_WEIGHTS_TRAINED, 1, {0}};
    } else {
        s.weighting = (cop_weighting){COP_WEIGHTS_SIGNED, 3, {0.5, 1, 2}};
        if (cop_rng_below(rng, 4) == 0) s.weighting.kind = COP_WEIGHTS_POSITIVE;
    }
    s.hidden_value = cop_rng_below(rng, 2) ? 1 : 4;
    s.dense_above = cop_rng_below(rng, 2) ? 0.4 : 0;
    for (size_t i = 0; i < net->model->count && s.hidden < 8; i++)
        if (net->model->layers[i].weights)
            s.hidden_layer[s.hidden++] = cop_model_activation_of(net->model, i);
    return s;
}

static double largest(const double *values, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; i++)
        if (fabs(values[i]) > most) most = fabs(values[i]);
    return most;
}

/* With inputs and biases on a power-of-two grid and power-of-two values the double arithmetic of
 * `reference` is exact, and `sign` equals it bit by bit; `sparse` and
 * `blas` to float rounding. */
static void compare_with_reference(const char *name, test_net *net, const cop_eval_setup *setup) {
    bool exact = strcmp(name, "sign") == 0;
    size_t values = setup->weighting.values;
    cop_shard shard = test_net_shard(net);
    shard.task = 1;
    shard.batch_base = 2;
    cop_evidence seen, wanted;
    uint16_t *p = COP_NEW_ARRAY(uint16_t, values * net->n),
             *q = COP_NEW_ARRAY(uint16_t, values * net->n);
    gathered a, b;
    gather_start(&a, setup, net->n);
    gather_start(&b, setup, net->n);
    test_evaluate(name, setup, &net->mask, &shard, gather, &a, &seen, p);
    test_evaluate("reference", setup, &net->mask, &shard, gather, &b, &wanted, q);
    assert_int_equal(seen.samples, net->n);
    assert_int_equal(seen.batches, 0);
    size_t differ = 0;
    for (size_t v = 0; v < values; v++) {
        uint64_t right = 0;
        for (size_t s = 0; s < net->n; s++) {
            right += p[v * net->n + s] == net->label[s];
            differ += p[v * net->n + s] != q[v * net->n + s];
        }
        assert_int_equal(seen.correct[v], right);
        if (exact)
            assert_true(seen.loss[v] == wanted.loss[v]);
        else
            assert_near(seen.loss[v], wanted.loss[v], 1e-3 * (1 + fabs(wanted.loss[v])));
    }
    for (size_t h = 0; h < setup->hidden; h++) {
        size_t count = net->n * a.width[h];
        double tolerance = exact ? 0 : 1e-5 * largest(b.rows[h], count);
        assert_near(seen.similarity[h], (double)net->n, 0); /* the sink's sums are kept */
        for (size_t j = 0; j < count; j++) assert_near(a.rows[h][j], b.rows[h][j], tolerance);
    }
    /* where two logits are equal float may take either */
    assert_true(differ <= (exact ? 0 : 1 + values * net->n / 20));
    gather_end(&a);
    gather_end(&b);
    cop_free(p);
    cop_free(q);
}

static void shared_weights_agree_with_reference(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 150; i++) {
        cop_rng rng = cop_rng_at(5, i, 0, COP_FOR_TEST);
        test_net net;
        test_net_create(&net, &rng, test_draw(&rng, 1, 60), 64, 127);
        for (size_t b = 0; b < net.model->biases; b++) /* b / v^L stays on the grid */
            net.params.b[b] = (float)nearbyint((double)net.params.b[b]) * 64;
        cop_eval_setup setup = setup_for(&net, &rng, false);
        compare_with_reference("sign", &net, &setup);
        compare_with_reference("sparse", &net, &setup);
        compare_with_reference("blas", &net, &setup);
        test_net_clear(&net);
    }
}

static void trained_weights_agree_with_reference(void **state) {
    (void)state;
    static const char *const words[] = {"identity", "relu",    "leaky_relu", "elu",
                                        "tanh",     "sigmoid", "softplus",   "silu"};
    for (uint32_t i = 0; i < 40; i++) {
        cop_rng rng = cop_rng_at(6, i, 0, COP_FOR_TEST);
        test_net net;
        cop_model *model;
        test_net_create(&net, &rng, 20, 64, 127);
        if (i < 8) { /* every activation at least once */
            test_net_clear(&net);
            test_net_create(&net, &rng, 20, 64, 127);
            char *layers =
                cop_sprintf("flatten dense(7) %s dense(3) %s dense(4)", words[i], words[i]);
            char *input = cop_sprintf("%zu", cop_shape_size(net.model->input));
            assert_ok(cop_model_create(&model, input, layers));
            cop_model_destroy(net.model);
            cop_params_clear(&net.params);
            cop_mask_clear(&net.mask);
            net.model = model;
            cop_params_init(&net.params, model);
            cop_params_randomise(&net.params, model, i);
            cop_mask_init(&net.mask, model->weights);
            cop_rng_sample(&rng, model->weights * 3 / 4, &net.mask);
            for (size_t s = 0; s < net.n; s++) net.label[s] %= 4;
            cop_free(layers);
            cop_free(input);
        }
        cop_eval_setup setup = setup_for(&net, &rng, true);
        compare_with_reference("sparse", &net, &setup);
        compare_with_reference("dense", &net, &setup);
        compare_with_reference("blas", &net, &setup);
        test_net_clear(&net);
    }
}

/* An individual's evidence and predictions are its own: not the block's, the batch's or the cut's.
 */
static void results_are_of_the_individual(void **state) {
    (void)state;
    enum { N = 3, SAMPLES = 90 };
    size_t count;
    const cop_evaluator *const *all = cop_evaluators(&count);
    for (uint32_t i = 0; i < 30; i++)
        for (size_t k = 0; k < count; k++) {
            cop_rng rng = cop_rng_at(7, i, 0, COP_FOR_TEST);
            test_net net;
            test_net_create(&net, &rng, SAMPLES, 64, i % 2 ? 127 : 8000);
            cop_eval_setup setup = setup_for(&net, &rng, false);
            setup.hidden = 0;
            setup.batch = 30;
            cop_mask masks[N], before[N];
            const cop_mask *list[N];
            for (size_t m = 0; m < N; m++) {
                cop_mask_init(&masks[m], net.model->weights);
                cop_mask_init(&before[m], net.model->weights);
                cop_rng_sample(&rng, net.model->weights * m / 2, &masks[m]);
                cop_mask_copy(&before[m], &masks[m]);
                list[m] = &masks[m];
            }
            cop_shard shard = test_net_shard(&net);
            cop_evidence block[N], alone, part;
            uint16_t block_p[N * 3 * SAMPLES], p[3 * SAMPLES];
            void *self;
            assert_ok(all[k]->create(&self, &setup));
            assert_true(all[k]->bytes(&setup) > 0);
            assert_ok(all[k]->evaluate(self, list, N, &shard, NULL, NULL, block, block_p));
            for (size_t m = 0; m < N; m++) {
                assert_true(cop_mask_equal(&masks[m], &before[m]));
                assert_ok(all[k]->evaluate(self, &list[m], 1, &shard, NULL, NULL, &alone, p));
                assert_memory_equal(&alone, &block[m], sizeof alone);
                assert_memory_equal(p, block_p + m * 3 * SAMPLES, sizeof p);
                uint64_t correct = 0, samples = 0;
                for (size_t s = 0; s < SAMPLES; s += 60) { /* two shards, whole batches */
                    cop_shard cut = shard;
                    cut.x += s * cop_shape_size(net.model->input);
                    cut.label += s;
                    cut.n = s ? SAMPLES - s : 60;
                    assert_ok(all[k]->evaluate(self, &list[m], 1, &cut, NULL, NULL, &part, p));
                    assert_memory_equal(p, block_p + m * 3 * SAMPLES + s, cut.n * sizeof *p);
                    correct += part.correct[0];
                    samples += part.samples;
                }
                assert_int_equal(correct, block[m].correct[0]);
                assert_int_equal(samples, SAMPLES);
            }
            shard.n = 0;
            assert_ok(all[k]->evaluate(self, list, 1, &shard, NULL, NULL, &alone, NULL));
            assert_int_equal(alone.samples, 0);
            all[k]->destroy(self);
            if (strcmp(all[k]->name, "sign") == 0 || strcmp(all[k]->name, "reference") == 0) {
                setup.batch = 7; /* exact arithmetic does not see batches either */
                shard.n = SAMPLES;
                test_evaluate(all[k]->name, &setup, list[1], &shard, NULL, NULL, &alone, NULL);
                assert_memory_equal(&alone, &block[1], sizeof alone);
            }
            for (size_t m = 0; m < N; m++) {
                cop_mask_clear(&masks[m]);
                cop_mask_clear(&before[m]);
            }
            test_net_clear(&net);
        }
}

static cop_status keep_first_row(void *user, size_t individual, size_t which, const double *rows,
                                 size_t n, size_t width, size_t task, size_t batch,
                                 cop_evidence *evidence) {
    (void)individual;
    (void)which;
    (void)n;
    (void)task;
    (void)evidence;
    if (batch == 0) memcpy(user, rows, width * sizeof(double));
    return COP_OK;
}

/* The first sample of a tail gives the bits that it gives in a full batch. */
static void tails_are_computed_like_full_batches(void **state) {
    (void)state;
    size_t count;
    const cop_evaluator *const *all = cop_evaluators(&count);
    for (size_t k = 0; k < count; k++) {
        test_net net = {.n = 100};
        cop_rng rng = cop_rng_at(10, 0, 0, COP_FOR_TEST);
        assert_ok(cop_model_create(&net.model, "784", "dense(64) relu dense(10)"));
        cop_params_init(&net.params, net.model);
        cop_params_randomise(&net.params, net.model, 3);
        cop_mask_init(&net.mask, net.model->weights);
        cop_mask_fill(&net.mask);
        net.x = cop_alloc(net.n * 784, sizeof(float));
        net.label = COP_NEW_ARRAY(int32_t, net.n);
        for (size_t j = 0; j < net.n * 784; j++) net.x[j] = (float)cop_rng_normal(&rng);
        cop_eval_setup setup = {.model = net.model,
                                .base = &net.params,
                                .scale = 500,
                                .batch = 100,
                                .hidden = 1,
                                .hidden_value = 0.3,
                                .weighting = {COP_WEIGHTS_SIGNED, 1, {0.3}}};
        double full[64], tail[64];
        cop_evidence evidence;
        cop_shard shard = test_net_shard(&net);
        test_evaluate(all[k]->name, &setup, &net.mask, &shard, keep_first_row, full, &evidence,
                      NULL);
        for (shard.n = 1; shard.n < 20; shard.n += 6) {
            test_evaluate(all[k]->name, &setup, &net.mask, &shard, keep_first_row, tail, &evidence,
                          NULL);
            assert_memory_equal(full, tail, sizeof full);
        }
        test_net_clear(&net);
    }
}

/* No live edge: the logits are the last biases, so that ties and argmax are known. */
static void ties_go_to_the_lowest_class(void **state) {
    (void)state;
    size_t count;
    const cop_evaluator *const *all = cop_evaluators(&count);
    const float biases[][4] = {{0, 0, 0, 0}, {-1, 2, 2, 1}, {-3, -3, -3, -2}};
    const uint16_t wanted[] = {0, 1, 3};
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < 3; i++) {
            test_net net = {.n = 21};
            assert_ok(cop_model_create(&net.model, "5", "dense(6) relu dense(4)"));
            cop_params_init(&net.params, net.model);
            cop_mask_init(&net.mask, net.model->weights);
            memcpy(net.params.b + 6, biases[i], sizeof biases[i]);
            net.x = cop_alloc(net.n * 5, sizeof(float));
            net.label = COP_NEW_ARRAY(int32_t, net.n);
            cop_eval_setup setup = {.model = net.model,
                                    .base = &net.params,
                                    .scale = 8,
                                    .batch = 4,
                                    .weighting = {COP_WEIGHTS_SIGNED, 1, {1}}};
            uint16_t p[21];
            cop_evidence evidence;
            cop_shard shard = test_net_shard(&net);
            test_evaluate(all[k]->name, &setup, &net.mask, &shard, NULL, NULL, &evidence, p);
            for (size_t s = 0; s < net.n; s++) assert_int_equal(p[s], wanted[i]);
            assert_int_equal(evidence.correct[0], wanted[i] == 0 ? net.n : 0);
            double sum = 0;
            for (size_t c = 0; c < 4; c++) sum += exp((double)(biases[i][c] - biases[i][0]));
            assert_near(evidence.loss[0], (double)net.n * log(sum), 1e-4);
            net.label[20] = 4;
            void *self;
            const cop_mask *mask = &net.mask;
            assert_ok(all[k]->create(&self, &setup));
            assert_fails(all[k]->evaluate(self, &mask, 1, &shard, NULL, NULL, &evidence, NULL),
                         COP_E_EVALUATE, "sample 20 of the shard has class 4");
            all[k]->destroy(self);
            test_net_clear(&net);
        }
}

/* A network that overflows loses where it does, and nothing stops. */
static void logits_that_are_not_finite_lose(void **state) {
    (void)state;
    static const char *const names[] = {"reference", "sparse", "blas"};
    for (size_t k = 0; k < 3; k++) {
        test_net net = {.n = 9};
        assert_ok(cop_model_create(&net.model, "1", "dense(3)"));
        cop_params_init(&net.params, net.model);
        cop_mask_init(&net.mask, 3);
        cop_mask_fill(&net.mask);
        net.params.w[0] = INFINITY;
        net.params.w[1] = -5;
        net.params.w[2] = -4;
        net.x = cop_alloc(net.n, sizeof(float));
        net.label = COP_NEW_ARRAY(int32_t, net.n);
        for (size_t s = 0; s < net.n; s++) net.x[s] = 1;
        net.x[1] = NAN;
        cop_eval_setup setup = {.model = net.model,
                                .base = &net.params,
                                .batch = 4,
                                .weighting = {COP_WEIGHTS_TRAINED, 1, {0}}};
        uint16_t p[9];
        cop_evidence evidence;
        cop_shard shard = test_net_shard(&net);
        test_evaluate(names[k], &setup, &net.mask, &shard, NULL, NULL, &evidence, p);
        for (size_t s = 0; s < net.n; s++) assert_int_equal(p[s], s == 1 ? 0 : 2);
        assert_int_equal(evidence.correct[0], 0); /* nothing finite is not class 0 */
        assert_true(isinf(evidence.loss[0]) && evidence.loss[0] > 0);
        test_net_clear(&net);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_weights_agree_with_reference),
        cmocka_unit_test(trained_weights_agree_with_reference),
        cmocka_unit_test(results_are_of_the_individual),
        cmocka_unit_test(tails_are_computed_like_full_batches),
        cmocka_unit_test(ties_go_to_the_lowest_class),
        cmocka_unit_test(logits_that_are_not_finite_lose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
