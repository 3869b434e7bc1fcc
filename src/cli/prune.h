/** @file prune.h  One-shot baselines: making, judging and showing them (cmd_prune.c). */
#ifndef COPPICE_CLI_PRUNE_H
#define COPPICE_CLI_PRUNE_H

#include "judge.h"

/** Right answers of one network on one task, in percent. */
typedef struct cop_pruned_score {
    double trained, shared;
    double value; /**< shared weight with the most right; the smallest of equals */
} cop_pruned_score;

typedef struct cop_pruned {
    const char *name; /**< "all edges", "evolved", "random", "magnitude" */
    size_t number;    /**< of the random ones, from 1; else 0 */
    bool made;        /**< by this command */
    cop_mask mask;
    cop_pruned_score score[COP_TASKS_MAX];
} cop_pruned;

/** One call of the command. */
typedef struct cop_pruning {
    cop_subject subject;
    cop_judge judge;
    cop_list tasks;
    cop_split split;
    bool random, magnitude;
    uint64_t repeats, seed;
    size_t edges;            /**< that stay */
    cop_weighting weighting; /**< shared weights */
    cop_pruned *network;     /**< (count); all edges first, then NETWORK itself if it is pruned */
    size_t count;
    size_t samples[COP_TASKS_MAX];
    char arithmetic[2][16]; /**< evaluators used for trained and for shared weights */
} cop_pruning;

/** The networks, by the operators prune.random and prune.magnitude. */
cop_status cop_pruning_make(cop_pruning *pruning);
/** Their scores on all tasks. */
cop_status cop_pruning_judge(cop_pruning *pruning);
void cop_pruning_print(const cop_pruning *pruning, bool json);
void cop_pruning_clear(cop_pruning *pruning);

#endif
