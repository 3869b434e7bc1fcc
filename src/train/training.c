/* Training from [train]: epochs, rewiring. */
#include "training.h"

#include <math.h>
#include <string.h>

#include "optimiser.h"

#define OF "train"

static bool is(const cop_conf *conf, const char *key, const char *word) {
    return strcmp(cop_conf_text(conf, OF, key), word) == 0;
}

static void read_plan(cop_training *t) {
    const cop_conf *conf = t->conf;
    const cop_rewire_algorithm *named =
        cop_rewire_algorithm_find(cop_conf_text(conf, OF, "algorithm"));
    const char *remove = named ? named->remove : cop_conf_text(conf, OF, "remove");
    const char *add = named ? named->add : cop_conf_text(conf, OF, "add");
    t->plan = (cop_rewire_plan){.remove = remove ? cop_remove_rule_find(remove) : NULL,
                                .add = add ? cop_add_rule_find(add) : NULL,
                                .zeta = cop_conf_real(conf, OF, "zeta"),
                                .draw_weights = is(conf, "new_weights", "drawn"),
                                .forget = is(conf, "memory", "forget"),
                                .dropping = cop_conf_bool(conf, OF, "similarity_dropout"),
                                .seed = t->seed};
    COP_ASSERT(!remove || (t->plan.remove && t->plan.add));
}

static void read_step(cop_training *t) {
    const cop_conf *conf = t->conf;
    const float decay = (float)cop_conf_real(conf, OF, "weight_decay");
    const bool decoupled = is(conf, "decay_kind", "decoupled");
    t->rate = cop_conf_real(conf, OF, "rate");
    t->beta1 = cop_conf_real(conf, OF, "beta1");
    t->beta2 = cop_conf_real(conf, OF, "beta2");
    t->step = (cop_step){.adam = t->net->settings.adam,
                         .momentum = (float)cop_conf_real(conf, OF, "momentum"),
                         .l2 = decoupled ? 0 : decay,
                         .shrink = decoupled ? decay : 0,
                         .beta1 = (float)t->beta1,
                         .beta2 = (float)t->beta2,
                         .epsilon = 1e-8f};
}

static cop_status split(cop_training *t) {
    const double share = cop_conf_real(t->conf, OF, "validation");
    const size_t n = t->train->samples, batch = t->batch;
    if (n == 0 || n > UINT32_MAX)
        return cop_conf_fail(t->conf, OF, "task", "%zu samples to learn from", n);
    t->held = (size_t)(share * (double)n);
    t->learnt = n - t->held;
    if (share > 0 && t->held == 0)
        return cop_conf_fail(t->conf, OF, "validation", "of %zu samples that is none", n);
    if (t->drop_last && t->learnt < batch)
        return cop_conf_fail(t->conf, OF, "batch",
                             "there are only %zu samples to learn from: take smaller batches, or "
                             "last_batch = keep",
                             t->learnt);
    t->order = COP_NEW_ARRAY(uint32_t, n);
    t->turn = COP_NEW_ARRAY(uint32_t, t->learnt);
    for (size_t i = 0; i < n; i++) t->order[i] = (uint32_t)i;
    if (t->held) {
        cop_rng rng = cop_rng_at(t->seed, 0, UINT32_MAX, COP_FOR_SPLIT);
        cop_rng_shuffle(&rng, t->order, n);
    }
    return COP_OK;
}

