#include "coppice/op.h"

static void initialise(const cop_plan *plan, cop_recipe *recipes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        recipes[i].parent[0] = recipes[i].parent[1] = COP_FOUNDER;
        if (i > 0) cop_recipe_vary(plan, &recipes[i]);
    }
}

const cop_op cop_initialise_base_and_pruned = {
    .role = COP_ROLE_INITIALISE,
    .name = "base_and_pruned",
    .paper = "Dobreva 2022 (PADAWANN)",
    .summary = "Individual 0 is the base network with all edges, the others are the base network "
               "varied once.",
    .section = "initialise",
    .as.initialise = initialise,
};
