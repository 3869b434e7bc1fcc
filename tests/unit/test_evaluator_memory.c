/* Evaluators take no more memory than they say, less with a limit, and compute the same with it. */
#include "../support/support.h"

#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "coppice/net.h"

enum { SAMPLES = 130, MOST = 20 };

static size_t allocated(void) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd; /* zeros under sanitizers and valgrind */
#else
    return 0;
#endif
}

typedef struct world {
    cop_model *model;
    cop_params base;
    float *x;
    int32_t *label;
    cop_mask mask[MOST];
    const cop_mask *block[MOST];
} world;

/* Relatives of one parent; samples are spots on a background. */
static void create(world *w, const char *input, const char *layers) {
    cop_rng rng = cop_rng_at(11, 0, 0, COP_FOR_TEST);
    cop_mask lost;
    assert_ok(cop_model_create(&w->model, input, layers));
    cop_params_init(&w->base, w->model);
    cop_params_randomise(&w->base, w->model, 3);
    size_t inputs = cop_shape_size(w->model->input);
    w->x = COP_NEW_ARRAY(float, SAMPLES *inputs);
    w->label = COP_NEW_ARRAY(int32_t, SAMPLES);
    for (size_t s = 0; s < SAMPLES; s++) {
        w->label[s] = (int32_t)cop_rng_below(&rng, 10);
        size_t first = cop_rng_below(&rng, inputs / 2);
        for (size_t k = first; k < first + inputs / 3; k++)
            w->x[s * inputs + k] = (float)cop_rng_below(&rng, 255) / 255.0F;
    }
    cop_mask_init(&lost, w->model->weights);
    for (size_t i = 0; i < MOST; i++) {
        cop_mask_init(&w->mask[i], w->model->weights);
        if (i == 0)
            cop_rng_sample(&rng, w->model->weights * 3 / 5, &w->mask[0]);
        else
            cop_mask_copy(&w->mask[i], &w->mask[cop_rng_below(&rng, i)]);
        cop_rng_sample(&rng, w->model->weights / 40, &lost);
        for (size_t k = 0; i && k < cop_mask_words(lost.bits); k++)
            w->mask[i].words[k] &= ~lost.words[k];
        w->block[i] = &w->mask[i];
    }
    cop_mask_clear(&lost);
}

static void destroy(world *w) {
    for (size_t i = 0; i < MOST; i++) cop_mask_clear(&w->mask[i]);
    cop_free(w->x);
    cop_free(w->label);
    cop_params_clear(&w->base);
    cop_model_destroy(w->model);
}

static cop_status sink(void *user, size_t individual, size_t which, const double *rows, size_t n,
                       size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    (void)user, (void)individual, (void)task, (void)batch;
    for (size_t i = 0; i < n * width; i++) evidence->similarity[which] += rows[i];
    return COP_OK;
}

/* Evaluate all on two shards; returns the bytes that the evaluator holds then. */
static size_t evaluate(const cop_evaluator *evaluator, const cop_eval_setup *setup, const world *w,
                       cop_evidence *evidence) {
    size_t before = allocated(), inputs = cop_shape_size(w->model->input), held;
    void *self;
    assert_ok(evaluator->create(&self, setup));
    for (size_t first = 0; first < SAMPLES; first += 100, evidence += MOST) {
        size_t n = SAMPLES - first < 100 ? SAMPLES - first : 100;
        cop_shard shard = {.x = w->x + first * inputs, .label = w->label + first, .n = n};
        assert_ok(evaluator->evaluate(self, w->block, MOST, &shard, setup->hidden ? sink : NULL,
                                      NULL, evidence, NULL));
    }
    held = allocated() - before;
    evaluator->destroy(self);
    return held;
}

