#include "coppice/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cop_option options[] = {
    {"from", COP_OPT_REAL, "0.1", 0, 0.999, "", NULL, COP_SCIENCE,
     "Share of the hidden units that the first individual loses."},
    {"to", COP_OPT_REAL, "0.8", 0, 0.999, "", NULL, COP_SCIENCE,
     "Where the ramp of shares ends; it is not reached."},
    {"score", COP_OPT_CHOICE, "l1", 0, 0, "", "l1|random", COP_SCIENCE,
     "Who goes: the units whose incoming weights have the smallest sum of magnitudes, or any."},
    {"widths", COP_OPT_CHOICE, "balanced", 0, 0, "", "balanced|own", COP_SCIENCE,
     "The same share in every hidden layer of an individual, or each layer's ramp in an order of "
     "its own."},
    {.key = NULL}};

static bool is(const cop_plan *plan, const char *key, const char *word) {
    return strcmp(cop_conf_text(cop_plan_conf(plan), "initialise", key), word) == 0;
}

static void initialise(const cop_plan *plan, cop_recipe *recipes, size_t count) {
    (void)plan;
    for (size_t i = 0; i < count; i++) recipes[i].parent[0] = recipes[i].parent[1] = COP_FOUNDER;
}

/* Place on the ramp of individual @p id in hidden layer number @p k. */
static size_t step_of(const cop_plan *plan, uint64_t id, size_t k) {
    size_t count = cop_plan_population(plan);
    if (k == 0 || is(plan, "widths", "balanced")) return (size_t)id;
    cop_rng rng = cop_rng_at(cop_plan_seed(plan), 0, (uint32_t)k, COP_FOR_FOUND);
    uint32_t *order = COP_NEW_ARRAY(uint32_t, count);
    for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
    cop_rng_shuffle(&rng, order, count);
    size_t step = order[id];
    cop_free(order);
    return step;
}

typedef struct unit {
    double score;
    uint32_t number;
} unit;

static int smallest_first(const void *a, const void *b) {
    const unit *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static void score_units(const cop_plan *plan, const cop_recipe *recipe, size_t k,
                        const cop_layer *layer, unit *units) {
    const float *w = cop_plan_base(plan)->w + layer->weight_begin;
    cop_rng rng =
        cop_rng_at(cop_plan_seed(plan), 1 + (uint32_t)k, (uint32_t)recipe->id, COP_FOR_FOUND);
    bool random = is(plan, "score", "random");
    for (size_t u = 0; u < layer->biases; u++, w += layer->fan_in) {
        units[u] = (unit){0, (uint32_t)u};
        if (random)
            units[u].score = cop_rng_uniform(&rng);
        else
            for (size_t i = 0; i < layer->fan_in; i++) units[u].score += fabs((double)w[i]);
    }
}

/* All layers are scored on the whole base network before any unit goes. */
static void found(const cop_plan *plan, const cop_recipe *recipe, cop_genome *child) {
    const cop_conf *conf = cop_plan_conf(plan);
    const cop_model *model = cop_plan_model(plan);
    const size_t *layers;
    size_t count = cop_plan_layers(plan, &layers);
    double from = cop_conf_real(conf, "initialise", "from");
    double to = cop_conf_real(conf, "initialise", "to");
    cop_mask kept;
    cop_mask_init(&kept, model->biases);
    cop_mask_fill(&kept);
    for (size_t k = 0; k + 1 < count; k++) {
        const cop_layer *layer = &model->layers[layers[k]];
        double rate = from + (to - from) * (double)step_of(plan, recipe->id, k) /
                                 (double)cop_plan_population(plan);
        /* floor of a product that is meant exactly: 256 * 0.625 is 160 */
        size_t gone = (size_t)floor(rate * (double)layer->biases + 1e-9);
        if (gone >= layer->biases) gone = layer->biases - 1;
        unit *units = COP_NEW_ARRAY(unit, layer->biases);
        score_units(plan, recipe, k, layer, units);
        qsort(units, layer->biases, sizeof *units, smallest_first);
        for (size_t i = 0; i < gone; i++)
            cop_mask_unset(&kept, layer->bias_begin + units[i].number);
        cop_free(units);
    }
    cop_dense_build(child, model, cop_plan_base(plan), NULL, &kept);
    cop_mask_clear(&kept);
}

static cop_status check(const cop_plan *plan) {
    const size_t *layers;
    if (cop_plan_layers(plan, &layers) > 1) return COP_OK;
    return cop_conf_fail(cop_plan_conf(plan), "initialise", "op",
                         "the network has no hidden layer whose units could go");
}

const cop_op cop_initialise_neuron_ramp = {
    .role = COP_ROLE_INITIALISE,
    .name = "neuron_ramp",
    .paper = "van den Beemt, Schroeder and de Valk 2021 (EComp)",
    .summary = "Individual i is the base network without the least units of its hidden layers, a "
               "share that grows with i; individuals own their widths and weights.",
    .section = "initialise",
    .options = options,
    .check = check,
    .as.initialise = initialise,
    .dense = {.found = found},
};
