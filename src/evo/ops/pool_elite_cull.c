#include "coppice/op.h"

#include <math.h>

static const cop_option options[] = {
    {"elite", COP_OPT_REAL, "0.3", 0, 1, "", NULL, COP_SCIENCE,
     "Fraction of the population that passes unchanged: int(P * elite), not evaluated again."},
    {"cull", COP_OPT_REAL, "0.3", 0, 1, "", NULL, COP_SCIENCE,
     "Fraction that may not become parents: the pool is the first int(P * (1 - cull))."},
    {.key = NULL}};

/* int() of a product that is meant exactly: 10 * (1 - 0.9) is 0.9999999999999998 in binary and must
 * count as 1. A millionth is far above the rounding of populations below 2^30 (1e-7) and far below
 * what a fraction in a config can mean. */
static size_t whole(double product) {
    return (size_t)floor(product + 1e-6);
}

static void pool(const cop_plan *plan, size_t population, cop_pool *sizes) {
    const cop_conf *conf = cop_plan_conf(plan);
    double p = (double)population;
    sizes->elites = whole(p * cop_conf_real(conf, "pool", "elite"));
    sizes->parents = whole(p * (1 - cop_conf_real(conf, "pool", "cull")));
    sizes->children = population - sizes->elites;
    sizes->reborn = 0;
}

static cop_status check(const cop_plan *plan) {
    const cop_conf *conf = cop_plan_conf(plan);
    size_t population = cop_plan_population(plan);
    cop_pool sizes;
    pool(plan, population, &sizes);
    if (sizes.children == 0)
        return cop_conf_fail(conf, "pool", "elite",
                             "all %zu individuals would be elites and no child would ever be born: "
                             "make it smaller",
                             population);
    if (sizes.parents == 0)
        return cop_conf_fail(
            conf, "pool", "cull",
            "nobody of %zu individuals would be left to be a parent: make it smaller", population);
    return COP_OK;
}

const cop_op cop_pool_elite_cull = {
    .role = COP_ROLE_POOL,
    .name = "elite_cull",
    .paper = "Gaier and Ha 2019 (WANN); Dobreva 2022 (PADAWANN)",
    .summary = "The best int(P * elite) pass unchanged, the best int(P * (1 - cull)) are the "
               "breeding pool (elites included), the rest of the next population are children.",
    .section = "pool",
    .options = options,
    .check = check,
    .as.pool = pool,
};
