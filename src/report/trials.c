/* What runs found, side by side: numbers of finished runs, arm by arm. */
#include <math.h>
#include <string.h>

#include "coppice/report.h"

static void add_once(cop_list *list, const char *text) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0) return;
    cop_list_add(list, text);
}

size_t cop_trials_arm(cop_trials *trials, const char *name) {
    size_t a = 0;
    while (a < trials->arms && strcmp(trials->arm[a].name, name) != 0) a++;
    if (a == trials->arms) {
        trials->arm = cop_realloc(trials->arm, a, a + 1, sizeof *trials->arm);
        trials->arm[trials->arms++] = (cop_trial_arm){.name = cop_strdup(name)};
    }
    return a;
}

static void set_number(json_t *numbers, const char *name, const json_t *value) {
    if (json_is_number(value))
        json_object_set_new(numbers, name, json_real(json_number_value(value)));
}

/* "accuracy.mnist.test" and so on, from result.tasks of run.json. */
static void set_accuracies(json_t *numbers, const char *task, const json_t *scores) {
    static const char *const keys[][2] = {{"best_evolve", "evolution"}, {"best_test", "test"}};
    for (size_t i = 0; i < 2; i++) {
        char *name = cop_sprintf("accuracy.%s.%s", task, keys[i][1]);
        set_number(numbers, name, json_object_get(json_object_get(scores, keys[i][0]), "accuracy"));
        cop_free(name);
    }
}

/* The mean over the tasks, on which runs with different fitness functions can be compared. A task
 * of that name goes first. */
static void set_mean(json_t *numbers, const json_t *tasks, const char *split) {
    const char *task;
    const json_t *scores;
    double sum = 0;
    size_t known = 0, all = json_object_size(tasks);
    json_object_foreach((json_t *)(uintptr_t)tasks, task, scores) {
        char *name = cop_sprintf("accuracy.%s.%s", task, split);
        const json_t *value = json_object_get(numbers, name);
        if (value) sum += json_number_value(value);
        known += value != NULL;
        cop_free(name);
    }
    char *mean = cop_sprintf("accuracy.mean.%s", split);
    if (known == all && all > 1 && !json_object_get(numbers, mean))
        json_object_set_new(numbers, mean, json_real(sum / (double)all));
    cop_free(mean);
}

/* Names of tasks become parts of file names and of scripts for gnuplot, which can start programs.
 */
static const char *strange_name(const json_t *tasks) {
    const char *task;
    const json_t *scores;
    json_object_foreach((json_t *)(uintptr_t)tasks, task, scores) {
        if (!cop_conf_plain_name(task)) return task;
    }
    return NULL;
}

/* A run of the arm that found bit for bit the same, which only the same experiment with the same
 * seed does: the run itself, a copy, or a repetition. Counted again it would be no evidence. */
static const char *twin(const cop_trial_arm *arm, const char *directory, const char *digest) {
    for (size_t i = 0; i < arm->trials; i++)
        if (strcmp(arm->trial[i].directory, directory) == 0 ||
            (*digest && strcmp(arm->trial[i].digest, digest) == 0))
            return arm->trial[i].directory;
    return NULL;
}

