/* The fixed-point grid: its scale, and what is lost against floating point off the grid. */
#include "../support/support.h"

#include <math.h>

#include "../support/random_net.h"

/* Networks, samples and biases that lie on no grid: fixed point agrees on 99.9 % of the
 * predictions. */
static void fixed_point_agrees_with_floating_point(void **state) {
    (void)state;
    static const char *const nets[][2] = {
        {"1x28x28", "relu flatten dense(64) relu dense(10)"},
        {"1x12x12",
         "conv2d(8,3) relu conv2d(12,3) relu maxpool(2) flatten dense(32) relu dense(10)"}};
    static const size_t samples[] = {1500, 700};
    for (size_t i = 0; i < 2; i++) {
        test_net net = {.n = samples[i]};
        cop_rng rng = cop_rng_at(8, (uint32_t)i, 0, COP_FOR_TEST);
        assert_ok(cop_model_create(&net.model, nets[i][0], nets[i][1]));
        size_t inputs = cop_shape_size(net.model->input);
        cop_params_init(&net.params, net.model);
        cop_params_randomise(&net.params, net.model, 9);
        cop_mask_init(&net.mask, net.model->weights);
        cop_rng_sample(&rng, net.model->weights * 6 / 10, &net.mask);
        net.x = cop_alloc(net.n * inputs, sizeof(float));
        net.label = COP_NEW_ARRAY(int32_t, net.n);
        for (size_t j = 0; j < net.n * inputs; j++)
            net.x[j] =
                (float)(((cop_rng_below(&rng, 3) ? 0 : cop_rng_uniform(&rng)) - 0.1307) / 0.3081);
        cop_dataset set = {
            .samples = net.n, .channels = 1, .height = 1, .width = inputs, .x = net.x};
        const cop_dataset *sets[] = {&set};
        cop_eval_setup setup = {.model = net.model,
                                .base = &net.params,
                                .scale = cop_eval_scale(sets, 1, 2047),
                                .batch = 100,
                                .weighting = {COP_WEIGHTS_SIGNED, 3, {0.5, 1, 2}}};
        uint16_t *p = COP_NEW_ARRAY(uint16_t, 3 * net.n), *q = COP_NEW_ARRAY(uint16_t, 3 * net.n);
        cop_evidence a, b;
        cop_shard shard = test_net_shard(&net);
        test_evaluate("sign", &setup, &net.mask, &shard, NULL, NULL, &a, p);
        test_evaluate("reference", &setup, &net.mask, &shard, NULL, NULL, &b, q);
        size_t differ = 0;
        for (size_t j = 0; j < 3 * net.n; j++) differ += p[j] != q[j];
        print_message("# %s: %zu of %zu predictions differ\n", nets[i][1], differ, 3 * net.n);
        assert_true(differ * 1000 <= 3 * net.n);
        for (size_t v = 0; v < 3; v++) assert_near(a.loss[v] / b.loss[v], 1, 1e-3);
        cop_free(p);
        cop_free(q);
        test_net_clear(&net);
    }
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
        cmocka_unit_test(scale_maps_the_largest_input_to_the_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
