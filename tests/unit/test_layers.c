/* Layers and loss against plain definitions. */
#include "../support/support.h"
#include "coppice/net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The layer's output for one sample by the formula, in double. */
static void convolve(const cop_layer *layer, const float *w, const float *b, const float *x,
                     double *y) {
    long high = (long)layer->in.height, wide = (long)layer->in.width, kernel = (long)layer->kernel;
    for (size_t o = 0; o < layer->out.channels; o++)
        for (size_t oy = 0; oy < layer->out.height; oy++)
            for (size_t ox = 0; ox < layer->out.width; ox++) {
                double sum = (double)b[o];
                for (size_t c = 0; c < layer->in.channels; c++)
                    for (long i = 0; i < kernel; i++)
                        for (long j = 0; j < kernel; j++) {
                            long iy = (long)(oy * layer->stride) + i - (long)layer->padding;
                            long ix = (long)(ox * layer->stride) + j - (long)layer->padding;
                            if (iy < 0 || ix < 0 || iy >= high || ix >= wide) continue;
                            size_t weight =
                                (o * layer->in.channels + c) * (size_t)(kernel * kernel) +
                                (size_t)(i * kernel + j);
                            size_t pixel = c * (size_t)(high * wide) + (size_t)(iy * wide + ix);
                            sum += (double)w[weight] * (double)x[pixel];
                        }
                *y++ = sum;
            }
}

static void convolution_is_its_formula(void **state) {
    (void)state;
    static const char *const shapes[][2] = {
        {"1x28x28", "conv2d(4,3)"},   {"3x9x7", "conv2d(5,3,2)"},    {"2x8x8", "conv2d(3,5,1,2)"},
        {"2x5x9", "conv2d(3,4,3,3)"}, {"4x6x6", "conv2d(3,1)"},      {"4x7x7", "conv2d(2,1,3)"},
        {"1x3x3", "conv2d(2,3,1,2)"}, {"2x1x6", "conv2d(2,3,2,1)"},  {"2x4x5", "conv2d(6,4)"},
        {"1x2x2", "conv2d(2,6,1,5)"}, {"1x10x3", "conv2d(2,2,5,1)"}, {"2x7x5", "conv2d(3,3,1,1)"},
        {"2x3x4", "conv2d(3,5,1,2)"}, {"1x2x9", "conv2d(2,5,1,2)"},  {"3x8x8", "conv2d(2,7,1,3)"},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        enum { N = 3 };
        cop_model *m = NULL;
        cop_params params;
        assert_ok(cop_model_create(&m, shapes[i][0], shapes[i][1]));
        cop_params_init(&params, m);
        cop_params_randomise(&params, m, i);
        size_t in = cop_shape_size(m->input), out = cop_shape_size(m->layers[0].out);
        float *x = COP_NEW_ARRAY(float, N *in);
        double *y = COP_NEW_ARRAY(double, out);
        cop_rng rng = cop_rng_at(1, 0, (uint32_t)i, COP_FOR_TEST);
        for (size_t k = 0; k < N * in; k++) x[k] = (float)cop_rng_normal(&rng);
        cop_net_work *work = cop_net_work_create(m, N, false);
        const float *seen = cop_net_forward(work, &params, x, N, NULL);
        for (size_t s = 0; s < N; s++) {
            convolve(&m->layers[0], params.w, params.b, x + s * in, y);
            for (size_t k = 0; k < out; k++) assert_near(seen[s * out + k], y[k], 1e-5);
        }
        cop_net_work_destroy(work);
        cop_free(x);
        cop_free(y);
        cop_params_clear(&params);
        cop_model_destroy(m);
    }
}

/* A network whose dense layer adds up everything with weight 1, for layers without weights. */
static const float *through(const char *input, const char *layers, const float *x, size_t n,
                            size_t layer, cop_net_work **work, cop_model **m, cop_params *params) {
    assert_ok(cop_model_create(m, input, layers));
    cop_params_init(params, *m);
    for (size_t i = 0; i < params->weights; i++) params->w[i] = 1.0f;
    *work = cop_net_work_create(*m, n, true);
    cop_net_forward(*work, params, x, n, NULL);
    return cop_net_output(*work, layer);
}

