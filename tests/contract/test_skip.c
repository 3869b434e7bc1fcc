/* Kernels that look only at inputs that are not zero: the values of those that look at all. */
#include "../support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../support/random_net.h"
#include "coppice/la.h"
#include "net/evaluators.h"

enum { LANES = COP_SPARSE_LANES, BLOCK = COP_NONZERO_BLOCK };

typedef struct rows {
    size_t outputs, inputs, vectors, samples, first; /* first block of a longer input */
    float *w, *x, *bias, *all, *some, *scratch;
    const float **row;
    cop_nonzeros list;
} rows;

static size_t blocks_of(size_t inputs) {
    return (inputs + BLOCK - 1) / BLOCK;
}

static rows draw(cop_rng *rng) {
    rows r = {.outputs = test_draw(rng, 1, 210),
              .inputs = test_draw(rng, 1, 200),
              .vectors = test_draw(rng, 1, 8),
              .first = test_draw(rng, 0, 2)};
    const double density = cop_rng_uniform(rng);
    r.samples = r.vectors * LANES;
    const size_t whole = r.first * BLOCK + r.inputs;
    r.w = COP_NEW_ARRAY(float, r.outputs *r.inputs);
    r.x = COP_NEW_ARRAY(float, whole *r.samples);
    r.bias = COP_NEW_ARRAY(float, r.outputs);
    r.all = COP_NEW_ARRAY(float, r.outputs *r.samples);
    r.some = COP_NEW_ARRAY(float, r.outputs *r.samples);
    r.scratch = COP_NEW_ARRAY(float, COP_SKIP_SCRATCH(r.samples));
    r.row = COP_NEW_ARRAY(const float *, r.outputs);
    r.list = (cop_nonzeros){.inputs = whole, .vectors = r.vectors};
    r.list.begin = COP_NEW_ARRAY(uint32_t, blocks_of(whole) * r.samples + 1);
    r.list.place = COP_NEW_ARRAY(uint32_t, whole * r.samples + LANES);
    r.list.value = COP_NEW_ARRAY(float, whole *r.samples + LANES);
    for (size_t k = 0; k < r.outputs * r.inputs; k++) r.w[k] = (float)cop_rng_normal(rng);
    for (size_t k = 0; k < whole * r.samples; k++)
        if (cop_rng_uniform(rng) < density) r.x[k] = (float)cop_rng_normal(rng);
    for (size_t o = 0; o < r.outputs; o++) {
        r.bias[o] = (float)cop_rng_normal(rng);
        r.row[o] = r.w + (r.outputs - 1 - o) * r.inputs; /* in any order */
    }
    return r;
}

static void clear(rows *r) {
    cop_free(r->w);
    cop_free(r->x);
    cop_free(r->bias);
    cop_free(r->all);
    cop_free(r->some);
    cop_free(r->scratch);
    cop_free(r->row);
    cop_free(r->list.begin);
    cop_free(r->list.place);
    cop_free(r->list.value);
}

static void check_list(const rows *r) {
    const cop_nonzeros *l = &r->list;
    for (size_t k = 0; k < blocks_of(l->inputs) * r->samples; k++) {
        size_t at = l->begin[k];
        for (size_t i = k / r->samples * BLOCK; i < (k / r->samples + 1) * BLOCK; i++) {
            if (i >= l->inputs || r->x[i * r->samples + k % r->samples] == 0) continue;
            assert_true(at < l->begin[k + 1]);
            assert_int_equal(l->place[at], i % BLOCK);
            assert_memory_equal(&l->value[at], &r->x[i * r->samples + k % r->samples], 4);
            at++;
        }
        assert_int_equal(at, l->begin[k + 1]);
    }
}

static cop_full full_of(const rows *r, float *y) {
    return (cop_full){.outputs = r->outputs,
                      .inputs = r->inputs,
                      .vectors = r->vectors,
                      .row = r->row,
                      .stride = 1,
                      .x = r->x + r->first * BLOCK * r->samples,
                      .y = y};
}

