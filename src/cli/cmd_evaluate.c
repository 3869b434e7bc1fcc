/* coppice evaluate: a stored network on the samples of tasks. */
#include <stdlib.h>
#include <string.h>

#include "coppice/cli.h"
#include "coppice/io.h"
#include "memory_flag.h"
#include "run/directory.h"
#include "task_flags.h"

static const cop_flag flags[] = {
    COP_TASK_FLAGS,
    {"split", 's', "SPLIT", false, "test (default), evolve or train samples of the tasks."},
    {"choose", 0, "SPLIT", false,
     "Choose the shared value on this split instead of on the samples evaluated (evolve: as a "
     "fair test does)."},
    {"evaluator", 'e', "NAME", false,
     "sign, sparse, blas or reference (default: the configuration's; blas where that is sign and "
     "the "
     "weights are trained ones)."},
    {"individual", 'i', "ID", false, "A live individual of a run or checkpoint, not the best."},
    {"predictions", 'p', "FILE", false, "Write sample, label, predicted class and task as CSV."},
    {"confusion", 0, NULL, false, "Show the confusion matrix of each task."},
    COP_FLAG_MEMORY,
    {"json", 0, NULL, false, "Print one JSON object instead of text (keys: docs/inspect.md)."},
    {0},
};

/* One call of the command. */
typedef struct evaluation {
    cop_subject subject;
    cop_judge judge;
    cop_list tasks;
    cop_split split, choose; /* the shared value is the best one of the split `choose` */
    bool confusion;
    cop_table table;
    cop_buf matrices, csv;
    json_t *results; /* by task */
} evaluation;

static double percent(uint64_t correct, size_t samples) {
    return 100.0 * (double)correct / (double)samples;
}

/* The ensemble over the shared values, as Gaier and Ha 2019 have it. */
static json_t *record_vote(evaluation *e, const cop_dataset *set, const uint16_t *predicted) {
    uint16_t *vote = COP_NEW_ARRAY(uint16_t, set->samples);
    uint64_t correct = 0;
    json_t *result = json_object();
    cop_vote(predicted, e->judge.setup.weighting.values, set->samples, vote);
    for (size_t i = 0; i < set->samples; i++) correct += vote[i] == set->label[i];
    cop_table_add(&e->table, "%s", "");
    cop_table_add(&e->table, "%s", "");
    cop_table_add(&e->table, "vote");
    cop_table_add(&e->table, "%.2f", percent(correct, set->samples));
    cop_table_add(&e->table, "-");
    cop_table_add(&e->table, "%s", "");
    json_object_set_new(result, "accuracy", cop_json_real(percent(correct, set->samples)));
    json_object_set_new(result, "correct", cop_json_id(correct));
    cop_free(vote);
    return result;
}

static void record(evaluation *e, const char *task, const cop_dataset *set,
                   const cop_evidence *evidence, const uint16_t *predicted, size_t best) {
    const cop_weighting *weighting = &e->judge.setup.weighting;
    bool trained = weighting->kind == COP_WEIGHTS_TRAINED;
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
        cop_table_add(&e->table, "%s",
                      v != best || trained    ? ""
                      : e->choose == e->split ? "best"
                                              : "chosen");
    }
    cop_confusion matrix;
    cop_confusion_init(&matrix, (size_t)set->classes, cop_judge_outputs(&e->judge, set));
    cop_confusion_fill(&matrix, set->label, predicted + best * set->samples, set->samples);
    cop_buf_printf(&e->matrices, "\n%s: rows are the true classes, columns what was predicted\n",
                   task);
    cop_confusion_write(&matrix, (const char *const *)set->class_names, &e->matrices);
    json_object_set_new(result, "samples", cop_json_id(set->samples));
    json_object_set_new(result, "values", values);
    json_object_set_new(result, "vote",
                        weighting->values > 1 ? record_vote(e, set, predicted) : json_null());
    json_t *names = json_array();
    for (size_t c = 0; c < (size_t)set->classes; c++)
        json_array_append_new(names, set->class_names && set->class_names[c]
                                         ? cop_json_text(set->class_names[c])
                                         : json_null());
    json_object_set_new(result, "classes", names);
    json_object_set_new(result, "confusion", cop_confusion_json(&matrix));
    json_object_set_new(e->results, task, result);
    cop_confusion_clear(&matrix);
    for (size_t i = 0; i < set->samples; i++)
        cop_buf_printf(&e->csv, "%zu,%d,%u,%s\n", i, (int)set->label[i],
                       (unsigned)predicted[best * set->samples + i], task);
}

