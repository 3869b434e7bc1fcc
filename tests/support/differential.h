/** @file differential.h
 *  What a case (random_case.h) must give, by the oracle, and the comparison of an evaluator's
 *  answers with it: counts, losses, predictions and hidden rows, all bits.
 */
#ifndef COPPICE_TEST_DIFFERENTIAL_H
#define COPPICE_TEST_DIFFERENTIAL_H

#include "oracle.h"
#include "random_case.h"

#include <string.h>

#include "net/eval_score.h"

/** The case at work; failures name it. */
static const test_case *test_now;
static bool test_by_number; /* the program runs one case by its number */
static const char *test_who = "?";
#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) test_case_failed(#condition, __LINE__, __VA_ARGS__);                     \
    } while (0)
__attribute__((noreturn, format(printf, 3, 4))) static inline void
test_case_failed(const char *condition, int line, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const cop_eval_setup *s = &test_now->setup;
    fail_msg("line %d, %s: %s: %s\n  case %u: %s\n  %zu individuals, %zu samples, batch %zu, "
             "scale %g, %zu values, %zu hidden layers\n  %s%u",
             line, test_who, condition, text, test_now->number, s->model->spec, test_now->count,
             test_now->net.n, s->batch, s->scale, s->weighting.values, s->hidden,
             test_by_number ? "again: run this program with COPPICE_TEST_CASE=" : "number ",
             test_now->number);
    abort();
}

/** What one individual must give. */
typedef struct test_wanted {
    int64_t *logit;  /* (V, n, classes) */
    uint16_t *class; /* (V, n) */
    double *loss;    /* (V, n) of each sample */
    double *rows[8]; /* (n, width) */
    double factor[COP_VALUES_MAX];
    bool fits; /* the interval rule leaves `sign` no reason to refuse */
} test_wanted;

static inline void test_want(const test_case *t, size_t individual, test_wanted *w) {
    const cop_eval_setup *s = &t->setup;
    const cop_model *m = s->model;
    size_t n = t->net.n, values = s->weighting.values, classes = m->classes;
    size_t inputs = cop_shape_size(m->input);
    test_oracle o = test_oracle_create(s, &t->mask[individual]);
    double *z = COP_NEW_ARRAY(double, classes), used[COP_VALUES_MAX + 1];
    int64_t low = 0, high = 0;
    w->logit = cop_alloc(values * n * classes, sizeof(int64_t));
    w->class = cop_alloc(values * n, sizeof(uint16_t));
    w->loss = cop_alloc(values * n, sizeof(double));
    for (size_t h = 0; h < s->hidden; h++)
        w->rows[h] = cop_alloc(n * cop_shape_size(m->layers[s->hidden_layer[h]].out), 8);
    memcpy(used, s->weighting.value, values * sizeof *used);
    used[values] = s->hidden_value;
    for (size_t i = 0; i < n * inputs; i++) {
        int64_t x = llrint((double)t->net.x[i] * s->scale);
        low = x < low ? x : low;
        high = x > high ? x : high;
    }
    w->fits = test_oracle_fits(&o, used, values + (s->hidden > 0), low, high);
    for (size_t v = 0; w->fits && v < values + (s->hidden > 0); v++)
        for (size_t i = 0; i < n; i++) {
            test_oracle_run(&o, used[v], t->net.x + i * inputs);
            for (size_t h = 0; v == values && h < s->hidden; h++) {
                size_t layer = s->hidden_layer[h], width = cop_shape_size(m->layers[layer].out);
                for (size_t j = 0; j < width; j++)
                    w->rows[h][i * width + j] =
                        (double)(int64_t)o.out[layer][j] * (o.power[layer] / s->scale);
            }
            if (v == values) continue;
            size_t best = 0, label = (size_t)t->net.label[i];
            w->factor[v] = o.power[m->count - 1] / s->scale;
            for (size_t k = 0; k < classes; k++) {
                test_wide logit = o.out[m->count - 1][k];
                CHECK(logit == (test_wide)(int64_t)logit, "the oracle leaves 64 bits");
                w->logit[(v * n + i) * classes + k] = (int64_t)logit;
                z[k] = (double)(int64_t)logit * w->factor[v];
                if (logit > o.out[m->count - 1][best]) best = k;
            }
            w->class[v * n + i] = (uint16_t)best;
            w->loss[v * n + i] = cop_score_loss(z, classes, label);
        }
    cop_free(z);
    test_oracle_clear(&o);
}

