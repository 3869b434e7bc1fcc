/* From a section to a dataset: classes, mapping, subsets, and what a section may not say. */
#include "data_support.h"

#define FILES "source = csv\nfile = t.csv\ntest_file = t.csv\nnormalise = none\nheader = no\n"

/* Forty rows; row k holds k and has the label 7, 3, 12 or "x" in turn. */
static void rows(void) {
    const char *const labels[] = {"7", "3", "12", "x"};
    cop_buf text = {0};
    for (int k = 0; k < 40; k++) cop_buf_printf(&text, "%d,%s\n", k, labels[k % 4]);
    data_text("t.csv", cop_buf_text(&text));
    cop_buf_clear(&text);
}

static cop_dataset *load(const char *lines, cop_split split) {
    rows();
    char *all = cop_sprintf("%s%s", FILES, lines);
    cop_dataset *set = data_load(all, split, test_scratch());
    cop_free(all);
    return set;
}

static void expect(const char *lines, cop_split split, size_t count, const int *x,
                   const int *label) {
    cop_dataset *set = load(lines, split);
    assert_int_equal(set->samples, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal((int)set->x[i], x[i]);
        if (label) assert_int_equal(set->label[i], label[i]);
    }
    cop_dataset_destroy(set);
}

static void refused(const char *lines, cop_split split, const char *message) {
    rows();
    char *all = cop_sprintf("%s%s", FILES, lines);
    data_refused(all, split, test_scratch(), COP_E_CONFIG, message);
    cop_free(all);
}

static void classes_are_all_labels_numbers_first(void **state) {
    (void)state;
    cop_dataset *set = load("", COP_SPLIT_TRAIN);
    const char *const wanted[] = {"3", "7", "12", "x"};
    const int32_t number[] = {1, 0, 2, 3};
    assert_int_equal(set->samples, 40);
    assert_int_equal(set->classes, 4);
    for (size_t c = 0; c < 4; c++) assert_string_equal(set->class_names[c], wanted[c]);
    for (size_t i = 0; i < 40; i++) assert_int_equal(set->label[i], number[i % 4]);
    cop_dataset_destroy(set);
}

static void listed_classes_are_numbered_in_their_order(void **state) {
    (void)state;
    expect("classes = x, 7\ntrain_limit = 4", COP_SPLIT_TRAIN, 4, (int[]){0, 3, 4, 7},
           (int[]){1, 0, 1, 0});
    refused("classes = x, 8", COP_SPLIT_TRAIN, "has the label \"8\"");
    refused("classes = x, x", COP_SPLIT_TRAIN, "listed twice");
}

static void maps_give_other_numbers_and_may_join(void **state) {
    (void)state;
    expect("classes = 7, 3, 12\nmap = 5, 0, 5\ntrain_limit = 3", COP_SPLIT_TRAIN, 3,
           (int[]){0, 1, 2}, (int[]){5, 0, 5});
    cop_dataset *set = load("classes = 7, 3, 12\nmap = 5, 0, 5\noutputs = 8", COP_SPLIT_TRAIN);
    assert_int_equal(set->classes, 8);
    assert_string_equal(set->class_names[5], "7+12");
    assert_null(set->class_names[7]);
    cop_dataset_destroy(set);
    refused("map = 1, 2", COP_SPLIT_TRAIN, "needs classes");
    refused("classes = 7, 3\nmap = 1", COP_SPLIT_TRAIN, "1 numbers for 2 classes");
    refused("classes = 7, 3\nmap = 1, 0.5", COP_SPLIT_TRAIN, "0.5 is not a whole number");
    refused("classes = 7, 3\nmap = 1, 4\noutputs = 4", COP_SPLIT_TRAIN, "not below outputs");
    refused("outputs = 3", COP_SPLIT_TRAIN, "4 labels");
    refused("classes = 7, 3, 12, x\noutputs = 3", COP_SPLIT_TRAIN, "4 classes");
}

static void rules_count_in_file_order(void **state) {
    (void)state;
    const char *cut = "classes = 7, 3\ntrain_per_class = 2\nevolve_per_class = 1\n"
                      "test_skip_per_class = 8\ntest_per_class = 2";
    expect(cut, COP_SPLIT_TRAIN, 4, (int[]){0, 1, 4, 5}, NULL);
    expect(cut, COP_SPLIT_EVOLVE, 2, (int[]){0, 1}, NULL);
    expect(cut, COP_SPLIT_TEST, 4, (int[]){32, 33, 36, 37}, NULL);
    expect("test_skip = 37", COP_SPLIT_TEST, 3, (int[]){37, 38, 39}, NULL);
    expect("evolve_skip = 3\nevolve_skip_per_class = 1\nevolve_limit = 2", COP_SPLIT_EVOLVE, 2,
           (int[]){7, 8}, NULL);
    refused("train_per_class = 11", COP_SPLIT_TRAIN, "only 10 samples");
    refused("test_skip = 40", COP_SPLIT_TEST, "no sample is left");
}

