#include "net/eval_score.h"

#include "coppice/la.h"
#include "net/exact_math.h"

#include <math.h>

size_t cop_score_argmax(const double *logit, size_t classes) {
    size_t best = SIZE_MAX;
    for (size_t k = 0; k < classes; k++)
        if (isfinite(logit[k]) && (best == SIZE_MAX || logit[k] > logit[best])) best = k;
    return best;
}

double cop_score_loss(const double *logit, size_t classes, size_t label) {
    double top = logit[0], sum = 0;
    for (size_t k = 0; k < classes; k++) {
        if (!isfinite(logit[k])) return INFINITY;
        if (logit[k] > top) top = logit[k];
    }
    for (size_t k = 0; k < classes; k++) sum += cop_exact_exp(logit[k] - top);
    return cop_exact_log(sum) + (top - logit[label]);
}

void cop_score_add(cop_evidence *evidence, size_t v, const double *logit, size_t classes,
                   int32_t label, uint16_t *prediction) {
    size_t best = cop_score_argmax(logit, classes);
    if (best == (size_t)label) evidence->correct[v]++;
    if (prediction) *prediction = best == SIZE_MAX ? 0 : (uint16_t)best;
    evidence->loss[v] += cop_score_loss(logit, classes, (size_t)label);
}

cop_status cop_eval_check(const cop_eval_setup *setup) {
    const cop_weighting *w = &setup->weighting;
    COP_ASSERT(setup->model && setup->base && setup->batch > 0);
    COP_ASSERT(setup->base->weights == setup->model->weights &&
               setup->base->biases == setup->model->biases);
    COP_ASSERT(w->values >= 1 && w->values <= COP_VALUES_MAX);
    COP_ASSERT(setup->hidden <= sizeof setup->hidden_layer / sizeof setup->hidden_layer[0]);
    for (size_t h = 0; h < setup->hidden; h++)
        COP_ASSERT(setup->hidden_layer[h] < setup->model->count);
    if (setup->model->classes > UINT16_MAX)
        return cop_fail(COP_E_CONFIG, "[network] has %zu outputs; at most %d classes are possible",
                        setup->model->classes, UINT16_MAX);
    if (w->kind == COP_WEIGHTS_TRAINED) return COP_OK;
    for (size_t v = 0; v <= w->values; v++) {
        if (v == w->values && !setup->hidden) break;
        double value = v < w->values ? w->value[v] : setup->hidden_value;
        if (!isfinite(value) || value <= 0)
            return cop_fail(COP_E_CONFIG, "%s = %g: a shared weight must be above 0 and finite",
                            v < w->values ? "[evaluate] values" : "[similarity] value", value);
    }
    return COP_OK;
}

cop_head cop_shard_head(const cop_eval_setup *setup, const cop_shard *shard) {
    return shard->head.count ? shard->head : (cop_head){0, setup->model->classes};
}

size_t cop_eval_piece(const cop_eval_setup *setup, size_t most) {
    if (!setup->hidden)
        return most > COP_SIGN_LANES ? most / COP_SIGN_LANES * COP_SIGN_LANES : COP_SIGN_LANES;
    return most > setup->batch ? most / setup->batch * setup->batch : setup->batch;
}

size_t cop_eval_overhead(const cop_eval_setup *setup) {
    return 32768 + 1024 * setup->model->count;
}

cop_status cop_shard_check(const cop_eval_setup *setup, const cop_shard *shard) {
    const cop_head head = cop_shard_head(setup, shard);
    const size_t classes = setup->model->classes;
    if (head.first >= classes || head.count > classes - head.first)
        return cop_fail(COP_E_EVALUATE,
                        "the task's head is outputs %zu to %zu, the network has 0 to %zu: make the "
                        "last layer wider",
                        head.first, head.first + head.count - 1, classes - 1);
    for (size_t i = 0; i < shard->n; i++)
        if (shard->label[i] < 0 || (size_t)shard->label[i] >= head.count)
            return cop_fail(
                COP_E_EVALUATE,
                "sample %zu of the shard has class %d, the network has outputs 0 to %zu: "
                "make the last layer as wide as the task has classes",
                i, (int)shard->label[i], head.count - 1);
    return COP_OK;
}

cop_variants cop_eval_variants(const cop_eval_setup *setup) {
    cop_variants list = {.count = setup->weighting.values, .hidden = SIZE_MAX};
    for (size_t v = 0; v < list.count; v++) list.value[v] = setup->weighting.value[v];
    if (!setup->hidden) return list;
    if (setup->weighting.kind == COP_WEIGHTS_TRAINED) {
        list.hidden = 0;
        return list;
    }
    for (size_t v = 0; v < list.count; v++)
        if (list.value[v] == setup->hidden_value) list.hidden = v;
    if (list.hidden == SIZE_MAX) {
        list.hidden = list.count;
        list.value[list.count++] = setup->hidden_value;
    }
    return list;
}
