#include "coppice/cli.h"
#include "session_flags.h"

static const cop_flag flags[] = {
    {"out", 'o', "DIR", false, "Run directory (default: runs/NAME-seedSEED-DATE)."},
    {"resume", 0, "auto", false,
     "auto: go on if the run directory holds a checkpoint, else begin (without --out: "
     "runs/NAME-seedSEED)."},
    COP_SESSION_FLAGS,
    {0},
};

static cop_status run(const cop_args *args, cop_par *par) {
    cop_session_options options = {.config = args->words[0],
                                   .directory = cop_args_get(args, "out")};
    const char *resume = cop_args_get(args, "resume");
    if (resume && strcmp(resume, "auto") != 0)
        return cop_fail(COP_E_USAGE,
                        "--resume %s: only 'auto' is known; to go on with a run say "
                        "'coppice resume DIR'",
                        resume);
    options.resume_auto = resume != NULL;
    return cop_session_with_flags(&options, args, par);
}

const cop_command cop_cmd_run = {
    .name = "run",
    .synopsis = "CONFIG [options]",
    .summary = "Run a search from a configuration",
    .details =
        "Trains or finds the base network, evolves, and writes a run directory with checkpoints. "
        "Start it "
        "alone, under mpirun, or under srun; rank 0 only directs, so 'mpirun -np CORES+1' keeps "
        "every core busy. The result is the same on any number of ranks.\n\n"
        "SIGUSR1, SIGTERM, SIGINT, a file named 'stop' in the run directory and --time-limit end "
        "the run "
        "with a good checkpoint and status 75; SIGUSR2 and a file named 'checkpoint' write one and "
        "go "
        "on. 'coppice resume DIR' goes on where it was.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .ranks = COP_RANKS_ALL,
    .run = run,
};
