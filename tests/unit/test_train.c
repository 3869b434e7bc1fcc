/* Training of base networks: it learns, it repeats itself to the bit, it stops when told. */
#include "../support/support.h"
#include "coppice/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cop_option no_options[] = {{.key = NULL}};
static const cop_section sections[] = {{"network", "", cop_network_options},
                                       {"base", "", cop_base_options},
                                       {"task.*", "", no_options}};
static const cop_schema schema = {sections, 3};

static cop_conf *configure(const char *network, const char *base) {
    cop_buf text = {0};
    cop_conf *conf = NULL;
    cop_buf_printf(&text, "[network]\n%s\n[base]\n%s\n", network, base);
    assert_ok(cop_conf_parse(&conf, &schema, cop_buf_text(&text), "train.ini"));
    cop_buf_clear(&text);
    return conf;
}

/* Images of 1x6x6: class k has a bright bar in row k, on noise; @p wrong of 100 labels are random.
 */
static cop_dataset *bars(size_t samples, unsigned wrong, uint32_t item) {
    cop_dataset *set = COP_NEW(cop_dataset);
    *set = (cop_dataset){.name = cop_strdup("bars"),
                         .samples = samples,
                         .channels = 1,
                         .height = 6,
                         .width = 6,
                         .classes = 3,
                         .x = COP_NEW_ARRAY(float, samples * 36),
                         .label = COP_NEW_ARRAY(int32_t, samples)};
    cop_rng rng = cop_rng_at(1, 0, item, COP_FOR_TEST);
    for (size_t i = 0; i < samples; i++) {
        size_t k = cop_rng_below(&rng, 3);
        for (size_t j = 0; j < 36; j++)
            set->x[i * 36 + j] = (float)(0.5 * cop_rng_normal(&rng) + (j / 6 == 2 * k ? 1.0 : 0.0));
        if (cop_rng_below(&rng, 100) < wrong) k = cop_rng_below(&rng, 3);
        set->label[i] = (int32_t)k;
    }
    return set;
}

static const char cnn[] =
    "input = 1x6x6\n"
    "layers = conv2d(6,3) relu maxpool(2) dropout(0.1) dense(16) relu dense(3)";
static const char linear[] = "input = 36\nlayers = dense(3)";

typedef struct log {
    size_t reports, stop_after;
    cop_train_report last;
    double lowest; /* validation loss */
    size_t lowest_epoch;
} log_t;

static bool note(void *user, const cop_train_report *report) {
    log_t *log = user;
    if (log->reports == 0 || report->validation_loss < log->lowest) {
        log->lowest = report->validation_loss;
        log->lowest_epoch = report->epoch;
    }
    log->reports++;
    assert_int_equal(report->epoch, log->reports);
    log->last = *report;
    return log->reports != log->stop_after;
}

/* Trains and returns the parameters; the caller clears them and destroys the model. */
static cop_status train(const char *network, const char *base, const cop_dataset *set, log_t *log,
                        cop_model **model, cop_params *params) {
    cop_conf *conf = configure(network, base);
    memset(params, 0, sizeof *params);
    assert_ok(cop_model_from_conf(model, conf));
    cop_params_init(params, *model);
    cop_status status = cop_train_base(conf, *model, set, params, log ? note : NULL, log);
    cop_conf_destroy(conf);
    return status;
}

static void release(cop_model *model, cop_params *params) {
    cop_params_clear(params);
    cop_model_destroy(model);
}

static void every_optimiser_learns_a_small_set_by_heart(void **state) {
    (void)state;
    static const char *const base[] = {
        "optimiser = sgd\nschedule = constant\nepochs = 40\nbatch = 8",
        "optimiser=sgd\nmomentum=0\nrate=0.1\nschedule=step\nstep=30\nepochs=40\nbatch=8",
        "optimiser = adam\nrate = 0.01\nschedule = cosine\nepochs = 40\nbatch = 8",
        "optimiser = adadelta\nschedule = exponential\ndecay = 0.95\nepochs = 40\nbatch = 8",
    };
    cop_dataset *set = bars(60, 0, 1);
    for (size_t i = 0; i < sizeof base / sizeof *base; i++) {
        log_t log = {0};
        cop_model *model;
        cop_params params;
        double accuracy, loss;
        assert_ok(train(cnn, base[i], set, &log, &model, &params));
        assert_int_equal(log.reports, 40);
        assert_true(isnan(log.last.validation_loss) && isnan(log.last.validation_accuracy));
        cop_net_score(model, &params, set, &accuracy, &loss);
        assert_near(accuracy, 1.0, 0.0);
        assert_true(loss < 0.05 && log.last.accuracy > 0.9);
        release(model, &params);
    }
    cop_dataset_destroy(set);
}

