/* Reading configurations: values, includes, --set, and every refusal with its place. */
#include "../support/support.h"

#include "coppice/conf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cop_option pool_options[] = {
    {"elite", COP_OPT_REAL, "0.1", 0, 1, "", NULL, COP_SCIENCE, "Fraction kept."},
    {"cull", COP_OPT_REAL, "0.25", 0, 1, "", NULL, COP_SCIENCE, "Fraction dropped."},
    {0}};
static const cop_option select_tournament[] = {
    {"size", COP_OPT_INT, "8", 1, 1000, "individuals", NULL, COP_SCIENCE, "Contestants."}, {0}};
static const cop_option select_softmax[] = {
    {"temperature", COP_OPT_REAL, "1", 1e-6, INFINITY, "", NULL, COP_SCIENCE, "Softness."}, {0}};
static const cop_option run_options[] = {
    {"name", COP_OPT_TEXT, "", 0, 0, "", NULL, COP_MANNER, "A name."},
    {"seed", COP_OPT_INT, "1", 0, INFINITY, "", NULL, COP_SCIENCE, "Seed."},
    {"fast", COP_OPT_BOOL, "no", 0, 0, "", NULL, COP_MANNER, "Fast."},
    {"limit", COP_OPT_REAL, "", -INFINITY, 9, "", NULL, COP_EXTENT, "Optional."},
    {0}};
static const cop_option cross_options[] = {
    {"op", COP_OPT_CHOICE, "one_point", 0, 0, "", "one_point|uniform|none", COP_SCIENCE, "Which."},
    {"values", COP_OPT_REALS, "0.5, 1, 2", 0, 10, "", NULL, COP_SCIENCE, "Values."},
    {"names", COP_OPT_WORDS, "", 0, 0, "", NULL, COP_SCIENCE, "Names."},
    {0}};
static const cop_option task_options[] = {
    {"source", COP_OPT_TEXT, NULL, 0, 0, "", NULL, COP_SCIENCE, "Where samples come from."},
    {"classes", COP_OPT_INT, "10", 2, 1000, "classes", NULL, COP_SCIENCE, "How many."},
    {0}};
static const cop_section sections[] = {{"run", "The run.", run_options},
                                       {"pool", "The pool.", pool_options},
                                       {"select", "tournament", select_tournament},
                                       {"select", "softmax", select_softmax},
                                       {"cross", "Crossover.", cross_options},
                                       {"task.*", "A task.", task_options}};
static const cop_schema schema = {sections, sizeof sections / sizeof *sections};

static cop_conf *parsed(const char *text) {
    cop_conf *conf;
    assert_ok(cop_conf_parse(&conf, &schema, text, "t.ini"));
    return conf;
}

static void refuses(const char *text, const char *message) {
    cop_conf *conf;
    assert_fails(cop_conf_parse(&conf, &schema, text, "t.ini"), COP_E_CONFIG, message);
    assert_null(conf);
}