cop_status cop_trials_add(cop_trials *trials, size_t arm, const char *directory, int64_t seed) {
    static const char *const keys[][2] = {{"fitness", "best_ever"},
                                          {"edges", "edges"},
                                          {"generations", "generation"},
                                          {"evaluations", "evaluations"},
                                          {"seconds", "seconds"}};
    char *path = cop_sprintf("%s/run.json", directory);
    json_error_t error;
    json_t *run = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    const json_t *result = json_object_get(run, "result");
    json_t *tasks = json_object_get(result, "tasks"), *scores;
    const char *status = json_string_value(json_object_get(run, "status")), *task;
    const char *found = json_string_value(json_object_get(result, "digest")),
               *digest = found ? found : "", *same = twin(&trials->arm[arm], directory, digest);
    cop_status outcome = COP_OK;
    if (!run)
        outcome = cop_fail(COP_E_FORMAT, "%s: %s", path, error.text);
    else if (!status || strcmp(status, "finished") != 0 || !json_is_object(result))
        outcome = cop_fail(COP_E_FORMAT, "%s: the run has not finished (status %s)", directory,
                           status ? status : "unknown");
    else if (!json_is_object(tasks)) /* its last session had nothing left to do and no table */
        outcome = cop_fail(COP_E_FORMAT, "%s: no accuracies in its result", path);
    else if (strange_name(tasks))
        outcome = cop_fail(COP_E_FORMAT,
                           "%s: a task of its result has a name that no task can have: coppice did "
                           "not write this",
                           path);
    else if (same)
        outcome = cop_fail(COP_E_FORMAT,
                           "%s: it is the same run as %s (equal digests), which counts once",
                           directory, same);
    if (outcome == COP_OK) {
        cop_trial_arm *to = &trials->arm[arm];
        json_t *numbers = json_object();
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            set_number(numbers, keys[i][0], json_object_get(result, keys[i][1]));
        json_object_foreach(tasks, task, scores) {
            add_once(&trials->tasks, task);
            set_accuracies(numbers, task, scores);
        }
        set_mean(numbers, tasks, "evolution");
        set_mean(numbers, tasks, "test");
        to->trial = cop_realloc(to->trial, to->trials, to->trials + 1, sizeof *to->trial);
        to->trial[to->trials++] =
            (cop_trial){seed, cop_strdup(directory), cop_strdup(digest), numbers};
    }
    json_decref(run);
    cop_free(path);
    return outcome;
}

void cop_trials_clear(cop_trials *trials) {
    for (size_t a = 0; a < trials->arms; a++) {
        cop_trial_arm *arm = &trials->arm[a];
        for (size_t i = 0; i < arm->trials; i++) {
            cop_free(arm->trial[i].directory);
            cop_free(arm->trial[i].digest);
            json_decref(arm->trial[i].numbers);
        }
        cop_free(arm->trial);
        cop_free(arm->name);
    }
    cop_free(trials->arm);
    cop_list_clear(&trials->tasks);
    *trials = (cop_trials){0};
}

void cop_trials_measures(const cop_trials *trials, cop_list *names) {
    cop_list_add(names, "fitness");
    for (size_t t = 0; t < trials->tasks.count; t++)
        for (int test = 0; test < 2; test++) {
            char *name =
                cop_sprintf("accuracy.%s.%s", trials->tasks.items[t], test ? "test" : "evolution");
            cop_list_add(names, name);
            cop_free(name);
        }
    cop_list_add(names, "edges");
    cop_list_add(names, "seconds");
}

double cop_trial_value(const cop_trial *trial, const char *measure) {
    const json_t *value = json_object_get(trial->numbers, measure);
    return value ? json_number_value(value) : NAN;
}

size_t cop_trial_values(const cop_trial_arm *arm, const char *measure, double *out) {
    size_t count = 0;
    for (size_t i = 0; i < arm->trials; i++) {
        double value = cop_trial_value(&arm->trial[i], measure);
        if (isfinite(value)) out[count++] = value;
    }
    return count;
}

const cop_trial *cop_trial_champion(const cop_trial_arm *arm) {
    const cop_trial *best = NULL;
    for (size_t i = 0; i < arm->trials; i++)
        if (!best || cop_trial_value(&arm->trial[i], "fitness") > cop_trial_value(best, "fitness"))
            best = &arm->trial[i];
    return best;
}

int cop_measure_digits(const char *measure) {
    return strncmp(measure, "accuracy.", 9) == 0 ? 2
           : strcmp(measure, "fitness") == 0     ? 4
           : strcmp(measure, "seconds") == 0     ? 1
                                                 : 0;
}

/* ------------------------------------------------------------------ tables */

static cop_sample sample(const cop_trial_arm *arm, const char *measure) {
    double *values = COP_NEW_ARRAY(double, arm->trials);
    cop_sample s = cop_sample_of(values, cop_trial_values(arm, measure, values));
    cop_free(values);
    return s;
}

/* "accuracy.mnist.test" as a heading: "mnist test %". */
static void add_heading(cop_buf *out, const char *measure) {
    if (strncmp(measure, "accuracy.", 9) != 0) {
        cop_buf_printf(out, "|%s", measure);
        return;
    }
    const char *task = measure + 9, *dot = strrchr(task, '.');
    cop_buf_printf(out, "|%.*s %s %%", (int)(dot - task), task, dot + 1);
}

