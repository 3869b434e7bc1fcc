#include "coppice/op.h"

static size_t survive(const cop_plan *plan, const cop_pop_view *old, const cop_pop_view *children,
                      const cop_pool *pool, size_t *next) {
    (void)plan;
    for (size_t i = 0; i < pool->elites; i++) next[i] = i;
    for (size_t i = 0; i < children->count; i++) next[pool->elites + i] = old->count + i;
    return pool->elites + children->count;
}

const cop_op cop_survive_elite = {
    .role = COP_ROLE_SURVIVE,
    .name = "elite",
    .paper = "De Jong 1975; Dobreva 2022 (PADAWANN)",
    .summary = "The elites and the children are the next population.",
    .section = "survive",
    .as.survive = survive,
};