static void values_are_those_of_all_inputs(void **state) {
    (void)state;
    size_t count, ran = 0;
    const cop_sparse_ops *const *ops = cop_sparse_variants(&count);
    for (uint32_t i = 0; i < 300; i++) {
        cop_rng rng = cop_rng_at(34, i, 0, COP_FOR_TEST);
        rows r = draw(&rng);
        if (i % 4 == 1) r.x[cop_rng_below(&rng, r.list.inputs * r.samples)] = INFINITY;
        if (i % 4 == 2) r.x[cop_rng_below(&rng, r.list.inputs * r.samples)] = NAN;
        if (i % 4 == 3) r.x[cop_rng_below(&rng, r.list.inputs * r.samples)] = -0.0f;
        cop_full f = full_of(&r, r.all);
        f.bias = i % 3 ? r.bias : NULL;
        f.relu = i % 2;
        ops[count - 1]->full(&f);
        for (size_t k = 0; k < count; k++) {
            assert_true(!ops[k]->skip_zeros == !ops[k]->nonzeros);
            if (!ops[k]->supported() || !ops[k]->skip_zeros) continue;
            ops[k]->nonzeros(r.x, &r.list);
            check_list(&r);
            f.y = r.some;
            assert_true(ops[k]->skip_zeros(&f, &r.list, r.first, r.scratch));
            for (size_t j = 0; j < r.outputs * r.samples; j++)
                assert_true(r.all[j] == r.some[j] || (isnan(r.all[j]) && isnan(r.some[j])));
            ran++;
        }
        clear(&r);
    }
    if (ran) return;
    print_message("skipped: no kernel that skips zeros runs on this processor\n");
    skip();
}

/* Infinity times zero is not zero: such rows are not for them. */
static void weights_that_are_not_finite_are_refused(void **state) {
    (void)state;
    size_t count, ran = 0;
    const cop_sparse_ops *const *ops = cop_sparse_variants(&count);
    for (uint32_t i = 0; i < 60; i++) {
        cop_rng rng = cop_rng_at(35, i, 0, COP_FOR_TEST);
        rows r = draw(&rng);
        r.w[cop_rng_below(&rng, r.outputs * r.inputs)] = i % 3 == 0   ? NAN
                                                         : i % 3 == 1 ? INFINITY
                                                                      : -INFINITY;
        for (size_t k = 0; k < count; k++) {
            if (!ops[k]->supported() || !ops[k]->skip_zeros) continue;
            const cop_full f = full_of(&r, r.some);
            ops[k]->nonzeros(r.x, &r.list);
            assert_false(ops[k]->skip_zeros(&f, &r.list, r.first, r.scratch));
            ran++;
        }
        clear(&r);
    }
    if (ran) return;
    print_message("skipped: no kernel that skips zeros runs on this processor\n");
    skip();
}

/* ------------------------------------------------------------------ under `dense` */

enum { SAMPLES = 100, INPUTS = 300, GENOMES = 4, HIDDEN = (140 + 80) * SAMPLES };

/* What an evaluation tells: evidence and hidden activations, in order of arrival. */
typedef struct told {
    cop_evidence evidence[GENOMES];
    double hidden[GENOMES * HIDDEN];
    size_t count;
} told;

static cop_status listen(void *user, size_t individual, size_t which, const double *values,
                         size_t n, size_t width, size_t task, size_t batch,
                         cop_evidence *evidence) {
    told *t = user;
    (void)individual;
    (void)which;
    (void)task;
    (void)batch;
    (void)evidence;
    assert_true(t->count + n * width <= sizeof t->hidden / sizeof *t->hidden);
    memcpy(t->hidden + t->count, values, n * width * sizeof *values);
    t->count += n * width;
    return COP_OK;
}

static void evaluate(const char *kernel, const test_net *net, const cop_eval_setup *setup,
                     const cop_genome *const *genomes, told *t) {
    const cop_shard shard = test_net_shard(net);
    void *self;
    memset(t, 0, sizeof *t);
    setenv("COPPICE_KERNEL", kernel, 1);
    assert_ok(cop_evaluator_dense.create(&self, setup));
    assert_ok(cop_evaluator_dense.evaluate_own(self, genomes, GENOMES, &shard, listen, t,
                                               t->evidence, NULL));
    cop_evaluator_dense.destroy(self);
    unsetenv("COPPICE_KERNEL");
}

