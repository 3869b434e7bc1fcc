/* coppice evaluate: a stored network on the samples of tasks. */
#include <stdlib.h>
#include <string.h>

#include "coppice/cli.h"
#include "coppice/io.h"
#include "coppice/report.h"
#include "run/experiment.h"

static const cop_flag flags[] = {
    {"task", 't', "NAME", true,
     "Evaluate on this task of the configuration (default: the tasks of the "
     "run)."},
    {"config", 'c', "FILE", false,
     "Look tasks up in this configuration instead of the one stored with the network."},
    {"data", 'd', "DIR", false,
     "Folder with datasets (default: COPPICE_DATA, then the folder that the run used)."},
    {"split", 's', "SPLIT", false, "test (default), evolve or train samples of the tasks."},
    {"evaluator", 'e', "NAME", false,
     "sign, sparse, blas or reference (default: the configuration's; blas where that is sign and "
     "the "
     "weights are trained ones)."},
    {"individual", 'i', "ID", false, "A live individual of a run or checkpoint, not the best."},
    {"predictions", 'p', "FILE", false, "Write sample, label, predicted class and task as CSV."},
    {"confusion", 0, NULL, false, "Show the confusion matrix of each task."},
    {"json", 0, NULL, false, "Print one JSON object instead of text (keys: docs/inspect.md)."},
    {0},
};

/* One call of the command. */
typedef struct evaluation {
    cop_subject subject;
    cop_conf *conf;
    cop_list tasks;
    const char *data_dir;
    cop_split split;
    const cop_evaluator *evaluator;
    cop_eval_setup setup;
    void *engine;
    bool confusion;
    cop_table table;
    cop_buf matrices, csv;
    json_t *results; /* by task */
} evaluation;

static const char *const split_names[] = {"train", "evolve", "test"};

static cop_status find_split(const char *word, cop_split *split) {
    for (size_t i = 0; word && i < sizeof split_names / sizeof *split_names; i++)
        if (strcmp(word, split_names[i]) == 0) {
            *split = (cop_split)i;
            return COP_OK;
        }
    return word ? cop_fail(COP_E_USAGE, "--split %s: wanted test, evolve or train", word) : COP_OK;
}

static cop_status find_evaluator(evaluation *e, const char *name) {
    bool trained = e->subject.network->weighting.kind == COP_WEIGHTS_TRAINED;
    if (!name) {
        name = cop_conf_text(e->conf, "evaluate", "arithmetic");
        if (trained && strcmp(name, "sign") == 0) name = "blas"; /* sign knows no weights */
    }
    e->evaluator = cop_evaluator_find(name);
    if (e->evaluator) return COP_OK;
    size_t count;
    const cop_evaluator *const *all = cop_evaluators(&count);
    cop_buf known = {0};
    for (size_t i = 0; i < count; i++) cop_buf_printf(&known, "%s%s", i ? ", " : "", all[i]->name);
    cop_status status =
        cop_fail(COP_E_USAGE, "--evaluator %s: wanted one of %s", name, cop_buf_text(&known));
    cop_buf_clear(&known);
    return status;
}

