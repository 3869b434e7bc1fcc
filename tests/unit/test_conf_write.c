/* The canonical text of a configuration: it reads back to itself, whatever the values are. */
#include "../support/support.h"

#include "coppice/conf.h"

#include <math.h>
#include <string.h>

static const cop_option run_options[] = {
    {"name", COP_OPT_TEXT, "", 0, 0, "", NULL, COP_MANNER, "A name."},
    {"seed", COP_OPT_INT, "1", 0, 1e9, "", NULL, COP_SCIENCE, "Seed."},
    {"stop", COP_OPT_INT, "50", 0, 1e9, "", NULL, COP_EXTENT, "When to stop."},
    {0}};
static const cop_option first[] = {
    {"op", COP_OPT_CHOICE, "a", 0, 0, "", "a|b", COP_SCIENCE, "Which|one."},
    {"rate", COP_OPT_REAL, "0.1", 0, 1, "steps", NULL, COP_SCIENCE, "Rate."},
    {0}};
static const cop_option second[] = {
    {"rate", COP_OPT_REAL, "0.1", 0, 1, "steps", NULL, COP_SCIENCE, "Rate."},
    {"on", COP_OPT_BOOL, "yes", 0, 0, "", NULL, COP_SCIENCE, "On."},
    {"words", COP_OPT_WORDS, "", 0, 0, "", NULL, COP_SCIENCE, "Words."},
    {"need", COP_OPT_INT, NULL, 0, 5, "", NULL, COP_SCIENCE, "Needed."},
    {0}};
static const cop_option task_options[] = {
    {"source", COP_OPT_TEXT, "blobs", 0, 0, "", NULL, COP_SCIENCE, "Source."}, {0}};
static const cop_section sections[] = {{"select", "First.", first},
                                       {"task.*", "A task.", task_options},
                                       {"select", "Second.", second},
                                       {"run", "The run.", run_options}};
static const cop_schema schema = {sections, 4};

static cop_conf *parsed(const char *text) {
    cop_conf *conf;
    assert_ok(cop_conf_parse(&conf, &schema, text, "t.ini"));
    return conf;
}

static void the_text_is_canonical(void **state) {
    (void)state;
    cop_conf *a = parsed("[run]\nseed = 007\n[select]\nwords = x ,y\nrate=.50\non=TRUE\nneed = 3\n"
                         "[task.z]\n[task.b]\nsource=idx\n");
    cop_conf *b = parsed("[select]\nop = a\nneed = 3\n[task.z]\nsource = blobs\n[run]\nseed = 7\n"
                         "[select]\nrate = 5e-1\nwords = x,y\n[task.b]\nsource=idx\n");
    cop_buf text_a = {0}, text_b = {0}, science = {0};
    cop_conf_write(a, &text_a, COP_CONF_ALL);
    cop_conf_write(b, &text_b, COP_CONF_ALL);
    assert_string_equal(cop_buf_text(&text_a),
                        "[select]\nop = a\nrate = 0.5\non = yes\nwords = x, y\nneed = 3\n\n"
                        "[task.z]\nsource = blobs\n\n[task.b]\nsource = idx\n\n"
                        "[run]\nname =\nseed = 7\nstop = 50\n");
    assert_string_equal(cop_buf_text(&text_b), cop_buf_text(&text_a));
    cop_conf_write(a, &science, COP_CONF_SCIENCE);
    assert_null(strstr(cop_buf_text(&science), "stop"));
    assert_null(strstr(cop_buf_text(&science), "name"));
    assert_non_null(strstr(cop_buf_text(&science), "[run]\nseed = 7\n"));
    cop_conf_destroy(a);
    cop_conf_destroy(b);
    cop_buf_clear(&text_a);
    cop_buf_clear(&text_b);
    cop_buf_clear(&science);
}

/* What hashes are made from says only what differs from the defaults: a version that knows more
 * options gives the same text. */
