/* A run under mpirun that is started again after a crash (docs/running.md). This process uses no
 * MPI. Rank 0 leaves its exit status in DIR/launch.status: mpirun's own says little once a rank has
 * died. */
#include "coppice/io.h"
#include "coppice/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_S 5.0  /* for mpirun to end after rank 0 has said how the run ended */
#define ALONE_S 10.0 /* of mpirun without any process of its own before it counts as stuck */
#define PAUSE_S 60.0 /* longest pause between two starts */

/* Requests that came to this process, to be passed on. */
static volatile sig_atomic_t stops, checkpoints;

static void on_signal(int number) {
    if (number == SIGUSR2)
        checkpoints = checkpoints + 1;
    else
        stops = stops + 1;
}

static void catch_signals(void) {
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    stops = checkpoints = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

static void nap(void) {
    usleep(20000);
}

/* ------------------------------------------------------------------ one start */

static cop_status start(const cop_supervise_options *options, char **argv, pid_t *child) {
    int told[2]; /* carries errno when the program cannot be started */
    if (pipe(told) != 0) return cop_fail(COP_E_IO, "cannot make a pipe: %s", strerror(errno));
    pid_t parent = getpid();
    *child = fork();
    if (*child < 0) return cop_fail(COP_E_IO, "cannot start a process: %s", strerror(errno));
    if (*child == 0) {
        close(told[0]);
        if (fcntl(told[1], F_SETFD, FD_CLOEXEC) != 0) _exit(127);
        /* Ctrl-C must not reach mpirun, which would kill its ranks; when this process is killed,
         * the run stops with a checkpoint */
        setsid();
        prctl(PR_SET_PDEATHSIG, SIGUSR1);
        if (getppid() != parent) _exit(127);
        signal(SIGPIPE, SIG_DFL);
        execvp(argv[0], argv);
        int reason = errno;
        if (write(told[1], &reason, sizeof reason) < 0) _exit(126);
        _exit(127);
    }
    int reason = 0;
    close(told[1]);
    ssize_t got;
    do got = read(told[0], &reason, sizeof reason);
    while (got < 0 && errno == EINTR);
    close(told[0]);
    if (got == (ssize_t)sizeof reason) {
        waitpid(*child, NULL, 0);
        return cop_fail(COP_E_USAGE, "%s cannot be started: %s; --mpirun or MPIRUN names it",
                        options->mpirun, strerror(reason));
    }
    return COP_OK;
}

/* How rank 0 says that the run ended. */
struct word {
    bool there, broken; /* broken: for the loss of a rank; start again */
    int status;
};

static struct word read_word(const char *path) {
    struct word word = {0};
    FILE *file = fopen(path, "r");
    char how[16] = "";
    if (!file) return word;
    word.there = fscanf(file, "%d %15s", &word.status, how) >= 1;
    word.broken = strcmp(how, "broken") == 0;
    fclose(file);
    return word;
}

static void end_child(pid_t child, int *ended) {
    static const int numbers[] = {SIGTERM, SIGKILL};
    for (int i = 0; i < 2; i++) {
        kill(child, numbers[i]);
        for (double from = cop_clock(); cop_clock() - from < GRACE_S; nap())
            if (waitpid(child, ended, WNOHANG) == child) return;
    }
}

static bool runs(int64_t pid) {
    char path[64], state = 'Z';
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'R'; /* a strange name */
    fclose(file);
    return state != 'Z';
}

/* Whether @p parent has processes of its own that run. Linux only: elsewhere none is ever seen. */
static bool has_children(pid_t parent) {
    char path[sizeof "/proc//task//children" + 300];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%lld/task", (long long)parent);
    DIR *threads = opendir(path);
    for (struct dirent *thread; threads && !found && (thread = readdir(threads));) {
        if (thread->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%lld/task/%s/children", (long long)parent,
                 thread->d_name);
        FILE *file = fopen(path, "r");
        long long child;
        while (file && !found && fscanf(file, "%lld", &child) == 1) found = runs(child);
        if (file) fclose(file);
    }
    if (threads) closedir(threads);
    return found;
}

/* An mpirun whose ranks have all died was seen to stay for ever. It counts as stuck when it had
 * processes of its own (ranks, or the daemons of other nodes) and has had none for ALONE_S. */
struct company {
    bool had;
    double looked, since; /* when it was looked at last; when company was seen last */
};

static bool stuck(struct company *seen, pid_t child) {
    double now = cop_clock();
    if (now - seen->looked < 0.5) return false;
    seen->looked = now;
    if (has_children(child)) {
        seen->had = true;
        seen->since = now;
    }
    return seen->had && now - seen->since > ALONE_S;
}

/* Until mpirun ends, or has had its time after rank 0 said how the run ended, or is stuck. */
static struct word wait_for(pid_t child, const char *path, int *ended) {
    struct word word = {0};
    struct company seen = {0};
    int passed_stops = 0, passed_checkpoints = 0;
    double said = 0;
    for (;; nap()) {
        if (waitpid(child, ended, WNOHANG) == child) return read_word(path);
        if (stops > passed_stops) { /* who asks twice does not want to wait */
            kill(child, passed_stops ? SIGTERM : SIGUSR1);
            passed_stops = stops;
        }
        if (checkpoints > passed_checkpoints) {
            kill(child, SIGUSR2);
            passed_checkpoints = checkpoints;
        }
        if (stuck(&seen, child)) {
            end_child(child, ended);
            return read_word(path);
        }
        if (!word.there) {
            word = read_word(path);
            said = cop_clock();
        } else if (cop_clock() - said > GRACE_S) {
            end_child(child, ended);
            return word;
        }
    }
}

/* ------------------------------------------------------------------ from start to start */

/* Generation of the newest checkpoint; -1: none. */
static int64_t progress(const char *dir) {
    cop_ledger ledger = {0};
    int64_t newest = -1;
    if (cop_ledger_read(&ledger, dir) != COP_OK) cop_error_clear();
    for (size_t i = 0; i < ledger.count; i++)
        if (strcmp(ledger.entries[i].kind, "checkpoint") == 0 && cop_ledger_counts(&ledger, i) &&
            (int64_t)ledger.entries[i].generation > newest)
            newest = ledger.entries[i].generation;
    cop_ledger_clear(&ledger);
    return newest;
}

static cop_status as_status(int code) {
    static const cop_status known[] = {COP_OK, COP_E_USAGE, COP_E_CONFIG, COP_E_STOPPED};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (cop_status_exit_code(known[i]) == code) return known[i];
    return COP_E_PEER;
}

static void say_ended(int ended, const struct word *word, cop_buf *text) {
    if (word->there)
        cop_buf_printf(text, "a rank was lost");
    else if (WIFSIGNALED(ended))
        cop_buf_printf(text, "mpirun was killed by signal %d", WTERMSIG(ended));
    else
        cop_buf_printf(text, "mpirun ended with status %d and no word of rank 0",
                       WEXITSTATUS(ended));
}

/* Seconds between starts grow while nothing is gained; a request to stop ends the pause. */
static void pause_before(unsigned fruitless) {
    double pause = fruitless < 6 ? (double)(1u << fruitless) : PAUSE_S;
    for (double from = cop_clock(); cop_clock() - from < pause && !stops;) nap();
}

static void set_environment(const char *path) {
    setenv("COPPICE_STATUS_FILE", path, 1);
    setenv("OMPI_MCA_orte_enable_recovery", "1", 1); /* a job that outlives a worker */
    setenv("OPENBLAS_NUM_THREADS", "1", 0);          /* ranks are the parallelism */
    if (!getenv("SLURM_NTASKS")) {                   /* one rank more than cores: rank 0 sleeps */
        setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 0);
        setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 0);
    }
}

