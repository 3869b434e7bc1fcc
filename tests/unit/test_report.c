/* Tables, confusion matrices and the description of networks. */
#include "../support/support.h"

#include "coppice/report.h"

#include <math.h>
#include <string.h>

static void tables_align_numbers_right_and_names_left(void **state) {
    (void)state;
    cop_table table;
    cop_buf out = {0};
    cop_table_init(&table, "<name|count|<note");
    const char *cells[] = {"a", "1", "", "longer", "1234567", "x y", "", "-", "longest note"};
    for (size_t i = 0; i < 9; i++) cop_table_add(&table, "%s", cells[i]);
    cop_table_write(&table, &out);
    assert_string_equal(cop_buf_text(&out), "  name      count  note\n"
                                            "  a             1\n"
                                            "  longer  1234567  x y\n"
                                            "                -  longest note\n");
    cop_buf_reset(&out);
    cop_table_clear(&table);
    cop_table_init(&table, "<\xc3\xa4|n"); /* characters count, not bytes */
    const char *letters[] = {"\xc3\xb6\xc3\xb6", "1", "ab", "\xe2\x82\xac", "\xff", "2"};
    for (size_t i = 0; i < 6; i++) cop_table_add(&table, "%s", letters[i]);
    cop_table_write(&table, &out);
    assert_string_equal(cop_buf_text(&out), "  \xc3\xa4   n\n"
                                            "  \xc3\xb6\xc3\xb6  1\n"
                                            "  ab  \xe2\x82\xac\n"
                                            "  \xff   2\n");
    cop_buf_clear(&out);
    cop_table_clear(&table);
}

static void confusion_counts_every_sample_once(void **state) {
    (void)state;
    const int32_t label[] = {0, 0, 1, 1, 1, 2};
    const uint16_t predicted[] = {0, 1, 1, 1, 3, 0};
    cop_confusion matrix;
    cop_buf out = {0};
    cop_confusion_init(&matrix, 3, 4);
    cop_confusion_fill(&matrix, label, predicted, 6);
    const uint64_t wanted[] = {1, 1, 0, 0, 0, 2, 0, 1, 1, 0, 0, 0};
    assert_memory_equal(matrix.count, wanted, sizeof wanted);
    cop_confusion_write(&matrix, NULL, &out);
    assert_string_equal(cop_buf_text(&out), "      class     0     1  2    3  samples  recall\n"
                                            "          0     1     1  .    .        2    50.0\n"
                                            "          1     .     2  .    1        3    66.7\n"
                                            "          2     1     .  .    .        1     0.0\n"
                                            "  precision  50.0  66.7  -  0.0\n");
    cop_buf_reset(&out);
    matrix.count[7] = 0; /* now nothing is taken for 3, which is no class of the task */
    const char *const names[] = {"a", NULL, "cat"};
    cop_confusion_write(&matrix, names, &out);
    assert_string_equal(cop_buf_text(&out), "      class     a     1  cat  samples  recall\n"
                                            "          a     1     1    .        2    50.0\n"
                                            "          1     .     2    .        2   100.0\n"
                                            "        cat     1     .    .        1     0.0\n"
                                            "  precision  50.0  66.7    -\n");
    const char *const odd[] = {"<b>", "%s", "'"};
    cop_buf_reset(&out);
    cop_confusion_write(&matrix, odd, &out);
    assert_non_null(strstr(cop_buf_text(&out), "      class   <b>    %s  '  samples"));
    matrix.count[7] = 1;
    json_t *json = cop_confusion_json(&matrix);
    assert_int_equal(json_array_size(json), 3);
    assert_int_equal(json_integer_value(json_array_get(json_array_get(json, 1), 3)), 1);
    json_decref(json);
    cop_buf_clear(&out);
    cop_confusion_clear(&matrix);
}

static void the_majority_wins_the_vote(void **state) {
    (void)state;
    /* (values, samples): all agree; two against one, wherever the one is; all differ */
    const uint16_t three[3][5] = {{4, 7, 1, 1, 9}, {4, 1, 7, 1, 0}, {4, 1, 1, 7, 3}};
    const uint16_t wanted[5] = {4, 1, 1, 1, 9};
    uint16_t vote[5];
    cop_vote(&three[0][0], 3, 5, vote);
    assert_memory_equal(vote, wanted, sizeof wanted);
    /* two pairs: the pair that was named first */
    const uint16_t four[4][2] = {{5, 0}, {6, 2}, {6, 2}, {5, 0}};
    cop_vote(&four[0][0], 4, 2, vote);
    assert_int_equal(vote[0], 5);
    assert_int_equal(vote[1], 0);
    cop_vote(&three[1][0], 1, 5, vote);
    assert_memory_equal(vote, three[1], sizeof wanted);
}

