/* Similarity as a run measures it: which samples of which batch are compared with which. */
#include "../support/support.h"

#include <math.h>
#include <string.h>

#include "run/targets.h"

enum { TASKS = 2, BATCH = 50, WIDTH = 12 };
static const size_t samples[TASKS] = {250, 130}; /* 5 batches; 2 and a rest */

typedef struct bench {
    cop_experiment e;
    cop_mask all, some;
} bench;

static void open_bench(bench *b, const char *arithmetic) {
    *b = (bench){.e = {.tasks = TASKS, .perplexity = 10, .similarity_batches = SIZE_MAX}};
    cop_experiment *e = &b->e;
    cop_rng rng = cop_rng_at(1, 0, 0, COP_FOR_TEST);
    assert_ok(cop_model_create(&e->model, "1x3x4", "conv2d(4,2) relu dense(9) tanh dense(3)"));
    cop_params_init(&e->base, e->model);
    cop_params_randomise(&e->base, e->model, 4);
    for (size_t t = 0; t < TASKS; t++) {
        e->evolve[t] = cop_dataset_create("t", samples[t], 1, 3, 4, 3);
        for (size_t i = 0; i < samples[t] * WIDTH; i++)
            e->evolve[t]->x[i] = (float)cop_rng_normal(&rng);
    }
    e->evaluator = cop_evaluator_find(arithmetic);
    e->setup = (cop_eval_setup){.model = e->model,
                                .base = &e->base,
                                .batch = BATCH,
                                .hidden = 2,
                                .hidden_layer = {3, 1}, /* tanh, relu */
                                .weighting = {COP_WEIGHTS_TRAINED, 1, {1}}};
    cop_mask_init(&b->all, e->model->weights);
    cop_mask_fill(&b->all);
    cop_mask_init(&b->some, e->model->weights);
    cop_rng_sample(&rng, e->model->weights * 2 / 3, &b->some);
}

static void close_bench(bench *b) {
    for (size_t t = 0; t < TASKS; t++) cop_dataset_destroy(b->e.evolve[t]);
    cop_params_clear(&b->e.base);
    cop_model_destroy(b->e.model);
    cop_mask_clear(&b->all);
    cop_mask_clear(&b->some);
}

static cop_status compare(void *user, size_t individual, size_t which, const double *rows, size_t n,
                          size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    (void)individual;
    return cop_targets_compare(user, which, rows, n, width, task, batch, evidence);
}

/* Evidence of a mask on a task; shards of @p shard samples, the last one first. */
static cop_evidence measure(const bench *b, const cop_mask *mask, size_t task, size_t shard) {
    const cop_experiment *e = &b->e;
    const cop_dataset *set = e->evolve[task];
    cop_targets *targets = cop_targets_create(e);
    void *self;
    cop_evidence sum = {0}, part;
    assert_ok(e->evaluator->create(&self, &e->setup));
    for (size_t at = (set->samples - 1) / shard * shard;; at -= shard) {
        size_t left = set->samples - at;
        cop_shard cut = {.x = set->x + at * WIDTH,
                         .label = set->label + at,
                         .n = left < shard ? left : shard,
                         .batch_base = at / BATCH,
                         .task = task};
        assert_ok(e->evaluator->evaluate(self, &mask, 1, &cut, compare, targets, &part, NULL));
        cop_evidence_add(&sum, &part, 1, 2);
        if (at == 0) break;
    }
    e->evaluator->destroy(self);
    cop_targets_destroy(targets);
    return sum;
}

/* The same from the float forward pass, batch by batch. */
static double expected(const bench *b, size_t task, size_t hidden, size_t batches) {
    const cop_experiment *e = &b->e;
    size_t layer = e->setup.hidden_layer[hidden];
    size_t width = cop_shape_size(e->model->layers[layer].out);
    double sum = 0, *rows = COP_NEW_ARRAY(double, BATCH *width), *p[2];
    cop_params masked;
    cop_params_init(&masked, e->model);
    cop_effective_weights(&e->base, &b->some, COP_WEIGHTS_TRAINED, 1, masked.w);
    memcpy(masked.b, e->base.b, masked.biases * sizeof(float));
    cop_net_work *work = cop_net_work_create(e->model, BATCH, false);
    for (size_t k = 0; k < 2; k++) p[k] = COP_NEW_ARRAY(double, BATCH *(BATCH - 1) / 2);
    for (size_t batch = 0; batch < batches; batch++) {
        for (size_t k = 0; k < 2; k++) {
            cop_net_forward(work, k ? &masked : &e->base,
                            e->evolve[task]->x + batch * BATCH * WIDTH, BATCH, NULL);
            const float *seen = cop_net_output(work, layer);
            for (size_t i = 0; i < BATCH * width; i++) rows[i] = (double)seen[i];
            cop_similarity_neighbours(rows, BATCH, width, e->perplexity, p[k]);
        }
        sum += cop_similarity_loss(p[0], p[1], BATCH);
    }
    cop_free(p[0]);
    cop_free(p[1]);
    cop_free(rows);
    cop_params_clear(&masked);
    cop_net_work_destroy(work);
    return sum;
}

static const char *const arithmetics[] = {"reference", "blas"};

static void the_base_network_is_like_itself(void **state) {
    (void)state;
    for (size_t a = 0; a < 2; a++) {
        bench b;
        open_bench(&b, arithmetics[a]);
        for (size_t t = 0; t < TASKS; t++) {
            cop_evidence e = measure(&b, &b.all, t, 100);
            assert_int_equal(e.batches, samples[t] / BATCH);
            assert_true(e.similarity[0] == 0 && e.similarity[1] == 0);
        }
        close_bench(&b);
    }
}

static void whole_batches_are_compared_with_their_own(void **state) {
    (void)state;
    for (size_t a = 0; a < 2; a++) {
        bench b;
        open_bench(&b, arithmetics[a]);
        for (size_t t = 0; t < TASKS; t++) {
            cop_evidence e = measure(&b, &b.some, t, 100), cut = measure(&b, &b.some, t, BATCH);
            assert_int_equal(e.batches, samples[t] / BATCH);
            for (size_t h = 0; h < 2; h++) {
                double wanted = expected(&b, t, h, samples[t] / BATCH);
                assert_true(wanted > 0.01);
                assert_near(e.similarity[h], wanted, 1e-4 * wanted);
                assert_near(cut.similarity[h], wanted, 1e-4 * wanted);
            }
        }
        b.e.similarity_batches = 1;
        cop_evidence first = measure(&b, &b.some, 0, 100);
        assert_int_equal(first.batches, 1);
        assert_near(first.similarity[1], expected(&b, 0, 1, 1), 1e-4);
        close_bench(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_base_network_is_like_itself),
        cmocka_unit_test(whole_batches_are_compared_with_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
