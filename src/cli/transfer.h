/** @file transfer.h  Retraining the last layer of a network for a task (cmd_transfer.c). */
#ifndef COPPICE_CLI_TRANSFER_H
#define COPPICE_CLI_TRANSFER_H

#include "coppice/train.h"
#include "judge.h"

/** What came of one task. Accuracies in percent, on the test split. */
typedef struct cop_transferred {
    double value;           /**< shared weight of all layers before the last; NaN: trained ones */
    size_t learnt, samples; /**< of the train split, validation included; of the test split */
    double before, after;
    double *epoch; /**< (epochs) after each */
    size_t epochs;
    size_t kept;       /**< the epoch that `after` is of, from 1 */
    double validation; /**< accuracy on held-back samples at that epoch; NaN: none are held back */
    size_t edges;      /**< live edges of the network as it is now */
} cop_transferred;

/** One call of the command. */
typedef struct cop_transfer {
    cop_subject subject;
    cop_judge judge;
    cop_list tasks;
    bool as_published;
    uint64_t epochs, seed;
    double rate, validation;
    const char *folder; /**< for the networks; NULL: they are not written */
    cop_params params;  /**< the network at work: effective weights */
    cop_params tail;    /**< its last layer */
    cop_model *tail_model;
    cop_transferred result[COP_TASKS_MAX];
} cop_transfer;

/** Retrain for all tasks, in order. */
cop_status cop_transfer_run(cop_transfer *transfer);
void cop_transfer_print(const cop_transfer *transfer, bool json);
void cop_transfer_clear(cop_transfer *transfer);

#endif
