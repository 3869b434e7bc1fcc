#include "coppice/op.h"

/* The denominator is the sum of the errors in percent, and never less than one error in 100,000
 * samples. With A the sum of accuracies, A / max(100 T - A, floor) rises with A whatever the floor
 * is: the numerator rises and the denominator never does. So the floor keeps a perfect score finite
 * (100,000 T) and changes no order. */
#define FLOOR 1e-3

static double fitness(const cop_plan *plan, const double *measures) {
    double right = 0, wrong = 0;
    for (size_t t = 0; t < cop_plan_tasks(plan); t++) { /* the first columns: accuracy.TASK */
        right += measures[t];
        wrong += 100 - measures[t];
    }
    /* written so that NaN stays NaN */
    return right / (wrong < FLOOR ? FLOOR : wrong);
}

const cop_op cop_fitness_padawann = {
    .role = COP_ROLE_FITNESS,
    .name = "padawann",
    .paper = "Dobreva 2022 (PADAWANN)",
    .summary = "Sum of the accuracies over sum of the errors, all tasks, in percent (a sum of "
               "errors below 0.001 counts as 0.001, so that a perfect score is finite).",
    .section = "fitness",
    .as.fitness = fitness,
};
