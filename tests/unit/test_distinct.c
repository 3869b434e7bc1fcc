/* Equal individuals of a block are computed once, and nobody can tell from the results. */
#include "../support/support.h"

#include <math.h>
#include <string.h>

#include "../support/random_net.h"

enum { EDGES = 200, SAMPLES = 7, VALUES = 2, BLOCK = 40 };

/* ---------------------------------------------------------------- an evaluator that counts */

static size_t computed; /* individuals, by the fake */
static cop_status verdict;

/* Everything it says is a function of the mask. */
static double row_of(const cop_mask *mask, size_t batch) {
    return (double)(cop_mask_count(mask) + 1000 * batch);
}

static cop_status fake_evaluate(void *self, const cop_mask *const *masks, size_t count,
                                const cop_shard *shard, cop_hidden_sink sink, void *user,
                                cop_evidence *evidence, uint16_t *predictions) {
    (void)self;
    computed += count;
    if (verdict != COP_OK) return cop_fail(verdict, "the fake fails");
    for (size_t i = 0; i < count; i++) {
        size_t live = cop_mask_count(masks[i]);
        evidence[i] = (cop_evidence){.samples = shard->n};
        for (size_t v = 0; v < VALUES; v++) {
            evidence[i].correct[v] = live + v;
            for (size_t s = 0; predictions && s < shard->n; s++)
                predictions[(i * VALUES + v) * shard->n + s] = (uint16_t)(live * 7 + v * 3 + s);
        }
    }
    for (size_t batch = 0; sink && batch < 2; batch++)
        for (size_t i = 0; i < count; i++) {
            double row = row_of(masks[i], batch);
            COP_TRY(sink(user, i, 0, &row, 1, 1, shard->task, batch, &evidence[i]));
        }
    return COP_OK;
}

static const cop_evaluator fake = {.name = "fake", .evaluate = fake_evaluate};

/* ---------------------------------------------------------------- blocks */

typedef struct heard {
    const cop_mask *const *masks; /* of the caller's block */
    size_t calls[BLOCK];
} heard;

static cop_status listen(void *user, size_t individual, size_t which, const double *rows, size_t n,
                         size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    heard *h = user;
    assert_true(individual < BLOCK && which == 0 && n == 1 && width == 1 && task == 5);
    assert_true(batch == h->calls[individual]++);
    assert_true(rows[0] == row_of(h->masks[individual], batch)); /* its own number */
    evidence->similarity[0] += rows[0];
    evidence->batches++;
    return COP_OK;
}

/* @p kinds different masks; like[i] says which one individual i has. */
static void make_block(cop_mask *mask, size_t kinds, const size_t *like, size_t count,
                       const cop_mask **masks) {
    cop_rng rng = cop_rng_at(71, 0, 0, COP_FOR_TEST);
    for (size_t k = 0; k < kinds; k++) {
        cop_mask_init(&mask[k], EDGES);
        cop_rng_sample(&rng, 10 + 3 * k, &mask[k]);
    }
    for (size_t i = 0; i < count; i++) { /* equal ones at other addresses */
        cop_mask *copy = COP_NEW(cop_mask);
        cop_mask_init(copy, EDGES);
        cop_mask_copy(copy, &mask[like[i]]);
        masks[i] = copy;
    }
}

static void clear_block(cop_mask *mask, size_t kinds, size_t count, const cop_mask **masks) {
    for (size_t k = 0; k < kinds; k++) cop_mask_clear(&mask[k]);
    for (size_t i = 0; i < count; i++) {
        cop_mask *copy = (cop_mask *)(uintptr_t)masks[i];
        cop_mask_clear(copy);
        cop_free(copy);
    }
}

static void check_block(size_t kinds, const size_t *like, size_t count) {
    cop_mask mask[BLOCK];
    const cop_mask *masks[BLOCK];
    cop_evidence plain[BLOCK], evidence[BLOCK];
    uint16_t plain_p[BLOCK * VALUES * SAMPLES], p[BLOCK * VALUES * SAMPLES];
    cop_shard shard = {.n = SAMPLES, .task = 5};
    cop_eval_setup setup = {.weighting = {COP_WEIGHTS_SIGNED, VALUES, {1, 2}}, .hidden = 1};
    make_block(mask, kinds, like, count, masks);
    for (int predict = 0; predict < 2; predict++)
        for (int hear = 0; hear < 2; hear++) {
            heard one = {.masks = masks}, all = {.masks = masks};
            memset(plain, 0xcc, sizeof plain);
            memset(evidence, 0xcc, sizeof evidence);
            memset(plain_p, 0xcc, sizeof plain_p);
            memset(p, 0xcc, sizeof p);
            assert_ok(fake.evaluate(NULL, masks, count, &shard, hear ? listen : NULL, &all, plain,
                                    predict ? plain_p : NULL));
            computed = 0;
            assert_ok(cop_evaluate_distinct(&fake, NULL, &setup, masks, count, &shard,
                                            hear ? listen : NULL, &one, evidence,
                                            predict ? p : NULL));
            assert_int_equal(computed, kinds);
            assert_memory_equal(evidence, plain, sizeof plain); /* nor anything behind the block */
            assert_memory_equal(p, plain_p, sizeof p);
            for (size_t i = 0; hear && i < count; i++) {
                bool first = true;
                for (size_t k = 0; k < i; k++) first &= like[k] != like[i];
                assert_int_equal(one.calls[i], first ? 2 : 0);
            }
        }
    setup.alone = true;
    computed = 0;
    assert_ok(cop_evaluate_distinct(&fake, NULL, &setup, masks, count, &shard, NULL, NULL, evidence,
                                    NULL));
    assert_int_equal(computed, count);
    clear_block(mask, kinds, count, masks);
}

