/** @file par.h
 *  Ranks: start-up, agreement, node-shared data, and the evaluation farm. With src/cli/main.c the
 * only place that knows MPI. After start-up the farm uses point-to-point messages only and polls
 * with naps, so an idle rank costs no CPU.
 */
#ifndef COPPICE_PAR_H
#define COPPICE_PAR_H

#include "coppice/evo.h"

typedef struct cop_par {
    int rank, size;             /**< in a private duplicate of the world */
    int node, nodes, node_rank; /**< node number, number of nodes, rank inside the node */
    int node_size;              /**< ranks on this node */
    bool survives; /**< the launcher lets the job outlive a rank (mpirun --enable-recovery) */
    char host[64];
    void *impl;
} cop_par;

/** Initialise MPI (or, for commands that need none, pretend to be one rank: @p use_mpi false).
 *  Detects a launcher that started N tasks while MPI sees one each, and says so (COP_E_USAGE).
 *  COPPICE_RANKS_PER_NODE splits nodes artificially (tests). */
cop_status cop_par_start(cop_par *par, int *argc, char ***argv, bool use_mpi);
void cop_par_end(cop_par *par);
/** The end of the program: rank 0 leaves @p exit_code in the file that COPPICE_STATUS_FILE names,
 * then MPI ends. After a rank was lost the process ends here, without MPI's own end, which would
 * wait for the dead. */
void cop_par_finish(cop_par *par, int exit_code);
/** The job ends for the loss of ranks: whoever started it may start it again. */
void cop_par_broken(const cop_par *par);
/** "Open MPI v4.1.4 ..." */
const char *cop_par_library(void);
/** End the job on all ranks at once, after the message was printed. */
_Noreturn void cop_par_abort(const cop_par *par, int exit_code);

/** Collective: the status of the lowest rank that failed, everywhere, with its message ("rank 2 on
 *  node7: ..."; without that prefix when every rank failed alike). Sleeps while waiting. */
cop_status cop_par_agree(const cop_par *par, cop_status status);
/** Collective: rank 0's bytes to all (@p buf overwritten elsewhere). Sleeps while waiting. */
void cop_par_broadcast(const cop_par *par, cop_buf *buf);
/** Collective: wait for all, asleep. */
void cop_par_barrier(const cop_par *par);

/** Collective over all ranks: the node's first rank (node_rank 0) calls @p load; samples end up
 * once per node in shared memory; every rank gets a borrowed view. Failure on any node fails
 * everywhere, naming rank and host. */
typedef cop_status (*cop_load_fn)(void *user, cop_dataset **set);
cop_status cop_par_share_dataset(const cop_par *par, cop_load_fn load, void *user,
                                 cop_dataset **set);

/* ------------------------------------------------------------------ requests to stop */

#define COP_HALT_STOP 1u       /**< write a checkpoint and end with status 75 */
#define COP_HALT_CHECKPOINT 2u /**< write a checkpoint and go on */

/** Install handlers that only set flags: USR1, TERM, INT ask for a stop, USR2 for a checkpoint. */
void cop_halt_install(void);
/** Ask for a stop once cop_clock() is past @p clock; 0: never. */
void cop_halt_deadline(double clock);
/** Requests made so far on this rank, and on workers as far as their answers have told. */
unsigned cop_halt_requests(void);
void cop_halt_request(unsigned flags);
void cop_halt_forget(unsigned flags);

/* ------------------------------------------------------------------ farm */

/** A work unit: individuals [first, first+count) of the current batch of recipes on one shard. */
typedef struct cop_unit {
    uint32_t number, first, count, shard;
} cop_unit;

/** What workers do; implemented by run (src/run/worker.c), called on worker ranks, or on rank 0
 * when it is alone. */
typedef struct cop_farm_work {
    void *user;
    /** Breed all @p recipes from the live genomes and hold them beside these. */
    cop_status (*breed)(void *user, const cop_recipe *recipes, size_t count);
    /** Evaluate a unit: append @p result bytes. */
    cop_status (*evaluate)(void *user, const cop_unit *unit, cop_buf *result);
    /** Forget every genome but @p ids. */
    cop_status (*keep)(void *user, const uint64_t *ids, size_t count);
    /** Write a file as the request says (checkpoint, network); append the answer to @p result. */
    cop_status (*write)(void *user, const void *request, size_t length, cop_buf *result);
    /** For people: what the @p length bytes of evaluate's result say. Called on rank 0, with bytes
     * that may be anything; may be NULL. */
    void (*describe)(const void *result, size_t length, cop_buf *text);
} cop_farm_work;

typedef struct cop_farm cop_farm;
/** Largest message accepted; longer ones are COP_E_PEER. */
#define COP_MESSAGE_MAX ((size_t)1 << 30)

/** @p par is borrowed. */
cop_farm *cop_farm_create(const cop_par *par, const cop_farm_work *work);
/** A worker that has not answered for @p seconds (or four times as long as the longest unit so far,
 * if that is more) is given up; 0: never. 600 without this call. A worker whose process is seen to
 * have ended is given up at once. When the job survives that (par->survives), its units and writes
 * go to others; else, or when no worker is left, farm calls end with COP_E_LOST. */
