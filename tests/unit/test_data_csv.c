/* Tables as text: separators, header, labels, missing values, and messages that say where. */
#include "data_support.h"

#include <math.h>

#define TABLE "source = csv\nfile = t.csv\ntest_file = t.csv\nnormalise = none\n"

static cop_dataset *table(const char *text, const char *lines) {
    data_text("t.csv", text);
    char *all = cop_sprintf("%s%s", TABLE, lines);
    cop_dataset *set = data_load(all, COP_SPLIT_TRAIN, test_scratch());
    cop_free(all);
    return set;
}

static void refused(const char *text, const char *lines, const char *message) {
    data_text("t.csv", text);
    char *all = cop_sprintf("%s%s", TABLE, lines);
    data_refused(all, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, message);
    cop_free(all);
}

/* Every way to write the rows (1, 2.5, a) and (-3, 4e2, b) is the same data. */
static void the_same_table_in_many_spellings(void **state) {
    (void)state;
    const char *const ways[][2] = {
        {"1,2.5,a\n-3,4e2,b\n", ""},
        {"1;2.5;a\r\n-3;4e2;b", ""},
        {"1\t2.5\ta\n-3\t4e2\tb\n", ""},
        {"  1   2.5 a \n\n-3 4e2\t b\n \n", ""},
        {"1|2.5|a\n-3|4e2|b\n", "separator = |"},
        {"x,y,z\n1,2.5,a\n-3,4e2,b\n", ""},
        {"\xef\xbb\xbf"
         "x,y,z\n1,2.5,a\n-3,4e2,b\n",
         "label = z"},
        {"1,2,3\n1,2.5,a\n-3,4e2,b\n", "header = yes"},
        {"a,1,2.5\nb,-3,4e2\n", "label = first"},
        {"1,a,2.5\n-3,b,4e2\n", "label = 2"},
        {"id,x,kind,y,note\nr1,1,a,2.5,?\nr2,-3,b,4e2,\n", "label = kind\ndrop = id, 5"},
        {"\"1\",\"2.5\",\"a\"\n\"-3\" , \"4e2\",\"b\"\n", ""},
        {"\"1\" \"2.5\" a\n-3 4e2 \"b\"", "separator = space"},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        cop_dataset *set = table(ways[i][0], ways[i][1]);
        assert_int_equal(set->samples, 2);
        assert_int_equal(set->width, 2);
        assert_int_equal(set->classes, 2);
        const float wanted[] = {1, 2.5F, -3, 400};
        for (size_t k = 0; k < 4; k++) assert_true(set->x[k] == wanted[k]);
        assert_string_equal(set->class_names[0], "a");
        assert_int_equal(set->label[1], 1);
        cop_dataset_destroy(set);
    }
}

static void quoted_labels_keep_their_commas(void **state) {
    (void)state;
    cop_dataset *set = table("1,\"say \"\"a, b\"\"\"\n2,c\n", "");
    assert_string_equal(set->class_names[set->label[0]], "say \"a, b\"");
    cop_dataset_destroy(set);
}

static void messages_name_line_and_column(void **state) {
    (void)state;
    refused("1,2,a\n1,zwei,a\n", "", "t.csv:2: column 2: \"zwei\" is not a number");
    refused("x,y,z\n1,2,a\n1,nan,a\n", "", "t.csv:3: column 2 (y): \"nan\" is not a number");
    refused("1,1e99,a\n", "", "t.csv:1: column 2");
    refused("1,2,a\n1,2\n", "", "t.csv:2: has 2 columns, the lines before have 3");
    refused("1,2,a\n1,2,a,\n", "", "t.csv:2: has 4 columns");
    refused("1,2,a\n1,?,a\n", "", "t.csv:2: column 2: \"?\" is a missing value");
    refused("1,2,a\n1,,a\n", "", "t.csv:2: column 2: \"\" is a missing value");
    refused("1,2,a\n1,2,\n", "missing = mean", "t.csv:2: column 3: \"\" is no label");
    refused("1,\"2,a\n", "", "t.csv:1: column 2: the quotation mark is not closed");
    refused("1,\"2\"x,a\n", "", "text follows the closing quotation mark");
    refused("x,y,z\n", "", "holds a header and no rows");
    refused("", "", "holds no rows");
    refused("\n \n", "", "holds no rows");
    refused("1,a\n", "drop = 1", "no feature is left");
    refused("speed,size,kind\n1,2,a\n", "label = seize", "did you mean \"size\"");
    refused("1,2,a\n", "label = 4", "no column \"4\"");
    refused("1,2,a\n", "drop = 3", "both the label and dropped");
    data_file("t.csv",
              "1,2,a\n1,\0"
              "2,a\n1,2,b\n",
              19);
    data_refused(TABLE, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT,
                 "t.csv:2: holds a zero byte");
}

