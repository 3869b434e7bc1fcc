/** @file session.h  A session under way: shared by session.c (all ranks) and prepare.c (rank 0). */
#ifndef COPPICE_RUN_SESSION_H
#define COPPICE_RUN_SESSION_H

#include "search.h"

typedef struct cop_session_state {
    const cop_session_options *options;
    cop_par *par;
    cop_experiment experiment;
    cop_directory directory;    /* rank 0 */
    cop_checkpoint *checkpoint; /* rank 0, when resuming */
    char *data_dir;
    char *taken; /* its name in the ledger */
    bool begun;  /* rank 0: the run is new, so its failure to start is recorded */
    bool resuming;
    char run_id[40];
    uint64_t program; /* bytes resident at the start */
    cop_worker *worker;
    cop_farm *farm;
} cop_session_state;

/** runs/NAME-seedSEED[-DATE]; owned by the caller. */
char *cop_session_default_directory(const cop_conf *conf, bool with_time);
void cop_session_new_run_id(char id[40]);
/** On rank 0: which configuration, which run directory, and whether to go on from a checkpoint.
 * Nothing is made on disk before the configuration has been found good. @p conf is owned by the
 * caller. */
cop_status cop_session_prepare(cop_session_state *session, cop_conf **conf);
/** Everything that can be wrong with a configuration, before anything is made or trained. @p
 * data_dir may be NULL. COP_E_CONFIG. */
cop_status cop_session_check(const cop_conf *conf, const char *data_dir);
/** COP_E_CONFIG unless both are the same experiment: only how long and in what manner may differ.
 * @p dir, where @p then was run, is named in the message. */
cop_status cop_session_same_science(const cop_conf *now, const cop_conf *then, const char *dir);

#endif
