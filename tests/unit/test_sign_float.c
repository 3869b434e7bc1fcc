/* The fixed-point grid: its scale, and what is lost against floating point off the grid. */
#include "../support/support.h"
#include "data_support.h"

#include <math.h>

#include "../support/oracle.h"
#include "../support/random_net.h"

/* Predictions @p p of `sign` and @p q in floating point, (V, n): they agree on 99.9 %, and where
 * they differ the integer logits are nearer to each other than the two roundings to the grid,
 * carried through the network, can move them. */
static void differ_in_near_ties(const test_net *net, const cop_eval_setup *setup, const uint16_t *p,
                                const uint16_t *q, double unit) {
    size_t differ = 0, n = net->n, classes = net->model->classes, last = net->model->count - 1;
    double nearest = 0;
    test_oracle o = test_oracle_create(setup, &net->mask);
    for (size_t v = 0; v < setup->weighting.values; v++) {
        double value = setup->weighting.value[v];
        test_bound b = test_bound_create(&o, value, net->x, n, unit);
        for (size_t i = 0; i < n; i++) {
            size_t mine = p[v * n + i], other = q[v * n + i];
            if (mine == other) continue;
            test_oracle_run(&o, value, net->x + i * cop_shape_size(net->model->input));
            const test_wide *z = o.out[last];
            double margin = (double)(z[mine] - z[other]), low = (double)z[0], high = (double)z[0];
            for (size_t k = 0; k < classes; k++) {
                assert_true(z[k] <= z[mine]);
                low = fmin(low, (double)z[k]);
                high = fmax(high, (double)z[k]);
            }
            if (margin > b.error[last][mine] + b.error[last][other])
                fail_msg("value %g, sample %zu: class %zu is %g above class %zu, rounding explains "
                         "%g",
                         value, i, mine, margin, other, b.error[last][mine] + b.error[last][other]);
            nearest = fmax(nearest, margin / (high - low));
            differ++;
        }
        test_bound_clear(&b, net->model);
    }
    test_oracle_clear(&o);
    print_message("# %s: %zu of %zu predictions differ, by at most %.2g of the logits' range\n",
                  net->model->spec, differ, setup->weighting.values * n, nearest);
    assert_true(differ * 1000 <= setup->weighting.values * n);
    assert_true(nearest < 1e-3);
}

/* A network with PyTorch's initial weights and biases and @p density of its edges. */
static void network(test_net *net, const char *input, const char *layers, double density) {
    cop_rng rng = cop_rng_at(8, (uint32_t)(density * 100), 0, COP_FOR_TEST);
    assert_ok(cop_model_create(&net->model, input, layers));
    cop_params_init(&net->params, net->model);
    cop_params_randomise(&net->params, net->model, 9);
    cop_mask_init(&net->mask, net->model->weights);
    cop_rng_sample(&rng, (size_t)((double)net->model->weights * density), &net->mask);
}

/* @p other on the same network, which is freed. */
static void compare(test_net *net, const char *other) {
    size_t inputs = cop_shape_size(net->model->input);
    cop_dataset set = {.samples = net->n, .channels = 1, .height = 1, .width = inputs, .x = net->x};
    const cop_dataset *sets[] = {&set};
    cop_eval_setup setup = {.model = net->model,
                            .base = &net->params,
                            .scale = cop_eval_scale(sets, 1, 2047),
                            .batch = 100,
                            .weighting = {COP_WEIGHTS_SIGNED, 3, {0.5, 1, 2}}};
    uint16_t *p = COP_NEW_ARRAY(uint16_t, 3 * net->n), *q = COP_NEW_ARRAY(uint16_t, 3 * net->n);
    cop_evidence a, b;
    cop_shard shard = test_net_shard(net);
    test_evaluate("sign", &setup, &net->mask, &shard, NULL, NULL, &a, p);
    test_evaluate(other, &setup, &net->mask, &shard, NULL, NULL, &b, q);
    differ_in_near_ties(net, &setup, p, q, strcmp(other, "reference") == 0 ? 0x1p-53 : 0x1p-24);
    for (size_t v = 0; v < 3; v++) assert_near(a.loss[v] / b.loss[v], 1, 5e-3);
    cop_free(p);
    cop_free(q);
    test_net_clear(net);
}

