/* The runs of a sweep, each on one group of ranks; rank 0 hands them out and keeps the record. A
 * run that fails is recorded and the others go on. */
#include "sweep.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coppice/io.h"

/* What every rank knows. */
struct settings {
    char directory[4096];
    int ranks_per_run;
    const cop_sweep_options *options;
    double deadline; /* cop_clock() of this process; 0: none */
};

/* Messages between rank 0 and the first rank of a group. */
struct job {
    uint64_t run;
    int64_t seed;
    char arm[COP_ARM_NAME];
};

struct outcome {
    uint64_t run;
    int32_t status;
    uint32_t pad;
    double seconds;
    char message[1024];
};

/* ------------------------------------------------------------------ groups */

static void carry_out(void *user, cop_par *group, const cop_buf *bytes, cop_buf *answer) {
    const struct settings *settings = user;
    struct job job;
    struct outcome outcome = {.seconds = cop_clock()};
    COP_ASSERT(bytes->length == sizeof job);
    memcpy(&job, bytes->data, sizeof job);
    char *dir = cop_sprintf("%s/%s/seed-%lld", settings->directory, job.arm, (long long)job.seed);
    char *config = cop_sprintf("%s/%s/config.ini", settings->directory, job.arm);
    char *seed = cop_sprintf("run.seed=%lld", (long long)job.seed), *stop;
    const char *sets[1] = {seed};
    cop_session_options options = {
        .config = config,
        .sets = sets,
        .set_count = 1,
        .directory = dir,
        .data_dir = settings->options->data_dir,
        .resume_auto = true,
        .quiet = true,
        .background = true,
        .command_line = settings->options->command_line,
    };
    if (settings->deadline > 0) {
        options.time_limit = settings->deadline - cop_clock();
        if (options.time_limit < 1e-3) options.time_limit = 1e-3;
    }
    /* a request that came when the run had just ended is not meant for now */
    stop = cop_sprintf("%s/stop", dir);
    if (group->rank == 0) unlink(stop);
    cop_log_set_screen(false);
    cop_status status = cop_session(&options, group);
    cop_log_set_screen(true);
    outcome.run = job.run;
    outcome.status = (int32_t)status;
    outcome.seconds = cop_clock() - outcome.seconds;
    snprintf(outcome.message, sizeof outcome.message, "%s", cop_error_message());
    cop_error_clear();
    cop_activity_set("%s", "");
    cop_buf_add(answer, &outcome, sizeof outcome);
    cop_free(dir);
    cop_free(config);
    cop_free(seed);
    cop_free(stop);
}

/* ------------------------------------------------------------------ master */

struct master {
    cop_sweep *sweep;
    const cop_sweep_watch *watch;
    size_t *queue; /* runs to do, in order */
    size_t queued, next;
    bool stopping;
    double polled, told; /* when files were looked for, and the runs told to stop */
    cop_status trouble;  /* the record could not be kept */
    char *why;
};

static void save(struct master *m) {
    if (m->trouble != COP_OK) return;
    m->trouble = cop_sweep_save(m->sweep, "running");
    if (m->trouble != COP_OK) {
        m->why = cop_strdup(cop_error_message());
        m->stopping = true;
    }
}

/* Who broke the whole job off before, or failed, goes last: the others shall not wait for it. */
static int rank_of(const cop_sweep_run *run) {
    return run->broken_off > 1 ? 2 : run->state == COP_RUN_FAILED;
}

static void fill_queue(struct master *m) {
    const cop_sweep *sweep = m->sweep;
    m->queue = COP_NEW_ARRAY(size_t, sweep->runs);
    /* seed by seed, so that arms can be compared before all is done */
    for (int rank = 0; rank < 3; rank++)
        for (size_t i = 0; i < sweep->runs; i++)
            if (sweep->run[i].wanted && sweep->run[i].state != COP_RUN_FINISHED &&
                rank_of(&sweep->run[i]) == rank)
                m->queue[m->queued++] = i;
}

static bool asked_to_stop(const cop_sweep *sweep) {
    char *file = cop_sprintf("%s/stop", sweep->directory);
    bool asked = (cop_halt_requests() & COP_HALT_STOP) != 0;
    if (cop_file_exists(file)) {
        unlink(file);
        asked = true;
    }
    cop_free(file);
    return asked;
}

static bool next(void *user, cop_buf *bytes) {
    struct master *m = user;
    if (asked_to_stop(m->sweep)) m->stopping = true;
    if (m->stopping || m->next == m->queued) return false;
    size_t i = m->queue[m->next++];
    cop_sweep_run *run = &m->sweep->run[i];
    struct job job = {.run = i, .seed = run->seed};
    snprintf(job.arm, sizeof job.arm, "%s", m->sweep->arm[run->arm].name);
    cop_buf_add(bytes, &job, sizeof job);
    run->state = COP_RUN_RUNNING;
    cop_free(run->message);
    run->message = NULL;
    save(m);
    return true;
}

static void done(void *user, const void *answer, size_t length) {
    struct master *m = user;
    struct outcome outcome;
    COP_ASSERT(length == sizeof outcome);
    memcpy(&outcome, answer, sizeof outcome);
    outcome.message[sizeof outcome.message - 1] = '\0';
    COP_ASSERT(outcome.run < m->sweep->runs);
    cop_sweep_run *run = &m->sweep->run[outcome.run];
    run->seconds = outcome.seconds;
    run->broken_off = 0;
    if (outcome.status == COP_OK) {
        run->state = COP_RUN_FINISHED;
    } else if (outcome.status == COP_E_STOPPED) {
        run->state = COP_RUN_STOPPED;
        m->stopping = true;
    } else {
        run->state = COP_RUN_FAILED;
        run->message = cop_strdup(outcome.message);
    }
    save(m);
    m->watch->ended(m->watch->user, m->sweep, outcome.run);
}

