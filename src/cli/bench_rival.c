#include "bench_rival.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)1 << 20) /* more than anybody says in one line */

struct cop_bench_rival {
    const char *command;
    cop_list argv; /* ends with a NULL item, which does not count */
    double work;   /* samples x shared weights x individuals */
    char *name;
    double *seconds;
    size_t count;
};

/* ------------------------------------------------------------------ what it is told */

typedef struct fact {
    const char *word, *variable;
    char value[512];
} fact;

static void replace(cop_list *list, const char *word, const fact *facts, size_t count) {
    cop_buf out = {0};
    while (*word) {
        size_t k = 0, length = 0;
        for (; k < count; k++) {
            length = strlen(facts[k].word);
            if (strncmp(word, facts[k].word, length) == 0) break;
        }
        if (k < count) {
            cop_buf_printf(&out, "%s", facts[k].value);
            word += length;
        } else {
            cop_buf_add(&out, word++, 1);
        }
    }
    cop_list_add(list, cop_buf_text(&out));
    cop_buf_clear(&out);
}

cop_status cop_bench_rival_create(const cop_args *args, const cop_bench_spec *spec, size_t repeat,
                                  cop_bench_rival **out) {
    const char *command = cop_args_get(args, "compare-with");
    cop_list words = {0};
    fact facts[] = {{"{net}", "COPPICE_BENCH_NET", ""},
                    {"{values}", "COPPICE_BENCH_VALUES", ""},
                    {"{density}", "COPPICE_BENCH_DENSITY", ""},
                    {"{samples}", "COPPICE_BENCH_SAMPLES", ""},
                    {"{individuals}", "COPPICE_BENCH_INDIVIDUALS", ""}};
    const size_t count = sizeof facts / sizeof *facts, room = sizeof facts[0].value;
    *out = NULL;
    if (!command) return COP_OK;
    cop_list_split(&words, command, " \t");
    if (!words.count)
        return cop_fail(COP_E_USAGE, "bench: --compare-with '%s': wanted a command", command);
    snprintf(facts[0].value, room, "%s", spec->net);
    for (size_t v = 0, used = 0; v < spec->weighting->values; v++)
        used += (size_t)snprintf(facts[1].value + used, room - used, "%s%.17g", v ? "," : "",
                                 spec->weighting->value[v]);
    snprintf(facts[2].value, room, "%.6g", spec->density);
    snprintf(facts[3].value, room, "%llu", (unsigned long long)spec->samples);
    snprintf(facts[4].value, room, "%llu", (unsigned long long)spec->individuals);
    cop_bench_rival *rival = COP_NEW(cop_bench_rival);
    for (size_t k = 0; k < count; k++) setenv(facts[k].variable, facts[k].value, 1);
    for (size_t i = 0; i < words.count; i++) replace(&rival->argv, words.items[i], facts, count);
    cop_list_clear(&words);
    /* posix_spawnp wants the list to end with NULL */
    rival->argv.items = cop_realloc(rival->argv.items, rival->argv.count, rival->argv.count + 1,
                                    sizeof *rival->argv.items);
    rival->argv.items[rival->argv.count] = NULL;
    rival->command = command;
    rival->work =
        (double)spec->samples * (double)spec->weighting->values * (double)spec->individuals;
    rival->seconds = COP_NEW_ARRAY(double, repeat);
    *out = rival;
    return COP_OK;
}

void cop_bench_rival_destroy(cop_bench_rival *rival) {
    if (!rival) return;
    cop_list_clear(&rival->argv);
    cop_free(rival->name);
    cop_free(rival->seconds);
    cop_free(rival);
}

/* ------------------------------------------------------------------ what it says */