static void seeded_subsets_are_disjoint_and_depend_on_the_seed(void **state) {
    (void)state;
    const char *const lines[] = {
        "subset = seeded\ntrain_per_class = 6\ntest_skip_per_class = 6",
        "subset = seeded\nseed = 9\ntrain_per_class = 6\ntest_skip_per_class = 6"};
    bool in_train[2][40] = {{false}};
    for (size_t k = 0; k < 2; k++) {
        cop_dataset *train = load(lines[k], COP_SPLIT_TRAIN),
                    *test = load(lines[k], COP_SPLIT_TEST);
        assert_int_equal(train->samples, 24);
        assert_int_equal(test->samples, 16);
        size_t each[4] = {0};
        for (size_t i = 0; i < 24; i++) {
            each[train->label[i]]++;
            in_train[k][(size_t)train->x[i]] = true;
            if (i) assert_true(train->x[i] > train->x[i - 1]); /* file order is kept */
        }
        for (size_t c = 0; c < 4; c++) assert_int_equal(each[c], 6);
        for (size_t i = 0; i < 16; i++) assert_false(in_train[k][(size_t)test->x[i]]);
        cop_dataset_destroy(train);
        cop_dataset_destroy(test);
    }
    assert_memory_not_equal(in_train[0], in_train[1], sizeof in_train[0]);
    size_t first = 0;
    for (size_t i = 0; i < 24; i++) first += in_train[0][i];
    assert_true(first < 24); /* not the first 6 of each label */
}

static void unknown_names_get_the_nearest(void **state) {
    (void)state;
    data_refused("source = glyph-digits", COP_SPLIT_TRAIN, NULL, COP_E_CONFIG,
                 "did you mean glyphs-digits?");
    cop_conf *conf = data_conf("source = blobs");
    cop_dataset *set;
    assert_fails(cop_task_load(&set, conf, "tt", COP_SPLIT_TRAIN, NULL), COP_E_CONFIG,
                 "did you mean [task.t]?");
    cop_conf_destroy(conf);
}

static void options_of_other_sources_are_refused(void **state) {
    (void)state;
    data_refused("source = blobs\nimages = i", COP_SPLIT_TRAIN, NULL, COP_E_CONFIG,
                 "source blobs does not use this option");
    data_refused("source = glyphs-digits\nclusters = 3", COP_SPLIT_TRAIN, NULL, COP_E_CONFIG,
                 "train_samples");
    data_refused("source = blobs\nmean = 1", COP_SPLIT_TRAIN, NULL, COP_E_CONFIG,
                 "normalise = fixed only");
}

/* A resolved configuration spells out every default: it must load like the one it came from. */
static void a_resolved_configuration_gives_the_same_data(void **state) {
    (void)state;
    cop_conf *conf = data_conf("source = binary-clusters\ntrain_samples = 50"), *again = NULL;
    cop_buf text = {0};
    cop_conf_write(conf, &text, COP_CONF_ALL);
    assert_ok(cop_conf_parse(&again, &data_schema, cop_buf_text(&text), "resolved"));
    cop_dataset *a = NULL, *b = NULL;
    char one[COP_HASH_HEX], two[COP_HASH_HEX];
    assert_ok(cop_task_load(&a, conf, "t", COP_SPLIT_TRAIN, NULL));
    assert_ok(cop_task_load(&b, again, "t", COP_SPLIT_TRAIN, NULL));
    cop_dataset_digest(a, one);
    cop_dataset_digest(b, two);
    assert_string_equal(one, two);
    cop_dataset_destroy(a);
    cop_dataset_destroy(b);
    cop_buf_clear(&text);
    cop_conf_destroy(conf);
    cop_conf_destroy(again);
}

static void digests_see_shape_labels_and_samples(void **state) {
    (void)state;
    cop_dataset *set = cop_dataset_create("a", 2, 1, 2, 3, 4);
    char first[COP_HASH_HEX], other[COP_HASH_HEX];
    cop_dataset_digest(set, first);
    set->name[0] = 'b';
    cop_dataset_digest(set, other);
    assert_string_equal(first, other);
    set->x[11] = 1e-30F;
    cop_dataset_digest(set, other);
    assert_string_not_equal(first, other);
    set->x[11] = 0;
    set->label[1] = 1;
    cop_dataset_digest(set, other);
    assert_string_not_equal(first, other);
    set->label[1] = 0;
    set->height = 3;
    set->width = 2;
    cop_dataset_digest(set, other);
    assert_string_not_equal(first, other);
    cop_dataset_destroy(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_all_labels_numbers_first),
        cmocka_unit_test(listed_classes_are_numbered_in_their_order),
        cmocka_unit_test(maps_give_other_numbers_and_may_join),
        cmocka_unit_test(rules_count_in_file_order),
        cmocka_unit_test(seeded_subsets_are_disjoint_and_depend_on_the_seed),
        cmocka_unit_test(unknown_names_get_the_nearest),
        cmocka_unit_test(options_of_other_sources_are_refused),
        cmocka_unit_test(a_resolved_configuration_gives_the_same_data),
        cmocka_unit_test(digests_see_shape_labels_and_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
