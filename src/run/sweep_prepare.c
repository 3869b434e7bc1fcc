/* Rank 0 before a sweep: what was asked for and what is there already, all of it checked before
 * anything is made. */
#include <stdlib.h>
#include <string.h>

#include "coppice/io.h"
#include "session.h"
#include "sweep.h"

/* What the runs of an arm are made from; the seed is theirs. */
static char *arm_config(const cop_sweep *sweep, const cop_sweep_arm *arm) {
    return cop_sprintf("%s/%s/config.ini", sweep->directory, arm->name);
}

static cop_status check_arm(cop_sweep_arm *arm, const cop_sweep_options *options) {
    for (size_t i = 0; i < options->set_count; i++) {
        if (strncmp(options->sets[i], "run.seed=", 9) == 0)
            return cop_fail(COP_E_USAGE, "--set %s: the seeds of a sweep are given by --seeds",
                            options->sets[i]);
        COP_TRY(cop_conf_set(arm->conf, options->sets[i]));
    }
    COP_TRY(cop_conf_set(arm->conf, "run.seed=1"));
    COP_TRY(cop_conf_check(arm->conf));
    return cop_session_check(arm->conf, options->data_dir);
}

/* Arms of the record that this call does not name are kept, to be reported. */
static void adopt_record(cop_sweep *sweep, cop_sweep *record) {
    for (size_t i = 0; i < record->runs; i++) {
        cop_sweep_run *run = &record->run[i];
        cop_sweep_arm *theirs = &record->arm[run->arm];
        size_t a = 0;
        while (a < sweep->arms && strcmp(sweep->arm[a].name, theirs->name) != 0) a++;
        if (a == sweep->arms) {
            sweep->arm = cop_realloc(sweep->arm, a, a + 1, sizeof *sweep->arm);
            sweep->arm[sweep->arms++] =
                (cop_sweep_arm){cop_strdup(theirs->name), cop_strdup(theirs->source), NULL};
        }
        sweep->run = cop_realloc(sweep->run, sweep->runs, sweep->runs + 1, sizeof *sweep->run);
        sweep->run[sweep->runs] = *run;
        sweep->run[sweep->runs].arm = a;
        if (run->state == COP_RUN_RUNNING) { /* the job ended before the run did */
            sweep->run[sweep->runs].state = COP_RUN_STOPPED;
            sweep->run[sweep->runs].broken_off++;
        }
        sweep->runs++;
        run->message = NULL; /* moved */
    }
    memcpy(sweep->started, record->started, sizeof sweep->started);
}

/* Has a finished run searched as long as it is asked to now, and is it of this arm at all? */
static bool finished_as_asked(const cop_sweep *sweep, const cop_sweep_run *run) {
    char *dir = cop_sweep_run_directory(sweep, run), *file = cop_sprintf("%s/run.json", dir),
         *config = cop_sprintf("%s/config.ini", dir),
         *seed = cop_sprintf("run.seed=%lld", (long long)run->seed);
    json_t *json = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);
    const char *state = json_string_value(json_object_get(json, "status"));
    cop_conf *asked = cop_conf_copy(sweep->arm[run->arm].conf), *done = NULL;
    cop_buf a = {0}, b = {0};
    bool same = state && strcmp(state, "finished") == 0 &&
                json_is_object(json_object_get(json, "result")) &&
                cop_conf_load(&done, cop_run_schema(), config) == COP_OK &&
                cop_conf_set(asked, seed) == COP_OK &&
                cop_session_same_science(asked, done, dir) == COP_OK;
    if (same) {
        cop_conf_write(asked, &a, 1u << COP_EXTENT);
        cop_conf_write(done, &b, 1u << COP_EXTENT);
        same = strcmp(cop_buf_text(&a), cop_buf_text(&b)) == 0;
    }
    cop_error_clear();
    json_decref(json);
    cop_conf_destroy(asked);
    cop_conf_destroy(done);
    cop_buf_clear(&a);
    cop_buf_clear(&b);
    cop_free(dir);
    cop_free(file);
    cop_free(config);
    cop_free(seed);
    return same;
}

