/* Images as they might also have been taken: turned, shifted, mirrored. */
#include <math.h>
#include <string.h>

#include "training.h"

struct cop_augment {
    double rotate, shift; /* largest angle in radians; share of the size */
    bool mirror;
    float *memory; /* (batch, features) */
};

cop_augment *cop_augment_create(const cop_conf *conf, const cop_dataset *set, size_t batch) {
    const double rotate = cop_conf_real(conf, "train", "rotate"),
                 shift = cop_conf_real(conf, "train", "shift");
    const bool mirror = cop_conf_bool(conf, "train", "mirror");
    if (!rotate && !shift && !mirror) return NULL;
    cop_augment *a = COP_NEW(cop_augment);
    a->rotate = rotate * 3.14159265358979323846 / 180;
    a->shift = shift;
    a->mirror = mirror;
    a->memory = COP_NEW_ARRAY(float, batch *cop_dataset_features(set));
    return a;
}

void cop_augment_destroy(cop_augment *a) {
    if (!a) return;
    cop_free(a->memory);
    cop_free(a);
}

static double within(double x, size_t size) {
    return x < 0 ? 0 : x > (double)(size - 1) ? (double)(size - 1) : x;
}

static float between(const float *plane, size_t height, size_t width, double y, double x) {
    y = within(y, height);
    x = within(x, width);
    const size_t top = (size_t)y, left = (size_t)x;
    const size_t down = top + 1 < height ? top + 1 : top,
                 right = left + 1 < width ? left + 1 : left;
    const double v = y - (double)top, h = x - (double)left;
    const double above =
        (1 - h) * (double)plane[top * width + left] + h * (double)plane[top * width + right];
    const double below =
        (1 - h) * (double)plane[down * width + left] + h * (double)plane[down * width + right];
    return (float)((1 - v) * above + v * below);
}

const float *cop_augment_sample(cop_augment *a, const cop_dataset *set, uint32_t number,
                                uint64_t seed, uint32_t epoch, size_t slot) {
    const size_t features = cop_dataset_features(set), plane = set->height * set->width;
    const float *from = set->x + number * features;
    float *to = a->memory + slot * features;
    cop_rng rng = cop_rng_at(seed, epoch, number, COP_FOR_VARY + 16);
    const double angle = a->rotate * (2 * cop_rng_uniform(&rng) - 1);
    const double dy = a->shift * (double)set->height * (2 * cop_rng_uniform(&rng) - 1);
    const double dx = a->shift * (double)set->width * (2 * cop_rng_uniform(&rng) - 1);
    const double side = a->mirror && cop_rng_u32(&rng) & 1 ? -1 : 1;
    const double c = cos(angle), s = sin(angle);
    const double cy = ((double)set->height - 1) / 2, cx = ((double)set->width - 1) / 2;
    for (size_t y = 0; y < set->height; y++)
        for (size_t x = 0; x < set->width; x++) {
            const double py = (double)y - cy - dy, px = side * ((double)x - cx) - dx;
            for (size_t k = 0; k < set->channels; k++)
                to[k * plane + y * set->width + x] =
                    between(from + k * plane, set->height, set->width, c * py - s * px + cy,
                            s * py + c * px + cx);
        }
    return to;
}
