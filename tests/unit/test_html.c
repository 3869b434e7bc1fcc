/* Text and charts of a page: whatever comes in, what goes out is well-formed. */
#include "../support/support.h"

#include <math.h>
#include <string.h>

#include "report/html.h"

static void text_becomes_harmless(void **state) {
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"line\n\ttab", "line\n\ttab"},
        {"\x01\x1b[0m\x7f", "\xef\xbf\xbd\xef\xbf\xbd[0m\xef\xbf\xbd"},
        {"\xff", "\xef\xbf\xbd"},
        {"\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd"}, /* '<' in two bytes */
        {"\xe0\x80\xbc", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* half of a pair */
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"}, /* cut off */
        {"\xe2<", "\xef\xbf\xbd&lt;"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cop_buf out = {0};
        cop_html_text(&out, cases[i].in);
        assert_string_equal(cop_buf_text(&out), cases[i].out);
        cop_buf_clear(&out);
    }
    cop_buf out = {0};
    cop_html_format(&out, "%d %s", 3, "<i>");
    assert_string_equal(cop_buf_text(&out), "3 &lt;i&gt;");
    cop_buf_clear(&out);
}

static size_t times(const cop_buf *text, const char *what) {
    size_t count = 0;
    for (const char *at = cop_buf_text(text); (at = strstr(at, what)); at += strlen(what)) count++;
    return count;
}

static void charts_leave_out_what_is_not_finite(void **state) {
    (void)state;
    const double x[] = {0, 1, 2, 3, 4}, y[] = {1, NAN, 2, INFINITY, 3},
                 none[] = {NAN, NAN, -INFINITY, NAN, NAN};
    const double flat[] = {7, 7, 7, 7, 7}, huge[] = {-1e300, 1e300, 0, 1, 2};
    const double *const all[] = {y, none, flat, huge};
    for (size_t i = 0; i < 4; i++) {
        cop_buf out = {0};
        const cop_series series = {"<a>", x, all[i], 5, false, true, 11};
        cop_svg_lines(&out, &(cop_chart){"t<", "x<", "y<", &series, 1, i % 2 == 0});
        assert_int_equal(times(&out, "nan") + times(&out, "inf"), 0);
        assert_int_equal(times(&out, "<svg "), i == 1 ? 0 : 1);
        assert_int_equal(times(&out, "<figure>"), times(&out, "</figure>"));
        assert_int_equal(times(&out, "<a>"), 0);
        if (i == 0) assert_int_equal(times(&out, "M"), 3); /* three separate points */
        cop_buf_clear(&out);
    }
    cop_buf out = {0};
    cop_svg_lines(&out, &(cop_chart){"t", "x", "y", NULL, 0, true});
    cop_svg_bars(&out, "t", NULL, 0);
    cop_svg_columns(&out, "t", "x", "y", NULL, NULL, 0);
    cop_svg_tree(&out, "t", "x", "y", NULL, 0);
    assert_int_equal(times(&out, "Nothing to draw"), 4);
    cop_buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_harmless),
        cmocka_unit_test(charts_leave_out_what_is_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
