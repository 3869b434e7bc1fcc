#include "composition.h"

#include "experiment.h"

static cop_status find_base_task(const cop_conf *conf) {
    const char *task = cop_conf_text(conf, "base", "task");
    char *section = cop_sprintf("task.%s", task);
    bool there = !*task || cop_conf_has_section(conf, section);
    cop_free(section);
    return there ? COP_OK : cop_experiment_no_task(conf, "base", "task", task);
}

cop_status cop_composition_create(cop_composition *c, const cop_conf *conf) {
    cop_status status = COP_OK;
    *c = (cop_composition){.conf = conf};
    COP_GO(cop_conf_require(conf, "network"));
    COP_GO(cop_model_from_conf(&c->model, conf));
    COP_GO(cop_experiment_task_names(conf, &c->tasks));
    cop_plan_setup setup = {.conf = conf,
                            .model = c->model,
                            .seed = (uint64_t)cop_conf_int(conf, "run", "seed"),
                            .tasks = c->tasks.count,
                            .task_names = (const char *const *)c->tasks.items,
                            .history = (size_t)cop_conf_int(conf, "run", "history")};
    COP_GO(cop_plan_create(&c->plan, &setup));
    COP_GO(find_base_task(conf));
    c->evaluator = cop_evaluator_find(cop_conf_text(conf, "evaluate", "arithmetic"));
    COP_ASSERT(c->evaluator); /* the option's choices are the list of evaluators */
    cop_plan_eval_setup(c->plan, &c->setup);
    cop_params_init(&c->zeros, c->model);
    c->setup.base = &c->zeros;
    c->setup.scale = 1;
done:
    if (status != COP_OK) cop_composition_clear(c);
    return status;
}

cop_status cop_composition_try(const cop_composition *c) {
    void *self = NULL;
    COP_TRY(c->evaluator->create(&self, &c->setup));
    c->evaluator->destroy(self);
    return COP_OK;
}

void cop_composition_clear(cop_composition *c) {
    cop_params_clear(&c->zeros);
    cop_plan_destroy(c->plan);
    cop_list_clear(&c->tasks);
    cop_model_destroy(c->model);
    *c = (cop_composition){0};
}
