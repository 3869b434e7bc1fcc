/* Networks on the same samples, one by one and in pairs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "coppice/io.h"
#include "run/directory.h"
#include "task_flags.h"

enum { NETWORKS_MOST = 64 };

/* One network. */
struct contender {
    char *name;
    cop_subject subject;
    cop_judge judge;
    uint16_t *predicted; /* of the task at hand, at the chosen value; owned */
    uint64_t correct;
    double value; /* chosen; NaN for trained weights */
};

struct comparison {
    struct contender *one; /* (count) */
    size_t count;
    cop_split split, choose;
    double level;
    bool confusion;
    cop_buf text;
    json_t *tasks;
};

/* All predictions of a network on @p set, by the outputs that it has for the task. */
static cop_status predict(const struct contender *c, const cop_dataset *set, const char *task,
                          cop_evidence *evidence, uint16_t **predicted) {
    cop_dataset seen = *set; /* lent */
    seen.head = cop_compare_head(&c->judge, task, set);
    cop_status status = cop_judge_fits(&c->judge, &seen, task);
    if (status == COP_OK) status = cop_judge_predict(&c->judge, &seen, evidence, predicted);
    return status == COP_OK ? status : cop_fail_prefix(status, "%s", c->name);
}

/* Its predictions at the value that is best on @p choose (NULL: on @p set itself). */
static cop_status judge(struct contender *c, const cop_dataset *set, const cop_dataset *choose,
                        const char *task) {
    cop_evidence evidence, other;
    uint16_t *all = NULL, *unused = NULL;
    cop_status status = COP_OK;
    size_t best;
    cop_activity_set("evaluating %s on task %s", c->name, task);
    COP_GO(predict(c, set, task, &evidence, &all));
    best = cop_judge_best(&c->judge, &evidence);
    if (choose && c->judge.setup.weighting.values > 1) {
        COP_GO(predict(c, choose, task, &other, &unused));
        best = cop_judge_best(&c->judge, &other);
    }
    c->correct = evidence.correct[best];
    c->value = c->judge.setup.weighting.kind == COP_WEIGHTS_TRAINED
                   ? NAN
                   : c->judge.setup.weighting.value[best];
    c->predicted = COP_NEW_ARRAY(uint16_t, set->samples);
    memcpy(c->predicted, all + best * set->samples, set->samples * sizeof *c->predicted);
done:
    cop_free(all);
    cop_free(unused);
    return status;
}

static json_t *interval_json(double low, double high) {
    json_t *out = json_array();
    json_array_append_new(out, cop_json_real(100 * low));
    json_array_append_new(out, cop_json_real(100 * high));
    return out;
}

static void write_alone(struct comparison *all, const cop_dataset *set, json_t *result) {
    cop_table table;
    json_t *networks = json_array();
    char *head = cop_sprintf("<network|edges|value|correct|accuracy %%|%g %% interval (Wilson)|"
                             "(Clopper-Pearson)",
                             100 * all->level);
    cop_table_init(&table, head);
    for (size_t i = 0; i < all->count; i++) {
        const struct contender *c = &all->one[i];
        const cop_subject_facts facts = cop_subject_facts_of(&c->subject);
        double low[2], high[2], accuracy = 100.0 * (double)c->correct / (double)set->samples;
        cop_wilson_interval(c->correct, set->samples, all->level, &low[0], &high[0]);
        cop_clopper_pearson_interval(c->correct, set->samples, all->level, &low[1], &high[1]);
        cop_table_add(&table, "%s", c->name);
        cop_table_add(&table, "%llu", (unsigned long long)facts.edges);
        if (isnan(c->value))
            cop_table_add(&table, "-");
        else
            cop_table_add(&table, "%g", c->value);
        cop_table_add(&table, "%llu", (unsigned long long)c->correct);
        cop_table_add(&table, "%.2f", accuracy);
        for (size_t k = 0; k < 2; k++)
            cop_table_add(&table, "%.2f to %.2f", 100 * low[k], 100 * high[k]);
        json_t *row = json_object();
        json_object_set_new(row, "network", cop_json_text(c->name));
        json_object_set_new(row, "file", cop_json_text(c->subject.network_file));
        json_object_set_new(row, "individual", cop_json_id(facts.individual));
        json_object_set_new(row, "edges", cop_json_id(facts.edges));
        json_object_set_new(row, "value", cop_json_real(c->value));
        json_object_set_new(row, "correct", cop_json_id(c->correct));
        json_object_set_new(row, "accuracy", cop_json_real(accuracy));
        json_object_set_new(row, "wilson", interval_json(low[0], high[0]));
        json_object_set_new(row, "clopper_pearson", interval_json(low[1], high[1]));
        json_array_append_new(networks, row);
    }
    cop_table_write(&table, &all->text);
    json_object_set_new(result, "networks", networks);
    cop_table_clear(&table);
    cop_free(head);
}