cop_status cop_training_create(cop_training **out, const cop_conf *conf, const cop_dataset *train,
                               const cop_dataset *test) {
    cop_live_settings settings;
    cop_status status = COP_OK;
    *out = NULL;
    COP_TRY(cop_training_check(conf));
    cop_model *front;
    COP_TRY(cop_training_settings(conf, cop_training_shape(train), (size_t)train->classes,
                                  &settings, &front));
    cop_training *t = COP_NEW(cop_training);
    t->front = front;
    t->conf = conf;
    t->train = train;
    t->test = test;
    t->seed = settings.seed;
    t->team.size = 1;
    t->batch = (size_t)cop_conf_int(conf, OF, "batch");
    t->parts = (size_t)cop_conf_int(conf, OF, "parts");
    t->epochs = (size_t)cop_conf_int(conf, OF, "epochs");
    t->every = (size_t)cop_conf_int(conf, OF, "every");
    t->similarity_samples = (size_t)cop_conf_int(conf, OF, "similarity_samples");
    t->test_dropout = cop_conf_bool(conf, OF, "test_dropout");
    t->drop_last = is(conf, "last_batch", "drop");
    t->schedule = cop_conf_text(conf, OF, "schedule");
    t->decay = cop_conf_real(conf, OF, "decay");
    t->fall = (size_t)cop_conf_int(conf, OF, "step");
    COP_GO(cop_live_create(&t->net, &settings));
    COP_GO(cop_memory_ask("gradients of each part of [train] parts", 1,
                          (uint64_t)cop_training_parts_bytes(t)));
    if (cop_training_wants_rbm(conf)) {
        COP_GO(cop_training_check_range(train));
        if (test) COP_GO(cop_training_check_range(test));
        t->rbm = cop_rbm_create(t->net);
        t->chain = (size_t)cop_conf_int(conf, OF, "cd");
    }
    COP_GO(split(t));
    read_plan(t);
    read_step(t);
    if (t->plan.remove) COP_GO(cop_rewire_check(t->net, &t->plan));
    t->rows = cop_alloc(settings.batch, sizeof *t->rows);
    t->label = COP_NEW_ARRAY(int32_t, settings.batch);
    t->core = COP_NEW_ARRAY(uint32_t, settings.width[0]);
    t->augment = cop_augment_create(conf, train, settings.batch);
    *out = t;
    return COP_OK;
done:
    cop_training_destroy(t);
    return status;
}

double cop_training_parts_bytes(const cop_training *t) {
    /* and two lists of what the slices are told */
    return t->parts > 1 ? (double)(t->parts + 2) * (double)t->net->slope_count * sizeof(float) : 0;
}

void cop_training_destroy(cop_training *t) {
    if (!t) return;
    cop_rbm_destroy(t->rbm);
    cop_live_destroy(t->net);
    cop_model_destroy(t->front);
    cop_augment_destroy(t->augment);
    cop_free(t->order);
    cop_free(t->turn);
    cop_free(t->rows);
    cop_free(t->label);
    cop_free(t->history);
    cop_free(t->core);
    cop_free(t->slopes);
    cop_free(t);
}

/* ------------------------------------------------------------------ an epoch */

static void rewire(cop_training *t, const cop_rewire_plan *plan) {
    cop_rewire_facts facts;
    cop_rewire_plan with = *plan;
    const size_t limit = t->similarity_samples; /* of those that are learnt from */
    with.error = limit && limit < t->learnt;
    memcpy(t->turn, t->order, t->learnt * sizeof *t->turn);
    if (with.error) { /* others each time */
        cop_rng rng = cop_rng_at(t->seed, t->epoch, 1, COP_FOR_SHUFFLE);
        cop_rng_shuffle(&rng, t->turn, t->learnt);
    }
    cop_rewire_collect(&facts, t->net, &with, t->train, t->turn, with.error ? limit : t->learnt);
    cop_rewire(t->net, &with, &facts, t->core);
    /* of so many drawn without return */
    t->similarity_error = facts.error * sqrt(1 - (double)limit / (double)t->learnt);
    cop_rewire_facts_clear(&facts);
}

/* Samples @p from to @p end of a batch of n: their share of the gradient of its mean loss. */
static void one_part(cop_training *t, const uint32_t *which, size_t from, size_t end, size_t n,
                     uint32_t number, double found[2]) {
    const size_t features = cop_dataset_features(t->train);
    size_t correct;
    for (size_t i = from; i < end; i++) {
        t->rows[i - from] = t->augment ? cop_augment_sample(t->augment, t->train, which[i], t->seed,
                                                            t->epoch, i - from)
                                       : t->train->x + which[i] * features;
        t->label[i - from] = t->train->label[which[i]];
    }
    cop_live_forward(t->net, t->rows, end - from, &number);
    found[0] = cop_live_loss(t->net, t->label, 1.0 / (double)n, &correct, NULL);
    found[1] = (double)correct;
    cop_live_backward(t->net, NULL, NULL);
}

