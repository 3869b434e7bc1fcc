/* What every registered layer promises: gradients that agree with differences of the loss, and a
 * result that depends on nothing but inputs, parameters and dropout key. A layer without an example
 * here fails. */
#include "../support/support.h"
#include "coppice/net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 5 };

/* Each layer stands between others that learn, so that its inputs' gradient is seen in theirs. */
static const struct {
    const char *word, *input, *layers;
} examples[] = {
    {"dense", "7", "dense(6) tanh dense(5) tanh dense(3)"},
    {"dense", "2x3x4", "dense(4)"},
    {"conv2d", "2x6x5", "conv2d(3,3) tanh conv2d(2,2) tanh dense(3)"},
    {"conv2d", "2x7x6", "conv2d(3,3,2,1) tanh conv2d(4,3,1,2) tanh dense(3)"},
    {"conv2d", "1x9x8", "conv2d(2,1) tanh conv2d(3,4,3,3) tanh conv2d(2,1,2) dense(3)"},
    {"conv2d", "2x5x5", "conv2d(3,3) tanh conv2d(3,3)"},
    {"conv2d", "2x5x4", "conv2d(3,3,1,1) tanh conv2d(2,5,1,2) tanh dense(3)"},
    {"maxpool", "2x6x6", "conv2d(3,1) maxpool(2) dense(3)"},
    {"maxpool", "2x7x6", "conv2d(3,1) maxpool(3,2) dense(3)"},
    {"maxpool", "1x7x7", "conv2d(3,1) maxpool(2,3) dense(3)"},
    {"dropout", "12", "dense(20) dropout(0.4) tanh dense(8) dropout(0.25) dense(3)"},
    {"flatten", "2x4x4", "conv2d(3,3) flatten tanh dense(3) flatten"},
    {"identity", "6", "dense(5) identity dense(3)"},
    {"relu", "6", "dense(15) relu dense(3)"},
    {"leaky_relu", "6", "dense(15) leaky_relu dense(3)"},
    {"elu", "6", "dense(15) elu dense(3)"},
    {"tanh", "6", "dense(15) tanh dense(3)"},
    {"sigmoid", "6", "dense(15) sigmoid dense(3)"},
    {"softplus", "6", "dense(15) softplus dense(3)"},
    {"silu", "6", "dense(15) silu dense(3)"},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

typedef struct subject {
    cop_model *model;
    cop_params params, gradient;
    cop_net_work *work;
    float *x;
    int32_t label[SAMPLES];
    cop_dropout_key key;
} subject;

static void subject_create(subject *s, size_t example, size_t batch) {
    memset(s, 0, sizeof *s);
    assert_ok(cop_model_create(&s->model, examples[example].input, examples[example].layers));
    cop_params_init(&s->params, s->model);
    cop_params_init(&s->gradient, s->model);
    cop_params_randomise(&s->params, s->model, 3 + example);
    for (size_t i = 0; i < s->params.weights; i++) s->params.w[i] *= 2.0f;
    size_t features = cop_shape_size(s->model->input);
    s->x = COP_NEW_ARRAY(float, SAMPLES *features);
    cop_rng rng = cop_rng_at(11, 0, (uint32_t)example, COP_FOR_TEST);
    for (size_t i = 0; i < SAMPLES * features; i++) s->x[i] = (float)cop_rng_normal(&rng);
    for (size_t i = 0; i < SAMPLES; i++)
        s->label[i] = (int32_t)cop_rng_below(&rng, s->model->classes);
    s->work = cop_net_work_create(s->model, batch, true);
    s->key = (cop_dropout_key){.seed = 9, .batch = 2};
}

static void subject_clear(subject *s) {
    cop_net_work_destroy(s->work);
    cop_params_clear(&s->params);
    cop_params_clear(&s->gradient);
    cop_free(s->x);
    cop_model_destroy(s->model);
}

static double loss_of(subject *s) {
    cop_net_forward(s->work, &s->params, s->x, SAMPLES, &s->key);
    return cop_net_loss(s->work, s->label, SAMPLES, NULL);
}

/* Central difference by one parameter. The loss is a float computation with rounding of about 2e-7,
 * so the step is large (0.02) and Richardson's rule removes the error of its square. Kinks show as
 * differences to the right and to the left that disagree: *smooth is false there. */
static double difference(subject *s, float *parameter, bool *smooth) {
    const float kept = *parameter;
    const double step = 0.02;
    double at = loss_of(s), value[4];
    const double offset[4] = {-step, -step / 2, step / 2, step};
    for (size_t i = 0; i < 4; i++) {
        *parameter = kept + (float)offset[i];
        value[i] = loss_of(s);
    }
    *parameter = kept;
    double wide = (value[3] - value[0]) / (2 * step), narrow = (value[2] - value[1]) / step;
    /* in a smooth place both are second differences of the same function: -> f'' */
    double bend_wide = (value[3] - 2 * at + value[0]) / (step * step);
    double bend_narrow = 4 * (value[2] - 2 * at + value[1]) / (step * step);
    *smooth = fabs(wide - narrow) < 1e-4 + 2e-3 * fabs(narrow) &&
              fabs(bend_wide - bend_narrow) < 0.02 + 0.2 * fabs(bend_narrow);
    return narrow + (narrow - wide) / 3;
}

static void check_array(subject *s, float *parameters, const float *gradient, size_t count,
                        size_t example, size_t *smooth_ones) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)gradient[i]));
    assert_true(largest > 0);
    for (size_t i = 0; i < count; i++) {
        bool smooth;
        double wanted = difference(s, &parameters[i], &smooth), seen = (double)gradient[i];
        if (!smooth) continue;
        ++*smooth_ones;
        if (fabs(wanted - seen) > 1e-4 + 2e-3 * fabs(wanted))
            fail_msg("%s: parameter %zu of %zu: gradient %g, difference %g",
                     examples[example].layers, i, count, seen, wanted);
    }
}