static void want(cop_sweep *sweep, size_t arm, int64_t seed) {
    size_t i = 0;
    while (i < sweep->runs && (sweep->run[i].arm != arm || sweep->run[i].seed != seed)) i++;
    if (i == sweep->runs) {
        sweep->run = cop_realloc(sweep->run, i, i + 1, sizeof *sweep->run);
        sweep->run[sweep->runs++] = (cop_sweep_run){.arm = arm, .seed = seed};
    }
    cop_sweep_run *run = &sweep->run[i];
    run->wanted = true;
    bool finished = finished_as_asked(sweep, run);
    if (finished)
        run->state = COP_RUN_FINISHED;
    else if (run->state == COP_RUN_FINISHED)
        run->state = COP_RUN_WAITING;
}

/* Every arm of this call with every seed; without seeds those that the record has. */
static cop_status want_runs(cop_sweep *sweep, const char *text) {
    int64_t *seeds = NULL;
    size_t count = 0, before = sweep->runs;
    if (text) {
        COP_TRY(cop_seeds_parse(text, &seeds, &count));
    } else {
        seeds = COP_NEW_ARRAY(int64_t, before);
        for (size_t i = 0; i < before; i++) {
            size_t k = 0;
            while (k < count && seeds[k] != sweep->run[i].seed) k++;
            if (k == count) seeds[count++] = sweep->run[i].seed;
        }
    }
    for (size_t s = 0; s < count; s++)
        for (size_t a = 0; a < sweep->arms; a++)
            if (sweep->arm[a].conf) want(sweep, a, seeds[s]);
    cop_free(seeds);
    return count ? COP_OK
                 : cop_fail(COP_E_USAGE, "no seeds: say which with --seeds, such as --seeds 1-10");
}

/* The folder holds an arm of that name: it must be the same experiment. */
static cop_status check_same(const cop_sweep *sweep, const cop_sweep_arm *arm) {
    char *path = arm_config(sweep, arm),
         *folder = cop_sprintf("%s/%s", sweep->directory, arm->name);
    cop_conf *then = NULL;
    cop_status status = COP_OK;
    if (cop_file_exists(path)) {
        COP_GO(cop_conf_load(&then, cop_run_schema(), path));
        COP_GO(cop_session_same_science(arm->conf, then, folder));
    }
done:
    cop_conf_destroy(then);
    cop_free(path);
    cop_free(folder);
    return status;
}

static cop_status write_arm(const cop_sweep *sweep, const cop_sweep_arm *arm) {
    char *path = arm_config(sweep, arm),
         *folder = cop_sprintf("%s/%s", sweep->directory, arm->name);
    cop_buf text = {0};
    cop_status status = cop_make_dirs(folder);
    cop_conf_write(arm->conf, &text, COP_CONF_ALL);
    if (status == COP_OK) status = cop_write_file(path, text.data, text.length);
    cop_buf_clear(&text);
    cop_free(path);
    cop_free(folder);
    return status;
}

static cop_status take_lock(cop_sweep *sweep) {
    char *path = cop_sprintf("%s/lock", sweep->directory);
    cop_lock_state state;
    cop_status status = cop_lock_take(path, &sweep->lock, &state);
    if (status == COP_OK && state == COP_LOCK_OTHERS)
        status = cop_fail(COP_E_USAGE,
                          "%s is in use by another sweep: wait for it, or choose another folder "
                          "with --out",
                          sweep->directory);
    cop_free(path);
    return status;
}

