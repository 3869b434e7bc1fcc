#include "judge.h"

#include <stdlib.h>
#include <string.h>

#include "run/experiment.h"
#include "run/training.h"

static cop_status load_conf(cop_judge *judge, const cop_subject *subject, const char *file) {
    if (file) return cop_conf_load(&judge->conf, cop_run_schema(), file);
    const char *stored =
        subject->trained ? subject->trained->facts.config : subject->network->config;
    if (!stored || !*stored)
        return cop_fail(COP_E_USAGE, "%s has no configuration with it: give one with --config FILE",
                        subject->network_file);
    return cop_conf_parse(&judge->conf, cop_run_schema(), stored, subject->network_file);
}

static cop_status find_evaluator(cop_judge *judge, const char *name) {
    bool trained = judge->network->weighting.kind == COP_WEIGHTS_TRAINED;
    if (!name) {
        name = cop_conf_text(judge->conf, "evaluate", "arithmetic");
        if (trained && strcmp(name, "sign") == 0) name = "blas"; /* sign knows no weights */
    }
    judge->evaluator = cop_evaluator_find(name);
    if (judge->evaluator) return COP_OK;
    size_t count;
    const cop_evaluator *const *all = cop_evaluators(&count);
    cop_buf known = {0};
    for (size_t i = 0; i < count; i++) cop_buf_printf(&known, "%s%s", i ? ", " : "", all[i]->name);
    cop_status status =
        cop_fail(COP_E_USAGE, "--evaluator %s: wanted one of %s", name, cop_buf_text(&known));
    cop_buf_clear(&known);
    return status;
}

void cop_judge_tasks(const cop_judge *judge, cop_list *names) {
    cop_list sections = {0};
    char *task;
    if (cop_training_wanted(judge->conf)) {
        if (cop_training_task(judge->conf, &task) == COP_OK) cop_list_add(names, task);
        cop_error_clear();
        cop_free(task);
        return;
    }
    cop_conf_words(judge->conf, "evaluate", "tasks", names);
    if (names->count == 0) cop_conf_sections(judge->conf, "task.", &sections);
    for (size_t i = 0; i < sections.count; i++)
        cop_list_add(names, sections.items[i] + strlen("task."));
    cop_list_clear(&sections);
}

/* The grid of `sign` as the run had it: from the evolution sets of all its tasks. */
static cop_status find_scale(cop_judge *judge) {
    cop_dataset *sets[COP_TASKS_MAX] = {0};
    cop_list names = {0};
    cop_status status = COP_OK;
    size_t count = 0;
    cop_judge_tasks(judge, &names);
    for (; count < names.count && count < COP_TASKS_MAX; count++)
        COP_GO(cop_task_load(&sets[count], judge->conf, names.items[count], COP_SPLIT_EVOLVE,
                             judge->data_dir));
    judge->setup.scale = cop_eval_scale((const cop_dataset *const *)sets, count,
                                        (double)cop_conf_int(judge->conf, "evaluate", "steps"));
done:
    for (size_t i = 0; i < COP_TASKS_MAX; i++) cop_dataset_destroy(sets[i]);
    cop_list_clear(&names);
    return status;
}

bool cop_judge_can(const cop_subject *subject) {
    return !(subject->trained && subject->trained->training.rbm);
}

cop_status cop_judge_open(cop_judge *judge, const cop_subject *subject, const char *config,
                          const char *data) {
    *judge = (cop_judge){.network = subject->network, .trained = subject->trained};
    if (!cop_judge_can(subject))
        return cop_fail(COP_E_USAGE, "%s is of a Boltzmann machine, which tells no classes apart",
                        subject->network_file);
    if (!data) data = getenv("COPPICE_DATA");
    if (!data && subject->run) data = json_string_value(json_object_get(subject->run, "data"));
    judge->data_dir = data && *data ? data : NULL;
    return load_conf(judge, subject, config);
}

/* What is left for the evaluator beside this process as it is and the samples that are judged on.
 */
static cop_status limit(cop_judge *judge) {
    cop_list names = {0};
    uint64_t rows = 0, reading = 0, own = cop_memory_resident() + (8u << 20);
    char needed[32];
    if (!judge->memory) return COP_OK;
    judge->setup.block = 1;
    cop_judge_tasks(judge, &names);
    uint64_t evolve = 0; /* of all tasks together, for the grid of `sign` */
    for (size_t t = 0; t < names.count; t++)
        for (int split = COP_SPLIT_TRAIN; split <= COP_SPLIT_TEST; split++) {
            cop_task_size size = {0};
            if (!(judge->splits & 1u << split) && split != COP_SPLIT_EVOLVE) continue;
            if (cop_task_count(&size, judge->conf, names.items[t], (cop_split)split,
                               judge->data_dir) != COP_OK)
                cop_error_clear(); /* loading says why */
            if (split == COP_SPLIT_EVOLVE) evolve += size.samples;
            if (size.samples > rows) rows = size.samples;
            if (size.reading > reading) reading = size.reading;
        }
    if (strcmp(judge->evaluator->name, "sign") == 0 && evolve > rows) rows = evolve;
    cop_list_clear(&names);
    /* samples, their labels, and classes under every value */
    own += reading + rows * (sizeof(float) * cop_shape_size(judge->network->model->input) +
                             sizeof(int32_t) + 2 * judge->setup.weighting.values);
    judge->setup.memory = judge->memory > own ? (size_t)(judge->memory - own) : 1;
    uint64_t least = own + judge->evaluator->bytes(&judge->setup);
    if (least <= judge->memory) return COP_OK;
    return cop_fail(COP_E_USAGE,
                    "--memory %lluM: at least %s is needed: give --memory %lluM or more, another "
                    "--evaluator or fewer samples",
                    (unsigned long long)(judge->memory >> 20),
                    cop_format_bytes((double)least, needed),
                    (unsigned long long)((least >> 20) + 1));
}

