/* The evaluator `sign` computes exactly the integers of its definition: against an oracle in plain
 * 64-bit integers written from the definition, over random networks, with every kernel variant of
 * this machine. */
#include "../support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../support/random_net.h"
#include "coppice/la.h"

/* ---------------------------------------------------------------- the oracle */

static int64_t sign_of(const cop_eval_setup *s, const cop_mask *mask, size_t e) {
    if (!cop_mask_get(mask, e)) return 0;
    if (s->weighting.kind == COP_WEIGHTS_POSITIVE) return 1;
    return (s->base->w[e] > 0) - (s->base->w[e] < 0);
}

static void oracle_weighted(const cop_eval_setup *s, const cop_mask *mask, const cop_layer *l,
                            double power, const int64_t *in, int64_t *out) {
    bool dense = l->kind == COP_LAYER_DENSE;
    cop_shape a = dense ? (cop_shape){cop_shape_size(l->in), 1, 1} : l->in, b = l->out;
    size_t k = dense ? 1 : l->kernel, stride = dense ? 1 : l->stride;
    for (size_t o = 0; o < b.channels; o++)
        for (size_t y = 0; y < b.height; y++)
            for (size_t x = 0; x < b.width; x++) {
                int64_t sum = llrint((double)s->base->b[l->bias_begin + o] / power * s->scale);
                for (size_t c = 0; c < a.channels; c++)
                    for (size_t i = 0; i < k; i++)
                        for (size_t j = 0; j < k; j++) {
                            long r = (long)(y * stride + i) - (long)l->padding;
                            long q = (long)(x * stride + j) - (long)l->padding;
                            if (dense) r = q = 0;
                            if (r < 0 || q < 0 || r >= (long)a.height || q >= (long)a.width)
                                continue;
                            size_t e = l->weight_begin + ((o * a.channels + c) * k + i) * k + j;
                            sum += sign_of(s, mask, e) *
                                   in[(c * a.height + (size_t)r) * a.width + (size_t)q];
                        }
                out[(o * b.height + y) * b.width + x] = sum;
            }
}

static void oracle_pool(const cop_layer *l, const int64_t *in, int64_t *out) {
    for (size_t c = 0; c < l->out.channels; c++)
        for (size_t y = 0; y < l->out.height; y++)
            for (size_t x = 0; x < l->out.width; x++) {
                int64_t best = INT64_MIN;
                for (size_t i = 0; i < l->kernel; i++)
                    for (size_t j = 0; j < l->kernel; j++) {
                        int64_t v = in[(c * l->in.height + y * l->stride + i) * l->in.width +
                                       x * l->stride + j];
                        if (v > best) best = v;
                    }
                out[(c * l->out.height + y) * l->out.width + x] = best;
            }
}

/* Integer outputs of all layers for one sample; returns v^L of each layer in @p power. */
static void oracle(const cop_eval_setup *s, const cop_mask *mask, double value, const float *x,
                   int64_t *const *out, double *power) {
    const cop_model *m = s->model;
    size_t inputs = cop_shape_size(m->input);
    int64_t *first = COP_NEW_ARRAY(int64_t, inputs);
    const int64_t *in = first;
    double p = 1;
    for (size_t j = 0; j < inputs; j++) first[j] = llrint((double)x[j] * s->scale);
    for (size_t i = 0; i < m->count; i++) {
        const cop_layer *l = &m->layers[i];
        size_t size = cop_shape_size(l->out);
        if (l->weights) {
            p *= value;
            oracle_weighted(s, mask, l, p, in, out[i]);
        } else if (l->kind == COP_LAYER_MAXPOOL2D)
            oracle_pool(l, in, out[i]);
        else
            for (size_t j = 0; j < size; j++)
                out[i][j] = l->kind == COP_LAYER_ACTIVATION && in[j] < 0 ? 0 : in[j];
        power[i] = p;
        in = out[i];
    }
    cop_free(first);
}

/* ---------------------------------------------------------------- comparison */

typedef struct seen {
    double *rows[8]; /* (n, width) */
    size_t batch, calls;
} seen;

