/* Training of a base network: epochs of shuffled batches, one step of the optimiser each, and the
 * epoch that was best on held-back samples. Whatever is drawn is addressed by epoch or batch
 * number. */
#include "optimiser.h"

#include <math.h>
#include <string.h>

/** Everything that lives through one training. */
typedef struct trainer {
    const cop_model *model;
    const cop_dataset *data;
    cop_params *params;
    const char *schedule;
    const cop_optimiser *optimiser;
    cop_hyper hyper;
    double rate, decay;
    uint64_t seed;
    size_t epochs, batch, fall, patience;
    uint32_t *order;     /* sample numbers: learnt from, then held back */
    size_t learnt, held; /* how many of each */
    uint32_t *turn;      /* those learnt from, in the order of this epoch */
    uint32_t batches;    /* since the start */
    cop_net_work *work;
    cop_params gradient, best;
    float *memory_w[COP_OPTIMISER_ARRAYS], *memory_b[COP_OPTIMISER_ARRAYS];
    float *x;
    int32_t *label;
} trainer;

typedef struct score {
    double loss;
    size_t correct;
} score;

static cop_status check(const cop_conf *conf, const cop_model *model, const cop_dataset *data) {
    if (cop_dataset_features(data) != cop_shape_size(model->input))
        return cop_conf_fail(conf, "network", "input",
                             "the network takes %zu numbers a sample, task \"%s\" has %zu "
                             "(%zux%zux%zu)",
                             cop_shape_size(model->input), data->name, cop_dataset_features(data),
                             data->channels, data->height, data->width);
    if (data->classes < 1 || (size_t)data->classes > model->classes)
        return cop_conf_fail(conf, "network", "layers",
                             "the network tells %zu classes apart, task \"%s\" has %d",
                             model->classes, data->name, (int)data->classes);
    if (data->head.count && data->head.first + data->head.count > model->classes)
        return cop_conf_fail(conf, "network", "layers",
                             "task \"%s\" has its head at outputs %zu to %zu, the network has %zu",
                             data->name, data->head.first, data->head.first + data->head.count - 1,
                             model->classes);
    if (cop_conf_int(conf, "base", "patience") > 0 &&
        cop_conf_real(conf, "base", "validation") <= 0)
        return cop_conf_fail(conf, "base", "patience",
                             "patience needs samples to be judged on; set validation, e.g. 0.1");
    if (data->samples == 0 || data->samples > UINT32_MAX)
        return cop_conf_fail(conf, "base", "task", "\"%s\" has %zu samples, wanted 1 to %u",
                             data->name, data->samples, UINT32_MAX);
    return COP_OK;
}

static cop_status split(trainer *t, const cop_conf *conf) {
    const double share = cop_conf_real(conf, "base", "validation");
    const size_t n = t->data->samples;
    t->held = (size_t)(share * (double)n);
    if (share > 0 && (t->held == 0 || t->held == n))
        return cop_conf_fail(conf, "base", "validation",
                             "of %zu samples that is %zu to judge on and %zu to learn from", n,
                             t->held, n - t->held);
    t->learnt = n - t->held;
    t->order = COP_NEW_ARRAY(uint32_t, n);
    t->turn = COP_NEW_ARRAY(uint32_t, t->learnt);
    for (size_t i = 0; i < n; i++) t->order[i] = (uint32_t)i;
    if (t->held) {
        cop_rng rng = cop_rng_at(t->seed, 0, UINT32_MAX, COP_FOR_SPLIT);
        cop_rng_shuffle(&rng, t->order, n);
    }
    return COP_OK;
}

static void prepare(trainer *t, const cop_conf *conf) {
    t->optimiser = cop_optimiser_find(cop_conf_text(conf, "base", "optimiser"));
    COP_ASSERT(t->optimiser != NULL); /* the option's choices are the list of optimisers */
    t->hyper = (cop_hyper){.momentum = cop_conf_real(conf, "base", "momentum"),
                           .weight_decay = cop_conf_real(conf, "base", "weight_decay"),
                           .rho = cop_conf_real(conf, "base", "rho"),
                           .beta1 = cop_conf_real(conf, "base", "beta1"),
                           .beta2 = cop_conf_real(conf, "base", "beta2"),
                           .epsilon = cop_conf_real(conf, "base", "epsilon")};
    t->rate = cop_conf_real(conf, "base", "rate");
    if (t->rate == 0.0) t->rate = t->optimiser->rate;
    if (t->hyper.epsilon == 0.0) t->hyper.epsilon = t->optimiser->epsilon;
    t->schedule = cop_conf_text(conf, "base", "schedule");
    t->decay = cop_conf_real(conf, "base", "decay");
    t->fall = (size_t)cop_conf_int(conf, "base", "step");
    t->epochs = (size_t)cop_conf_int(conf, "base", "epochs");
    t->batch = (size_t)cop_conf_int(conf, "base", "batch");
    t->patience = (size_t)cop_conf_int(conf, "base", "patience");
    if (t->batch > t->learnt) t->batch = t->learnt;
    t->work = cop_net_work_create(t->model, t->batch, true);
    cop_net_head(t->work, t->data->head);
    t->x = COP_NEW_ARRAY(float, t->batch *cop_shape_size(t->model->input));
    t->label = COP_NEW_ARRAY(int32_t, t->batch);
    cop_params_init(&t->gradient, t->model);
    if (t->held) cop_params_init(&t->best, t->model);
    for (size_t i = 0; i < t->optimiser->arrays; i++) {
        t->memory_w[i] = COP_NEW_ARRAY(float, t->model->weights);
        t->memory_b[i] = COP_NEW_ARRAY(float, t->model->biases);
    }
}