static void gradients_agree_with_differences(void **state) {
    (void)state;
    for (size_t e = 0; e < EXAMPLES; e++) {
        subject s;
        subject_create(&s, e, SAMPLES + 2);
        loss_of(&s);
        /* overwritten, not added to */
        for (size_t i = 0; i < s.gradient.weights; i++) s.gradient.w[i] = 1e6f;
        for (size_t i = 0; i < s.gradient.biases; i++) s.gradient.b[i] = 1e6f;
        cop_net_backward(s.work, &s.params, &s.gradient);
        size_t smooth = 0, all = s.params.weights + s.params.biases;
        check_array(&s, s.params.w, s.gradient.w, s.params.weights, e, &smooth);
        check_array(&s, s.params.b, s.gradient.b, s.params.biases, e, &smooth);
        if (smooth < all * 6 / 10)
            fail_msg("%s: only %zu of %zu parameters in smooth places", examples[e].layers, smooth,
                     all);
        subject_clear(&s);
    }
}

static void every_registered_layer_has_an_example(void **state) {
    (void)state;
    size_t count;
    const cop_layer_info *infos = cop_layer_infos(&count);
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        assert_true(infos[i].word[0] && infos[i].summary[0]);
        for (size_t e = 0; e < EXAMPLES; e++)
            found = found || strcmp(examples[e].word, infos[i].word) == 0;
        if (!found) fail_msg("layer %s: add an example of it to this file", infos[i].word);
    }
}

/* The same call twice gives the same bits, with other calls in between; inputs and parameters are
 * left alone; a larger workspace changes nothing. */
static void passes_depend_on_nothing_else(void **state) {
    (void)state;
    for (size_t e = 0; e < EXAMPLES; e++) {
        subject s, other;
        subject_create(&s, e, SAMPLES);
        subject_create(&other, e, 3 * SAMPLES);
        size_t classes = s.model->classes, features = cop_shape_size(s.model->input);
        float *first = COP_NEW_ARRAY(float, SAMPLES *classes);
        memcpy(first, cop_net_forward(s.work, &s.params, s.x, SAMPLES, &s.key),
               SAMPLES * classes * sizeof *first);
        cop_net_loss(s.work, s.label, SAMPLES, NULL);
        cop_net_backward(s.work, &s.params, &s.gradient);
        assert_memory_equal(s.x, other.x, SAMPLES * features * sizeof *s.x);
        assert_memory_equal(s.params.w, other.params.w, s.params.weights * sizeof *s.params.w);
        assert_memory_equal(s.params.b, other.params.b, s.params.biases * sizeof *s.params.b);
        cop_net_forward(other.work, &other.params, other.x, 1, NULL);
        cop_net_forward(other.work, &other.params, other.x + features, 2,
                        &(cop_dropout_key){.seed = 1, .batch = 7});
        assert_memory_equal(
            first, cop_net_forward(other.work, &other.params, other.x, SAMPLES, &other.key),
            SAMPLES * classes * sizeof *first);
        cop_net_loss(other.work, other.label, SAMPLES, NULL);
        cop_net_backward(other.work, &other.params, &other.gradient);
        assert_memory_equal(s.gradient.w, other.gradient.w, s.params.weights * sizeof(float));
        assert_memory_equal(s.gradient.b, other.gradient.b, s.params.biases * sizeof(float));
        cop_free(first);
        subject_clear(&s);
        subject_clear(&other);
    }
}

/* A workspace for inference gives the bits of a training one without dropout. */
static void inference_is_training_without_dropout(void **state) {
    (void)state;
    for (size_t e = 0; e < EXAMPLES; e++) {
        subject s;
        subject_create(&s, e, SAMPLES);
        cop_net_work *plain = cop_net_work_create(s.model, SAMPLES, false);
        const float *seen = cop_net_forward(plain, &s.params, s.x, SAMPLES, NULL);
        const float *wanted = cop_net_forward(s.work, &s.params, s.x, SAMPLES, NULL);
        assert_memory_equal(seen, wanted, SAMPLES * s.model->classes * sizeof *seen);
        for (size_t i = 0; i < s.model->count; i++)
            assert_memory_equal(cop_net_output(plain, i), cop_net_output(s.work, i),
                                SAMPLES * cop_shape_size(s.model->layers[i].out) * sizeof *seen);
        assert_true(cop_net_work_bytes(s.model, SAMPLES, false) <
                    cop_net_work_bytes(s.model, SAMPLES, true));
        cop_net_work_destroy(plain);
        subject_clear(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_registered_layer_has_an_example),
        cmocka_unit_test(gradients_agree_with_differences),
        cmocka_unit_test(passes_depend_on_nothing_else),
        cmocka_unit_test(inference_is_training_without_dropout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
