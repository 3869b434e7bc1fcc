/* The generators make what they say: construction of Madelon, glyphs that stay in place, label
 * noise. */
#include "data_support.h"

#include "data/glyph.h"

#include <math.h>

/* ------------------------------------------------------------------ binary-clusters */

#define CLUSTERS                                                                                   \
    "source = binary-clusters\nnormalise = none\nshuffle_features = no\nfeatures = 14\n"           \
    "informative = 3\nredundant = 4\nrepeated = 2\nclusters = 2\nclass_count = 3\n"                \
    "separation = 50\ntrain_samples = 3000\n"

/* Far apart, every point has the signs of its vertex: one vertex per cluster, all different. */
static void clusters_sit_at_distinct_vertices(void **state) {
    (void)state;
    cop_dataset *set = data_load(CLUSTERS, COP_SPLIT_TRAIN, NULL);
    int owner[8], found = 0;
    for (size_t v = 0; v < 8; v++) owner[v] = -1;
    for (size_t i = 0; i < set->samples; i++) {
        const float *x = set->x + i * 14;
        size_t vertex = (size_t)((x[0] > 0) | (x[1] > 0) << 1 | (x[2] > 0) << 2);
        for (size_t d = 0; d < 3; d++) assert_near(fabs((double)x[d]), 50, 12);
        if (owner[vertex] < 0) found++;
        if (owner[vertex] >= 0) assert_int_equal(owner[vertex], set->label[i]);
        owner[vertex] = set->label[i];
    }
    assert_int_equal(found, 6);
    cop_dataset_destroy(set);
}

/* Which class gets which vertex is drawn: class 0 does not always own the lowest ones. */
static void vertices_are_dealt_out_at_random(void **state) {
    (void)state;
    size_t owns_last = 0;
    for (int seed = 1; seed <= 20; seed++) {
        char *lines = cop_sprintf(CLUSTERS "seed = %d\ntrain_limit = 60", seed);
        cop_dataset *set = data_load(lines, COP_SPLIT_TRAIN, NULL);
        size_t highest = 0;
        int32_t owner = 0;
        for (size_t i = 0; i < set->samples; i++) {
            const float *x = set->x + i * 14;
            size_t vertex = (size_t)((x[0] > 0) | (x[1] > 0) << 1 | (x[2] > 0) << 2);
            if (vertex >= highest) {
                highest = vertex;
                owner = set->label[i];
            }
        }
        owns_last += owner == 0;
        cop_dataset_destroy(set);
        cop_free(lines);
    }
    assert_true(owns_last >= 1 && owns_last <= 15); /* 20 x 1/3 expected; outside: p < 0.001 */
}

/* Solve the 3 x 3 system of the redundant column f from three samples, then check it on the others.
 */
static void redundant_features_are_combinations(void **state) {
    (void)state;
    cop_dataset *set = data_load(CLUSTERS "seed = 4", COP_SPLIT_TRAIN, NULL);
    for (size_t f = 3; f < 7; f++) {
        double normal[3][4] = {{0}};
        for (size_t i = 0; i < set->samples; i++) {
            const float *x = set->x + i * 14;
            for (size_t a = 0; a < 3; a++) {
                for (size_t b = 0; b < 3; b++) normal[a][b] += (double)x[a] * (double)x[b];
                normal[a][3] += (double)x[a] * (double)x[f];
            }
        }
        for (size_t p = 0; p < 3; p++)
            for (size_t a = 0; a < 3; a++) {
                double factor = normal[a][p] / normal[p][p];
                for (size_t b = 0; b < 4 && a != p; b++) normal[a][b] -= factor * normal[p][b];
            }
        double weight[3];
        for (size_t a = 0; a < 3; a++) weight[a] = normal[a][3] / normal[a][a];
        for (size_t a = 0; a < 3; a++) assert_true(fabs(weight[a]) <= 1.0001);
        for (size_t i = 0; i < set->samples; i++) {
            const float *x = set->x + i * 14;
            double sum = 0;
            for (size_t a = 0; a < 3; a++) sum += weight[a] * (double)x[a];
            assert_near((double)x[f], sum, 1e-3);
        }
    }
    cop_dataset_destroy(set);
}

static void repeated_features_are_copies_and_probes_are_noise(void **state) {
    (void)state;
    cop_dataset *set = data_load(CLUSTERS, COP_SPLIT_TRAIN, NULL);
    for (size_t f = 7; f < 9; f++) {
        bool copied = false;
        for (size_t g = 0; g < 7; g++) {
            bool same = true;
            for (size_t i = 0; i < set->samples; i++)
                same = same && set->x[i * 14 + f] == set->x[i * 14 + g];
            copied = copied || same;
        }
        assert_true(copied);
    }
    for (size_t f = 9; f < 14; f++)
        for (int32_t c = 0; c < 3; c++) {
            double sum = 0, squares = 0, n = 0;
            for (size_t i = 0; i < set->samples; i++) {
                if (set->label[i] != c) continue;
                double x = (double)set->x[i * 14 + f];
                sum += x;
                squares += x * x;
                n++;
            }
            assert_near(n, 1000, 0);
            assert_near(sum / n, 0, 4 / sqrt(n)); /* 4 standard errors */
            assert_near(squares / n, 1, 4 * sqrt(2 / n));
        }
    cop_dataset_destroy(set);
}

