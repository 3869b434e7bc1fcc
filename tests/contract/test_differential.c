/* Thousands of small random networks through every evaluator: blocks of relatives, all kernel
 * variants, any order, any cut. `sign` gives what the oracle gives, all bits; floating point stays
 * within its rounding bound of it, so that classes differ only where logits nearly tie.
 * COPPICE_TEST_CASES=N: that many cases; COPPICE_TEST_CASE=K: that one alone. */
#include "../support/support.h"

#include <stdlib.h>

#include "../support/differential.h"
#include "coppice/la.h"

/* Cases [*first, *end): for the default number or as the environment says. */
static void cases(uint32_t usual, uint32_t *first, uint32_t *end) {
    const char *one = getenv("COPPICE_TEST_CASE"), *many = getenv("COPPICE_TEST_CASES");
    uint64_t number = usual;
    *first = 0;
    test_by_number = true;
    if (one) {
        assert_true(cop_parse_u64(one, &number));
        *first = (uint32_t)number++;
    } else if (many)
        assert_true(cop_parse_u64(many, &number));
    *end = (uint32_t)number;
}

/* ---------------------------------------------------------------- sign */

/* What was met, so that a case that tests nothing is seen. */
static struct { size_t calls, refused, individuals, classes, ties; } met;

/* One call; false when it was refused, for which there must be a reason. */
static bool exact(const cop_evaluator *sign, void *self, const test_case *t, const test_call *call,
                  const test_wanted *wanted) {
    test_answer a;
    bool fits = true;
    for (size_t i = 0; i < call->count; i++) fits = fits && wanted[call->who[i]].fits;
    cop_status status = test_ask(sign, self, t, call, &a);
    met.calls++;
    met.refused += status != COP_OK;
    if (status != COP_OK) {
        CHECK(status == COP_E_EVALUATE && strstr(cop_error_message(), "64-bit"), "%s",
              cop_error_message());
        CHECK(!fits, "%s", cop_error_message());
        cop_error_clear();
    } else if (fits) {
        test_check_exact(&a, wanted);
        met.individuals += call->count;
    }
    test_answer_clear(&a);
    return status == COP_OK;
}

/* Every sample's features and label change places with the mirror image's. */
static void reverse_samples(test_case *t) {
    size_t inputs = cop_shape_size(t->net.model->input), n = t->net.n;
    for (size_t i = 0; i < n / 2; i++) {
        int32_t label = t->net.label[i];
        t->net.label[i] = t->net.label[n - 1 - i];
        t->net.label[n - 1 - i] = label;
        for (size_t j = 0; j < inputs; j++) {
            float x = t->net.x[i * inputs + j];
            t->net.x[i * inputs + j] = t->net.x[(n - 1 - i) * inputs + j];
            t->net.x[(n - 1 - i) * inputs + j] = x;
        }
    }
}

/* Nothing is remembered by address: the same arrays hold other samples and masks now. */
static void changed_in_place(const cop_evaluator *sign, void *self, test_case *t) {
    test_wanted wanted[2] = {{0}};
    test_call call = test_call_all(t);
    cop_mask *last = &t->mask[t->count - 1], mask;
    reverse_samples(t);
    cop_mask_init(&mask, last->bits);
    cop_mask_copy(&mask, last);
    cop_mask_copy(last, &t->mask[0]);
    cop_mask_copy(&t->mask[0], &mask);
    call.count = t->count > 1 ? 2 : 1;
    call.who[1] = t->count - 1;
    test_want(t, 0, &wanted[0]);
    test_want(t, t->count - 1, &wanted[1]);
    test_wanted at[TEST_BLOCK_MOST];
    at[t->count - 1] = wanted[1];
    at[0] = wanted[0];
    exact(sign, self, t, &call, at);
    cop_mask_copy(&t->mask[0], last);
    cop_mask_copy(last, &mask);
    cop_mask_clear(&mask);
    reverse_samples(t);
    for (size_t i = 0; i < 2; i++) test_wanted_clear(&wanted[i], t->setup.hidden);
}

