#include "coppice/op.h"

#include <stdlib.h>
#include <string.h>

static const cop_option options[] = {
    {"values", COP_OPT_REALS, "0.5, 1, 2", 1e-6, 1e6, "", NULL, COP_SCIENCE,
     "Shared weights; per task the one with the best accuracy counts, ties go to the smallest."},
    {"signs", COP_OPT_CHOICE, "keep", 0, 0, "", "keep|discard", COP_SCIENCE,
     "With keep, an edge is the sign of the base network's weight times the shared value; with "
     "discard, every live edge is the shared value."},
    {.key = NULL}};

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void evaluate(const cop_plan *plan, cop_weighting *weighting) {
    const cop_conf *conf = cop_plan_conf(plan);
    weighting->kind = strcmp(cop_conf_text(conf, "evaluate", "signs"), "keep") == 0
                          ? COP_WEIGHTS_SIGNED
                          : COP_WEIGHTS_POSITIVE;
    size_t count = cop_conf_reals(conf, "evaluate", "values", weighting->value, COP_VALUES_MAX);
    weighting->values = count < COP_VALUES_MAX ? count : COP_VALUES_MAX;
    qsort(weighting->value, weighting->values, sizeof(double), ascending);
}

static cop_status check(const cop_plan *plan) {
    const cop_conf *conf = cop_plan_conf(plan);
    cop_weighting weighting;
    size_t count = cop_conf_reals(conf, "evaluate", "values", weighting.value, COP_VALUES_MAX);
    if (count < 1 || count > COP_VALUES_MAX)
        return cop_conf_fail(conf, "evaluate", "values", "%zu shared values, there must be 1 to %d",
                             count, COP_VALUES_MAX);
    evaluate(plan, &weighting);
    for (size_t i = 1; i < weighting.values; i++)
        if (weighting.value[i] == weighting.value[i - 1])
            return cop_conf_fail(conf, "evaluate", "values",
                                 "the shared value %g is given twice: give each once",
                                 weighting.value[i]);
    return COP_OK;
}

const cop_op cop_evaluate_weight_agnostic = {
    .role = COP_ROLE_EVALUATE,
    .name = "weight_agnostic",
    .paper = "Gaier and Ha 2019 (WANN); Dobreva 2022 (PADAWANN)",
    .summary = "All live edges share one value at a time (with the base network's signs); biases "
               "stay trained; the best accuracy over the values counts, per task.",
    .section = "evaluate",
    .options = options,
    .check = check,
    .as.evaluate = evaluate,
};
