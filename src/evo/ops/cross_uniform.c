#include "evo/ops/gene.h"

static const cop_option options[] = {COP_GENE_ROW, {.key = NULL}};

static uint64_t cuts(const cop_plan *plan) {
    (void)plan;
    return 0;
}

static void decide(const cop_plan *plan, cop_recipe *recipe, cop_rng *rng) {
    (void)plan, (void)rng;
    recipe->cut = 0;
}

static void toss_layers(const cop_plan *plan, const cop_mask *b, cop_mask *child, cop_rng *rng) {
    const size_t *layers;
    size_t count = cop_plan_layers(plan, &layers);
    for (size_t k = 0; k < count; k++) {
        const cop_layer *layer = &cop_plan_model(plan)->layers[layers[k]];
        if (cop_rng_below(rng, 2))
            cop_mask_copy_range(child, b, layer->weight_begin,
                                layer->weight_begin + layer->weights);
    }
}

static void apply(const cop_plan *plan, const cop_recipe *recipe, const cop_mask *b,
                  cop_mask *child, cop_rng *rng) {
    (void)recipe;
    if (cop_gene_is_layer(plan)) {
        toss_layers(plan, b, child, rng);
        return;
    }
    for (size_t i = 0; i < cop_mask_words(child->bits); i++) { /* 64 coins at once */
        uint64_t from_b = cop_rng_u64(rng);
        child->words[i] = (child->words[i] & ~from_b) | (b->words[i] & from_b);
    }
}

const cop_op cop_cross_uniform = {
    .role = COP_ROLE_CROSS,
    .name = "uniform",
    .paper = "Syswerda 1989; Dobreva 2022 (PADAWANN)",
    .summary = "Each edge, or each layer, comes from either parent by the toss of a coin.",
    .section = "cross",
    .options = options,
    .as.cross = {.cuts = cuts, .decide = decide, .apply = apply},
};
