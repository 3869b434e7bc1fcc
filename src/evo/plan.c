/* Composing the operators that a configuration names. */
#include "evo/plan.h"

#include <string.h>

/* The operator of that name, or an error with the nearest and all known names. */
static cop_status find_op(const cop_op **op, const cop_conf *conf, cop_role role, const char *key,
                          const char *name) {
    *op = cop_op_find(role, name);
    if (*op) return COP_OK;
    size_t count, known = 0;
    const cop_op *const *ops = cop_ops(&count);
    const char **names = COP_NEW_ARRAY(const char *, count);
    cop_buf all = {0};
    for (size_t i = 0; i < count; i++) {
        if (ops[i]->role != role) continue;
        cop_buf_printf(&all, "%s%s", known ? ", " : "", ops[i]->name);
        names[known++] = ops[i]->name;
    }
    const char *nearest = cop_nearest(name, names, known);
    char *hint = nearest ? cop_sprintf("did you mean %s?", nearest)
                         : cop_sprintf("known are %s", cop_buf_text(&all));
    cop_status status =
        cop_conf_fail(conf, cop_role_name(role), key, "there is no %s operator '%s'; %s",
                      cop_role_name(role), name, hint);
    cop_free(hint);
    cop_buf_clear(&all);
    cop_free(names);
    return status;
}

static cop_status find_ops(cop_plan *plan) {
    for (cop_role role = 0; role < COP_ROLES; role++)
        if (role != COP_ROLE_VARY)
            COP_TRY(find_op(&plan->op[role], plan->conf, role, "op",
                            cop_conf_text(plan->conf, cop_role_name(role), "op")));
    cop_list words = {0};
    cop_conf_words(plan->conf, "vary", "ops", &words);
    cop_status status = COP_OK;
    if (words.count < 1 || words.count > COP_VARY_MAX)
        COP_GO(cop_conf_fail(plan->conf, "vary", "ops", "%zu operators, there must be 1 to %d",
                             words.count, COP_VARY_MAX));
    for (size_t i = 0; i < words.count; i++) {
        COP_GO(find_op(&plan->vary[i], plan->conf, COP_ROLE_VARY, "ops", words.items[i]));
        for (size_t j = 0; j < i; j++) /* their options live in one section */
            if (plan->vary[j] == plan->vary[i])
                COP_GO(cop_conf_fail(plan->conf, "vary", "ops", "%s is named twice: name it once",
                                     words.items[i]));
    }
    plan->varies = words.count;
done:
    cop_list_clear(&words);
    return status;
}

static void find_layers(cop_plan *plan) {
    plan->layers = COP_NEW_ARRAY(size_t, plan->model->count);
    for (size_t i = 0; i < plan->model->count; i++)
        if (plan->model->layers[i].weights > 0) plan->layers[plan->layer_count++] = i;
    COP_ASSERT(plan->layer_count > 0);
}

cop_status cop_plan_create(cop_plan **out, const cop_plan_setup *setup) {
    COP_ASSERT(setup->tasks >= 1 && setup->tasks <= COP_TASKS_MAX);
    cop_plan *plan = COP_NEW(cop_plan);
    cop_status status = COP_OK;
    plan->conf = setup->conf;
    plan->model = setup->model;
    plan->base = setup->base;
    plan->seed = setup->seed;
    plan->history = setup->history;
    plan->tasks = setup->tasks;
    plan->task_names = COP_NEW_ARRAY(char *, setup->tasks);
    for (size_t t = 0; t < setup->tasks; t++)
        plan->task_names[t] = cop_strdup(setup->task_names[t]);
    plan->population = (size_t)cop_conf_int(plan->conf, "population", "size");
    plan->cross_probability = cop_conf_real(plan->conf, "cross", "probability");
    plan->twins = cop_conf_bool(plan->conf, "cross", "twins");
    plan->batch = (size_t)cop_conf_int(plan->conf, "evaluate", "batch");
    plan->dense_above = cop_conf_real(plan->conf, "evaluate", "dense_above");
    plan->alone = cop_conf_bool(plan->conf, "evaluate", "alone");
    find_layers(plan);
    COP_GO(find_ops(plan));
    plan->dense = plan->op[COP_ROLE_INITIALISE]->dense.found != NULL;
    plan->draw = (size_t)cop_conf_int(plan->conf, "evaluate", "draw");
    COP_GO(cop_plan_resolve_similarity(plan));
    cop_plan_list_measures(plan);
    COP_GO(cop_plan_check(plan));
    plan->op[COP_ROLE_EVALUATE]->as.evaluate(plan, &plan->weighting);
    plan->op[COP_ROLE_POOL]->as.pool(plan, plan->population, &plan->pool);
done:
    if (status != COP_OK) {
        cop_plan_destroy(plan);
        plan = NULL;
    }
    *out = plan;
    return status;
}

void cop_plan_destroy(cop_plan *plan) {
    if (!plan) return;
    for (size_t t = 0; t < plan->tasks; t++) cop_free(plan->task_names[t]);
    cop_free(plan->task_names);
    for (size_t m = 0; m < plan->measures.count; m++) cop_free(plan->measures.names[m]);
    cop_free(plan->measures.names);
    cop_free(plan->layers);
    cop_free(plan);
}

const cop_measure_list *cop_plan_measures(const cop_plan *plan) {
    return &plan->measures;
}

long cop_plan_measure(const cop_plan *plan, const char *name) {
    for (size_t m = 0; m < plan->measures.count; m++)
        if (strcmp(plan->measures.names[m], name) == 0) return (long)m;
    return -1;
}

size_t cop_plan_population(const cop_plan *plan) {
    return plan->population;
}

bool cop_plan_needs_similarity(const cop_plan *plan) {
    return plan->hidden > 0;
}

void cop_plan_eval_setup(const cop_plan *plan, cop_eval_setup *setup) {
    setup->model = plan->model;
    setup->weighting = plan->weighting;
    setup->batch = plan->batch;
    setup->dense_above = plan->dense_above;
    setup->alone = plan->alone;
    setup->hidden = plan->hidden;
    for (size_t h = 0; h < plan->hidden; h++)
        setup->hidden_layer[h] = cop_model_activation_of(plan->model, plan->hidden_layer[h]);
    setup->hidden_value = plan->hidden_value;
}

const cop_op *cop_plan_op(const cop_plan *plan, cop_role role, size_t index) {
    COP_ASSERT(role < COP_ROLES);
    if (role == COP_ROLE_VARY) return index < plan->varies ? plan->vary[index] : NULL;
    return index == 0 ? plan->op[role] : NULL;
}

const cop_conf *cop_plan_conf(const cop_plan *plan) {
    return plan->conf;
}

const cop_model *cop_plan_model(const cop_plan *plan) {
    return plan->model;
}

const cop_params *cop_plan_base(const cop_plan *plan) {
    return plan->base;
}

size_t cop_plan_tasks(const cop_plan *plan) {
    return plan->tasks;
}

uint64_t cop_plan_seed(const cop_plan *plan) {
    return plan->seed;
}

bool cop_plan_is_dense(const cop_plan *plan) {
    return plan->dense;
}

size_t cop_plan_draw(const cop_plan *plan) {
    return plan->draw;
}

size_t cop_plan_layers(const cop_plan *plan, const size_t **layers) {
    *layers = plan->layers;
    return plan->layer_count;
}