static void release(cop_net_work *work, cop_model *m, cop_params *params) {
    cop_net_work_destroy(work);
    cop_params_clear(params);
    cop_model_destroy(m);
}

static void pooling_takes_the_first_of_equals(void **state) {
    (void)state;
    const float x[] = {1, 5, 5, 2, 0, /**/ 5, 0, -1, 7, 0, /**/ -3, -4, 7, 1, 0};
    cop_net_work *work;
    cop_model *m;
    cop_params params;
    const float *y =
        through("1x3x5", "conv2d(1,1) maxpool(2,1) dense(2)", x, 1, 1, &work, &m, &params);
    const float wanted[] = {5, 5, 7, 7, 5, 7, 7, 7};
    assert_memory_equal(y, wanted, sizeof wanted);
    /* the convolution's only weight receives sum over windows of gradient * winning pixel */
    for (size_t k = 0; k < 8; k++) params.w[1 + 8 + k] = 1.0f + (float)(k + 1) / 16.0f;
    cop_net_forward(work, &params, x, 1, NULL);
    const int32_t label = 0;
    cop_net_loss(work, &label, 1, NULL);
    cop_params gradient;
    cop_params_init(&gradient, m);
    cop_net_backward(work, &params, &gradient);
    double p =
        1.0 / (1.0 + exp(-(5 * 1 + 5 * 2 + 7 * 3 + 7 * 4 + 5 * 5 + 7 * 6 + 7 * 7 + 7 * 8) / 16.0));
    double slope = 0;
    for (size_t k = 0; k < 8; k++) slope += p * (double)(k + 1) / 16.0 * (double)wanted[k];
    assert_near(gradient.w[0], slope, 1e-4);
    cop_params_clear(&gradient);
    release(work, m, &params);

    const float broken[] = {1, NAN, 2, 3, NAN, 4};
    y = through("1x2x3", "maxpool(2,1) dense(2)", broken, 1, 0, &work, &m, &params);
    assert_true(isnan(y[0]) && isnan(y[1]));
    release(work, m, &params);
}

static void ties_send_the_gradient_to_one_place(void **state) {
    (void)state;
    /* pixels 0 and 2 are equal, made of channel 0 and channel 1: only one channel's weight learns
     */
    const float x[] = {1, 0, 0, 0, /**/ 0, 0, 1, 0};
    cop_net_work *work;
    cop_model *m;
    cop_params params, gradient;
    through("2x2x2", "conv2d(1,1) maxpool(2) dense(2)", x, 1, 1, &work, &m, &params);
    params.w[2] = 3.0f;
    cop_net_forward(work, &params, x, 1, NULL);
    const int32_t label = 1;
    cop_net_loss(work, &label, 1, NULL);
    cop_params_init(&gradient, m);
    cop_net_backward(work, &params, &gradient);
    /* logits 3 and 1: the pooled value receives (3 - 1) p, once */
    double p = 1.0 / (1.0 + exp(-2.0));
    assert_near(gradient.w[0], 2 * p, 1e-5);
    assert_near(gradient.w[1], 0, 0);
    assert_near(gradient.b[0], 2 * p, 1e-5);
    cop_params_clear(&gradient);
    release(work, m, &params);
}

