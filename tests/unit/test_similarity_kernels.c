/* Neighbourhood similarity: the fast version against a plain one written from the formulas, the
 * vector variants against each other. COPPICE_TEST_TIMES=1 prints times. */
#include "../support/support.h"

#include "coppice/net.h"
#include "net/exact_math.h"
#include "net/similarity_kernels.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Hash of three whole numbers. */
static int64_t mix(size_t a, size_t b, uint32_t c) {
    uint32_t x = (uint32_t)a * 0x9E3779B1u + (uint32_t)b * 0x85EBCA77u + c * 0xC2B2AE3Du;
    x ^= x >> 15;
    x *= 0x2C1B3C6Du;
    x ^= x >> 12;
    x *= 0x297A2D39u;
    x ^= x >> 15;
    return x;
}

static double *neighbours(const double *rows, size_t n, size_t width, double perplexity) {
    double *p = COP_NEW_ARRAY(double, n *(n - 1) / 2);
    cop_similarity_neighbours(rows, n, width, perplexity, p);
    return p;
}

/* ---- against a plain version: differences, the C library's exp and log, sums one by one */

static void plain_neighbours(const double *rows, size_t n, size_t width, double perplexity,
                             double *p) {
    double *d = COP_NEW_ARRAY(double, n *n), *c = COP_NEW_ARRAY(double, n *n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < width; k++)
                d[i * n + j] += pow(rows[i * width + k] - rows[j * width + k], 2);
    for (size_t i = 0; i < n; i++) {
        double low = -INFINITY, high = INFINITY, beta = 1;
        for (int step = 0; step < 100; step++) {
            double sum = 0, mean = 0;
            for (size_t j = 0; j < n; j++) {
                c[i * n + j] = i == j ? 0 : exp(-d[i * n + j] * beta);
                sum += c[i * n + j];
            }
            if (sum == 0) sum = 1e-8;
            for (size_t j = 0; j < n; j++) mean += d[i * n + j] * (c[i * n + j] /= sum);
            double above = log(sum) + beta * mean - log(perplexity);
            if (fabs(above) <= 1e-5) break;
            if (above > 0) {
                low = beta;
                beta = isinf(high) ? beta * 2 : (beta + high) / 2;
            } else {
                high = beta;
                beta = isinf(low) ? beta / 2 : (beta + low) / 2;
            }
        }
    }
    double total = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) total += c[i * n + j] + c[j * n + i];
    size_t to = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            p[to++] = fmax((c[i * n + j] + c[j * n + i]) / fmax(total, DBL_EPSILON), DBL_EPSILON);
    cop_free(d);
    cop_free(c);
}

/* The kinds of rows that make a search or a distance difficult. */
static double awkward(int kind, size_t i, size_t k) {
    double noise = (double)(mix(i, k, 50) % 4096) / 4096;
    switch (kind) {
    case 0:
        return noise;
    case 1:
        return 1e6 + noise * 1e-3; /* nearly equal: dot products cancel */
    case 2:
        return 40 * (double)(i / 5) + noise; /* far groups of 5: weights underflow */
    case 3:
        return i % 5 ? noise : 0; /* a fifth of the samples coincide */
    case 4:
        return k == 7 && i == 3 ? 1e9 : noise; /* an outlier */
    case 5:
        return k % 3 ? 5.0 : noise * 1e-6; /* constant features, tiny scale */
    default:
        return exp(30 * noise) * (double)(k == 0); /* distances over 26 decades */
    }
}

static void fast_agrees_with_plain(void **state) {
    (void)state;
    const size_t sizes[] = {2, 3, 8, 9, 64, 100, 129};
    const size_t widths[] = {1, 7, 8, 30, 257, 600};
    for (int kind = 0; kind < 7; kind++)
        for (size_t s = 0; s < 7; s++)
            for (size_t w = 0; w < 6; w++) {
                size_t n = sizes[s], width = widths[w], pairs = n * (n - 1) / 2;
                if (n * n * width > 300000 && kind > 0) continue;
                double *rows = COP_NEW_ARRAY(double, n *width);
                for (size_t i = 0; i < n; i++)
                    for (size_t k = 0; k < width; k++) rows[i * width + k] = awkward(kind, i, k);
                double *plain = COP_NEW_ARRAY(double, pairs),
                       *fast = neighbours(rows, n, width, 30);
                plain_neighbours(rows, n, width, 30, plain);
                for (size_t i = 0; i < pairs; i++)
                    assert_near(fast[i], plain[i], 1e-9 * plain[i] + 1e-15);
                cop_free(rows);
                cop_free(plain);
                cop_free(fast);
            }
}

