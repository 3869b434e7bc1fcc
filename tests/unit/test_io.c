/* Plain files: folders, reading, atomic publishing, appending, and what a full disk does. */
#include "../support/support.h"
#include "coppice/io.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void folders(void **state) {
    (void)state;
    assert_ok(cop_make_dirs(test_path("a/b/c")));
    assert_ok(cop_make_dirs(test_path("a/b/c/")));
    assert_true(cop_file_exists(test_path("a/b/c")));
    assert_ok(cop_write_file(test_path("a/file"), "x", 1));
    assert_fails(cop_make_dirs(test_path("a/file/under")), COP_E_IO, "a/file");
    assert_fails(cop_make_dirs("/proc/none/of/ours"), COP_E_IO, "/proc/none");
}

static void whole_file(void **state) {
    (void)state;
    char bytes[200000];
    for (size_t k = 0; k < sizeof bytes; k++) bytes[k] = (char)(k * 31 >> 3);
    cop_buf seen = {0};
    assert_ok(cop_write_file(test_path("whole"), bytes, sizeof bytes));
    assert_ok(cop_read_file(test_path("whole"), sizeof bytes, &seen));
    assert_int_equal(seen.length, sizeof bytes);
    assert_memory_equal(seen.data, bytes, sizeof bytes);
    assert_fails(cop_read_file(test_path("whole"), sizeof bytes - 1, &seen), COP_E_FORMAT,
                 "longer than");
    assert_fails(cop_read_file(test_path("none"), 10, &seen), COP_E_IO, "No such file");
    assert_fails(cop_read_file(test_scratch(), 10, &seen), COP_E_IO, "directory");
    cop_buf_clear(&seen);
    assert_ok(cop_write_file(test_path("whole"), "", 0));
    assert_ok(cop_read_file(test_path("whole"), 0, &seen));
    assert_int_equal(seen.length, 0);
    cop_buf_clear(&seen);
}

static size_t files_in_scratch(const char *pattern) {
    char *command = cop_sprintf("ls -d '%s'/%s 2>/dev/null | wc -l", test_scratch(), pattern);
    FILE *pipe = popen(command, "r");
    size_t count = 0;
    assert_int_equal(fscanf(pipe, "%zu", &count), 1);
    pclose(pipe);
    cop_free(command);
    return count;
}

static void publishing(void **state) {
    (void)state;
    char *temporary = cop_publish_name(test_path("p"));
    assert_string_not_equal(temporary, test_path("p"));
    assert_fails(cop_publish(temporary, test_path("p")), COP_E_IO, "No such file");
    assert_ok(cop_write_file(test_path("p"), "old", 3));
    FILE *f = fopen(temporary, "w");
    fputs("new", f);
    fclose(f);
    assert_ok(cop_publish(temporary, test_path("p")));
    assert_false(cop_file_exists(temporary));
    cop_buf seen = {0};
    assert_ok(cop_read_file(test_path("p"), 10, &seen));
    assert_string_equal(cop_buf_text(&seen), "new");
    cop_buf_clear(&seen);
    /* what is no regular file stays, and the temporary file goes */
    assert_ok(cop_make_dirs(test_path("folder")));
    assert_fails(cop_write_file(test_path("folder"), "x", 1), COP_E_IO, "not a regular file");
    assert_ok(cop_write_file(temporary, "new", 3));
    assert_fails(cop_publish(temporary, test_path("folder")), COP_E_IO, "not a regular file");
    assert_fails(cop_write_file("/dev/full", "x", 1), COP_E_IO, "not a regular file");
    assert_fails(cop_write_file(test_path("nowhere/p"), "x", 1), COP_E_IO, "No such file");
    assert_int_equal(files_in_scratch("*.tmp.*"), 0);
    cop_free(temporary);
}

static void appending(void **state) {
    (void)state;
    cop_buf seen = {0};
    assert_ok(cop_append_line(test_path("log"), "one"));
    assert_ok(cop_append_line(test_path("log"), ""));
    assert_ok(cop_append_line(test_path("log"), "three"));
    assert_ok(cop_read_file(test_path("log"), 100, &seen));
    assert_string_equal(cop_buf_text(&seen), "one\n\nthree\n");
    cop_buf_clear(&seen);
    assert_fails(cop_append_line("/dev/full", "x"), COP_E_IO, "No space left");
}

/* A limit on file sizes stands for a full disk: write() takes a part, then fails. */
static void full_disk(void **state) {
    (void)state;
    struct rlimit old, small;
    char bytes[8192] = {0};
    memset(bytes, 'x', sizeof bytes - 1);
    assert_ok(cop_write_file(test_path("kept"), "old", 3));
    assert_ok(cop_append_line(test_path("lines"), "first"));
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    cop_status write = cop_write_file(test_path("kept"), bytes, sizeof bytes);
    char *message = cop_strdup(cop_error_message());
    cop_status append = cop_append_line(test_path("lines"), bytes);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(write, COP_E_IO);
    assert_non_null(strstr(message, "kept: cannot write"));
    assert_int_equal(append, COP_E_IO);
    cop_free(message);
    cop_buf seen = {0};
    assert_ok(cop_read_file(test_path("kept"), 10, &seen));
    assert_string_equal(cop_buf_text(&seen), "old");
    cop_buf_reset(&seen);
    assert_ok(cop_read_file(test_path("lines"), 10, &seen));
    assert_string_equal(cop_buf_text(&seen), "first\n");
    cop_buf_clear(&seen);
    assert_int_equal(files_in_scratch("*.tmp.*"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(folders), cmocka_unit_test(whole_file),
                                       cmocka_unit_test(publishing), cmocka_unit_test(appending),
                                       cmocka_unit_test(full_disk)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