/* All that it writes is read, or it would wait for us; what is too much is not kept. */
static cop_status listen(int from, cop_buf *said) {
    char bytes[4096];
    for (;;) {
        ssize_t got = read(from, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return cop_fail(COP_E_IO, "bench: --compare-with: its output cannot be read: %s",
                            strerror(errno));
        if (got == 0) return COP_OK;
        if (said->length <= OUTPUT_MAX) cop_buf_add(said, bytes, (size_t)got);
    }
}

static cop_status spawn(const cop_bench_rival *rival, cop_buf *said, int *ended) {
    int ends[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    if (pipe(ends) != 0)
        return cop_fail(COP_E_IO, "bench: --compare-with: no pipe: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    int error =
        posix_spawnp(&pid, rival->argv.items[0], &actions, NULL, rival->argv.items, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return cop_fail(COP_E_IO,
                        "bench: --compare-with: '%s' cannot be started: %s (the command is split "
                        "at blanks, no shell is used)",
                        rival->argv.items[0], strerror(error));
    }
    cop_status status = listen(ends[0], said);
    close(ends[0]);
    while (waitpid(pid, ended, 0) < 0)
        if (errno != EINTR)
            return cop_fail(COP_E_IO, "bench: --compare-with: '%s' is lost: %s",
                            rival->argv.items[0], strerror(errno));
    return status;
}

/* The last line that is not empty, cut out in place. */
static char *last_line(cop_buf *said) {
    char *text = (char *)said->data;
    if (!text) return NULL;
    size_t end = strlen(text);
    while (end && isspace((unsigned char)text[end - 1])) text[--end] = '\0';
    char *line = strrchr(text, '\n');
    return line ? line + 1 : text;
}

static bool positive(const json_t *object, const char *key, double *value) {
    *value = json_number_value(json_object_get(object, key));
    return *value > 0 && isfinite(*value);
}

static cop_status understand(cop_bench_rival *rival, char *line, double *seconds) {
    double rate;
    json_t *object = line ? json_loads(line, 0, NULL) : NULL;
    const char *name = json_string_value(json_object_get(object, "name"));
    cop_status status = COP_OK;
    if (positive(object, "samples_x_values_per_s", &rate)) {
        *seconds = rival->work / rate;
    } else if (!positive(object, "seconds", seconds)) {
        for (char *c = line; c && *c; c++)
            if (!isprint((unsigned char)*c)) *c = '?';
        status = cop_fail(COP_E_FORMAT,
                          "bench: --compare-with: '%s' ends with the line '%.80s': wanted a JSON "
                          "object with samples_x_values_per_s or seconds, above 0",
                          rival->argv.items[0], line ? line : "");
    }
    if (status == COP_OK && name && !rival->name) {
        rival->name = cop_strdup(name);
        for (char *c = rival->name; *c; c++)
            if (iscntrl((unsigned char)*c)) *c = '?'; /* a screen may take it for an order */
    }
    json_decref(object);
    return status;
}

cop_status cop_bench_rival_run(cop_bench_rival *rival) {
    if (!rival) return COP_OK;
    cop_buf said = {0};
    int ended = 0;
    cop_status status = spawn(rival, &said, &ended);
    if (status == COP_OK && WIFSIGNALED(ended))
        status = cop_fail(COP_E_IO, "bench: --compare-with: '%s' was ended by signal %d",
                          rival->argv.items[0], WTERMSIG(ended));
    else if (status == COP_OK && WEXITSTATUS(ended) != 0)
        status = cop_fail(COP_E_IO, "bench: --compare-with: '%s' ended with status %d",
                          rival->argv.items[0], WEXITSTATUS(ended));
    if (status == COP_OK)
        status = understand(rival, last_line(&said), &rival->seconds[rival->count]);
    if (status == COP_OK) rival->count++;
    cop_buf_clear(&said);
    return status;
}

void cop_bench_rival_report(cop_bench_rival *rival, double seconds, json_t *result) {
    if (!rival) return;
    double median = cop_bench_median(rival->seconds, rival->count);
    cop_bench_text(result, "compare_with", rival->command);
    cop_bench_text(result, "compare_name", rival->name ? rival->name : "");
    cop_bench_real(result, "compare_seconds", median);
    cop_bench_real(result, "compare_samples_x_values_per_s", rival->work / median);
    cop_bench_real(result, "compare_ratio", median / seconds);
}