static void new_options_do_not_change_the_science(void **state) {
    (void)state;
    static const cop_option more_options[] = {
        {"op", COP_OPT_CHOICE, "a", 0, 0, "", "a|b", COP_SCIENCE, "Which|one."},
        {"newer", COP_OPT_REAL, "0.25", 0, 1, "", NULL, COP_SCIENCE, "Added later."},
        {"rate", COP_OPT_REAL, "0.1", 0, 1, "steps", NULL, COP_SCIENCE, "Rate."},
        {0}};
    static const cop_section more_sections[] = {{"select", "First.", more_options},
                                                {"task.*", "A task.", task_options},
                                                {"select", "Second.", second},
                                                {"run", "The run.", run_options},
                                                {"newest", "Added later.", more_options}};
    static const cop_schema more = {more_sections, 5};
    const char *text = "[select]\nop = b\nrate = 0.10\nneed = 3\n[task.z]\n[run]\nseed = 1\n";
    cop_conf *before = parsed(text), *after;
    assert_ok(cop_conf_parse(&after, &more, text, "t.ini"));
    cop_buf a = {0}, b = {0};
    cop_conf_write(before, &a, COP_CONF_SCIENCE);
    cop_conf_write(after, &b, COP_CONF_SCIENCE);
    assert_string_equal(cop_buf_text(&a), "[select]\nop = b\nneed = 3\n\n[task.z]\n");
    assert_string_equal(cop_buf_text(&b), cop_buf_text(&a));
    cop_conf_destroy(after);
    assert_ok(cop_conf_parse(&after, &more, "[select]\nop = b\nnewer = 0.5\nneed = 3\n[task.z]\n",
                             "t.ini"));
    cop_buf_clear(&b);
    cop_conf_write(after, &b, COP_CONF_SCIENCE);
    assert_string_equal(cop_buf_text(&b), "[select]\nop = b\nnewer = 0.5\nneed = 3\n\n[task.z]\n");
    cop_conf_destroy(before);
    cop_conf_destroy(after);
    cop_buf_clear(&a);
    cop_buf_clear(&b);
}

/* A required key of a section nobody uses is neither written nor missed. */
static void defaults_read_back_as_defaults(void **state) {
    (void)state;
    cop_buf text = {0}, again = {0};
    cop_conf *conf = parsed("[task.only]\n");
    cop_conf_write(conf, &text, COP_CONF_ALL);
    cop_conf *back = parsed(cop_buf_text(&text));
    cop_conf_write(back, &again, COP_CONF_ALL);
    assert_string_equal(cop_buf_text(&text), cop_buf_text(&again));
    assert_false(cop_conf_given(back, "select", "rate"));
    assert_false(cop_conf_has_section(back, "select"));
    assert_true(cop_conf_has_section(back, "task.only"));
    cop_conf *copy = cop_conf_copy(back);
    cop_conf_destroy(back);
    assert_string_equal(cop_conf_place(copy, "run", "stop"), "t.ini:13");
    cop_conf_destroy(copy);
    cop_conf_destroy(conf);
    cop_buf_clear(&text);
    cop_buf_clear(&again);
}

/* Texts of all lengths made of letters, blanks, UTF-8 and characters that mean something to INI:
 * what
 * --set accepts must be read back as it was. */
static void every_accepted_value_reads_back(void **state) {
    (void)state;
    static const char *const pieces[] = {
        "a",    "b", " ",  "  ", "\t", ";",        "#",
        "\\",   "=", "[",  "]",  ":",  "\xC3\xA9", "\xF0\x9F\x8C\xB3",
        "word", ",", "0.5"};
    size_t accepted = 0, folded = 0;
    for (uint32_t trial = 0; trial < 1500; trial++) {
        cop_rng rng = cop_rng_at(11, 0, trial, COP_FOR_TEST);
        cop_buf value = {0}, text = {0};
        size_t count = cop_rng_below(&rng, 250), kinds = 1 + cop_rng_below(&rng, 17);
        cop_buf_printf(&value, "run.name=");
        for (size_t i = 0; i < count; i++)
            cop_buf_printf(&value, "%s", pieces[(cop_rng_below(&rng, kinds) * 7 + trial) % 17]);
        cop_conf *conf = parsed(""), *back;
        if (cop_conf_set(conf, cop_buf_text(&value)) == COP_OK) {
            accepted++;
            cop_conf_write(conf, &text, COP_CONF_ALL);
            for (char *line = (char *)text.data, *next; line; line = next) {
                next = strchr(line, '\n');
                size_t length = next ? (size_t)(next - line) : strlen(line);
                assert_true(length <= 101);
                folded += strncmp(line, "    ", 4) == 0;
                if (next) next++;
            }
            assert_ok(cop_conf_parse(&back, &schema, cop_buf_text(&text), "back"));
            assert_string_equal(cop_conf_text(back, "run", "name"),
                                cop_conf_text(conf, "run", "name"));
            cop_conf_destroy(back);
        }
        cop_conf_destroy(conf);
        cop_buf_clear(&value);
        cop_buf_clear(&text);
    }
    assert_true(accepted > 300);
    assert_true(folded > 300);
}

/* A text with bytes changed, doubled and dropped: it is refused with a line, or it reads back to
 * itself. */
