/* A head is what the network would be with the other outputs cut off: for every evaluator, for the
 * loss and its gradient. */
#include "../support/support.h"

#include <math.h>
#include <string.h>

#include "../support/random_net.h"

/* The network of @p net with the outputs of @p head alone. Everything but the samples is owned. */
static void cut_outputs(test_net *cut, const test_net *net, cop_head head) {
    const cop_model *model = net->model;
    const cop_layer *last = &model->layers[model->count - 1];
    char *spec = cop_strdup(model->spec), *colon = strchr(spec, ':'), *dense = strrchr(spec, '(');
    *colon = '\0';
    *dense = '\0';
    char *layers = cop_sprintf("%s(%zu)", colon + 1, head.count);
    *cut = *net;
    assert_ok(cop_model_create(&cut->model, spec, layers));
    cop_params_init(&cut->params, cut->model);
    cop_mask_init(&cut->mask, cut->model->weights);
    size_t before = last->weight_begin, skip = head.first * last->fan_in;
    for (size_t e = 0; e < cut->model->weights; e++) {
        size_t from = e < before ? e : e + skip;
        cut->params.w[e] = net->params.w[from];
        if (cop_mask_get(&net->mask, from)) cop_mask_set(&cut->mask, e);
    }
    for (size_t b = 0; b < cut->model->biases; b++)
        cut->params.b[b] = net->params.b[b < last->bias_begin ? b : b + head.first];
    cop_free(layers);
    cop_free(spec);
}

static void cut_clear(test_net *cut) {
    cop_model_destroy(cut->model);
    cop_params_clear(&cut->params);
    cop_mask_clear(&cut->mask);
}

static void judged(const cop_evaluator *evaluator, const test_net *net, cop_head head, bool trained,
                   cop_evidence *evidence, uint16_t *predicted) {
    cop_eval_setup setup = {.model = net->model, .base = &net->params, .scale = 64, .batch = 7};
    setup.weighting = trained ? (cop_weighting){COP_WEIGHTS_TRAINED, 1, {0}}
                              : (cop_weighting){COP_WEIGHTS_SIGNED, 3, {0.5, 1, 2}};
    void *engine = NULL;
    const cop_mask *mask = &net->mask;
    cop_shard shard = {.x = net->x, .label = net->label, .n = net->n, .head = head};
    assert_ok(evaluator->create(&engine, &setup));
    assert_ok(evaluator->evaluate(engine, &mask, 1, &shard, NULL, NULL, evidence, predicted));
    evaluator->destroy(engine);
}

static void a_head_is_a_network_with_fewer_outputs(void **state) {
    size_t count;
    const cop_evaluator *const *all = cop_evaluators(&count);
    (void)state;
    for (uint32_t i = 0; i < 60; i++) {
        cop_rng rng = cop_rng_at(7, i, 0, COP_FOR_TEST);
        test_net net, cut;
        test_net_create(&net, &rng, 23, 64, 100);
        cop_head head = {(size_t)cop_rng_below(&rng, net.model->classes - 1), 0};
        head.count = 2 + (size_t)cop_rng_below(&rng, net.model->classes - head.first - 1);
        for (size_t s = 0; s < net.n; s++) net.label[s] = (int32_t)cop_rng_below(&rng, head.count);
        cut_outputs(&cut, &net, head);
        for (size_t k = 0; k < count; k++) {
            bool exact =
                strcmp(all[k]->name, "sign") == 0 || strcmp(all[k]->name, "reference") == 0;
            bool trained = strcmp(all[k]->name, "sign") != 0 && i % 2;
            cop_evidence a, b;
            uint16_t p[3 * 23], q[3 * 23];
            size_t values = trained ? 1 : 3, differ = 0;
            judged(all[k], &net, head, trained, &a, p);
            judged(all[k], &cut, (cop_head){0, 0}, trained, &b, q);
            for (size_t s = 0; s < values * net.n; s++) {
                assert_true(p[s] < head.count);
                differ += p[s] != q[s];
            }
            assert_true(differ <= (exact ? 0 : 4)); /* near ties, in floats */
            for (size_t v = 0; v < values && exact; v++) {
                assert_int_equal(a.correct[v], b.correct[v]);
                assert_true(a.loss[v] == b.loss[v]);
            }
        }
        cut_clear(&cut);
        test_net_clear(&net);
    }
}

