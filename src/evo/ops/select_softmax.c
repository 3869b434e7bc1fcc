#include "evo/ops/wheel.h"

#include <math.h>

static const cop_option options[] = {
    {"temperature", COP_OPT_REAL, "1", 1e-9, 1e9, "", NULL, COP_SCIENCE,
     "The fitness difference that makes one individual e times as likely as another."},
    {.key = NULL}};

static size_t softmax(const cop_plan *plan, const cop_pop_view *pop, size_t parents, cop_rng *rng) {
    double temperature = cop_conf_real(cop_plan_conf(plan), "select", "temperature");
    double highest = -INFINITY;
    for (size_t i = 0; i < parents; i++)
        if (pop->fitness[i] > highest) highest = pop->fitness[i];
    double *weight = COP_NEW_ARRAY(double, parents);
    for (size_t i = 0; i < parents; i++)
        if (isfinite(pop->fitness[i])) weight[i] = exp((pop->fitness[i] - highest) / temperature);
    size_t winner = cop_wheel_spin(weight, parents, rng);
    cop_free(weight);
    return winner;
}

const cop_op cop_select_softmax = {
    .role = COP_ROLE_SELECT,
    .name = "softmax",
    .paper = "van den Beemt, Schroeder and de Valk 2021 (EComp)",
    .summary = "With probability proportional to exp(fitness / temperature); failed individuals "
               "are never drawn.",
    .section = "select",
    .options = options,
    .as.select = softmax,
};
