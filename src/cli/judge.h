/** @file judge.h  A stored network, ready to predict: shared by the commands that look at networks.
 */
#ifndef COPPICE_CLI_JUDGE_H
#define COPPICE_CLI_JUDGE_H

#include "coppice/report.h"

typedef struct cop_judge {
    const cop_network *network;        /**< borrowed; NULL: trained is it */
    const struct cop_trained *trained; /**< borrowed */
    const char *how;                   /**< name of the arithmetic, once it is ready */
    cop_conf *conf;                    /**< where tasks are looked up */
    const char *data_dir;              /**< borrowed; NULL: none */
    const cop_evaluator *evaluator;
    cop_eval_setup setup;
    uint64_t
        memory; /**< bytes that this process may take; 0: no limit. Set before cop_judge_ready */
    unsigned splits; /**< with a limit: bit 1 << cop_split of those that will be loaded */
    void *engine;
} cop_judge;

/** Does @p subject tell classes apart? */
bool cop_judge_can(const cop_subject *subject);
/** @p subject and @p data (--data; NULL: COPPICE_DATA, then what the run used) are borrowed.
 *  @p config: a configuration file, NULL: that of the network. */
cop_status cop_judge_open(cop_judge *judge, const cop_subject *subject, const char *config,
                          const char *data);
/** Compose the evaluator @p evaluator; NULL: the configuration's. Reads the evolution samples where
 * its arithmetic needs their range. */
cop_status cop_judge_ready(cop_judge *judge, const char *evaluator);
void cop_judge_close(cop_judge *judge);
/** Names of the tasks that the configuration evolves on. */
void cop_judge_tasks(const cop_judge *judge, cop_list *names);
/** @p set is owned by the caller. COP_E_CONFIG when the samples do not fit the network. */
cop_status cop_judge_load(const cop_judge *judge, const char *task, cop_split split,
                          cop_dataset **set);
/** Classes (values, samples) for every shared value; @p predicted is owned by the caller. */
cop_status cop_judge_predict(const cop_judge *judge, const cop_dataset *set, cop_evidence *evidence,
                             uint16_t **predicted);
/** COP_E_CONFIG when the samples of @p task are not such as the network takes. */
cop_status cop_judge_fits(const cop_judge *judge, const cop_dataset *set, const char *task);
/** How many outputs compete for the samples of @p set: the classes that may be predicted. */
size_t cop_judge_outputs(const cop_judge *judge, const cop_dataset *set);
/** Number of the value with the most correct samples, the smallest of equals. */
size_t cop_judge_best(const cop_judge *judge, const cop_evidence *evidence);

#endif
