#include "evo/ops/schedule.h"

#include <math.h>
#include <string.h>

#define SECTION "prune.magnitude"

static const cop_option options[] = {
    COP_SCHEDULE_ROWS("0.025", 0, 1, "", "Fraction of the edges that one step cuts."),
    {"of", COP_OPT_CHOICE, "live", 0, 0, "", "all|live", COP_SCIENCE,
     "Fraction of what: of the live edges, or of all positions with dead ones counted as the "
     "smallest, so that a second step of the same amount cuts nothing (one-shot pruning)."},
    {.key = NULL}};

/* The bits of |w| order as unsigned integers like the magnitudes do (NaN above infinity). */
static uint32_t magnitude(float weight) {
    uint32_t bits;
    memcpy(&bits, &weight, sizeof bits);
    return bits & 0x7fffffffu;
}

/* Cut the `count` live edges of smallest |w|, ties from the lowest index: the threshold is found
 * byte by byte from the top (four passes, no sorting, no memory), then one pass cuts. */
static void cut_smallest(const float *w, size_t count, cop_mask *child) {
    uint32_t threshold = 0, known = 0;
    size_t left = count; /* how many are still to come from those that agree in the known bytes */
    for (int shift = 24; shift >= 0; shift -= 8) {
        size_t seen[256] = {0};
        for (size_t i = 0; i < child->bits; i++)
            if (cop_mask_get(child, i) && (magnitude(w[i]) & known) == threshold)
                seen[magnitude(w[i]) >> shift & 255]++;
        uint32_t byte = 0;
        while (seen[byte] < left) left -= seen[byte++];
        threshold |= byte << shift;
        known |= (uint32_t)255 << shift;
    }
    for (size_t i = 0; i < child->bits; i++) {
        if (!cop_mask_get(child, i)) continue;
        uint32_t m = magnitude(w[i]);
        if (m < threshold || (m == threshold && left > 0)) {
            cop_mask_unset(child, i);
            left -= m == threshold;
        }
    }
}

static void prune(const cop_plan *plan, double amount, cop_mask *child, cop_rng *rng) {
    (void)rng;
    size_t live = cop_mask_count(child), count;
    if (strcmp(cop_conf_text(cop_plan_conf(plan), SECTION, "of"), "all") == 0) {
        size_t dead = child->bits - live;
        count = (size_t)floor(amount * (double)child->bits + 0.5);
        count = count > dead ? count - dead : 0;
    } else {
        count = (size_t)floor(amount * (double)live + 0.5);
    }
    if (count > live) count = live;
    if (count == 0) return;
    COP_ASSERT(cop_plan_base(plan) && cop_plan_base(plan)->weights == child->bits);
    cut_smallest(cop_plan_base(plan)->w, count, child);
}

static cop_status check(const cop_plan *plan) {
    return cop_schedule_check(plan, SECTION);
}

const cop_op cop_vary_prune_magnitude = {
    .role = COP_ROLE_VARY,
    .name = "prune.magnitude",
    .paper = "Han et al. 2015; Dobreva 2022 (the L1 baseline)",
    .summary = "Cut the edges whose weight in the base network is smallest in magnitude, over the "
               "whole network; biases stay.",
    .section = SECTION,
    .options = options,
    .check = check,
    .as.vary = prune,
};
