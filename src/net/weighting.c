/* From trained weights and a mask to the weights that an individual computes with. */
#include "coppice/net.h"

static float sign_of(float w) {
    return (float)((w > 0.0f) - (w < 0.0f));
}

void cop_effective_weights(const cop_params *params, const cop_mask *mask, cop_weighting_kind kind,
                           double v, float *w) {
    COP_ASSERT(mask->bits == params->weights);
    const float value = (float)v;
    for (size_t begin = 0; begin < params->weights; begin += 64) {
        const size_t left = params->weights - begin, count = left < 64 ? left : 64;
        const uint64_t live = mask->words[begin / 64];
        const float *from = params->w + begin;
        float *to = w + begin;
        for (size_t i = 0; i < count; i++) {
            float weight = kind == COP_WEIGHTS_TRAINED  ? from[i]
                           : kind == COP_WEIGHTS_SIGNED ? sign_of(from[i]) * value
                                                        : value;
            to[i] = live >> i & 1u ? weight : 0.0f;
        }
    }
}