void cop_farm_patience(cop_farm *farm, double seconds);
/** Master: no messages will come from here for a while (workers on other nodes take a silent master
 * for dead). */
void cop_farm_rest(cop_farm *farm);
void cop_farm_destroy(cop_farm *farm);
/** Workers: serve until the master says stop; returns the status that the master stopped with, so
 * that all ranks exit alike. A worker's own failure has been reported to the master, which prints
 * it; the worker's error message is cleared. Rank 0 never calls this. */
cop_status cop_farm_serve(cop_farm *farm);

/** Master: hand out recipes and keep-lists to every worker (they are ordered with units). */
cop_status cop_farm_breed(cop_farm *farm, const cop_recipe *recipes, size_t count);
cop_status cop_farm_keep(cop_farm *farm, const uint64_t *ids, size_t count);
/** Master: evaluate @p count units; @p take is called once per unit with its result, in arrival
 * order.
 *  @p idle (may be NULL) is called at least every 100 ms: progress, signals. */
typedef cop_status (*cop_farm_take)(void *user, const cop_unit *unit, const void *result,
                                    size_t length); /* a failure ends the evaluation */
typedef cop_status (*cop_farm_idle)(void *user);    /* a failure abandons the evaluation */
/* After a failure (of take, idle or a worker) the farm can still write, drain and stop; units that
 * wait at workers are left out, answers to those under way are dropped. */
cop_status cop_farm_evaluate(cop_farm *farm, const cop_unit *units, size_t count,
                             cop_farm_take take, void *user, cop_farm_idle idle);
/** Master: start a write on the least busy worker; @p done is called (from a later farm call, or
 * from cop_farm_drain) with the answer, or with NULL when the writer was lost, whose file may still
 * come to be: ask again under another name. Ordered behind breed/keep already sent. */
typedef cop_status (*cop_farm_written)(void *user, const void *result, size_t length);
cop_status cop_farm_write(cop_farm *farm, const void *request, size_t length, cop_farm_written done,
                          void *user);
/** Master: wait for all writes under way. */
cop_status cop_farm_drain(cop_farm *farm);
/** Master: end of service for all workers with @p status as the outcome of the job. Waits for them
 * to acknowledge; after 10 s without an answer (COP_E_STOPPED: and the time of a long unit) the job
 * is ended on all ranks by force. */
void cop_farm_stop(cop_farm *farm, cop_status status);

/** Counters for progress and the run's summary. */
typedef struct cop_farm_stats {
    uint64_t units, messages, bytes;
    double worker_seconds; /**< time workers spent inside units, summed */
    double idle_seconds;   /**< time the master slept */
    uint64_t doubled;      /**< units given to a second worker */
} cop_farm_stats;
void cop_farm_get_stats(const cop_farm *farm, cop_farm_stats *stats);
/** Master: most memory that @p rank has had resident, in bytes (cop_memory_peak), at its last
 * answer; 0 when none has come. */
uint64_t cop_farm_peak(const cop_farm *farm, int rank);

/* ------------------------------------------------------------------ pool */

/** Ranks 1 and on, cut into groups of equal size in rank order, that carry out one job after the
 * other; rank 0 hands jobs out and sleeps. Between master and groups only point-to-point messages
 * pass, so a group waits for no other. One rank alone is master and group. */
typedef struct cop_pool cop_pool;
/** COP_E_USAGE when there are too few ranks for one group. */
cop_status cop_pool_check(const cop_par *par, int ranks_per_group);
/** Collective. COP_E_USAGE as above, on all ranks. Ranks that are left over
 * stay idle until the end. @p par is borrowed. */
cop_status cop_pool_create(cop_pool **pool, const cop_par *par, int ranks_per_group);
void cop_pool_destroy(cop_pool *pool); /**< collective inside each group; NULL is allowed */
int cop_pool_groups(const cop_pool *pool);

/** Carry out @p job on the ranks of @p group; called on all of them. What the first rank adds to
 * @p answer goes to the master. */
typedef void (*cop_pool_work)(void *user, cop_par *group, const cop_buf *job, cop_buf *answer);
/** What the master does; called on rank 0. */
typedef struct cop_pool_master {
    void *user;
    bool (*next)(void *user, cop_buf *job); /**< append a job; false: none is left */
    void (*done)(void *user, const void *answer, size_t length);
    void (*idle)(void *user); /**< at least every 100 ms while groups work */
} cop_pool_master;
/** Rank 0: hand out jobs until none is left and all are done. COP_E_PEER when a group sends what
 * it cannot have; then the others are not waited for. */
cop_status cop_pool_run(cop_pool *pool, const cop_pool_master *master, cop_pool_work work,
                        void *work_user);
/** Rank 0: end of service with @p status as the outcome everywhere. */
void cop_pool_stop(cop_pool *pool, cop_status status);
/** The other ranks: carry out jobs until the end; returns the status that rank 0 ended with. */
cop_status cop_pool_serve(cop_pool *pool, cop_pool_work work, void *user);

#endif