static void write_text(const char *name, const char *text) {
    FILE *file = fopen(test_path(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void values_are_read_and_default(void **state) {
    (void)state;
    double values[4];
    cop_list list = {0};
    cop_conf *conf = parsed("\xEF\xBB\xBF; comment\r\n[run]\r\nname = two words ; comment\r\n"
                            "seed=18446744073\nfast = Yes\n"
                            "# comment\n[select]\ntemperature = 1e3\n[cross]\nop = uniform\n"
                            "values = 1,2 , 3\n\t; comment\n\n\t, 4 ; comment\nnames = a,b\n");
    assert_string_equal(cop_conf_text(conf, "run", "name"), "two words");
    assert_int_equal(cop_conf_int(conf, "run", "seed"), 18446744073);
    assert_true(cop_conf_bool(conf, "run", "fast"));
    assert_int_equal(cop_conf_int(conf, "select", "size"), 8);
    assert_near(cop_conf_real(conf, "select", "temperature"), 1000, 0);
    assert_string_equal(cop_conf_text(conf, "cross", "op"), "uniform");
    assert_int_equal(cop_conf_reals(conf, "cross", "values", values, 4), 4);
    for (int i = 0; i < 4; i++) assert_near(values[i], i + 1, 0);
    assert_int_equal(cop_conf_reals(conf, "cross", "values", values, 1), 4);
    cop_conf_words(conf, "cross", "names", &list);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[1], "b");
    cop_list_clear(&list);
    assert_string_equal(cop_conf_place(conf, "run", "seed"), "t.ini:4");
    assert_string_equal(cop_conf_place(conf, "cross", "names"), "t.ini:15");
    assert_string_equal(cop_conf_place(conf, "pool", "cull"), "default");
    assert_near(cop_conf_real(conf, "pool", "cull"), 0.25, 0);
    cop_conf_destroy(conf);
}

static void refusals_name_place_and_nearest(void **state) {
    (void)state;
    refuses("[pool]\nelite = 2\n", "t.ini:2: [pool] elite = 2: not in 0..1");
    refuses("\n\n[pol]\n", "t.ini:3: there is no section [pol]; did you mean [pool]?");
    refuses("[tsk.mnist]\n", "did you mean [task.NAME]?");
    refuses("[pool]\nelit = 1\n", "t.ini:2: [pool] has no key 'elit'; did you mean 'elite'?");
    refuses("[pool]\nsize = 1\n", "t.ini:2: [pool] has no key 'size'; [select] has one");
    refuses("[pool]\nelite = 1\n[run]\n[pool]\nelite = 1\n",
            "t.ini:5: [pool] elite was already given");
    refuses("[pool]\nelite\n", "t.ini:2: not 'key = value'");
    refuses("[pool]\nelite : 1\n", "t.ini:2: not 'key = value'");
    refuses("[pool]\nelite : x = 1\n", "t.ini:2: not 'key = value'");
    refuses("[pool]\n= 1\n", "t.ini:2: the key before '=' is missing");
    refuses("[pool]\nelite x = 1\n", "t.ini:2: 'elite x' is not a key");
    refuses("elite = 1\n", "t.ini:1: 'elite' stands before the first section");
    refuses("[pool]\ninclude = a.ini\n", "'include' stands before the first section");
    refuses("include = a.ini\n", "t.ini:1: 'include' works in files only");
    refuses("[pool\n", "t.ini:1: the section header has no ']'");
    refuses("[pool] x\n", "t.ini:1: only a comment may follow");
    refuses("[]\n", "t.ini:1: there is no section []");
    refuses("[task.]\n", "t.ini:1: [task.]: the name behind 'task.'");
    refuses("[task.a b]\nsource=x\n", "letters, digits");
    refuses("  [pool]\n", "t.ini:1: the line is indented");
    refuses("[pool]\n elite = 1\n", "t.ini:2: the line is indented");
    refuses("[pool]\nelite = 1\n cull = 1\n",
            "t.ini:2: [pool] elite = 1 cull = 1: not a finite number (an indented line continues");
    refuses("[pool]\nelite = 1\n  [run]\n", "t.ini:2: [pool] elite = 1 [run]");
    refuses("[pool]\nelite = 1 # half\n", "t.ini:2: [pool] elite = 1 # half: a comment behind");
    refuses("[pool]\nelite = nan\n", "not a finite number");
    refuses("[pool]\nelite = inf\n", "not a finite number");
    refuses("[pool]\nelite =\n", "t.ini:2: [pool] elite = : a value is missing");
    refuses("[run]\nseed = -1\n", "not at least 0");
    refuses("[run]\nlimit = 10\n", "not at most 9");
    refuses("[run]\nseed = 1e3\n", "not a whole number");
    refuses("[run]\nseed = 99999999999999999999\n", "not a whole number");
    refuses("[run]\nfast = maybe\n", "not yes or no");
    refuses("[select]\nsize = 2000\n", "not in 1..1000 individuals");
    refuses("[cross]\nop = onepoint\n",
            "not one of one_point, uniform, none; did you mean 'one_point'?");
    refuses("[cross]\nvalues = 1, 20\n", "t.ini:2: [cross] values = 1, 20: '20': not in 0..10");
    refuses("[cross]\nvalues = 1,,2\n", "nothing between two commas");
    refuses("[cross]\nvalues = 1 2\n", "not a finite number");
    refuses("[cross]\nnames = a b\n", "separated by commas");
    refuses("[task.x]\nclasses = 3\n", "t.ini: [task.x] needs 'source' (text): Where samples");
    refuses("[run]\nname = a\x01z\n", "t.ini:2: control character 0x01 at column 9");
    refuses("[run]\nname = \xC3(\n", "t.ini:2: not UTF-8");
    refuses("[run]\nname = \xED\xA0\x80\n", "t.ini:2: not UTF-8");
    refuses("[run]\nname = a\\\nseed = 1\n", "t.ini:3: an indented line must follow");
    refuses("[run]\nname = a\\\n", "it ends in a backslash");
}

static void long_lines_are_refused_and_can_be_continued(void **state) {
    (void)state;
    char text[400] = "[run]\nname = ";
    memset(text + strlen(text), 'x', 189);
    refuses(strcat(text, "yz\n"), "t.ini:2: the line has 198 bytes, at most 197 are read");
    text[strlen(text) - 2] = '\0';
    cop_conf *conf = parsed(text); /* 197 bytes are whole */
    assert_int_equal(strlen(cop_conf_text(conf, "run", "name")), 190);
    cop_conf_destroy(conf);
    memset(text, 'k', 60);
    text[60] = '\0';
    refuses(strcat(text, " = 1\n"), "t.ini:1: the key is longer than 49 bytes");
    strcpy(text, "[task.");
    memset(text + 6, 'k', 60);
    strcpy(text + 66, "]\n");
    refuses(text, "t.ini:1: the section name is longer than 49 bytes");
    conf = parsed("[run]\nname = one\n  two\\\n  three\n");
    assert_string_equal(cop_conf_text(conf, "run", "name"), "one twothree");
    cop_conf_destroy(conf);
}

static void assignments_override_and_are_checked(void **state) {
    (void)state;
    cop_conf *conf = parsed("[task.mnist]\nsource = idx\n[pool]\nelite = 0.5\n");
    assert_ok(cop_conf_set(conf, " pool.elite = 0.2 "));
    assert_near(cop_conf_real(conf, "pool", "elite"), 0.2, 0);
    assert_string_equal(cop_conf_place(conf, "pool", "elite"), "--set");
    assert_ok(cop_conf_set(conf, "task.mnist.source=a=b.c"));
    assert_string_equal(cop_conf_text(conf, "task.mnist", "source"), "a=b.c");
    assert_fails(cop_conf_set(conf, "elite=1"), COP_E_USAGE, "section.key=value");
    assert_fails(cop_conf_set(conf, "pool.elite"), COP_E_USAGE, "section.key=value");
    assert_fails(cop_conf_set(conf, "pool.=1"), COP_E_USAGE, "section.key=value");
    assert_fails(cop_conf_set(conf, "pool.elite=7"), COP_E_CONFIG,
                 "--set: [pool] elite = 7: not in 0..1");
    assert_fails(cop_conf_set(conf, "pool.elit=1"), COP_E_CONFIG, "did you mean 'elite'?");
    assert_fails(cop_conf_set(conf, "poll.elite=1"), COP_E_CONFIG, "did you mean [pool]?");
    assert_fails(cop_conf_set(conf, "task.mnits.classes=3"), COP_E_CONFIG,
                 "did you mean [task.mnist]?");
    assert_fails(cop_conf_set(conf, "run.name=a\nb"), COP_E_CONFIG, "control character");
    assert_fails(cop_conf_set(conf, "run.name=a ;b"), COP_E_CONFIG, "comment");
    assert_ok(cop_conf_check(conf));
    assert_ok(cop_conf_set(conf, "task.letters.classes=3"));
    assert_fails(cop_conf_check(conf), COP_E_CONFIG, "[task.letters] needs 'source'");
    assert_fails(cop_conf_require(conf, "task.letters"), COP_E_CONFIG, "needs 'source'");
    cop_conf_destroy(conf);
}

static void given_means_other_than_default(void **state) {
    (void)state;
    cop_list list = {0};
    cop_conf *conf = parsed("[pool]\nelite = 0.10\ncull = 0.5\n[task.b]\nsource = x\n"
                            "[select]\n[task.a]\nsource = x\n[run]\nlimit =\n");
    assert_false(cop_conf_given(conf, "pool", "elite"));
    assert_true(cop_conf_given(conf, "pool", "cull"));
    assert_true(cop_conf_given(conf, "task.a", "source"));
    assert_false(cop_conf_given(conf, "run", "limit"));
    assert_true(cop_conf_has_section(conf, "pool"));
    assert_true(cop_conf_has_section(conf, "task.a"));
    assert_false(cop_conf_has_section(conf, "task.c"));
    assert_false(cop_conf_has_section(conf, "select"));
    cop_conf_sections(conf, "task.", &list);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0], "task.b");
    cop_list_clear(&list);
    assert_fails(cop_conf_fail(conf, "pool", "cull", "too %s", "big"), COP_E_CONFIG,
                 "t.ini:3: [pool] cull = 0.5: too big");
    assert_fails(cop_conf_fail(conf, "select", "size", "odd"), COP_E_CONFIG,
                 "[select] size = 8 (default): odd");
    assert_fails(cop_conf_fail(conf, "run", "limit", "odd"), COP_E_CONFIG, "[run] limit = : odd");
    cop_conf_destroy(conf);
}

