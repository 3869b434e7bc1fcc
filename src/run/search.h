/** @file search.h  The master's loop over generations. */
#ifndef COPPICE_RUN_SEARCH_H
#define COPPICE_RUN_SEARCH_H

#include "directory.h"
#include "experiment.h"

typedef struct cop_search {
    const cop_session_options *options;
    const cop_experiment *experiment;
    const cop_par *par;
    cop_directory *directory;
    cop_engine *engine;
    cop_farm *farm;
    const char *run_id;
    double elapsed_before; /**< seconds of earlier sessions */
    double start;          /**< cop_clock() of this session's first generation */
    uint64_t evaluated;    /**< individuals evaluated in this session */

    bool judged; /**< the last population was judged again ([evaluate] draw) */
    uint64_t judged_best;
    double judged_fitness;

    bool writing;         /**< a checkpoint is on its way */
    unsigned lost_writes; /**< checkpoints whose writer was lost */
    char asked_file[64];
    uint32_t written_generation, asked_generation;
    bool written_complete, asked_complete; /**< as the state that a stop rule ended with */
    double written_at, line_at;
    uint64_t writes; /**< checkpoints of this session, and what they took on workers */
    double write_seconds;
    double polled;             /**< when files were last looked for */
    char digest[COP_HASH_HEX]; /**< of the newest checkpoint */
} cop_search;

/** Search until a stop rule (COP_OK) or a request (COP_E_STOPPED); in both cases a checkpoint of
 * the last complete generation is in the ledger. */
cop_status cop_search_run(cop_search *search, const char **reason);

/* progress.c: the table on stderr */
void cop_progress_head(const cop_search *search);
void cop_progress_line(cop_search *search, bool last);

/* peaks.c: the member "memory" of run.json, and the line of the summary */
void cop_peaks_record(const cop_search *search);
void cop_peaks_print(const cop_search *search, FILE *out);

/* summary.c: the result table on stdout; also entered in run.json. Without @p scores (a run that
 * must end soon) no network is evaluated for it. */
cop_status cop_summary_print(const cop_search *search, const char *reason, bool scores);

#endif
