/** @file compose.h  What `check` says of a composed configuration. */
#ifndef COPPICE_CLI_COMPOSE_H
#define COPPICE_CLI_COMPOSE_H

#include "run/memory.h"

/** What was learnt of the data by reading them. */
typedef struct cop_data_facts {
    bool known; /**< false: data were not looked at; the counts are 0 */
    size_t samples[COP_TASKS_MAX];
    size_t classes[COP_TASKS_MAX];
    uint64_t total;          /**< samples of all tasks */
    cop_memory_facts memory; /**< of a rank alone on its node; in training: samples that the base
                                network is trained on, 0 when it is read from a file */
} cop_data_facts;

/** Check every task section against @p data_dir, read its samples and compare them with the
 * network and the plan. */
cop_status cop_composed_read_data(const cop_composition *composition, const char *data_dir,
                                  cop_data_facts *facts);
/** Sizes and work, for a master and one worker on each node. Appends lines to @p out. COP_E_CONFIG
 * when [parallel] memory is too little. */
cop_status cop_composed_estimate(const cop_composition *composition, const cop_data_facts *facts,
                                 cop_buf *out);

#endif
