#include "evo/ops/weights.h"

static const cop_option options[] = {COP_FITNESS_WEIGHT_ROWS, {.key = NULL}};

static double fitness(const cop_plan *plan, const double *measures) {
    return cop_fitness_weighted_sum(plan, measures, "units");
}

static cop_status check(const cop_plan *plan) {
    if (cop_plan_measure(plan, "units") < 0)
        return cop_conf_fail(cop_plan_conf(plan), "fitness", "op",
                             "ecomp counts units, and masks have none: set op = weighted, or "
                             "[initialise] op = neuron_ramp");
    return cop_fitness_weights_check(plan);
}

const cop_op cop_fitness_ecomp = {
    .role = COP_ROLE_FITNESS,
    .name = "ecomp",
    .paper = "van den Beemt, Schroeder and de Valk 2021 (EComp)",
    .summary = "w_accuracy * mean accuracy - w_similarity * similarity + w_compression * (1 - "
               "share of the hidden units kept, mean over the hidden layers).",
    .section = "fitness",
    .options = options,
    .check = check,
    .as.fitness = fitness,
};
