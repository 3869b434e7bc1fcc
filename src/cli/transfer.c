#include "transfer.h"

#include <math.h>
#include <string.h>

#include "coppice/io.h"

/* ------------------------------------------------------------------ the network to begin with */

/* As published the shared weight is the best one on the test samples; else on those of evolution.
 */
static cop_status choose_value(cop_transfer *t, const char *task, const cop_dataset *test,
                               double *value) {
    cop_dataset *set = NULL;
    cop_evidence evidence;
    uint16_t *predicted = NULL;
    *value = NAN;
    if (t->judge.setup.weighting.kind == COP_WEIGHTS_TRAINED) return COP_OK;
    if (!t->as_published) COP_TRY(cop_judge_load(&t->judge, task, COP_SPLIT_EVOLVE, &set));
    cop_status status = cop_judge_predict(&t->judge, set ? set : test, &evidence, &predicted);
    if (status == COP_OK)
        *value = t->judge.setup.weighting.value[cop_judge_best(&t->judge, &evidence)];
    cop_free(predicted);
    cop_dataset_destroy(set);
    return status;
}

/* The last layer after another task, as published: signs and biases are kept, sizes are not. */
static void sign_again(cop_params *tail, cop_weighting_kind kind, double value) {
    if (kind == COP_WEIGHTS_TRAINED) return;
    for (size_t i = 0; i < tail->weights; i++) {
        float w = tail->w[i];
        bool minus = w < 0 && kind == COP_WEIGHTS_SIGNED;
        tail->w[i] = w == 0 ? 0 : minus ? -(float)value : (float)value;
    }
}

static void begin_network(cop_transfer *t, size_t task, double value) {
    const cop_network *network = t->subject.network;
    const cop_weighting_kind kind = network->weighting.kind;
    cop_params_copy(&t->params, &network->params);
    cop_effective_weights(&network->params, &network->mask, kind, value, t->params.w);
    if (t->as_published && task > 0) {
        sign_again(&t->tail, kind, value);
        cop_tail_put(network->model, &t->params, &t->tail);
    }
    cop_tail_take(network->model, &t->params, &t->tail);
}

/* ------------------------------------------------------------------ training */

static double test_accuracy(const cop_transfer *t, const cop_dataset *features) {
    double accuracy;
    cop_net_score(t->tail_model, &t->tail, features, &accuracy, NULL);
    return 100 * accuracy;
}

static cop_status base_conf(cop_conf **conf, const char *optimiser, double rate, uint64_t epochs,
                            double validation, uint64_t seed) {
    cop_buf ini = {0};
    cop_buf_printf(&ini,
                   "[base]\noptimiser = %s\nrate = %.17g\nmomentum = 0.9\nschedule = constant\n"
                   "batch = 100\nepochs = %llu\nvalidation = %.17g\nseed = %llu\n",
                   optimiser, rate, (unsigned long long)epochs, validation,
                   (unsigned long long)(seed & 0x1fffffffffffff)); /* as large as a seed may be */
    cop_status status = cop_conf_parse(conf, cop_run_schema(), cop_buf_text(&ini), "transfer");
    cop_buf_clear(&ini);
    return status;
}

/* Thesis: every epoch is a training of its own, with dropout in the layers before too. */
static cop_status train_as_published(cop_transfer *t, size_t number, const cop_dataset *train,
                                     const cop_dataset *test) {
    cop_transferred *out = &t->result[number];
    cop_status status = COP_OK;
    for (size_t epoch = 0; epoch < t->epochs && status == COP_OK; epoch++) {
        const uint64_t seed = t->seed + 1000003 * (number + COP_TASKS_MAX * epoch);
        cop_conf *conf = NULL;
        cop_dataset *seen = cop_tail_features(t->subject.network->model, &t->params, train, &seed);
        status = base_conf(&conf, "sgd", t->rate, 1, 0, seed);
        if (status == COP_OK)
            status = cop_train_on(conf, t->tail_model, seen, &t->tail, NULL, NULL);
        cop_dataset_destroy(seen);
        cop_conf_destroy(conf);
        out->epoch[out->epochs++] = test_accuracy(t, test);
    }
    for (size_t e = 0; e < out->epochs; e++) out->after += out->epoch[e] / (double)out->epochs;
    out->kept = out->epochs;
    return status;
}

static void scale(float *values, size_t count, double by) {
    for (size_t i = 0; i < count; i++) values[i] = (float)(values[i] * by);
}

static double rms(const float *values, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)values[i] * values[i];
    double size = count ? sqrt(sum / (double)count) : 0;
    return size > 0 && isfinite(size) ? size : 1;
}

/* Root mean square of the tail's outputs on some of the samples. */
static double logit_size(const cop_transfer *t, const cop_dataset *set) {
    const size_t n = set->samples < 1000 ? set->samples : 1000;
    cop_net_work *work = cop_net_work_create(t->tail_model, n, false);
    const float *logits = cop_net_forward(work, &t->tail, set->x, n, NULL);
    double size = rms(logits, n * t->tail_model->classes);
    cop_net_work_destroy(work);
    return size;
}

typedef struct watch {
    cop_transfer *transfer;
    cop_transferred *out;
    const cop_dataset *test;
    double lowest;
} watch;

