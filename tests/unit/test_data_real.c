/* Real sets, where they are there: counts, known first labels, known means. */
#include "data_support.h"

#include <math.h>

static const cop_known_set *known(const char *name) {
    size_t count;
    const cop_known_set *sets = cop_known_sets(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(sets[i].name, name) == 0) return &sets[i];
    fail_msg("no known set %s", name);
    return NULL;
}

static cop_dataset *load(const char *name, const char *more, cop_split split, const char *dir) {
    cop_conf *conf = NULL;
    cop_dataset *set = NULL;
    char *text = cop_sprintf("%s%s", known(name)->ini, more);
    assert_ok(cop_conf_parse(&conf, &data_schema, text, name));
    assert_ok(cop_task_load(&set, conf, name, split, dir));
    cop_conf_destroy(conf);
    cop_free(text);
    return set;
}

static double mean_of(const cop_dataset *set) {
    double sum = 0;
    size_t count = set->samples * cop_dataset_features(set);
    for (size_t i = 0; i < count; i++) sum += (double)set->x[i];
    return sum / (double)count;
}

static void expect_labels(const cop_dataset *set, const int *wanted, size_t count) {
    for (size_t i = 0; i < count; i++) assert_int_equal(set->label[i], wanted[i]);
}

static void mnist(void **state) {
    (void)state;
    const char *dir = test_data_dir("mnist/train-images-idx3-ubyte.gz");
    if (!dir) skip();
    cop_dataset *train = load("mnist", "", COP_SPLIT_TRAIN, dir);
    assert_int_equal(train->samples, 60000);
    assert_int_equal(train->classes, 10);
    expect_labels(train, (int[]){5, 0, 4, 1, 9}, 5);
    assert_near(mean_of(train), 0, 2e-4); /* 0.1307 and 0.3081 are the train set's own */
    cop_dataset *evolve = load("mnist", "", COP_SPLIT_EVOLVE, dir);
    assert_int_equal(evolve->samples, 7000);
    size_t counts[10] = {0}, next = 0, taken[10] = {0};
    for (size_t i = 0; i < 7000; i++) counts[evolve->label[i]]++;
    for (size_t c = 0; c < 10; c++) assert_int_equal(counts[c], 700);
    for (size_t i = 0; i < 60000 && next < 7000; i++) /* the first 700 per class, in file order */
        if (taken[train->label[i]]++ < 700) {
            assert_memory_equal(evolve->x + next * 784, train->x + i * 784, 784 * sizeof(float));
            next++;
        }
    cop_dataset_destroy(train);
    cop_dataset_destroy(evolve);
    cop_dataset *test = load("mnist", "normalise = none\n", COP_SPLIT_TEST, dir);
    assert_int_equal(test->samples, 10000);
    expect_labels(test, (int[]){7, 2, 1, 0, 4}, 5);
    assert_near(mean_of(test), 33.791224489795916, 1e-9);
    cop_dataset_destroy(test);
}

static void fashion(void **state) {
    (void)state;
    const char *dir = test_data_dir("fashion-mnist/t10k-images-idx3-ubyte.gz");
    if (!dir) skip();
    cop_dataset *test = load("fashion", "normalise = none\n", COP_SPLIT_TEST, dir);
    assert_int_equal(test->samples, 10000);
    expect_labels(test, (int[]){9, 2, 1, 1, 6}, 5);
    assert_near(mean_of(test), 73.146566581632655, 1e-9);
    cop_dataset_destroy(test);
}

