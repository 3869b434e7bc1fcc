/* What the evaluator `sign` cannot do exactly it refuses, naming the layer or the sample. */
#include "../support/support.h"

#include <math.h>
#include <stdlib.h>

#include "../support/random_net.h"

static cop_status try_create(const char *layers, cop_weighting weighting, double scale,
                             float bias) {
    cop_model *model;
    cop_params params;
    void *self = NULL;
    const cop_evaluator *sign = cop_evaluator_find("sign");
    assert_ok(cop_model_create(&model, "1x6x6", layers));
    cop_params_init(&params, model);
    params.b[0] = bias;
    cop_eval_setup setup = {
        .model = model, .base = &params, .weighting = weighting, .scale = scale, .batch = 10};
    cop_status status = sign->create(&self, &setup);
    if (status == COP_OK) {
        assert_true(sign->bytes(&setup) > model->weights);
        sign->destroy(self);
    }
    cop_params_clear(&params);
    cop_model_destroy(model);
    return status;
}

static void refuses_what_it_cannot_do(void **state) {
    (void)state;
    const cop_weighting one = {COP_WEIGHTS_SIGNED, 1, {1}};
    const cop_weighting trained = {COP_WEIGHTS_TRAINED, 1, {0}};
    const cop_weighting negative = {COP_WEIGHTS_SIGNED, 2, {-1, 1}};
    const cop_weighting tiny = {COP_WEIGHTS_SIGNED, 1, {1e-12}};
    assert_ok(try_create("conv2d(2,3) relu maxpool(2) dropout(0.5) flatten dense(3)", one, 1, 0));
    assert_fails(try_create("conv2d(2,3) relu flatten dense(9) squash=tanh dense(3)", one, 1, 0),
                 COP_E_CONFIG, "squash");
    assert_fails(try_create("dense(9) sigmoid dense(3)", one, 1, 0), COP_E_CONFIG,
                 "arithmetic = blas");
    assert_fails(try_create("dense(3)", trained, 1, 0), COP_E_CONFIG, "trained weights");
    assert_fails(try_create("dense(3)", negative, 1, 0), COP_E_CONFIG, "values = -1");
    assert_fails(try_create("dense(3)", one, 0, 0), COP_E_CONFIG, "scale");
    assert_fails(try_create("dense(3)", one, INFINITY, 0), COP_E_CONFIG, "scale");
    assert_ok(try_create("dense(3)", tiny, 1, 1));
    assert_fails(try_create("dense(3)", tiny, 1e6, 1e6f), COP_E_CONFIG, "bias 0 of layer dense1");
    assert_fails(try_create("dense(3)", one, 1, NAN), COP_E_CONFIG, "bias 0 of layer dense1");
    setenv("COPPICE_KERNEL", "mmx", 1);
    assert_fails(try_create("dense(3)", one, 1, 0), COP_E_CONFIG, "plain");
    assert_string_equal(cop_sign_kernel(), "none");
    unsetenv("COPPICE_KERNEL");
    cop_error_clear();
}

static void refuses_samples_off_the_grid(void **state) {
    (void)state;
    cop_rng rng = cop_rng_at(4, 0, 0, COP_FOR_TEST);
    test_net net;
    test_net_create(&net, &rng, 20, 1, 100);
    cop_eval_setup setup = {.model = net.model,
                            .base = &net.params,
                            .scale = 1,
                            .batch = 20,
                            .weighting = {COP_WEIGHTS_SIGNED, 2, {1, 2}}};
    const cop_evaluator *sign = cop_evaluator_find("sign");
    const cop_mask *mask = &net.mask;
    cop_shard shard = test_net_shard(&net);
    cop_evidence evidence;
    void *self;
    size_t inputs = cop_shape_size(net.model->input);
    assert_ok(sign->create(&self, &setup));
    static const float bad[] = {NAN, INFINITY, -INFINITY, 2e9f};
    for (size_t i = 0; i < 4; i++) {
        net.x[7 * inputs] = bad[i];
        assert_fails(sign->evaluate(self, &mask, 1, &shard, NULL, NULL, &evidence, NULL),
                     COP_E_EVALUATE, "sample 7 of the shard, feature 0");
    }
    sign->destroy(self);
    test_net_clear(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_it_cannot_do),
        cmocka_unit_test(refuses_samples_off_the_grid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