static inline void test_wanted_clear(test_wanted *w, size_t hidden) {
    cop_free(w->logit);
    cop_free(w->class);
    cop_free(w->loss);
    for (size_t h = 0; h < hidden; h++) cop_free(w->rows[h]);
}

/** One call of evaluate: which individuals in which order on which samples. */
typedef struct test_call {
    size_t count, who[TEST_BLOCK_MOST];
    size_t first, n;
    bool listen, predict;
} test_call;

/** What a call gave. */
typedef struct test_answer {
    const test_case *of;
    const test_call *call;
    cop_evidence evidence[TEST_BLOCK_MOST];
    uint16_t *class;                  /* (count, V, n) */
    double *rows[TEST_BLOCK_MOST][8]; /* (n, width) */
    size_t next[TEST_BLOCK_MOST];     /* calls of the sink so far */
} test_answer;

static inline cop_status test_listen(void *user, size_t individual, size_t which,
                                     const double *rows, size_t n, size_t width, size_t task,
                                     size_t batch, cop_evidence *evidence) {
    test_answer *a = user;
    const cop_eval_setup *s = &a->of->setup;
    CHECK(individual < a->call->count, "individual %zu", individual);
    size_t at = a->next[individual]++, first = at / s->hidden * s->batch, left = a->call->n - first;
    CHECK(which == at % s->hidden && batch == 7 + at / s->hidden && task == 3,
          "call %zu of the sink: layer %zu, batch %zu", at, which, batch);
    CHECK(first < a->call->n && n == (left < s->batch ? left : s->batch), "%zu rows", n);
    CHECK(width == cop_shape_size(s->model->layers[s->hidden_layer[which]].out), "%zu", width);
    CHECK(evidence == &a->evidence[individual], "whose evidence");
    memcpy(a->rows[individual][which] + first * width, rows, n * width * sizeof *rows);
    evidence->similarity[which] += (double)n;
    evidence->batches++;
    return COP_OK;
}

static inline cop_status test_ask(const cop_evaluator *evaluator, void *self, const test_case *t,
                                  const test_call *call, test_answer *a) {
    const cop_eval_setup *s = &t->setup;
    const cop_mask *masks[TEST_BLOCK_MOST];
    cop_shard shard = {.x = t->net.x + call->first * cop_shape_size(s->model->input),
                       .label = t->net.label + call->first,
                       .n = call->n,
                       .batch_base = 7,
                       .task = 3};
    memset(a, 0, sizeof *a);
    memset(a->evidence, 0xcc, sizeof a->evidence); /* everything is overwritten */
    a->of = t;
    a->call = call;
    a->class = cop_alloc(call->count * s->weighting.values * call->n, sizeof(uint16_t));
    memset(a->class, 0xcc, call->count * s->weighting.values * call->n * sizeof(uint16_t));
    for (size_t i = 0; i < call->count; i++) {
        masks[i] = &t->mask[call->who[i]];
        for (size_t h = 0; call->listen && h < s->hidden; h++)
            a->rows[i][h] =
                cop_alloc(call->n * cop_shape_size(s->model->layers[s->hidden_layer[h]].out), 8);
    }
    return evaluator->evaluate(self, masks, call->count, &shard, call->listen ? test_listen : NULL,
                               a, a->evidence, call->predict ? a->class : NULL);
}

static inline void test_answer_clear(test_answer *a) {
    cop_free(a->class);
    for (size_t i = 0; i < a->call->count; i++)
        for (size_t h = 0; h < 8; h++) cop_free(a->rows[i][h]);
}

/** The parts of an answer that do not depend on arithmetic. */
static inline void test_check_form(const test_answer *a) {
    const cop_eval_setup *s = &a->of->setup;
    size_t n = a->call->n, batches = (n + s->batch - 1) / s->batch;
    bool heard = a->call->listen && s->hidden;
    for (size_t i = 0; i < a->call->count; i++) {
        const cop_evidence *e = &a->evidence[i];
        CHECK(e->samples == n, "%zu samples", (size_t)e->samples);
        CHECK(a->next[i] == (heard ? batches * s->hidden : 0), "%zu calls", a->next[i]);
        CHECK(e->batches == a->next[i], "%zu batches", (size_t)e->batches);
        for (size_t h = 0; h < 8; h++)
            CHECK(e->similarity[h] == (double)(heard && h < s->hidden ? n : 0), "layer %zu", h);
        for (size_t v = s->weighting.values; v < COP_VALUES_MAX; v++)
            CHECK(e->correct[v] == 0 && e->loss[v] == 0.0, "value %zu is not asked for", v);
        for (size_t v = 0; a->call->predict && v < s->weighting.values; v++) {
            size_t correct = 0;
            for (size_t k = 0; k < n; k++)
                correct += a->class[(i * s->weighting.values + v) * n + k] ==
                           a->of->net.label[a->call->first + k];
            CHECK(e->correct[v] == correct, "individual %zu: %zu, predictions say %zu", i,
                  (size_t)e->correct[v], correct);
        }
    }
}

