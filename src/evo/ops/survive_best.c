#include "coppice/op.h"

#include <string.h>

static size_t survive(const cop_plan *plan, const cop_pop_view *old, const cop_pop_view *children,
                      const cop_pool *pool, size_t *next) {
    (void)pool;
    size_t count = old->count + children->count, columns = old->measure_count;
    uint64_t *id = COP_NEW_ARRAY(uint64_t, count);
    double *fitness = COP_NEW_ARRAY(double, count),
           *measures = COP_NEW_ARRAY(double, count *columns);
    uint32_t *order = COP_NEW_ARRAY(uint32_t, count);
    const cop_pop_view *part[2] = {old, children};
    for (size_t p = 0, at = 0; p < 2; at += part[p++]->count) {
        memcpy(id + at, part[p]->id, part[p]->count * sizeof *id);
        memcpy(fitness + at, part[p]->fitness, part[p]->count * sizeof *fitness);
        memcpy(measures + at * columns, part[p]->measures,
               part[p]->count * columns * sizeof *measures);
    }
    cop_pop_view all = {count, id, fitness, measures, columns};
    cop_plan_op(plan, COP_ROLE_RANK, 0)->as.rank(plan, &all, order);
    for (size_t i = 0; i < old->count; i++) next[i] = order[i];
    cop_free(id);
    cop_free(fitness);
    cop_free(measures);
    cop_free(order);
    return old->count;
}

const cop_op cop_survive_best = {
    .role = COP_ROLE_SURVIVE,
    .name = "best",
    .paper = "Schwefel 1981; Deb, Pratap, Agarwal and Meyarivan 2002 (NSGA-II)",
    .summary = "The best of the old population and the children together, in the order of the "
               "rank operator.",
    .section = "survive",
    .as.survive = survive,
};