/* Blocks, single individuals, other orders and cuts, all with one evaluator that could remember. */
static void exact_in_all_ways(const cop_evaluator *sign, void *self, test_case *t,
                              const test_wanted *wanted, cop_rng *rng) {
    test_call all = test_call_all(t), call = all;
    bool refused = !exact(sign, self, t, &all, wanted);
    for (size_t i = 0; i < t->count; i++) { /* one at a time */
        call.count = 1;
        call.who[0] = i;
        call.listen = all.listen && i % 2 == 0;
        bool good = exact(sign, self, t, &call, wanted);
        CHECK(good || refused, "individual %zu is refused alone, not in the block", i);
    }
    call = all; /* shuffled, some twice, nobody listening */
    uint32_t order[TEST_BLOCK_MOST];
    for (uint32_t i = 0; i < t->count; i++) order[i] = i;
    cop_rng_shuffle(rng, order, t->count);
    for (size_t i = 0; i < t->count; i++) call.who[i] = order[i];
    if (t->count > 2) call.who[0] = call.who[t->count - 1];
    call.listen = false;
    call.predict = cop_rng_below(rng, 2) == 0;
    exact(sign, self, t, &call, wanted);
    for (size_t first = 0; first < t->net.n; first += call.n) { /* shards */
        call = all;
        call.listen = all.listen && cop_rng_below(rng, 2);
        call.first = first;
        call.n = test_draw(rng, 1, 40);
        if (call.listen) call.n = (call.n + t->setup.batch - 1) / t->setup.batch * t->setup.batch;
        if (call.n > t->net.n - first) call.n = t->net.n - first;
        exact(sign, self, t, &call, wanted);
    }
    if (t->number % 4 == 0) changed_in_place(sign, self, t);
    exact(sign, self, t, &all, wanted);
}

static bool bias_too_large(const test_case *t) {
    const cop_model *m = t->net.model;
    for (size_t v = 0; v <= t->setup.weighting.values; v++) {
        if (v == t->setup.weighting.values && !t->setup.hidden) break;
        double power = 1, value = v < t->setup.weighting.values ? t->setup.weighting.value[v]
                                                                : t->setup.hidden_value;
        for (size_t i = 0; i < m->count; i++) {
            if (!m->layers[i].weights) continue;
            power *= value;
            for (size_t b = 0; b < m->layers[i].biases; b++)
                if (!(fabs((double)t->net.params.b[m->layers[i].bias_begin + b] / power *
                           t->setup.scale) < 0x1p60))
                    return true;
        }
    }
    return false;
}

/* ---------------------------------------------------------------- floating point */

/* What is known of the outputs, and how near to it a result in floating point must be. */
typedef struct near {
    test_bound *bound; /* (V + hidden) */
    bool possible;     /* nothing leaves the range of float */
} near;

static near near_create(const test_case *t, size_t individual, double unit) {
    const cop_eval_setup *s = &t->setup;
    size_t values = s->weighting.values + (s->hidden > 0);
    test_oracle o = test_oracle_create(s, &t->mask[individual]);
    near b = {COP_NEW_ARRAY(test_bound, values), true};
    for (size_t v = 0; v < values; v++) {
        double value = v < s->weighting.values ? s->weighting.value[v] : s->hidden_value, power = 1;
        b.bound[v] = test_bound_create(&o, value, t->net.x, t->net.n, unit);
        for (size_t i = 0; i < s->model->count; i++) {
            power *= s->model->layers[i].weights ? value : 1;
            for (size_t k = 0; k < cop_shape_size(s->model->layers[i].out); k++)
                if (b.bound[v].most[i][k] * power / s->scale > 1e30 || power / s->scale < 1e-22)
                    b.possible = false;
        }
    }
    test_oracle_clear(&o);
    return b;
}

static void near_clear(near *b, const test_case *t) {
    for (size_t v = 0; v < t->setup.weighting.values + (t->setup.hidden > 0); v++)
        test_bound_clear(&b->bound[v], t->setup.model);
    cop_free(b->bound);
}

