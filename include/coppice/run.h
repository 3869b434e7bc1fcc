/** @file run.h
 *  Runs: schema, run directory, checkpoints, ledger, resume, verification.
 */
#ifndef COPPICE_RUN_H
#define COPPICE_RUN_H

#include "coppice/par.h"
#include "coppice/train.h"

/** Everything a configuration may hold. */
const cop_schema *cop_run_schema(void);

/* ------------------------------------------------------------------ checkpoints
 * (docs/formats/checkpoint.md) */

/** What a checkpoint holds; complete in itself. All owned. */
typedef struct cop_checkpoint {
    char *config;     /**< resolved configuration, all options */
    char *run_id;     /**< random, one per run; a resumed run keeps it */
    char *provenance; /**< JSON: version, commit, compiler, libraries, host, ranks, command line */
    char *science_hash; /**< SHA-256 of the science options */
    cop_network *base;  /**< base network, mask all ones */
    cop_history history;
    char **measure_names; /**< (history.measures) */
    char **task_names;
    size_t tasks;
    size_t genomes; /**< live genomes: population in rank order, then the best ever if not among
                       them */
    uint64_t *genome_id;
    cop_genome *genome; /**< (genomes) of base->model; all or none own their weights */
    double elapsed;     /**< seconds of search so far, over all sessions */
    bool complete;      /**< the run had finished */
} cop_checkpoint;
void cop_checkpoint_destroy(cop_checkpoint *checkpoint);
/** Write @p path directly (callers publish). Verifies nothing. */
cop_status cop_checkpoint_write(const cop_checkpoint *checkpoint, const char *path);
/** Read and check everything: sizes before allocation, ids, dimensions against each other, the
 * digest stored in the file. COP_E_FORMAT says what is wrong. */
cop_status cop_checkpoint_read(cop_checkpoint **checkpoint, const char *path);
/** Digest of a run's history (users compare it): science options, history, live genomes, base
 * network. */
void cop_checkpoint_digest(const cop_checkpoint *checkpoint, char hex[COP_HASH_HEX]);

/* ------------------------------------------------------------------ ledger
 * (docs/formats/run-directory.md) */

/** One line of ledger.jsonl: a file of the run that is complete. */
typedef struct cop_ledger_entry {
    char *kind; /**< "config", "checkpoint", "network" */
    char *file; /**< relative to the run directory; no "..", no leading '/' */
    char sha256[COP_HASH_HEX];
    uint64_t bytes;
    uint32_t generation;
    bool dropped; /**< removed on purpose (keep-last-N) */
} cop_ledger_entry;
typedef struct cop_ledger {
    cop_ledger_entry *entries;
    size_t count;
} cop_ledger;
/** Only names inside the run directory: a copied run must never make us touch another folder. */
bool cop_ledger_name_good(const char *file);
void cop_ledger_clear(cop_ledger *ledger);
/** Append one entry (fsynced); each line carries a checksum of itself. */
cop_status cop_ledger_append(const char *dir, const cop_ledger_entry *entry);
/** Read; a torn last line (killed while writing) is ignored, any other damage is COP_E_FORMAT. */
cop_status cop_ledger_read(cop_ledger *ledger, const char *dir);
/** Is entry @p i the newest word about its file, and does it say that the file is there? */
bool cop_ledger_counts(const cop_ledger *ledger, size_t i);

/** The newest checkpoint of a run directory that is complete and undamaged; damaged ones are
 * reported as warnings and passed over. COP_E_FORMAT when none is good, COP_E_IO when there is no
 * run. @p file (may be NULL) receives its name relative to @p dir (owned by the caller). */
cop_status cop_run_newest_checkpoint(const char *dir, cop_checkpoint **checkpoint, char **file);
/** Take the checkpoints newer than @p file, which were passed over, out of the ledger; what is
 * there of them is kept beside as NAME.damaged. */
cop_status cop_run_set_aside(const char *dir, const char *file);

/* ------------------------------------------------------------------ sessions */

/** What `run` and `resume` were asked for. Text is borrowed. */
typedef struct cop_session_options {
    const char *config;      /**< configuration file; NULL for `resume` */
    const char *const *sets; /**< (set_count) "section.key=value" */
    size_t set_count;
    const char *directory; /**< run directory; NULL: made from name, seed and time */
    const char *data_dir;  /**< NULL: COPPICE_DATA, then (resume) what the run recorded */
    bool resume;           /**< `resume DIR` */
    bool resume_auto;  /**< `run --resume auto`: go on if the directory holds a run, else begin */
    double time_limit; /**< seconds from the start after which to stop with a checkpoint; 0: none */
    bool quiet;        /**< no table of generations */
    bool background;   /**< nothing on the screen: the result table goes to the run's log */
    const char *command_line;
} cop_session_options;
/** A whole search on all ranks, from configuration to result table. Collective. COP_OK when a stop
 * rule ended it, COP_E_STOPPED when a signal, file or time limit did. */
cop_status cop_session(const cop_session_options *options, cop_par *par);

/** Where `run --resume auto` would keep this run: --out, or a name made from the configuration,
 * which is checked as `run` does. @p directory is owned by the caller. */
cop_status cop_session_directory(const cop_session_options *options, char **directory);

/** A run that is started again after a crash. Text is borrowed. */
typedef struct cop_supervise_options {
    int ranks;
    unsigned restarts;        /**< in a row without a new checkpoint */
    const char *mpirun;       /**< program */
    const char *program;      /**< coppice */
    const char *const *words; /**< (word_count) of its command line, without --time-limit */
    size_t word_count;
    const char *directory; /**< run directory; made */
    double time_limit;     /**< seconds for all starts together; 0: none */
} cop_supervise_options;
/** Start mpirun, pass signals on, wait, start again while there is progress. The status is that of
 * rank 0, whose message has been printed; COP_E_PEER with a message when it was given up. */
cop_status cop_supervise(const cop_supervise_options *options);

/** Check every file of a run directory and compute its digest (of the newest checkpoint). Damage is
 *  COP_E_FORMAT and names the file. @p report receives one line per file. */
cop_status cop_run_verify(const char *dir, cop_buf *report, char digest[COP_HASH_HEX]);

#endif
