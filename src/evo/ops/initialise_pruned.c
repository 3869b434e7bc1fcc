#include "coppice/op.h"

static void initialise(const cop_plan *plan, cop_recipe *recipes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        recipes[i].parent[0] = recipes[i].parent[1] = COP_FOUNDER;
        cop_recipe_vary(plan, &recipes[i]);
    }
}

const cop_op cop_initialise_pruned = {
    .role = COP_ROLE_INITIALISE,
    .name = "pruned",
    .paper = "Dobreva 2022 (PADAWANN, as the text has it)",
    .summary = "Every individual is the base network varied once.",
    .section = "initialise",
    .as.initialise = initialise,
};
