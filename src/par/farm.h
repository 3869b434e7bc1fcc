/** @file farm.h  Shared by the master's and the worker's half of the farm. */
#ifndef COPPICE_PAR_FARM_H
#define COPPICE_PAR_FARM_H

#include "wire.h"

#define COP_FARM_PREFETCH                                                                          \
    2 /* units a worker holds: one in work, one waiting, so that it never waits for us */
#define COP_FARM_IDLE_S                                                                            \
    0.1 /* how often the caller's idle function runs and deaths are looked for */
#define COP_FARM_PATIENCE_S 600.0

/** A UNIT message. Each evaluation is an epoch: late answers of an earlier one are told apart. */
struct unit_order {
    uint32_t epoch, pad;
    cop_unit unit;
};

/** What a RESULT message begins with; the evidence follows. */
struct result_head {
    uint32_t epoch, unit, halt, pad; /* halt: COP_HALT_* that a signal asked for on this worker */
    double seconds;                  /* spent inside the unit */
    uint64_t peak;                   /* cop_memory_peak() of the worker */
};

/** What a WRITTEN message begins with; the answer follows. */
struct written_head {
    uint64_t peak;
};

/** A STOP message. */
struct stop_order {
    int32_t status, no_end; /* no_end: MPI must not be ended in the ordinary way */
};

struct cop_farm {
    const cop_par *par;
    cop_farm_work work;
    cop_outbox outbox;
    cop_buf inbox;
    cop_farm_stats stats;
    double patience; /* seconds; 0: endless */
    double looked;   /* when deaths were last looked for */
    double pinged;   /* when workers elsewhere last heard that the master lives */

    /* the master's view of each rank (index = rank; 0 unused) */
    struct worker {
        struct {
            uint32_t epoch, unit;
        } held[COP_FARM_PREFETCH]; /* oldest first */
        unsigned holds;
        unsigned writes; /* writes under way */
        uint64_t peak;   /* bytes of memory, as its last answer said; 0: none came */
        double since;    /* when it last answered, or was given work when it had none */
        double warned;
        bool lost;
    } * workers;
    int living;

    /* the evaluation under way */
    uint32_t epoch;
    const cop_unit *units;
    size_t unit_count, next, done;
    struct progress {
        bool finished;
        unsigned char copies; /* workers that hold it and have not answered */
    } * progress;             /* (unit_count) */
    uint32_t *again;          /* (unit_count) units that came back from lost workers */
    size_t again_count;
    double longest; /* seconds that a unit has taken at most */
    double typical; /* moving average */
    bool abandoned; /* after a failure: answers to units are dropped */
    cop_farm_take take;
    void *take_user;

    /* answers kept until the second worker that has the unit has answered too */
    struct pair {
        uint32_t epoch;
        cop_unit unit;
        int rank;
        cop_buf answer;
    } * pairs;
    size_t pair_count;

    /* writes under way, in order of their start */
    struct write {
        int rank;
        cop_farm_written done;
        void *user;
    } * writes;
    size_t write_count;
};

/* farm.c */
const char *cop_farm_host(const cop_farm *farm, int rank);
void cop_farm_send(cop_farm *farm, int rank, cop_message kind, const void *payload, size_t length);

/* farm_take.c: handle everything that has arrived; *any says whether something had */
cop_status cop_farm_receive_all(cop_farm *farm, bool *any);
void cop_farm_drop_pairs(cop_farm *farm);

/* farm_lost.c */
/** A worker that has not answered for so many seconds is slow. */
double cop_farm_slow(const cop_farm *farm);
/** Give units that are slow at one worker to idle ones. */
void cop_farm_double(cop_farm *farm);
/** At most every COP_FARM_IDLE_S: give up workers that have died or are silent, tell the others
 * that the master lives. COP_E_LOST when the job cannot go on. */
cop_status cop_farm_look(cop_farm *farm);

#endif
