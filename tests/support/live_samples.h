/** @file live_samples.h
 *  Random samples for networks of live edges, and a step with everything that steps have.
 */
#ifndef COPPICE_TEST_LIVE_SAMPLES_H
#define COPPICE_TEST_LIVE_SAMPLES_H

#include "support.h"

#include "train/live.h"

enum { SAMPLES = 64 };
static float samples[SAMPLES][512];
static const float *rows[SAMPLES];
static int32_t labels[256]; /* those behind SAMPLES are 0 */

static inline void draw_samples(size_t features, int32_t classes) {
    cop_rng rng = cop_rng_at(3, 0, 0, COP_FOR_TEST);
    for (size_t i = 0; i < SAMPLES; i++) {
        for (size_t f = 0; f < features; f++) samples[i][f] = (float)cop_rng_normal(&rng);
        rows[i] = samples[i];
        labels[i] = (int32_t)cop_rng_below(&rng, (uint64_t)classes);
    }
}

/** Gradients of the mean loss over @p n samples from @p first on; @p batch: for dropout. */
static inline void find_slopes(cop_live_net *net, size_t first, size_t n, uint32_t batch) {
    cop_live_forward(net, rows + first, n, &batch);
    cop_live_loss(net, labels + first, 1.0 / (double)n, NULL, NULL);
    cop_live_backward(net, NULL, NULL);
}

static inline cop_step step_with_decay(bool adam) {
    return (cop_step){.adam = adam,
                      .rate = adam ? 0.01f : 0.1f,
                      .momentum = 0.9f,
                      .l2 = 0.001f,
                      .shrink = 0.0001f,
                      .beta1 = 0.9f,
                      .beta2 = 0.999f,
                      .epsilon = 1e-8f,
                      .correct1 = 1.5f,
                      .correct2 = 2};
}

#endif
