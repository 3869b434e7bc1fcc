/** @file sweep.h
 *  A sweep: configurations (arms) x seeds, each a run of its own in DIR/ARM/seed-N, carried out by
 * groups of ranks. DIR/sweep.json is the record (docs/sweeps.md); DIR/ARM/config.ini what the runs
 * of an arm are made from.
 */
#ifndef COPPICE_RUN_SWEEP_H
#define COPPICE_RUN_SWEEP_H

#include "coppice/run.h"

#define COP_ARM_NAME 64 /**< bytes of an arm's name, its end included */

typedef enum cop_run_state {
    COP_RUN_WAITING,
    COP_RUN_RUNNING, /**< in a record that was read: broken off */
    COP_RUN_FINISHED,
    COP_RUN_STOPPED,
    COP_RUN_FAILED
} cop_run_state;
const char *cop_run_state_name(cop_run_state state);

typedef struct cop_sweep_arm {
    char *name;
    char *source;   /**< where it was read, for people */
    cop_conf *conf; /**< NULL where only the record was read */
} cop_sweep_arm;

typedef struct cop_sweep_run {
    size_t arm;
    int64_t seed;
    cop_run_state state;
    bool wanted;         /**< by this call: others are only reported */
    unsigned broken_off; /**< times that the whole job ended in the midst of it */
    double seconds;      /**< of its last session, wall clock */
    char *message;       /**< of a failure; NULL: none */
} cop_sweep_run;

typedef struct cop_sweep {
    char *directory;
    int lock;
    cop_sweep_arm *arm;
    size_t arms;
    cop_sweep_run *run;
    size_t runs;
    int ranks_per_run;
    const char *command_line; /**< borrowed */
    char started[32];
} cop_sweep;

/** What `sweep` was asked for. Text is borrowed. */
typedef struct cop_sweep_options {
    const char *const *words; /**< (word_count) configurations, NAME=CONFIG, sweep files, or DIR */
    size_t word_count;
    const char *const *sets; /**< (set_count) for every arm */
    size_t set_count;
    const char *seeds;     /**< "1-10", "1,4,7-9"; NULL: of the sweep file, or what DIR has */
    const char *directory; /**< NULL: the only word is one */
    const char *data_dir;
    int ranks_per_run; /**< 0: of the sweep file, else 1 */
    double time_limit; /**< seconds; 0: none */
    const char *command_line;
} cop_sweep_options;

/** Called on rank 0. */
typedef struct cop_sweep_watch {
    void *user;
    void (*begun)(void *user, const cop_sweep *sweep, int groups);
    void (*ended)(void *user, const cop_sweep *sweep, size_t run); /**< a run has ended, somehow */
    /** All have; @p stopped: the job must end soon. A failure becomes that of the sweep. */
    cop_status (*all)(void *user, const cop_sweep *sweep, bool stopped);
} cop_sweep_watch;

/** A whole sweep on all ranks. Collective. COP_OK when every run asked for has finished;
 * COP_E_STOPPED when asked to stop before; COP_E_EVALUATE when runs failed. */
cop_status cop_sweep_session(const cop_sweep_options *options, cop_par *par,
                             const cop_sweep_watch *watch);

/** The record of DIR, without configurations. COP_E_IO when there is none, COP_E_FORMAT. */
cop_status cop_sweep_read(cop_sweep *sweep, const char *directory);
cop_status cop_sweep_save(const cop_sweep *sweep, const char *state);
void cop_sweep_close(cop_sweep *sweep);
bool cop_sweep_is_one(const char *directory);
/** DIR/ARM/seed-N; owned by the caller. */
char *cop_sweep_run_directory(const cop_sweep *sweep, const cop_sweep_run *run);

/** Rank 0: read what was asked for and what is there, check all of it, make and lock DIR. On
 * failure @p sweep must be closed too. */
cop_status cop_sweep_prepare(cop_sweep *sweep, const cop_sweep_options *options,
                             const cop_par *par);

/** Arms are named by letters, digits, '.', '_' and '-', at most COP_ARM_NAME - 1 of them, and do
 * not begin with '.' or '-'. */
bool cop_arm_name_good(const char *name);
/** Does a section of a sweep file begin some line of the file? */
bool cop_is_sweep_file(const char *path);
/** Add the arms that @p word means: CONFIG, NAME=CONFIG, or a sweep file, whose seeds and ranks per
 * run (0: not said) are given back too (@p seeds is owned by the caller, NULL: not said). */
cop_status cop_sweep_add_word(cop_sweep *sweep, const char *word, char **seeds, int *ranks);

/** "1-10", "1,4,7-9": distinct numbers from 0, at most 100000. @p seeds is owned by the caller.
 * COP_E_USAGE. */
cop_status cop_seeds_parse(const char *text, int64_t **seeds, size_t *count);

#endif
