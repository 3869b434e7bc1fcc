/** @file internal.h  What the files of src/par share. */
#ifndef COPPICE_PAR_INTERNAL_H
#define COPPICE_PAR_INTERNAL_H

#include <mpi.h>

#include "coppice/par.h"

#define COP_WINDOWS_MAX 64

typedef struct cop_par_impl {
    MPI_Comm comm; /**< private duplicate of the world */
    MPI_Comm node; /**< the ranks that share memory */
    MPI_Win window[COP_WINDOWS_MAX];
    int windows;
    char (*host)[64]; /**< (size) names of all ranks' hosts */
    int64_t *pid;     /**< (size) processes that this rank can watch; 0: too far away */
    bool finalise;    /**< MPI is running */
    int lost;         /**< ranks that the master of a farm has given up */
    bool no_end;      /**< MPI's own end would wait for the dead */
    bool broken;      /**< the job ends for the loss of ranks */
} cop_par_impl;

static inline cop_par_impl *cop_par_inside(const cop_par *par) {
    return par->impl;
}

/** Sleep between two polls: an idle rank leaves its core to the others. */
void cop_nap(unsigned microseconds);
/** Wait for a request by polling with naps. */
void cop_wait(MPI_Request *request);

/** Number and size of this rank's node in par, from impl->comm. Collective. */
void cop_par_find_nodes(cop_par *par, cop_par_impl *impl);
/** impl->host and impl->pid. Collective. */
void cop_par_find_peers(const cop_par *par, cop_par_impl *impl);
/** Give back the shared memory of datasets that are not needed any more. Collective. */
void cop_par_free_windows(cop_par_impl *impl);

/** Has the process of @p rank ended? False as well when it cannot be seen from here. */
bool cop_peer_gone(const cop_par *par, int rank);
/** Can it be seen from here? */
bool cop_peer_seen(const cop_par *par, int rank);
/** End it, if it can be seen: it must not wake up and write. */
void cop_peer_kill(const cop_par *par, int rank);

/** What the thread that watches other processes does about a death. */
typedef enum cop_watch {
    COP_WATCH_NOTHING,
    COP_WATCH_ALL,   /**< ranks wait for each other: any death ends the job */
    COP_WATCH_MASTER /**< a worker of a farm: ends when rank 0 has */
} cop_watch;
/** Watch the ranks of @p par on this node from a thread of its own, which calls no MPI. */
void cop_watch_start(const cop_par *par);
void cop_watch_mode(cop_watch mode);
/** Before the end of MPI; joins the thread. */
void cop_watch_stop(void);

#endif