static void clear(trainer *t) {
    cop_net_work_destroy(t->work);
    cop_params_clear(&t->gradient);
    cop_params_clear(&t->best);
    for (size_t i = 0; i < COP_OPTIMISER_ARRAYS; i++) {
        cop_free(t->memory_w[i]);
        cop_free(t->memory_b[i]);
    }
    cop_free(t->order);
    cop_free(t->turn);
    cop_free(t->x);
    cop_free(t->label);
}

static void gather(trainer *t, const uint32_t *samples, size_t n) {
    const size_t features = cop_shape_size(t->model->input);
    for (size_t i = 0; i < n; i++) {
        memcpy(t->x + i * features, t->data->x + samples[i] * features, features * sizeof(float));
        t->label[i] = t->data->label[samples[i]];
    }
}

static cop_status learn(trainer *t, size_t epoch, score *sum) {
    memcpy(t->turn, t->order, t->learnt * sizeof *t->turn);
    cop_rng rng = cop_rng_at(t->seed, (uint32_t)epoch, 0, COP_FOR_SHUFFLE);
    cop_rng_shuffle(&rng, t->turn, t->learnt);
    for (size_t begin = 0; begin < t->learnt; begin += t->batch) {
        size_t left = t->learnt - begin, n = left < t->batch ? left : t->batch, correct;
        gather(t, t->turn + begin, n);
        cop_net_forward(t->work, t->params, t->x, n,
                        &(cop_dropout_key){.seed = t->seed, .batch = t->batches++});
        double loss = cop_net_loss(t->work, t->label, n, &correct);
        if (!isfinite(loss))
            return cop_fail(COP_E_EVALUATE,
                            "[base] training diverged in epoch %zu: the loss is no longer finite; "
                            "lower rate (it was %g)",
                            epoch + 1, t->hyper.rate);
        sum->loss += loss * (double)n;
        sum->correct += correct;
        cop_net_backward(t->work, t->params, &t->gradient);
        t->hyper.step++;
        t->optimiser->step(&t->hyper, t->model->weights, t->params->w, t->gradient.w, t->memory_w);
        t->optimiser->step(&t->hyper, t->model->biases, t->params->b, t->gradient.b, t->memory_b);
    }
    return COP_OK;
}

static score judge(trainer *t) {
    score sum = {0};
    for (size_t begin = 0; begin < t->held; begin += t->batch) {
        size_t left = t->held - begin, n = left < t->batch ? left : t->batch, correct;
        gather(t, t->order + t->learnt + begin, n);
        cop_net_forward(t->work, t->params, t->x, n, NULL);
        sum.loss += cop_net_loss(t->work, t->label, n, &correct) * (double)n;
        sum.correct += correct;
    }
    return sum;
}

static cop_status run(trainer *t, cop_train_observer observer, void *user) {
    double lowest = INFINITY;
    size_t worse = 0; /* epochs since the lowest validation loss */
    for (size_t epoch = 0; epoch < t->epochs; epoch++) {
        cop_activity_set("training the base network, epoch %zu of %zu", epoch + 1, t->epochs);
        double start = cop_clock();
        score learnt = {0}, held = {0};
        t->hyper.rate =
            cop_schedule_rate(t->schedule, t->rate, t->decay, t->fall, epoch, t->epochs);
        COP_TRY(learn(t, epoch, &learnt));
        if (t->held) held = judge(t);
        /* 0/0: not a number when nothing is held back */
        double validation_loss = held.loss / (double)t->held;
        if (t->held && validation_loss < lowest) {
            lowest = validation_loss;
            worse = 0;
            cop_params_copy(&t->best, t->params);
        } else {
            worse++;
        }
        cop_train_report report = {.epoch = epoch + 1,
                                   .epochs = t->epochs,
                                   .loss = learnt.loss / (double)t->learnt,
                                   .accuracy = (double)learnt.correct / (double)t->learnt,
                                   .validation_loss = validation_loss,
                                   .validation_accuracy = (double)held.correct / (double)t->held,
                                   .rate = t->hyper.rate,
                                   .seconds = cop_clock() - start};
        if (observer && !observer(user, &report))
            return cop_fail(COP_E_STOPPED, "training stopped on request after epoch %zu of %zu",
                            epoch + 1, t->epochs);
        if (t->patience && worse >= t->patience) break;
    }
    if (lowest < INFINITY) cop_params_copy(t->params, &t->best);
    return COP_OK;
}

/* From weights drawn anew, or from those that are in @p params. */
static cop_status train_from(bool anew, const cop_conf *conf, const cop_model *model,
                             const cop_dataset *train, cop_params *params,
                             cop_train_observer observer, void *user) {
    trainer t = {.model = model,
                 .data = train,
                 .params = params,
                 .seed = (uint64_t)cop_conf_int(conf, "base", "seed")};
    cop_status status = COP_OK;
    COP_ASSERT(params->weights == model->weights && params->biases == model->biases);
    COP_GO(check(conf, model, train));
    COP_GO(split(&t, conf));
    prepare(&t, conf);
    if (anew) cop_params_randomise(params, model, t.seed);
    COP_GO(run(&t, observer, user));
done:
    clear(&t);
    return status;
}

cop_status cop_train_base(const cop_conf *conf, const cop_model *model, const cop_dataset *train,
                          cop_params *params, cop_train_observer observer, void *user) {
    return train_from(true, conf, model, train, params, observer, user);
}

cop_status cop_train_on(const cop_conf *conf, const cop_model *model, const cop_dataset *train,
                        cop_params *params, cop_train_observer observer, void *user) {
    return train_from(false, conf, model, train, params, observer, user);
}