static cop_status choose_value(evaluation *e, const char *task, const cop_evidence *evidence,
                               size_t *best) {
    cop_dataset *set = NULL;
    uint16_t *predicted = NULL;
    cop_evidence other;
    cop_status status = COP_OK;
    *best = cop_judge_best(&e->judge, evidence);
    if (e->choose == e->split || e->judge.setup.weighting.values == 1) return COP_OK;
    COP_GO(cop_judge_load(&e->judge, task, e->choose, &set));
    COP_GO(cop_judge_predict(&e->judge, set, &other, &predicted));
    *best = cop_judge_best(&e->judge, &other);
done:
    cop_free(predicted);
    cop_dataset_destroy(set);
    return status;
}

static cop_status evaluate_task(evaluation *e, const char *task) {
    size_t best;
    cop_dataset *set = NULL;
    uint16_t *predicted = NULL;
    cop_evidence evidence;
    cop_status status = COP_OK;
    cop_activity_set("evaluating %s on task %s", e->subject.network_file, task);
    COP_GO(cop_judge_load(&e->judge, task, e->split, &set));
    COP_GO(cop_judge_predict(&e->judge, set, &evidence, &predicted));
    COP_GO(choose_value(e, task, &evidence, &best));
    record(e, task, set, &evidence, predicted, best);
done:
    cop_free(predicted);
    cop_dataset_destroy(set);
    return status;
}

static void print_text(const evaluation *e) {
    const cop_subject_facts facts = cop_subject_facts_of(&e->subject);
    cop_buf text = {0};
    cop_buf_printf(&text, "network %s, individual %llu, %s weights, %llu of %llu edges\n",
                   e->subject.network_file, (unsigned long long)facts.individual,
                   cop_weighting_name(facts.weighting), (unsigned long long)facts.edges,
                   (unsigned long long)facts.possible);
    cop_buf_printf(&text, "%s samples, evaluator %s", cop_split_name(e->split), e->judge.how);
    if (e->choose != e->split)
        cop_buf_printf(&text, ", shared value chosen on %s samples", cop_split_name(e->choose));
    cop_buf_printf(&text, "\n\n");
    cop_table_write(&e->table, &text);
    if (e->confusion) cop_buf_printf(&text, "%s", cop_buf_text(&e->matrices));
    fputs(cop_buf_text(&text), stdout);
    cop_buf_clear(&text);
}

static void print_json(const evaluation *e) {
    const cop_subject_facts facts = cop_subject_facts_of(&e->subject);
    json_t *out = json_object();
    json_object_set_new(out, "network", cop_json_text(e->subject.network_file));
    json_object_set_new(out, "individual", cop_json_id(facts.individual));
    json_object_set_new(out, "weighting", json_string(cop_weighting_name(facts.weighting)));
    json_object_set_new(out, "edges", cop_json_id(facts.edges));
    json_object_set_new(out, "split", json_string(cop_split_name(e->split)));
    json_object_set_new(out, "choose", json_string(cop_split_name(e->choose)));
    json_object_set_new(out, "evaluator", json_string(e->judge.how));
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
    COP_GO(cop_split_flag(args, "split", &e.split));
    e.choose = e.split;
    COP_GO(cop_split_flag(args, "choose", &e.choose));
    if (id && (!cop_parse_u64(id, &individual) || individual == COP_SUBJECT_BEST))
        COP_GO(cop_fail(COP_E_USAGE, "--individual %s: wanted the number of an individual", id));
    COP_GO(cop_subject_open(&e.subject, args->words[0], individual, false));
    COP_GO(cop_judge_open(&e.judge, &e.subject, cop_args_get(args, "config"),
                          cop_args_get(args, "data")));
    COP_GO(cop_task_flags(args, &e.judge, &e.tasks));
    COP_GO(cop_memory_flag(args, &e.judge.memory));
    e.judge.splits = 1u << e.split | 1u << e.choose;
    COP_GO(cop_judge_ready(&e.judge, cop_args_get(args, "evaluator")));
    for (size_t t = 0; t < e.tasks.count; t++) COP_GO(evaluate_task(&e, e.tasks.items[t]));
    if (csv) COP_GO(cop_write_file(csv, e.csv.data, e.csv.length));
    if (cop_args_has(args, "json"))
        print_json(&e);
    else
        print_text(&e);
done:
    cop_judge_close(&e.judge);
    cop_table_clear(&e.table);
    cop_buf_clear(&e.matrices);
    cop_buf_clear(&e.csv);
    cop_list_clear(&e.tasks);
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
        "with the most correct samples, the smallest of equals. Of several values the vote is an "
        "ensemble: the class that most of them see, of equals the one of the smallest value. "
        "Predictions and the confusion "
        "matrix "
        "are those of the best value.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1 + COP_TASKS_MAX,
    .ranks = COP_RANKS_ONE,
    .run = evaluate,
};