static void the_same_training_gives_the_same_bits(void **state) {
    (void)state;
    static const char *const base[] = {"epochs = 3\nbatch = 16\nvalidation = 0.2",
                                       "epochs = 3\nbatch = 16\nvalidation = 0.2",
                                       "epochs = 3\nbatch = 16\nvalidation = 0.2\nseed = 2"};
    cop_dataset *set = bars(100, 0, 1);
    cop_model *model[3];
    cop_params params[3];
    for (size_t i = 0; i < 3; i++) assert_ok(train(cnn, base[i], set, NULL, &model[i], &params[i]));
    size_t bytes = params[0].weights * sizeof(float);
    assert_memory_equal(params[0].w, params[1].w, bytes);
    assert_memory_equal(params[0].b, params[1].b, params[0].biases * sizeof(float));
    assert_true(memcmp(params[0].w, params[2].w, bytes) != 0);
    for (size_t i = 0; i < 3; i++) release(model[i], &params[i]);
    cop_dataset_destroy(set);
}

/* One step over all samples cannot depend on their order; two can. So both halves of an epoch are
 * seen, each sample once: full batches of a linear network give gradients that add up. */
static void an_epoch_uses_every_sample_once(void **state) {
    (void)state;
    cop_dataset *set = bars(50, 0, 1);
    cop_model *model[2];
    cop_params params[2], start;
    /* tiny rate: the steps of small batches add up to the step of the whole set */
    static const char *const base[] = {
        "optimiser = sgd\nmomentum = 0\nrate = 1e-3\nschedule = constant\nepochs = 1\nbatch = 50",
        "optimiser = sgd\nmomentum = 0\nrate = 2e-4\nschedule = constant\nepochs = 1\nbatch = 10"};
    for (size_t i = 0; i < 2; i++)
        assert_ok(train(linear, base[i], set, NULL, &model[i], &params[i]));
    cop_params_init(&start, model[0]);
    cop_params_randomise(&start, model[0], 1);
    double moved = 0, apart = 0;
    for (size_t i = 0; i < start.weights; i++) {
        moved += fabs((double)(params[0].w[i] - start.w[i]));
        apart += fabs((double)(params[0].w[i] - params[1].w[i]));
    }
    assert_true(moved > 1e-3);
    assert_true(apart < 0.01 * moved);
    cop_params_clear(&start);
    for (size_t i = 0; i < 2; i++) release(model[i], &params[i]);
    cop_dataset_destroy(set);
}

/* Order of samples by epoch, dropout by batch since the start, rate by epoch: all by hand. */
static void order_dropout_and_rate_are_addressed(void **state) {
    (void)state;
    enum { N = 7 };
    cop_dataset *set = bars(N, 0, 1);
    cop_model *model;
    cop_params params, mine, gradient;
    assert_ok(train("input = 36\nlayers = dropout(0.3) dense(3)",
                    "optimiser = sgd\nmomentum = 0\nrate = 0.5\nschedule = exponential\n"
                    "decay = 0.5\nepochs = 3\nbatch = 1\nseed = 5",
                    set, NULL, &model, &params));
    cop_params_init(&mine, model);
    cop_params_init(&gradient, model);
    cop_params_randomise(&mine, model, 5);
    cop_net_work *work = cop_net_work_create(model, 1, true);
    float rate = 0.5f;
    for (uint32_t epoch = 0, batch = 0; epoch < 3; epoch++, rate *= 0.5f) {
        uint32_t order[N] = {0, 1, 2, 3, 4, 5, 6};
        cop_rng rng = cop_rng_at(5, epoch, 0, COP_FOR_SHUFFLE);
        cop_rng_shuffle(&rng, order, N);
        for (size_t i = 0; i < N; i++) {
            cop_net_forward(work, &mine, set->x + order[i] * 36, 1,
                            &(cop_dropout_key){.seed = 5, .batch = batch++});
            cop_net_loss(work, &set->label[order[i]], 1, NULL);
            cop_net_backward(work, &mine, &gradient);
            for (size_t k = 0; k < mine.weights; k++) mine.w[k] -= rate * gradient.w[k];
            for (size_t k = 0; k < mine.biases; k++) mine.b[k] -= rate * gradient.b[k];
        }
    }
    assert_memory_equal(params.w, mine.w, mine.weights * sizeof(float));
    assert_memory_equal(params.b, mine.b, mine.biases * sizeof(float));
    cop_net_work_destroy(work);
    cop_params_clear(&mine);
    cop_params_clear(&gradient);
    release(model, &params);
    cop_dataset_destroy(set);
}

