/* The HDF5 layer: round trips of every type and shape, text, attributes, scales, refusals of what
 * does not fit, full disks. */
#include "../support/support.h"
#include "coppice/io.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static cop_h5 *reopened(cop_h5 *file, const char *path) {
    assert_ok(cop_h5_close(file));
    cop_h5 *again = NULL;
    assert_ok(cop_h5_open(&again, path));
    assert_true(cop_h5_sealed(again));
    return again;
}

static void numbers(void **state) {
    (void)state;
    const char *path = test_path("numbers.h5");
    uint8_t u8[6] = {0, 1, 2, 127, 128, 255};
    uint32_t u32[2] = {0, UINT32_MAX};
    uint64_t u64[2] = {1, UINT64_MAX};
    int64_t i64[3] = {INT64_MIN, -1, INT64_MAX};
    float f32[4] = {1.5f, -0.0f, INFINITY, 1e-42f};
    double f64[3] = {NAN, -INFINITY, 1e308};
    cop_h5 *file = NULL;
    assert_ok(cop_h5_create(&file, path));
    assert_ok(cop_h5_write(file, "/u8", COP_H5_U8, 2, (size_t[]){2, 3}, u8));
    assert_ok(cop_h5_write(file, "/deep/er/u32", COP_H5_U32, 1, (size_t[]){2}, u32));
    assert_ok(cop_h5_write(file, "/deep/u64", COP_H5_U64, 1, (size_t[]){2}, u64));
    assert_ok(cop_h5_write(file, "/deep/i64", COP_H5_I64, 1, (size_t[]){3}, i64));
    assert_ok(cop_h5_write(file, "/f32", COP_H5_F32, 4, (size_t[]){2, 1, 2, 1}, f32));
    assert_ok(cop_h5_write(file, "/f64", COP_H5_F64, 1, (size_t[]){3}, f64));
    assert_ok(cop_h5_write(file, "/none", COP_H5_F64, 2, (size_t[]){3, 0}, NULL));
    file = reopened(file, path);
    size_t dims[4];
    void *data;
    assert_ok(cop_h5_read(file, "/u8", COP_H5_U8, 2, dims, 6, &data));
    assert_int_equal(dims[0], 2);
    assert_int_equal(dims[1], 3);
    assert_memory_equal(data, u8, sizeof u8);
    cop_free(data);
    assert_ok(cop_h5_read(file, "/deep/er/u32", COP_H5_U32, 1, dims, 9, &data));
    assert_memory_equal(data, u32, sizeof u32);
    cop_free(data);
    assert_ok(cop_h5_read(file, "/deep/u64", COP_H5_U64, 1, dims, 9, &data));
    assert_memory_equal(data, u64, sizeof u64);
    cop_free(data);
    assert_ok(cop_h5_read(file, "/deep/i64", COP_H5_I64, 1, dims, 9, &data));
    assert_memory_equal(data, i64, sizeof i64);
    cop_free(data);
    assert_ok(cop_h5_read(file, "/f32", COP_H5_F32, 4, dims, 9, &data));
    assert_int_equal(dims[2], 2);
    assert_memory_equal(data, f32, sizeof f32);
    cop_free(data);
    assert_ok(cop_h5_read(file, "/f64", COP_H5_F64, 1, dims, 9, &data));
    assert_true(isnan(((double *)data)[0]));
    assert_memory_equal((double *)data + 1, f64 + 1, 2 * sizeof *f64);
    cop_free(data);
    assert_ok(cop_h5_read(file, "/none", COP_H5_F64, 2, dims, 9, &data));
    assert_int_equal(dims[1], 0);
    cop_free(data);
    /* wider and narrower types of the same kind, if the values fit */
    assert_ok(cop_h5_read(file, "/u8", COP_H5_I64, 2, dims, 9, &data));
    assert_int_equal(((int64_t *)data)[5], 255);
    cop_free(data);
    assert_fails(cop_h5_read(file, "/deep/i64", COP_H5_U32, 1, dims, 9, &data), COP_E_FORMAT,
                 "/deep/i64");
    assert_null(data);
    assert_fails(cop_h5_read(file, "/deep/u64", COP_H5_I64, 1, dims, 9, &data), COP_E_FORMAT,
                 "/deep/u64");
    assert_fails(cop_h5_read(file, "/f64", COP_H5_F32, 1, dims, 9, &data), COP_E_FORMAT, "/f64");
    assert_fails(cop_h5_read(file, "/u8", COP_H5_F32, 2, dims, 9, &data), COP_E_FORMAT,
                 "no floating");
    assert_fails(cop_h5_read(file, "/f32", COP_H5_U8, 4, dims, 9, &data), COP_E_FORMAT,
                 "no integers");
    assert_fails(cop_h5_read(file, "/u8", COP_H5_U8, 1, dims, 9, &data), COP_E_FORMAT, "dimension");
    assert_fails(cop_h5_read(file, "/u8", COP_H5_U8, 2, dims, 5, &data), COP_E_FORMAT, "at most 5");
    assert_fails(cop_h5_read(file, "/deep", COP_H5_U8, 2, dims, 5, &data), COP_E_FORMAT, "'/deep'");
    assert_fails(cop_h5_read(file, "/nope/x", COP_H5_U8, 2, dims, 5, &data), COP_E_FORMAT,
                 "no such");
    uint8_t into[6];
    assert_ok(cop_h5_expect(file, "/u8", COP_H5_U8, 2, (size_t[]){2, 3}));
    assert_ok(cop_h5_read_into(file, "/u8", COP_H5_U8, 2, (size_t[]){2, 3}, into));
    assert_memory_equal(into, u8, sizeof u8);
    assert_fails(cop_h5_read_into(file, "/u8", COP_H5_U8, 2, (size_t[]){3, 2}, into), COP_E_FORMAT,
                 "axis 0");
    assert_ok(cop_h5_close(file));
}

