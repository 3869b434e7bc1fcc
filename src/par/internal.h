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
    bool finalise;    /**< MPI is running */
} cop_par_impl;

/** Sleep between two polls: an idle rank leaves its core to the others. */
void cop_nap(unsigned microseconds);
/** Wait for a request by polling with naps. */
void cop_wait(MPI_Request *request);

/** Number and size of this rank's node in par, from impl->comm. Collective. */
void cop_par_find_nodes(cop_par *par, cop_par_impl *impl);
/** Give back the shared memory of datasets that are not needed any more. Collective. */
void cop_par_free_windows(cop_par_impl *impl);

#endif
