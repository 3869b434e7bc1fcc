/** @file experiment.h
 *  A configuration brought to life on this rank: model, samples, base network, plan, evaluator,
 * shards. All ranks hold the same.
 */
#ifndef COPPICE_RUN_EXPERIMENT_H
#define COPPICE_RUN_EXPERIMENT_H

#include "coppice/op.h"
#include "coppice/run.h"
#include "memory.h"

typedef struct cop_experiment {
    cop_conf *conf;       /**< owned */
    const char *data_dir; /**< borrowed; NULL when none was given */
    cop_model *model;
    cop_params base;
    bool base_ready;
    size_t tasks;
    cop_list task_names;
    cop_dataset *evolve[COP_TASKS_MAX];
    char digest[COP_TASKS_MAX][COP_HASH_HEX]; /**< of the evolution sets */
    cop_plan *plan;
    cop_eval_setup setup;
    const cop_evaluator *evaluator;
    double perplexity;
    size_t draw;    /**< batches a generation is judged on; 0: all samples */
    bool normalise; /**< divergences are divided by those of a layer without information */
    size_t similarity_batches; /**< first so many batches of each task; SIZE_MAX: all */
    cop_shard *shards;         /**< (shard_count), task by task in sample order */
    size_t shard_count;
    cop_memory memory;          /**< what this rank needs */
    char science[COP_HASH_HEX]; /**< science options and samples */
} cop_experiment;

/** Model, samples and shards: collective. @p experiment->conf and data_dir are set by the caller.
 */
cop_status cop_experiment_load(cop_experiment *experiment, const cop_par *par);
/** Estimate the memory of this rank, whose program takes @p program bytes already, before anything
 * is trained. Collective. COP_E_CONFIG when [parallel] memory is too little on any rank. */
cop_status cop_experiment_memory(cop_experiment *experiment, const cop_par *par, uint64_t program);
/** Train, find or read the base network of [base] on rank 0, give it to all: collective. */
cop_status cop_experiment_base(cop_experiment *experiment, const cop_par *par);
/** Parameters of the base network, as rank 0 has them in @p experiment->base, to all; the others'
 * are made here. Collective. */
void cop_experiment_share_base(cop_experiment *experiment, const cop_par *par);
/** Compose plan and evaluator once the base network is there. */
cop_status cop_experiment_compose(cop_experiment *experiment);
void cop_experiment_clear(cop_experiment *experiment);

/** A network file as a base network for @p model: all edges, the same layers. COP_E_CONFIG,
 * COP_E_IO, COP_E_FORMAT. */
cop_status cop_base_read(cop_network **network, const cop_model *model, const char *path);

/** COP_E_CONFIG at @p section, @p key: there is no [task.@p name]; with the nearest that is. */
cop_status cop_experiment_no_task(const cop_conf *conf, const char *section, const char *key,
                                  const char *name);
/** Names of the tasks that a configuration evolves on: [evaluate] tasks, else all task sections. */
cop_status cop_experiment_task_names(const cop_conf *conf, cop_list *names);

/** COP_E_CONFIG unless the samples of @p task have the shape that the network takes, no more
 * classes than it has outputs, and there are some. */
cop_status cop_experiment_fits(const cop_model *model, const cop_dataset *set, const char *task);

/** The worker's half: genome store, evaluator workspace, checkpoint writing. */
typedef struct cop_worker cop_worker;
cop_status cop_worker_create(cop_worker **worker, const cop_experiment *experiment,
                             const cop_par *par);
void cop_worker_destroy(cop_worker *worker);
/** Put a genome into the store, which takes it over: @p genes is left empty. */
void cop_worker_adopt(cop_worker *worker, uint64_t id, cop_genome *genes);
/** Live edges of a genome of the store, NULL if it is not there; borrowed until the next breed or
 * keep. */
const cop_mask *cop_worker_genome(const cop_worker *worker, uint64_t id);
cop_farm_work cop_worker_work(cop_worker *worker);

/** Evidence of one individual on one shard as it travels. */
typedef struct cop_unit_head {
    uint32_t individuals, layers;
} cop_unit_head; /* then per individual: cop_evidence, uint64_t edges[layers] */

/** What the master asks a worker to write. The blob behind it is the packed history. */
typedef struct cop_write_request {
    char directory[4096];
    char file[64]; /**< relative to the directory */
    char run_id[64];
    char date[32];
    double elapsed;
    uint64_t best;  /**< the best ever, which is stored with the population */
    uint64_t shown; /**< individual for best.h5 */
    uint32_t generation;
    uint32_t complete;
    uint32_t provenance_length; /**< JSON text behind this structure, then the history */
    uint32_t pad;
} cop_write_request;

typedef struct cop_write_answer {
    char sha256[COP_HASH_HEX];
    char digest[COP_HASH_HEX];
    uint64_t bytes;
    double seconds;
} cop_write_answer;

#endif
