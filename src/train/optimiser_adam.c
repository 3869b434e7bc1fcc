/* adam: m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2;
 * w = w - rate (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + epsilon), g = gradient + weight_decay w. */
#include "optimiser.h"

#include <math.h>

extern const cop_optimiser cop_optimiser_adam;

static void step(const cop_hyper *hyper, size_t count, float *restrict w, const float *restrict g,
                 float *const memory[COP_OPTIMISER_ARRAYS]) {
    float *restrict mean = memory[0], *restrict square = memory[1];
    const double t = (double)hyper->step;
    const float keep1 = (float)hyper->beta1, take1 = (float)(1.0 - hyper->beta1);
    const float keep2 = (float)hyper->beta2, take2 = (float)(1.0 - hyper->beta2);
    const float size = (float)(hyper->rate / (1.0 - pow(hyper->beta1, t)));
    const float root = (float)(1.0 / sqrt(1.0 - pow(hyper->beta2, t)));
    const float shrink = (float)hyper->weight_decay, epsilon = (float)hyper->epsilon;
    for (size_t i = 0; i < count; i++) {
        float slope = g[i] + shrink * w[i];
        float m = keep1 * mean[i] + take1 * slope;
        float v = keep2 * square[i] + take2 * slope * slope;
        mean[i] = m < COP_FORGET && m > -COP_FORGET ? 0.0f : m;
        square[i] = v < COP_FORGET ? 0.0f : v;
        w[i] -= size * m / (sqrtf(v) * root + epsilon);
    }
}

const cop_optimiser cop_optimiser_adam = {
    .rate = 0.001, .epsilon = 1e-8, .arrays = 2, .step = step};