static void write_pairs(struct comparison *all, const cop_dataset *set, json_t *result) {
    cop_table table;
    json_t *pairs = json_array();
    cop_table_init(&table, "<pair|difference|both right|first alone|second alone|both wrong|same "
                           "class|McNemar p");
    for (size_t i = 0; i < all->count; i++)
        for (size_t j = i + 1; j < all->count; j++) {
            const struct contender *a = &all->one[i], *b = &all->one[j];
            uint64_t count[2][2] = {{0}}, same = 0; /* by whether a and b are right */
            for (size_t s = 0; s < set->samples; s++) {
                count[a->predicted[s] == set->label[s]][b->predicted[s] == set->label[s]]++;
                same += a->predicted[s] == b->predicted[s];
            }
            double p = cop_mcnemar_test(count[1][0], count[0][1]), n = (double)set->samples;
            double difference = 100 * ((double)b->correct - (double)a->correct) / n;
            cop_table_add(&table, "%s, %s", a->name, b->name);
            cop_table_add(&table, "%+.2f", difference);
            cop_table_add(&table, "%llu", (unsigned long long)count[1][1]);
            cop_table_add(&table, "%llu", (unsigned long long)count[1][0]);
            cop_table_add(&table, "%llu", (unsigned long long)count[0][1]);
            cop_table_add(&table, "%llu", (unsigned long long)count[0][0]);
            cop_table_add(&table, "%.1f %%", 100 * (double)same / n);
            cop_table_add(&table, p < 0.0001 ? "%.1e" : "%.4f", p);
            json_t *row = json_object(), *names = json_array();
            json_array_append_new(names, cop_json_text(a->name));
            json_array_append_new(names, cop_json_text(b->name));
            json_object_set_new(row, "networks", names);
            json_object_set_new(row, "difference", cop_json_real(difference));
            json_object_set_new(row, "both_right", cop_json_id(count[1][1]));
            json_object_set_new(row, "first_alone", cop_json_id(count[1][0]));
            json_object_set_new(row, "second_alone", cop_json_id(count[0][1]));
            json_object_set_new(row, "both_wrong", cop_json_id(count[0][0]));
            json_object_set_new(row, "same_class", cop_json_id(same));
            json_object_set_new(row, "mcnemar_p", cop_json_real(p));
            json_array_append_new(pairs, row);
        }
    cop_buf_printf(&all->text, "\n");
    cop_table_write(&table, &all->text);
    json_object_set_new(result, "pairs", pairs);
    cop_table_clear(&table);
}

static void write_matrices(struct comparison *all, const char *task, const cop_dataset *set,
                           json_t *result) {
    json_t *networks = json_object_get(result, "networks");
    for (size_t i = 0; i < all->count; i++) {
        cop_confusion matrix;
        cop_dataset seen = *set; /* lent */
        seen.head = cop_compare_head(&all->one[i].judge, task, set);
        cop_confusion_init(&matrix, (size_t)set->classes,
                           cop_judge_outputs(&all->one[i].judge, &seen));
        cop_confusion_fill(&matrix, set->label, all->one[i].predicted, set->samples);
        if (all->confusion) {
            cop_buf_printf(&all->text,
                           "\n  %s: rows are the true classes, columns what was "
                           "predicted\n",
                           all->one[i].name);
            cop_confusion_write(&matrix, (const char *const *)set->class_names, &all->text);
        }
        json_object_set_new(json_array_get(networks, i), "confusion", cop_confusion_json(&matrix));
        cop_confusion_clear(&matrix);
    }
}

