/* Binary files of CIFAR-10: order of records, planes and files; what is refused. */
#include "data_support.h"

#include <zlib.h>

enum { RECORD = 3073 };
#define BOTH "source = cifar\nbatches = a, b.gz\ntest_batches = b.gz\nnormalise = none\n"

/* Record k of a file: label (first + k) % 10, pixel i is (k + i) % 251. */
static unsigned char *records(size_t count, size_t first) {
    unsigned char *bytes = COP_NEW_ARRAY(unsigned char, count *RECORD);
    for (size_t k = 0; k < count; k++) {
        bytes[k * RECORD] = (unsigned char)((first + k) % 10);
        for (size_t i = 0; i < RECORD - 1; i++)
            bytes[k * RECORD + 1 + i] = (unsigned char)((k + i) % 251);
    }
    return bytes;
}

static void write_both(void) {
    unsigned char *a = records(12, 0), *b = records(5, 2);
    data_file("a", a, 12 * RECORD);
    gzFile file = gzopen(test_path("b.gz"), "wb");
    assert_int_equal(gzwrite(file, b, 5 * RECORD), 5 * RECORD);
    assert_int_equal(gzclose(file), Z_OK);
    cop_free(a);
    cop_free(b);
}

static void files_follow_each_other(void **state) {
    (void)state;
    write_both();
    cop_dataset *train = data_load(BOTH, COP_SPLIT_TRAIN, test_scratch());
    assert_int_equal(train->samples, 17);
    assert_int_equal(train->classes, 10);
    assert_int_equal(train->channels, 3);
    assert_int_equal(train->height, 32);
    assert_int_equal(train->width, 32);
    for (size_t s = 0; s < 17; s++) {
        const size_t k = s < 12 ? s : s - 12;
        assert_int_equal(train->label[s], s < 12 ? s % 10 : (k + 2) % 10);
        for (size_t i = 0; i < 3072; i += 7)
            assert_near((double)train->x[s * 3072 + i], (double)((k + i) % 251), 0);
    }
    cop_dataset_destroy(train);
    cop_dataset *part =
        data_load(BOTH "train_skip = 10\ntrain_limit = 4\noutputs = 10\nclasses = 0, 1, 2, 3",
                  COP_SPLIT_TRAIN, test_scratch());
    assert_int_equal(part->samples, 4); /* of 0 1 | 2 3 4 5 6, the classes 0 to 3 */
    for (int i = 0; i < 4; i++) assert_int_equal(part->label[i], i);
    assert_near((double)part->x[2 * 3072], 0, 0);
    cop_dataset_destroy(part);
}

static void damage_is_refused(void **state) {
    (void)state;
    write_both();
    unsigned char *a = records(3, 0);
    data_file("a", a, 2 * RECORD + 1);
    data_refused(BOTH, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT,
                 "a: ends inside a record of 3073 bytes");
    a[RECORD] = 10;
    data_file("a", a, 3 * RECORD);
    data_refused(BOTH, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT,
                 "a: image 2 has the label 10; wanted 0 to 9");
    data_file("a", "", 0);
    data_refused(BOTH, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, "a: is empty");
    data_file("b.gz", "\x1f\x8b\x08\0", 4);
    data_refused(BOTH, COP_SPLIT_TEST, test_scratch(), COP_E_FORMAT, "b.gz");
    data_refused("source = cifar\nbatches = a", COP_SPLIT_TRAIN, test_scratch(), COP_E_CONFIG,
                 "test_batches");
    data_refused("source = cifar\nbatches = a, c\ntest_batches = a", COP_SPLIT_TRAIN,
                 test_scratch(), COP_E_CONFIG, "c cannot be read");
    cop_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_follow_each_other),
        cmocka_unit_test(damage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
