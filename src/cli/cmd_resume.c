#include "coppice/cli.h"
#include "session_flags.h"

static const cop_flag flags[] = {COP_SESSION_FLAGS, {0}};

static cop_status resume(const cop_args *args, cop_par *par) {
    cop_session_options options = {.directory = args->words[0], .resume = true};
    return cop_session_with_flags(&options, args, par);
}

const cop_command cop_cmd_resume = {
    .name = "resume",
    .synopsis = "DIR [options]",
    .summary = "Go on with a run, on any number of ranks, or extend a finished one",
    .details =
        "Takes the newest checkpoint that is complete and undamaged. The result equals that of a "
        "run that was "
        "never interrupted. A finished run is extended with e.g. --set stop.generations=100; "
        "options that would make it another experiment are refused.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .ranks = COP_RANKS_ALL,
    .run = resume,
};
