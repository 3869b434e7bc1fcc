/* Hostile files of LIBSVM. */
#include "task.h"

static const cop_section sections[] = {{"task.*", "tasks", cop_task_options}};
static const cop_schema schema = {sections, 1};

/* One file, read as the train split and, with columns from it, as that of a second file. */
static void run(const uint8_t *bytes, size_t count) {
    static const char *const text =
        "[task.t]\nsource = libsvm\nfile = t\ntest_file = t\ncolumns = 4096\n[task.u]\n"
        "source = libsvm\nfile = t\nholdout = 0.3\ncolumns = 4096\n";
    fuzz_file("t", bytes, count);
    cop_conf *conf = NULL;
    FUZZ_REQUIRE(cop_conf_parse(&conf, &schema, text, "test") == COP_OK);
    for (int k = 0; k < 4; k++)
        fuzz_load_task(conf, k < 2 ? "t" : "u", k % 2 ? COP_SPLIT_TEST : COP_SPLIT_TRAIN);
    cop_conf_destroy(conf);
}

static void seeds(fuzz_add add) {
    static const char *const texts[] = {"+1 1:0.5 3:-2\n-1 2:1e3 4096:4\n1\n",
                                        "# c\n1 1:1 # x\n2 1:2\n1 2:3\n2 1:1\n3 5:9\n",
                                        "1 2:1 2:1\n", "1 2\n", "\n\n0 1:1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) add(texts[i], strlen(texts[i]));
}

const fuzz_target fuzz_this = {"libsvm", run, seeds};
