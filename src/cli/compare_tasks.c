/* What may be compared: networks whose own configurations say other things of the samples that they
 * are judged on, groups of runs whose numbers have one name and mean different things. */
#include <math.h>
#include <string.h>

#include "compare.h"
#include "coppice/io.h"

/* What a network hears of samples, and what it may answer: sizes and places of files are left out.
 */
static const char *const meaning[] = {"source",      "classes", "map",   "outputs",
                                      "normalise",   "divide",  "mean",  "sd",
                                      "orientation", "shape",   "label", "drop"};
enum { MEANINGS = sizeof meaning / sizeof *meaning };

cop_head cop_compare_head(const cop_judge *judge, const char *task, const cop_dataset *set) {
    char *section = cop_sprintf("task.%s", task);
    cop_head head = set->head;
    if (cop_conf_has_section(judge->conf, section)) {
        head = (cop_head){0};
        if (strcmp(cop_conf_text(judge->conf, section, "head"), "own") == 0)
            head = (cop_head){(size_t)cop_conf_int(judge->conf, section, "first_output"),
                              (size_t)set->classes};
    }
    cop_free(section);
    return head;
}

/* The lines of a section in the canonical text, "" where there is none; one for each meaning. */
static void lines_of(const cop_conf *conf, const char *task, char *line[MEANINGS]) {
    cop_buf text = {0};
    cop_list lines = {0};
    char *head = cop_sprintf("[task.%s]", task);
    bool inside = false;
    cop_conf_write(conf, &text, COP_CONF_SCIENCE);
    cop_list_split(&lines, cop_buf_text(&text), "\n");
    for (size_t m = 0; m < MEANINGS; m++) line[m] = NULL;
    for (size_t i = 0; i < lines.count; i++) {
        const char *one = lines.items[i];
        if (*one == '[') inside = strcmp(one, head) == 0;
        for (size_t m = 0; inside && m < MEANINGS; m++) {
            size_t length = strlen(meaning[m]);
            if (strncmp(one, meaning[m], length) == 0 && one[length] == ' ' && !line[m])
                line[m] = cop_strdup(one);
        }
    }
    cop_free(head);
    cop_list_clear(&lines);
    cop_buf_clear(&text);
}

void cop_compare_same_task(const cop_judge *first, const char *first_name, const cop_judge *other,
                           const char *other_name, const char *task) {
    char *a[MEANINGS], *b[MEANINGS], *section = cop_sprintf("task.%s", task);
    cop_buf differ = {0};
    if (cop_conf_has_section(other->conf, section)) {
        lines_of(first->conf, task, a);
        lines_of(other->conf, task, b);
        for (size_t m = 0; m < MEANINGS; m++) {
            if (strcmp(a[m] ? a[m] : "", b[m] ? b[m] : "") != 0)
                cop_buf_printf(&differ, "%s%s", differ.length ? ", " : "", meaning[m]);
            cop_free(a[m]);
            cop_free(b[m]);
        }
    }
    if (differ.length)
        cop_log(COP_LOG_WARNING,
                "%s was made for another [task.%s] than %s, whose samples both are judged on; "
                "different are: %s",
                other_name, task, first_name, cop_buf_text(&differ));
    cop_buf_clear(&differ);
    cop_free(section);
}

/* ------------------------------------------------------------------ groups */

/* Do both have the tasks of the other? Runs of a group are taken to be alike. */
static bool same_tasks(const cop_trials *trials, const cop_trial *a, const cop_trial *b) {
    for (size_t t = 0; t < trials->tasks.count; t++) {
        char *name = cop_sprintf("accuracy.%s.evolution", trials->tasks.items[t]);
        bool differ = isnan(cop_trial_value(a, name)) != isnan(cop_trial_value(b, name));
        cop_free(name);
        if (differ) return false;
    }
    return true;
}

/* Section [fitness] of a run's configuration, what is at its default left out; "" if it cannot be
 * read, which old and hand-made folders are not blamed for. */
static void fitness_of(const cop_trial *trial, cop_buf *out) {
    char *path = cop_sprintf("%s/config.ini", trial->directory);
    cop_conf *conf = NULL;
    cop_buf text = {0};
    cop_list lines = {0};
    bool inside = false;
    if (cop_file_exists(path) && cop_conf_load(&conf, cop_run_schema(), path) == COP_OK)
        cop_conf_write(conf, &text, COP_CONF_SCIENCE);
    cop_error_clear();
    cop_list_split(&lines, cop_buf_text(&text), "\n");
    for (size_t i = 0; i < lines.count; i++) {
        if (lines.items[i][0] == '[') inside = strcmp(lines.items[i], "[fitness]") == 0;
        if (inside) cop_buf_printf(out, "%s\n", lines.items[i]);
    }
    cop_list_clear(&lines);
    cop_buf_clear(&text);
    cop_conf_destroy(conf);
    cop_free(path);
}

void cop_compare_alike(const cop_trials *trials, size_t against, const char *measure, bool *alike) {
    bool fitness = strcmp(measure, "fitness") == 0,
         mean = strncmp(measure, "accuracy.mean.", 14) == 0;
    const cop_trial_arm *base = &trials->arm[against];
    for (size_t i = 0; i < trials->arms; i++) alike[i] = true;
    if ((!fitness && !mean) || !base->trials) return;
    cop_buf wanted = {0}, seen = {0};
    if (fitness) fitness_of(&base->trial[0], &wanted);
    for (size_t i = 0; i < trials->arms; i++) {
        const cop_trial_arm *arm = &trials->arm[i];
        if (i == against || !arm->trials) continue;
        bool tasks = same_tasks(trials, &arm->trial[0], &base->trial[0]);
        cop_buf_reset(&seen);
        if (fitness && tasks) fitness_of(&arm->trial[0], &seen);
        alike[i] = tasks && strcmp(cop_buf_text(&seen), cop_buf_text(&wanted)) == 0;
        if (!alike[i])
            cop_log(COP_LOG_WARNING, "%s of %s and %s is not compared: they have other %s", measure,
                    arm->name, base->name, tasks ? "[fitness] options" : "tasks");
    }
    cop_buf_clear(&wanted);
    cop_buf_clear(&seen);
}