static void letters(void **state) {
    (void)state;
    const char *dir =
        test_data_dir("emnist-letters/emnist-letters-test-first14800-images-idx3-ubyte.gz");
    if (!dir) skip();
    cop_dataset *evolve = load("letters", "", COP_SPLIT_EVOLVE, dir),
                *test = load("letters", "", COP_SPLIT_TEST, dir),
                *upright = load("letters", "orientation = transposed\n", COP_SPLIT_TEST, dir);
    assert_int_equal(evolve->samples, 7000);
    assert_int_equal(test->samples, 1000);
    assert_int_equal(evolve->classes, 10);
    for (size_t i = 0; i < 7000; i++) assert_int_equal(evolve->label[i], i / 700);
    for (size_t i = 0; i < 1000; i++) assert_int_equal(test->label[i], i / 100);
    for (size_t i = 0; i < 1000; i += 37)
        for (size_t r = 0; r < 28; r++)
            for (size_t c = 0; c < 28; c++)
                assert_true(test->x[i * 784 + r * 28 + c] == upright->x[i * 784 + c * 28 + r]);
    /* an upright i is a tall bar: its ink spreads over rows more than over columns */
    double rows = 0, columns = 0;
    for (size_t i = 800; i < 900; i++)
        for (size_t p = 0; p < 784; p++) {
            double ink = (double)upright->x[i * 784 + p] + 0.4242;
            rows += ink * fabs((double)(p / 28) - 13.5);
            columns += ink * fabs((double)(p % 28) - 13.5);
        }
    assert_true(rows > 1.5 * columns);
    cop_dataset_destroy(evolve);
    cop_dataset_destroy(test);
    cop_dataset_destroy(upright);
    cop_conf *conf = NULL;
    cop_dataset *none = NULL;
    assert_ok(cop_conf_parse(&conf, &data_schema, known("letters")->ini, "letters"));
    assert_ok(cop_conf_set(conf, "task.letters.classes=19"));
    assert_fails(cop_task_load(&none, conf, "letters", COP_SPLIT_TRAIN, dir), COP_E_CONFIG,
                 "label \"19\" has only 400 samples");
    cop_conf_destroy(conf);
}

/* Samples of the train and test split (0: large, not read again), features, classes. */
static void tables(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t train, test, features;
        int32_t classes;
    } rows[] = {{"optdigits", 3823, 1797, 64, 10}, {"madelon", 2000, 0, 500, 2},
                {"isolet", 6238, 0, 617, 26},      {"letter-recognition", 16000, 4000, 16, 26},
                {"cnae-9", 900, 180, 856, 9},      {"epilepsy", 9200, 0, 178, 2},
                {"higgs", 8787, 0, 28, 2},         {"wdbc", 456, 113, 30, 2},
                {"breast-cancer", 559, 140, 9, 2}, {"pima", 614, 154, 8, 2},
                {"sonar", 167, 41, 60, 2},         {"iris", 120, 30, 4, 3}};
    if (!test_data_dir("small/iris.csv") || !test_data_dir("isolet/isolet5.csv.gz")) skip();
    const char *dir = test_data_dir("madelon/madelon_train.labels");
    if (!dir) skip();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cop_dataset *train = load(rows[i].name, "", COP_SPLIT_TRAIN, dir);
        assert_int_equal(train->samples, rows[i].train);
        assert_int_equal(cop_dataset_features(train), rows[i].features);
        assert_int_equal(train->classes, rows[i].classes);
        if (strcmp(rows[i].name, "optdigits") != 0) assert_near(mean_of(train), 0, 1e-6);
        cop_dataset_destroy(train);
        if (!rows[i].test) continue;
        cop_dataset *test = load(rows[i].name, "", COP_SPLIT_TEST, dir);
        assert_int_equal(test->samples, rows[i].test);
        cop_dataset_destroy(test);
    }
}

/* The checksum that Madelon's makers published beside it. */
static void madelon_has_its_published_sum(void **state) {
    (void)state;
    const char *dir = test_data_dir("madelon/madelon_train.labels");
    if (!dir) skip();
    cop_dataset *set = load("madelon", "normalise = none\n", COP_SPLIT_TRAIN, dir);
    double sum = 0;
    for (size_t i = 0; i < set->samples * 500; i++) sum += (double)set->x[i];
    assert_true(sum == 488083511.0);
    cop_dataset_destroy(set);
}