static void activations_are_their_formulas(void **state) {
    (void)state;
    static const float x[] = {-100, -3, -0.5f, 0, 0.5f, 3, 100};
    enum { N = 7 };
    static const struct {
        const char *word;
        double y[N];
    } wanted[] = {
        {"identity", {-100, -3, -0.5, 0, 0.5, 3, 100}},
        {"relu", {0, 0, 0, 0, 0.5, 3, 100}},
        {"leaky_relu", {-1, -0.03, -0.005, 0, 0.5, 3, 100}},
        {"elu", {-1, -0.9502129316, -0.3934693403, 0, 0.5, 3, 100}},
        {"tanh", {-1, -0.9950547537, -0.4621171573, 0, 0.4621171573, 0.9950547537, 1}},
        {"sigmoid", {0, 0.0474258732, 0.3775406688, 0.5, 0.6224593312, 0.9525741268, 1}},
        {"softplus",
         {0, 0.0485873516, 0.4740769842, 0.6931471806, 0.9740769842, 3.0485873516, 100}},
        {"silu", {0, -0.1422776195, -0.1887703344, 0, 0.3112296656, 2.8577223805, 100}},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char layers[64];
        snprintf(layers, sizeof layers, "%s dense(2)", wanted[i].word);
        cop_net_work *work;
        cop_model *m;
        cop_params params;
        const float *y = through("7", layers, x, 1, 0, &work, &m, &params);
        for (size_t k = 0; k < N; k++)
            assert_near(y[k], wanted[i].y[k], 1e-6 * (1 + fabs(wanted[i].y[k])));
        const float broken[N] = {NAN, 1, 1, 1, 1, 1, 1};
        cop_net_forward(work, &params, broken, 1, NULL);
        assert_true(isnan(cop_net_output(work, 0)[0]));
        release(work, m, &params);
    }
}

static void dropout_keeps_the_mean_and_follows_its_key(void **state) {
    (void)state;
    enum { D = 2000, N = 10 };
    cop_net_work *work;
    cop_model *m;
    cop_params params;
    float *x = COP_NEW_ARRAY(float, D *N), *first = COP_NEW_ARRAY(float, D *N);
    for (size_t i = 0; i < D * N; i++) x[i] = 1.0f;
    const float *y = through("2000", "dropout(0.3) dense(2)", x, N, 0, &work, &m, &params);
    assert_memory_equal(y, x, D * N * sizeof *x); /* inference */
    cop_dropout_key keys[] = {{1, 0, 0}, {1, 0, 0}, {1, 1, 0}, {2, 0, 0}, {1, 0, 3}};
    for (size_t k = 0; k < 5; k++) {
        cop_net_forward(work, &params, x, N, &keys[k]);
        y = cop_net_output(work, 0);
        size_t dropped = 0;
        for (size_t i = 0; i < D * N; i++) {
            assert_true(y[i] == 0.0f || fabsf(y[i] - 1.0f / 0.7f) < 1e-6f);
            dropped += y[i] == 0.0f;
        }
        /* binomial(20000, 0.3): standard deviation 64.8 */
        assert_near((double)dropped, 6000, 4 * 64.8);
        if (k == 0) memcpy(first, y, D * N * sizeof *y);
        if (k == 1) assert_memory_equal(first, y, D * N * sizeof *y);
        if (k > 1) assert_true(memcmp(first, y, D * N * sizeof *y) != 0);
    }
    cop_free(x);
    cop_free(first);
    release(work, m, &params);
}

/* Logits (n, 3) as given, by a dense layer that copies its input. */
static double loss_of(const float *logits, const int32_t *label, size_t n, size_t *correct,
                      cop_params *gradient) {
    cop_model *m = NULL;
    cop_params params;
    assert_ok(cop_model_create(&m, "3", "identity dense(3)"));
    cop_params_init(&params, m);
    for (size_t i = 0; i < 3; i++) params.w[4 * i] = 1.0f;
    cop_net_work *work = cop_net_work_create(m, n, true);
    cop_net_forward(work, &params, logits, n, NULL);
    double loss = cop_net_loss(work, label, n, correct);
    if (gradient) {
        cop_params_init(gradient, m);
        cop_net_backward(work, &params, gradient);
    }
    release(work, m, &params);
    return loss;
}

