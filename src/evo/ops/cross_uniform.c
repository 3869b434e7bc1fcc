#include "coppice/op.h"

static uint64_t cuts(const cop_plan *plan) {
    (void)plan;
    return 0;
}

static void decide(const cop_plan *plan, cop_recipe *recipe, cop_rng *rng) {
    (void)plan, (void)rng;
    recipe->cut = 0;
}

static void apply(const cop_plan *plan, const cop_recipe *recipe, const cop_mask *b,
                  cop_mask *child, cop_rng *rng) {
    (void)plan, (void)recipe;
    for (size_t i = 0; i < cop_mask_words(child->bits); i++) { /* 64 coins at once */
        uint64_t from_b = cop_rng_u64(rng);
        child->words[i] = (child->words[i] & ~from_b) | (b->words[i] & from_b);
    }
}

const cop_op cop_cross_uniform = {
    .role = COP_ROLE_CROSS,
    .name = "uniform",
    .paper = "Syswerda 1989; Dobreva 2022 (PADAWANN)",
    .summary = "Each edge comes from either parent by the toss of a coin.",
    .section = "cross",
    .as.cross = {.cuts = cuts, .decide = decide, .apply = apply},
};