/* Two layers of 12 and 8 edges. The expected numbers are those of blind draws, made here. */
static void overlaps_are_beside_what_chance_gives(void **state) {
    (void)state;
    cop_model *model;
    cop_mask a, b, dead;
    assert_ok(cop_model_create(&model, "3", "dense(4) relu dense(2)"));
    assert_int_equal(model->weights, 20);
    cop_mask_init(&a, 20);
    cop_mask_init(&b, 20);
    cop_mask_init(&dead, 20);
    cop_mask_fill(&a);
    cop_mask_fill(&b);
    for (size_t i = 0; i < 7; i++) cop_mask_unset(&a, i);  /* 7 of layer 1 */
    for (size_t i = 4; i < 14; i++) cop_mask_unset(&b, i); /* 8 of layer 1, 2 of layer 2 */
    cop_overlap o = cop_overlap_of(model, &a, &b);
    assert_int_equal(o.a, 7);
    assert_int_equal(o.b, 10);
    assert_int_equal(o.both, 3);
    enum { RUNS = 200000 };
    double sum[2] = {0}, squares[2] = {0};
    for (uint32_t run = 0; run < RUNS; run++) {
        cop_rng rng = cop_rng_at(3, 0, run, COP_FOR_TEST);
        double both[2];
        cop_rng_sample(&rng, 10, &dead); /* the first may lack 0..6 */
        both[0] = (double)cop_mask_count_range(&dead, 0, 7);
        cop_mask layer;
        cop_mask_init(&layer, 12);
        cop_rng_sample(&rng, 8, &layer); /* layer 2 shares nothing: the first cut none of it */
        both[1] = (double)cop_mask_count_range(&layer, 0, 7);
        cop_mask_clear(&layer);
        for (int k = 0; k < 2; k++) {
            sum[k] += both[k];
            squares[k] += both[k] * both[k];
        }
    }
    const double mean[2] = {o.chance, o.chance_by_layer}, sd[2] = {o.sd, o.sd_by_layer};
    for (int k = 0; k < 2; k++) {
        double m = sum[k] / RUNS, s = sqrt(squares[k] / RUNS - m * m);
        assert_near(m, mean[k], 4.5 * sd[k] / sqrt(RUNS));
        assert_near(s, sd[k], 0.01);
    }
    o = cop_overlap_of(model, &a, &a);
    assert_int_equal(o.both, 7);
    cop_mask_clear(&a);
    cop_mask_clear(&b);
    cop_mask_clear(&dead);
    cop_model_destroy(model);
}

static void json_has_null_for_what_is_not_finite(void **state) {
    (void)state;
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        json_t *value = cop_json_real(bad[i]);
        assert_true(json_is_null(value));
        json_decref(value);
    }
    json_t *founder = cop_json_id(COP_FOUNDER), *zero = cop_json_id(0), *real = cop_json_real(0.5);
    assert_true(json_is_null(founder));
    assert_true(json_is_integer(zero) && json_is_real(real));
    json_decref(founder);
    json_decref(zero);
    json_decref(real);
}

static long long whole(const json_t *object, const char *key) {
    assert_true(json_is_integer(json_object_get(object, key)));
    return (long long)json_integer_value(json_object_get(object, key));
}

/* 4 filters of 3x3 over 6x6, then 64 -> 5: 36 + 320 edges, of which 9 + 160 stay. */
static void networks_are_described_by_what_lives(void **state) {
    (void)state;
    cop_network network = {.weighting = {COP_WEIGHTS_SIGNED, 2, {0.5, 1}}, .id = 17};
    assert_ok(cop_model_create(&network.model, "1x6x6", "conv2d(4,3) relu flatten dense(5)"));
    cop_params_init(&network.params, network.model);
    cop_mask_init(&network.mask, network.model->weights);
    for (size_t e = 0; e < 9; e++) cop_mask_set(&network.mask, 4 * e);
    for (size_t e = 0; e < 160; e++) cop_mask_set(&network.mask, 36 + 2 * e);
    json_t *json = cop_describe_network(&network);
    assert_int_equal(whole(json, "id"), 17);
    assert_int_equal(whole(json, "weights"), 356);
    assert_int_equal(whole(json, "biases"), 9);
    assert_int_equal(whole(json, "edges"), 169);
    assert_int_equal(whole(json, "macs"), 9 * 16 + 160);
    assert_int_equal(whole(json, "macs_dense"), 36 * 16 + 320);
    assert_int_equal(whole(json, "bytes_dense"), 4 * 365);
    assert_int_equal(whole(json, "bytes_sparse"), 8 * 169 + 4 * (4 + 1) + 4 * (5 + 1) + 4 * 9);
    assert_int_equal(whole(json, "bytes_mask"), 45);
    assert_near(json_real_value(json_object_get(json, "density")), 169.0 / 356, 1e-15);
    assert_string_equal(json_string_value(json_object_get(json, "weighting")), "signed");
    assert_int_equal(json_array_size(json_object_get(json, "values")), 2);
    const json_t *layers = json_object_get(json, "layers"), *conv = json_array_get(layers, 0);
    assert_int_equal(json_array_size(layers), network.model->count);
    assert_string_equal(json_string_value(json_object_get(conv, "name")), "conv1");
    assert_string_equal(json_string_value(json_object_get(conv, "layer")), "conv2d(4,3)");
    assert_int_equal(whole(conv, "edges"), 9);
    assert_int_equal(whole(conv, "macs"), 144);
    assert_null(json_object_get(json_array_get(layers, 1), "edges"));
    json_t *description = json_pack("{s:s,s:O}", "kind", "network", "network", json);
    cop_buf text = {0};
    cop_describe_write(description, false, &text);
    assert_non_null(
        strstr(cop_buf_text(&text), "169 of 356 edges live (density 0.4747), 9 biases"));
    assert_non_null(strstr(cop_buf_text(&text), "signed, shared values 0.5, 1"));
    assert_non_null(strstr(cop_buf_text(&text), "4x4x4"));
    cop_buf_clear(&text);
    json_decref(description);
    json_decref(json);
    cop_model_destroy(network.model);
    cop_params_clear(&network.params);
    cop_mask_clear(&network.mask);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_align_numbers_right_and_names_left),
        cmocka_unit_test(confusion_counts_every_sample_once),
        cmocka_unit_test(the_majority_wins_the_vote),
        cmocka_unit_test(overlaps_are_beside_what_chance_gives),
        cmocka_unit_test(json_has_null_for_what_is_not_finite),
        cmocka_unit_test(networks_are_described_by_what_lives),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
