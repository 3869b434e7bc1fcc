/* From integer logits to predictions and losses: every vector variant gives, bit by bit, what a
 * plain sample-by-sample version gives. COPPICE_TEST_TIMES=1 prints times. */
#include "../support/support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/eval_score.h"
#include "net/exact_math.h"
#include "net/score_kernels.h"

/* ---- the plain version: the C library rounds and scales, the series is summed in scalars */

static double plain_exp(double x) {
    if (x < -746) return 0;
    double k = nearbyint(x * 1.4426950408889634074), factorial[14] = {1}, y;
    for (int d = 1; d < 14; d++) factorial[d] = d * factorial[d - 1];
    double r = x - k * 0x1.62e42feep-1 - k * 0x1.a39ef35793c76p-33;
    y = 1 / factorial[13];
    for (int d = 12; d >= 0; d--) y = y * r + 1 / factorial[d];
    return ldexp(y, (int)k);
}

static double plain_log(double x) {
    int k;
    double m = frexp(x, &k); /* in [1/2, 1) */
    if (m < 0x1.6a09e667f3bcdp-1) {
        m *= 2;
        k--;
    }
    double t = (m - 1) / (m + 1), t2 = t * t, y = 1.0 / 21;
    for (int d = 19; d >= 3; d -= 2) y = y * t2 + 1.0 / d;
    return k * 0x1.62e42feep-1 + ((t + t) + (k * 0x1.a39ef35793c76p-33 + (t + t) * t2 * y));
}

static double plain_loss(const double *z, size_t classes, size_t label) {
    double top = z[0], sum = 0;
    for (size_t k = 0; k < classes; k++) {
        if (!isfinite(z[k])) return INFINITY;
        if (z[k] > top) top = z[k];
    }
    for (size_t k = 0; k < classes; k++) sum += plain_exp(z[k] - top);
    return plain_log(sum) + (top - z[label]);
}

/* Tells 0 from -0. */
static void assert_same_bits(double a, double b, const char *what, size_t i) {
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    if (x != y) fail_msg("%s, case %zu: %a, wanted %a", what, i, a, b);
}

static void exp_and_log_equal_the_plain_ones(void **state) {
    (void)state;
    cop_rng rng = cop_rng_at(21, 0, 0, COP_FOR_TEST);
    for (size_t i = 0; i < 300000; i++) {
        double u = cop_rng_uniform(&rng), x = i % 3 == 0   ? -760 * u
                                              : i % 3 == 1 ? -exp(-60 * u)
                                                           : -740 - 6.5 * u; /* subnormal results */
        assert_same_bits(cop_exact_exp(x), plain_exp(x), "exp", i);
        x = i % 3 == 0 ? 1 + 30 * u : i % 3 == 1 ? exp(1400 * u - 700) : 1 + ldexp(u, -30);
        assert_same_bits(cop_exact_log(x), plain_log(x), "log", i);
        x = ldexp(1 + u, -1023 - (int)(i % 51));
        assert_same_bits(cop_exact_log(x), plain_log(x), "log of subnormals", i);
    }
    static const double at[] = {0, -0.0, -745.13, -745.14, -746, -747, -708.4, -1e300, -DBL_MIN};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        assert_same_bits(cop_exact_exp(at[i]), plain_exp(at[i]), "exp", i);
    for (int k = 0; k < 1080; k++) { /* halves, where rounding to a whole k is a tie */
        double x = -(k + 0.5) / 1.4426950408889634074;
        assert_same_bits(cop_exact_exp(x), plain_exp(x), "exp at a half", (size_t)k);
    }
    assert_true(isnan(cop_exact_exp((double)NAN)) && isnan(cop_exact_log((double)NAN)));
    assert_true(cop_exact_exp((double)-INFINITY) == 0.0 && isinf(cop_exact_log((double)INFINITY)));
}

/* ---- lanes */

enum { MOST = 700 };

