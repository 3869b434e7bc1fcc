/* Tests and intervals beside those of scipy 1.10.1, whose calls stand beside the numbers. */
#include "../support/support.h"

#include "coppice/report.h"

#include <math.h>
#include <string.h>

static const double A[] = {93.59, 92.1, 94.4, 93.0, 95.2, 93.8, 92.95, 94.05, 93.31, 93.7};
static const double B[] = {95.84, 94.9, 96.1, 95.5, 96.8, 95.33, 94.2, 96.45};
static const double C[] = {93.59, 92.1, 92.1, 96.0, 95.84, 93.0};
static const double D[] = {1, 2, 3}, E[] = {4, 5, 6, 7};
#define OF(x) x, sizeof(x) / sizeof *(x)

static void close_to(double seen, double wanted) {
    assert_near(seen, wanted, 1e-10 * fabs(wanted));
}

static void samples_leave_out_what_is_not_finite(void **state) {
    (void)state;
    const double values[] = {4, NAN, 7, INFINITY, 13, -INFINITY};
    cop_sample s = cop_sample_of(values, 6);
    assert_int_equal(s.count, 3);
    assert_near(s.mean, 8, 0);
    assert_near(s.sd, sqrt(21), 1e-15); /* numpy.std([4, 7, 13], ddof=1) */
    assert_near(s.least, 4, 0);
    assert_near(s.most, 13, 0);
    s = cop_sample_of(values, 2);
    assert_int_equal(s.count, 1);
    assert_true(isnan(s.sd) && s.mean > 3.9);
    s = cop_sample_of(values, 0);
    assert_true(s.count == 0 && isnan(s.mean) && isnan(s.least));
    /* a large mean must not swallow the spread */
    const double large[] = {1e9 + 1, 1e9 + 2, 1e9 + 3};
    assert_near(cop_sample_of(large, 3).sd, 1, 1e-12);
}

static void welch_is(const double *a, size_t n, const double *b, size_t m, const double wanted[6]) {
    cop_sample x = cop_sample_of(a, n), y = cop_sample_of(b, m);
    cop_welch w = cop_welch_test(&x, &y, 0.95);
    const double seen[6] = {w.difference, w.t, w.freedom, w.p, w.low, w.high};
    for (int i = 0; i < 4; i++) close_to(seen[i], wanted[i]);
    /* the library's inverse of the t distribution is good to nine digits */
    for (int i = 4; i < 6; i++) assert_near(seen[i], wanted[i], 1e-8 * fabs(wanted[i]));
    w = cop_welch_test(&y, &x, 0.95); /* the other way round */
    close_to(w.p, wanted[3]);
    assert_near(w.low, -wanted[5], 1e-8 * fabs(wanted[5]));
}

/* scipy.stats.ttest_ind(b, a, equal_var=False); Welch's degrees of freedom; difference +-
 * scipy.stats.t.ppf(0.975, df) standard errors */
static void welch_as_scipy(void **state) {
    (void)state;
    welch_is(OF(A), OF(B),
             (double[]){2.0299999999999869, 5.0421640298208183, 15.220586939763157,
                        0.00013967189219083102, 1.1729498699426357, 2.8870501300573381});
    welch_is(OF(A), OF(C),
             (double[]){0.16166666666664753, 0.21076828928930944, 6.444559033271239,
                        0.83957588817409268, -1.6842588507565848, 2.00759218408988});
    welch_is(OF(D), OF(E),
             (double[]){3.5, 4.0414518843273806, 4.9591836734693873, 0.010076943347988853,
                        1.2682885185520085, 5.7317114814479915});
}

static void welch_says_nothing_where_there_is_nothing(void **state) {
    (void)state;
    const double same[] = {3, 3, 3}, other[] = {4, 4};
    cop_sample a = cop_sample_of(same, 3), b = cop_sample_of(other, 2), one = cop_sample_of(D, 1);
    cop_welch w = cop_welch_test(&a, &b, 0.95);
    assert_true(w.difference > 0.9 && isnan(w.p) && isnan(w.low));
    assert_true(isnan(cop_welch_test(&a, &one, 0.95).p));
}

/* scipy.stats.mannwhitneyu(b, a, alternative='two-sided', method='exact' or, with ties or many
 * values, 'asymptotic') */