static char **make_argv(const cop_supervise_options *options, char *ranks, char *limit) {
    char **argv = COP_NEW_ARRAY(char *, options->word_count + 16);
    size_t n = 0;
    argv[n++] = (char *)(uintptr_t)options->mpirun;
    argv[n++] = (char *)(uintptr_t) "--quiet";
    argv[n++] = (char *)(uintptr_t) "-np";
    argv[n++] = ranks;
    argv[n++] = (char *)(uintptr_t)options->program;
    for (size_t i = 0; i < options->word_count; i++)
        argv[n++] = (char *)(uintptr_t)options->words[i];
    if (options->time_limit > 0) {
        argv[n++] = (char *)(uintptr_t) "--time-limit";
        argv[n++] = limit;
    }
    return argv;
}

static bool clean_end(const struct word *word, int ended) {
    if (word->there) return !word->broken;
    /* refused before the run directory could be used */
    return WIFEXITED(ended) && (WEXITSTATUS(ended) == 64 || WEXITSTATUS(ended) == 78);
}

cop_status cop_supervise(const cop_supervise_options *options) {
    char ranks[32], limit[32];
    double from = cop_clock();
    unsigned fruitless = 0;
    cop_status status = COP_OK;
    COP_TRY(cop_make_dirs(options->directory));
    char *path = cop_sprintf("%s/launch.status", options->directory);
    char **argv = make_argv(options, ranks, limit);
    snprintf(ranks, sizeof ranks, "%d", options->ranks);
    set_environment(path);
    catch_signals();
    for (int64_t before = progress(options->directory);;) {
        pid_t child = 0;
        int ended = 0;
        unlink(path);
        double left = options->time_limit - (cop_clock() - from);
        snprintf(limit, sizeof limit, "%.3f", left > 1 ? left : 1.0);
        COP_GO(start(options, argv, &child));
        struct word word = wait_for(child, path, &ended);
        if (clean_end(&word, ended)) {
            cop_error_clear(); /* rank 0 has said what there was to say */
            status = as_status(word.there ? word.status : WEXITSTATUS(ended));
            break;
        }
        int64_t now = progress(options->directory);
        fruitless = now > before ? 0 : fruitless + 1;
        before = now;
        cop_buf how = {0};
        say_ended(ended, &word, &how);
        if (stops || (options->time_limit > 0 && cop_clock() - from >= options->time_limit) ||
            fruitless > options->restarts) {
            status =
                cop_fail(now >= 0 ? COP_E_STOPPED : COP_E_PEER, "%s%s; %s%s", cop_buf_text(&how),
                         fruitless > options->restarts ? ", again without progress" : "",
                         now >= 0 ? "a good checkpoint stands: go on with: coppice resume "
                                  : "no checkpoint was completed in ",
                         options->directory);
            /* a run that cannot get on must not be started for ever by what reads status 75 */
            if (fruitless > options->restarts) status = COP_E_PEER;
            cop_buf_clear(&how);
            break;
        }
        cop_log(COP_LOG_WARNING, "launch: %s; starting again %s (%u of %u starts without progress)",
                cop_buf_text(&how), now >= 0 ? "from the last checkpoint" : "from the beginning",
                fruitless, options->restarts);
        cop_buf_clear(&how);
        pause_before(fruitless);
    }
done:
    unsetenv("COPPICE_STATUS_FILE"); /* it is of the ranks only */
    unlink(path);
    cop_free(argv);
    cop_free(path);
    return status;
}
