/* What the data of a composed configuration hold. */
#include "compose.h"

#include "coppice/io.h"
#include "run/experiment.h"

#include <string.h>

/* The base network is trained on one task, unless its file is there. */
static cop_status read_training(const cop_composition *c, const char *data_dir,
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
    facts->memory.training = set->samples;
    cop_dataset_destroy(set);
    return status;
}

cop_status cop_composed_read_data(const cop_composition *c, const char *data_dir,
                                  cop_data_facts *facts) {
    *facts = (cop_data_facts){.known = true};
    for (size_t t = 0; t < c->tasks.count; t++)
        COP_TRY(cop_task_check(c->conf, c->tasks.items[t], data_dir));
    for (size_t t = 0; t < c->tasks.count; t++) {
        cop_dataset *set = NULL;
        COP_TRY(cop_task_load(&set, c->conf, c->tasks.items[t], COP_SPLIT_EVOLVE, data_dir));
        cop_status status = cop_experiment_fits(c->model, set, c->tasks.items[t]);
        facts->samples[t] = facts->memory.samples[t] = set->samples;
        facts->classes[t] = (size_t)set->classes;
        facts->total += set->samples;
        cop_dataset_destroy(set);
        COP_TRY(status);
    }
    COP_TRY(cop_plan_check_samples(c->plan, facts->samples));
    cop_memory_count(c, data_dir, &facts->memory);
    return read_training(c, data_dir, facts);
}
