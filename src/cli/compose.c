/* Composing a configuration on one rank, and what its data hold. */
#include "compose.h"

#include "coppice/io.h"
#include "run/experiment.h"

#include <string.h>

cop_status cop_composed_create(cop_composed *composed, cop_conf *conf) {
    cop_status status = COP_OK;
    *composed = (cop_composed){.conf = conf};
    COP_GO(cop_conf_require(conf, "network"));
    COP_GO(cop_model_from_conf(&composed->model, conf));
    COP_GO(cop_experiment_task_names(conf, &composed->tasks));
    cop_plan_setup setup = {.conf = conf,
                            .model = composed->model,
                            .seed = (uint64_t)cop_conf_int(conf, "run", "seed"),
                            .tasks = composed->tasks.count,
                            .task_names = (const char *const *)composed->tasks.items};
    COP_GO(cop_plan_create(&composed->plan, &setup));
    const char *trained_on = cop_conf_text(conf, "base", "task");
    char *section = cop_sprintf("task.%s", trained_on);
    bool there = !*trained_on || cop_conf_has_section(conf, section);
    cop_free(section);
    if (!there) COP_GO(cop_experiment_no_task(conf, "base", "task", trained_on));
    int64_t batch = cop_conf_int(conf, "evaluate", "batch"),
            shard = cop_conf_int(conf, "evaluate", "shard");
    if (shard % batch)
        COP_GO(cop_conf_fail(conf, "evaluate", "shard", "not a multiple of batch = %lld",
                             (long long)batch));
done:
    if (status != COP_OK) cop_composed_clear(composed);
    return status;
}

void cop_composed_clear(cop_composed *composed) {
    cop_plan_destroy(composed->plan);
    cop_list_clear(&composed->tasks);
    cop_model_destroy(composed->model);
    cop_conf_destroy(composed->conf);
    *composed = (cop_composed){0};
}

/* The base network is trained on one task, unless its file is there. */
static cop_status read_training(const cop_composed *c, const char *data_dir,
                                cop_data_facts *facts) {
    const char *file = cop_conf_text(c->conf, "base", "file"),
               *task = cop_conf_text(c->conf, "base", "task");
    cop_dataset *set = NULL;
    if (*file && cop_file_exists(file)) {
        cop_network *network = NULL;
        COP_TRY(cop_base_read(&network, c->model, file));
        cop_network_destroy(network);
        return COP_OK;
    }
    if (!*task) task = c->tasks.items[0];
    COP_TRY(cop_task_load(&set, c->conf, task, COP_SPLIT_TRAIN, data_dir));
    cop_status status = cop_experiment_fits(c->model, set, task);
    facts->training = set->samples;
    cop_dataset_destroy(set);
    return status;
}

cop_status cop_composed_read_data(const cop_composed *c, const char *data_dir,
                                  cop_data_facts *facts) {
    cop_dataset *sets[COP_TASKS_MAX] = {0};
    cop_status status = COP_OK;
    *facts = (cop_data_facts){.known = true, .scale = 1};
    for (size_t t = 0; t < c->tasks.count; t++)
        COP_GO(cop_task_check(c->conf, c->tasks.items[t], data_dir));
    for (size_t t = 0; t < c->tasks.count; t++) {
        COP_GO(cop_task_load(&sets[t], c->conf, c->tasks.items[t], COP_SPLIT_EVOLVE, data_dir));
        COP_GO(cop_experiment_fits(c->model, sets[t], c->tasks.items[t]));
        facts->samples[t] = sets[t]->samples;
        facts->classes[t] = (size_t)sets[t]->classes;
        facts->total += sets[t]->samples;
    }
    COP_GO(read_training(c, data_dir, facts));
    facts->scale = cop_eval_scale((const cop_dataset *const *)sets, c->tasks.count,
                                  (double)cop_conf_int(c->conf, "evaluate", "steps"));
done:
    for (size_t t = 0; t < c->tasks.count; t++) cop_dataset_destroy(sets[t]);
    return status;
}
