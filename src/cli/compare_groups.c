/* Groups of runs against one of them, over their seeds. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "coppice/io.h"
#include "run/directory.h"
#include "run/sweep.h"

static bool holds_run(const char *folder) {
    char *path = cop_sprintf("%s/run.json", folder);
    bool there = cop_file_exists(path);
    cop_free(path);
    return there;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Run directories in a folder, by name; none when there is no such folder. */
static void runs_in(const char *folder, cop_list *runs) {
    DIR *listing = opendir(folder);
    const struct dirent *item;
    if (!listing) return;
    while ((item = readdir(listing))) {
        if (item->d_name[0] == '.') continue;
        char *path = cop_sprintf("%s/%s", folder, item->d_name);
        if (holds_run(path)) cop_list_add(runs, path);
        cop_free(path);
    }
    closedir(listing);
    if (runs->count) qsort(runs->items, runs->count, sizeof *runs->items, by_text);
}

bool cop_compare_is_group(const char *word) {
    char *name;
    const char *path = cop_compare_word(word, &name);
    cop_list runs = {0};
    cop_free(name);
    if (cop_file_exists(path) && holds_run(path)) return false;
    runs_in(path, &runs);
    bool group =
        runs.count > 0 || cop_sweep_is_one(path) || (strchr(path, ',') && !cop_file_exists(path));
    cop_list_clear(&runs);
    return group;
}

/* The number at the end of a folder's name, as in seed-7; else -1. */
static int64_t seed_of(const char *folder) {
    size_t end = strlen(folder), begin = end;
    int64_t seed;
    while (begin > 0 && isdigit((unsigned char)folder[begin - 1])) begin--;
    return begin < end && cop_parse_i64(folder + begin, &seed) ? seed : -1;
}

static cop_status new_group(cop_trials *trials, const char *name, size_t *arm) {
    for (size_t a = 0; a < trials->arms; a++)
        if (strcmp(trials->arm[a].name, name) == 0)
            return cop_fail(COP_E_USAGE, "two groups would be called %s: give names, NAME=PATH",
                            name);
    *arm = cop_trials_arm(trials, name);
    return COP_OK;
}

/* A run that has not finished is left out with a warning. */
static void add_run(cop_trials *trials, size_t arm, const char *folder) {
    if (cop_trials_add(trials, arm, folder, seed_of(folder)) == COP_OK) return;
    cop_log(COP_LOG_WARNING, "left out: %s", cop_error_message());
    cop_error_clear();
}

static cop_status add_sweep(cop_trials *trials, const char *path, const char *prefix) {
    cop_sweep sweep = {0};
    cop_status status = COP_OK;
    COP_GO(cop_sweep_read(&sweep, path));
    for (size_t a = 0; a < sweep.arms; a++) {
        char *name = prefix ? cop_sprintf("%s/%s", prefix, sweep.arm[a].name)
                            : cop_strdup(sweep.arm[a].name);
        size_t arm = 0;
        status = new_group(trials, name, &arm);
        cop_free(name);
        if (status != COP_OK) goto done;
        for (size_t i = 0; i < sweep.runs; i++) {
            if (sweep.run[i].arm != a || sweep.run[i].state != COP_RUN_FINISHED) continue;
            char *folder = cop_sweep_run_directory(&sweep, &sweep.run[i]);
            add_run(trials, arm, folder);
            cop_free(folder);
        }
    }
done:
    cop_sweep_close(&sweep);
    return status;
}

static cop_status add_word(cop_trials *trials, const char *word) {
    char *name;
    const char *path = cop_compare_word(word, &name);
    cop_list runs = {0};
    size_t arm = 0;
    cop_status status = COP_OK;
    if (cop_sweep_is_one(path)) {
        COP_GO(add_sweep(trials, path, path == word ? NULL : name));
    } else {
        if (strchr(path, ',') && !cop_file_exists(path))
            cop_list_split(&runs, path, ",");
        else
            runs_in(path, &runs);
        COP_GO(new_group(trials, name, &arm));
        for (size_t i = 0; i < runs.count; i++) add_run(trials, arm, runs.items[i]);
    }
done:
    cop_list_clear(&runs);
    cop_free(name);
    return status;
}

/* ------------------------------------------------------------------ tests */

/* One measure of one group beside the reference's. */
struct row {
    const char *name;
    cop_sample sample;
    cop_welch welch;
    cop_mann_whitney ranks;
    double welch_holm, ranks_holm;
};

