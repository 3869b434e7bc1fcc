/* Neighbourhood similarity: against scikit-learn's numbers, against a plain version written from
 * the formulas, and the properties that docs/similarity.md promises. */
#include "../support/support.h"

#include "coppice/net.h"

#include <float.h>
#include <math.h>
#include <zlib.h>

#include "similarity_fixture.h"

/* ---- the formulas of tests/support/make_similarity_fixture.py */

static int64_t mix(size_t a, size_t b, uint32_t c) {
    uint32_t x = (uint32_t)a * 0x9E3779B1u + (uint32_t)b * 0x85EBCA77u + c * 0xC2B2AE3Du;
    x ^= x >> 15;
    x *= 0x2C1B3C6Du;
    x ^= x >> 12;
    x *= 0x297A2D39u;
    x ^= x >> 15;
    return x;
}

static double *activations(size_t n, size_t width, uint32_t noise, double scale) {
    double *rows = COP_NEW_ARRAY(double, n *width);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < width; k++) {
            int64_t v = mix(i % 10, k, 1) % 64 + mix(i, k, noise) % 32 - 40;
            rows[i * width + k] = (double)(v > 0 ? v : 0) / 16 * scale;
        }
    return rows;
}

static double *neighbours(const double *rows, size_t n, size_t width, double perplexity) {
    double *p = COP_NEW_ARRAY(double, n *(n - 1) / 2);
    cop_similarity_neighbours(rows, n, width, perplexity, p);
    return p;
}

static double *formula_images(void) {
    double *x = COP_NEW_ARRAY(double, 100 * 784);
    for (size_t i = 0; i < 100; i++)
        for (size_t b = 0; b < 3; b++) {
            int64_t cx = 4 + mix(i % 10, b, 20) % 20 + mix(i, b, 21) % 5 - 2;
            int64_t cy = 4 + mix(i % 10, b, 22) % 20 + mix(i, b, 23) % 5 - 2;
            int64_t steep = 4 + mix(i, b, 24) % 8;
            for (int64_t at = 0; at < 784; at++) {
                int64_t dx = at % 28 - cx, dy = at / 28 - cy;
                double grey = (double)(255 - (dx * dx + dy * dy) * steep) / 255;
                double *pixel = &x[i * 784 + (size_t)at];
                if (grey > *pixel) *pixel = grey;
            }
        }
    return x;
}

typedef struct hidden_layer {
    size_t outputs, inputs;
    double *weight, *bias;
} hidden_layer;

static hidden_layer make_layer(size_t inputs, uint32_t seed) {
    hidden_layer l = {256, inputs, COP_NEW_ARRAY(double, 256 * inputs), COP_NEW_ARRAY(double, 256)};
    for (size_t o = 0; o < 256; o++) {
        bool dead = o % 10 == 3;
        int64_t gain = dead ? 50 : 200 + mix(o, 0, seed + 1) % 1000;
        for (size_t k = 0; k < inputs; k++)
            l.weight[o * inputs + k] = (double)((mix(o, k, seed) % 2001 - 1000) * gain) / 8388608;
        l.bias[o] = dead ? -100 : (double)(mix(o, 0, seed + 2) % 2001 - 1000) / 32768;
    }
    return l;
}

/* Units that stay when the @p layer is cut to @p width: the largest L1 norms, in their old order.
 */
static void keep_largest(const hidden_layer *layer, size_t width, bool *kept) {
    double norm[256] = {0};
    for (size_t o = 0; o < 256; o++)
        for (size_t k = 0; k < layer->inputs; k++)
            norm[o] += fabs(layer->weight[o * layer->inputs + k]);
    for (size_t o = 0; o < 256; o++) {
        size_t larger = 0;
        for (size_t other = 0; other < 256; other++) larger += norm[other] > norm[o];
        kept[o] = larger < width;
    }
}