static void labels_and_outputs_beyond_are_refused(void **state) {
    size_t count;
    const cop_evaluator *const *all = cop_evaluators(&count);
    (void)state;
    cop_rng rng = cop_rng_at(8, 0, 0, COP_FOR_TEST);
    test_net net;
    test_net_create(&net, &rng, 5, 64, 100);
    const size_t classes = net.model->classes;
    const cop_head heads[] = {{classes, 1}, {0, classes + 1}, {1, classes}, {1, SIZE_MAX}, {0, 1}};
    for (size_t s = 0; s < net.n; s++) net.label[s] = 1;
    for (size_t k = 0; k < count; k++)
        for (size_t h = 0; h < sizeof heads / sizeof *heads; h++) {
            cop_eval_setup setup = {
                .model = net.model, .base = &net.params, .scale = 64, .batch = 5};
            cop_shard shard = {.x = net.x, .label = net.label, .n = net.n, .head = heads[h]};
            setup.weighting = (cop_weighting){COP_WEIGHTS_SIGNED, 1, {1}};
            const cop_mask *mask = &net.mask;
            cop_evidence evidence;
            void *engine = NULL;
            assert_ok(all[k]->create(&engine, &setup));
            assert_int_equal(
                all[k]->evaluate(engine, &mask, 1, &shard, NULL, NULL, &evidence, NULL),
                COP_E_EVALUATE);
            all[k]->destroy(engine);
        }
    cop_error_clear();
    test_net_clear(&net);
}

/* Nothing pulls at the outputs of other heads, and inside the loss is that of the cut network. */
static void training_sees_the_head_alone(void **state) {
    (void)state;
    cop_rng rng = cop_rng_at(9, 0, 0, COP_FOR_TEST);
    cop_model *model;
    cop_params params, gradient;
    float x[4 * 5];
    const int32_t label[4] = {0, 1, 2, 1};
    const cop_head head = {2, 3};
    assert_ok(cop_model_create(&model, "5", "dense(6) tanh dense(7)"));
    cop_params_init(&params, model);
    cop_params_init(&gradient, model);
    cop_params_randomise(&params, model, 3);
    for (size_t i = 0; i < 20; i++) x[i] = (float)cop_rng_normal(&rng);
    cop_net_work *work = cop_net_work_create(model, 4, true);
    cop_net_head(work, head);
    const float *logits = cop_net_forward(work, &params, x, 4, NULL);
    double wanted = 0;
    for (size_t s = 0; s < 4; s++) {
        double sum = 0;
        for (size_t k = 0; k < 3; k++) sum += exp((double)logits[s * 7 + 2 + k]);
        wanted += (log(sum) - (double)logits[s * 7 + 2 + (size_t)label[s]]) / 4;
    }
    size_t correct;
    assert_near(cop_net_loss(work, label, 4, &correct), wanted, 1e-9);
    cop_net_backward(work, &params, &gradient);
    const cop_layer *last = &model->layers[model->count - 1];
    double sum = 0;
    for (size_t k = 0; k < 7; k++) {
        double pull = (double)gradient.b[last->bias_begin + k];
        if (k < 2 || k > 4)
            assert_true(pull == 0);
        else
            assert_true(fabs(pull) > 1e-6);
        sum += pull;
        for (size_t i = 0; i < 6 && (k < 2 || k > 4); i++)
            assert_true(gradient.w[last->weight_begin + 6 * k + i] == 0);
    }
    assert_near(sum, 0, 1e-6);
    cop_net_work_destroy(work);
    cop_params_clear(&params);
    cop_params_clear(&gradient);
    cop_model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_a_network_with_fewer_outputs),
        cmocka_unit_test(labels_and_outputs_beyond_are_refused),
        cmocka_unit_test(training_sees_the_head_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