/* The gradients of our parts, and with a team those of the others in our slice. */
static void do_parts(cop_training *t, const uint32_t *which, size_t n, double *found) {
    const cop_training_team *team = &t->team;
    const size_t length = t->net->slope_count, parts = t->parts;
    const size_t first = team->room ? team->first_part : 0,
                 last = team->room ? team->end_part : parts;
    const uint32_t number = (uint32_t)(t->batches * parts);
    float *sum = t->net->slopes;
    double *all = found;
    if (team->room) {
        team->room(team->user, &t->part, &all);
    } else {
        if (!t->slopes) t->slopes = cop_alloc(parts, length * sizeof(float));
        t->part = t->slopes;
    }
    for (size_t p = first; p < last; p++) {
        const size_t from = n * p / parts, end = n * (p + 1) / parts;
        all[2 * p] = all[2 * p + 1] = 0;
        cop_live_slopes(t->net, t->part + p * length);
        if (from < end)
            one_part(t, which, from, end, n, number + (uint32_t)p, all + 2 * p);
        else
            memset(t->part + p * length, 0, length * sizeof *t->part);
    }
    cop_live_slopes(t->net, sum);
    if (team->share) team->share(team->user);
    if (all != found) memcpy(found, all, 2 * parts * sizeof *found);
}

/* Numbers @p from to @p end of the sum of all parts, in order. */
static void add_parts(float *sum, const float *part, size_t parts, size_t length, size_t from,
                      size_t end) {
    for (size_t i = from; i < end; i++) sum[i] = part[i] + part[length + i];
    for (size_t p = 2; p < parts; p++)
        for (size_t i = from; i < end; i++) sum[i] += part[p * length + i];
}

/* What the slices of others hold now. */
static void put_others(cop_training *t, cop_live_list what, const float *whole) {
    cop_live_put(t->net, what, 0, t->team.first, whole);
    cop_live_put(t->net, what, t->team.end, t->net->slope_count, whole);
}

/* The step along the sum of the parts, for our slice; the others' from them. In windows that stay
 * in the first-level cache between the sum, the step and the copy: the parts are read once from
 * memory, the sum never. */
static void step_parts(cop_training *t) {
    enum { WINDOW = 2048 };
    const cop_training_team *team = &t->team;
    const size_t length = t->net->slope_count, first = team->whole ? team->first : 0,
                 last = team->whole ? team->end : length;
    float *whole = team->whole ? team->whole(team->user) : NULL;
    for (size_t at = first; at < last; at += WINDOW) {
        const size_t end = last - at < WINDOW ? last : at + WINDOW;
        add_parts(t->net->slopes, t->part, t->parts, length, at, end);
        cop_live_step(t->net, &t->step, at, end);
        if (whole) cop_live_copy(t->net, COP_LIVE_PARAMETERS, at, end, whole);
    }
    if (!whole) return;
    team->gather(team->user);
    put_others(t, COP_LIVE_PARAMETERS, whole);
}

/* What the optimiser of each rank remembers of its slice, to all. */
static void share_memory(cop_training *t) {
    const cop_training_team *team = &t->team;
    for (cop_live_list what = COP_LIVE_M; what <= (t->step.adam ? COP_LIVE_V : COP_LIVE_M);
         what++) {
        float *whole = team->whole(team->user);
        cop_live_copy(t->net, what, team->first, team->end, whole);
        team->gather(team->user);
        put_others(t, what, whole);
    }
}