/* Networks of live edges are computed in one way. */
static cop_status ready_trained(cop_judge *judge, const char *evaluator) {
    const cop_live_net *net = judge->trained->training.net;
    uint64_t most = 0;
    cop_list names = {0};
    char needed[32];
    if (evaluator && strcmp(evaluator, "sparse") != 0)
        return cop_fail(COP_E_USAGE,
                        "--evaluator %s: a network trained by [train] is computed by its live "
                        "edges: leave it out",
                        evaluator);
    judge->how = "sparse";
    judge->setup.weighting = (cop_weighting){.kind = COP_WEIGHTS_TRAINED, .values = 1};
    if (!judge->memory) return COP_OK;
    cop_judge_tasks(judge, &names);
    for (size_t t = 0; t < names.count; t++)
        for (int split = COP_SPLIT_TRAIN; split <= COP_SPLIT_TEST; split++) {
            cop_task_size size = {0};
            if (!(judge->splits & 1u << split)) continue;
            if (cop_task_count(&size, judge->conf, names.items[t], (cop_split)split,
                               judge->data_dir) != COP_OK)
                cop_error_clear(); /* loading says why */
            const uint64_t own =
                size.reading + size.samples * (4 * cop_live_features(net) + sizeof(int32_t) + 2);
            if (own > most) most = own;
        }
    cop_list_clear(&names);
    most += cop_memory_resident() + (8u << 20);
    if (most <= judge->memory) return COP_OK;
    return cop_fail(COP_E_USAGE,
                    "--memory %lluM: at least %s is needed: give --memory %lluM or more, or fewer "
                    "samples",
                    (unsigned long long)(judge->memory >> 20),
                    cop_format_bytes((double)most, needed), (unsigned long long)((most >> 20) + 1));
}

cop_status cop_judge_ready(cop_judge *judge, const char *evaluator) {
    if (judge->trained) return ready_trained(judge, evaluator);
    COP_TRY(find_evaluator(judge, evaluator));
    judge->how = judge->evaluator->name;
    judge->setup =
        (cop_eval_setup){.model = judge->network->model,
                         .base = &judge->network->params,
                         .weighting = judge->network->weighting,
                         .batch = (size_t)cop_conf_int(judge->conf, "evaluate", "batch"),
                         .dense_above = cop_conf_real(judge->conf, "evaluate", "dense_above"),
                         .scale = 1};
    COP_TRY(limit(judge));
    if (strcmp(judge->evaluator->name, "sign") == 0) COP_TRY(find_scale(judge));
    return judge->evaluator->create(&judge->engine, &judge->setup);
}

void cop_judge_close(cop_judge *judge) {
    if (judge->engine) judge->evaluator->destroy(judge->engine);
    cop_conf_destroy(judge->conf);
    *judge = (cop_judge){0};
}

cop_status cop_judge_fits(const cop_judge *judge, const cop_dataset *set, const char *task) {
    return judge->trained ? cop_trained_fits(judge->trained, set, task)
                          : cop_experiment_fits(judge->network->model, set, task);
}

cop_status cop_judge_load(const cop_judge *judge, const char *task, cop_split split,
                          cop_dataset **set) {
    COP_TRY(cop_task_load(set, judge->conf, task, split, judge->data_dir));
    cop_status status = cop_judge_fits(judge, *set, task);
    if (status != COP_OK) {
        cop_dataset_destroy(*set);
        *set = NULL;
    }
    return status;
}

cop_status cop_judge_predict(const cop_judge *judge, const cop_dataset *set, cop_evidence *evidence,
                             uint16_t **predicted) {
    if (judge->trained) {
        size_t correct;
        *evidence = (cop_evidence){.samples = set->samples};
        *predicted = COP_NEW_ARRAY(uint16_t, set->samples);
        cop_trained_classify(judge->trained, set, *predicted, &correct, &evidence->loss[0]);
        evidence->correct[0] = correct;
        return COP_OK;
    }
    const cop_mask *mask = &judge->network->mask;
    cop_shard shard = {.x = set->x, .label = set->label, .n = set->samples, .head = set->head};
    *predicted = COP_NEW_ARRAY(uint16_t, judge->setup.weighting.values * set->samples);
    cop_status status = judge->evaluator->evaluate(judge->engine, &mask, 1, &shard, NULL, NULL,
                                                   evidence, *predicted);
    if (status != COP_OK) {
        cop_free(*predicted);
        *predicted = NULL;
    }
    return status;
}

size_t cop_judge_best(const cop_judge *judge, const cop_evidence *evidence) {
    size_t best = 0;
    for (size_t v = 1; v < judge->setup.weighting.values; v++)
        if (evidence->correct[v] > evidence->correct[best]) best = v;
    return best;
}

size_t cop_judge_outputs(const cop_judge *judge, const cop_dataset *set) {
    if (judge->trained) {
        const cop_live_settings *s = &judge->trained->training.net->settings;
        return s->width[s->layers];
    }
    return set->head.count ? set->head.count : judge->network->model->classes;
}
