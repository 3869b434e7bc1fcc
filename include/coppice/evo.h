/** @file evo.h
 *  Individuals, recipes, the composed algorithm (plan) and the ask/tell engine. Local and
 * deterministic: nothing here knows of ranks, files or clocks. op.h is all that an operator's
 * author needs.
 *
 *  A generation: initialise -> evaluate -> [ rank -> pool -> select -> cross -> vary... -> evaluate
 * -> survive ] -> stop. Selection works on numbers only; genomes are bred from recipes wherever
 * needed.
 */
#ifndef COPPICE_EVO_H
#define COPPICE_EVO_H

#include "coppice/net.h"

#define COP_VARY_MAX 4 /**< operators in a variation list */
#define COP_TASKS_MAX 16
#define COP_FOUNDER ((uint64_t)-1) /**< "parent" that is the base network with all edges live */

/** How an individual is born: all that a rank needs, beside live genomes, to breed it. Packed into
 *  messages and history field by field. */
typedef struct cop_recipe {
    uint64_t id;        /**< numbered from 0 in order of birth, unique in a run */
    uint32_t born;      /**< generation; 0 = initial population */
    uint32_t crossed;   /**< 1: cross operator applied with the second parent */
    uint32_t varied;    /**< bit k: operator k of the variation list applied */
    uint64_t parent[2]; /**< ids, or COP_FOUNDER; parent[1] is COP_FOUNDER when not crossed */
    uint64_t cut; /**< meaning is the cross operator's (one_point: first edge or layer taken from
                       parent 2); 0 when not crossed */
    double amount[COP_VARY_MAX]; /**< strength of each variation at that generation (a schedule's
                                    value) */
} cop_recipe;

/** Numbers of an individual, one column each; the list is a function of the plan. Names:
 * accuracy.TASK (percent), loss.TASK (mean cross entropy at the winning value), value.TASK (winning
 * shared value; not under trained weights), edges, density, compression (edges / base edges), macs,
 * edges.LAYER, units (share of the hidden units kept, mean over the hidden layers) and units.LAYER
 * of dense genomes, and similarity, similarity.LAYER when [similarity] names layers. */
typedef struct cop_measure_list {
    char **names;
    size_t count;
} cop_measure_list;

typedef struct cop_plan cop_plan;

/** Names of the tasks and hidden layers, needed to compose. */
typedef struct cop_plan_setup {
    const cop_conf *conf;   /**< borrowed for the plan's life */
    const cop_model *model; /**< borrowed */
    const cop_params *base; /**< borrowed; may be NULL for `check` and `explain` */
    uint64_t seed;
    size_t tasks;
    const char *const *task_names;
    size_t history; /**< generations whose individuals an engine holds at least; 0: all */
} cop_plan_setup;

/** Compose the operators named in the configuration; refuses unknown names (with the nearest) and
 *  impossible compositions. COP_E_CONFIG with place. */
cop_status cop_plan_create(cop_plan **plan, const cop_plan_setup *setup);
void cop_plan_destroy(cop_plan *plan);
const cop_measure_list *cop_plan_measures(const cop_plan *plan);
long cop_plan_measure(const cop_plan *plan, const char *name); /**< column, -1 if there is none */
size_t cop_plan_population(const cop_plan *plan);
/** Weighting (shared values), hidden layers and manner of the evaluation, from [evaluate] and
 *  [similarity]; scale and base are left to the caller. */
void cop_plan_eval_setup(const cop_plan *plan, cop_eval_setup *setup);
/** True when the fitness (or a named measure) needs similarity. */
bool cop_plan_needs_similarity(const cop_plan *plan);
/** Whether the tasks' numbers of @p samples (by task) suffice: similarity compares whole batches
 * only, so one task at least must fill one. COP_E_CONFIG. */
cop_status cop_plan_check_samples(const cop_plan *plan, const size_t *samples);
/** The composed algorithm in words (pseudo-code with papers), for `coppice explain`. */
void cop_plan_explain(const cop_plan *plan, cop_buf *out);

/** Could this search have made @p recipe? For recipes that come from elsewhere. COP_E_FORMAT. */
cop_status cop_plan_check_recipe(const cop_plan *plan, const cop_recipe *recipe);
/** Breed @p recipe into @p child (E bits, overwritten). @p a, @p b: parents' masks, NULL for the
 * founder (all edges live) or when not crossed. Draws nothing but from streams keyed by (seed,
 * born, id). */
void cop_plan_breed(const cop_plan *plan, const cop_recipe *recipe, const cop_mask *a,
                    const cop_mask *b, cop_mask *child);

/** True when individuals are dense genomes with weights of their own. */
bool cop_plan_is_dense(const cop_plan *plan);
/** Batches that each generation is judged on; 0: all samples. */
size_t cop_plan_draw(const cop_plan *plan);
/** The same for any genome: @p child is empty and becomes the caller's. A dense genome without
 * parents is a founder (recipe->born 0). */
void cop_plan_breed_genome(const cop_plan *plan, const cop_recipe *recipe, const cop_genome *a,
                           const cop_genome *b, cop_genome *child);

/** Evidence of one individual summed over a task's shards, in shard order. */
void cop_evidence_add(cop_evidence *sum, const cop_evidence *shard, size_t values, size_t hidden);
/** Measures of an individual from its evidence (one sum per task) and its live edges by layer (one
 *  entry per layer of the model, 0 where it has no weights). @p measures:
 * cop_plan_measures()->count. */
void cop_plan_measure_individual(const cop_plan *plan, const cop_evidence *by_task,
                                 const uint64_t *layer_edges, double *measures);