/* A step of an RBM; the sum of its errors of reconstruction. */
static double contrastive(cop_training *t, const uint32_t *which, size_t n) {
    const size_t features = cop_dataset_features(t->train);
    for (size_t i = 0; i < n; i++) t->rows[i] = t->train->x + which[i] * features;
    return cop_rbm_learn(t->rbm, t->rows, n, t->chain, (uint32_t)t->batches, &t->step);
}

static cop_status one_step(cop_training *t, const uint32_t *which, size_t n, double *loss,
                           size_t *correct) {
    double found[2 * 64] = {0}, right = 0; /* by part: loss, number of right ones */
    t->steps++;
    if (t->step.adam) {
        t->step.correct1 = (float)(1 / (1 - pow(t->beta1, (double)t->steps)));
        t->step.correct2 = (float)(1 / (1 - pow(t->beta2, (double)t->steps)));
    }
    if (t->rbm)
        found[0] = contrastive(t, which, n);
    else if (t->parts > 1)
        do_parts(t, which, n, found);
    else
        one_part(t, which, 0, n, n, (uint32_t)t->batches, found);
    t->batches++;
    *loss = 0;
    for (size_t p = 0; p < t->parts; p++) {
        *loss += found[2 * p];
        right += found[2 * p + 1];
    }
    *correct = (size_t)right;
    if (!isfinite(*loss))
        return cop_fail(COP_E_EVALUATE,
                        "[train] diverged in epoch %u: the loss is no longer finite; lower rate "
                        "(it is %g)",
                        t->epoch + 1, (double)t->step.rate);
    if (t->parts > 1)
        step_parts(t);
    else if (!t->rbm)
        cop_live_step(t->net, &t->step, 0, t->net->slope_count);
    return COP_OK;
}

cop_status cop_training_epoch(cop_training *t) {
    const size_t batch = t->batch;
    const double start = cop_clock();
    cop_training_row row = {0};
    size_t seen = 0, right = 0;
    t->similarity_error = NAN;
    if (t->plan.remove && t->epoch && t->epoch % t->every == 0) {
        t->plan.epoch = t->epoch;
        rewire(t, &t->plan);
        if (t->plan.forget) t->steps = 0; /* adam's corrections begin anew */
    }
    t->step.rate =
        (float)cop_schedule_rate(t->schedule, t->rate, t->decay, t->fall, t->epoch, t->epochs);
    memcpy(t->turn, t->order, t->learnt * sizeof *t->turn);
    cop_rng rng = cop_rng_at(t->seed, t->epoch, 0, COP_FOR_SHUFFLE);
    cop_rng_shuffle(&rng, t->turn, t->learnt);
    for (size_t at = 0; at < t->learnt; at += batch) {
        const size_t left = t->learnt - at, n = left < batch ? left : batch;
        double loss;
        size_t correct;
        if (n < batch && t->drop_last) break;
        COP_TRY(one_step(t, t->turn + at, n, &loss, &correct));
        row.loss += loss;
        right += correct;
        seen += n;
    }
    if (t->team.whole) share_memory(t);
    row.loss /= (double)seen;
    row.accuracy = (double)right / (double)seen;
    if (t->rbm) row.accuracy = NAN;
    row.validation = row.test = row.test_loss = NAN;
    double unused;
    if (t->held)
        cop_training_score(t, t->train, t->order + t->learnt, t->held, false, &row.validation,
                           &unused);
    if (t->test && t->test->samples)
        cop_training_score(t, t->test, NULL, t->test->samples, t->test_dropout, &row.test,
                           &row.test_loss);
    row.edges = (double)cop_live_edges(t->net);
    row.seconds = cop_clock() - start;
    t->history = cop_realloc(t->history, t->epoch, t->epoch + 1u, sizeof *t->history);
    t->history[t->epoch++] = row;
    return COP_OK;
}

bool cop_training_finish(cop_training *t) {
    cop_rewire_plan plan = t->plan;
    if (!plan.remove) return false;
    plan.add = NULL;
    plan.epoch = t->epoch;
    rewire(t, &plan);
    return true;
}
