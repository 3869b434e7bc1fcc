#include "coppice/op.h"

#include <string.h>

static void evaluate(const cop_plan *plan, cop_weighting *weighting) {
    (void)plan;
    weighting->kind = COP_WEIGHTS_TRAINED;
    weighting->values = 1;
    weighting->value[0] = 1;
}

static cop_status check(const cop_plan *plan) {
    const cop_conf *conf = cop_plan_conf(plan);
    if (strcmp(cop_conf_text(conf, "evaluate", "arithmetic"), "sign") == 0)
        return cop_conf_fail(
            conf, "evaluate", "arithmetic",
            "trained_weights needs real numbers, and sign computes with edge signs "
            "only: set arithmetic = sparse, blas or reference");
    return COP_OK;
}

const cop_op cop_evaluate_trained_weights = {
    .role = COP_ROLE_EVALUATE,
    .name = "trained_weights",
    .paper = "Dobreva 2022 (PGA-NN)",
    .summary = "Live edges keep the base network's trained weights: one evaluation per task.",
    .section = "evaluate",
    .check = check,
    .as.evaluate = evaluate,
};
