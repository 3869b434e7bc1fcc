/* Kernels that look only at inputs that are not zero: the values of those that look at all. */
#include "../support/support.h"

#include <math.h>

#include "../support/random_net.h"
#include "coppice/la.h"

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
        cop_full f = {.outputs = r.outputs,
                      .inputs = r.inputs,
                      .vectors = r.vectors,
                      .row = r.row,
                      .bias = i % 3 ? r.bias : NULL,
                      .x = r.x + r.first * BLOCK * r.samples,
                      .relu = i % 2,
                      .y = r.all};
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
            cop_full f = {.outputs = r.outputs,
                          .inputs = r.inputs,
                          .vectors = r.vectors,
                          .row = r.row,
                          .y = r.some};
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_all_inputs),
        cmocka_unit_test(weights_that_are_not_finite_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