/* A logit of one of the kinds that could be wrong. */
static int64_t awkward(cop_rng *rng, size_t kind, size_t k) {
    int64_t small = (int64_t)cop_rng_below(rng, 4096) - 2048;
    switch (kind) {
    case 0:
        return small; /* 10 of 4096: rarely equal */
    case 1:
        return small % 3; /* mostly equal */
    case 2:
        return 7; /* all equal */
    case 3:
        return (small < 0 ? INT64_MIN : INT64_MAX) - small / 1024; /* both ends; double rounds */
    case 4: /* every bit of 64: the conversion rounds, halves to even among them */
        return (int64_t)((uint64_t)cop_rng_below(rng, 1u << 31) << 33 |
                         (uint64_t)cop_rng_below(rng, 3) << (k % 20) |
                         (uint64_t)cop_rng_below(rng, 2) << 9);
    case 5:
        return ((int64_t)1 << 53) + small / 512; /* integers that are one double */
    case 6:
        return k == 3 ? 0 : -((int64_t)1 << (k % 63)); /* one far above the others */
    case 7:
        return -(int64_t)k * 1000 - small; /* exponentials down to nothing */
    default:
        return 740000 + small - (int64_t)(k % 2) * 742000; /* subnormal exponentials */
    }
}

static void compare(const cop_score_kernel *kernel, const int64_t *logit, size_t classes,
                    double factor, const int32_t *label, size_t n, size_t i) {
    uint64_t correct = 3, wanted_correct = 3;
    double loss = 0.1, wanted = 0.1, *z = COP_NEW_ARRAY(double, classes);
    uint16_t prediction[16];
    memset(prediction, 0xee, sizeof prediction);
    kernel->lanes(logit, classes, factor, label, n, prediction, &correct, &loss);
    for (size_t l = 0; l < 16; l++) {
        size_t best = 0;
        if (l >= n) {
            assert_int_equal(prediction[l], 0xeeee);
            continue;
        }
        for (size_t k = 0; k < classes; k++) {
            if (logit[k * 16 + l] > logit[best * 16 + l]) best = k;
            z[k] = (double)logit[k * 16 + l] * factor;
        }
        if (prediction[l] != best)
            fail_msg("%s, case %zu, lane %zu: class %d, wanted %zu", kernel->name, i, l,
                     prediction[l], best);
        wanted_correct += best == (size_t)label[l];
        double one = plain_loss(z, classes, (size_t)label[l]);
        assert_same_bits(cop_score_loss(z, classes, (size_t)label[l]), one, "one sample", i);
        wanted += one;
    }
    assert_same_bits(loss, wanted, kernel->name, i);
    assert_int_equal(correct, wanted_correct);
    double again = 0.1;
    uint64_t count = 3;
    kernel->lanes(logit, classes, factor, label, n, NULL, &count, &again);
    assert_same_bits(again, wanted, kernel->name, i);
    assert_int_equal(count, wanted_correct);
    /* and from the same logits as doubles, if they are finite and so keep their order */
    double *real = COP_NEW_ARRAY(double, classes * 16);
    bool finite = true, apart = true;
    for (size_t k = 0; k < classes * 16; k++) {
        real[k] = (double)logit[k] * factor;
        finite &= isfinite(real[k]) != 0;
    }
    for (size_t l = 0; l < n; l++) { /* rounding may make a tie of what is none */
        size_t best = 0;
        for (size_t k = 0; k < classes; k++)
            if (real[k * 16 + l] > real[best * 16 + l]) best = k;
        apart &= best == prediction[l];
    }
    again = 0.1;
    count = 3;
    if (finite) kernel->reals(real, classes, label, n, NULL, &count, &again);
    if (finite) assert_same_bits(again, wanted, kernel->name, i);
    if (finite && apart) assert_int_equal(count, wanted_correct);
    cop_free(real);
    cop_free(z);
}

static void lanes_equal_the_plain_version(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 10, 10, 10, 26, 64, 65, MOST};
    static const double factors[] = {1, 0.001, 1.0 / 726.3, 0x1p-63, 1e-300, 5e-324,
                                     0, 8,     1e292,       1e308,   0.37};
    size_t count;
    const cop_score_kernel *const *all = cop_score_kernels(&count);
    int64_t *logit = COP_NEW_ARRAY(int64_t, MOST * 16);
    for (size_t v = 0; v < count; v++) {
        print_message("# variant %s\n", all[v]->name);
        for (uint32_t i = 0; i < 3000; i++) {
            cop_rng rng = cop_rng_at(22, i, 0, COP_FOR_TEST);
            size_t classes = sizes[cop_rng_below(&rng, 10)], n = 1 + cop_rng_below(&rng, 16);
            size_t kind = cop_rng_below(&rng, 9), mixed = cop_rng_below(&rng, 3);
            double factor = factors[cop_rng_below(&rng, 11)];
            int32_t label[16];
            if (classes == MOST && i % 8) continue;
            for (size_t l = 0; l < 16; l++) {
                label[l] = (int32_t)cop_rng_below(&rng, (uint32_t)classes);
                for (size_t k = 0; k < classes; k++)
                    logit[k * 16 + l] =
                        awkward(&rng, mixed || l >= n ? cop_rng_below(&rng, 9) : kind, k);
            }
            compare(all[v], logit, classes, factor, label, n, i);
        }
    }
    cop_free(logit);
}

