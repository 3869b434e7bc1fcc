#include "coppice/op.h"

#include <stdlib.h>

typedef struct item {
    double fitness;
    uint32_t index;
} item;

/* A total order (no two items compare equal), so qsort gives the same result everywhere. */
static int best_first(const void *a, const void *b) {
    const item *x = a, *y = b;
    if (x->fitness != y->fitness) return x->fitness > y->fitness ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static void rank(const cop_plan *plan, const cop_pop_view *pop, uint32_t *order) {
    (void)plan;
    item *items = COP_NEW_ARRAY(item, pop->count);
    for (size_t i = 0; i < pop->count; i++) items[i] = (item){pop->fitness[i], (uint32_t)i};
    qsort(items, pop->count, sizeof *items, best_first);
    for (size_t i = 0; i < pop->count; i++) order[i] = items[i].index;
    cop_free(items);
}

const cop_op cop_rank_scalar = {
    .role = COP_ROLE_RANK,
    .name = "scalar",
    .paper = "",
    .summary = "By fitness, largest first; on ties elites come before children and older before "
               "younger; failed individuals come last.",
    .section = "rank",
    .as.rank = rank,
};
