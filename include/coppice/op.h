/** @file op.h
 *  All that the author of an operator needs: write src/evo/ops/<role>_<name>.c with one cop_op, and
 * add one line to src/evo/ops/list.h. Listing, help, docs and the contract tests follow by
 * themselves.
 */
#ifndef COPPICE_OP_H
#define COPPICE_OP_H

#include "coppice/evo.h"

typedef enum cop_role {
    COP_ROLE_INITIALISE,
    COP_ROLE_EVALUATE,
    COP_ROLE_FITNESS,
    COP_ROLE_RANK,
    COP_ROLE_POOL,
    COP_ROLE_SELECT,
    COP_ROLE_CROSS,
    COP_ROLE_VARY,
    COP_ROLE_SURVIVE,
    COP_ROLES
} cop_role;
/** "initialise", "evaluate", ...: the section [evaluate] names its operator with `op =` (vary: `ops
 * =`). */
const char *cop_role_name(cop_role role);

/** The population as an operator sees it: numbers, sorted best first after rank. */
typedef struct cop_pop_view {
    size_t count;
    const uint64_t *id;
    const double *fitness;  /**< larger is better; never NaN */
    const double *measures; /**< (count, M) */
    size_t measure_count;
} cop_pop_view;

/** Sizes decided by the pool operator for one generation. */
typedef struct cop_pool {
    size_t elites;   /**< the first so many pass unchanged, not evaluated again */
    size_t parents;  /**< breeding pool: the first so many of the ranked population */
    size_t children; /**< to be born */
    size_t reborn;   /**< the first so many children are copies of the first of the ranked
                          population: elites that are evaluated again */
} cop_pool;

typedef struct cop_op {
    cop_role role;
    const char *name;    /**< as in a config: "prune.random" */
    const char *paper;   /**< source of the method, or "" */
    const char *summary; /**< one sentence */
    const char *section; /**< where its options live: its own ("prune.random") or the role's */
    const cop_option *options; /**< NULL: none */
    /** Refuse impossible compositions and settings (after the bounds of the table); NULL: nothing
     * to check. */
    cop_status (*check)(const cop_plan *plan);
    union {
        /** Recipes of the initial population: fill @p recipes[0..count), ids and born are set. */
        void (*initialise)(const cop_plan *plan, cop_recipe *recipes, size_t count);
        /** The weighting that individuals are judged under. */
        void (*evaluate)(const cop_plan *plan, cop_weighting *weighting);
        /** Scalar fitness from the measures of one individual; NaN counts as failed. */
        double (*fitness)(const cop_plan *plan, const double *measures);
        /** Order @p order (indices 0..count) best first; must be a stable total order. */
        void (*rank)(const cop_plan *plan, const cop_pop_view *pop, uint32_t *order);
        void (*pool)(const cop_plan *plan, size_t population, cop_pool *pool);
        /** Index in [0, parents) of the ranked population; draws only from @p rng. */
        size_t (*select)(const cop_plan *plan, const cop_pop_view *pop, size_t parents,
                         cop_rng *rng);
        struct {
            /** Largest value of recipe->cut (cuts are 1 to that, 0 when there are none); a recipe
             * beyond it is refused. NULL: this operator never crosses. */
            uint64_t (*cuts)(const cop_plan *plan);
            /** At the master: decide the cut (recipe->cut) of a child that is to be crossed. */
            void (*decide)(const cop_plan *plan, cop_recipe *recipe, cop_rng *rng);
            /** Anywhere: @p child holds parent 1 and receives genes of @p b. */
            void (*apply)(const cop_plan *plan, const cop_recipe *recipe, const cop_mask *b,
                          cop_mask *child, cop_rng *rng);
        } cross;
        /** Change @p child in place by @p amount (schedule's value at birth); draws only from @p
         * rng. */
        void (*vary)(const cop_plan *plan, double amount, cop_mask *child, cop_rng *rng);
        /** Fill @p next (indices into old then children: 0..old-1, old..old+children-1) with the
         * new population; returns its size. */
        size_t (*survive)(const cop_plan *plan, const cop_pop_view *old,
                          const cop_pop_view *children, const cop_pool *pool, size_t *next);
    } as;
    /** Operators of dense genomes (cop_dense, with weights of their own) set one of these
     * functions; a plan has either all or none of such initialise, cross and vary operators. cross
     * also sets as.cross.cuts and decide. */
    struct {
        /** Genes of a founder, into the empty @p child. */
        void (*found)(const cop_plan *plan, const cop_recipe *recipe, cop_genome *child);
        /** @p child holds parent 1 and receives genes of @p b. */
        void (*apply)(const cop_plan *plan, const cop_recipe *recipe, const cop_genome *b,
                      cop_genome *child, cop_rng *rng);
        void (*vary)(const cop_plan *plan, double amount, cop_genome *child, cop_rng *rng);
        /** The operator itself says what changes (cop_genome_touch, cop_genome_unname); of others
         * it is taken that all may change. */
        bool names;
    } dense;
} cop_op;

/** All operators, from src/evo/ops/list.h. */
const cop_op *const *cop_ops(size_t *count);
const cop_op *cop_op_find(cop_role role, const char *name);
/** The operator in that slot of the plan (vary: @p index into the list). */
const cop_op *cop_plan_op(const cop_plan *plan, cop_role role, size_t index);
const cop_conf *cop_plan_conf(const cop_plan *plan);
const cop_model *cop_plan_model(const cop_plan *plan);
const cop_params *cop_plan_base(const cop_plan *plan);
size_t cop_plan_tasks(const cop_plan *plan);
uint64_t cop_plan_seed(const cop_plan *plan);
/** Indices of the model's layers that have weights, in order; returns how many. Borrowed. */
size_t cop_plan_layers(const cop_plan *plan, const size_t **layers);
/** Mark every operator of the variation list as applied to @p recipe, with the amount that its
 *  schedule has at recipe->born. */
void cop_recipe_vary(const cop_plan *plan, cop_recipe *recipe);

/** Amount schedules (constant, linear, exponential between amount and amount_end over
 *  `over` generations), shared by all vary operators: rows to paste into their tables are in
 *  src/evo/ops/schedule.h. */
double cop_schedule_at(const cop_plan *plan, const char *section, uint32_t generation);

/** Sections and options of evolution: [population], [fitness], [similarity], [stop], [vary], roles
 * and operators; for the schema. */
const cop_section *cop_evo_sections(size_t *count);

#endif
