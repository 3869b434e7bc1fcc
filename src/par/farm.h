/** @file farm.h  Shared by the master's and the worker's half of the farm. */
#ifndef COPPICE_PAR_FARM_H
#define COPPICE_PAR_FARM_H

#include "wire.h"

#define PREFETCH                                                                                   \
    2 /* units a worker holds: one in work, one waiting, so that it never waits for us */

/** What a RESULT message begins with; the evidence follows. */
struct result_head {
    uint32_t unit, halt; /* halt: COP_HALT_* that a signal asked for on this worker */
    double seconds;      /* spent inside the unit */
};

struct cop_farm {
    const cop_par *par;
    cop_farm_work work;
    cop_outbox outbox;
    cop_buf inbox;
    cop_farm_stats stats;

    /* the master's view of each rank (index = rank; 0 unused) */
    struct worker {
        uint32_t held[PREFETCH]; /* unit numbers, oldest first */
        unsigned holds;
        unsigned writes; /* writes under way */
        double since;    /* when the oldest unit came to its front */
        double warned;
    } * workers;

    /* the evaluation under way */
    const cop_unit *units;
    size_t unit_count, next, done;
    bool *finished;
    double longest; /* seconds that a unit has taken at most */
    bool abandoned; /* after a failure: answers to units are dropped */
    cop_farm_take take;
    void *take_user;

    /* writes under way, in order of their start */
    struct write {
        int rank;
        cop_farm_written done;
        void *user;
    } * writes;
    size_t write_count;
};

#endif