/* Inside a cluster the informative features have the covariance of A^T A, A uniform in [-1, 1]: not
 * diagonal, and with a variance of at most 2. */
static void clusters_are_correlated_each_in_its_way(void **state) {
    (void)state;
    cop_dataset *set = data_load("source = binary-clusters\nnormalise = none\nseparation = 0\n"
                                 "shuffle_features = no\nfeatures = 2\ninformative = 2\n"
                                 "redundant = 0\nclusters = 1\ntrain_samples = 8000",
                                 COP_SPLIT_TRAIN, NULL);
    double cov[2][3] = {{0}};
    for (size_t i = 0; i < set->samples; i++) {
        double x = (double)set->x[2 * i], y = (double)set->x[2 * i + 1];
        double *c = cov[set->label[i]];
        c[0] += x * x / 4000;
        c[1] += x * y / 4000;
        c[2] += y * y / 4000;
    }
    double difference = 0;
    for (size_t k = 0; k < 3; k++) difference += fabs(cov[0][k] - cov[1][k]);
    for (size_t k = 0; k < 2; k++) assert_true(cov[k][0] < 2.2 && cov[k][2] < 2.2);
    assert_true(fabs(cov[0][1]) > 0.1 || fabs(cov[1][1]) > 0.1);
    assert_true(difference > 0.25); /* sampling alone gives some 0.06 */
    cop_dataset_destroy(set);
}

static void shuffled_features_are_the_same_columns(void **state) {
    (void)state;
    cop_dataset *plain = data_load(CLUSTERS "train_limit = 50", COP_SPLIT_TRAIN, NULL),
                *mixed = NULL;
    cop_conf *conf = data_conf(CLUSTERS "train_limit = 50");
    assert_ok(cop_conf_set(conf, "task.t.shuffle_features=yes"));
    assert_ok(cop_task_load(&mixed, conf, "t", COP_SPLIT_TRAIN, NULL));
    size_t moved = 0, copies = 0;
    for (size_t f = 0; f < 14; f++) {
        size_t matches = 0;
        for (size_t g = 0; g < 14; g++) {
            bool same = true;
            for (size_t i = 0; i < 50; i++)
                same = same && plain->x[i * 14 + f] == mixed->x[i * 14 + g];
            matches += same;
            moved += same && f != g;
        }
        assert_true(matches >= 1);
        copies += matches - 1;
    }
    assert_true(moved > copies + 5);
    cop_dataset_destroy(plain);
    cop_dataset_destroy(mixed);
    cop_conf_destroy(conf);
}

static void impossible_clusters_are_refused(void **state) {
    (void)state;
    data_refused("source = binary-clusters\ninformative = 4", COP_SPLIT_TRAIN, NULL, COP_E_CONFIG,
                 "32 clusters in all");
    data_refused("source = binary-clusters\nfeatures = 19", COP_SPLIT_TRAIN, NULL, COP_E_CONFIG,
                 "less than the 20");
}

/* ------------------------------------------------------------------ all generators */

static void label_noise_flips_its_share_and_nothing_else(void **state) {
    (void)state;
    const char *clean = "source = blobs\nclass_count = 4\nfeatures = 3\ntrain_samples = 8000",
               *noisy = "source = blobs\nclass_count = 4\nfeatures = 3\ntrain_samples = 8000\n"
                        "label_noise = 0.3";
    cop_dataset *a = data_load(clean, COP_SPLIT_TRAIN, NULL),
                *b = data_load(noisy, COP_SPLIT_TRAIN, NULL);
    size_t flipped = 0, shift[4] = {0};
    for (size_t i = 0; i < 8000; i++) {
        assert_int_equal(a->label[i], i % 4);
        flipped += a->label[i] != b->label[i];
        shift[(b->label[i] - a->label[i] + 4) % 4]++;
    }
    assert_memory_equal(a->x, b->x, 8000 * 3 * sizeof(float));
    assert_near((double)flipped, 2400, 4 * sqrt(8000 * 0.3 * 0.7));
    for (size_t k = 1; k < 4; k++) assert_near((double)shift[k], 800, 4 * sqrt(8000 * 0.1 * 0.9));
    cop_dataset_destroy(a);
    cop_dataset_destroy(b);
}