/* The tasks asked for, or all that the configuration evolves on; each must have a section. */
static cop_status find_tasks(evaluation *e, const cop_args *args) {
    cop_list sections = {0};
    const char *name;
    cop_status status = COP_OK;
    if (args->word_count > 1 && !cop_args_has(args, "task"))
        return cop_fail(COP_E_USAGE, "'%s' after the network: tasks are named by --task",
                        args->words[1]);
    for (size_t k = 0; (name = cop_args_nth(args, "task", k)); k++)
        cop_list_split(&e->tasks, name, ",");
    /* --task a b: what follows the first name is a word like any other */
    for (size_t k = 1; k < args->word_count; k++) cop_list_split(&e->tasks, args->words[k], ",");
    cop_conf_sections(e->conf, "task.", &sections);
    for (size_t i = 0; i < sections.count; i++) {
        char *bare = cop_strdup(sections.items[i] + strlen("task."));
        cop_free(sections.items[i]);
        sections.items[i] = bare;
    }
    if (e->tasks.count == 0) cop_conf_words(e->conf, "evaluate", "tasks", &e->tasks);
    if (e->tasks.count == 0)
        for (size_t i = 0; i < sections.count; i++) cop_list_add(&e->tasks, sections.items[i]);
    if (e->tasks.count == 0)
        status =
            cop_fail(COP_E_USAGE, "the configuration has no task: give one with --config FILE");
    for (size_t t = 0; t < e->tasks.count && status == COP_OK; t++) {
        const char *task = e->tasks.items[t];
        bool known = false;
        for (size_t i = 0; i < sections.count; i++) known |= strcmp(sections.items[i], task) == 0;
        for (size_t i = 0; i < t && status == COP_OK; i++)
            if (strcmp(e->tasks.items[i], task) == 0)
                status = cop_fail(COP_E_USAGE, "task %s is named twice", task);
        if (known || status != COP_OK) continue;
        const char *near = cop_nearest(task, (const char *const *)sections.items, sections.count);
        status =
            cop_fail(COP_E_USAGE,
                     "--task %s: there is no section [task.%s] in the configuration%s%s%s; "
                     "--config FILE names another configuration",
                     task, task, near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    }
    cop_list_clear(&sections);
    return status;
}

static cop_status load_conf(evaluation *e, const char *file) {
    if (file) return cop_conf_load(&e->conf, cop_run_schema(), file);
    const char *stored = e->subject.network->config;
    if (!stored || !*stored)
        return cop_fail(COP_E_USAGE, "%s has no configuration with it: give one with --config FILE",
                        e->subject.network_file);
    return cop_conf_parse(&e->conf, cop_run_schema(), stored, e->subject.network_file);
}

/* The folder of --data, of the environment, or of run.json. */
static const char *data_folder(const evaluation *e, const cop_args *args) {
    const char *given = cop_args_get(args, "data");
    if (!given) given = getenv("COPPICE_DATA");
    if (!given && e->subject.run)
        given = json_string_value(json_object_get(e->subject.run, "data"));
    return given && *given ? given : NULL;
}

/* The grid of `sign` as the run had it: from the evolution sets of all its tasks. */
static cop_status find_scale(evaluation *e) {
    cop_dataset *sets[COP_TASKS_MAX] = {0};
    cop_list names = {0};
    cop_status status = COP_OK;
    size_t count = 0;
    cop_conf_words(e->conf, "evaluate", "tasks", &names);
    if (names.count == 0) {
        cop_list sections = {0};
        cop_conf_sections(e->conf, "task.", &sections);
        for (size_t i = 0; i < sections.count; i++)
            cop_list_add(&names, sections.items[i] + strlen("task."));
        cop_list_clear(&sections);
    }
    for (; count < names.count && count < COP_TASKS_MAX; count++)
        COP_GO(cop_task_load(&sets[count], e->conf, names.items[count], COP_SPLIT_EVOLVE,
                             e->data_dir));
    e->setup.scale = cop_eval_scale((const cop_dataset *const *)sets, count,
                                    (double)cop_conf_int(e->conf, "evaluate", "steps"));
done:
    for (size_t i = 0; i < COP_TASKS_MAX; i++) cop_dataset_destroy(sets[i]);
    cop_list_clear(&names);
    return status;
}

static double percent(uint64_t correct, size_t samples) {
    return 100.0 * (double)correct / (double)samples;
}

static void record(evaluation *e, const char *task, const cop_dataset *set,
                   const cop_evidence *evidence, const uint16_t *predicted) {
    const cop_weighting *weighting = &e->setup.weighting;
    bool trained = weighting->kind == COP_WEIGHTS_TRAINED;
    size_t best = 0;
    for (size_t v = 1; v < weighting->values; v++)
        if (evidence->correct[v] > evidence->correct[best]) best = v;
    json_t *result = json_object(), *values = json_array();
    for (size_t v = 0; v < weighting->values; v++) {
        double accuracy = percent(evidence->correct[v], set->samples);
        double loss = evidence->loss[v] / (double)set->samples;
        json_t *row = json_object();
        json_object_set_new(row, "value",
                            trained ? json_null() : cop_json_real(weighting->value[v]));
        json_object_set_new(row, "accuracy", cop_json_real(accuracy));
        json_object_set_new(row, "loss", cop_json_real(loss));
        json_object_set_new(row, "correct", cop_json_id(evidence->correct[v]));
        if (v == best) json_object_update(result, row);
        json_array_append_new(values, row);
        cop_table_add(&e->table, "%s", v ? "" : task);
        if (v)
            cop_table_add(&e->table, "%s", "");
        else
            cop_table_add(&e->table, "%zu", set->samples);
        if (trained)
            cop_table_add(&e->table, "-");
        else
            cop_table_add(&e->table, "%g", weighting->value[v]);
        cop_table_add(&e->table, "%.2f", accuracy);
        cop_table_add(&e->table, "%.4f", loss);
        cop_table_add(&e->table, "%s", v == best && !trained ? "best" : "");
    }
    cop_confusion matrix;
    cop_confusion_init(&matrix, (size_t)set->classes, e->setup.model->classes);
    cop_confusion_fill(&matrix, set->label, predicted + best * set->samples, set->samples);
    cop_buf_printf(&e->matrices, "\n%s: rows are the true classes, columns what was predicted\n",
                   task);
    cop_confusion_write(&matrix, (const char *const *)set->class_names, &e->matrices);
    json_object_set_new(result, "samples", cop_json_id(set->samples));
    json_object_set_new(result, "values", values);
    json_t *names = json_array();
    for (size_t c = 0; c < (size_t)set->classes; c++)
        json_array_append_new(names, set->class_names && set->class_names[c]
                                         ? json_string(set->class_names[c])
                                         : json_null());
    json_object_set_new(result, "classes", names);
    json_object_set_new(result, "confusion", cop_confusion_json(&matrix));
    json_object_set_new(e->results, task, result);
    cop_confusion_clear(&matrix);
    for (size_t i = 0; i < set->samples; i++)
        cop_buf_printf(&e->csv, "%zu,%d,%u,%s\n", i, (int)set->label[i],
                       (unsigned)predicted[best * set->samples + i], task);
}

static cop_status evaluate_task(evaluation *e, const char *task) {
    const cop_network *network = e->subject.network;
    cop_dataset *set = NULL;
    uint16_t *predicted = NULL;
    cop_evidence evidence;
    cop_status status = COP_OK;
    cop_activity_set("evaluating %s on task %s", e->subject.network_file, task);
    COP_GO(cop_task_load(&set, e->conf, task, e->split, e->data_dir));
    COP_GO(cop_experiment_fits(network->model, set, task));
    predicted = COP_NEW_ARRAY(uint16_t, e->setup.weighting.values * set->samples);
    const cop_mask *mask = &network->mask;
    cop_shard shard = {.x = set->x, .label = set->label, .n = set->samples};
    COP_GO(e->evaluator->evaluate(e->engine, &mask, 1, &shard, NULL, NULL, &evidence, predicted));
    record(e, task, set, &evidence, predicted);
done:
    cop_free(predicted);
    cop_dataset_destroy(set);
    return status;
}

static void print_text(const evaluation *e) {
    const cop_network *network = e->subject.network;
    cop_buf text = {0};
    cop_buf_printf(&text, "network %s, individual %llu, %s weights, %zu of %zu edges\n",
                   e->subject.network_file, (unsigned long long)network->id,
                   cop_weighting_name(network->weighting.kind), cop_mask_count(&network->mask),
                   network->mask.bits);
    cop_buf_printf(&text, "%s samples, evaluator %s\n\n", split_names[e->split],
                   e->evaluator->name);
    cop_table_write(&e->table, &text);
    if (e->confusion) cop_buf_printf(&text, "%s", cop_buf_text(&e->matrices));
    fputs(cop_buf_text(&text), stdout);
    cop_buf_clear(&text);
}

static void print_json(const evaluation *e) {
    const cop_network *network = e->subject.network;
    json_t *out = json_object();
    json_object_set_new(out, "network", json_string(e->subject.network_file));
    json_object_set_new(out, "individual", cop_json_id(network->id));
    json_object_set_new(out, "weighting", json_string(cop_weighting_name(network->weighting.kind)));
    json_object_set_new(out, "edges", cop_json_id(cop_mask_count(&network->mask)));
    json_object_set_new(out, "split", json_string(split_names[e->split]));
    json_object_set_new(out, "evaluator", json_string(e->evaluator->name));
    json_object_set(out, "tasks", e->results);
    cop_json_print(out, stdout);
}

static cop_status evaluate(const cop_args *args, cop_par *par) {
    evaluation e = {.split = COP_SPLIT_TEST,
                    .confusion = cop_args_has(args, "confusion"),
                    .results = json_object()};
    const char *id = cop_args_get(args, "individual"), *csv = cop_args_get(args, "predictions");
    uint64_t individual = COP_SUBJECT_BEST;
    cop_status status = COP_OK;
    (void)par;
    cop_buf_printf(&e.csv, "sample,label,predicted,task\n");
    cop_table_init(&e.table, "<task|samples|value|accuracy %|loss|<");
    COP_GO(find_split(cop_args_get(args, "split"), &e.split));
    if (id && (!cop_parse_u64(id, &individual) || individual == COP_SUBJECT_BEST))
        COP_GO(cop_fail(COP_E_USAGE, "--individual %s: wanted the number of an individual", id));
    COP_GO(cop_subject_open(&e.subject, args->words[0], individual, false));
    COP_GO(load_conf(&e, cop_args_get(args, "config")));
    COP_GO(find_tasks(&e, args));
    COP_GO(find_evaluator(&e, cop_args_get(args, "evaluator")));
    e.data_dir = data_folder(&e, args);
    e.setup = (cop_eval_setup){.model = e.subject.network->model,
                               .base = &e.subject.network->params,
                               .weighting = e.subject.network->weighting,
                               .batch = (size_t)cop_conf_int(e.conf, "evaluate", "batch"),
                               .dense_above = cop_conf_real(e.conf, "evaluate", "dense_above"),
                               .scale = 1};
    if (strcmp(e.evaluator->name, "sign") == 0) COP_GO(find_scale(&e));
    COP_GO(e.evaluator->create(&e.engine, &e.setup));
    for (size_t t = 0; t < e.tasks.count; t++) COP_GO(evaluate_task(&e, e.tasks.items[t]));
    if (csv) COP_GO(cop_write_file(csv, e.csv.data, e.csv.length));
    if (cop_args_has(args, "json"))
        print_json(&e);
    else
        print_text(&e);
done:
    if (e.engine) e.evaluator->destroy(e.engine);
    cop_table_clear(&e.table);
    cop_buf_clear(&e.matrices);
    cop_buf_clear(&e.csv);
    cop_list_clear(&e.tasks);
    cop_conf_destroy(e.conf);
    cop_subject_close(&e.subject);
    json_decref(e.results);
    return status;
}

const cop_command cop_cmd_evaluate = {
    .name = "evaluate",
    .synopsis = "NETWORK [options]",
    .summary = "Evaluate a network on tasks: accuracy, confusion matrix, predictions",
    .details =
        "NETWORK is a network file, a run directory (its best network) or a checkpoint. Tasks are "
        "looked up in --config, else in the configuration stored with the network, so '--task "
        "NAME' "
        "works on any finished run.\n\n"
        "Prints accuracy and mean loss per task and shared value; the best value of a task is the "
        "one "
        "with the most correct samples, the smallest of equals. Predictions and the confusion "
        "matrix "
        "are those of the best value.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1 + COP_TASKS_MAX,
    .ranks = COP_RANKS_ONE,
    .run = evaluate,
};