static void any_bytes_are_refused_or_read_back(void **state) {
    (void)state;
    static const char sample[] = "; head\n[select]\nop = b ; comment\nrate = 0.25\nneed = 3\n"
                                 "words = a,\n  b,\\\n  c\n\n[task.one]\nsource = idx\n[run]\n"
                                 "name = \xC3\xA9t\xC3\xA9\nseed=5\n# end\n";
    static const char bytes[] = "=[]\n\\ ;#\t\r:.,0x\xC3\x80\x01\xFF";
    size_t read = 0, refused = 0;
    for (uint32_t trial = 0; trial < 4000; trial++) {
        cop_rng rng = cop_rng_at(13, 0, trial, COP_FOR_TEST);
        char text[2 * sizeof sample] = "";
        size_t length = 0;
        for (size_t i = 0; i + 1 < sizeof sample; i++) {
            uint64_t what = cop_rng_below(&rng, 150);
            if (what == 0) continue;
            text[length++] = what == 1 ? bytes[cop_rng_below(&rng, sizeof bytes - 1)] : sample[i];
            if (what == 2) text[length++] = sample[i];
        }
        cop_conf *conf, *back;
        cop_buf written = {0}, again = {0};
        if (cop_conf_parse(&conf, &schema, text, "t.ini") == COP_OK) {
            cop_conf_write(conf, &written, COP_CONF_ALL);
            assert_ok(cop_conf_parse(&back, &schema, cop_buf_text(&written), "back"));
            cop_conf_write(back, &again, COP_CONF_ALL);
            assert_string_equal(cop_buf_text(&again), cop_buf_text(&written));
            cop_conf_destroy(back);
            read++;
        } else {
            assert_int_equal(strncmp(cop_error_message(), "t.ini", 5), 0);
            refused++;
        }
        cop_conf_destroy(conf);
        cop_buf_clear(&written);
        cop_buf_clear(&again);
    }
    assert_true(read > 500 && refused > 500);
}

/* Nothing but blanks between letters for longer than a line: refused, as it could not be written.
 */
static void what_cannot_be_folded_is_refused(void **state) {
    (void)state;
    char text[200] = "run.name=";
    cop_conf *conf = parsed("");
    for (size_t i = 9; i < 60; i++) text[i] = i % 3 ? ' ' : 'x';
    text[57] = 'y';
    text[58] = '\0';
    assert_fails(cop_conf_set(conf, text), COP_E_CONFIG, "too long a run of blanks");
    text[40] = 'x'; /* a pair of letters where a line may end */
    assert_ok(cop_conf_set(conf, text));
    cop_conf_destroy(conf);
}

static void numbers_keep_every_bit(void **state) {
    (void)state;
    cop_conf *zero = parsed("[select]\nneed = 1\nrate = -0.0\n");
    assert_string_equal(cop_conf_place(zero, "select", "rate"), "t.ini:3");
    assert_false(signbit(cop_conf_real(zero, "select", "rate")));
    cop_conf_destroy(zero);
    for (uint32_t trial = 0; trial < 1000; trial++) {
        cop_rng rng = cop_rng_at(12, 0, trial, COP_FOR_TEST);
        double value = cop_rng_uniform(&rng);
        char *given = cop_sprintf("select.rate=%.17g", value);
        cop_buf text = {0};
        cop_conf *conf = parsed("[select]\nneed = 1\n");
        assert_ok(cop_conf_set(conf, given));
        cop_conf_write(conf, &text, COP_CONF_ALL);
        cop_conf *back = parsed(cop_buf_text(&text));
        assert_true(cop_conf_real(back, "select", "rate") == value);
        cop_conf_destroy(back);
        cop_conf_destroy(conf);
        cop_buf_clear(&text);
        cop_free(given);
    }
}

static void the_reference_names_everything_once(void **state) {
    (void)state;
    cop_buf text = {0}, markdown = {0};
    cop_schema_write_reference(&schema, &text, false);
    cop_schema_write_reference(&schema, &markdown, true);
    const char *t = cop_buf_text(&text), *m = cop_buf_text(&markdown);
    assert_non_null(strstr(t, "[task.NAME]"));
    assert_non_null(strstr(t, "number, 0..1 steps; default: 0.1; science"));
    assert_non_null(strstr(m, "| `need` | whole number, 0..5 | required | science | Needed. |"));
    assert_non_null(strstr(m, "Which\\|one."));
    const char *rate = strstr(m, "`rate`");
    assert_non_null(rate);
    assert_null(strstr(rate + 1, "`rate`"));
    assert_null(strstr(strstr(m, "[select]") + 1, "[select]"));
    cop_buf_clear(&text);
    cop_buf_clear(&markdown);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_canonical),
        cmocka_unit_test(new_options_do_not_change_the_science),
        cmocka_unit_test(defaults_read_back_as_defaults),
        cmocka_unit_test(every_accepted_value_reads_back),
        cmocka_unit_test(any_bytes_are_refused_or_read_back),
        cmocka_unit_test(what_cannot_be_folded_is_refused),
        cmocka_unit_test(numbers_keep_every_bit),
        cmocka_unit_test(the_reference_names_everything_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
