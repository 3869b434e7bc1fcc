#include "evo/ops/weights.h"

static const cop_option options[] = {COP_FITNESS_WEIGHT_ROWS, {.key = NULL}};

double cop_fitness_weighted_sum(const cop_plan *plan, const double *measures, const char *left) {
    const cop_conf *conf = cop_plan_conf(plan);
    double accuracy = 0;
    for (size_t t = 0; t < cop_plan_tasks(plan); t++) accuracy += measures[t] / 100;
    accuracy /= (double)cop_plan_tasks(plan);
    double compression = measures[cop_plan_measure(plan, left)];
    double sum = cop_conf_real(conf, "fitness", "w_accuracy") * accuracy +
                 cop_conf_real(conf, "fitness", "w_compression") * (1 - compression);
    double w_similarity = cop_conf_real(conf, "fitness", "w_similarity");
    /* a layer that is measured without a weight must not spoil the sum when it is not finite */
    if (w_similarity != 0) sum -= w_similarity * measures[cop_plan_measure(plan, "similarity")];
    return sum;
}

static double fitness(const cop_plan *plan, const double *measures) {
    return cop_fitness_weighted_sum(plan, measures, "compression");
}

cop_status cop_fitness_weights_check(const cop_plan *plan) {
    const cop_conf *conf = cop_plan_conf(plan);
    double w_similarity = cop_conf_real(conf, "fitness", "w_similarity");
    if (w_similarity != 0 && !cop_plan_needs_similarity(plan)) {
        const size_t *layers;
        cop_plan_layers(plan, &layers);
        return cop_conf_fail(conf, "fitness", "w_similarity",
                             "similarity needs layers to compare: name some in [similarity], for "
                             "example layers = %s",
                             cop_plan_model(plan)->layers[layers[0]].name);
    }
    if (w_similarity == 0 && cop_conf_real(conf, "fitness", "w_accuracy") == 0 &&
        cop_conf_real(conf, "fitness", "w_compression") == 0)
        return cop_conf_fail(
            conf, "fitness", "w_accuracy",
            "all weights are 0, so all individuals would be equal: give at least one");
    return COP_OK;
}

const cop_op cop_fitness_weighted = {
    .role = COP_ROLE_FITNESS,
    .name = "weighted",
    .paper = "van den Beemt, Schroeder and de Valk 2021 (EComp)",
    .summary = "w_accuracy * mean accuracy - w_similarity * similarity + w_compression * (1 - "
               "compression).",
    .section = "fitness",
    .options = options,
    .check = cop_fitness_weights_check,
    .as.fitness = fitness,
};
