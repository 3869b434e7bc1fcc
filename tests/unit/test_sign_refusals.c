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

/* A sample just beyond 2^30 steps that rounds to them: the same answer from a new evaluator as from
 * one that has a plan for these individuals, whether or not the first layer is a relu. */
static void refusals_do_not_depend_on_what_was_before(void **state) {
    (void)state;
    static const char *const layers[] = {"relu dense(3) relu dense(2)", "dense(3) relu dense(2)"};
    static const float far[] = {-0x1p30f, 0x1p30f, -0x1.000002p30f, 0x1.000002p30f};
    const cop_evaluator *sign = cop_evaluator_find("sign");
    for (size_t i = 0; i < 2; i++) {
        cop_model *model;
        cop_params base;
        cop_mask mask;
        assert_ok(cop_model_create(&model, "2", layers[i]));
        cop_params_init(&base, model);
        cop_params_randomise(&base, model, 1);
        cop_mask_init(&mask, model->weights);
        cop_mask_fill(&mask);
        const cop_mask *block = &mask;
        const cop_eval_setup setup = {.model = model,
                                      .base = &base,
                                      .scale = 1 + 0x1p-32, /* 2^30 become 2^30 + 1/4 */
                                      .batch = 2,
                                      .weighting = {COP_WEIGHTS_SIGNED, 1, {1}}};
        for (size_t k = 0; k < 4; k++) {
            float x[] = {100, -100, far[k], 5};
            const int32_t label[] = {0, 1};
            const cop_shard near = {.x = x, .label = label, .n = 1},
                            both = {.x = x, .label = label, .n = 2};
            cop_evidence evidence[2];
            cop_status seen[2];
            for (int before = 0; before < 2; before++) {
                void *self;
                assert_ok(sign->create(&self, &setup));
                if (before)
                    assert_ok(
                        sign->evaluate(self, &block, 1, &near, NULL, NULL, &evidence[1], NULL));
                seen[before] =
                    sign->evaluate(self, &block, 1, &both, NULL, NULL, &evidence[before], NULL);
                sign->destroy(self);
            }
            assert_int_equal(seen[0], seen[1]);
            assert_int_equal(seen[0], k < 2 ? COP_OK : COP_E_EVALUATE);
            if (seen[0] == COP_OK)
                assert_memory_equal(&evidence[0], &evidence[1], sizeof *evidence);
            cop_error_clear();
        }
        cop_mask_clear(&mask);
        cop_params_clear(&base);
        cop_model_destroy(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_it_cannot_do),
        cmocka_unit_test(refuses_samples_off_the_grid),
        cmocka_unit_test(refusals_do_not_depend_on_what_was_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
