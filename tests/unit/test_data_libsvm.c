/* Sparse text files of LIBSVM: what they say, and what is refused. */
#include "data_support.h"

#define ONE "source = libsvm\nfile = t.svm\nnormalise = none\nholdout = 0.5"
#define TWO "source = libsvm\nfile = t.svm\ntest_file = u.svm\nnormalise = none\n"

static void missing_entries_are_zero(void **state) {
    (void)state;
    data_text("t.svm", "# made by hand\n+1 1:0.5 3:-2e1\n\n-1 2:4 # a comment\n1\n");
    data_text("u.svm", "-1 1:7\n+1 3:1 \n");
    const float wanted[] = {0.5f, 0, -20, 0, 4, 0, 0, 0, 0};
    cop_dataset *train = data_load(TWO, COP_SPLIT_TRAIN, test_scratch());
    assert_int_equal(train->samples, 3);
    assert_int_equal(cop_dataset_features(train), 3);
    assert_memory_equal(train->x, wanted, sizeof wanted);
    assert_int_equal(train->label[0], 1); /* -1 before 1; +1 and 1 are one label */
    assert_int_equal(train->label[1], 0);
    assert_int_equal(train->label[2], 1);
    cop_dataset *test = data_load(TWO, COP_SPLIT_TEST, test_scratch());
    assert_int_equal(cop_dataset_features(test), 3);
    assert_int_equal(test->samples, 2);
    assert_near((double)test->x[0], 7, 0);
    assert_int_equal(test->label[1], 1);
    cop_dataset_destroy(train);
    cop_dataset_destroy(test);
}

/* The train file says how many features there are, also when the test file has fewer or more. */
static void the_train_file_says_how_many_features(void **state) {
    (void)state;
    data_text("t.svm", "1 4:1\n2 1:1\n");
    data_text("u.svm", "1 2:1\n2 1:1\n");
    cop_dataset *test = data_load(TWO, COP_SPLIT_TEST, test_scratch());
    assert_int_equal(cop_dataset_features(test), 4);
    cop_dataset_destroy(test);
    test = data_load(TWO "columns = 9", COP_SPLIT_TEST, test_scratch());
    assert_int_equal(cop_dataset_features(test), 9);
    cop_dataset_destroy(test);
    data_text("u.svm", "1 2:1\n2 5:1\n");
    data_refused(TWO, COP_SPLIT_TEST, test_scratch(), COP_E_FORMAT,
                 "u.svm:2: index 5; wanted 1 to 4");
}

static void holdout_keeps_every_row_once(void **state) {
    (void)state;
    cop_buf text = {0};
    bool seen[40] = {false};
    for (int i = 0; i < 40; i++) cop_buf_printf(&text, "%d 1:%d %d:1\n", i % 4, i, 2 + i % 3);
    data_text("t.svm", cop_buf_text(&text));
    for (int k = 0; k < 2; k++) {
        cop_dataset *set = data_load(ONE, k ? COP_SPLIT_TEST : COP_SPLIT_TRAIN, test_scratch());
        assert_int_equal(set->samples, 20);
        assert_int_equal(cop_dataset_features(set), 4);
        for (size_t i = 0; i < 20; i++) {
            const size_t row = (size_t)set->x[4 * i];
            assert_true(row < 40 && !seen[row]);
            seen[row] = true;
            assert_int_equal(set->label[i], row % 4);
            assert_near((double)set->x[4 * i + 1 + row % 3], 1, 0);
        }
        cop_dataset_destroy(set);
    }
    cop_buf_clear(&text);
}

static void what_is_wrong_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "holds no rows"},
        {"# nothing\n\n", "holds no rows"},
        {"1\n2\n", "no row has a feature"},
        {"a 1:1\n", "t.svm:1: the label \"a\" is not a number"},
        {"1 1:1\n1,2 1:1\n", "t.svm:2: the label"},
        {"1 0:1\n", "index 0; wanted 1 to"},
        {"1 1048577:1\n", "raise columns"},
        {"1 99999999999999999999:1\n", "is not index:value"},
        {"1 -1:1\n", "is not index:value"},
        {"1 2\n", "\"2\" is not index:value"},
        {"1 2:\n", "is not index:value"},
        {"1 2:nan\n", "is not index:value"},
        {"1 2:1e60\n", "is not index:value"},
        {"1 qid:3 2:1\n", "\"qid:3\" is not index:value"},
        {"1 2:1 2:1\n", "index 2 follows 2"},
        {"1 3:1 2:1\n", "must ascend"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        data_text("t.svm", cases[i].text);
        data_refused(ONE, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, cases[i].message);
    }
    data_file("t.svm", "1 1:1\0 2:2\n", 11);
    data_refused(ONE, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, "zero byte");
    data_refused("source = libsvm", COP_SPLIT_TRAIN, test_scratch(), COP_E_CONFIG, "needs this");
    data_refused("source = libsvm\nfile = t.svm", COP_SPLIT_TRAIN, test_scratch(), COP_E_CONFIG,
                 "where do test samples come from");
    data_refused("source = libsvm\nfile = none", COP_SPLIT_TRAIN, test_scratch(), COP_E_CONFIG,
                 "cannot be read");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_entries_are_zero),
        cmocka_unit_test(the_train_file_says_how_many_features),
        cmocka_unit_test(holdout_keeps_every_row_once),
        cmocka_unit_test(what_is_wrong_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