static void a_logit_beyond_doubles_makes_the_loss_infinite(void **state) {
    (void)state;
    size_t count;
    const cop_score_kernel *const *all = cop_score_kernels(&count);
    int64_t *logit = COP_NEW_ARRAY(int64_t, 48);
    int32_t label[16] = {0};
    for (size_t l = 0; l < 16; l++) logit[32 + l] = l == 5 ? INT64_MIN : 1;
    for (size_t v = 0; v < count; v++) {
        double loss = 0;
        uint64_t correct = 0;
        all[v]->lanes(logit, 3, 1e300, label, 5, NULL, &correct, &loss);
        assert_true(loss == 5 * 1e300);
        all[v]->lanes(logit, 3, 1e300, label, 6, NULL, &correct, &loss);
        assert_true(isinf(loss) && loss > 0);
        loss = 0; /* 0 times infinity is no number */
        all[v]->lanes(logit, 3, (double)INFINITY, label, 1, NULL, &correct, &loss);
        assert_true(isinf(loss) && loss > 0);
        assert_int_equal(correct, 1);
    }
    cop_free(logit);
}

/* No test: processor time per sample of the variants and of the plain loop over cop_score_loss. */
static void times(void **state) {
    (void)state;
    if (!getenv("COPPICE_TEST_TIMES")) return;
    enum { GROUPS = 64, CLASSES = 10, TIMES = 50 };
    size_t count;
    const cop_score_kernel *const *all = cop_score_kernels(&count);
    int64_t *logit = COP_NEW_ARRAY(int64_t, GROUPS * CLASSES * 16);
    int32_t label[GROUPS * 16];
    cop_rng rng = cop_rng_at(23, 0, 0, COP_FOR_TEST);
    for (size_t i = 0; i < (size_t)GROUPS * CLASSES * 16; i++)
        logit[i] = (int64_t)cop_rng_below(&rng, 40000) - 20000;
    for (size_t i = 0; i < (size_t)GROUPS * 16; i++) label[i] = (int32_t)cop_rng_below(&rng, 10);
    for (size_t v = 0; v <= count; v++) {
        double best = INFINITY, loss = 0;
        uint64_t correct = 0;
        for (size_t t = 0; t < TIMES; t++) {
            clock_t start = clock();
            for (size_t repeat = 0; repeat < 20; repeat++)
                for (size_t g = 0; g < GROUPS; g++) {
                    const int64_t *in = logit + g * CLASSES * 16;
                    if (v < count) {
                        all[v]->lanes(in, CLASSES, 0.001, label + g * 16, 16, NULL, &correct,
                                      &loss);
                        continue;
                    }
                    for (size_t l = 0; l < 16; l++) {
                        double z[CLASSES];
                        for (size_t k = 0; k < CLASSES; k++) z[k] = (double)in[k * 16 + l] * 0.001;
                        loss += cop_score_loss(z, CLASSES, (size_t)label[g * 16 + l]);
                    }
                }
            double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
            if (seconds < best) best = seconds;
        }
        print_message("# %s: %.1f ns per sample (%g)\n", v < count ? all[v]->name : "plain",
                      best / (20.0 * GROUPS * 16) * 1e9, loss);
    }
    cop_free(logit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_and_log_equal_the_plain_ones),
        cmocka_unit_test(lanes_equal_the_plain_version),
        cmocka_unit_test(a_logit_beyond_doubles_makes_the_loss_infinite),
        cmocka_unit_test(times),
    };
    return cmocka_run_group_tests_name("scores", tests, NULL, NULL);
}
