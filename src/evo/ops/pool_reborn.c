#include "coppice/op.h"

#include <math.h>

static const cop_option options[] = {
    {"reborn", COP_OPT_REAL, "0.05", 0, 1, "", NULL, COP_SCIENCE,
     "Fraction of the population that is born again unchanged: int(P * reborn)."},
    {.key = NULL}};

static void pool(const cop_plan *plan, size_t population, cop_pool *sizes) {
    double share = cop_conf_real(cop_plan_conf(plan), "pool", "reborn");
    sizes->elites = 0;
    sizes->parents = sizes->children = population;
    sizes->reborn = (size_t)floor((double)population * share + 1e-6);
}

static cop_status check(const cop_plan *plan) {
    cop_pool sizes;
    pool(plan, cop_plan_population(plan), &sizes);
    if (sizes.reborn < sizes.children) return COP_OK;
    return cop_conf_fail(cop_plan_conf(plan), "pool", "reborn",
                         "the whole population would be born again and nothing would ever change: "
                         "make it smaller");
}

const cop_op cop_pool_reborn = {
    .role = COP_ROLE_POOL,
    .name = "reborn",
    .paper = "",
    .summary = "The best int(P * reborn) are born again unchanged and evaluated with the other "
               "children (elitism where each generation sees other samples); all may be parents.",
    .section = "pool",
    .options = options,
    .check = check,
    .as.pool = pool,
};
