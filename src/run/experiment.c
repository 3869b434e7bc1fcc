#include "experiment.h"

#include <stdlib.h>
#include <string.h>

cop_status cop_experiment_no_task(const cop_conf *conf, const char *section, const char *key,
                                  const char *name) {
    cop_list sections = {0}, names = {0};
    cop_conf_sections(conf, "task.", &sections);
    for (size_t i = 0; i < sections.count; i++)
        cop_list_add(&names, sections.items[i] + strlen("task."));
    const char *near = cop_nearest(name, (const char *const *)names.items, names.count);
    cop_status status =
        cop_conf_fail(conf, section, key, "there is no section [task.%s]%s%s%s", name,
                      near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    cop_list_clear(&names);
    cop_list_clear(&sections);
    return status;
}

cop_status cop_experiment_task_names(const cop_conf *conf, cop_list *names) {
    cop_list sections = {0};
    cop_status status = COP_OK;
    cop_conf_sections(conf, "task.", &sections);
    cop_conf_words(conf, "evaluate", "tasks", names);
    if (names->count == 0)
        for (size_t i = 0; i < sections.count; i++)
            cop_list_add(names, sections.items[i] + strlen("task."));
    for (size_t i = 0; i < names->count && status == COP_OK; i++) {
        bool known = false;
        for (size_t k = 0; k < sections.count; k++)
            known |= strcmp(sections.items[k] + strlen("task."), names->items[i]) == 0;
        for (size_t k = 0; k < i && status == COP_OK; k++)
            if (strcmp(names->items[k], names->items[i]) == 0)
                status = cop_conf_fail(conf, "evaluate", "tasks", "task %s is named twice",
                                       names->items[i]);
        if (!known && status == COP_OK)
            status = cop_experiment_no_task(conf, "evaluate", "tasks", names->items[i]);
    }
    if (status == COP_OK && names->count == 0)
        status =
            cop_fail(COP_E_CONFIG, "no task: add a section such as [task.digits] with 'source "
                                   "= glyphs-digits' ('coppice list tasks' shows the sources)");
    if (status == COP_OK && names->count > COP_TASKS_MAX)
        status = cop_fail(COP_E_CONFIG, "%zu tasks; at most %d are possible", names->count,
                          COP_TASKS_MAX);
    cop_list_clear(&sections);
    return status;
}

struct load {
    const cop_experiment *experiment;
    const char *task;
};

static cop_status load_evolve(void *user, cop_dataset **set) {
    const struct load *load = user;
    return cop_task_load(set, load->experiment->conf, load->task, COP_SPLIT_EVOLVE,
                         load->experiment->data_dir);
}

cop_status cop_experiment_fits(const cop_model *model, const cop_dataset *set, const char *task) {
    size_t features = cop_shape_size(model->input);
    if (cop_dataset_features(set) != features)
        return cop_fail(COP_E_CONFIG,
                        "[task.%s] has samples of %zu x %zu x %zu numbers, the network takes "
                        "%zu x %zu x %zu",
                        task, set->channels, set->height, set->width, model->input.channels,
                        model->input.height, model->input.width);
    if ((size_t)set->classes > model->classes)
        return cop_fail(COP_E_CONFIG,
                        "[task.%s] has %d classes, the network only %zu outputs: give "
                        "the last dense layer more, or select classes",
                        task, (int)set->classes, model->classes);
    if (set->head.count && set->head.first + set->head.count > model->classes)
        return cop_fail(COP_E_CONFIG,
                        "[task.%s] has its head at outputs %zu to %zu, the network has 0 to %zu: "
                        "lower first_output, or give the last dense layer more",
                        task, set->head.first, set->head.first + set->head.count - 1,
                        model->classes - 1);
    if (set->samples == 0) return cop_fail(COP_E_CONFIG, "[task.%s] has no samples", task);
    return COP_OK;
}

static cop_status cut_shards(cop_experiment *e) {
    size_t batch = (size_t)cop_conf_int(e->conf, "evaluate", "batch");
    size_t shard = (size_t)cop_conf_int(e->conf, "evaluate", "shard");
    if (shard % batch)
        return cop_conf_fail(e->conf, "evaluate", "shard",
                             "%zu is not a multiple of batch = %zu, so batches would be cut", shard,
                             batch);
    for (size_t t = 0; t < e->tasks; t++)
        e->shard_count += (e->evolve[t]->samples + shard - 1) / shard;
    e->shards = COP_NEW_ARRAY(cop_shard, e->shard_count);
    size_t number = 0;
    for (size_t t = 0; t < e->tasks; t++) {
        const cop_dataset *set = e->evolve[t];
        for (size_t at = 0; at < set->samples; at += shard)
            e->shards[number++] = (cop_shard){
                .x = set->x + at * cop_dataset_features(set),
                .label = set->label + at,
                .n = set->samples - at < shard ? set->samples - at : shard,
                .batch_base = at / batch,
                .task = t,
                .head = set->head,
            };
    }
    return COP_OK;
}

/* What a result is a function of, beside the base network: science options and samples. */
static void hash_science(cop_experiment *e) {
    cop_buf text = {0};
    cop_hash *hash = cop_hash_create();
    cop_conf_write(e->conf, &text, COP_CONF_SCIENCE);
    cop_hash_add_text(hash, cop_buf_text(&text));
    for (size_t t = 0; t < e->tasks; t++) {
        cop_dataset_digest(e->evolve[t], e->digest[t]);
        cop_hash_add_text(hash, e->task_names.items[t]);
        cop_hash_add_text(hash, e->digest[t]);
    }
    cop_hash_hex(hash, e->science);
    cop_hash_destroy(hash);
    cop_buf_clear(&text);
}

cop_status cop_experiment_load(cop_experiment *e, const cop_par *par) {
    cop_memory_limit(cop_conf_bytes(e->conf, "parallel", "memory"));
    COP_TRY(cop_par_agree(par, cop_model_from_conf(&e->model, e->conf)));
    COP_TRY(cop_par_agree(par, cop_experiment_task_names(e->conf, &e->task_names)));
    e->tasks = e->task_names.count;
    for (size_t t = 0; t < e->tasks; t++) {
        struct load load = {e, e->task_names.items[t]};
        cop_activity_set("loading task %s", load.task);
        COP_TRY(cop_par_share_dataset(par, load_evolve, &load, &e->evolve[t]));
        COP_TRY(cop_par_agree(par, cop_experiment_fits(e->model, e->evolve[t], load.task)));
    }
    cop_activity_set("%s", "");
    COP_TRY(cop_par_agree(par, cut_shards(e)));
    hash_science(e);
    return COP_OK;
}

static cop_status estimate(cop_experiment *e, const cop_par *par, uint64_t program) {
    cop_composition composition;
    cop_memory_facts facts = {.ranks = par->size, .node_ranks = par->node_size, .program = program};
    COP_TRY(cop_composition_create(&composition, e->conf));
    for (size_t t = 0; t < e->tasks; t++) facts.samples[t] = e->evolve[t]->samples;
    if (par->rank == 0) cop_memory_count(&composition, e->data_dir, &facts);
    cop_memory_estimate(&e->memory, &composition, &facts);
    cop_status status = cop_memory_check(&e->memory, e->conf, par->size, par->rank == 0);
    cop_composition_clear(&composition);
    return status;
}

cop_status cop_experiment_memory(cop_experiment *e, const cop_par *par, uint64_t program) {
    return cop_par_agree(par, estimate(e, par, program));
}

cop_status cop_experiment_compose(cop_experiment *e) {
    cop_plan_setup setup = {.conf = e->conf,
                            .model = e->model,
                            .base = &e->base,
                            .seed = (uint64_t)cop_conf_int(e->conf, "run", "seed"),
                            .tasks = e->tasks,
                            .task_names = (const char *const *)e->task_names.items,
                            .history = (size_t)cop_conf_int(e->conf, "run", "history")};
    size_t samples[COP_TASKS_MAX];
    for (size_t t = 0; t < e->tasks; t++) samples[t] = e->evolve[t]->samples;
    COP_TRY(cop_plan_create(&e->plan, &setup));
    COP_TRY(cop_plan_check_samples(e->plan, samples));
    e->setup = (cop_eval_setup){.model = e->model, .base = &e->base};
    cop_plan_eval_setup(e->plan, &e->setup);
    e->setup.scale = cop_eval_scale((const cop_dataset *const *)e->evolve, e->tasks,
                                    (double)cop_conf_int(e->conf, "evaluate", "steps"));
    e->setup.batch = (size_t)cop_conf_int(e->conf, "evaluate", "batch");
    e->draw = cop_plan_draw(e->plan);
    e->normalise = cop_conf_bool(e->conf, "similarity", "normalise");
    e->setup.memory = e->memory.limit;
    e->setup.block = e->memory.block;
    e->perplexity = cop_conf_real(e->conf, "similarity", "perplexity");
    int64_t batches = cop_conf_int(e->conf, "similarity", "batches");
    e->similarity_batches = batches ? (size_t)batches : SIZE_MAX;
    e->evaluator = cop_evaluator_find(cop_conf_text(e->conf, "evaluate", "arithmetic"));
    COP_ASSERT(e->evaluator);
    e->setup.by_unit = strcmp(e->evaluator->name, "dense") == 0;
    return COP_OK;
}

void cop_experiment_clear(cop_experiment *e) {
    cop_plan_destroy(e->plan);
    for (size_t t = 0; t < e->tasks; t++) cop_dataset_destroy(e->evolve[t]);
    cop_list_clear(&e->task_names);
    cop_free(e->shards);
    if (e->base_ready) cop_params_clear(&e->base);
    cop_model_destroy(e->model);
    cop_conf_destroy(e->conf);
    *e = (cop_experiment){0};
}