/* Runs under way hear of a stop through a file in their folders: that needs no message to a rank
 * that is busy, and not even that it was signalled. */
static void idle(void *user) {
    struct master *m = user;
    if (cop_clock() - m->polled < 1 && !m->stopping) return;
    m->polled = cop_clock();
    if (asked_to_stop(m->sweep)) m->stopping = true;
    /* again and again: a run that had not begun yet has taken the file for an old one */
    if (!m->stopping || (m->told > 0 && cop_clock() - m->told < 2)) return;
    m->told = cop_clock();
    for (size_t i = 0; i < m->sweep->runs; i++) {
        if (m->sweep->run[i].state != COP_RUN_RUNNING) continue;
        char *dir = cop_sweep_run_directory(m->sweep, &m->sweep->run[i]),
             *file = cop_sprintf("%s/stop", dir);
        if (cop_make_dirs(dir) != COP_OK || cop_write_file(file, "", 0) != COP_OK)
            cop_log(COP_LOG_WARNING, "%s", cop_error_message());
        cop_error_clear();
        cop_free(dir);
        cop_free(file);
    }
}

/* What became of the runs that were wanted. */
static cop_status outcome(const struct master *m) {
    const cop_sweep *sweep = m->sweep;
    size_t wanted = 0, finished = 0, failed = 0, last = 0;
    for (size_t i = 0; i < sweep->runs; i++) {
        const cop_sweep_run *run = &sweep->run[i];
        wanted += run->wanted;
        finished += run->wanted && run->state == COP_RUN_FINISHED;
        if (run->wanted && run->state == COP_RUN_FAILED) {
            failed++;
            last = i;
        }
    }
    if (finished == wanted) return COP_OK;
    if (finished + failed < wanted)
        return cop_fail(COP_E_STOPPED,
                        "stopped on request: %zu of %zu runs are finished; go on with: coppice "
                        "sweep %s",
                        finished, wanted, sweep->directory);
    return cop_fail(COP_E_EVALUATE, "%zu of %zu runs failed; arm %s, seed %lld: %s", failed, wanted,
                    sweep->arm[sweep->run[last].arm].name, (long long)sweep->run[last].seed,
                    sweep->run[last].message);
}

static cop_status direct(cop_pool *pool, struct master *m, struct settings *settings) {
    const cop_pool_master hooks = {m, next, done, idle};
    fill_queue(m);
    m->watch->begun(m->watch->user, m->sweep, cop_pool_groups(pool));
    COP_TRY(cop_pool_run(pool, &hooks, carry_out, settings));
    if (m->trouble != COP_OK) return cop_fail(m->trouble, "%s", m->why);
    cop_status status = outcome(m);
    char *message = cop_strdup(cop_error_message());
    cop_status kept = cop_sweep_save(m->sweep, status == COP_OK          ? "finished"
                                               : status == COP_E_STOPPED ? "stopped"
                                                                         : "failed");
    if (kept == COP_OK) kept = m->watch->all(m->watch->user, m->sweep, status == COP_E_STOPPED);
    if (kept == COP_OK && status != COP_OK) cop_fail(status, "%s", message);
    cop_free(message);
    return kept == COP_OK ? status : kept;
}

cop_status cop_sweep_session(const cop_sweep_options *options, cop_par *par,
                             const cop_sweep_watch *watch) {
    cop_sweep sweep = {.lock = -1};
    struct master m = {.sweep = &sweep, .watch = watch};
    struct settings settings = {.options = options};
    cop_pool *pool = NULL;
    cop_buf bytes = {0};
    cop_halt_install();
    if (options->time_limit > 0) {
        settings.deadline = cop_clock() + options->time_limit;
        if (par->rank == 0) cop_halt_deadline(settings.deadline);
    }
    cop_status status = par->rank == 0 ? cop_sweep_prepare(&sweep, options, par) : COP_OK;
    if (status == COP_OK && par->rank == 0) {
        settings.ranks_per_run = sweep.ranks_per_run;
        if (strlen(sweep.directory) >= sizeof settings.directory)
            status = cop_fail(COP_E_USAGE, "--out: the name of the folder is too long");
        else
            snprintf(settings.directory, sizeof settings.directory, "%s", sweep.directory);
    }
    COP_GO(cop_par_agree(par, status));
    if (par->rank == 0) cop_buf_add(&bytes, &settings, sizeof settings);
    cop_par_broadcast(par, &bytes);
    if (par->rank != 0) {
        struct settings told;
        COP_ASSERT(bytes.length == sizeof told);
        memcpy(&told, bytes.data, sizeof told);
        memcpy(settings.directory, told.directory, sizeof settings.directory);
        settings.ranks_per_run = told.ranks_per_run;
    }
    COP_GO(cop_pool_create(&pool, par, settings.ranks_per_run));
    if (par->rank == 0) {
        status = direct(pool, &m, &settings);
        cop_pool_stop(pool, status);
    } else {
        status = cop_pool_serve(pool, carry_out, &settings);
    }
done:
    cop_pool_destroy(pool);
    cop_free(m.queue);
    cop_free(m.why);
    cop_sweep_close(&sweep);
    cop_buf_clear(&bytes);
    return status;
}