static void mann_whitney_as_scipy(void **state) {
    (void)state;
    cop_mann_whitney w = cop_mann_whitney_test(OF(A), OF(B));
    assert_true(w.exact);
    assert_near(w.u, 77, 0);
    close_to(w.p, 0.00031994149641208463);
    w = cop_mann_whitney_test(OF(D), OF(E));
    assert_true(w.exact);
    assert_near(w.u, 12, 0);
    close_to(w.p, 0.057142857142857141);
    w = cop_mann_whitney_test(OF(E), OF(D));
    assert_near(w.u, 0, 0);
    close_to(w.p, 0.057142857142857141);
    w = cop_mann_whitney_test(OF(A), OF(C));
    assert_false(w.exact);
    assert_near(w.u, 28, 0);
    close_to(w.p, 0.87018743151253408);
    double a[50], b[45];
    for (int i = 0; i < 50; i++) a[i] = i;
    for (int i = 0; i < 45; i++) b[i] = i * 1.13 + 0.37;
    w = cop_mann_whitney_test(a, 50, b, 45);
    assert_false(w.exact);
    assert_near(w.u, 1157, 0);
    close_to(w.p, 0.81437395140391877);
    for (int i = 0; i < 40; i++) {
        a[i] = i * 37 % 101;
        b[i] = i * 53 % 103 + 20.5;
    }
    w = cop_mann_whitney_test(a, 40, b, 40);
    assert_true(w.exact);
    assert_near(w.u, 1051, 0);
    close_to(w.p, 0.015360755978223223);
    const double same[] = {3, 3, 3};
    assert_true(isnan(cop_mann_whitney_test(same, 3, same, 3).p));
    assert_true(isnan(cop_mann_whitney_test(same, 0, same, 3).p));
    assert_near(cop_mann_whitney_test(D, 1, E, 1).p, 1, 0);
}

/* scipy.stats.binomtest(min(x, y), x + y, 0.5).pvalue */
static void mcnemar_as_scipy(void **state) {
    (void)state;
    close_to(cop_mcnemar_test(10, 3), 0.09228515625);
    close_to(cop_mcnemar_test(3, 10), 0.09228515625);
    close_to(cop_mcnemar_test(0, 5), 0.0625);
    assert_near(cop_mcnemar_test(7, 7), 1, 0);
    assert_near(cop_mcnemar_test(0, 0), 1, 0);
    close_to(cop_mcnemar_test(489, 33), 3.0854779154763765e-105);
    close_to(cop_mcnemar_test(1200, 1300), 0.047681865221043424);
}

/* scipy.stats.binomtest(k, n).proportion_ci(0.95, method='wilson') */
static void wilson_as_scipy(void **state) {
    (void)state;
    static const struct {
        uint64_t right, all;
        double low, high;
    } cases[] = {{0, 20, 0, 0.16112515805281935},
                 {20, 20, 0.83887484194718076, 1},
                 {9367, 10000, 0.93175773167180698, 0.94130688415124408},
                 {1, 3, 0.061491944720396263, 0.79234039919795229},
                 {1766, 7999, 0.21182335281754741, 0.22999990171206799},
                 {0, 0, 0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double low, high;
        cop_wilson_interval(cases[i].right, cases[i].all, 0.95, &low, &high);
        close_to(low, cases[i].low);
        close_to(high, cases[i].high);
    }
}

/* Binomial tails summed with 60 digits and solved by halving, in Python's decimal numbers. */
static void clopper_pearson_as_sums(void **state) {
    (void)state;
    static const struct {
        uint64_t right, all;
        double low, high;
    } cases[] = {{0, 20, 0, 0.16843347098308534},
                 {20, 20, 0.83156652901691464, 1},
                 {1, 3, 0.0084037586596126361, 0.9057006759497539},
                 {8130, 10000, 0.80521713182094024, 0.82060014321236374},
                 {1766, 7999, 0.21172861759155862, 0.23003044152877117},
                 {0, 0, 0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double low, high;
        cop_clopper_pearson_interval(cases[i].right, cases[i].all, 0.95, &low, &high);
        close_to(low, cases[i].low);
        close_to(high, cases[i].high);
    }
}

static void holm_by_hand(void **state) {
    (void)state;
    const double p[] = {0.04, NAN, 0.01, 0.03, 0.5}, want[] = {0.09, NAN, 0.04, 0.09, 0.5};
    double adjusted[5];
    cop_holm_adjust(p, 5, adjusted);
    for (size_t i = 0; i < 5; i++)
        if (i == 1)
            assert_true(isnan(adjusted[i]));
        else
            close_to(adjusted[i], want[i]);
    const double large[] = {0.6, 0.7};
    cop_holm_adjust(large, 2, adjusted);
    assert_near(adjusted[0], 1, 0);
    assert_near(adjusted[1], 1, 0);
    cop_holm_adjust(p, 0, adjusted);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_leave_out_what_is_not_finite),
        cmocka_unit_test(welch_as_scipy),
        cmocka_unit_test(welch_says_nothing_where_there_is_nothing),
        cmocka_unit_test(mann_whitney_as_scipy),
        cmocka_unit_test(mcnemar_as_scipy),
        cmocka_unit_test(wilson_as_scipy),
        cmocka_unit_test(clopper_pearson_as_sums),
        cmocka_unit_test(holm_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