/* Individual @p i of an answer in floating point beside what the integers gave. */
static void check_near(const test_answer *a, size_t i, const test_wanted *w, const near *b) {
    const cop_eval_setup *s = &a->of->setup;
    const cop_model *m = s->model;
    size_t n = a->call->n, classes = m->classes, values = s->weighting.values;
    for (size_t v = 0; v < values; v++) {
        const double *error = b->bound[v].error[m->count - 1];
        double worst = 0, loss = 0;
        for (size_t k = 0; k < classes; k++) worst = fmax(worst, error[k]);
        for (size_t k = 0; k < n; k++) {
            size_t seen = a->class[(i * values + v) * n + k], best = w->class[v * n + k];
            const int64_t *z = w->logit + (v * n + k) * classes;
            met.classes++;
            met.ties += seen != best;
            CHECK(seen < classes, "class %zu", seen);
            CHECK((double)(z[best] - z[seen]) <= error[best] + error[seen],
                  "individual %zu, value %g, sample %zu: class %zu (%lld) where integers say %zu "
                  "(%lld); rounding explains %g and %g",
                  a->call->who[i], s->weighting.value[v], k, seen, (long long)z[seen], best,
                  (long long)z[best], error[seen], error[best]);
            loss += w->loss[v * n + k];
        }
        double room = (double)n * 2.001 * worst * w->factor[v] + 1e-9 * (loss + (double)n);
        CHECK(fabs(a->evidence[i].loss[v] - loss) <= room,
              "individual %zu, value %g: loss %.17g, integers say %.17g, rounding explains %g",
              a->call->who[i], s->weighting.value[v], a->evidence[i].loss[v], loss, room);
    }
    double power = 1;
    for (size_t k = 0, layer = 0; k < s->hidden; k++) {
        for (; layer <= s->hidden_layer[k]; layer++)
            power *= m->layers[layer].weights ? s->hidden_value : 1;
        size_t at = s->hidden_layer[k], width = cop_shape_size(m->layers[at].out);
        for (size_t j = 0; j < n * width; j++) {
            double room = b->bound[values].error[at][j % width] * 1.001 * power / s->scale;
            CHECK(fabs(a->rows[i][k][j] - w->rows[k][j]) <= room,
                  "individual %zu, layer %s, sample %zu, unit %zu: %.17g, integers say %.17g, "
                  "rounding explains %g",
                  a->call->who[i], m->layers[at].name, j / width, j % width, a->rows[i][k][j],
                  w->rows[k][j], room);
        }
    }
}

/* An individual alone and on two shards (whole batches) gives what it gave in the block. */
static void check_alone(const cop_evaluator *e, void *self, const test_case *t,
                        const test_answer *block, size_t i) {
    size_t n = t->net.n, values = t->setup.weighting.values, batch = t->setup.batch;
    size_t half = n / 2 / batch * batch;
    for (size_t part = 0; part < 3; part++) {
        size_t first = part == 2 ? half : 0, count = part == 0 ? n : part == 1 ? half : n - half;
        test_call call = {.count = 1,
                          .who = {i},
                          .first = first,
                          .n = count,
                          .listen = part == 0 && block->call->listen,
                          .predict = true};
        test_answer a;
        assert_ok(test_ask(e, self, t, &call, &a));
        test_check_form(&a);
        CHECK(part || memcmp(&a.evidence[0], &block->evidence[i], sizeof a.evidence[0]) == 0,
              "individual %zu alone", i);
        for (size_t v = 0; v < values; v++)
            CHECK(memcmp(a.class + v * count, block->class + (i * values + v) * n + first,
                         count * sizeof(uint16_t)) == 0,
                  "individual %zu alone, samples from %zu", i, first);
        test_answer_clear(&a);
    }
}

static double unit_of(const cop_evaluator *e) {
    return strcmp(e->name, "reference") == 0 ? 0x1p-53 : 0x1p-24;
}

static void floats_are_near(const cop_evaluator *e, test_case *t, const test_wanted *wanted) {
    test_call all = test_call_all(t);
    test_answer a;
    void *self;
    test_who = e->name;
    assert_ok(e->create(&self, &t->setup));
    assert_ok(test_ask(e, self, t, &all, &a));
    test_check_form(&a);
    for (size_t i = 0; i < t->count; i++) {
        if (!wanted[i].fits) continue;
        near b = near_create(t, i, unit_of(e));
        if (b.possible) check_near(&a, i, &wanted[i], &b);
        near_clear(&b, t);
    }
    check_alone(e, self, t, &a, t->number % t->count);
    test_answer_clear(&a);
    e->destroy(self);
}

/* ---------------------------------------------------------------- the tests */