/* configs/base/NAME.ini is the section of the known set, with a first line of comment. */
static void snippets_equal_the_known_sets(void **state) {
    (void)state;
    const char *const names[] = {"mnist", "fashion", "letters"}, *root = getenv("COPPICE_ROOT");
    for (size_t i = 0; i < 3; i++) {
        char *path = cop_sprintf("%s/configs/base/%s.ini", root ? root : ".", names[i]);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        char text[4096];
        size_t length = fread(text, 1, sizeof text - 1, file);
        fclose(file);
        text[length] = 0;
        const char *body = strchr(text, '\n');
        assert_non_null(body);
        assert_string_equal(body + 1, known(names[i])->ini);
        cop_free(path);
    }
    char *path = cop_sprintf("%s/configs/base/mnist-letters.ini", root ? root : ".");
    cop_conf *conf = NULL;
    assert_ok(cop_conf_load(&conf, &data_schema, path));
    cop_list tasks = {0};
    cop_conf_sections(conf, "task.", &tasks);
    assert_int_equal(tasks.count, 2);
    assert_string_equal(tasks.items[0], "task.mnist");
    assert_string_equal(tasks.items[1], "task.letters");
    cop_list_clear(&tasks);
    cop_conf_destroy(conf);
    cop_free(path);
}

static void cifar_10(void **state) {
    (void)state;
    const char *dir = test_data_dir("cifar-10/data_batch_1.bin.gz");
    if (!dir) skip();
    cop_dataset *train = load("cifar-10", "normalise = none\n", COP_SPLIT_TRAIN, dir);
    assert_int_equal(train->samples, 10000);
    assert_int_equal(cop_dataset_features(train), 3072);
    assert_int_equal(train->classes, 10);
    expect_labels(train, (int[]){6, 9, 9, 4, 1}, 5); /* frog, truck, truck, deer, automobile */
    assert_near((double)train->x[0], 59, 0);         /* the first red ones of the frog */
    assert_near((double)train->x[1], 43, 0);
    cop_dataset_destroy(train);
    cop_dataset *test = load("cifar-10", "", COP_SPLIT_TEST, dir);
    assert_int_equal(test->samples, 2000);
    expect_labels(test, (int[]){3, 8, 8, 0, 6}, 5);
    cop_dataset_destroy(test);
}

static void libsvm(void **state) {
    (void)state;
    const char *dir = test_data_dir("adult-libsvm/a9a.gz");
    if (!dir) skip();
    static const struct {
        const char *name;
        cop_split split;
        size_t samples, features, second; /* of the second class */
    } wanted[] = {{"a9a", COP_SPLIT_TRAIN, 32561, 123, 7841},
                  {"a9a", COP_SPLIT_TEST, 16281, 123, 3846},
                  {"w8a", COP_SPLIT_TRAIN, 39799, 300, 1183},
                  {"w8a", COP_SPLIT_TEST, 9950, 300, 296}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        cop_dataset *set = load(wanted[i].name, "normalise = none\n", wanted[i].split, dir);
        size_t second = 0;
        assert_int_equal(set->samples, wanted[i].samples);
        assert_int_equal(cop_dataset_features(set), wanted[i].features);
        for (size_t k = 0; k < set->samples; k++) second += set->label[k] == 1;
        assert_int_equal(second, wanted[i].second);
        cop_dataset_destroy(set);
    }
}

/* 500 recordings of 23 rows each: 20 of each of five kinds test. */
static void epilepsy_by_recording(void **state) {
    (void)state;
    const char *dir = test_data_dir("epilepsy/epileptic_seizure_recognition.csv.gz");
    if (!dir) skip();
    for (int split = 0; split < 3; split += 2) {
        cop_dataset *set = load("epilepsy-recordings", "", (cop_split)split, dir);
        size_t seizures = 0;
        assert_int_equal(set->samples, split ? 100 * 23 : 400 * 23);
        for (size_t i = 0; i < set->samples; i++) seizures += set->label[i] == 1;
        assert_int_equal(seizures, split ? 20 * 23 : 80 * 23);
        cop_dataset_destroy(set);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mnist),
        cmocka_unit_test(fashion),
        cmocka_unit_test(letters),
        cmocka_unit_test(cifar_10),
        cmocka_unit_test(libsvm),
        cmocka_unit_test(epilepsy_by_recording),
        cmocka_unit_test(tables),
        cmocka_unit_test(madelon_has_its_published_sum),
        cmocka_unit_test(snippets_equal_the_known_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
