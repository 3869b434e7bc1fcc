/** @file plan.h
 *  The composed algorithm, as the files of src/evo see it. Operators use coppice/op.h only.
 */
#ifndef COPPICE_EVO_PLAN_H
#define COPPICE_EVO_PLAN_H

#include "coppice/op.h"

#define COP_HIDDEN_MAX 8 /**< as many as cop_eval_setup has room for */

struct cop_plan {
    const cop_conf *conf;
    const cop_model *model;
    const cop_params *base; /**< NULL for `check` and `explain` */
    uint64_t seed;
    size_t history; /**< generations that an engine holds; 0: all */
    char **task_names;
    size_t tasks;
    const cop_op *op[COP_ROLES]; /**< all but COP_ROLE_VARY */
    const cop_op *vary[COP_VARY_MAX];
    size_t varies;
    size_t population;
    double cross_probability;
    bool twins; /**< children are born in pairs */
    cop_pool pool;
    cop_weighting weighting;
    double dense_above;
    bool alone;
    bool dense;  /**< genomes own widths and weights */
    size_t draw; /**< batches a generation is judged on; 0: all samples */
    size_t batch;
    size_t *layers; /**< indices of the layers with weights */
    size_t layer_count;
    size_t hidden; /**< layers compared with the base network */
    size_t hidden_layer[COP_HIDDEN_MAX];
    double hidden_value;
    cop_measure_list measures;
    /* first columns of the groups of measures */
    size_t loss, value, edges, layer_edges, units, similarity;
};

/** Resolve [similarity] and list the measures; see measures.c. */
cop_status cop_plan_resolve_similarity(cop_plan *plan);
void cop_plan_list_measures(cop_plan *plan);
/** Everything that can be wrong with a composition; see plan_check.c. */
cop_status cop_plan_check(cop_plan *plan);

#endif