/* ------------------------------------------------------------------ history and engine */

/** One row per individual: ever born, or held by a bounded history. */
typedef struct cop_individual {
    cop_recipe recipe;
    double fitness; /**< larger is better; -inf when the evaluation failed or was not finite */
    uint32_t died;  /**< generation whose survive step dropped it; UINT32_MAX while alive */
    uint32_t elite; /**< generations survived as an elite */
} cop_individual;

/** One row per generation (0 = initial population). */
typedef struct cop_generation {
    uint32_t generation;
    uint64_t evaluations;             /**< individuals evaluated so far */
    double best, median, mean, worst; /**< fitness of the population; mean over those that did not
                                           fail (-inf when all did) */
    uint64_t best_id;                 /**< of this generation */
    uint64_t best_ever_id;
    double best_ever;
    double density_mean; /**< of the population */
    uint32_t births;     /**< evaluated in this generation */
} cop_generation;

/** Who lived after a generation, best first. */
typedef struct cop_snapshot {
    size_t population; /**< 0: there is no snapshot */
    uint64_t *live;    /**< (population) ids in rank order */
} cop_snapshot;

/** The history of a search: engine state is a function of it. Owned arrays.
 *
 *  With `window` = 0 it holds every individual ever born, and the search can be played again from
 *  its beginning. With N > 0 it is bounded (docs/decisions/0011-bounded-history.md): after every
 *  generation that is a multiple of N a snapshot is taken, and all rows from before the snapshot
 *  before that are dropped, but for its population and for whoever was the best so far at some
 *  time (the elders). What is dropped goes into a chain of hashes. The search can be played again
 *  from `begin`. Between N and 2 N generations are there at any time. */
typedef struct cop_history {
    size_t individuals; /**< ever born */
    cop_individual
        *individual; /**< (rows) by id: elders, then all from `first` on. Not bounded: index = id */
    size_t measures;
    double *measure; /**< (rows, measures) */
    size_t generations;
    cop_generation *generation; /**< all of them, bounded or not */
    size_t population;          /**< live individuals, best first */
    uint64_t *live;             /**< (population) ids in rank order */
    /* bounded: */
    uint32_t window;          /**< N; 0: everything is held, and all below is 0 */
    size_t elders;            /**< rows of individuals older than `first` */
    uint64_t first;           /**< id from which on every individual is held */
    cop_snapshot begin, next; /**< after generations (b - 1) N and b N, b = (generations - 1) / N;
                                   there is no `begin` while b = 0 */
    char chain[COP_HASH_HEX]; /**< over all rows dropped; 64 times '0' when there are none */
} cop_history;
/** Rows of `individual` and `measure`. */
size_t cop_history_rows(const cop_history *history);
/** The row of an individual; SIZE_MAX when it was never born or has been dropped. */
size_t cop_history_row(const cop_history *history, uint64_t id);
/** The same as pointers into the row, NULL when there is none. Borrowed until the next tell. */
const cop_individual *cop_history_individual(const cop_history *history, uint64_t id);
const double *cop_history_measures(const cop_history *history, uint64_t id);
/** Generation after which the snapshot `begin` was taken; there must be one. */
uint32_t cop_history_begin(const cop_history *history);
/** Hold the last @p window generations at least: for a history in which nothing has happened. */
void cop_history_bound(cop_history *history, uint32_t window);
/** After a generation was appended: take a snapshot and drop rows, if it is time to. */
void cop_history_forget(cop_history *history);
void cop_history_clear(cop_history *history);
/** Messages and blobs. Unpack checks every count and id and refuses what no run can have written.
 */
void cop_history_pack(const cop_history *history, cop_buf *out);
cop_status cop_history_unpack(cop_history *history, const void *bytes, size_t length);
/** Internal consistency (ids in order, parents older, live ones alive, finite where it must be, of
 * a bounded history nothing held that should be dropped or the other way round): COP_E_FORMAT names
 *  the row. For what was read from a file. */
cop_status cop_history_check(const cop_history *history);
/** SHA-256 over every science field of history; the digest of a run is this, the science options
 * and the masks of the live genomes. Adds to @p hash. */
void cop_history_hash(const cop_history *history, cop_hash *hash);

typedef struct cop_engine cop_engine;
cop_engine *cop_engine_create(const cop_plan *plan);
/** Continue from @p history (taken over: ownership moves in, also on failure). The whole search, or
 * of a bounded history what followed the snapshot `begin`, is played again from the measures,
 * without a genome, and must give the same rows: COP_E_FORMAT names the first that this plan and
 * seed cannot have written. */
cop_status cop_engine_resume(cop_engine **engine, const cop_plan *plan, cop_history *history);
void cop_engine_destroy(cop_engine *engine);
/** Individuals to breed and evaluate next: the initial population, then each generation's children,
 * in id order. Borrowed until tell. Must not be called when finished. */
const cop_recipe *cop_engine_ask(cop_engine *engine, size_t *count);
/** Measures (count, M) in ask order. Computes fitness, survives, ranks, appends history. */
void cop_engine_tell(cop_engine *engine, const double *measures);
/** Stop rules that depend on the history alone: generations, evaluations, target, stagnation.
 *  @p reason (may be NULL) is a static text. */
bool cop_engine_finished(const cop_engine *engine, const char **reason);
const cop_history *cop_engine_history(const cop_engine *engine);
/** Ids whose genomes must be kept: the population in rank order, then the best ever if not among
 *  them. Borrowed until the next tell. */
const uint64_t *cop_engine_keep(const cop_engine *engine, size_t *count);
uint64_t cop_engine_best_ever(const cop_engine *engine);

#endif
