#include "evo/ops/schedule.h"

#include <math.h>
#include <string.h>

#define SECTION "prune.random"

static const cop_option options[] = {
    COP_SCHEDULE_ROWS("0.025", 0, 1, "", "Fraction of the edges that one step hits."),
    {"of", COP_OPT_CHOICE, "all", 0, 0, "", "all|live", COP_SCIENCE,
     "Fraction of what: of all positions, dead ones included (as the thesis' code does), or of the "
     "live edges."},
    {.key = NULL}};

static size_t fraction_of(double amount, size_t edges) {
    size_t count = (size_t)floor(amount * (double)edges + 0.5);
    return count < edges ? count : edges;
}

/* Positions of the whole network: hits on dead ones change nothing. */
static void hit_all(size_t count, cop_mask *child, cop_rng *rng) {
    cop_mask hit;
    cop_mask_init(&hit, child->bits);
    cop_rng_sample(rng, count, &hit);
    for (size_t i = 0; i < cop_mask_words(child->bits); i++) child->words[i] &= ~hit.words[i];
    cop_mask_clear(&hit);
}

/* Bit k of the sample stands for the k-th live edge. */
static void hit_live(size_t count, size_t live, cop_mask *child, cop_rng *rng) {
    cop_mask hit;
    cop_mask_init(&hit, live);
    cop_rng_sample(rng, count, &hit);
    size_t k = 0;
    for (size_t i = 0; i < cop_mask_words(child->bits); i++)
        for (uint64_t rest = child->words[i]; rest; rest &= rest - 1, k++)
            if (cop_mask_get(&hit, k)) child->words[i] &= ~(rest & -rest);
    cop_mask_clear(&hit);
}

static void prune(const cop_plan *plan, double amount, cop_mask *child, cop_rng *rng) {
    if (strcmp(cop_conf_text(cop_plan_conf(plan), SECTION, "of"), "all") == 0) {
        hit_all(fraction_of(amount, child->bits), child, rng);
    } else {
        size_t live = cop_mask_count(child);
        hit_live(fraction_of(amount, live), live, child, rng);
    }
}

static cop_status check(const cop_plan *plan) {
    return cop_schedule_check(plan, SECTION);
}

const cop_op cop_vary_prune_random = {
    .role = COP_ROLE_VARY,
    .name = "prune.random",
    .paper = "Dobreva 2022 (PADAWANN)",
    .summary = "Cut round(amount * edges) edges drawn uniformly without replacement over the whole "
               "network; biases stay.",
    .section = SECTION,
    .options = options,
    .check = check,
    .as.vary = prune,
};
