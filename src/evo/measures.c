/* Measures: which there are, and their values from evidence. */
#include "evo/plan.h"

#include <math.h>
#include <string.h>

/* Layers named in [similarity], as indices into the model; in the order given, each once. */
static cop_status resolve_layer(cop_plan *plan, const char *name) {
    const cop_model *model = plan->model;
    long found = cop_model_find(model, name);
    if (found < 0 || model->layers[found].weights == 0) {
        const char **names = COP_NEW_ARRAY(const char *, plan->layer_count);
        cop_buf all = {0};
        for (size_t k = 0; k < plan->layer_count; k++) {
            names[k] = model->layers[plan->layers[k]].name;
            cop_buf_printf(&all, "%s%s", k ? ", " : "", names[k]);
        }
        const char *nearest = cop_nearest(name, names, plan->layer_count);
        char *hint = nearest ? cop_sprintf(" (did you mean %s?)", nearest) : cop_strdup("");
        cop_status status = cop_conf_fail(plan->conf, "similarity", "layers",
                                          "'%s' is not a layer with weights%s; these are %s", name,
                                          hint, cop_buf_text(&all));
        cop_free(hint);
        cop_buf_clear(&all);
        cop_free(names);
        return status;
    }
    for (size_t h = 0; h < plan->hidden; h++)
        if (plan->hidden_layer[h] == (size_t)found)
            return cop_conf_fail(plan->conf, "similarity", "layers",
                                 "%s is named twice: name it once", name);
    if (plan->hidden == COP_HIDDEN_MAX)
        return cop_conf_fail(plan->conf, "similarity", "layers", "at most %d layers",
                             COP_HIDDEN_MAX);
    plan->hidden_layer[plan->hidden++] = (size_t)found;
    return COP_OK;
}

cop_status cop_plan_resolve_similarity(cop_plan *plan) {
    cop_list names = {0};
    cop_status status = COP_OK;
    cop_conf_words(plan->conf, "similarity", "layers", &names);
    for (size_t i = 0; i < names.count; i++) COP_GO(resolve_layer(plan, names.items[i]));
    plan->hidden_value = cop_conf_real(plan->conf, "similarity", "value");
done:
    cop_list_clear(&names);
    return status;
}

static void add(cop_measure_list *list, char *name) {
    list->names = cop_realloc(list->names, list->count, list->count + 1, sizeof *list->names);
    list->names[list->count++] = name;
}

void cop_plan_list_measures(cop_plan *plan) {
    cop_measure_list *list = &plan->measures;
    bool shared = strcmp(plan->op[COP_ROLE_EVALUATE]->name, "trained_weights") != 0;
    for (size_t t = 0; t < plan->tasks; t++)
        add(list, cop_sprintf("accuracy.%s", plan->task_names[t]));
    plan->loss = list->count;
    for (size_t t = 0; t < plan->tasks; t++) add(list, cop_sprintf("loss.%s", plan->task_names[t]));
    plan->value = list->count;
    for (size_t t = 0; shared && t < plan->tasks; t++)
        add(list, cop_sprintf("value.%s", plan->task_names[t]));
    plan->edges = list->count;
    static const char *const of_the_mask[] = {"edges", "density", "compression", "macs"};
    for (size_t i = 0; i < 4; i++) add(list, cop_strdup(of_the_mask[i]));
    plan->layer_edges = list->count;
    for (size_t k = 0; k < plan->layer_count; k++)
        add(list, cop_sprintf("edges.%s", plan->model->layers[plan->layers[k]].name));
    plan->units = list->count;
    if (plan->dense) add(list, cop_strdup("units"));
    for (size_t k = 0; plan->dense && k + 1 < plan->layer_count; k++)
        add(list, cop_sprintf("units.%s", plan->model->layers[plan->layers[k]].name));
    plan->similarity = list->count;
    if (plan->hidden > 0) add(list, cop_strdup("similarity"));
    for (size_t h = 0; h < plan->hidden; h++)
        add(list, cop_sprintf("similarity.%s", plan->model->layers[plan->hidden_layer[h]].name));
}

void cop_evidence_add(cop_evidence *sum, const cop_evidence *shard, size_t values, size_t hidden) {
    COP_ASSERT(values <= COP_VALUES_MAX && hidden <= COP_HIDDEN_MAX);
    sum->samples += shard->samples;
    for (size_t v = 0; v < values; v++) {
        sum->correct[v] += shard->correct[v];
        sum->loss[v] += shard->loss[v];
    }
    for (size_t h = 0; h < hidden; h++) sum->similarity[h] += shard->similarity[h];
    sum->batches += shard->batches;
}

/* Nothing seen: not a number, so that the individual counts as failed. */
static double mean(double sum, uint64_t count) {
    return count > 0 ? sum / (double)count : NAN;
}

static void measure_task(const cop_plan *plan, size_t task, const cop_evidence *e,
                         double *measures) {
    size_t best = 0; /* values ascend: ties stay with the smallest */
    for (size_t v = 1; v < plan->weighting.values; v++)
        if (e->correct[v] > e->correct[best]) best = v;
    measures[task] = mean(100 * (double)e->correct[best], e->samples);
    measures[plan->loss + task] = mean(e->loss[best], e->samples);
    if (plan->value < plan->edges) measures[plan->value + task] = plan->weighting.value[best];
}

/* Units of the hidden layers, from the live edges: those of a layer are all pairs with the units of
 * the layer before. */
static void measure_units(const cop_plan *plan, const uint64_t *layer_edges, double *measures) {
    const cop_model *model = plan->model;
    size_t hidden = plan->layer_count - 1;
    double share = 0, before = 1; /* part of the layer before that is kept */
    for (size_t k = 0; k < hidden; k++) {
        const cop_layer *layer = &model->layers[plan->layers[k]];
        double units = (double)layer_edges[plan->layers[k]] / ((double)layer->fan_in * before);
        before = units / (double)layer->biases;
        measures[plan->units + 1 + k] = floor(units + 0.5);
        share += before / (double)hidden;
    }
    measures[plan->units] = hidden ? share : 1;
}

void cop_plan_measure_individual(const cop_plan *plan, const cop_evidence *by_task,
                                 const uint64_t *layer_edges, double *measures) {
    for (size_t t = 0; t < plan->tasks; t++) measure_task(plan, t, &by_task[t], measures);
    uint64_t edges = 0, macs = 0;
    for (size_t k = 0; k < plan->layer_count; k++) {
        const cop_layer *layer = &plan->model->layers[plan->layers[k]];
        uint64_t live = layer_edges[plan->layers[k]];
        edges += live;
        macs += live * cop_layer_uses(layer);
        measures[plan->layer_edges + k] = (double)live;
    }
    double share = (double)edges / (double)plan->model->weights;
    double of_the_mask[] = {(double)edges, share, share, (double)macs};
    for (size_t i = 0; i < 4; i++) measures[plan->edges + i] = of_the_mask[i];
    if (plan->dense) measure_units(plan, layer_edges, measures);
    double total = 0;
    for (size_t h = 0; h < plan->hidden; h++) {
        double sum = 0;
        uint64_t batches = 0;
        for (size_t t = 0; t < plan->tasks; t++) {
            sum += by_task[t].similarity[h];
            batches += by_task[t].batches;
        }
        measures[plan->similarity + 1 + h] = mean(sum, batches);
        total += measures[plan->similarity + 1 + h];
    }
    if (plan->hidden > 0) measures[plan->similarity] = total;
}