static cop_status collect(void *user, size_t individual, size_t which, const double *rows, size_t n,
                          size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    seen *s = user;
    (void)individual;
    assert_int_equal(task, 3);
    assert_true(batch >= 5);
    memcpy(s->rows[which] + (batch - 5) * s->batch * width, rows, n * width * sizeof(double));
    s->calls++;
    evidence->batches++;
    return COP_OK;
}

static void compare(const test_net *net, cop_eval_setup *setup) {
    const cop_model *m = net->model;
    cop_shard shard = test_net_shard(net);
    shard.task = 3;
    shard.batch_base = 5;
    setup->hidden = 0;
    for (size_t i = 0; i < m->count && setup->hidden < 8; i++)
        if (m->layers[i].weights) {
            setup->hidden_layer[setup->hidden++] = i;
            if (setup->hidden < 8 && i + 1 < m->count)
                setup->hidden_layer[setup->hidden++] =
                    i + 1 +
                    (i + 2 < m->count && !m->layers[i + 1].weights && !m->layers[i + 2].weights);
        }
    seen s = {.batch = setup->batch};
    for (size_t h = 0; h < setup->hidden; h++)
        s.rows[h] = cop_alloc(net->n * cop_shape_size(m->layers[setup->hidden_layer[h]].out),
                              sizeof(double));
    size_t values = setup->weighting.values, batches = (net->n + setup->batch - 1) / setup->batch;
    uint16_t *predictions = COP_NEW_ARRAY(uint16_t, values * net->n);
    cop_evidence evidence;
    test_evaluate("sign", setup, &net->mask, &shard, collect, &s, &evidence, predictions);
    assert_int_equal(evidence.samples, net->n);
    assert_int_equal(s.calls, batches * setup->hidden);

    int64_t **out = COP_NEW_ARRAY(int64_t *, m->count);
    double *power = COP_NEW_ARRAY(double, m->count);
    for (size_t i = 0; i < m->count; i++)
        out[i] = COP_NEW_ARRAY(int64_t, cop_shape_size(m->layers[i].out));
    for (size_t v = 0; v <= values; v++) {
        uint64_t correct = 0;
        double value = v < values ? setup->weighting.value[v] : setup->hidden_value;
        for (size_t i = 0; i < net->n; i++) {
            oracle(setup, &net->mask, value, net->x + i * cop_shape_size(m->input), out, power);
            const int64_t *logit = out[m->count - 1];
            size_t best = 0;
            for (size_t k = 1; k < m->classes; k++)
                if (logit[k] > logit[best]) best = k;
            correct += best == (size_t)net->label[i];
            if (v < values) assert_int_equal(predictions[v * net->n + i], best);
            for (size_t h = 0; v == values && h < setup->hidden; h++) {
                size_t layer = setup->hidden_layer[h], width = cop_shape_size(m->layers[layer].out);
                for (size_t j = 0; j < width; j++)
                    if (s.rows[h][i * width + j] !=
                        (power[layer] / setup->scale) * (double)out[layer][j])
                        fail_msg("%s: layer %s, sample %zu, unit %zu: %.17g, wanted %lld x %g",
                                 m->spec, m->layers[layer].name, i, j, s.rows[h][i * width + j],
                                 (long long)out[layer][j], power[layer] / setup->scale);
            }
        }
        if (v < values) assert_int_equal(evidence.correct[v], correct);
    }
    for (size_t i = 0; i < m->count; i++) cop_free(out[i]);
    for (size_t h = 0; h < setup->hidden; h++) cop_free(s.rows[h]);
    cop_free(out);
    cop_free(power);
    cop_free(predictions);
}

static cop_eval_setup random_setup(const test_net *net, cop_rng *rng, double scale) {
    static const double sets[][3] = {{0.5, 1, 2}, {0.1, 1, 3}, {0.25, 0.5, 7}};
    cop_eval_setup setup = {.model = net->model, .base = &net->params, .scale = scale};
    size_t set = cop_rng_below(rng, 3);
    setup.weighting.kind = cop_rng_below(rng, 4) ? COP_WEIGHTS_SIGNED : COP_WEIGHTS_POSITIVE;
    setup.weighting.values = test_draw(rng, 1, 3);
    for (size_t v = 0; v < setup.weighting.values; v++) setup.weighting.value[v] = sets[set][v];
    setup.hidden_value = sets[set][cop_rng_below(rng, 3)];
    setup.batch = test_draw(rng, 1, 40);
    return setup;
}

