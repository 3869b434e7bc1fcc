#include <stdio.h>

#include "coppice/cli.h"

static const cop_flag flags[] = {
    {"quiet", 'q', NULL, false, "Print the digest only."},
    {0},
};

static cop_status verify(const cop_args *args, cop_par *par) {
    (void)par;
    cop_buf report = {0};
    char digest[COP_HASH_HEX];
    cop_status status = cop_run_verify(args->words[0], &report, digest);
    if (!cop_args_has(args, "quiet")) printf("%s", cop_buf_text(&report));
    if (status == COP_OK) printf("digest %s\n", digest);
    cop_buf_clear(&report);
    return status;
}

const cop_command cop_cmd_verify = {
    .name = "verify",
    .synopsis = "DIR",
    .summary = "Check every file of a run and print the digest of its history",
    .details =
        "The digest is a function of the science options, the samples, the base network, the "
        "history (of a bounded one also the chain of hashes of what was dropped) and the live "
        "genomes: equal digests mean equal searches, whatever the number of ranks, interruptions "
        "or machines. Fails with status 1 when a file of the run is damaged.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .ranks = COP_RANKS_ONE,
    .run = verify,
};
