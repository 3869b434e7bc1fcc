#include "evo/ops/schedule.h"

#include <math.h>

#define SECTION "prune.channels"

static const cop_option options[] = {
    COP_SCHEDULE_ROWS("3", 0, 1e6, "channels", "Output channels that one step hits, rounded."),
    {.key = NULL}};

static size_t channels_of(const cop_layer *layer) {
    return layer->weights / layer->fan_in;
}

static void prune(const cop_plan *plan, double amount, cop_mask *child, cop_rng *rng) {
    const size_t *layers;
    size_t count = cop_plan_layers(plan, &layers);
    const cop_layer *layer = &cop_plan_model(plan)->layers[layers[cop_rng_below(rng, count)]];
    cop_mask hit;
    cop_mask_init(&hit, channels_of(layer));
    cop_rng_sample(rng, (size_t)floor(amount + 0.5), &hit);
    for (size_t c = 0; c < hit.bits; c++) {
        if (!cop_mask_get(&hit, c)) continue;
        size_t begin = layer->weight_begin + c * layer->fan_in;
        for (size_t i = begin; i < begin + layer->fan_in; i++) cop_mask_unset(child, i);
    }
    cop_mask_clear(&hit);
}

static cop_status check(const cop_plan *plan) {
    COP_TRY(cop_schedule_check(plan, SECTION));
    const cop_model *model = cop_plan_model(plan);
    const size_t *layers;
    size_t count = cop_plan_layers(plan, &layers);
    double most = floor(cop_schedule_most(plan, SECTION) + 0.5);
    for (size_t k = 0; k < count; k++) {
        const cop_layer *layer = &model->layers[layers[k]];
        if (most > (double)channels_of(layer))
            return cop_conf_fail(
                cop_plan_conf(plan), SECTION, "amount",
                "up to %.0f channels a step, but layer %s has only %zu: every layer "
                "with weights may be hit",
                most, layer->name, channels_of(layer));
    }
    return COP_OK;
}

const cop_op cop_vary_prune_channels = {
    .role = COP_ROLE_VARY,
    .name = "prune.channels",
    .paper = "Dobreva 2022 (PADAWANN, structured variant)",
    .summary = "In one layer, drawn uniformly, cut all edges into `amount` output channels drawn "
               "without replacement (channels cut before included); biases stay.",
    .section = SECTION,
    .options = options,
    .check = check,
    .as.vary = prune,
};