/* Each case in mode PAIRS (small inputs), 32, WIDE and 64 (large ones), by the size of the inputs.
 */
static void equals_the_oracle(void **state) {
    (void)state;
    static const double steps[] = {100, 2047, 40000, 3e7, 1e9};
    size_t count;
    const cop_sign_ops *const *ops = cop_sign_variants(&count);
    for (size_t k = 0; k < count; k++) {
        if (!ops[k]->supported()) {
            print_message("# %s: not on this processor\n", ops[k]->name);
            continue;
        }
        setenv("COPPICE_KERNEL", ops[k]->name, 1);
        assert_string_equal(cop_sign_kernel(), ops[k]->name);
        for (uint32_t i = 0; i < 200; i++) {
            cop_rng rng = cop_rng_at(2, i, 0, COP_FOR_TEST);
            test_net net;
            double most = steps[i % 5], scale = i % 2 ? 512 : 726.3;
            test_net_create(&net, &rng, test_draw(&rng, 1, 60), scale, most);
            cop_eval_setup setup = random_setup(&net, &rng, scale);
            compare(&net, &setup);
            test_net_clear(&net);
        }
    }
    unsetenv("COPPICE_KERNEL");
}

/* One dense layer of D inputs and two outputs, all inputs x, one output all +1, the other all -1:
 * sums of exactly +-D*x, at and beyond every limit of the number types. */
static void sums_hold_at_the_limits(void **state) {
    (void)state;
    static const struct {
        size_t inputs;
        double x;
    } cases[] = {{65536, 32767},      {65537, 32767},  {65538, 32767}, {65536, -32767},
                 {3, 32768},          {3, -32768},     {32767, 65537}, {32768, 65536},
                 {2, 1073741823},     {2, 1073741824}, {70000, 1e9},   {1, 1073741824},
                 {70000, -1073741824}};
    size_t count;
    const cop_sign_ops *const *ops = cop_sign_variants(&count);
    for (size_t k = 0; k < count; k++) {
        if (!ops[k]->supported()) continue;
        setenv("COPPICE_KERNEL", ops[k]->name, 1);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            test_net net = {.n = 17};
            char input[32];
            snprintf(input, sizeof input, "%zu", cases[i].inputs);
            assert_ok(cop_model_create(&net.model, input, "dense(2)"));
            cop_params_init(&net.params, net.model);
            cop_mask_init(&net.mask, net.model->weights);
            cop_mask_fill(&net.mask);
            net.x = cop_alloc(net.n * cases[i].inputs, sizeof(float));
            net.label = COP_NEW_ARRAY(int32_t, net.n);
            for (size_t e = 0; e < net.model->weights; e++)
                net.params.w[e] = e < cases[i].inputs ? 1 : -1;
            for (size_t j = 0; j < net.n * cases[i].inputs; j++) net.x[j] = (float)cases[i].x;
            cop_eval_setup setup = {.model = net.model,
                                    .base = &net.params,
                                    .scale = (double)(float)cases[i].x == cases[i].x ? 1 : 0.5,
                                    .batch = 17,
                                    .hidden_value = 1};
            setup.weighting = (cop_weighting){COP_WEIGHTS_SIGNED, 1, {1}};
            compare(&net, &setup);
            test_net_clear(&net);
        }
    }
    unsetenv("COPPICE_KERNEL");
}