static void variants_give_the_same_bits(void **state) {
    (void)state;
    size_t count;
    const cop_similarity_kernel *const *all = cop_similarity_kernels(&count);
    enum { N = 40, WIDTH = 53 };
    double *columns = COP_NEW_ARRAY(double, N *WIDTH);
    for (size_t i = 0; i < N * WIDTH; i++) columns[i] = (double)mix(i, 0, 60) / 1e9 - 1;
    double *first = COP_NEW_ARRAY(double, N *N);
    double *sums = COP_NEW_ARRAY(double, N * 2 + 3), *seen = COP_NEW_ARRAY(double, N * 2 + 3);
    for (size_t v = 0; v < count; v++) {
        print_message("# variant %s\n", all[v]->name);
        double *g = COP_NEW_ARRAY(double, N *N);
        all[v]->products(columns, WIDTH, N, g);
        for (size_t i = 0; i < N; i++) /* below the diagonal variants differ in what they fill in */
            for (size_t j = 0; j < i; j++) g[i * N + j] = 0;
        if (v == 0) memcpy(first, g, N * N * sizeof *g);
        assert_memory_equal(first, g, N * N * sizeof *g);
        double *distance = COP_NEW_ARRAY(double, 2 * N);
        for (size_t i = 0; i < 2 * N; i++) distance[i] = 10 * (double)i + fabs(columns[i]);
        distance[5] = DBL_MAX;
        all[v]->weights(distance, 2 * N, 0.9876, seen, &seen[2 * N], &seen[2 * N + 1]);
        assert_true(seen[5] == 0.0);
        double p[37], q[37];
        for (size_t i = 0; i < 37; i++) {
            p[i] = fabs(columns[i]) + DBL_EPSILON;
            q[i] = i % 3 ? fabs(columns[i + 37]) + DBL_EPSILON : DBL_EPSILON;
        }
        seen[2 * N + 2] = all[v]->divergence(p, q, 37);
        if (v == 0) memcpy(sums, seen, (N * 2 + 3) * sizeof *seen);
        assert_memory_equal(sums, seen, (N * 2 + 3) * sizeof *seen);
        double wanted = 0;
        for (size_t i = 0; i < 37; i++) wanted += p[i] * log(p[i] / q[i]);
        assert_near(seen[2 * N + 2], wanted, 1e-13 * wanted);
        cop_free(distance);
        cop_free(g);
    }
    cop_free(columns);
    cop_free(first);
    cop_free(sums);
    cop_free(seen);
}

static void exp_and_log_are_good_to_the_last_places(void **state) {
    (void)state;
    size_t count;
    const cop_similarity_kernel *const *all = cop_similarity_kernels(&count);
    double *d = COP_NEW_ARRAY(double, 8), *e = COP_NEW_ARRAY(double, 8);
    for (int step = 0; step < 20000; step++) {
        for (int l = 0; l < 8; l++) d[l] = 750.0 * (step + l / 8.0) / 20000;
        double sum, moment;
        all[step % (int)count]->weights(d, 8, 1, e, &sum, &moment);
        for (int l = 0; l < 8; l++)
            assert_near(e[l], exp(-d[l]), 2 * DBL_EPSILON * exp(-d[l]) + 0x1p-1074);
        double x = exp(d[step % 8] - 350);
        assert_near(cop_exact_log(x), log(x), 2 * DBL_EPSILON * fabs(log(x)));
        x = 1 + (step - 10000) * 1e-9;
        assert_near(cop_exact_log(x), log(x), 2 * DBL_EPSILON * fabs(log(x)));
    }
    assert_near(cop_exact_log(0x1p-1074), -1074 * log(2), 1e-12);
    assert_true(isinf(cop_exact_log(0)) && cop_exact_log(1) == 0.0);
    cop_free(d);
    cop_free(e);
}