/* ------------------------------------------------------------------ glyphs */

static void paths_are_traced(void **state) {
    (void)state;
    cop_glyph_path path;
    cop_glyph_trace(&path, "M10 20 L20 20 M0 0 Q10 0 10 10 C10 20 20 20 20 10");
    assert_true(path.begins[0] && path.x[0] == 10 && path.y[0] == 20);
    assert_true(path.x[5] == 20 && path.y[5] == 20 && path.begins[6]);
    assert_near(path.x[6 + 5], 7.5, 1e-12); /* the quadratic at t = 1/2 */
    assert_near(path.y[6 + 5], 2.5, 1e-12);
    assert_near(path.x[16 + 5], 15, 1e-12); /* the cubic at t = 1/2 */
    assert_near(path.y[16 + 5], 17.5, 1e-12);
    assert_int_equal(path.count, 27);
}

/* Every variant of every glyph is inside its box, starts with M and fits the path. */
static void all_strokes_are_well_formed(void **state) {
    (void)state;
    for (size_t g = 0; g < 36; g++) {
        const cop_glyph *glyph = g < 10 ? &cop_glyph_digits[g] : &cop_glyph_letters[g - 10];
        assert_int_equal(glyph->name[0], g < 10 ? '0' + (int)g : 'a' + (int)g - 10);
        for (size_t v = 0; v < COP_GLYPH_VARIANTS && glyph->variant[v]; v++) {
            cop_glyph_path path;
            cop_glyph_trace(&path, glyph->variant[v]);
            for (size_t i = 0; i < path.count; i++)
                assert_true(path.x[i] >= 0 && path.x[i] <= 100 && path.y[i] >= 0 &&
                            path.y[i] <= 100);
        }
        assert_non_null(glyph->variant[0]);
    }
}

static void undistorted_glyphs_are_as_drawn(void **state) {
    (void)state;
    const cop_glyph bar = {"|", {"M50 10 L50 90"}};
    cop_rng rng = cop_rng_at(1, 0, 0, COP_FOR_TEST);
    float page[COP_GLYPH_SIDE * COP_GLYPH_SIDE];
    cop_glyph_draw(&bar, &rng, 0, 0, page);
    for (size_t row = 0; row < COP_GLYPH_SIDE; row++) {
        double sum = 0;
        for (size_t column = 0; column < COP_GLYPH_SIDE; column++) {
            float pixel = page[row * COP_GLYPH_SIDE + column];
            assert_true(pixel == page[row * COP_GLYPH_SIDE + COP_GLYPH_SIDE - 1 - column]);
            sum += (double)pixel / 255;
        }
        /* a pen of 2.5 pixels from row 14 - 8.2 to 14 + 8.2, with round ends */
        if (row >= 6 && row < 22) assert_near(sum, 2.5, 0.01);
        if (row < 4 || row >= 24) assert_near(sum, 0, 0);
    }
}

static void glyphs_are_bytes_and_keep_clear_of_the_edge(void **state) {
    (void)state;
    cop_dataset *set = data_load("source = glyphs-letters\nnormalise = none\nnoise = 0\n"
                                 "train_samples = 1300",
                                 COP_SPLIT_TRAIN, NULL);
    size_t pixels = 28 * 28, edge = 0, faint = 0;
    for (size_t i = 0; i < set->samples; i++) {
        float most = 0;
        double ink = 0, at_edge = 0;
        for (size_t p = 0; p < pixels; p++) {
            float x = set->x[i * pixels + p];
            assert_true(x == floorf(x) && x >= 0 && x <= 255);
            most = x > most ? x : most;
            ink += (double)x;
            if (p % 28 == 0 || p % 28 == 27 || p < 28 || p >= 27 * 28) at_edge += (double)x;
        }
        edge += at_edge > 0.1 * ink;
        faint += most < 100;
        assert_true(ink / 255 > 10 && ink / 255 < 350);
    }
    assert_int_equal(edge, 0);
    assert_true(faint < 13);
    cop_dataset_destroy(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clusters_sit_at_distinct_vertices),
        cmocka_unit_test(vertices_are_dealt_out_at_random),
        cmocka_unit_test(redundant_features_are_combinations),
        cmocka_unit_test(repeated_features_are_copies_and_probes_are_noise),
        cmocka_unit_test(clusters_are_correlated_each_in_its_way),
        cmocka_unit_test(shuffled_features_are_the_same_columns),
        cmocka_unit_test(impossible_clusters_are_refused),
        cmocka_unit_test(label_noise_flips_its_share_and_nothing_else),
        cmocka_unit_test(paths_are_traced),
        cmocka_unit_test(all_strokes_are_well_formed),
        cmocka_unit_test(undistorted_glyphs_are_as_drawn),
        cmocka_unit_test(glyphs_are_bytes_and_keep_clear_of_the_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