static bool same(double a, double b) {
    return a == b || (isnan(a) && isnan(b));
}

/* Networks wide enough, samples with more and with fewer zeros, in several batches: every kernel
 * tells the same, whether or not it skips. With @p odd a weight is not finite. */
static void compare_kernels(uint32_t seed, bool odd) {
    cop_rng rng = cop_rng_at(36, seed, odd, COP_FOR_TEST);
    const double density = seed % 3 == 0 ? 0.8 : 0.35;
    test_net net = {.n = SAMPLES};
    cop_genome genome[GENOMES] = {0};
    const cop_genome *genomes[GENOMES];
    told *first = COP_NEW(told), *other = COP_NEW(told);
    size_t count;
    const cop_sign_ops *const *kernels = cop_sign_variants(&count);
    assert_ok(cop_model_create(&net.model, "300", "dense(140) relu dense(80) relu dense(10)"));
    cop_params_init(&net.params, net.model);
    cop_params_randomise(&net.params, net.model, seed);
    cop_mask_init(&net.mask, net.model->weights);
    net.x = cop_alloc(net.n * INPUTS, sizeof(float));
    net.label = COP_NEW_ARRAY(int32_t, net.n);
    for (size_t k = 0; k < net.n * INPUTS; k++)
        if (cop_rng_uniform(&rng) < density) net.x[k] = (float)cop_rng_normal(&rng);
    for (size_t k = 0; k < net.n; k++) net.label[k] = (int32_t)cop_rng_below(&rng, 10);
    for (size_t g = 0; g < GENOMES; g++) {
        cop_mask units = {0};
        cop_mask_init(&units, net.model->biases);
        for (size_t u = 0; u < net.model->biases; u++)
            if (u >= 220 || cop_rng_uniform(&rng) < 0.95) cop_mask_set(&units, u);
        cop_dense_build(&genome[g], net.model, &net.params, NULL, &units);
        if (odd)
            genome[g].w[cop_rng_below(&rng, cop_mask_count(&genome[g].mask))] =
                g % 2 ? INFINITY : NAN;
        if (g % 2) cop_genome_name(&genome[g], net.model);
        genomes[g] = &genome[g];
        cop_mask_clear(&units);
    }
    cop_eval_setup setup = {.model = net.model,
                            .base = &net.params,
                            .batch = 30 + seed % 40,
                            .hidden = 2,
                            .hidden_layer = {1, 3},
                            .weighting = {COP_WEIGHTS_TRAINED, 1, {0}}};
    evaluate("plain", &net, &setup, genomes, first);
    assert_true(first->count > 0);
    for (size_t k = 0; k < count; k++) {
        if (!kernels[k]->supported()) continue;
        evaluate(kernels[k]->name, &net, &setup, genomes, other);
        assert_int_equal(first->count, other->count);
        for (size_t i = 0; i < first->count; i++)
            assert_true(same(first->hidden[i], other->hidden[i]));
        for (size_t g = 0; g < GENOMES; g++) {
            assert_int_equal(first->evidence[g].correct[0], other->evidence[g].correct[0]);
            assert_true(same(first->evidence[g].loss[0], other->evidence[g].loss[0]));
        }
    }
    for (size_t g = 0; g < GENOMES; g++) cop_genome_clear(&genome[g]);
    cop_free(first);
    cop_free(other);
    test_net_clear(&net);
}

static void dense_networks_are_the_same_with_every_kernel(void **state) {
    (void)state;
    for (uint32_t seed = 0; seed < 12; seed++) {
        compare_kernels(seed, false);
        compare_kernels(seed, true);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_all_inputs),
        cmocka_unit_test(weights_that_are_not_finite_are_refused),
        cmocka_unit_test(dense_networks_are_the_same_with_every_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
