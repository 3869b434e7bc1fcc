/** @file chance.h
 *  Observed frequencies against theory. Streams are keyed, so the numbers are the same in each run.
 */
#ifndef COPPICE_TEST_CHANCE_H
#define COPPICE_TEST_CHANCE_H

#include "support.h"

#include <math.h>

static inline cop_rng chance_stream(uint32_t run) {
    return cop_rng_at(2022, 0, run, COP_FOR_TEST);
}

/* Chi-square of counts against probabilities; events that theory gives no chance must not be seen.
 */
static inline double chance_chi2_of(const size_t *seen, const double *chance, size_t n,
                                    double draws) {
    double chi2 = 0;
    for (size_t i = 0; i < n; i++) {
        double expected = chance[i] * draws;
        if (expected > 0)
            chi2 += pow((double)seen[i] - expected, 2) / expected;
        else
            assert_int_equal(seen[i], 0);
    }
    return chi2;
}

/* Upper end of chi-square with @p df degrees of freedom at p = 1e-4 (Wilson and Hilferty 1931). */
static inline double chance_chi2_limit(double df) {
    double z = 3.719, a = 2 / (9 * df);
    return df * pow(1 - a + z * sqrt(a), 3);
}

#define DRAWS 200000

#endif