/* Wherever it stands: what follows it would be hidden. */
static void zero_bytes_are_refused(void **state) {
    (void)state;
    static const char text[] = "1,2,a\n3,4,b\n";
    for (size_t at = 0; at <= sizeof text - 1; at++) {
        char bytes[sizeof text];
        memcpy(bytes, text, at);
        bytes[at] = 0;
        memcpy(bytes + at + 1, text + at, sizeof text - 1 - at);
        data_file("t.csv", bytes, sizeof text);
        data_refused(TABLE, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, "zero byte");
    }
}

static void missing_values_become_the_mean_of_the_train_split(void **state) {
    (void)state;
    data_text("t.csv", "1,10,a\n?,20,b\n5,?,a\n");
    data_text("u.csv", "?,?,a\n7,7,b\n");
    const char *lines = "source = csv\nfile = t.csv\ntest_file = u.csv\nmissing = mean\n"
                        "normalise = none";
    cop_dataset *train = data_load(lines, COP_SPLIT_TRAIN, test_scratch()),
                *test = data_load(lines, COP_SPLIT_TEST, test_scratch());
    assert_true(train->x[2] == 3 && train->x[5] == 15);
    assert_true(test->x[0] == 3 && test->x[1] == 15 && test->x[2] == 7);
    cop_dataset_destroy(train);
    cop_dataset_destroy(test);
}

static void standardisation_uses_the_train_split(void **state) {
    (void)state;
    data_text("t.csv", "1,5,a\n3,5,b\n5,5,a\n7,5,b\n");
    data_text("u.csv", "4,5,a\n9,6,b\n");
    const char *lines = "source = csv\nfile = t.csv\ntest_file = u.csv";
    cop_dataset *train = data_load(lines, COP_SPLIT_TRAIN, test_scratch()),
                *test = data_load(lines, COP_SPLIT_TEST, test_scratch());
    double sd = sqrt(5.0); /* of 1 3 5 7, n in the denominator */
    assert_near(train->x[0], -3 / sd, 1e-6);
    assert_true(train->x[1] == 0); /* constant */
    assert_near(test->x[0], 0, 1e-6);
    assert_near(test->x[2], 5 / sd, 1e-6);
    assert_true(test->x[3] == 1); /* only centred: there is no spread to divide by */
    cop_dataset_destroy(train);
    cop_dataset_destroy(test);
    data_text("u.csv", "4,5,1,a\n9,6,1,b\n");
    data_refused(lines, COP_SPLIT_TEST, test_scratch(), COP_E_FORMAT,
                 "3 features, the train split 2");
    data_text("u.csv", "4,5,c\n");
    data_refused(lines, COP_SPLIT_TEST, test_scratch(), COP_E_FORMAT, "label \"c\"");
}

static void labels_may_stand_in_a_file_of_their_own(void **state) {
    (void)state;
    data_text("t.csv", "1 2\n3 4 \n");
    data_text("t.lab", "-1\n1\n");
    const char *lines = "source = csv\nfile = t.csv\nlabels = t.lab\ntest_file = t.csv\n"
                        "test_labels = t.lab\nnormalise = none";
    cop_dataset *set = data_load(lines, COP_SPLIT_TEST, test_scratch());
    assert_int_equal(set->width, 2);
    assert_int_equal(set->label[0], 0);
    assert_string_equal(set->class_names[0], "-1");
    cop_dataset_destroy(set);
    data_text("t.lab", "-1\n1\n1\n");
    data_refused(lines, COP_SPLIT_TEST, test_scratch(), COP_E_FORMAT, "has 3 labels for 2 rows");
    data_refused("source = csv\nfile = t.csv\nlabels = t.lab\ntest_file = t.csv", COP_SPLIT_TRAIN,
                 test_scratch(), COP_E_CONFIG, "test_labels");
}