static void loss_is_cross_entropy(void **state) {
    (void)state;
    const float logits[] = {1, 2, 3, /**/ 0, 0, 0, /**/ 5, 5, -5};
    const int32_t label[] = {2, 1, 1};
    size_t correct;
    cop_params g;
    double loss = loss_of(logits, label, 3, &correct, &g);
    assert_near(loss, (0.40760596444 + 1.09861228867 + 0.69316988063) / 3, 1e-9);
    assert_int_equal(correct, 1); /* ties go to the lowest class */
    /* biases receive the mean of p - onehot */
    double p1[] = {0.09003057, 0.24472847, 0.66524096}, p3[] = {0.49998865, 0.49998865, 2.2699e-5};
    assert_near(g.b[0], (p1[0] + 1.0 / 3 + p3[0]) / 3, 1e-6);
    assert_near(g.b[1], (p1[1] + 1.0 / 3 - 1 + p3[1] - 1) / 3, 1e-6);
    assert_near(g.b[2], (p1[2] - 1 + 1.0 / 3 + p3[2]) / 3, 1e-6);
    cop_params_clear(&g);

    const float huge[] = {1e30f, -1e30f, 0};
    assert_near(loss_of(huge, &(int32_t){0}, 1, &correct, NULL), 0.0, 0.0);
    assert_near(loss_of(huge, &(int32_t){1}, 1, &correct, NULL) / 2e30, 1.0, 1e-6);
}

/* A dense layer spreads a NaN over all logits, so broken logits are made by its biases. */
static void broken_logits_never_win(void **state) {
    (void)state;
    static const struct {
        float logits[3];
        int32_t label;
        size_t correct;
    } cases[] = {
        {{NAN, 1, 0}, 1, 1},          {{INFINITY, 1, 2}, 0, 0}, {{INFINITY, 1, 2}, 2, 1},
        {{-INFINITY, -5, NAN}, 1, 1}, {{NAN, NAN, NAN}, 0, 0},  {{INFINITY, INFINITY, NAN}, 0, 0},
    };
    cop_model *m = NULL;
    cop_params params, gradient;
    assert_ok(cop_model_create(&m, "2", "dense(3)"));
    cop_params_init(&params, m);
    cop_params_init(&gradient, m);
    cop_net_work *work = cop_net_work_create(m, 1, true);
    const float x[] = {1, 1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t correct;
        memcpy(params.b, cases[i].logits, sizeof cases[i].logits);
        cop_net_forward(work, &params, x, 1, NULL);
        double loss = cop_net_loss(work, &cases[i].label, 1, &correct);
        assert_true(isinf(loss) && loss > 0);
        assert_int_equal(correct, cases[i].correct);
        cop_net_backward(work, &params, &gradient);
        for (size_t k = 0; k < 3; k++) assert_true(gradient.b[k] == 0.0f);
    }
    cop_params_clear(&gradient);
    release(work, m, &params);
}

static void score_covers_every_sample(void **state) {
    (void)state;
    enum { N = 253, D = 4 };
    cop_model *m = NULL;
    cop_params params;
    float x[N * D];
    int32_t label[N];
    assert_ok(cop_model_create(&m, "4", "dense(3)"));
    cop_params_init(&params, m);
    cop_params_randomise(&params, m, 1);
    cop_rng rng = cop_rng_at(1, 0, 0, COP_FOR_TEST);
    for (size_t i = 0; i < N * D; i++) x[i] = (float)cop_rng_normal(&rng);
    for (size_t i = 0; i < N; i++) label[i] = (int32_t)cop_rng_below(&rng, 3);
    cop_dataset set = {
        .samples = N, .channels = 1, .height = 1, .width = D, .classes = 3, .x = x, .label = label};
    double accuracy, loss, wanted_loss = 0;
    size_t hits = 0;
    cop_net_work *work = cop_net_work_create(m, 1, false);
    for (size_t i = 0; i < N; i++) {
        size_t correct;
        cop_net_forward(work, &params, x + i * D, 1, NULL);
        wanted_loss += cop_net_loss(work, &label[i], 1, &correct) / N;
        hits += correct;
    }
    cop_net_score(m, &params, &set, &accuracy, &loss);
    assert_near(accuracy, (double)hits / N, 1e-12);
    assert_near(loss, wanted_loss, 1e-6);
    release(work, m, &params);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolution_is_its_formula),
        cmocka_unit_test(pooling_takes_the_first_of_equals),
        cmocka_unit_test(ties_send_the_gradient_to_one_place),
        cmocka_unit_test(activations_are_their_formulas),
        cmocka_unit_test(dropout_keeps_the_mean_and_follows_its_key),
        cmocka_unit_test(loss_is_cross_entropy),
        cmocka_unit_test(broken_logits_never_win),
        cmocka_unit_test(score_covers_every_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