/* Above 64 KiB datasets are chunked and compressed; every element must come back. */
static void large(void **state) {
    (void)state;
    const char *path = test_path("large.h5");
    size_t rows = 3, columns = 700001;
    uint32_t *values = cop_alloc(rows * columns, sizeof *values);
    float *weights = cop_alloc(columns, sizeof *weights);
    for (size_t k = 0; k < rows * columns; k++) values[k] = (uint32_t)(k % 1000);
    for (size_t k = 0; k < columns; k++) weights[k] = (float)k;
    cop_h5 *file = NULL;
    assert_ok(cop_h5_create(&file, path));
    assert_ok(cop_h5_write(file, "/x", COP_H5_U32, 2, (size_t[]){rows, columns}, values));
    assert_ok(cop_h5_write(file, "/w", COP_H5_F32, 1, &columns, weights));
    file = reopened(file, path);
    uint32_t *seen = cop_alloc(rows * columns, sizeof *seen);
    float *seen_weights = cop_alloc(columns, sizeof *seen_weights);
    assert_ok(cop_h5_read_into(file, "/x", COP_H5_U32, 2, (size_t[]){rows, columns}, seen));
    assert_memory_equal(seen, values, rows * columns * sizeof *values);
    assert_ok(cop_h5_read_into(file, "/w", COP_H5_F32, 1, &columns, seen_weights));
    assert_memory_equal(seen_weights, weights, columns * sizeof *weights);
    assert_ok(cop_h5_close(file));
    cop_buf bytes = {0};
    assert_ok(cop_read_file(path, SIZE_MAX, &bytes));
    /* weights as they are; of the others' four bytes each less than one */
    assert_true(bytes.length > columns * 4 && bytes.length < columns * 4 + rows * columns);
    cop_buf_clear(&bytes);
    cop_free(values);
    cop_free(weights);
    cop_free(seen);
    cop_free(seen_weights);
}

static void texts(void **state) {
    (void)state;
    const char *path = test_path("texts.h5");
    const char *names[3] = {"conv1", "", "déjà vu \xe2\x82\xac"};
    char *long_text = cop_alloc(200001, 1);
    memset(long_text, 'a', 200000);
    cop_h5 *file = NULL;
    assert_ok(cop_h5_create(&file, path));
    assert_ok(cop_h5_write_strings(file, "/names", names, 3));
    assert_ok(cop_h5_write_strings(file, "/nothing", NULL, 0));
    assert_ok(cop_h5_write_text(file, "/config", "[run]\nname = x\n"));
    assert_ok(cop_h5_attr_text(file, "/", "format", "test"));
    assert_ok(cop_h5_attr_text(file, "/group/made", "long", long_text));
    assert_ok(cop_h5_attr_i64(file, "/", "count", -7));
    assert_ok(cop_h5_attr_f64(file, "/names", "real", 0.1));
    file = reopened(file, path);
    cop_list list = {0};
    assert_ok(cop_h5_read_strings(file, "/names", 3, &list));
    assert_int_equal(list.count, 3);
    for (size_t k = 0; k < 3; k++) assert_string_equal(list.items[k], names[k]);
    assert_fails(cop_h5_read_strings(file, "/names", 2, &list), COP_E_FORMAT, "more texts");
    assert_fails(cop_h5_read_strings(file, "/config", 2, &list), COP_E_FORMAT, "not a list");
    cop_list_clear(&list);
    assert_ok(cop_h5_read_strings(file, "/nothing", 3, &list));
    assert_int_equal(list.count, 0);
    char *text;
    assert_ok(cop_h5_read_text(file, "/config", &text));
    assert_string_equal(text, "[run]\nname = x\n");
    cop_free(text);
    assert_fails(cop_h5_read_text(file, "/names", &text), COP_E_FORMAT, "not one text");
    assert_null(text);
    assert_ok(cop_h5_get_text(file, "/group/made", "long", &text));
    assert_string_equal(text, long_text);
    cop_free(text);
    assert_fails(cop_h5_get_text(file, "/", "count", &text), COP_E_FORMAT, "no text");
    assert_fails(cop_h5_get_text(file, "/", "none", &text), COP_E_FORMAT, "no attribute 'none'");
    int64_t count;
    double real;
    assert_ok(cop_h5_get_i64(file, "/", "count", &count));
    assert_int_equal(count, -7);
    assert_ok(cop_h5_get_f64(file, "/names", "real", &real));
    assert_true(real == 0.1);
    assert_fails(cop_h5_get_i64(file, "/names", "real", &count), COP_E_FORMAT, "not one integer");
    assert_fails(cop_h5_get_f64(file, "/", "count", &real), COP_E_FORMAT, "floating");
    assert_ok(cop_h5_members(file, "/", &list));
    assert_int_equal(list.count, 4);
    assert_string_equal(list.items[0], "config");
    assert_string_equal(list.items[3], "nothing");
    cop_list_clear(&list);
    assert_true(cop_h5_has(file, "/group/made"));
    assert_false(cop_h5_has(file, "/group/made/none"));
    assert_false(cop_h5_has(file, "relative"));
    assert_ok(cop_h5_close(file));
    cop_free(long_text);
}