/* With a rate too small to move a weight every sample is seen by the first network. */
static void reports_are_means_and_judge_without_dropout(void **state) {
    (void)state;
    enum { N = 50, HELD = 10 };
    cop_dataset *set = bars(N, 0, 1);
    cop_model *model;
    cop_params params;
    log_t log = {0};
    assert_ok(train("input = 36\nlayers = dropout(0.5) dense(3)",
                    "optimiser = sgd\nrate = 1e-30\nschedule = constant\nepochs = 1\nbatch = 9\n"
                    "seed = 5\nvalidation = 0.2",
                    set, &log, &model, &params));
    uint32_t order[N];
    for (uint32_t i = 0; i < N; i++) order[i] = i;
    cop_rng rng = cop_rng_at(5, 0, UINT32_MAX, COP_FOR_SPLIT);
    cop_rng_shuffle(&rng, order, N);
    double loss = 0;
    size_t hits = 0, right;
    cop_net_work *work = cop_net_work_create(model, 1, false);
    for (size_t i = N - HELD; i < N; i++) {
        cop_net_forward(work, &params, set->x + order[i] * 36, 1, NULL);
        loss += cop_net_loss(work, &set->label[order[i]], 1, &right);
        hits += right;
    }
    assert_near(log.last.validation_loss, loss / HELD, 1e-6);
    assert_near(log.last.validation_accuracy, (double)hits / HELD, 1e-12);
    cop_net_work_destroy(work);
    /* an untrained network: about ln 3, whatever dropout does */
    assert_true(log.last.loss > 0.8 && log.last.loss < 2);
    release(model, &params);
    cop_dataset_destroy(set);
}

/* Labels are pure noise: what is learnt by heart does not help on samples never learnt from. */
static void held_back_samples_are_not_learnt(void **state) {
    (void)state;
    cop_dataset *set = bars(240, 100, 3);
    log_t log = {0};
    cop_model *model;
    cop_params params;
    assert_ok(train("input = 36\nlayers = dense(64) relu dense(3)",
                    "optimiser = adam\nrate = 0.01\nschedule = constant\nepochs = 60\nbatch = 20\n"
                    "validation = 0.25",
                    set, &log, &model, &params));
    assert_true(log.last.accuracy > 0.95);
    /* binomial(60, 1/3): standard deviation 0.061 */
    assert_near(log.last.validation_accuracy, 1.0 / 3, 4 * 0.061);
    release(model, &params);
    cop_dataset_destroy(set);
}

static void patience_ends_training_and_the_best_epoch_is_kept(void **state) {
    (void)state;
    /* half the labels are noise: soon the held-back loss only rises */
    cop_dataset *set = bars(80, 50, 2);
    static const char base[] = "optimiser = adam\nrate = 0.02\nschedule = constant\nepochs = 200\n"
                               "batch = 10\nvalidation = 0.25\npatience = 5";
    log_t log = {0};
    cop_model *model;
    cop_params params, again;
    assert_ok(train(cnn, base, set, &log, &model, &params));
    assert_true(log.reports < 200);
    assert_int_equal(log.reports, log.lowest_epoch + 5);
    assert_true(log.lowest_epoch > 1 && log.last.validation_loss > log.lowest);
    release(model, &params);

    /* the same training cut at its best epoch ends with the same parameters */
    char cut[300];
    snprintf(cut, sizeof cut, "%s\n", base);
    char *epochs = strstr(cut, "epochs = 200");
    memcpy(epochs, "epochs =    ", 12);
    epochs[9] = (char)('0' + log.lowest_epoch / 10);
    epochs[10] = (char)('0' + log.lowest_epoch % 10);
    cop_model *shorter;
    assert_ok(train(cnn, base, set, NULL, &model, &params));
    assert_ok(train(cnn, cut, set, NULL, &shorter, &again));
    assert_memory_equal(params.w, again.w, params.weights * sizeof(float));
    assert_memory_equal(params.b, again.b, params.biases * sizeof(float));
    release(model, &params);
    release(shorter, &again);
    cop_dataset_destroy(set);
}

