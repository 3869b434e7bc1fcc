/* DIR/sweep.json: which arms and runs there are, and how each of them ended. */
#include <stdlib.h>
#include <string.h>

#include "coppice/io.h"
#include "directory.h"
#include "sweep.h"

#define RUNS_MOST 1000000

static const char *const states[] = {"waiting", "running", "finished", "stopped", "failed"};

const char *cop_run_state_name(cop_run_state state) {
    return states[state];
}

static char *record_path(const char *directory) {
    return cop_sprintf("%s/sweep.json", directory);
}

bool cop_sweep_is_one(const char *directory) {
    char *path = record_path(directory);
    bool there = cop_file_exists(path);
    cop_free(path);
    return there;
}

char *cop_sweep_run_directory(const cop_sweep *sweep, const cop_sweep_run *run) {
    return cop_sprintf("%s/%s/seed-%lld", sweep->directory, sweep->arm[run->arm].name,
                       (long long)run->seed);
}

void cop_sweep_close(cop_sweep *sweep) {
    for (size_t i = 0; i < sweep->arms; i++) {
        cop_free(sweep->arm[i].name);
        cop_free(sweep->arm[i].source);
        cop_conf_destroy(sweep->arm[i].conf);
    }
    for (size_t i = 0; i < sweep->runs; i++) cop_free(sweep->run[i].message);
    cop_free(sweep->arm);
    cop_free(sweep->run);
    cop_free(sweep->directory);
    cop_lock_release(&sweep->lock);
    *sweep = (cop_sweep){.lock = -1};
}

cop_status cop_sweep_save(const cop_sweep *sweep, const char *state) {
    char now[32];
    json_t *arms = json_array(), *runs = json_array();
    for (size_t i = 0; i < sweep->arms; i++)
        json_array_append_new(arms, json_pack("{s:s,s:o}", "name", sweep->arm[i].name, "source",
                                              cop_json_text(sweep->arm[i].source)));
    for (size_t i = 0; i < sweep->runs; i++) {
        const cop_sweep_run *run = &sweep->run[i];
        json_t *row = json_pack("{s:s,s:I,s:s,s:i,s:f}", "arm", sweep->arm[run->arm].name, "seed",
                                (json_int_t)run->seed, "status", states[run->state], "broken_off",
                                (int)run->broken_off, "seconds", run->seconds);
        if (run->message) json_object_set_new(row, "message", cop_json_text(run->message));
        json_array_append_new(runs, row);
    }
    json_t *all = json_pack(
        "{s:s,s:i,s:s,s:s,s:s,s:i,s:o,s:o,s:o}", "format", "coppice sweep", "format_version", 1,
        "status", state, "started", sweep->started, "updated", cop_time_now(now), "ranks_per_run",
        sweep->ranks_per_run, "command_line",
        cop_json_text(sweep->command_line ? sweep->command_line : ""), "arms", arms, "runs", runs);
    char *text = json_dumps(all, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    char *path = record_path(sweep->directory);
    COP_ASSERT(text);
    cop_status status = cop_write_file(path, text, strlen(text));
    cop_free(path);
    free(text);
    json_decref(all);
    return status;
}

/* ------------------------------------------------------------------ reading */

bool cop_arm_name_good(const char *name) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    return name && *name && *name != '.' && *name != '-' && strlen(name) < COP_ARM_NAME &&
           !name[strspn(name, allowed)];
}

static cop_status read_arms(cop_sweep *sweep, const json_t *rows, const char *path) {
    size_t count = json_array_size(rows);
    if (!json_is_array(rows) || count > RUNS_MOST)
        return cop_fail(COP_E_FORMAT, "%s: 'arms' is not a list of arms", path);
    sweep->arm = COP_NEW_ARRAY(cop_sweep_arm, count);
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        const char *name = json_string_value(json_object_get(row, "name"));
        const char *source = json_string_value(json_object_get(row, "source"));
        if (!cop_arm_name_good(name))
            return cop_fail(COP_E_FORMAT, "%s: arm %zu has no name that an arm may have", path, i);
        for (size_t k = 0; k < i; k++)
            if (strcmp(sweep->arm[k].name, name) == 0)
                return cop_fail(COP_E_FORMAT, "%s: arm %s is there twice", path, name);
        sweep->arm[sweep->arms++] =
            (cop_sweep_arm){cop_strdup(name), cop_strdup(source ? source : ""), NULL};
    }
    return COP_OK;
}