static void shared_weights(void **state) {
    (void)state;
    size_t variants, evaluators, refused = 0, supported = 0;
    const cop_sign_ops *const *ops = cop_sign_variants(&variants);
    const cop_evaluator *const *all = cop_evaluators(&evaluators);
    const cop_evaluator *sign = cop_evaluator_find("sign");
    uint32_t first, end;
    cases(2000, &first, &end);
    for (size_t k = 0; k < variants; k++) supported += ops[k]->supported();
    for (uint32_t number = first; number < end; number++) {
        test_case t;
        test_wanted wanted[TEST_BLOCK_MOST] = {{0}};
        cop_rng rng = cop_rng_at(33, number, 0, COP_FOR_TEST);
        test_now = &t;
        test_case_create(&t, number, false);
        bool large = bias_too_large(&t);
        for (size_t i = 0; i < t.count; i++) test_want(&t, i, &wanted[i]);
        for (size_t k = 0, seen = 0; k < variants; k++) {
            void *self;
            if (!ops[k]->supported()) continue;
            setenv("COPPICE_KERNEL", ops[k]->name, 1);
            test_who = ops[k]->name;
            cop_status status = sign->create(&self, &t.setup);
            if (status != COP_OK) {
                CHECK(large && status == COP_E_CONFIG && strstr(cop_error_message(), "64-bit"),
                      "%s", cop_error_message());
                cop_error_clear();
                refused++;
                break;
            }
            test_call block = test_call_all(&t);
            if (seen++ == number % supported)
                exact_in_all_ways(sign, self, &t, wanted, &rng);
            else
                exact(sign, self, &t, &block, wanted);
            block.listen = false; /* who listens gets every individual by itself anyway */
            if (seen == 1 + (number + 1) % supported) test_alone_agrees(sign, self, &t, &block);
            sign->destroy(self);
        }
        unsetenv("COPPICE_KERNEL");
        for (size_t k = 0; k < evaluators; k++)
            if (all[k] != sign) floats_are_near(all[k], &t, wanted);
        for (size_t i = 0; i < t.count; i++) test_wanted_clear(&wanted[i], t.setup.hidden);
        test_case_clear(&t);
    }
    print_message("# %u networks, %zu of them refused for their biases; %zu calls of sign, %zu "
                  "refused for their sums; %zu individuals compared; floating point chose another "
                  "class in %zu of %zu, all near-ties\n",
                  end - first, refused, met.calls, met.refused, met.individuals, met.ties,
                  met.classes);
}

/* Trained weights and curves of any kind: float against double. */
static void trained_weights(void **state) {
    (void)state;
    size_t evaluators;
    const cop_evaluator *const *all = cop_evaluators(&evaluators);
    uint32_t first, end;
    cases(400, &first, &end);
    for (uint32_t number = first; number < end; number++) {
        test_case t;
        test_answer wanted, a;
        void *self;
        test_now = &t;
        test_case_create(&t, number, true);
        const cop_model *m = t.net.model;
        t.setup.hidden = 1; /* the logits */
        t.setup.hidden_layer[0] = m->count - 1;
        test_call call = test_call_all(&t);
        const cop_evaluator *reference = cop_evaluator_find("reference");
        assert_ok(reference->create(&self, &t.setup));
        assert_ok(test_ask(reference, self, &t, &call, &wanted));
        test_check_form(&wanted);
        reference->destroy(self);
        for (size_t k = 0; k < evaluators; k++) {
            test_who = all[k]->name;
            if (all[k] == reference || strcmp(all[k]->name, "sign") == 0) continue;
            assert_ok(all[k]->create(&self, &t.setup));
            assert_ok(test_ask(all[k], self, &t, &call, &a));
            test_check_form(&a);
            for (size_t i = 0; i < t.count; i++) {
                test_oracle o = test_oracle_create(&t.setup, &t.mask[i]);
                test_bound b = test_bound_create(&o, 1, t.net.x, t.net.n, 0x1.01p-24);
                const double *error = b.error[m->count - 1];
                for (size_t j = 0; j < t.net.n; j++) {
                    const double *z = wanted.rows[i][0] + j * m->classes;
                    size_t best = wanted.class[i * t.net.n + j], seen = a.class[i * t.net.n + j];
                    CHECK(z[best] - z[seen] <= error[best] + error[seen],
                          "individual %zu, sample %zu: class %zu (%g), not %zu (%g)", i, j, seen,
                          z[seen], best, z[best]);
                    for (size_t c = 0; c < m->classes; c++) {
                        double y = a.rows[i][0][j * m->classes + c];
                        CHECK(fabs(y - z[c]) <= error[c],
                              "individual %zu, sample %zu, logit %zu: %.17g, not %.17g +- %g", i, j,
                              c, y, z[c], error[c]);
                    }
                }
                test_bound_clear(&b, m);
                test_oracle_clear(&o);
            }
            check_alone(all[k], self, &t, &a, number % t.count);
            test_answer_clear(&a);
            all[k]->destroy(self);
        }
        test_answer_clear(&wanted);
        test_case_clear(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_weights),
        cmocka_unit_test(trained_weights),
    };
    return cmocka_run_group_tests_name("differential", tests, NULL, NULL);
}