static bool after_epoch(void *user, const cop_train_report *report) {
    watch *w = user;
    w->out->epoch[w->out->epochs++] = test_accuracy(w->transfer, w->test);
    if (isnan(report->validation_loss) || report->validation_loss < w->lowest) {
        w->lowest = report->validation_loss;
        w->out->kept = w->out->epochs;
        w->out->validation = 100 * report->validation_accuracy;
    }
    return true;
}

/* Inputs are brought to a root mean square of 1, outputs too: the predictions before the first step
 * are those of the network given, and rates mean the same whatever the shared weight. */
static cop_status train_well(cop_transfer *t, size_t number, const cop_dataset *train,
                             cop_dataset *test) {
    cop_transferred *out = &t->result[number];
    cop_conf *conf = NULL;
    cop_dataset *seen = cop_tail_features(t->subject.network->model, &t->params, train, NULL);
    const size_t width = cop_dataset_features(seen);
    const double size = rms(seen->x, seen->samples * width);
    scale(seen->x, seen->samples * width, 1 / size);
    scale(test->x, test->samples * width, 1 / size);
    scale(t->tail.w, t->tail.weights, size);
    const double logits = logit_size(t, seen);
    scale(t->tail.w, t->tail.weights, 1 / logits);
    scale(t->tail.b, t->tail.biases, 1 / logits);
    watch w = {.transfer = t, .out = out, .test = test, .lowest = INFINITY};
    cop_status status = base_conf(&conf, "adam", t->rate, t->epochs, t->validation, t->seed);
    if (status == COP_OK)
        status = cop_train_on(conf, t->tail_model, seen, &t->tail, after_epoch, &w);
    out->after = test_accuracy(t, test);
    scale(t->tail.w, t->tail.weights, 1 / size); /* back to the inputs as they come */
    cop_dataset_destroy(seen);
    cop_conf_destroy(conf);
    return status;
}

/* ------------------------------------------------------------------ one task, all tasks */

/* The network as it computes now: its own weights, and all edges of the last layer. */
static cop_status finish(cop_transfer *t, size_t number) {
    const cop_network *given = t->subject.network;
    cop_network network = *given; /* lent */
    cop_status status = COP_OK;
    network.params = t->params;
    network.weighting = (cop_weighting){.kind = COP_WEIGHTS_TRAINED, .values = 1, .value = {1}};
    cop_mask_init(&network.mask, given->mask.bits);
    cop_mask_copy(&network.mask, &given->mask);
    cop_tail_put(given->model, &t->params, &t->tail);
    for (size_t i = given->mask.bits - t->tail.weights; i < given->mask.bits; i++)
        if (t->params.w[i] != 0) cop_mask_set(&network.mask, i);
    t->result[number].edges = cop_mask_count(&network.mask);
    if (t->folder) {
        char *path = cop_sprintf("%s/%s.h5", t->folder, t->tasks.items[number]);
        status = cop_network_write(&network, path);
        cop_free(path);
    }
    cop_mask_clear(&network.mask);
    return status;
}

static cop_status transfer_task(cop_transfer *t, size_t number) {
    const char *task = t->tasks.items[number];
    cop_transferred *out = &t->result[number];
    cop_dataset *train = NULL, *test = NULL, *features = NULL;
    cop_status status = COP_OK;
    cop_activity_set("retraining the last layer for task %s", task);
    COP_GO(cop_judge_load(&t->judge, task, COP_SPLIT_TEST, &test));
    COP_GO(cop_judge_load(&t->judge, task, COP_SPLIT_TRAIN, &train));
    COP_GO(choose_value(t, task, test, &out->value));
    out->learnt = train->samples;
    out->samples = test->samples;
    out->validation = NAN;
    out->epoch = COP_NEW_ARRAY(double, t->epochs);
    begin_network(t, number, out->value);
    features = cop_tail_features(t->subject.network->model, &t->params, test, NULL);
    out->before = test_accuracy(t, features);
    COP_GO(t->as_published ? train_as_published(t, number, train, features)
                           : train_well(t, number, train, features));
    COP_GO(finish(t, number));
    cop_log(COP_LOG_INFO, "task %s: %.2f %% before, %.2f %% after", task, out->before, out->after);
done:
    cop_dataset_destroy(train);
    cop_dataset_destroy(test);
    cop_dataset_destroy(features);
    return status;
}

cop_status cop_transfer_run(cop_transfer *t) {
    const cop_model *model = t->subject.network->model;
    COP_TRY(cop_tail_create(&t->tail_model, model));
    cop_params_init(&t->params, model);
    cop_params_init(&t->tail, t->tail_model);
    if (t->folder) COP_TRY(cop_make_dirs(t->folder));
    for (size_t i = 0; i < t->tasks.count; i++) COP_TRY(transfer_task(t, i));
    return COP_OK;
}

void cop_transfer_clear(cop_transfer *t) {
    for (size_t i = 0; i < COP_TASKS_MAX; i++) cop_free(t->result[i].epoch);
    cop_params_clear(&t->params);
    cop_params_clear(&t->tail);
    cop_model_destroy(t->tail_model);
    cop_list_clear(&t->tasks);
    cop_judge_close(&t->judge);
    cop_subject_close(&t->subject);
}