/* Deep sums of one sign: each layer multiplies the bound by its width, through all number types. */
static void deep_networks_widen_and_then_refuse(void **state) {
    (void)state;
    cop_buf layers = {0};
    for (size_t depth = 1; depth <= 9; depth++) {
        cop_buf_printf(&layers, "dense(90) relu ");
        cop_buf text = {0};
        cop_buf_printf(&text, "%sdense(3)", cop_buf_text(&layers));
        test_net net = {.n = 5};
        assert_ok(cop_model_create(&net.model, "90", cop_buf_text(&text)));
        cop_params_init(&net.params, net.model);
        cop_mask_init(&net.mask, net.model->weights);
        cop_mask_fill(&net.mask);
        net.x = cop_alloc(net.n * 90, sizeof(float));
        net.label = COP_NEW_ARRAY(int32_t, net.n);
        for (size_t e = 0; e < net.model->weights; e++) net.params.w[e] = 1;
        for (size_t j = 0; j < net.n * 90; j++) net.x[j] = 2047;
        cop_eval_setup setup = {.model = net.model,
                                .base = &net.params,
                                .scale = 1,
                                .batch = 5,
                                .hidden_value = 1,
                                .weighting = {COP_WEIGHTS_SIGNED, 1, {1}}};
        if (2047 * pow(90, (double)depth + 1) < 0x1p61) {
            compare(&net, &setup);
        } else {
            void *self;
            cop_evidence evidence;
            cop_shard shard = test_net_shard(&net);
            const cop_mask *mask = &net.mask;
            const cop_evaluator *sign = cop_evaluator_find("sign");
            assert_ok(sign->create(&self, &setup));
            assert_fails(sign->evaluate(self, &mask, 1, &shard, NULL, NULL, &evidence, NULL),
                         COP_E_EVALUATE, "may leave 64-bit integers");
            sign->destroy(self);
        }
        test_net_clear(&net);
        cop_buf_clear(&text);
    }
    cop_buf_clear(&layers);
}

/* In one block individuals whose second layer needs 64-bit inputs and some whose needs 32: the
 * tensor between is laid out anew, its padding zero again. */
static void blocks_may_mix_number_types(void **state) {
    (void)state;
    enum { N = 4, SAMPLES = 20 };
    test_net net = {.n = SAMPLES};
    assert_ok(
        cop_model_create(&net.model, "1x6x6", "conv2d(3,3,1,1) relu conv2d(3,3,1,1) dense(5)"));
    cop_params_init(&net.params, net.model);
    cop_mask_init(&net.mask, net.model->weights);
    cop_rng rng = cop_rng_at(11, 0, 0, COP_FOR_TEST);
    net.x = cop_alloc(SAMPLES * 36, sizeof(float));
    net.label = COP_NEW_ARRAY(int32_t, SAMPLES);
    for (size_t i = 0; i < SAMPLES * 36; i++) net.x[i] = (float)cop_rng_uniform(&rng) * 1e9f;
    for (size_t e = 0; e < net.model->weights; e++) net.params.w[e] = (float)cop_rng_normal(&rng);
    cop_eval_setup setup = {.model = net.model,
                            .base = &net.params,
                            .scale = 1,
                            .batch = 5,
                            .weighting = {COP_WEIGHTS_SIGNED, 2, {1, 3}}};
    cop_mask masks[N];
    const cop_mask *list[N];
    for (size_t m = 0; m < N; m++) {
        cop_mask_init(&masks[m], net.model->weights);
        cop_mask_fill(&masks[m]);
        for (size_t e = 0; m % 2 && e < 27; e++) /* one live edge per output of conv1 */
            if (e % 9) cop_mask_unset(&masks[m], e);
        list[m] = &masks[m];
    }
    cop_shard shard = test_net_shard(&net);
    cop_evidence block[N], alone;
    const cop_evaluator *sign = cop_evaluator_find("sign");
    void *self;
    assert_ok(sign->create(&self, &setup));
    assert_ok(sign->evaluate(self, list, N, &shard, NULL, NULL, block, NULL));
    sign->destroy(self);
    for (size_t m = 0; m < N; m++) {
        test_evaluate("sign", &setup, list[m], &shard, NULL, NULL, &alone, NULL);
        assert_memory_equal(&alone, &block[m], sizeof alone);
        cop_mask_clear(&masks[m]);
    }
    test_net_clear(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_oracle),
        cmocka_unit_test(sums_hold_at_the_limits),
        cmocka_unit_test(deep_networks_widen_and_then_refuse),
        cmocka_unit_test(blocks_may_mix_number_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
