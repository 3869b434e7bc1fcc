/* Tests and intervals; the distributions are those of the GNU Scientific Library. */
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coppice/report.h"

cop_sample cop_sample_of(const double *value, size_t count) {
    cop_sample s = {0, NAN, NAN, NAN, NAN};
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(value[i])) continue;
        sum += value[i];
        if (s.count == 0 || value[i] < s.least) s.least = value[i];
        if (s.count == 0 || value[i] > s.most) s.most = value[i];
        s.count++;
    }
    if (!s.count) return s;
    s.mean = sum / (double)s.count;
    /* in a second pass: the mean of accuracies is large beside their spread */
    for (size_t i = 0; i < count; i++)
        if (isfinite(value[i])) squares += (value[i] - s.mean) * (value[i] - s.mean);
    if (s.count > 1) s.sd = sqrt(squares / (double)(s.count - 1));
    return s;
}

cop_welch cop_welch_test(const cop_sample *a, const cop_sample *b, double level) {
    cop_welch w = {b->mean - a->mean, NAN, NAN, NAN, NAN, NAN};
    if (a->count < 2 || b->count < 2) return w;
    double va = a->sd * a->sd / (double)a->count, vb = b->sd * b->sd / (double)b->count;
    double se = sqrt(va + vb);
    if (!(se > 0)) return w; /* nothing varies: no test says anything */
    gsl_set_error_handler_off();
    w.t = w.difference / se;
    w.freedom = (va + vb) * (va + vb) /
                (va * va / ((double)a->count - 1) + vb * vb / ((double)b->count - 1));
    w.p = 2 * gsl_cdf_tdist_Q(fabs(w.t), w.freedom);
    double reach = gsl_cdf_tdist_Pinv(0.5 + level / 2, w.freedom) * se;
    w.low = w.difference - reach;
    w.high = w.difference + reach;
    return w;
}

/* ------------------------------------------------------------------ Mann and Whitney */

#define EXACT_MOST 40 /* values in a group; beyond, the normal curve is as good */

/* P(U <= u) for groups of n and m different values, by the recurrence over the largest of all:
 * P(n,m,u) = n/(n+m) P(n-1,m,u-m) + m/(n+m) P(n,m-1,u). */
static double exact_cdf(size_t n, size_t m, size_t u) {
    size_t width = n * m + 1;
    double *table = COP_NEW_ARRAY(double, (n + 1) * width), sum = 0;
    /* row i: groups of i and j values, j growing in place */
    for (size_t i = 0; i <= n; i++) table[i * width] = 1;
    for (size_t j = 1; j <= m; j++)
        for (size_t i = 1; i <= n; i++) /* row i-1 is of j already, row i still of j-1 */
            for (size_t k = i * j + 1; k-- > 0;) {
                double without = table[i * width + k];
                double with = k >= j ? table[(i - 1) * width + k - j] : 0;
                table[i * width + k] = ((double)i * with + (double)j * without) / (double)(i + j);
            }
    for (size_t k = 0; k <= u && k < width; k++) sum += table[n * width + k];
    cop_free(table);
    return sum;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sum of t^3 - t over groups of t equal values. */
static double ties(const double *a, size_t n, const double *b, size_t m) {
    double *all = COP_NEW_ARRAY(double, n + m), sum = 0;
    memcpy(all, a, n * sizeof *all);
    memcpy(all + n, b, m * sizeof *all);
    qsort(all, n + m, sizeof *all, by_value);
    for (size_t i = 0, k; i < n + m; i = k) {
        for (k = i; k < n + m && !(all[k] > all[i]); k++)
            ;
        double t = (double)(k - i);
        sum += t * t * t - t;
    }
    cop_free(all);
    return sum;
}

cop_mann_whitney cop_mann_whitney_test(const double *a, size_t n, const double *b, size_t m) {
    cop_mann_whitney w = {NAN, NAN, false};
    if (!n || !m) return w;
    double u = 0, tied = ties(a, n, b, m), all = (double)(n + m), pairs = (double)n * (double)m;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < m; k++) u += b[k] > a[i] ? 1 : b[k] < a[i] ? 0 : 0.5;
    w.u = u;
    double tail = u < pairs - u ? u : pairs - u;
    if (!(tied > 0) && n <= EXACT_MOST && m <= EXACT_MOST) {
        w.exact = true;
        w.p = 2 * exact_cdf(n, m, (size_t)tail);
    } else {
        double variance = pairs / 12 * (all + 1 - tied / (all * (all - 1)));
        if (!(variance > 0)) return w; /* all values are equal */
        gsl_set_error_handler_off();
        w.p = 2 * gsl_cdf_ugaussian_Q((pairs / 2 - tail - 0.5) / sqrt(variance));
    }
    if (w.p > 1) w.p = 1;
    return w;
}

/* ------------------------------------------------------------------ counts */

double cop_mcnemar_test(uint64_t only_a, uint64_t only_b) {
    uint64_t less = only_a < only_b ? only_a : only_b, all = only_a + only_b;
    COP_ASSERT(all <= UINT32_MAX);
    if (!all) return 1;
    gsl_set_error_handler_off();
    double p = 2 * gsl_cdf_binomial_P((unsigned)less, 0.5, (unsigned)all);
    return p > 1 ? 1 : p;
}

void cop_wilson_interval(uint64_t right, uint64_t all, double level, double *low, double *high) {
    *low = 0;
    *high = 1;
    if (!all) return;
    gsl_set_error_handler_off();
    double z = gsl_cdf_ugaussian_Pinv(0.5 + level / 2), n = (double)all, p = (double)right / n;
    double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    double reach = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    *low = right == 0 ? 0 : middle - reach;
    *high = right == all ? 1 : middle + reach;
}

/* The share p at which the beta distribution (a, b) is @p area. GSL's inverse does not always find
 * it for samples in the thousands, its distribution is right; 60 halvings give all digits. */
static double beta_quantile(double area, double a, double b) {
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        double middle = 0.5 * (low + high);
        *(gsl_cdf_beta_P(middle, a, b) < area ? &low : &high) = middle;
    }
    return 0.5 * (low + high);
}

void cop_clopper_pearson_interval(uint64_t right, uint64_t all, double level, double *low,
                                  double *high) {
    *low = 0;
    *high = 1;
    COP_ASSERT(right <= all);
    if (!all) return;
    gsl_set_error_handler_off();
    double k = (double)right, n = (double)all, tail = (1 - level) / 2;
    if (right > 0) *low = beta_quantile(tail, k, n - k + 1);
    if (right < all) *high = beta_quantile(1 - tail, k + 1, n - k);
}

/* ------------------------------------------------------------------ several tests at once */

void cop_holm_adjust(const double *p, size_t count, double *adjusted) {
    size_t *order = COP_NEW_ARRAY(size_t, count), tests = 0;
    for (size_t i = 0; i < count; i++) {
        adjusted[i] = NAN;
        if (isnan(p[i])) continue;
        size_t at = tests++;
        for (; at > 0 && p[order[at - 1]] > p[i]; at--) order[at] = order[at - 1];
        order[at] = i;
    }
    double most = 0;
    for (size_t k = 0; k < tests; k++) {
        double scaled = (double)(tests - k) * p[order[k]];
        if (scaled > most) most = scaled;
        adjusted[order[k]] = most < 1 ? most : 1;
    }
    cop_free(order);
}
