/** @file composition.h
 *  What a configuration asks for, put together without ranks, data and base network: the check that
 * `run` makes before anything is made or trained, and what `check` and `explain` look at.
 */
#ifndef COPPICE_RUN_COMPOSITION_H
#define COPPICE_RUN_COMPOSITION_H

#include "coppice/op.h"
#include "coppice/run.h"

typedef struct cop_composition {
    const cop_conf *conf; /**< borrowed */
    cop_model *model;
    cop_list tasks; /**< names, in the order of evaluation */
    cop_plan *plan;
    const cop_evaluator *evaluator;
    cop_params zeros;     /**< stands for the base network */
    cop_eval_setup setup; /**< with zeros as base, and a scale of 1 */
} cop_composition;

/** Network, tasks, plan and evaluator of @p conf, which must outlive the composition; this must
 * stay where it is. COP_E_CONFIG with the place; then nothing is to be cleared. */
cop_status cop_composition_create(cop_composition *composition, const cop_conf *conf);
void cop_composition_clear(cop_composition *composition);
/** COP_E_CONFIG unless the evaluator can compute the layers under the weighting; takes its
 * workspace for a moment. */
cop_status cop_composition_try(const cop_composition *composition);

#endif
