#include "net/evaluators.h"

#include "coppice/la.h"

#include <math.h>
#include <string.h>

#define ENTRY(name) &cop_evaluator_##name,
static const cop_evaluator *const evaluators[] = {COP_EVALUATORS(ENTRY)};

const cop_evaluator *const *cop_evaluators(size_t *count) {
    *count = sizeof evaluators / sizeof evaluators[0];
    return evaluators;
}

size_t cop_widest_hidden(const cop_eval_setup *setup) {
    size_t widest = 0;
    for (size_t h = 0; h < setup->hidden; h++) {
        size_t width = cop_shape_size(setup->model->layers[setup->hidden_layer[h]].out);
        if (width > widest) widest = width;
    }
    return widest;
}

const cop_evaluator *cop_evaluator_find(const char *name) {
    for (size_t i = 0; i < sizeof evaluators / sizeof evaluators[0]; i++)
        if (strcmp(evaluators[i]->name, name) == 0) return evaluators[i];
    return NULL;
}

double cop_eval_scale(const cop_dataset *const *sets, size_t count, double steps) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t numbers = sets[i]->samples * cop_dataset_features(sets[i]);
        for (size_t j = 0; j < numbers; j++) {
            double x = fabs((double)sets[i]->x[j]);
            if (x > largest && isfinite(x)) largest = x;
        }
    }
    return largest > 0 ? steps / largest : 1;
}

const char *cop_sign_kernel(void) {
    const cop_sign_ops *ops;
    return cop_sign_choose(&ops) == COP_OK ? ops->name : "none";
}
