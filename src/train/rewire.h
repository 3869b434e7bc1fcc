/** @file rewire.h
 *  Rewiring of sparse layers: a rule that removes edges x a rule that adds as many. A rule is one
 *  file in src/train/rewire/ and one line in src/train/rewire/list.h.
 */
#ifndef COPPICE_TRAIN_REWIRE_H
#define COPPICE_TRAIN_REWIRE_H

#include "live.h"

/** What a rule wants to know beside the network. */
typedef enum cop_rewire_needs {
    COP_REWIRE_NOTHING,
    COP_REWIRE_EDGE_SIMILARITY, /**< of the ends of live edges */
    COP_REWIRE_SIMILARITY,      /**< of every input with every output */
    COP_REWIRE_GRADIENT         /**< of the loss by every possible weight */
} cop_rewire_needs;

/** One layer being rewired. All borrowed. */
typedef struct cop_rewire_job {
    const cop_live_net *net;
    const cop_live_layer *layer;
    const float *edge_similarity; /**< (edges) in 0..1; when a rule needs it */
    const float *matrix;   /**< (outputs, inputs): similarity in 0..1, or size of the gradient */
    const uint64_t *taken; /**< positions of the edges that stay, ascending */
    size_t taken_count;
    cop_rng *rng;
} cop_rewire_job;

typedef struct cop_remove_rule {
    const char *name, *summary, *paper;
    cop_rewire_needs needs;
    /** (edges): of those of one sign the ones nearest to 0 go; all that are 0 go. */
    void (*score)(const cop_rewire_job *job, float *score);
} cop_remove_rule;

typedef struct cop_add_rule {
    const char *name, *summary, *paper;
    cop_rewire_needs needs;
    /** @p count positions not in taken, ascending into @p out. There are so many. */
    void (*choose)(const cop_rewire_job *job, uint64_t *out, size_t count);
} cop_add_rule;

const cop_remove_rule *const *cop_remove_rules(size_t *count);
const cop_add_rule *const *cop_add_rules(size_t *count);
const cop_remove_rule *cop_remove_rule_find(const char *name); /**< NULL if unknown */
const cop_add_rule *cop_add_rule_find(const char *name);

/** Algorithms of the papers by name, as pairs of rules. */
typedef struct cop_rewire_algorithm {
    const char *name;         /**< "set", "codacorset" ... */
    const char *remove, *add; /**< NULL: edges stay as they were drawn */
    bool dense;               /**< every edge lives */
    const char *summary;
} cop_rewire_algorithm;
const cop_rewire_algorithm *cop_rewire_algorithms(size_t *count);
const cop_rewire_algorithm *cop_rewire_algorithm_find(const char *name);

typedef struct cop_rewire_plan {
    const cop_remove_rule *remove;
    const cop_add_rule *add; /**< NULL: remove only */
    double zeta;             /**< share of the edges of each sign that goes, rounded down */
    bool draw_weights;       /**< new edges get a weight as at the start; else 0 */
    bool forget; /**< the optimiser forgets everything; else only new edges begin at 0 */
    uint64_t seed;
    uint32_t epoch;
    bool dropping; /**< similarities are measured with dropout */
    bool error;    /**< it is found how far off they are */
} cop_rewire_plan;

/** What rules need of a data set, computed in one pass over it. Arrays by layer, owned; NULL where
 * not needed. */
typedef struct cop_rewire_facts {
    float *edge_similarity[COP_LIVE_LAYERS_MAX];
    float *matrix[COP_LIVE_LAYERS_MAX];
    /** How far off the similarities of live edges are because they are of these samples and not of
     * endlessly many: standard error, root mean square over the edges, from the difference of two
     * halves of the samples. Less than that where similarities are near 0, since halves have no
     * sign. NaN: not asked for, or one sample. */
    double error;
} cop_rewire_facts;
/** Largest matrix of a layer that is held, in numbers. */
#define COP_REWIRE_MATRIX_MAX ((uint64_t)1 << 28)
/** COP_E_CONFIG when a matrix would be larger than COP_REWIRE_MATRIX_MAX. */
cop_status cop_rewire_check(const cop_live_net *net, const cop_rewire_plan *plan);
/** Similarity: |cosine| of what an input and an output do over the samples, before the activation
 * function and uncentred; 0 for one that does nothing. Gradient: of the mean loss, its size.
 * Weights are those at the call, dropout is off unless the plan says dropping. Products by BLAS,
 * batch by batch: no activation is kept. @p which: numbers of the @p count samples of @p set that
 * are looked at, NULL: the first ones. */
void cop_rewire_collect(cop_rewire_facts *facts, cop_live_net *net, const cop_rewire_plan *plan,
                        const cop_dataset *set, const uint32_t *which, size_t count);
void cop_rewire_facts_clear(cop_rewire_facts *facts);

/** Rewire every layer that may be. @p core (layers), may be NULL: inputs' degrees after removal and
 * before addition, (inputs) of the first layer. */
void cop_rewire(cop_live_net *net, const cop_rewire_plan *plan, const cop_rewire_facts *facts,
                uint32_t *core);

#endif
