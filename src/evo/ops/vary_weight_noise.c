#include "evo/ops/schedule.h"

#define SECTION "weight.noise"

static const cop_option options[] = {
    COP_SCHEDULE_ROWS("0.1", 0, 1, "", "Factors are drawn from 1 - amount to 1 + amount."),
    {"chance", COP_OPT_REAL, "0.01", 0, 1, "", NULL, COP_SCIENCE,
     "Chance that a child is changed at all."},
    {.key = NULL}};

static void noise(const cop_plan *plan, double amount, cop_genome *child, cop_rng *rng) {
    if (cop_rng_uniform(rng) >= cop_conf_real(cop_plan_conf(plan), SECTION, "chance")) return;
    cop_genome_unname(child);
    size_t weights = cop_mask_count(&child->mask);
    double draw[256];
    for (size_t i = 0; i < weights; i += 256) {
        size_t count = weights - i < 256 ? weights - i : 256;
        cop_rng_uniforms(rng, draw, count);
        for (size_t k = 0; k < count; k++)
            child->w[i + k] *= (float)(1 + amount * (2 * draw[k] - 1));
    }
}

static cop_status check(const cop_plan *plan) {
    return cop_schedule_check(plan, SECTION);
}

const cop_op cop_vary_weight_noise = {
    .role = COP_ROLE_VARY,
    .name = "weight.noise",
    .paper = "van den Beemt, Schroeder and de Valk 2021 (EComp)",
    .summary = "With probability `chance` every weight of the child is multiplied by a factor of "
               "its own, uniform around 1; biases stay.",
    .section = SECTION,
    .options = options,
    .check = check,
    .dense = {.vary = noise, .names = true},
};