/* Networks, samples and biases that lie on no grid. */
static void fixed_point_agrees_with_floating_point(void **state) {
    (void)state;
    static const char *const nets[][2] = {
        {"1x28x28", "relu flatten dense(64) relu dense(10)"},
        {"1x12x12",
         "conv2d(8,3) relu conv2d(12,3) relu maxpool(2) flatten dense(32) relu dense(10)"}};
    static const size_t samples[] = {1500, 700};
    for (size_t i = 0; i < 2; i++) {
        test_net net = {.n = samples[i]};
        cop_rng rng = cop_rng_at(8, (uint32_t)i, 1, COP_FOR_TEST);
        network(&net, nets[i][0], nets[i][1], 0.6);
        size_t inputs = cop_shape_size(net.model->input);
        net.x = cop_alloc(net.n * inputs, sizeof(float));
        net.label = COP_NEW_ARRAY(int32_t, net.n);
        for (size_t j = 0; j < net.n * inputs; j++)
            net.x[j] =
                (float)(((cop_rng_below(&rng, 3) ? 0 : cop_rng_uniform(&rng)) - 0.1307) / 0.3081);
        compare(&net, "reference");
    }
}

/* The same on real images, against the evaluator for floats. */
static void fixed_point_agrees_on_real_images(void **state) {
    (void)state;
    const char *dir = test_data_dir("mnist/t10k-images-idx3-ubyte.gz");
    if (!dir) skip();
    size_t count;
    const cop_known_set *known = cop_known_sets(&count);
    while (strcmp(known->name, "mnist") != 0) known++;
    cop_conf *conf = NULL;
    cop_dataset *set = NULL;
    assert_ok(cop_conf_parse(&conf, &data_schema, known->ini, "mnist"));
    assert_ok(cop_task_load(&set, conf, "mnist", COP_SPLIT_TEST, dir));
    static const struct {
        const char *layers;
        size_t samples;
        double density;
    } cases[] = {
        {"relu flatten dense(64) relu dense(10)", 10000, 0.6},
        {"relu flatten dense(64) relu dense(10)", 10000, 0.1},
        {"conv2d(8,3) relu conv2d(16,3) relu maxpool(2) flatten dense(64) relu dense(10)", 1500,
         0.3},
    };
    for (size_t i = 0; i < 3; i++) {
        test_net net = {.n = cases[i].samples};
        network(&net, "1x28x28", cases[i].layers, cases[i].density);
        net.x = cop_alloc(net.n * 784, sizeof(float));
        net.label = COP_NEW_ARRAY(int32_t, net.n);
        memcpy(net.x, set->x, net.n * 784 * sizeof(float));
        memcpy(net.label, set->label, net.n * sizeof(int32_t));
        compare(&net, "blas");
    }
    cop_dataset_destroy(set);
    cop_conf_destroy(conf);
}

static void scale_maps_the_largest_input_to_the_steps(void **state) {
    (void)state;
    float x[] = {0.5f, -3, 1, 2}, y[] = {NAN, 4, INFINITY, 0}, zero[4] = {0};
    cop_dataset a = {.samples = 2, .channels = 1, .height = 1, .width = 2, .x = x}, b = a, c = a;
    b.x = y;
    c.x = zero;
    const cop_dataset *sets[] = {&a, &b}, *nothing[] = {&c};
    assert_near(cop_eval_scale(sets, 1, 2047), 2047.0 / 3, 0);
    assert_near(cop_eval_scale(sets, 2, 2047), 2047.0 / 4, 0);
    assert_near(cop_eval_scale(nothing, 1, 2047), 1, 0);
    assert_null(cop_evaluator_find("abacus"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_point_agrees_with_floating_point),
        cmocka_unit_test(fixed_point_agrees_on_real_images),
        cmocka_unit_test(scale_maps_the_largest_input_to_the_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
