#include "coppice/op.h"

static size_t survive(const cop_plan *plan, const cop_pop_view *old, const cop_pop_view *children,
                      const cop_pool *pool, size_t *next) {
    (void)plan, (void)pool;
    for (size_t i = 0; i < children->count; i++) next[i] = old->count + i;
    return children->count;
}

static cop_status check(const cop_plan *plan) {
    cop_pool pool;
    cop_plan_op(plan, COP_ROLE_POOL, 0)->as.pool(plan, cop_plan_population(plan), &pool);
    if (pool.elites == 0) return COP_OK;
    return cop_conf_fail(
        cop_plan_conf(plan), "survive", "op",
        "the children replace the whole population, yet the pool keeps %zu elites: set "
        "[pool] elite = 0, or [survive] op = elite",
        pool.elites);
}

const cop_op cop_survive_generational = {
    .role = COP_ROLE_SURVIVE,
    .name = "generational",
    .paper = "Holland 1975; van den Beemt, Schroeder and de Valk 2021 (EComp)",
    .summary = "The children are the next population; needs a pool without elites.",
    .section = "survive",
    .check = check,
    .as.survive = survive,
};