static cop_status compare_on(struct comparison *all, const char *task) {
    cop_dataset *set = NULL, *choose = NULL;
    json_t *result = json_object();
    cop_status status = COP_OK;
    COP_GO(cop_judge_load(&all->one[0].judge, task, all->split, &set));
    if (all->choose != all->split)
        COP_GO(cop_judge_load(&all->one[0].judge, task, all->choose, &choose));
    for (size_t i = 0; i < all->count; i++) {
        if (i)
            cop_compare_same_task(&all->one[0].judge, all->one[0].name, &all->one[i].judge,
                                  all->one[i].name, task);
        COP_GO(judge(&all->one[i], set, choose, task));
    }
    cop_buf_printf(&all->text, "%s, %zu %s samples\n", task, set->samples,
                   cop_split_name(all->split));
    json_object_set_new(result, "samples", cop_json_id(set->samples));
    write_alone(all, set, result);
    write_pairs(all, set, result);
    write_matrices(all, task, set, result);
    cop_buf_printf(&all->text, "\n");
    json_object_set(all->tasks, task, result);
done:
    for (size_t i = 0; i < all->count; i++) {
        cop_free(all->one[i].predicted);
        all->one[i].predicted = NULL;
    }
    json_decref(result);
    cop_dataset_destroy(set);
    cop_dataset_destroy(choose);
    return status;
}

static cop_status open_one(struct contender *c, const cop_args *args, const char *word) {
    const char *path = cop_compare_word(word, &c->name);
    COP_TRY(cop_subject_open(&c->subject, path, COP_SUBJECT_BEST, false));
    return cop_judge_open(&c->judge, &c->subject, cop_args_get(args, "config"),
                          cop_args_get(args, "data"));
}

/* Equal names, as of run directories in several folders, become whole paths. */
static void tell_apart(struct comparison *all, const cop_args *args) {
    for (size_t i = 0; i < all->count; i++) {
        bool twice = false;
        for (size_t k = 0; k < all->count; k++)
            twice |= k != i && strcmp(all->one[k].name, all->one[i].name) == 0;
        if (!twice) continue;
        for (size_t k = all->count; k-- > i;) {
            if (k != i && strcmp(all->one[k].name, all->one[i].name) != 0) continue;
            cop_free(all->one[k].name);
            all->one[k].name = cop_strdup(args->words[k]);
        }
    }
}

static void print(const struct comparison *all, bool as_json) {
    if (!as_json) {
        printf("%s(shared values chosen on the %s samples; difference: accuracy of the second less "
               "that of the first,\n in points; McNemar's test is exact and two-sided)\n",
               cop_buf_text(&all->text), cop_split_name(all->choose));
        return;
    }
    json_t *out = json_object();
    json_object_set_new(out, "split", json_string(cop_split_name(all->split)));
    json_object_set_new(out, "choose", json_string(cop_split_name(all->choose)));
    json_object_set_new(out, "level", cop_json_real(all->level));
    json_object_set(out, "tasks", all->tasks);
    cop_json_print(out, stdout);
}

cop_status cop_compare_networks(const cop_args *args, double level) {
    struct comparison all = {.split = COP_SPLIT_TEST,
                             .choose = COP_SPLIT_EVOLVE,
                             .level = level,
                             .confusion = cop_args_has(args, "confusion"),
                             .tasks = json_object()};
    /* words after the networks are not tasks here */
    cop_args first = *args;
    cop_list tasks = {0};
    cop_status status = COP_OK;
    first.word_count = 1;
    all.one = COP_NEW_ARRAY(struct contender, args->word_count);
    if (args->word_count > NETWORKS_MOST)
        COP_GO(cop_fail(COP_E_USAGE, "%zu networks, at most %d are possible at a time",
                        args->word_count, NETWORKS_MOST));
    COP_GO(cop_split_flag(args, "split", &all.split));
    COP_GO(cop_split_flag(args, "choose", &all.choose));
    for (; all.count < args->word_count; all.count++) {
        status = open_one(&all.one[all.count], args, args->words[all.count]);
        if (status != COP_OK) {
            all.count++;
            goto done;
        }
    }
    tell_apart(&all, args);
    COP_GO(cop_task_flags(&first, &all.one[0].judge, &tasks));
    for (size_t i = 0; i < all.count; i++) COP_GO(cop_judge_ready(&all.one[i].judge, NULL));
    for (size_t t = 0; t < tasks.count; t++) COP_GO(compare_on(&all, tasks.items[t]));
    print(&all, cop_args_has(args, "json"));
done:
    for (size_t i = 0; i < all.count; i++) {
        cop_judge_close(&all.one[i].judge);
        cop_subject_close(&all.one[i].subject);
        cop_free(all.one[i].name);
    }
    cop_free(all.one);
    cop_list_clear(&tasks);
    json_decref(all.tasks);
    cop_buf_clear(&all.text);
    return status;
}