/* relu(x W^T + b) of the units in @p kept, from the inputs in @p kept_in: dense, no gaps. */
static double *forward(const hidden_layer *l, const double *x, const bool *kept_in,
                       const bool *kept) {
    size_t in = 0, out = 0;
    for (size_t k = 0; k < l->inputs; k++) in += !kept_in || kept_in[k];
    for (size_t o = 0; o < 256; o++) out += kept[o];
    double *y = COP_NEW_ARRAY(double, 100 * out);
    for (size_t i = 0; i < 100; i++) {
        size_t to = 0;
        for (size_t o = 0; o < 256; o++) {
            if (!kept[o]) continue;
            double sum = 0;
            size_t from = 0;
            for (size_t k = 0; k < l->inputs; k++)
                if (!kept_in || kept_in[k])
                    sum += l->weight[o * l->inputs + k] * x[i * in + from++];
            sum += l->bias[o];
            y[i * out + to++] = sum > 0 ? sum : 0;
        }
    }
    return y;
}

/* Neighbour probabilities of both hidden layers of the net cut to @p width units. */
static void net_neighbours(const hidden_layer *l1, const hidden_layer *l2, const double *x,
                           size_t width, double *p[2]) {
    bool keep1[256], keep2[256];
    keep_largest(l1, width, keep1);
    keep_largest(l2, width, keep2);
    double *h1 = forward(l1, x, NULL, keep1), *h2 = forward(l2, h1, keep1, keep2);
    p[0] = neighbours(h1, 100, width, 30);
    p[1] = neighbours(h2, 100, width, 30);
    cop_free(h1);
    cop_free(h2);
}

static void check_net(const double *x, const struct similarity_net *wanted, size_t count) {
    hidden_layer l1 = make_layer(784, 30), l2 = make_layer(256, 40);
    double *base[2];
    net_neighbours(&l1, &l2, x, 256, base);
    for (size_t c = 0; c < count; c++) {
        double *child[2], dead[100] = {0};
        if (wanted[c].width) net_neighbours(&l1, &l2, x, wanted[c].width, child);
        for (size_t l = 0; l < 2; l++) {
            if (!wanted[c].width) child[l] = neighbours(dead, 100, 1, 30);
            double seen = cop_similarity_loss(base[l], child[l], 100);
            /* 6 digits: the library's distances are float */
            assert_near(seen, wanted[c].loss[l], 1e-6 * wanted[c].loss[l] + 1e-13);
            assert_near(seen, wanted[c].exact[l], 1e-10 * wanted[c].exact[l] + 1e-13);
            cop_free(child[l]);
        }
    }
    cop_free(base[0]);
    cop_free(base[1]);
    cop_free(l1.weight);
    cop_free(l1.bias);
    cop_free(l2.weight);
    cop_free(l2.bias);
}

/* ---- against the library */

static void pairs_agree_with_scikit_learn(void **state) {
    (void)state;
    for (size_t c = 0; c < sizeof SIMILARITY_PAIRS / sizeof *SIMILARITY_PAIRS; c++) {
        const struct similarity_pair *w = &SIMILARITY_PAIRS[c];
        double *base = activations(w->n, w->base_width, 2, w->base_scale);
        double *child = activations(w->n, w->child_width, 3, w->child_scale);
        double *p = neighbours(base, w->n, w->base_width, w->perplexity);
        double *q = neighbours(child, w->n, w->child_width, w->perplexity);
        /* the library rounds distances to float, which is exact for the grid of scale 1 only */
        bool grid = w->base_scale == 1.0 && (w->child_scale == 1.0 || w->child_scale == 0.0);
        double tolerance = grid ? 1e-11 : 1e-7;
        assert_near(cop_similarity_loss(p, q, w->n), w->loss, tolerance * w->loss + 1e-14);
        double coarse = w->base_scale == 1.0 ? 1e-10 : 1e-5;
        assert_near(p[0], w->first, coarse * w->first);
        assert_near(p[w->n * (w->n - 1) / 2 - 1], w->last, coarse * w->last);
        cop_free(base);
        cop_free(child);
        cop_free(p);
        cop_free(q);
    }
}

static void pruned_nets_agree_on_formula_images(void **state) {
    (void)state;
    double *x = formula_images();
    check_net(x, SIMILARITY_FORMULA, sizeof SIMILARITY_FORMULA / sizeof *SIMILARITY_FORMULA);
    cop_free(x);
}

