/* Networks from text: shapes, names, costs, refusals; parameters and effective weights. */
#include "../support/support.h"
#include "coppice/net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char cnn[] = "conv2d(32,3) relu conv2d(64,3) relu maxpool(2) dropout(0.25) flatten "
                          "dense(128) relu dropout(0.5) dense(10)";

static void thesis_network_has_the_published_sizes(void **state) {
    (void)state;
    cop_model *m = NULL;
    assert_ok(cop_model_create(&m, "1x28x28", cnn));
    assert_int_equal(m->count, 11);
    assert_int_equal(m->weights, 1199648);
    assert_int_equal(m->biases, 234);
    assert_int_equal(m->classes, 10);
    assert_int_equal(m->widest, 64 * 24 * 24);
    assert_int_equal(cop_model_macs(m, NULL), 11992448);
    const cop_layer *pool = &m->layers[cop_model_find(m, "maxpool1")];
    assert_int_equal(pool->out.channels, 64);
    assert_int_equal(pool->out.height, 12);
    const cop_layer *dense = &m->layers[cop_model_find(m, "dense1")];
    assert_int_equal(dense->fan_in, 9216);
    assert_int_equal(dense->weight_begin, 288 + 18432);
    assert_int_equal(dense->bias_begin, 96);
    assert_int_equal(cop_model_find(m, "dense3"), -1);
    cop_model_destroy(m);
}

static void canonical_text_reads_back(void **state) {
    (void)state;
    static const char *const wanted[][3] = {
        {"1x28x28", " conv2d( 3 , 5 ,2, 1 )\n\trelu  top=dense(4) ",
         "1x28x28: conv1=conv2d(3,5,2,1) relu1=relu top=dense(4)"},
        {"500", "relu dropout(0.1) dense(7) tanh dense(2)",
         "500: relu1=relu dropout1=dropout(0.1) dense1=dense(7) tanh1=tanh dense2=dense(2)"},
        {"2x9x9", "maxpool(3,2) maxpool(2,1) conv2d(2,2,2) flatten",
         "2x9x9: maxpool1=maxpool(3,2) maxpool2=maxpool(2,1) conv1=conv2d(2,2,2) flatten1=flatten"},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        cop_model *m = NULL, *again = NULL;
        assert_ok(cop_model_create(&m, wanted[i][0], wanted[i][1]));
        assert_string_equal(m->spec, wanted[i][2]);
        assert_ok(cop_model_create(&again, wanted[i][0], strchr(m->spec, ':') + 1));
        assert_string_equal(again->spec, m->spec);
        cop_model_destroy(m);
        cop_model_destroy(again);
    }
}

static void hidden_activations_are_behind_their_layer(void **state) {
    (void)state;
    cop_model *m = NULL;
    assert_ok(cop_model_create(&m, "1x8x8", "conv2d(2,3) silu conv2d(2,3) maxpool(2) dense(3)"));
    assert_int_equal(cop_model_activation_of(m, 0), 1);
    assert_int_equal(cop_model_activation_of(m, 2), 2);
    assert_int_equal(cop_model_activation_of(m, 4), 4);
    assert_int_equal(cop_layer_uses(&m->layers[0]), 36);
    assert_int_equal(cop_layer_uses(&m->layers[4]), 1);
    cop_mask mask;
    cop_mask_init(&mask, m->weights);
    cop_mask_set(&mask, 0);
    cop_mask_set(&mask, m->layers[4].weight_begin);
    assert_int_equal(cop_model_macs(m, &mask), 37);
    cop_mask_clear(&mask);
    cop_model_destroy(m);
}