static void holdout_splits_each_label_and_loses_nothing(void **state) {
    (void)state;
    cop_buf text = {0};
    for (int i = 0; i < 100; i++) cop_buf_printf(&text, "%d,%s\n", i, i < 40 ? "a" : "b");
    data_text("t.csv", cop_buf_text(&text));
    cop_buf_clear(&text);
    const char *const lines[] = {
        "source = csv\nfile = t.csv\nnormalise = none\nholdout = 0.25",
        "source = csv\nfile = t.csv\nnormalise = none\nholdout = 0.25\nseed = 2"};
    bool differs = false, test_rows[2][100] = {{false}};
    for (size_t k = 0; k < 2; k++) {
        cop_dataset *train = data_load(lines[k], COP_SPLIT_TRAIN, test_scratch()),
                    *evolve = data_load(lines[k], COP_SPLIT_EVOLVE, test_scratch()),
                    *test = data_load(lines[k], COP_SPLIT_TEST, test_scratch());
        size_t a = 0, times[100] = {0};
        assert_int_equal(test->samples, 25);
        assert_int_equal(train->samples, 75);
        assert_int_equal(evolve->samples, 75);
        assert_memory_equal(train->x, evolve->x, 75 * sizeof(float));
        for (size_t i = 0; i < 25; i++) {
            a += test->label[i] == 0;
            times[(size_t)test->x[i]]++;
            test_rows[k][(size_t)test->x[i]] = true;
        }
        for (size_t i = 0; i < 75; i++) times[(size_t)train->x[i]]++;
        for (size_t i = 0; i < 100; i++) assert_int_equal(times[i], 1);
        assert_int_equal(a, 10);
        cop_dataset_destroy(train);
        cop_dataset_destroy(evolve);
        cop_dataset_destroy(test);
    }
    for (size_t i = 0; i < 100; i++) differs = differs || test_rows[0][i] != test_rows[1][i];
    assert_true(differs);
}

/* 12 groups of 4 rows; the value says which row it is. */
static void whole_groups_are_held_out(void **state) {
    (void)state;
    static const char *const text =
        "source = csv\nfile = t.csv\nlabel = y\nnormalise = none\nholdout = 0.25\ngroup = id\n"
        "group_end = .";
    cop_buf table = {0};
    bool seen[48] = {false};
    size_t of_label[2] = {0};
    cop_buf_printf(&table, "id,x,y\n");
    for (int i = 0; i < 48; i++) /* rows of a group are apart */
        cop_buf_printf(&table, "a.%c.%d,%d,%s\n", 'a' + i % 12, i, i, i % 12 < 8 ? "p" : "q");
    data_text("t.csv", cop_buf_text(&table));
    cop_dataset *test = data_load(text, COP_SPLIT_TEST, test_scratch()),
                *train = data_load(text, COP_SPLIT_TRAIN, test_scratch());
    assert_int_equal(cop_dataset_features(test), 1);
    assert_int_equal(test->samples, 12);
    assert_int_equal(train->samples, 36);
    for (size_t k = 0; k < 48; k++) {
        const cop_dataset *set = k < 12 ? test : train;
        const size_t i = k < 12 ? k : k - 12, row = (size_t)set->x[i];
        assert_true(row < 48 && !seen[row]);
        seen[row] = true;
        if (k < 12) of_label[set->label[i]]++;
    }
    for (size_t i = 0; i < 12; i++)
        for (size_t k = 0; k < 12; k++) { /* a group is on one side */
            const size_t row = (size_t)test->x[i], other = row % 12 + 12 * (k % 4);
            bool there = false;
            for (size_t j = 0; j < 12; j++) there |= (size_t)test->x[j] == other;
            assert_true(there);
        }
    assert_int_equal(of_label[0], 8); /* 2 of 8 groups, 1 of 4 */
    assert_int_equal(of_label[1], 4);
    cop_dataset_destroy(test);
    cop_dataset_destroy(train);
    cop_buf_clear(&table);
    data_text("t.csv", "id,x,y\nab,1,p\nab,2,q\n");
    data_refused(text, COP_SPLIT_TEST, test_scratch(), COP_E_FORMAT, "t.csv:2: column 1 (id)");
    data_text("t.csv", "id,x,y\n.1,1,p\nab.1,2,q\n");
    data_refused(text, COP_SPLIT_TEST, test_scratch(), COP_E_FORMAT, "names no group");
    data_refused("source = csv\nfile = t.csv\nholdout = 0.2\ngroup = y", COP_SPLIT_TRAIN,
                 test_scratch(), COP_E_FORMAT, "both the label and the group");
}