static void pruned_nets_agree_on_mnist(void **state) {
    (void)state;
    const char *file = "mnist/t10k-images-idx3-ubyte.gz";
    const char *dir = test_data_dir(file);
    if (!dir) skip();
    char *path = cop_sprintf("%s/%s", dir, file);
    gzFile in = gzopen(path, "rb");
    assert_non_null(in);
    static unsigned char bytes[16 + 100 * 784];
    assert_int_equal(gzread(in, bytes, sizeof bytes), sizeof bytes);
    gzclose(in);
    cop_free(path);
    double *x = COP_NEW_ARRAY(double, 100 * 784);
    for (size_t i = 0; i < 100 * 784; i++) x[i] = bytes[16 + i] / 255.0;
    check_net(x, SIMILARITY_MNIST, sizeof SIMILARITY_MNIST / sizeof *SIMILARITY_MNIST);
    cop_free(x);
}

/* ---- properties */

static void probabilities_sum_to_one_half(void **state) {
    (void)state;
    double *rows = activations(100, 64, 2, 1), *p = neighbours(rows, 100, 64, 30), sum = 0;
    for (size_t i = 0; i < 4950; i++) {
        assert_true(p[i] >= DBL_EPSILON);
        sum += p[i];
    }
    assert_near(sum, 0.5, 1e-13);
    assert_true(cop_similarity_loss(p, p, 100) == 0.0);
    cop_free(rows);
    cop_free(p);
}

static void scale_of_activations_does_not_matter(void **state) {
    (void)state;
    double *base = activations(100, 64, 2, 1), *p = neighbours(base, 100, 64, 30);
    double *child = activations(100, 40, 3, 1), *q = neighbours(child, 100, 40, 30);
    double loss = cop_similarity_loss(p, q, 100);
    assert_true(loss > 0.01);
    for (int power = -12; power <= 12; power += 3) {
        double *scaled = activations(100, 40, 3, pow(10, power)),
               *s = neighbours(scaled, 100, 40, 30);
        /* the search starts at 1, so it ends elsewhere inside its tolerance */
        assert_near(cop_similarity_loss(p, s, 100), loss, 1e-5 * loss);
        cop_free(scaled);
        cop_free(s);
    }
    cop_free(base);
    cop_free(p);
    cop_free(child);
    cop_free(q);
}

static void dead_layer_is_uniform(void **state) {
    (void)state;
    double rows[100];
    for (size_t i = 0; i < 100; i++) rows[i] = 3.25;
    double *q = neighbours(rows, 100, 1, 30);
    for (size_t i = 0; i < 4950; i++) assert_near(q[i], 1.0 / 9900, 1e-16);
    cop_free(q);
}

/* 49 neighbours at the same distance: no beta has perplexity 30 and the search runs until the
 * weights underflow. Whatever it says must be finite, and the same for equal layers. */
static void many_coinciding_samples_are_survived(void **state) {
    (void)state;
    double *rows = activations(100, 20, 2, 1);
    for (size_t i = 0; i < 100; i += 2)
        for (size_t k = 0; k < 20; k++) rows[i * 20 + k] = 0;
    double *p = neighbours(rows, 100, 20, 30), sum = 0;
    for (size_t i = 0; i < 4950; i++) sum += p[i];
    assert_near(sum, 0.5, 1e-12);
    double *other = activations(100, 20, 3, 1), *q = neighbours(other, 100, 20, 30);
    double loss = cop_similarity_loss(q, p, 100);
    assert_true(loss > 0 && loss < 100);
    cop_free(rows);
    cop_free(p);
    cop_free(other);
    cop_free(q);
}

static void activations_that_are_not_finite_give_nan(void **state) {
    (void)state;
    double *base = activations(100, 20, 2, 1), *p = neighbours(base, 100, 20, 30);
    const double bad[] = {NAN, INFINITY, 1e300};
    for (size_t k = 0; k < 3; k++) {
        base[77] = bad[k];
        double *q = neighbours(base, 100, 20, 30);
        assert_true(isnan(cop_similarity_loss(p, q, 100)));
        cop_free(q);
    }
    cop_free(base);
    cop_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_agree_with_scikit_learn),
        cmocka_unit_test(pruned_nets_agree_on_formula_images),
        cmocka_unit_test(pruned_nets_agree_on_mnist),
        cmocka_unit_test(probabilities_sum_to_one_half),
        cmocka_unit_test(scale_of_activations_does_not_matter),
        cmocka_unit_test(dead_layer_is_uniform),
        cmocka_unit_test(many_coinciding_samples_are_survived),
        cmocka_unit_test(activations_that_are_not_finite_give_nan),
    };
    return cmocka_run_group_tests_name("similarity", tests, NULL, NULL);
}
