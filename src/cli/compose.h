/** @file compose.h  A configuration composed without ranks: for `check` and `explain`. */
#ifndef COPPICE_CLI_COMPOSE_H
#define COPPICE_CLI_COMPOSE_H

#include "coppice/op.h"
#include "coppice/run.h"

typedef struct cop_composed {
    cop_conf *conf; /**< owned */
    cop_model *model;
    cop_list tasks; /**< names, in the order of evaluation */
    cop_plan *plan;
} cop_composed;

/** Network, tasks and plan of @p conf (taken over, also on failure). Reads no data. */
cop_status cop_composed_create(cop_composed *composed, cop_conf *conf);
void cop_composed_clear(cop_composed *composed);

/** What was learnt of the data by reading them. */
typedef struct cop_data_facts {
    bool known; /**< false: data were not looked at; the counts are 0 */
    size_t samples[COP_TASKS_MAX];
    size_t classes[COP_TASKS_MAX];
    uint64_t total; /**< samples of all tasks */
    size_t
        training; /**< samples that the base network is trained on; 0 when it is read from a file */
    double scale; /**< cop_eval_scale over the tasks; 1 when not known */
} cop_data_facts;

/** Check every task section against @p data_dir, read its samples and compare them with the
 * network. */
cop_status cop_composed_read_data(const cop_composed *composed, const char *data_dir,
                                  cop_data_facts *facts);
/** Sizes and work, and whether the evaluator can do it. Appends lines to @p out. */
cop_status cop_composed_estimate(const cop_composed *composed, const cop_data_facts *facts,
                                 cop_buf *out);

#endif
