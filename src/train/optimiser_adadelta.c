/* adadelta: s = rho s + (1-rho) g^2; d = g sqrt(a + epsilon) / sqrt(s + epsilon);
 * a = rho a + (1-rho) d^2; w = w - rate d, with g = gradient + weight_decay w. The paper has no
 * rate; PyTorch's is 1. Two roots and a division a parameter, 16 bytes read and 12 written. */
#include "optimiser.h"

#include <math.h>

extern const cop_optimiser cop_optimiser_adadelta;

static void step(const cop_hyper *hyper, size_t count, float *restrict w, const float *restrict g,
                 float *const memory[COP_OPTIMISER_ARRAYS]) {
    float *restrict square = memory[0], *restrict moved = memory[1];
    const float keep = (float)hyper->rho, take = (float)(1.0 - hyper->rho);
    const float rate = (float)hyper->rate, epsilon = (float)hyper->epsilon;
    const float shrink = (float)hyper->weight_decay;
    for (size_t i = 0; i < count; i++) {
        float slope = g[i] + shrink * w[i];
        float s = keep * square[i] + take * slope * slope;
        float d = sqrtf(moved[i] + epsilon) / sqrtf(s + epsilon) * slope;
        float a = keep * moved[i] + take * d * d;
        square[i] = s < COP_FORGET ? 0.0f : s;
        moved[i] = a < COP_FORGET ? 0.0f : a;
        w[i] -= rate * d;
    }
}

const cop_optimiser cop_optimiser_adadelta = {
    .rate = 1.0, .epsilon = 1e-6, .arrays = 2, .step = step};