/* No test: the table of docs/similarity.md for this machine. */
/* (width, COP_UNIT_STRIDE(n)) with something else behind the samples. */
static double *turned(const double *rows, size_t n, size_t width) {
    size_t stride = COP_UNIT_STRIDE(n);
    double *units = cop_alloc(width * stride, sizeof *units);
    for (size_t k = 0; k < width; k++)
        for (size_t i = 0; i < stride; i++)
            units[k * stride + i] = i < n ? rows[i * width + k] : i % 2 ? NAN : 1e300;
    return units;
}

static void units_give_the_same_bits(void **state) {
    (void)state;
    for (uint32_t c = 0; c < 60; c++) {
        cop_rng rng = cop_rng_at(9, c, 0, COP_FOR_TEST);
        size_t n = 2 + (size_t)cop_rng_below(&rng, 59),
               width = 1 + (size_t)cop_rng_below(&rng, c % 10 ? 40 : 600);
        double *rows = COP_NEW_ARRAY(double, n *width), scale = c % 3 ? 1 : 1e-3;
        for (size_t i = 0; i < n * width; i++)
            rows[i] = i % width % 5 == 0 ? 2 : scale * fmax(0, cop_rng_normal(&rng));
        if (c % 4 == 0) /* samples that nearly coincide */
            for (size_t k = 0; k < width; k++) rows[width * (n - 1) + k] = rows[k] * (1 + 1e-9);
        double *p = neighbours(rows, n, width, 1.5), *units = turned(rows, n, width);
        double *q = COP_NEW_ARRAY(double, n *(n - 1) / 2);
        cop_similarity_neighbours_by_unit(units, n, width, 1.5, q);
        assert_memory_equal(p, q, n * (n - 1) / 2 * sizeof *p);
        cop_free(p);
        cop_free(q);
        cop_free(rows);
        cop_free(units);
    }
}

/* The quickest of many calls: the others waited for somebody. */
static void times(void **state) {
    (void)state;
    if (!getenv("COPPICE_TEST_TIMES")) return;
    const size_t widths[] = {128, 142, 256, 21632, 36864};
    enum { PAIRS = 100 * 99 / 2 };
    double *first = COP_NEW_ARRAY(double, PAIRS), *p = COP_NEW_ARRAY(double, PAIRS);
    for (size_t w = 0; w < 5; w++) {
        double *rows = COP_NEW_ARRAY(double, 100 * widths[w]), least[3] = {1e9, 1e9, 1e9}, sum = 0;
        for (size_t i = 0; i < 100; i++)
            for (size_t k = 0; k < widths[w]; k++) {
                int64_t v = mix(i % 10, k, 1) % 64 + mix(i, k, 2) % 32 - 40;
                rows[i * widths[w] + k] = v > 0 ? (double)v : 0;
            }
        double *units = turned(rows, 100, widths[w]);
        for (size_t k = 0; k < 400000 / widths[w] + 2; k++) {
            double t[4] = {cop_clock()};
            cop_similarity_neighbours(rows, 100, widths[w], 30, p);
            t[1] = cop_clock();
            cop_similarity_neighbours_by_unit(units, 100, widths[w], 30, p);
            t[2] = cop_clock();
            if (w == 0) memcpy(first, p, PAIRS * sizeof *p);
            sum = cop_similarity_loss(first, p, 100);
            t[3] = cop_clock();
            for (size_t l = 0; l < 3; l++) least[l] = fmin(least[l], t[l + 1] - t[l]);
        }
        print_message("# width %zu: neighbours %.0f us, by unit %.0f us, loss %.0f us (%g)\n",
                      widths[w], least[0] * 1e6, least[1] * 1e6, least[2] * 1e6, sum);
        cop_free(rows);
        cop_free(units);
    }
    cop_free(first);
    cop_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fast_agrees_with_plain),
        cmocka_unit_test(variants_give_the_same_bits),
        cmocka_unit_test(exp_and_log_are_good_to_the_last_places),
        cmocka_unit_test(units_give_the_same_bits),
        cmocka_unit_test(times),
    };
    return cmocka_run_group_tests_name("similarity kernels", tests, NULL, NULL);
}