/** All of an answer of `sign`, bit by bit. */
static inline void test_check_exact(const test_answer *a, const test_wanted *wanted) {
    const cop_eval_setup *s = &a->of->setup;
    size_t n = a->call->n, all = a->of->net.n, first = a->call->first;
    test_check_form(a);
    for (size_t i = 0; i < a->call->count; i++) {
        const test_wanted *w = &wanted[a->call->who[i]];
        for (size_t v = 0; v < s->weighting.values; v++) {
            double loss = 0;
            size_t correct = 0;
            for (size_t k = 0; k < n; k++) {
                size_t at = v * all + first + k;
                correct += w->class[at] == a->of->net.label[first + k];
                loss += w->loss[at];
                if (!a->call->predict) continue;
                uint16_t seen = a->class[(i * s->weighting.values + v) * n + k];
                CHECK(seen == w->class[at],
                      "individual %zu, value %g, sample %zu: class %d, not %d", a->call->who[i],
                      s->weighting.value[v], first + k, seen, w->class[at]);
            }
            CHECK(a->evidence[i].correct[v] == correct, "individual %zu, value %g: %zu, not %zu",
                  a->call->who[i], s->weighting.value[v], (size_t)a->evidence[i].correct[v],
                  correct);
            CHECK(memcmp(&a->evidence[i].loss[v], &loss, sizeof loss) == 0,
                  "individual %zu, value %g: loss %.17g, not %.17g", a->call->who[i],
                  s->weighting.value[v], a->evidence[i].loss[v], loss);
        }
        for (size_t h = 0; a->call->listen && h < s->hidden; h++) {
            size_t width = cop_shape_size(s->model->layers[s->hidden_layer[h]].out);
            for (size_t j = 0; j < n * width; j++)
                CHECK(a->rows[i][h][j] == w->rows[h][first * width + j],
                      "individual %zu, layer %s, sample %zu, unit %zu: %.17g, not %.17g",
                      a->call->who[i], s->model->layers[s->hidden_layer[h]].name, first + j / width,
                      j % width, a->rows[i][h][j], w->rows[h][first * width + j]);
        }
    }
}

/** An evaluator that takes nothing from relatives gives what @p self, which
 * may, gives for @p call. */
static inline void test_alone_agrees(const cop_evaluator *evaluator, void *self, const test_case *t,
                                     const test_call *call) {
    cop_eval_setup setup = t->setup;
    test_answer shared, alone;
    void *other;
    setup.alone = true;
    assert_ok(evaluator->create(&other, &setup));
    cop_status status = test_ask(evaluator, self, t, call, &shared);
    cop_status again = test_ask(evaluator, other, t, call, &alone);
    /* ranges of long shards are taken piece by piece there, so that sums may only there fit */
    CHECK(status == again || (again == COP_OK && call->n > 1024), "%s", cop_error_message());
    if (status == COP_OK) {
        for (size_t i = 0; i < call->count; i++)
            CHECK(memcmp(&shared.evidence[i], &alone.evidence[i], sizeof alone.evidence[i]) == 0,
                  "individual %zu alone: other evidence", call->who[i]);
        size_t all = call->count * t->setup.weighting.values * call->n;
        CHECK(memcmp(shared.class, alone.class, all * sizeof(uint16_t)) == 0, "other predictions");
    }
    cop_error_clear();
    test_answer_clear(&shared);
    test_answer_clear(&alone);
    evaluator->destroy(other);
}

/** The whole block on all samples. */
static inline test_call test_call_all(const test_case *t) {
    test_call call = {
        .count = t->count, .n = t->net.n, .listen = t->setup.hidden > 0, .predict = true};
    for (size_t i = 0; i < t->count; i++) call.who[i] = i;
    return call;
}

#endif