static void twins_are_computed_once(void **state) {
    (void)state;
    check_block(4, (const size_t[]){0, 1, 0, 2, 1, 1, 3, 0}, 8);
    check_block(1, (const size_t[]){0, 0, 0}, 3);
    check_block(3, (const size_t[]){0, 1, 2}, 3);
    check_block(2, (const size_t[]){0, 1, 1}, 3);
    check_block(1, (const size_t[]){0}, 1);
    size_t like[BLOCK];
    for (size_t i = 0; i < BLOCK; i++) like[i] = i * i % 37 % 23;
    for (size_t i = 0, next = 0, old[BLOCK]; i < BLOCK; i++) { /* numbered as they come */
        size_t k = 0;
        old[i] = like[i];
        while (old[k] != old[i]) k++;
        like[i] = k < i ? like[k] : next++;
        if (i == BLOCK - 1) check_block(next, like, BLOCK);
    }
}

static void failures_are_passed_on(void **state) {
    (void)state;
    cop_mask mask[1];
    const cop_mask *masks[2];
    cop_evidence evidence[2];
    cop_shard shard = {.n = SAMPLES};
    cop_eval_setup setup = {.weighting = {COP_WEIGHTS_SIGNED, VALUES, {1, 2}}};
    make_block(mask, 1, (const size_t[]){0, 0}, 2, masks);
    verdict = COP_E_EVALUATE;
    assert_fails(
        cop_evaluate_distinct(&fake, NULL, &setup, masks, 2, &shard, NULL, NULL, evidence, NULL),
        COP_E_EVALUATE, "the fake fails");
    verdict = COP_OK;
    clear_block(mask, 1, 2, masks);
}

/* With and without twins every evaluator there is gives an individual the same bits. */
static void evaluators_do_not_notice(void **state) {
    (void)state;
    enum { N = 6, SOME = 50 };
    size_t count;
    const cop_evaluator *const *all = cop_evaluators(&count);
    for (uint32_t number = 0; number < 20; number++)
        for (size_t k = 0; k < count; k++) {
            cop_rng rng = cop_rng_at(72, number, 0, COP_FOR_TEST);
            test_net net;
            test_net_create(&net, &rng, SOME, 64, 127);
            cop_mask other;
            cop_mask_init(&other, net.model->weights);
            cop_rng_sample(&rng, net.model->weights / 2, &other);
            const cop_mask *masks[N] = {&net.mask, &other, &net.mask, &net.mask, &other, &other};
            cop_eval_setup setup = {.model = net.model,
                                    .base = &net.params,
                                    .scale = 64,
                                    .batch = 20,
                                    .weighting = {COP_WEIGHTS_SIGNED, VALUES, {0.5, 2}}};
            cop_evidence plain[N], evidence[N];
            uint16_t plain_p[N * VALUES * SOME], p[N * VALUES * SOME];
            cop_shard shard = test_net_shard(&net);
            void *self;
            assert_ok(all[k]->create(&self, &setup));
            assert_ok(all[k]->evaluate(self, masks, N, &shard, NULL, NULL, plain, plain_p));
            assert_ok(cop_evaluate_distinct(all[k], self, &setup, masks, N, &shard, NULL, NULL,
                                            evidence, p));
            assert_memory_equal(evidence, plain, sizeof plain);
            assert_memory_equal(p, plain_p, sizeof p);
            shard.n = 0;
            assert_ok(cop_evaluate_distinct(all[k], self, &setup, masks, N, &shard, NULL, NULL,
                                            evidence, p));
            all[k]->destroy(self);
            cop_mask_clear(&other);
            test_net_clear(&net);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twins_are_computed_once),
        cmocka_unit_test(failures_are_passed_on),
        cmocka_unit_test(evaluators_do_not_notice),
    };
    return cmocka_run_group_tests_name("distinct", tests, NULL, NULL);
}
