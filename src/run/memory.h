/** @file memory.h
 *  What ranks need: one estimate for `check`, for the limit [parallel] memory and for the record of
 * a run.
 */
#ifndef COPPICE_RUN_MEMORY_H
#define COPPICE_RUN_MEMORY_H

#include <jansson.h>

#include "composition.h"

/** What an estimate is made from, beside the configuration. */
typedef struct cop_memory_facts {
    size_t samples[COP_TASKS_MAX]; /**< of every task, evolution split */
    size_t training; /**< samples that the base network is trained on; 0: it is read from a file */
    size_t test;     /**< samples of the largest test set; 0: not known */
    uint64_t
        reading;    /**< bytes that reading a split of a table holds beside its samples, at most */
    int ranks;      /**< of the run */
    int node_ranks; /**< ranks that share the samples on a node */
    uint64_t program; /**< program, libraries and MPI; 0: a usual value */
} cop_memory_facts;

/** Bytes. Upper bounds: every edge live, every generation born, nothing compressed. */
typedef struct cop_memory {
    uint64_t budget; /**< [parallel] memory; 0: none */
    double program;
    double samples;    /**< of all tasks, once per node */
    double share;      /**< of them, a rank's part */
    double base;       /**< parameters of the base network */
    double genomes;    /**< population, best ever, newborn; order of drawn samples */
    double evaluator;  /**< workspace, within what `limit` says */
    double similarity; /**< neighbourhoods of the base network, all batches met */
    double writing;    /**< worker: a checkpoint on its way */
    double loading;    /**< first rank of a node: a task before it is shared */
    double rows;       /**< of the history, once */
    double history;    /**< rank 0: rows, and their copies on the way to a writer */
    double training;   /**< rank 0, before the search: samples, workspace, gradients and moments */
    double summary;    /**< rank 0, after the search: a test set and an evaluator */
    double checkpoint; /**< size of a file */
    double worker, master; /**< most that is resident at a time, all samples counted; alone there is
                                one rank, which is both */
    double least_worker, least_master; /**< with the smallest blocks and pieces */
    size_t block;        /**< individuals that are given to an evaluator together, at most */
    size_t limit;        /**< for cop_eval_setup.memory of workers; 0: none */
    size_t limit_master; /**< the same for the table at the end */
    double evaluations, children, generations; /**< of the whole search */
} cop_memory;

/** Count what is not loaded yet, on rank 0: training and test samples. What cannot be read counts
 * nothing; loading will say why. */
void cop_memory_count(const cop_composition *composition, const char *data_dir,
                      cop_memory_facts *facts);
void cop_memory_estimate(cop_memory *memory, const cop_composition *composition,
                         const cop_memory_facts *facts);
/** COP_E_CONFIG when [parallel] memory is less than the least that a worker, or with @p master
 * rank 0, can do with. */
cop_status cop_memory_check(const cop_memory *memory, const cop_conf *conf, int ranks, bool master);
/** Individuals of a unit: all of them share a shard's work (relatives), unless too few units would
 * be left to keep every worker busy. */
size_t cop_unit_block(const cop_conf *conf, size_t workers, size_t individuals, size_t shards);

#endif
