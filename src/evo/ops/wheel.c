#include "evo/ops/wheel.h"

size_t cop_wheel_spin(const double *weight, size_t count, cop_rng *rng) {
    double total = 0;
    for (size_t i = 0; i < count; i++) total += weight[i];
    if (!(total > 0)) return (size_t)cop_rng_below(rng, count);
    double at = cop_rng_uniform(rng) * total;
    size_t last = 0; /* rounding may leave `at` at the very end: the last one with a share wins */
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(weight[i] > 0)) continue;
        sum += weight[i];
        if (at < sum) return i;
        last = i;
    }
    return last;
}
