/** @file schedule.h
 *  Rows that every operator with a scheduled amount pastes into its option table, and their check.
 */
#ifndef COPPICE_EVO_SCHEDULE_H
#define COPPICE_EVO_SCHEDULE_H

#include "coppice/op.h"

/** Rows amount, schedule, amount_end and over; bounds and unit are those of the amount. */
#define COP_SCHEDULE_ROWS(fallback, low, high, unit, help)                                         \
    {"amount", COP_OPT_REAL, fallback, low, high, unit, NULL, COP_SCIENCE, help},                  \
        {"schedule",                                                                               \
         COP_OPT_CHOICE,                                                                           \
         "constant",                                                                               \
         0,                                                                                        \
         0,                                                                                        \
         "",                                                                                       \
         "constant|linear|exponential",                                                            \
         COP_SCIENCE,                                                                              \
         "How the amount moves from `amount` at generation 0 to `amount_end`."},                   \
        {"amount_end",                                                                             \
         COP_OPT_REAL,                                                                             \
         fallback,                                                                                 \
         low,                                                                                      \
         high,                                                                                     \
         unit,                                                                                     \
         NULL,                                                                                     \
         COP_SCIENCE,                                                                              \
         "The amount that a linear or exponential schedule ends at and then keeps."},              \
    {                                                                                              \
        "over", COP_OPT_INT, "50", 1, 1e9, "generations", NULL, COP_SCIENCE,                       \
            "How long a linear or exponential schedule takes."                                     \
    }

/** Refuses an exponential schedule from or to nothing. */
cop_status cop_schedule_check(const cop_plan *plan, const char *section);
/** Largest amount that the schedule ever has. */
double cop_schedule_most(const cop_plan *plan, const char *section);

#endif