/* `sweep DIR`: the arms that are there. */
static cop_status arms_of(cop_sweep *sweep, const char *directory) {
    cop_sweep record;
    cop_status status = cop_sweep_read(&record, directory);
    for (size_t i = 0; i < record.arms && status == COP_OK; i++) {
        char *path = arm_config(&record, &record.arm[i]);
        cop_conf *conf = NULL;
        status = cop_conf_load(&conf, cop_run_schema(), path);
        if (status == COP_OK) {
            sweep->arm = cop_realloc(sweep->arm, i, i + 1, sizeof *sweep->arm);
            sweep->arm[sweep->arms++] = (cop_sweep_arm){cop_strdup(record.arm[i].name),
                                                        cop_strdup(record.arm[i].source), conf};
        }
        cop_free(path);
    }
    if (sweep->ranks_per_run == 0) sweep->ranks_per_run = record.ranks_per_run;
    cop_sweep_close(&record);
    return status;
}

static cop_status read_words(cop_sweep *sweep, const cop_sweep_options *options, char **seeds) {
    int ranks = 0;
    const char *first = options->words[0];
    if (options->word_count == 1 && cop_sweep_is_one(first)) {
        if (options->directory && strcmp(options->directory, first) != 0)
            return cop_fail(COP_E_USAGE, "%s is a sweep of its own: --out %s does not fit", first,
                            options->directory);
        sweep->directory = cop_strdup(first);
        COP_TRY(arms_of(sweep, first));
    } else {
        if (!options->directory)
            return cop_fail(COP_E_USAGE, "--out DIR is missing: where the runs of the sweep go");
        sweep->directory = cop_strdup(options->directory);
        for (size_t i = 0; i < options->word_count; i++)
            COP_TRY(cop_sweep_add_word(sweep, options->words[i], seeds, &ranks));
    }
    for (size_t end = strlen(sweep->directory); end > 1 && sweep->directory[end - 1] == '/';)
        sweep->directory[--end] = '\0';
    if (options->ranks_per_run) ranks = options->ranks_per_run;
    if (ranks || !sweep->ranks_per_run) sweep->ranks_per_run = ranks ? ranks : 1;
    return COP_OK;
}

cop_status cop_sweep_prepare(cop_sweep *sweep, const cop_sweep_options *options,
                             const cop_par *par) {
    char *seeds = options->seeds ? cop_strdup(options->seeds) : NULL;
    cop_sweep record = {.lock = -1};
    cop_status status = COP_OK;
    *sweep = (cop_sweep){.lock = -1, .command_line = options->command_line};
    cop_time_now(sweep->started);
    COP_GO(read_words(sweep, options, &seeds));
    COP_GO(cop_pool_check(par, sweep->ranks_per_run));
    if (options->seeds) { /* --seeds goes before those of a file */
        cop_free(seeds);
        seeds = cop_strdup(options->seeds);
    }
    if (seeds) { /* a typo there is found before anything is made */
        int64_t *parsed;
        size_t count;
        COP_GO(cop_seeds_parse(seeds, &parsed, &count));
        cop_free(parsed);
    }
    for (size_t i = 0; i < sweep->arms; i++) {
        status = check_arm(&sweep->arm[i], options);
        if (status != COP_OK) {
            cop_fail_prefix(status, "arm %s", sweep->arm[i].name);
            goto done;
        }
    }
    bool known = cop_sweep_is_one(sweep->directory);
    if (!seeds && !known) COP_GO(want_runs(sweep, NULL)); /* says what is missing */
    COP_GO(cop_make_dirs(sweep->directory));
    COP_GO(take_lock(sweep));
    if (known) {
        COP_GO(cop_sweep_read(&record, sweep->directory));
        adopt_record(sweep, &record);
    }
    /* whatever may be refused before anything that is there is changed */
    for (size_t i = 0; i < sweep->arms; i++)
        if (sweep->arm[i].conf) COP_GO(check_same(sweep, &sweep->arm[i]));
    COP_GO(want_runs(sweep, seeds));
    for (size_t i = 0; i < sweep->arms; i++)
        if (sweep->arm[i].conf) COP_GO(write_arm(sweep, &sweep->arm[i]));
    status = cop_sweep_save(sweep, "running");
done:
    cop_sweep_close(&record);
    cop_free(seeds);
    return status;
}
