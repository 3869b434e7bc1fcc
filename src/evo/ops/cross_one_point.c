#include "evo/ops/gene.h"

static const cop_option options[] = {COP_GENE_ROW, {.key = NULL}};

static uint64_t cuts(const cop_plan *plan) {
    const size_t *layers;
    return cop_gene_is_layer(plan) ? cop_plan_layers(plan, &layers) - 1
                                   : cop_plan_model(plan)->weights - 1;
}

static void decide(const cop_plan *plan, cop_recipe *recipe, cop_rng *rng) {
    recipe->cut = 1 + cop_rng_below(rng, cuts(plan));
}

static void apply(const cop_plan *plan, const cop_recipe *recipe, const cop_mask *b,
                  cop_mask *child, cop_rng *rng) {
    (void)rng;
    size_t first = recipe->cut;
    if (cop_gene_is_layer(plan)) {
        const size_t *layers;
        cop_plan_layers(plan, &layers);
        first = cop_plan_model(plan)->layers[layers[first]].weight_begin;
    }
    cop_mask_copy_range(child, b, first, child->bits);
}

static cop_status check(const cop_plan *plan) {
    if (cuts(plan) > 0) return COP_OK; /* a network has two outputs, so two edges, at least */
    return cop_conf_fail(
        cop_plan_conf(plan), "cross", "over",
        "the network has a single layer with weights, so there is no place to cut: "
        "set over = edges");
}

const cop_op cop_cross_one_point = {
    .role = COP_ROLE_CROSS,
    .name = "one_point",
    .paper = "Holland 1975; Dobreva 2022 (PADAWANN, as the text has it)",
    .summary = "Edges from a cut on come from the second parent; the cut is uniform over all "
               "places between two edges, or between two layers.",
    .section = "cross",
    .options = options,
    .check = check,
    .as.cross = {.cuts = cuts, .decide = decide, .apply = apply},
};
