#include "coppice/cli.h"
#include "coppice/io.h"
#include "session_flags.h"

#include <unistd.h>

static const cop_flag flags[] = {
    {"ranks", 'n', "N", false,
     "Ranks to start (default: the tasks of the Slurm job, else cores + 1)."},
    {"restarts", 0, "K", false,
     "Give up after so many starts in a row without a new checkpoint (default 3)."},
    {"mpirun", 0, "PROGRAM", false, "Open MPI's launcher (default: MPIRUN, else mpirun)."},
    {"out", 'o', "DIR", false, "Run directory (default: runs/NAME-seedSEED)."},
    {"resume", 0, "auto", false, "auto, as 'run' knows it: what launch does anyway."},
    COP_SESSION_FLAGS,
    {0},
};

static cop_status take_count(const cop_args *args, const char *flag, int64_t low, int64_t *count) {
    const char *text = cop_args_get(args, flag);
    if (text && (!cop_parse_i64(text, count) || *count < low || *count > 1000000))
        return cop_fail(COP_E_USAGE, "--%s %s: a whole number from %lld is wanted", flag, text,
                        (long long)low);
    return COP_OK;
}

static int64_t default_ranks(void) {
    const char *tasks = getenv("SLURM_NTASKS");
    int64_t n;
    if (tasks && cop_parse_i64(tasks, &n) && n >= 1) return n;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return (cores > 0 ? cores : 1) + 1;
}

/* What the ranks are told; the words are lent, list[] has room for 16 + twice the --set options. */
static size_t make_words(const cop_args *args, const char *directory, bool resume,
                         const char **list) {
    size_t n = 0;
    list[n++] = resume ? "resume" : "run";
    list[n++] = args->words[0];
    if (!resume) {
        list[n++] = "--resume";
        list[n++] = "auto";
        list[n++] = "--out";
        list[n++] = directory;
    }
    if (cop_args_has(args, "data")) {
        list[n++] = "--data";
        list[n++] = cop_args_get(args, "data");
    }
    if (cop_args_has(args, "memory")) {
        list[n++] = "--memory";
        list[n++] = cop_args_get(args, "memory");
    }
    for (size_t k = 0; cop_args_nth(args, "set", k); k++) {
        list[n++] = "--set";
        list[n++] = cop_args_nth(args, "set", k);
    }
    if (cop_args_has(args, "quiet")) list[n++] = "--quiet";
    return n;
}

static cop_status launch(const cop_args *args, cop_par *par) {
    (void)par;
    const char *words[16 + 2 * 128], *sets[128], *limit = cop_args_get(args, "time-limit");
    char program[4096], *directory = NULL;
    int64_t ranks = default_ranks(), restarts = 3;
    if (getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMIX_RANK"))
        return cop_fail(
            COP_E_USAGE,
            "launch starts mpirun itself: call it alone, or 'coppice run' under mpirun");
    const char *how = cop_args_get(args, "resume");
    if (how && strcmp(how, "auto") != 0)
        return cop_fail(COP_E_USAGE, "--resume %s: only 'auto' is known", how);
    COP_TRY(take_count(args, "ranks", 1, &ranks));
    COP_TRY(take_count(args, "restarts", 0, &restarts));
    cop_supervise_options options = {.ranks = (int)ranks,
                                     .restarts = (unsigned)restarts,
                                     .mpirun = cop_args_get(args, "mpirun"),
                                     .program = program,
                                     .words = words};
    if (!options.mpirun) options.mpirun = getenv("MPIRUN");
    if (!options.mpirun || !*options.mpirun) options.mpirun = "mpirun";
    if (limit && (!cop_parse_double(limit, &options.time_limit) || options.time_limit <= 0))
        return cop_fail(COP_E_USAGE, "--time-limit %s: a positive number of seconds is wanted",
                        limit);
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) return cop_fail(COP_E_IO, "/proc/self/exe cannot be read: where am I?");
    program[length] = '\0';
    char *ledger = cop_sprintf("%s/ledger.jsonl", args->words[0]);
    bool resume = cop_file_exists(ledger);
    cop_free(ledger);
    cop_session_options session = {.config = args->words[0],
                                   .directory = cop_args_get(args, "out"),
                                   .sets = sets,
                                   .data_dir = cop_args_get(args, "data")};
    while (session.set_count < 128 && cop_args_nth(args, "set", session.set_count)) {
        sets[session.set_count] = cop_args_nth(args, "set", session.set_count);
        session.set_count++;
    }
    if (resume)
        directory = cop_strdup(args->words[0]);
    else
        COP_TRY(cop_session_directory(&session, &directory));
    options.directory = directory;
    options.word_count = make_words(args, directory, resume, words);
    cop_status status = cop_supervise(&options);
    cop_free(directory);
    return status;
}

const cop_command cop_cmd_launch = {
    .name = "launch",
    .synopsis = "CONFIG|DIR [options]",
    .summary = "Run or resume under mpirun, again after a crash, without a worker that dies",
    .details =
        "Starts 'mpirun -np N coppice run CONFIG --resume auto' (or 'resume DIR') so that the job "
        "goes on when a worker dies, and starts it again from the newest good checkpoint when the "
        "job dies: the master killed, mpirun killed, all workers lost. After --restarts starts in "
        "a row without a new checkpoint it gives up with status 1. What rank 0 refuses or fails at "
        "is not tried again. The exit status is that of the run.\n\n"
        "SIGUSR1, SIGTERM, SIGINT and SIGHUP are passed on as the request to stop with a "
        "checkpoint (status 75), a second one ends the job at once; SIGUSR2 writes a checkpoint. "
        "--time-limit is for all starts together.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .ranks = COP_RANKS_ONE,
    .run = launch,
};