/* Equal contents give equal bytes: no times, no addresses of memory in the file. */
static void same_bytes(void **state) {
    (void)state;
    char hex[2][COP_HASH_HEX];
    for (int turn = 0; turn < 2; turn++) {
        const char *path = test_path(turn ? "second.h5" : "first.h5");
        double values[4] = {1, 2, 3, 4};
        cop_h5 *file = NULL;
        assert_ok(cop_h5_create(&file, path));
        assert_ok(cop_h5_write(file, "/g/x", COP_H5_F64, 1, (size_t[]){4}, values));
        assert_ok(cop_h5_write(file, "/g/id", COP_H5_F64, 1, (size_t[]){4}, values));
        assert_ok(cop_h5_describe(file, "/g/x", "a column", "1"));
        assert_ok(cop_h5_attach_scale(file, "/g/x", 0, "/g/id", "individual"));
        assert_ok(cop_h5_label_axis(file, "/g/id", 0, "individual"));
        assert_ok(cop_h5_close(file));
        assert_ok(cop_hash_file(path, hex[turn]));
    }
    assert_string_equal(hex[0], hex[1]);
}

static void unwritable(void **state) {
    (void)state;
    cop_h5 *file = NULL;
    assert_fails(cop_h5_create(&file, test_path("no/such/folder.h5")), COP_E_IO, "No such file");
    assert_null(file);
    assert_fails(cop_h5_create(&file, test_scratch()), COP_E_IO, "directory");
    assert_fails(cop_h5_open(&file, test_path("none.h5")), COP_E_IO, "none.h5: cannot open");
    assert_fails(cop_h5_open(&file, test_scratch()), COP_E_IO, "not a regular file");
    if (geteuid() != 0) {
        assert_ok(cop_make_dirs(test_path("locked")));
        assert_int_equal(chmod(test_path("locked"), 0500), 0);
        assert_fails(cop_h5_create(&file, test_path("locked/x.h5")), COP_E_IO, "Permission denied");
        assert_null(file);
    }
    /* a failed write leaves no file behind */
    uint8_t byte = 1;
    assert_ok(cop_h5_create(&file, test_path("twice.h5")));
    assert_ok(cop_h5_write(file, "/x", COP_H5_U8, 1, (size_t[]){1}, &byte));
    assert_fails(cop_h5_write(file, "/x", COP_H5_U8, 1, (size_t[]){1}, &byte), COP_E_IO, "/x");
    assert_int_equal(cop_h5_close(file), COP_E_IO);
    assert_false(cop_file_exists(test_path("twice.h5")));
    assert_ok(cop_h5_create(&file, test_path("given-up.h5")));
    cop_h5_discard(file);
    assert_false(cop_file_exists(test_path("given-up.h5")));
    assert_ok(cop_h5_close(NULL));
    cop_h5_discard(NULL);
}

static void full_disk(void **state) {
    (void)state;
    cop_h5 *file = NULL;
    uint8_t bytes[20000] = {1};
    assert_ok(cop_h5_create(&file, "/dev/full"));
    assert_ok(cop_h5_write(file, "/x", COP_H5_U8, 1, (size_t[]){sizeof bytes}, bytes));
    assert_fails(cop_h5_close(file), COP_E_IO, "/dev/full: cannot write: No space left");
    assert_true(cop_file_exists("/dev/full"));
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 10000;
    signal(SIGXFSZ, SIG_IGN);
    assert_ok(cop_h5_create(&file, test_path("full.h5")));
    assert_ok(cop_h5_write(file, "/x", COP_H5_U8, 1, (size_t[]){sizeof bytes}, bytes));
    setrlimit(RLIMIT_FSIZE, &small);
    cop_status status = cop_h5_close(file);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_fails(status, COP_E_IO, "full.h5: cannot write");
    assert_false(cop_file_exists(test_path("full.h5")));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers),    cmocka_unit_test(large),
                                       cmocka_unit_test(texts),      cmocka_unit_test(same_bytes),
                                       cmocka_unit_test(unwritable), cmocka_unit_test(full_disk)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
