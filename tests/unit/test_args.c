/* Command lines: every spelling of an option, and what is refused. */
#include "../support/support.h"

#include "coppice/cli.h"

#include <string.h>

static cop_args parsed(size_t count, const char *const *words) {
    cop_args args;
    assert_ok(cop_args_parse(&args, (int)count, (char **)words));
    return args;
}
#define PARSED(...)                                                                                \
    parsed(sizeof((const char *[]){"coppice", __VA_ARGS__}) / sizeof(char *),                      \
           (const char *[]){"coppice", __VA_ARGS__})
#define REFUSED(text, ...)                                                                         \
    do {                                                                                           \
        cop_args refused_;                                                                         \
        const char *words_[] = {"coppice", __VA_ARGS__};                                           \
        assert_fails(cop_args_parse(&refused_, sizeof words_ / sizeof *words_, (char **)words_),   \
                     COP_E_USAGE, text);                                                           \
        cop_args_clear(&refused_);                                                                 \
    } while (0)

static void every_spelling_gives_the_same(void **state) {
    (void)state;
    cop_args spellings[] = {
        PARSED("check", "c.ini", "--data", "folder", "--no-data"),
        PARSED("check", "--data=folder", "--no-data", "c.ini"),
        PARSED("check", "-d", "folder", "c.ini", "--no-data"),
        PARSED("check", "-dfolder", "--no-data", "--", "c.ini"),
    };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        cop_args *a = &spellings[i];
        assert_string_equal(a->command->name, "check");
        assert_int_equal(a->word_count, 1);
        assert_string_equal(a->words[0], "c.ini");
        assert_string_equal(cop_args_get(a, "data"), "folder");
        assert_string_equal(cop_args_get(a, "no-data"), "");
        assert_false(cop_args_has(a, "print-config"));
        assert_null(cop_args_get(a, "set"));
        cop_args_clear(a);
    }
}

static void repeated_options_add_up_and_the_last_one_counts(void **state) {
    (void)state;
    cop_args a =
        PARSED("check", "c.ini", "--set=a.b=1", "-d", "x", "--set", "c.d=2", "-se.f=", "-dy");
    assert_string_equal(cop_args_nth(&a, "set", 0), "a.b=1");
    assert_string_equal(cop_args_nth(&a, "set", 1), "c.d=2");
    assert_string_equal(cop_args_nth(&a, "set", 2), "e.f=");
    assert_null(cop_args_nth(&a, "set", 3));
    assert_string_equal(cop_args_get(&a, "data"), "y");
    cop_args_clear(&a);
    /* a value may be empty, look like an option, or be a dash; switches share a dash */
    a = PARSED("check", "-", "--data=", "--set", "--set", "-hV");
    assert_string_equal(a.words[0], "-");
    assert_string_equal(cop_args_get(&a, "data"), "");
    assert_string_equal(cop_args_get(&a, "set"), "--set");
    assert_true(cop_args_has(&a, "help") && cop_args_has(&a, "version"));
    cop_args_clear(&a);
}

static void help_and_version_need_no_words(void **state) {
    (void)state;
    cop_args a = PARSED("check", "--help");
    assert_string_equal(a.command->name, "check");
    cop_args_clear(&a);
    a = PARSED("--version");
    assert_null(a.command);
    assert_true(cop_args_has(&a, "version"));
    cop_args_clear(&a);
}

static void mistakes_are_named(void **state) {
    (void)state;
    REFUSED("did you mean 'check'?", "chekc");
    REFUSED("there is no option --no-data", "--no-data", "check", "c.ini");
    REFUSED("did you mean --set?", "check", "c.ini", "--sett=1");
    REFUSED("there is no option --da;", "check", "c.ini", "--da");
    REFUSED("there is no option -q", "check", "c.ini", "-hq");
    REFUSED("--data needs a value: --data=DIR", "check", "c.ini", "--data");
    REFUSED("--set needs a value", "check", "c.ini", "-s");
    REFUSED("--help takes no value", "check", "--help=yes");
    REFUSED("CONFIG is missing", "check", "--");
    REFUSED("a command is missing", "--");
    const char *words[300] = {"coppice", "check", "c.ini"};
    cop_args a;
    for (size_t i = 3; i < 300; i++) words[i] = "--no-data";
    assert_fails(cop_args_parse(&a, 300, (char **)words), COP_E_USAGE, "more than 128 options");
    cop_args_clear(&a);
}

/* The tables that parser and help trust. */
static void every_command_is_described(void **state) {
    (void)state;
    size_t count;
    const cop_command *const *commands = cop_commands(&count);
    for (size_t i = 0; i < count; i++) {
        const cop_command *c = commands[i];
        assert_true(c->name && c->summary && *c->summary && c->synopsis && c->run);
        assert_true(c->max_words >= c->min_words);
        for (size_t k = 0; k < i; k++) assert_string_not_equal(c->name, commands[k]->name);
        for (const cop_flag *f = c->flags; f && f->name; f++) {
            assert_true(f->help && *f->help);
            assert_true(!f->repeats || f->value);
            assert_true(f->letter != 'h' && f->letter != 'V');
            for (const cop_flag *g = c->flags; g < f; g++) {
                assert_string_not_equal(f->name, g->name);
                assert_true(!f->letter || f->letter != g->letter);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_gives_the_same),
        cmocka_unit_test(repeated_options_add_up_and_the_last_one_counts),
        cmocka_unit_test(help_and_version_need_no_words),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(every_command_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