static cop_status read_run(cop_sweep *sweep, const json_t *row, const char *path) {
    const char *arm = json_string_value(json_object_get(row, "arm"));
    const char *state = json_string_value(json_object_get(row, "status"));
    const char *message = json_string_value(json_object_get(row, "message"));
    const json_t *seed = json_object_get(row, "seed");
    json_int_t broken = json_integer_value(json_object_get(row, "broken_off"));
    size_t a = 0, s = 0, i = sweep->runs;
    while (arm && a < sweep->arms && strcmp(sweep->arm[a].name, arm) != 0) a++;
    while (state && s < sizeof states / sizeof *states && strcmp(states[s], state) != 0) s++;
    if (!arm || a == sweep->arms || !state || s == sizeof states / sizeof *states ||
        !json_is_integer(seed) || json_integer_value(seed) < 0 || broken < 0 || broken > RUNS_MOST)
        return cop_fail(COP_E_FORMAT,
                        "%s: run %zu: wanted are arm, seed and status, as coppice "
                        "wrote them",
                        path, i);
    sweep->run[sweep->runs++] = (cop_sweep_run){
        .arm = a,
        .seed = json_integer_value(seed),
        .state = (cop_run_state)s,
        .broken_off = (unsigned)broken,
        .seconds = json_number_value(json_object_get(row, "seconds")),
        .message = message ? cop_strdup(message) : NULL,
    };
    return COP_OK;
}

static int by_arm_and_seed(const void *a, const void *b) {
    const cop_sweep_run *x = *(const cop_sweep_run *const *)a,
                        *y = *(const cop_sweep_run *const *)b;
    if (x->arm != y->arm) return x->arm < y->arm ? -1 : 1;
    return (x->seed > y->seed) - (x->seed < y->seed);
}

/* A run that is there twice would count twice. */
static cop_status check_once(const cop_sweep *sweep, const char *path) {
    const cop_sweep_run **sorted = COP_NEW_ARRAY(const cop_sweep_run *, sweep->runs);
    cop_status status = COP_OK;
    for (size_t i = 0; i < sweep->runs; i++) sorted[i] = &sweep->run[i];
    if (sweep->runs) qsort(sorted, sweep->runs, sizeof *sorted, by_arm_and_seed);
    for (size_t i = 1; i < sweep->runs && status == COP_OK; i++)
        if (by_arm_and_seed(&sorted[i - 1], &sorted[i]) == 0)
            status = cop_fail(COP_E_FORMAT, "%s: arm %s, seed %lld is there twice", path,
                              sweep->arm[sorted[i]->arm].name, (long long)sorted[i]->seed);
    cop_free(sorted);
    return status;
}

cop_status cop_sweep_read(cop_sweep *sweep, const char *directory) {
    char *path = record_path(directory);
    cop_buf text = {0};
    json_t *all = NULL;
    json_error_t error;
    cop_status status = COP_OK;
    *sweep = (cop_sweep){.lock = -1, .directory = cop_strdup(directory), .ranks_per_run = 1};
    COP_GO(cop_read_file(path, (size_t)1 << 30, &text));
    all = json_loadb(cop_buf_text(&text), text.length, JSON_REJECT_DUPLICATES, &error);
    const char *format = json_string_value(json_object_get(all, "format"));
    const char *started = json_string_value(json_object_get(all, "started"));
    if (!all || !format || strcmp(format, "coppice sweep") != 0)
        COP_GO(cop_fail(COP_E_FORMAT, "%s: not the record of a sweep%s%s", path, all ? "" : ": ",
                        all ? "" : error.text));
    if (json_integer_value(json_object_get(all, "format_version")) != 1)
        COP_GO(cop_fail(COP_E_FORMAT, "%s: written by a later version of coppice", path));
    snprintf(sweep->started, sizeof sweep->started, "%s", started ? started : "");
    json_int_t ranks = json_integer_value(json_object_get(all, "ranks_per_run"));
    if (ranks >= 1 && ranks <= 1000000) sweep->ranks_per_run = (int)ranks;
    COP_GO(read_arms(sweep, json_object_get(all, "arms"), path));
    const json_t *runs = json_object_get(all, "runs");
    if (!json_is_array(runs) || json_array_size(runs) > RUNS_MOST)
        COP_GO(cop_fail(COP_E_FORMAT, "%s: 'runs' is not a list of runs", path));
    sweep->run = COP_NEW_ARRAY(cop_sweep_run, json_array_size(runs));
    for (size_t i = 0; i < json_array_size(runs); i++)
        COP_GO(read_run(sweep, json_array_get(runs, i), path));
    status = check_once(sweep, path);
done:
    json_decref(all);
    cop_buf_clear(&text);
    cop_free(path);
    return status;
}
