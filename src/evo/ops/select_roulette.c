#include "evo/ops/wheel.h"

#include <math.h>

static size_t roulette(const cop_plan *plan, const cop_pop_view *pop, size_t parents,
                       cop_rng *rng) {
    (void)plan;
    double lowest = 0, highest = 0;
    for (size_t i = 0; i < parents; i++) {
        double f = pop->fitness[i];
        if (!isfinite(f)) continue;
        if (f < lowest) lowest = f;
        if (f > highest) highest = f;
    }
    /* halves, so that the spread of any two finite numbers is finite */
    double spread = highest / 2 - lowest / 2;
    double *weight = COP_NEW_ARRAY(double, parents);
    bool any = false;
    for (size_t i = 0; i < parents; i++) {
        if (!isfinite(pop->fitness[i])) continue;
        if (spread > 0) weight[i] = (pop->fitness[i] / 2 - lowest / 2) / spread;
        any |= weight[i] > 0;
    }
    if (!any) /* all that did not fail are 0, or equal and negative: equal shares */
        for (size_t i = 0; i < parents; i++) weight[i] = isfinite(pop->fitness[i]) ? 1 : 0;
    size_t winner = cop_wheel_spin(weight, parents, rng);
    cop_free(weight);
    return winner;
}

const cop_op cop_select_roulette = {
    .role = COP_ROLE_SELECT,
    .name = "roulette",
    .paper = "Holland 1975",
    .summary = "Fitness-proportional; when a fitness in the breeding pool is negative all are "
               "shifted so that the smallest is 0; failed individuals are never drawn.",
    .section = "select",
    .as.select = roulette,
};