static void bad_networks_are_refused_by_word(void **state) {
    (void)state;
    static const struct {
        const char *input, *layers, *message;
    } bad[] = {
        {"28x28", "dense(2)", "input: \"28x28\": wanted channels x height x width"},
        {"", "dense(2)", "wanted channels x height x width"},
        {"1xx28", "dense(2)", "wanted channels x height x width"},
        {"x1x28x28", "dense(2)", "wanted channels x height x width"},
        {"0", "dense(2)", "wanted channels"},
        {"-3", "dense(2)", "wanted channels"},
        {"1x28x28x1", "dense(2)", "wanted channels"},
        {"99999999999999999999", "dense(2)", "wanted channels"},
        {"268435456x2x1", "dense(2)", "larger than 268435456 numbers"},
        {"65536x65536x65536", "dense(2)", "larger than 268435456 numbers"},
        {"4", "", "no layer has weights"},
        {"4", "relu", "no layer has weights"},
        {"4", "dense", "layer 1 \"dense\": 0 arguments, wanted dense(out)"},
        {"4", "dense()", "argument 1 is \"\", wanted a number"},
        {"4", "dense(2", "')' is missing"},
        {"4", "dense(2))", "nothing may follow ')'"},
        {"4", "dense(2)relu", "nothing may follow ')'"},
        {"4", "dense(2,3)", "2 arguments, wanted dense(out)"},
        {"4", "dense(2,3,4,5,6)", "more than 4 arguments"},
        {"4", "dense(0)", "the number of outputs is 0, wanted a whole number from 1"},
        {"4", "dense(-2)", "the number of outputs is -2"},
        {"4", "dense(2.5)", "the number of outputs is 2.5"},
        {"4", "dense(1e300)", "the number of outputs is 1e+300"},
        {"4", "dense(nan)", "argument 1 is \"nan\""},
        {"4", "dense(inf)", "argument 1 is \"inf\""},
        {"4", "dense(2,)", "argument 2 is \"\""},
        {"4", "dense(1)", "gives 1 classes, wanted 2 to 65535"},
        {"4", "dense(65536)", "gives 65536 classes"},
        {"4", "dnese(3)", "there is no layer \"dnese\"; did you mean \"dense\"?"},
        {"4", "quux", "there is no layer \"quux\"; `coppice list layers` shows all"},
        {"4", "dense(3) relu", "layer 2 \"relu1\" stands behind \"dense1\""},
        {"4", "(3)", "layer 1 \"(3)\": the layer must begin with a letter"},
        {"4", "a=b=dense(3)", "wanted '(' or a blank"},
        {"4", "=dense(3)", "the name must begin with a letter"},
        {"4", "x!=dense(3)", "wanted '=' after the name \"x\""},
        {"4", "a=dense(3) a=dense(3)", "the name \"a\" is taken by layer 1"},
        {"4", "dense2=dense(3) dense(3)", "the name \"dense2\" is taken by layer 1"},
        {"4", "abcdefghijklmnopqrstuvwxyzabcdefgh=dense(3)", "longer than 31 characters"},
        {"4", "conv2d(2,3) dense(2)", "a kernel of 3x3 does not fit an input of 4 channels of 1x1"},
        {"4", "maxpool(2) dense(2)", "a window of 2x2 does not fit"},
        {"1x8x8", "conv2d(2,3,0) dense(2)", "the stride is 0"},
        {"1x8x8", "conv2d(2,3,1,3) dense(2)",
         "the padding is 3, wanted a whole number from 0 to 2"},
        {"1x8x8", "conv2d(2,3,1,-1) dense(2)", "the padding is -1"},
        {"1x8x8", "conv2d(2) dense(2)", "1 argument, wanted conv2d(out, kernel"},
        {"1x8x8", "dropout(1) dense(2)", "the rate is 1, wanted at least 0 and below 1"},
        {"1x8x8", "dropout(-0.1) dense(2)", "the rate is -0.1"},
        {"1x8x8", "relu(3) dense(2)", "1 argument, wanted relu without any"},
        {"1x4096x4096", "conv2d(300,1) dense(2)", "an output of 300x4096x4096 is larger"},
        {"1x9000x9000", "conv2d(2,9) dense(2)", "are more than 268435456 numbers"},
        {"268435456", "dense(268435456) dense(2)", "the network has"},
        {"268435456", "dense(8) dense(9) dense(2)", "the network has"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cop_model *m = NULL;
        assert_fails(cop_model_create(&m, bad[i].input, bad[i].layers), COP_E_CONFIG,
                     bad[i].message);
        assert_null(m);
    }
}

/* Whatever the bytes: a model or an error, never anything else (the sanitizers watch). */
static void any_bytes_are_a_network_or_an_error(void **state) {
    (void)state;
    static const char *const pieces[] = {
        "dense",   "conv2d", "(", ")",    ",",    " ",       "=", "3",  "1e9",     "relu",
        "maxpool", "-",      "x", "\x01", "\xff", "flatten", "2", ".5", "dropout", "\n"};
    cop_rng rng = cop_rng_at(5, 0, 0, COP_FOR_TEST);
    size_t made = 0;
    for (int round = 0; round < 20000; round++) {
        char text[400] = "";
        size_t parts = cop_rng_below(&rng, 30);
        for (size_t i = 0; i < parts; i++)
            strcat(text, pieces[cop_rng_below(&rng, sizeof pieces / sizeof *pieces)]);
        if (round & 1) strcat(text, " dense(2)");
        cop_model *m = NULL;
        if (cop_model_create(&m, "3x40x40", text) == COP_OK) made++;
        cop_model_destroy(m);
    }
    assert_true(made > 0);
    cop_buf long_text = {0};
    for (int i = 0; i < 2000; i++) cop_buf_printf(&long_text, "relu ");
    cop_model *m = NULL;
    assert_fails(cop_model_create(&m, "4", cop_buf_text(&long_text)), COP_E_CONFIG,
                 "more than 1000 layers");
    cop_buf_clear(&long_text);
    for (int i = 0; i < 50; i++) cop_buf_printf(&long_text, "dense(2,");
    assert_fails(cop_model_create(&m, "4", cop_buf_text(&long_text)), COP_E_CONFIG,
                 "longer than 199 characters");
    cop_buf_clear(&long_text);
}

static void first_weights_are_uniform_and_keyed(void **state) {
    (void)state;
    cop_model *m = NULL;
    cop_params a, b;
    assert_ok(cop_model_create(&m, "1x10x10", "conv2d(8,3) relu dense(50) relu dense(10)"));
    cop_params_init(&a, m);
    cop_params_init(&b, m);
    cop_params_randomise(&a, m, 4);
    cop_params_randomise(&b, m, 4);
    assert_memory_equal(a.w, b.w, a.weights * sizeof *a.w);
    assert_memory_equal(a.b, b.b, a.biases * sizeof *a.b);
    cop_params_randomise(&b, m, 5);
    assert_true(a.w[0] != b.w[0]);
    for (size_t i = 0; i < m->count; i++) {
        const cop_layer *layer = &m->layers[i];
        if (!layer->weights) continue;
        double bound = 1.0 / sqrt((double)layer->fan_in), square = 0.0, largest = 0.0;
        for (size_t j = 0; j < layer->weights; j++) {
            double w = a.w[layer->weight_begin + j];
            square += w * w;
            if (fabs(w) > largest) largest = fabs(w);
        }
        assert_true(largest <= bound * (1 + 1e-6) && largest > 0.9 * bound);
        /* variance of a uniform number: bound^2 / 3, estimated from the layer's weights */
        assert_near(square / (double)layer->weights / (bound * bound), 1.0 / 3.0,
                    1.2 / sqrt((double)layer->weights));
        for (size_t j = 0; j < layer->biases; j++)
            assert_true(fabs(a.b[layer->bias_begin + j]) <= bound * (1 + 1e-6));
    }
    cop_params_clear(&a);
    cop_params_clear(&b);
    cop_model_destroy(m);
    assert_ok(
        cop_model_create(&m, "4", "dense(4) dense(4)")); /* layers have streams of their own */
    cop_params_init(&a, m);
    cop_params_randomise(&a, m, 4);
    assert_true(a.w[0] != a.w[16]);
    cop_params_clear(&a);
    cop_model_destroy(m);
}

static void effective_weights_follow_mask_and_kind(void **state) {
    (void)state;
    enum { N = 131 };
    float w[N], out[N];
    cop_params params = {.weights = N, .w = w};
    cop_mask mask;
    cop_mask_init(&mask, N);
    for (size_t i = 0; i < N; i++) {
        w[i] = i % 5 == 0 ? 0.0f : i % 2 ? 0.25f : -3.0f;
        if (i % 3) cop_mask_set(&mask, i);
    }
    w[1] = NAN;
    static const cop_weighting_kind kinds[] = {COP_WEIGHTS_TRAINED, COP_WEIGHTS_SIGNED,
                                               COP_WEIGHTS_POSITIVE};
    for (size_t k = 0; k < 3; k++) {
        cop_effective_weights(&params, &mask, kinds[k], 0.5, out);
        for (size_t i = 2; i < N; i++) {
            float wanted = kinds[k] == COP_WEIGHTS_TRAINED    ? w[i]
                           : kinds[k] == COP_WEIGHTS_POSITIVE ? 0.5f
                           : w[i] > 0                         ? 0.5f
                           : w[i] < 0                         ? -0.5f
                                                              : 0.0f;
            assert_true(out[i] == (i % 3 ? wanted : 0.0f));
        }
        assert_true(out[0] == 0.0f);
    }
    cop_effective_weights(&params, &mask, COP_WEIGHTS_SIGNED, 2.0, out);
    assert_true(out[1] == 0.0f); /* NaN has no sign */
    cop_mask_clear(&mask);
}

static void configuration_errors_carry_their_place(void **state) {
    (void)state;
    const cop_section rows[] = {{"network", "", cop_network_options}};
    const cop_schema schema = {rows, 1};
    cop_conf *conf = NULL;
    cop_model *m = NULL;
    assert_ok(cop_conf_parse(&conf, &schema,
                             "[network]\ninput = 1x8x8\nlayers = dense(3) denze(2)\n", "net.ini"));
    assert_fails(cop_model_from_conf(&m, conf), COP_E_CONFIG,
                 "net.ini:3: [network] layers: layer 2 \"denze(2)\": there is no layer");
    cop_conf_destroy(conf);
    assert_ok(
        cop_conf_parse(&conf, &schema, "[network]\ninput = 8x8\nlayers = dense(3)\n", "net.ini"));
    assert_fails(cop_model_from_conf(&m, conf), COP_E_CONFIG,
                 "net.ini:2: [network] input: \"8x8\"");
    assert_ok(cop_conf_set(conf, "network.input=64"));
    assert_ok(cop_model_from_conf(&m, conf));
    assert_int_equal(m->weights, 192);
    cop_model_destroy(m);
    cop_conf_destroy(conf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thesis_network_has_the_published_sizes),
        cmocka_unit_test(canonical_text_reads_back),
        cmocka_unit_test(hidden_activations_are_behind_their_layer),
        cmocka_unit_test(bad_networks_are_refused_by_word),
        cmocka_unit_test(any_bytes_are_a_network_or_an_error),
        cmocka_unit_test(first_weights_are_uniform_and_keyed),
        cmocka_unit_test(effective_weights_follow_mask_and_kind),
        cmocka_unit_test(configuration_errors_carry_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