static void includes_are_relative_and_overridden(void **state) {
    (void)state;
    cop_conf *conf;
    char *folder = cop_sprintf("mkdir -p '%s/sub'", test_scratch());
    assert_int_equal(system(folder), 0);
    cop_free(folder);
    write_text("base.ini", "[pool]\nelite = 0.3\ncull = 0.4\n");
    write_text("sub/ga.ini", "include = ../base.ini\n[pool]\nelite = 0.6\n[run]\nseed = 5\n");
    write_text("top.ini", "; first\ninclude = sub/ga.ini\n\n[run]\nseed = 6\n");
    assert_ok(cop_conf_load(&conf, &schema, test_path("top.ini")));
    assert_near(cop_conf_real(conf, "pool", "elite"), 0.6, 0);
    assert_near(cop_conf_real(conf, "pool", "cull"), 0.4, 0);
    assert_int_equal(cop_conf_int(conf, "run", "seed"), 6);
    assert_non_null(strstr(cop_conf_place(conf, "pool", "cull"), "sub/../base.ini:3"));
    cop_conf_destroy(conf);

    write_text("loop.ini", "include = sub/loop.ini\n");
    write_text("sub/loop.ini", "include = ../loop.ini\n");
    assert_fails(cop_conf_load(&conf, &schema, test_path("loop.ini")), COP_E_CONFIG,
                 "the file includes itself");
    write_text("absent.ini", "\ninclude = nowhere.ini\n");
    assert_fails(cop_conf_load(&conf, &schema, test_path("absent.ini")), COP_E_IO,
                 "absent.ini:2: include: ");
    write_text("bad.ini", "[pool]\nelite = x\n");
    write_text("top.ini", "include = bad.ini\n");
    assert_fails(cop_conf_load(&conf, &schema, test_path("top.ini")), COP_E_CONFIG,
                 "bad.ini:2: [pool] elite = x");
    write_text("top.ini", "include =\n");
    assert_fails(cop_conf_load(&conf, &schema, test_path("top.ini")), COP_E_CONFIG,
                 "top.ini:1: include: the name of a file is missing");
    for (int i = 0; i < 9; i++) {
        char name[32], text[48];
        snprintf(name, sizeof name, "deep%d.ini", i);
        snprintf(text, sizeof text, "include = deep%d.ini\n", i + 1);
        write_text(name, i < 8 ? text : "");
    }
    assert_fails(cop_conf_load(&conf, &schema, test_path("deep0.ini")), COP_E_CONFIG,
                 "deep7.ini:1: include = deep8.ini: files are included more than 8 deep");
    assert_ok(cop_conf_load(&conf, &schema, test_path("deep1.ini")));
    cop_conf_destroy(conf);
    assert_fails(cop_conf_load(&conf, &schema, test_scratch()), COP_E_IO, "is a folder");
    assert_fails(cop_conf_load(&conf, &schema, test_path("none.ini")), COP_E_IO, "No such file");
    FILE *file = fopen(test_path("nul.ini"), "w");
    assert_non_null(file);
    fwrite("[run]\nna\0me = x\n", 1, 16, file);
    fclose(file);
    assert_fails(cop_conf_load(&conf, &schema, test_path("nul.ini")), COP_E_CONFIG,
                 "nul.ini:2: control character 0x00 at column 3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_and_default),
        cmocka_unit_test(refusals_name_place_and_nearest),
        cmocka_unit_test(long_lines_are_refused_and_can_be_continued),
        cmocka_unit_test(assignments_override_and_are_checked),
        cmocka_unit_test(given_means_other_than_default),
        cmocka_unit_test(includes_are_relative_and_overridden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