static struct row *rows_of(const cop_trials *trials, size_t against, const char *measure,
                           double level, const bool *alike) {
    struct row *rows = COP_NEW_ARRAY(struct row, trials->arms);
    double *p = COP_NEW_ARRAY(double, trials->arms), *q = COP_NEW_ARRAY(double, trials->arms);
    const cop_trial_arm *base = &trials->arm[against];
    double *a = COP_NEW_ARRAY(double, base->trials);
    size_t n = cop_trial_values(base, measure, a);
    cop_sample sample = cop_sample_of(a, n);
    for (size_t i = 0; i < trials->arms; i++) {
        const cop_trial_arm *arm = &trials->arm[i];
        double *b = COP_NEW_ARRAY(double, arm->trials);
        size_t m = cop_trial_values(arm, measure, b);
        rows[i].name = arm->name;
        rows[i].sample = cop_sample_of(b, m);
        rows[i].welch = cop_welch_test(&sample, &rows[i].sample, level);
        rows[i].ranks = cop_mann_whitney_test(a, n, b, m);
        if (!alike[i]) { /* the numbers have one name and mean different things */
            rows[i].welch = (cop_welch){NAN, NAN, NAN, NAN, NAN, NAN};
            rows[i].ranks = (cop_mann_whitney){NAN, NAN, false};
        }
        p[i] = i == against ? NAN : rows[i].welch.p;
        q[i] = i == against ? NAN : rows[i].ranks.p;
        cop_free(b);
    }
    double *adjusted = COP_NEW_ARRAY(double, trials->arms);
    cop_holm_adjust(p, trials->arms, adjusted);
    for (size_t i = 0; i < trials->arms; i++) rows[i].welch_holm = adjusted[i];
    cop_holm_adjust(q, trials->arms, adjusted);
    for (size_t i = 0; i < trials->arms; i++) rows[i].ranks_holm = adjusted[i];
    cop_free(adjusted);
    cop_free(a);
    cop_free(p);
    cop_free(q);
    return rows;
}

static void add_p(cop_table *table, double p) {
    if (isnan(p))
        cop_table_add(table, "-");
    else if (p < 0.0001)
        cop_table_add(table, "%.1e", p);
    else
        cop_table_add(table, "%.4f", p);
}

static void add_mean(cop_table *table, const cop_sample *sample, int digits) {
    if (!sample->count)
        cop_table_add(table, "-");
    else if (sample->count == 1)
        cop_table_add(table, "%.*f", digits, sample->mean);
    else
        cop_table_add(table, "%.*f +- %.*f", digits, sample->mean, digits, sample->sd);
}

static void write_measure(const char *measure, const struct row *rows, size_t count, size_t against,
                          double level, cop_buf *out) {
    int digits = cop_measure_digits(measure);
    cop_table table;
    char *head = cop_sprintf("<group|seeds|mean +- sd|difference|%g %% interval|Welch p|with "
                             "Holm|Mann-Whitney p|with Holm",
                             100 * level);
    cop_table_init(&table, head);
    for (size_t k = 0; k < count; k++) {
        /* the reference first */
        size_t i = k == 0 ? against : k <= against ? k - 1 : k;
        const struct row *row = &rows[i];
        cop_table_add(&table, "%s", row->name);
        cop_table_add(&table, "%zu", row->sample.count);
        add_mean(&table, &row->sample, digits);
        if (i == against || !isfinite(row->welch.difference))
            cop_table_add(&table, i == against ? "%s" : "-", "");
        else
            cop_table_add(&table, "%+.*f", digits, row->welch.difference);
        if (i == against || !isfinite(row->welch.low))
            cop_table_add(&table, i == against ? "%s" : "-", "");
        else
            cop_table_add(&table, "%+.*f to %+.*f", digits, row->welch.low, digits,
                          row->welch.high);
        const double p[] = {row->welch.p, row->welch_holm, row->ranks.p, row->ranks_holm};
        for (size_t c = 0; c < 4; c++)
            if (i == against)
                cop_table_add(&table, "%s", "");
            else
                add_p(&table, p[c]);
    }
    cop_buf_printf(out, "%s\n", measure);
    cop_table_write(&table, out);
    cop_buf_printf(out, "\n");
    cop_table_clear(&table);
    cop_free(head);
}

static json_t *sample_json(const struct row *row) {
    const cop_sample *s = &row->sample;
    json_t *out = json_object();
    json_object_set_new(out, "group", cop_json_text(row->name));
    json_object_set_new(out, "seeds", cop_json_id(s->count));
    json_object_set_new(out, "mean", cop_json_real(s->mean));
    json_object_set_new(out, "sd", cop_json_real(s->sd));
    json_object_set_new(out, "least", cop_json_real(s->least));
    json_object_set_new(out, "most", cop_json_real(s->most));
    return out;
}

static json_t *measure_json(const struct row *rows, size_t count, size_t against) {
    json_t *out = json_object(), *groups = json_array();
    json_object_set_new(out, "against", sample_json(&rows[against]));
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        if (i == against) continue;
        json_t *group = sample_json(row), *welch = json_object(), *ranks = json_object();
        json_object_set_new(welch, "t", cop_json_real(row->welch.t));
        json_object_set_new(welch, "freedom", cop_json_real(row->welch.freedom));
        json_object_set_new(welch, "p", cop_json_real(row->welch.p));
        json_object_set_new(welch, "p_holm", cop_json_real(row->welch_holm));
        json_object_set_new(ranks, "u", cop_json_real(row->ranks.u));
        json_object_set_new(ranks, "p", cop_json_real(row->ranks.p));
        json_object_set_new(ranks, "p_holm", cop_json_real(row->ranks_holm));
        json_object_set_new(ranks, "exact", json_boolean(row->ranks.exact));
        json_object_set_new(group, "difference", cop_json_real(row->welch.difference));
        json_object_set_new(group, "low", cop_json_real(row->welch.low));
        json_object_set_new(group, "high", cop_json_real(row->welch.high));
        json_object_set_new(group, "welch", welch);
        json_object_set_new(group, "mann_whitney", ranks);
        json_array_append_new(groups, group);
    }
    json_object_set_new(out, "groups", groups);
    return out;
}