static void zero_epochs_leave_the_first_weights(void **state) {
    (void)state;
    cop_dataset *set = bars(10, 0, 1);
    cop_model *model;
    cop_params params, start;
    assert_ok(train(linear, "epochs = 0\nseed = 7", set, NULL, &model, &params));
    cop_params_init(&start, model);
    cop_params_randomise(&start, model, 7);
    assert_memory_equal(params.w, start.w, start.weights * sizeof(float));
    cop_params_clear(&start);
    release(model, &params);
    cop_dataset_destroy(set);
}

static void refusals_say_what_to_change(void **state) {
    (void)state;
    cop_dataset *set = bars(30, 0, 1);
    static const struct {
        const char *network, *base, *message;
        cop_status status;
    } bad[] = {
        {"input = 35\nlayers = dense(3)", "", "the network takes 35 numbers a sample",
         COP_E_CONFIG},
        {"input = 36\nlayers = dense(2)", "",
         "the network tells 2 classes apart, task \"bars\" has 3", COP_E_CONFIG},
        {linear, "patience = 3", "set validation", COP_E_CONFIG},
        {linear, "validation = 0.01", "0 to judge on and 30 to learn from", COP_E_CONFIG},
        {linear, "optimiser = sgd\nrate = 1e6\nepochs = 100\nschedule = constant\nweight_decay = 1",
         "training diverged in epoch", COP_E_EVALUATE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cop_model *model;
        cop_params params;
        assert_fails(train(bad[i].network, bad[i].base, set, NULL, &model, &params), bad[i].status,
                     bad[i].message);
        release(model, &params);
    }
    log_t log = {.stop_after = 2};
    cop_model *model;
    cop_params params;
    assert_fails(train(linear, "epochs = 5", set, &log, &model, &params), COP_E_STOPPED,
                 "after epoch 2 of 5");
    assert_int_equal(log.reports, 2);
    release(model, &params);
    cop_dataset_destroy(set);
}

static void keys_name_what_matters(void **state) {
    (void)state;
    cop_dataset *set = bars(30, 0, 1), *other = bars(30, 0, 2);
    static const char *const same[] = {"", "task = b", "file = x.h5", "epochs = 3"};
    static const char *const different[] = {"epochs = 4", "seed = 2", "rate = 0.5",
                                            "optimiser = adam", "validation = 0.1"};
    char first[COP_HASH_HEX], hex[COP_HASH_HEX];
    cop_model *model = NULL;
    for (size_t i = 0; i < 4; i++) {
        cop_conf *conf = configure(linear, same[i]);
        if (!i) assert_ok(cop_model_from_conf(&model, conf));
        cop_base_key(conf, model, set, i ? hex : first);
        if (i) assert_string_equal(hex, first);
        cop_conf_destroy(conf);
    }
    for (size_t i = 0; i < 5; i++) {
        cop_conf *conf = configure(linear, different[i]);
        cop_base_key(conf, model, set, hex);
        assert_string_not_equal(hex, first);
        cop_conf_destroy(conf);
    }
    cop_conf *conf = configure(linear, "");
    cop_base_key(conf, model, other, hex);
    assert_string_not_equal(hex, first);
    cop_model_destroy(model);
    cop_conf_destroy(conf);
    conf = configure(cnn, "");
    assert_ok(cop_model_from_conf(&model, conf));
    cop_base_key(conf, model, set, hex);
    assert_string_not_equal(hex, first);
    cop_model_destroy(model);
    cop_conf_destroy(conf);
    cop_dataset_destroy(set);
    cop_dataset_destroy(other);
}

/* Drawing weights and training on from them is what training is. */
static void training_goes_on_from_given_weights(void **state) {
    (void)state;
    cop_conf *conf = configure(cnn, "epochs = 2\nseed = 4\nvalidation = 0.2");
    cop_conf *none = configure(cnn, "epochs = 0\nseed = 9");
    cop_model *model;
    cop_dataset *set = bars(500, 0, 1);
    cop_params base, on;
    assert_ok(cop_model_from_conf(&model, conf));
    cop_params_init(&base, model);
    cop_params_init(&on, model);
    assert_ok(cop_train_base(conf, model, set, &base, NULL, NULL));
    cop_params_randomise(&on, model, 4);
    assert_ok(cop_train_on(conf, model, set, &on, NULL, NULL));
    assert_memory_equal(on.w, base.w, base.weights * sizeof *base.w);
    assert_memory_equal(on.b, base.b, base.biases * sizeof *base.b);
    assert_ok(cop_train_on(none, model, set, &on, NULL, NULL));
    assert_memory_equal(on.w, base.w, base.weights * sizeof *base.w);
    cop_params_clear(&base);
    cop_params_clear(&on);
    cop_dataset_destroy(set);
    cop_model_destroy(model);
    cop_conf_destroy(conf);
    cop_conf_destroy(none);
}

static void the_tail_sees_what_the_last_layer_sees(void **state) {
    (void)state;
    cop_conf *conf = configure(cnn, "epochs = 1");
    cop_model *model, *tail, *conv;
    cop_dataset *set = bars(250, 0, 1), *seen, *dropped, *again;
    cop_params params, last;
    double accuracy[2], loss[2];
    assert_ok(cop_model_from_conf(&model, conf));
    assert_ok(cop_tail_create(&tail, model));
    assert_string_equal(tail->spec, "16: dense2=dense(3)");
    cop_params_init(&params, model);
    cop_params_init(&last, tail);
    cop_params_randomise(&params, model, 3);
    cop_tail_take(model, &params, &last);
    seen = cop_tail_features(model, &params, set, NULL);
    assert_int_equal(seen->samples, 250);
    assert_int_equal(cop_dataset_features(seen), 16);
    cop_net_score(model, &params, set, &accuracy[0], &loss[0]);
    cop_net_score(tail, &last, seen, &accuracy[1], &loss[1]);
    assert_near(accuracy[0], accuracy[1], 0);
    assert_near(loss[0], loss[1], 1e-12);
    /* with dropout: other numbers, the same ones for the same seed */
    const uint64_t seed = 5, other = 6;
    dropped = cop_tail_features(model, &params, set, &seed);
    again = cop_tail_features(model, &params, set, &seed);
    const size_t bytes = 250 * 16 * sizeof(float);
    assert_memory_equal(dropped->x, again->x, bytes);
    assert_memory_not_equal(dropped->x, seen->x, bytes);
    cop_dataset_destroy(again);
    again = cop_tail_features(model, &params, set, &other);
    assert_memory_not_equal(dropped->x, again->x, bytes);
    /* what is put back is what counts */
    for (size_t i = 0; i < last.weights; i++) last.w[i] = -last.w[i];
    cop_tail_put(model, &params, &last);
    cop_net_score(model, &params, set, NULL, &loss[0]);
    cop_net_score(tail, &last, seen, NULL, &loss[1]);
    assert_near(loss[0], loss[1], 1e-12);
    assert_ok(cop_model_create(&conv, "1x3x3", "conv2d(2,3) flatten"));
    cop_model_destroy(tail);
    assert_int_equal(cop_tail_create(&tail, conv), COP_E_CONFIG);
    cop_error_clear();
    cop_model_destroy(conv);
    cop_dataset_destroy(again);
    cop_dataset_destroy(dropped);
    cop_dataset_destroy(seen);
    cop_dataset_destroy(set);
    cop_params_clear(&params);
    cop_params_clear(&last);
    cop_model_destroy(model);
    cop_conf_destroy(conf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_optimiser_learns_a_small_set_by_heart),
        cmocka_unit_test(the_same_training_gives_the_same_bits),
        cmocka_unit_test(an_epoch_uses_every_sample_once),
        cmocka_unit_test(order_dropout_and_rate_are_addressed),
        cmocka_unit_test(reports_are_means_and_judge_without_dropout),
        cmocka_unit_test(held_back_samples_are_not_learnt),
        cmocka_unit_test(patience_ends_training_and_the_best_epoch_is_kept),
        cmocka_unit_test(zero_epochs_leave_the_first_weights),
        cmocka_unit_test(refusals_say_what_to_change),
        cmocka_unit_test(keys_name_what_matters),
        cmocka_unit_test(training_goes_on_from_given_weights),
        cmocka_unit_test(the_tail_sees_what_the_last_layer_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
