/* Seeds, names, and the record of a sweep, which may have been anything before it is read. */
#include "../support/support.h"

#include "coppice/io.h"
#include "run/sweep.h"

#include <string.h>
#include <unistd.h>

static void seeds_are_numbers_and_ranges(void **state) {
    (void)state;
    int64_t *seeds;
    size_t count;
    assert_ok(cop_seeds_parse("1-3, 7,9-9,0", &seeds, &count));
    const int64_t wanted[] = {1, 2, 3, 7, 9, 0};
    assert_int_equal(count, 6);
    assert_memory_equal(seeds, wanted, sizeof wanted);
    cop_free(seeds);
    assert_ok(cop_seeds_parse("9007199254740992", &seeds, &count));
    cop_free(seeds);
    const char *bad[] = {"",
                         ",",
                         "0-",
                         "-3",
                         "a",
                         "3-1",
                         "1,1",
                         "1-4,3",
                         "1-200000",
                         "1.5",
                         "9007199254740993",
                         "0-9223372036854775807",
                         "1-2-3",
                         " - "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char wants[64];
        snprintf(wants, sizeof wants, "seeds '%s': ", bad[i]);
        assert_fails(cop_seeds_parse(bad[i], &seeds, &count), COP_E_USAGE, wants);
        assert_null(seeds);
    }
}

static void names_of_arms_are_names_of_folders(void **state) {
    (void)state;
    assert_true(cop_arm_name_good("as-published") && cop_arm_name_good("P10_s2.v2"));
    const char *bad[] = {"", ".", "..", ".a", "-a", "a/b", "a b", "a,b", "a\n", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(cop_arm_name_good(bad[i]));
    char name[COP_ARM_NAME + 1];
    memset(name, 'a', sizeof name);
    name[COP_ARM_NAME] = '\0';
    assert_false(cop_arm_name_good(name));
    name[COP_ARM_NAME - 1] = '\0';
    assert_true(cop_arm_name_good(name));
}

static void write_record(const char *text) {
    assert_ok(cop_write_file(test_path("sweep.json"), text, strlen(text)));
}

static void a_record_is_read_as_written(void **state) {
    (void)state;
    /* a path may be any bytes, JSON may not */
    cop_sweep_arm arms[2] = {{cop_strdup("a"), cop_strdup("x\xff/\xc3\xa4.ini"), NULL},
                             {cop_strdup("b"), cop_strdup("b.ini"), NULL}};
    char why[] = "a \"reason\"";
    cop_sweep_run runs[2] = {{.arm = 1, .seed = 3, .state = COP_RUN_FAILED, .message = why},
                             {.arm = 0, .seed = 0, .state = COP_RUN_RUNNING, .broken_off = 2}};
    cop_sweep written = {.directory = cop_strdup(test_scratch()),
                         .arm = arms,
                         .arms = 2,
                         .run = runs,
                         .runs = 2,
                         .ranks_per_run = 4,
                         .command_line = "coppice sweep x\xff \xf0\x9f"},
              read;
    strcpy(written.started, "2026-01-01T00:00:00Z");
    assert_ok(cop_sweep_save(&written, "running"));
    assert_true(cop_sweep_is_one(test_scratch()));
    assert_ok(cop_sweep_read(&read, test_scratch()));
    assert_int_equal(read.arms, 2);
    assert_int_equal(read.runs, 2);
    assert_int_equal(read.ranks_per_run, 4);
    assert_string_equal(read.arm[0].source, "x\xef\xbf\xbd/\xc3\xa4.ini");
    assert_string_equal(read.started, written.started);
    assert_int_equal(read.run[0].arm, 1);
    assert_int_equal(read.run[0].state, COP_RUN_FAILED);
    assert_string_equal(read.run[0].message, why);
    assert_int_equal(read.run[1].broken_off, 2);
    assert_null(read.run[1].message);
    char *dir = cop_sweep_run_directory(&read, &read.run[0]);
    assert_string_equal(dir, test_path("b/seed-3"));
    cop_free(dir);
    cop_sweep_close(&read);
    for (int i = 0; i < 2; i++) {
        cop_free(arms[i].name);
        cop_free(arms[i].source);
    }
    cop_free(written.directory);
}

static void a_record_that_cannot_be_is_refused(void **state) {
    (void)state;
#define HEAD "{\"format\":\"coppice sweep\",\"format_version\":1,"
    static const char *const bad[][2] = {
        {"", "not the record of a sweep"},
        {"[]", "not the record of a sweep"},
        {"{\"format\":\"coppice run\"}", "not the record of a sweep"},
        {"{\"format\":\"coppice sweep\",\"format_version\":2}", "later version"},
        {HEAD "\"arms\":3,\"runs\":[]}", "'arms' is not a list"},
        {HEAD "\"arms\":[{\"name\":\"../x\"}],\"runs\":[]}", "no name that an arm may have"},
        {HEAD "\"arms\":[{}],\"runs\":[]}", "no name"},
        {HEAD "\"arms\":[{\"name\":\"a\"},{\"name\":\"a\"}],\"runs\":[]}", "is there twice"},
        {HEAD "\"arms\":[]}", "'runs' is not a list"},
        {HEAD "\"arms\":[],\"runs\":[{\"arm\":\"a\",\"seed\":1,\"status\":\"waiting\"}]}", "run 0"},
        {HEAD "\"arms\":[{\"name\":\"a\"}],\"runs\":[{\"arm\":\"a\",\"seed\":-1,"
              "\"status\":\"waiting\"}]}",
         "run 0"},
        {HEAD "\"arms\":[{\"name\":\"a\"}],\"runs\":[{\"arm\":\"a\",\"seed\":1,"
              "\"status\":\"lost\"}]}",
         "run 0"},
        {HEAD "\"arms\":[{\"name\":\"a\"}],\"runs\":[7]}", "run 0"},
        {HEAD "\"arms\":[{\"name\":\"a\"}],\"runs\":[{\"arm\":\"a\",\"seed\":1,"
              "\"status\":\"finished\"},{\"arm\":\"a\",\"seed\":2,\"status\":\"waiting\"},"
              "{\"arm\":\"a\",\"seed\":1,\"status\":\"finished\"}]}",
         "arm a, seed 1 is there twice"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cop_sweep sweep;
        write_record(bad[i][0]);
        assert_fails(cop_sweep_read(&sweep, test_scratch()), COP_E_FORMAT, bad[i][1]);
        cop_sweep_close(&sweep);
    }
    cop_sweep sweep;
    unlink(test_path("sweep.json"));
    assert_fails(cop_sweep_read(&sweep, test_scratch()), COP_E_IO, "sweep.json");
    cop_sweep_close(&sweep);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_are_numbers_and_ranges),
        cmocka_unit_test(names_of_arms_are_names_of_folders),
        cmocka_unit_test(a_record_is_read_as_written),
        cmocka_unit_test(a_record_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
