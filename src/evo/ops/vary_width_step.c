#include "evo/ops/schedule.h"

#include <math.h>

#define SECTION "width.step"

static const cop_option options[] = {
    COP_SCHEDULE_ROWS("4", 0, 1e6, "units",
                      "Units that one step takes or gives, at most; rounded."),
    {"chance", COP_OPT_REAL, "0.1", 0, 1, "", NULL, COP_SCIENCE,
     "Chance that a child takes a step."},
    {"grow", COP_OPT_REAL, "0.5", 0, 1, "", NULL, COP_SCIENCE,
     "Chance that a step gives units instead of taking them."},
    {.key = NULL}};

/* Change the state of up to @p count units of the layer that are now @p kept, any of them alike. */
static void flip(const cop_layer *layer, bool kept, size_t count, cop_mask *units, cop_rng *rng) {
    uint32_t *pool = COP_NEW_ARRAY(uint32_t, layer->biases);
    size_t size = 0;
    for (size_t u = 0; u < layer->biases; u++)
        if (cop_mask_get(units, layer->bias_begin + u) == kept) pool[size++] = (uint32_t)u;
    size_t most = kept ? size - 1 : size; /* one unit stays */
    cop_rng_shuffle(rng, pool, size);
    for (size_t i = 0; i < count && i < most; i++) {
        if (kept)
            cop_mask_unset(units, layer->bias_begin + pool[i]);
        else
            cop_mask_set(units, layer->bias_begin + pool[i]);
    }
    cop_free(pool);
}

static void step(const cop_plan *plan, double amount, cop_genome *child, cop_rng *rng) {
    const cop_conf *conf = cop_plan_conf(plan);
    const cop_model *model = cop_plan_model(plan);
    const size_t *layers;
    size_t hidden = cop_plan_layers(plan, &layers) - 1, count = (size_t)floor(amount + 0.5);
    if (cop_rng_uniform(rng) >= cop_conf_real(conf, SECTION, "chance") || count == 0) return;
    bool grow = cop_rng_uniform(rng) < cop_conf_real(conf, SECTION, "grow");
    const cop_layer *layer = &model->layers[layers[cop_rng_below(rng, hidden)]];
    cop_dense now;
    cop_mask units;
    cop_genome next;
    cop_mask_init(&units, model->biases);
    cop_dense_of_mask(&now, model, &child->mask);
    cop_dense_units(&now, model, &units);
    cop_dense_clear(&now);
    flip(layer, !grow, count, &units, rng);
    cop_dense_build(&next, model, cop_plan_base(plan), child, &units);
    cop_genome_clear(child);
    *child = next;
    cop_mask_clear(&units);
}

static cop_status check(const cop_plan *plan) {
    return cop_schedule_check(plan, SECTION);
}

const cop_op cop_vary_width_step = {
    .role = COP_ROLE_VARY,
    .name = "width.step",
    .paper = "",
    .summary = "With probability `chance` one hidden layer, drawn uniformly, loses units with all "
               "their edges, or gets units back from the base network with edges from and to all "
               "units that are kept.",
    .section = SECTION,
    .options = options,
    .check = check,
    .dense = {.vary = step, .names = true}, /* a new genome has none */
};