/* ------------------------------------------------------------------ the command */

static cop_status find_against(const cop_trials *trials, const char *name, size_t *against) {
    *against = 0;
    for (size_t a = 0; name && a < trials->arms; a++)
        if (strcmp(trials->arm[a].name, name) == 0) {
            *against = a;
            return COP_OK;
        }
    if (!name) return COP_OK;
    const char **names = COP_NEW_ARRAY(const char *, trials->arms);
    for (size_t a = 0; a < trials->arms; a++) names[a] = trials->arm[a].name;
    const char *near = cop_nearest(name, names, trials->arms);
    cop_status status = cop_fail(COP_E_USAGE, "--against %s: there is no such group%s%s%s", name,
                                 near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    cop_free(names);
    return status;
}

static cop_status measures_of(const cop_args *args, const cop_trials *trials, cop_list *measures) {
    cop_list known = {0};
    const char *name;
    cop_status status = COP_OK;
    cop_trials_measures(trials, &known);
    if (trials->tasks.count > 1) { /* before the seconds, which come last */
        cop_list all = {0};
        for (size_t i = 0; i < known.count; i++) {
            if (i + 2 == known.count) {
                cop_list_add(&all, "accuracy.mean.evolution");
                cop_list_add(&all, "accuracy.mean.test");
            }
            cop_list_add(&all, known.items[i]);
        }
        cop_list_clear(&known);
        known = all;
    }
    for (size_t k = 0; (name = cop_args_nth(args, "measure", k)) && status == COP_OK; k++) {
        bool there = false;
        for (size_t i = 0; i < known.count; i++) there |= strcmp(known.items[i], name) == 0;
        cop_list_add(measures, name);
        if (there) continue;
        cop_buf words = {0};
        for (size_t i = 0; i < known.count; i++)
            cop_buf_printf(&words, "%s%s", i ? ", " : "", known.items[i]);
        status =
            cop_fail(COP_E_USAGE, "--measure %s: wanted one of %s", name, cop_buf_text(&words));
        cop_buf_clear(&words);
    }
    /* seconds say more about the machine than about the method */
    bool all = measures->count == 0;
    for (size_t i = 0; all && i + 1 < known.count; i++) cop_list_add(measures, known.items[i]);
    cop_list_clear(&known);
    return status;
}

cop_status cop_compare_groups(const cop_args *args, double level) {
    cop_trials trials = {0};
    cop_list measures = {0};
    cop_buf text = {0};
    size_t against = 0, finished = 0;
    bool *alike = NULL;
    json_t *by_measure = json_object();
    cop_status status = COP_OK;
    for (size_t i = 0; i < args->word_count; i++) COP_GO(add_word(&trials, args->words[i]));
    if (trials.arms < 2)
        COP_GO(cop_fail(COP_E_USAGE, "there is one group, %s: give another to compare it with",
                        trials.arms ? trials.arm[0].name : "and it is empty"));
    for (size_t a = 0; a < trials.arms; a++) finished += trials.arm[a].trials;
    if (!finished)
        COP_GO(cop_fail(COP_E_USAGE, "no run of these groups has finished: nothing to compare"));
    COP_GO(find_against(&trials, cop_args_get(args, "against"), &against));
    COP_GO(measures_of(args, &trials, &measures));
    alike = COP_NEW_ARRAY(bool, trials.arms);
    for (size_t m = 0; m < measures.count; m++) {
        cop_compare_alike(&trials, against, measures.items[m], alike);
        struct row *rows = rows_of(&trials, against, measures.items[m], level, alike);
        write_measure(measures.items[m], rows, trials.arms, against, level, &text);
        json_object_set_new(by_measure, measures.items[m],
                            measure_json(rows, trials.arms, against));
        cop_free(rows);
    }
    if (cop_args_has(args, "json")) {
        json_t *out = json_object();
        json_object_set_new(out, "against", cop_json_text(trials.arm[against].name));
        json_object_set_new(out, "level", cop_json_real(level));
        json_object_set(out, "measures", by_measure);
        cop_json_print(out, stdout);
    } else {
        printf("%s(two-sided tests of each group against %s; with Holm: corrected for the number "
               "of groups;\n sd: sample standard deviation, n - 1; accuracies as in the table of a "
               "sweep)\n",
               cop_buf_text(&text), trials.arm[against].name);
    }
done:
    cop_free(alike);
    json_decref(by_measure);
    cop_buf_clear(&text);
    cop_list_clear(&measures);
    cop_trials_clear(&trials);
    return status;
}