/* @p dense_above is for `sparse`. */
static void check_with(const char *name, const char *input, const char *layers, const char *hidden,
                       size_t batch, double dense_above) {
    const cop_evaluator *evaluator = cop_evaluator_find(name);
    world w;
    create(&w, input, layers);
    cop_eval_setup setup = {
        .model = w.model,
        .base = &w.base,
        .weighting = {.kind = COP_WEIGHTS_SIGNED, .values = 3, .value = {0.5, 1, 2}},
        .scale = 2047,
        .hidden_value = 1,
        .dense_above = dense_above,
        .batch = batch};
    if (hidden) {
        setup.hidden = 1;
        setup.hidden_layer[0] =
            cop_model_activation_of(w.model, (size_t)cop_model_find(w.model, hidden));
    }
    static cop_evidence free_ones[2 * MOST], limited[2 * MOST];
    size_t all = evaluator->bytes(&setup);
    size_t held = evaluate(evaluator, &setup, &w, free_ones);
    assert_true(all > 0 && held <= all);
    setup.memory = 1;
    size_t least = evaluator->bytes(&setup);
    assert_true(least <= all);
    for (size_t memory = all; memory > least; memory -= (all - least + 3) / 4) {
        setup.memory = memory;
        assert_true(evaluator->bytes(&setup) <= memory);
        size_t now = evaluate(evaluator, &setup, &w, limited);
        assert_true(now <= memory);
        assert_memory_equal(free_ones, limited, sizeof limited);
    }
    setup.memory = 1;
    size_t now = evaluate(evaluator, &setup, &w, limited);
    assert_true(now <= least);
    assert_memory_equal(free_ones, limited, sizeof limited);
    setup.memory = 0;
    setup.block = MOST;
    size_t known = evaluator->bytes(&setup);
    assert_true(known <= all && held <= known);
    if (getenv("COPPICE_TEST_TIMES"))
        print_message("%s%s %s: said %zu (%zu for %d individuals), held %zu, least %zu, held %zu\n",
                      name, hidden ? " with hidden layers" : "", layers, all, known, MOST, held,
                      least, now);
    destroy(&w);
}

static void check(const char *name, const char *input, const char *layers, const char *hidden) {
    check_with(name, input, layers, hidden, 100, 0);
}

static const char *const layers[] = {
    "conv2d(7,3) relu conv2d(9,3) relu maxpool(2) flatten dense(20) relu dense(10)",
    "conv2d(5,3) relu maxpool(2) flatten dense(12) relu dense(10)",
    "conv2d(6,3,1,1) relu maxpool(2) conv2d(6,3) relu flatten dense(10)",
    "flatten dense(64) relu dense(30) relu dense(10)"};

static void small_networks(void **state) {
    static const char *const names[] = {"sign", "sparse", "blas", "reference"};
    (void)state;
    for (size_t e = 0; e < sizeof names / sizeof *names; e++)
        for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
            check(names[e], "1x16x16", layers[i], NULL);
}

static void hidden_layers(void **state) {
    (void)state;
    check("sign", "1x16x16", layers[0], "dense1");
    check("sparse", "1x16x16", layers[0], "conv1");
    for (size_t batch = 1; batch <= 19; batch += 6)
        for (size_t i = 0; i < 2; i++) {
            check_with("sign", "1x16x16", layers[i], "dense1", batch, 0);
            check_with("sparse", "1x16x16", layers[i], "dense1", batch, 0);
        }
    check_with("sign", "1x16x16", layers[3], "dense2", 7, 0);
}

/* Layers that go to BLAS are computed batch by batch, and every batch takes whole chunks. */
static void dense_layers_in_small_batches(void **state) {
    (void)state;
    for (size_t batch = 1; batch <= 25; batch += 4)
        for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
            check_with("sparse", "1x16x16", layers[i], NULL, batch, 0.3);
}

static void the_network_of_the_thesis(void **state) {
    (void)state;
    check("sign", "1x28x28",
          "conv2d(32,3) relu conv2d(64,3) relu maxpool(2) dropout(0.25) flatten dense(128) relu "
          "dropout(0.5) dense(10)",
          NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_networks),
        cmocka_unit_test(hidden_layers),
        cmocka_unit_test(dense_layers_in_small_batches),
        cmocka_unit_test(the_network_of_the_thesis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
