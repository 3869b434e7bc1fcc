/* sgd: v = momentum v + g; w = w - rate v, with g = gradient + weight_decay w (PyTorch's form, in
 * which the rate is outside the momentum). 16 bytes read and 8 written a parameter: bounded by
 * memory. */
#include "optimiser.h"

extern const cop_optimiser cop_optimiser_sgd;

static void step(const cop_hyper *hyper, size_t count, float *restrict w, const float *restrict g,
                 float *const memory[COP_OPTIMISER_ARRAYS]) {
    float *restrict velocity = memory[0];
    const float rate = (float)hyper->rate, momentum = (float)hyper->momentum;
    const float shrink = (float)hyper->weight_decay;
    for (size_t i = 0; i < count; i++) {
        float v = momentum * velocity[i] + (g[i] + shrink * w[i]);
        velocity[i] = v < COP_FORGET && v > -COP_FORGET ? 0.0f : v;
        w[i] -= rate * v;
    }
}

const cop_optimiser cop_optimiser_sgd = {.rate = 0.01, .epsilon = 0.0, .arrays = 1, .step = step};