void cop_trials_write(const cop_trials *trials, cop_buf *out) {
    cop_list measures = {0};
    cop_buf head = {0};
    cop_table table;
    cop_trials_measures(trials, &measures);
    cop_buf_printf(&head, "<arm|seeds");
    for (size_t m = 0; m < measures.count; m++) add_heading(&head, measures.items[m]);
    cop_table_init(&table, cop_buf_text(&head));
    for (size_t a = 0; a < trials->arms; a++) {
        const cop_trial_arm *arm = &trials->arm[a];
        cop_table_add(&table, "%s", arm->name);
        cop_table_add(&table, "%zu", arm->trials);
        for (size_t m = 0; m < measures.count; m++) {
            cop_sample s = sample(arm, measures.items[m]);
            int digits = cop_measure_digits(measures.items[m]);
            if (!s.count)
                cop_table_add(&table, "-");
            else if (s.count == 1)
                cop_table_add(&table, "%.*f", digits, s.mean);
            else
                cop_table_add(&table, "%.*f +- %.*f", digits, s.mean, digits, s.sd);
        }
    }
    cop_table_write(&table, out);
    cop_buf_printf(
        out, "(mean +- sample standard deviation, n - 1, over the finished seeds; each the best "
             "individual ever,\n its accuracies at the best shared value of the samples of "
             "that column; seconds of search)\n");
    for (size_t a = 0; a < trials->arms; a++) {
        cop_sample s = sample(&trials->arm[a], "generations");
        if (s.count && s.most > s.least)
            cop_buf_printf(out,
                           "(runs of %s ended after different numbers of generations, %.0f to "
                           "%.0f: runs.csv has them)\n",
                           trials->arm[a].name, s.least, s.most);
    }
    cop_table_clear(&table);
    cop_buf_clear(&head);
    cop_list_clear(&measures);
}

void cop_trials_csv(const cop_trials *trials, cop_buf *out) {
    cop_list measures = {0};
    cop_trials_measures(trials, &measures);
    cop_buf_printf(out, "arm,measure,seeds,mean,sd_sample,sd_population,least,most\n");
    for (size_t a = 0; a < trials->arms; a++)
        for (size_t m = 0; m < measures.count; m++) {
            cop_sample s = sample(&trials->arm[a], measures.items[m]);
            cop_buf_printf(out, "%s,%s,%zu", trials->arm[a].name, measures.items[m], s.count);
            double n = (double)s.count;
            double numbers[] = {s.mean, s.sd, s.count > 1 ? s.sd * sqrt((n - 1) / n) : NAN, s.least,
                                s.most};
            for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
                if (isfinite(numbers[i]))
                    cop_buf_printf(out, ",%.10g", numbers[i]);
                else
                    cop_buf_printf(out, ","); /* nothing to say */
            cop_buf_printf(out, "\n");
        }
    cop_list_clear(&measures);
}

void cop_trials_runs_csv(const cop_trials *trials, cop_buf *out) {
    cop_list measures = {0};
    cop_trials_measures(trials, &measures);
    cop_list_add(&measures, "generations");
    cop_list_add(&measures, "evaluations");
    cop_buf_printf(out, "arm,seed");
    for (size_t m = 0; m < measures.count; m++) cop_buf_printf(out, ",%s", measures.items[m]);
    cop_buf_printf(out, ",digest\n");
    for (size_t a = 0; a < trials->arms; a++)
        for (size_t i = 0; i < trials->arm[a].trials; i++) {
            const cop_trial *trial = &trials->arm[a].trial[i];
            cop_buf_printf(out, "%s,%lld", trials->arm[a].name, (long long)trial->seed);
            for (size_t m = 0; m < measures.count; m++) {
                double value = cop_trial_value(trial, measures.items[m]);
                if (isfinite(value))
                    cop_buf_printf(out, ",%.10g", value);
                else
                    cop_buf_printf(out, ",");
            }
            cop_buf_printf(out, ",%s\n", trial->digest);
        }
    cop_list_clear(&measures);
}
