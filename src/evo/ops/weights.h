/** @file weights.h
 *  The weighted sum that fitness operators weighted and ecomp share.
 */
#ifndef COPPICE_EVO_WEIGHTS_H
#define COPPICE_EVO_WEIGHTS_H

#include "coppice/op.h"

#define COP_FITNESS_WEIGHT_ROWS                                                                    \
    {"w_accuracy",                                                                                 \
     COP_OPT_REAL,                                                                                 \
     "1",                                                                                          \
     0,                                                                                            \
     1e6,                                                                                          \
     "",                                                                                           \
     NULL,                                                                                         \
     COP_SCIENCE,                                                                                  \
     "Weight of the mean accuracy over the tasks, as a fraction."},                                \
        {"w_similarity",                                                                           \
         COP_OPT_REAL,                                                                             \
         "0",                                                                                      \
         0,                                                                                        \
         1e6,                                                                                      \
         "",                                                                                       \
         NULL,                                                                                     \
         COP_SCIENCE,                                                                              \
         "Weight of the neighbourhood divergence from the base network, in nats, summed over the " \
         "layers of [similarity]; it is subtracted."},                                             \
    {                                                                                              \
        "w_compression", COP_OPT_REAL, "0", 0, 1e6, "", NULL, COP_SCIENCE,                         \
            "Weight of 1 - what is left of the base network: live edges (weighted), or hidden "    \
            "units (ecomp)."                                                                       \
    }

/** @p left: the measure of what is left of the base network. */
double cop_fitness_weighted_sum(const cop_plan *plan, const double *measures, const char *left);
cop_status cop_fitness_weights_check(const cop_plan *plan);

#endif