static void a_table_may_have_no_labels(void **state) {
    (void)state;
    data_text("t.csv", "1,2\n3,4\n5,6\n");
    cop_dataset *set = data_load("source = csv\nfile = t.csv\ntest_file = t.csv\nlabel = none\n"
                                 "normalise = none",
                                 COP_SPLIT_TRAIN, test_scratch());
    assert_int_equal(set->samples, 3);
    assert_int_equal(cop_dataset_features(set), 2);
    assert_int_equal(set->classes, 1);
    assert_near((double)set->x[5], 6, 0);
    cop_dataset_destroy(set);
}

static void a_table_may_be_an_image(void **state) {
    (void)state;
    cop_dataset *set = table("1,2,3,4,5,6,a\n1,2,3,4,5,6,b\n", "shape = 1, 2, 3");
    assert_int_equal(set->height, 2);
    assert_int_equal(set->width, 3);
    cop_dataset_destroy(set);
    data_refused(TABLE "shape = 1, 2, 2", COP_SPLIT_TRAIN, test_scratch(), COP_E_CONFIG,
                 "the table has 6");
    data_refused(TABLE "shape = 2, 3", COP_SPLIT_TRAIN, test_scratch(), COP_E_CONFIG,
                 "three numbers");
}

static void rows_take_no_more_than_the_limit(void **state) {
    (void)state;
    cop_buf text = {0};
    cop_dataset *set = NULL;
    for (int row = 0; row < 100000; row++)
        cop_buf_printf(&text, "%d,%d,%c\n", row, row, "ab"[row % 2]);
    data_text("t.csv", cop_buf_text(&text));
    cop_memory_limit(200000);
    assert_fails(data_try(&set, TABLE, COP_SPLIT_TRAIN, test_scratch()), COP_E_MEMORY,
                 "of memory are asked for");
    cop_memory_limit(0);
    cop_buf_clear(&text);
}

static void contradictions_are_refused(void **state) {
    (void)state;
    data_text("t.csv", "1,2,a\n3,4,b\n");
    const struct {
        const char *lines, *message;
    } cases[] = {
        {"source = csv\nfile = t.csv", "give test_file, or holdout"},
        {TABLE "holdout = 0.2", "together with test_file"},
        {TABLE "group = id", "says what holdout draws"},
        {"source = csv\nfile = t.csv\nholdout = 0.2\ngroup_end = .", "give group"},
        {"source = csv\nfile = t.csv\nholdout = 0.2\ngroup = a\ngroup_end = ..",
         "wanted one character"},
        {TABLE "separator = ab", "separator"},
        {TABLE "separator = .", "no part of a number"},
        {"source = csv\ntest_file = t.csv", "needs this file"},
        {TABLE "labels = t.csv\ntest_labels = t.csv\nlabel = 1", "which of them"},
        {TABLE "divide = 2", "normalise = fixed only"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        data_refused(cases[i].lines, COP_SPLIT_TRAIN, test_scratch(), COP_E_CONFIG,
                     cases[i].message);
}

/* Random bytes end in an error or in a table, never in anything else (run under the sanitizers). */
static void any_bytes_are_survived(void **state) {
    (void)state;
    static const char alphabet[] = "0123456789,,;\t \n\n\"?ab.-e\r";
    for (uint32_t run = 0; run < 800; run++) {
        cop_rng rng = cop_rng_at(3, 0, run, COP_FOR_TEST);
        char text[64];
        size_t length = (size_t)cop_rng_below(&rng, sizeof text);
        for (size_t i = 0; i < length; i++)
            text[i] = run % 4 ? alphabet[cop_rng_below(&rng, sizeof alphabet - 1)]
                              : (char)cop_rng_below(&rng, 256);
        data_file("t.csv", text, length);
        cop_dataset *set = NULL;
        cop_status status = data_try(&set, TABLE "missing = mean", COP_SPLIT_TRAIN, test_scratch());
        assert_true(status == COP_OK || status == COP_E_FORMAT);
        cop_dataset_destroy(set);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_table_in_many_spellings),
        cmocka_unit_test(quoted_labels_keep_their_commas),
        cmocka_unit_test(messages_name_line_and_column),
        cmocka_unit_test(zero_bytes_are_refused),
        cmocka_unit_test(missing_values_become_the_mean_of_the_train_split),
        cmocka_unit_test(standardisation_uses_the_train_split),
        cmocka_unit_test(labels_may_stand_in_a_file_of_their_own),
        cmocka_unit_test(holdout_splits_each_label_and_loses_nothing),
        cmocka_unit_test(whole_groups_are_held_out),
        cmocka_unit_test(a_table_may_have_no_labels),
        cmocka_unit_test(a_table_may_be_an_image),
        cmocka_unit_test(rows_take_no_more_than_the_limit),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(any_bytes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
