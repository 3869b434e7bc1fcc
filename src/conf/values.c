/* What a value may be: types, bounds, and the one spelling of each value. */
#include "internal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_LONGEST 65536 /* bytes; far beyond any sensible option */
#define UNBOUNDED 1e300     /* table rows spell "no bound" as INFINITY or DBL_MAX */

bool cop_text_is_utf8(const char *text, size_t length) {
    const unsigned char *s = (const unsigned char *)text;
    for (size_t i = 0; i < length;) {
        unsigned char c = s[i];
        size_t more = c < 0x80 ? 0 : (c & 0xE0) == 0xC0 ? 1 : (c & 0xF0) == 0xE0 ? 2 : 3;
        if (c >= 0x80 && (c < 0xC2 || c > 0xF4)) return false;
        if (i + more >= length) return false;
        for (size_t k = 1; k <= more; k++)
            if ((s[i + k] & 0xC0) != 0x80) return false;
        /* overlong forms, surrogates, beyond U+10FFFF */
        if ((c == 0xE0 && s[i + 1] < 0xA0) || (c == 0xED && s[i + 1] > 0x9F) ||
            (c == 0xF0 && s[i + 1] < 0x90) || (c == 0xF4 && s[i + 1] > 0x8F))
            return false;
        i += more + 1;
    }
    return true;
}

bool cop_value_writable(const char *text) {
    size_t length = strlen(text);
    const char *why = NULL;
    size_t unfolded = 0;
    for (size_t i = 0; i < length; i++) {
        bool first = i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t';
        if (iscntrl((unsigned char)text[i]) && text[i] != '\t')
            why = "it holds a control character";
        if (first && text[i] == '#') why = "a comment behind a value starts with ';', not '#'";
        if (first && text[i] == ';') why = "' ;' would start a comment";
        unfolded = cop_value_fold_at(text, i) ? 0 : unfolded + 1;
        if (unfolded > COP_FOLD_GAP) why = "it has too long a run of blanks or comment characters";
    }
    if (length > VALUE_LONGEST) why = "it is longer than 65536 bytes";
    if (length && text[length - 1] == '\\') why = "it ends in a backslash";
    if (length && (isspace((unsigned char)*text) || isspace((unsigned char)text[length - 1])))
        why = "it begins or ends with a blank";
    if (!cop_text_is_utf8(text, length)) why = "it is not UTF-8 text";
    if (why) cop_fail(COP_E_CONFIG, "%s", why);
    return !why;
}

static bool bounded(double bound) {
    return fabs(bound) < UNBOUNDED;
}

/* Whole numbers in full: 1000000, not 1e+06. */
static void add_bound(cop_buf *out, double bound) {
    bool whole = bound == floor(bound) && fabs(bound) < 1e16;
    cop_buf_printf(out, whole ? "%.0f" : "%.15g", bound);
}

static void add_range(const cop_option *option, cop_buf *out) {
    bool low = bounded(option->low), high = bounded(option->high);
    if (low != high) cop_buf_printf(out, low ? "at least " : "at most ");
    if (low) add_bound(out, option->low);
    if (low && high) cop_buf_printf(out, "..");
    if (high) add_bound(out, option->high);
    if (option->unit && *option->unit) cop_buf_printf(out, " %s", option->unit);
}

void cop_value_describe(const cop_option *option, cop_buf *out) {
    static const char *const names[] = {
        [COP_OPT_INT] = "whole number",
        [COP_OPT_REAL] = "number",
        [COP_OPT_BOOL] = "yes or no",
        [COP_OPT_BYTES] = "size such as 512M or 1.5G",
        [COP_OPT_TEXT] = "text",
        [COP_OPT_CHOICE] = "one of ",
        [COP_OPT_REALS] = "numbers with commas between",
        [COP_OPT_WORDS] = "words with commas between",
    };
    cop_buf_printf(out, "%s", names[option->type]);
    if (option->type == COP_OPT_INT || option->type == COP_OPT_REAL ||
        option->type == COP_OPT_REALS) {
        cop_buf range = {0};
        add_range(option, &range);
        if (range.length)
            cop_buf_printf(out, "%s %s", range.data[0] == ' ' ? "" : ",",
                           cop_buf_text(&range) + (range.data[0] == ' '));
        cop_buf_clear(&range);
    } else if (option->type == COP_OPT_CHOICE) {
        for (const char *c = option->choices; *c; c++)
            cop_buf_printf(out, *c == '|' ? ", " : "%c", *c);
    } else if (option->unit && *option->unit) {
        cop_buf_printf(out, ", %s", option->unit);
    }
}

static cop_status out_of_range(const cop_option *option) {
    cop_buf range = {0};
    add_range(option, &range);
    bool both = bounded(option->low) && bounded(option->high);
    cop_fail(COP_E_CONFIG, "not %s%s", both ? "in " : "", cop_buf_text(&range));
    cop_buf_clear(&range);
    return COP_E_CONFIG;
}

/* Shortest decimal that reads back as the same double. */
static void add_double(cop_buf *out, double value) {
    char text[40];
    if (value == 0) value = 0; /* -0 is 0 */
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    cop_buf_printf(out, "%s", text);
}

static cop_status check_int(const cop_option *option, const char *text, cop_buf *out) {
    int64_t value;
    if (!cop_parse_i64(text, &value)) return cop_fail(COP_E_CONFIG, "not a whole number");
    if ((double)value < option->low || (double)value > option->high) return out_of_range(option);
    cop_buf_printf(out, "%lld", (long long)value);
    return COP_OK;
}

static cop_status check_real(const cop_option *option, const char *text, cop_buf *out) {
    double value;
    if (!cop_parse_double(text, &value)) return cop_fail(COP_E_CONFIG, "not a finite number");
    if (value < option->low || value > option->high) return out_of_range(option);
    add_double(out, value);
    return COP_OK;
}

/* In the largest unit of which it is a whole number. */
static cop_status check_bytes(const char *text, cop_buf *out) {
    static const char *const units[] = {"", "K", "M", "G", "T"};
    uint64_t value;
    size_t unit = 0;
    if (!cop_parse_bytes(text, &value))
        return cop_fail(COP_E_CONFIG, "not a size such as 512M or 1.5G; K, M, G and T stand for "
                                      "powers of 1024");
    for (; value && value % 1024 == 0 && unit < 4; unit++) value /= 1024;
    cop_buf_printf(out, "%llu%s", (unsigned long long)value, units[unit]);
    return COP_OK;
}

static cop_status check_choice(const cop_option *option, const char *text, cop_buf *out) {
    cop_list choices = {0};
    cop_list_split(&choices, option->choices, "|");
    cop_status status = COP_E_CONFIG;
    for (size_t i = 0; i < choices.count; i++)
        if (strcmp(text, choices.items[i]) == 0) status = COP_OK;
    if (status == COP_OK) {
        cop_buf_printf(out, "%s", text);
    } else {
        cop_buf wanted = {0};
        cop_value_describe(option, &wanted);
        const char *near = cop_nearest(text, (const char *const *)choices.items, choices.count);
        cop_fail(status, "not %s%s%s%s", cop_buf_text(&wanted), near ? "; did you mean '" : "",
                 near ? near : "", near ? "'?" : "");
        cop_buf_clear(&wanted);
    }
    cop_list_clear(&choices);
    return status;
}

static cop_status check_list(const cop_option *option, const char *text, cop_buf *out) {
    cop_list parts = {0};
    cop_status status = COP_OK;
    size_t commas = 0;
    for (const char *c = text; *c; c++) commas += *c == ',';
    cop_list_split(&parts, text, ",");
    if (parts.count != commas + 1) COP_GO(cop_fail(COP_E_CONFIG, "nothing between two commas"));
    for (size_t i = 0; i < parts.count; i++) {
        if (i) cop_buf_printf(out, ", ");
        if (option->type == COP_OPT_REALS) {
            status = check_real(option, parts.items[i], out);
            if (status != COP_OK) COP_GO(cop_fail_prefix(status, "'%s'", parts.items[i]));
        } else if (strpbrk(parts.items[i], " \t")) {
            COP_GO(cop_fail(COP_E_CONFIG, "'%s': words are separated by commas", parts.items[i]));
        } else {
            cop_buf_printf(out, "%s", parts.items[i]);
        }
    }
done:
    cop_list_clear(&parts);
    return status;
}

cop_status cop_value_check(const cop_option *option, const char *text, char **canonical) {
    cop_buf out = {0};
    cop_status status = COP_OK;
    bool flag;
    bool may_be_empty = option->type == COP_OPT_TEXT || option->type == COP_OPT_WORDS ||
                        (option->fallback && !*option->fallback);
    if (!cop_value_writable(text)) COP_GO(COP_E_CONFIG);
    if (!*text) {
        if (!may_be_empty) COP_GO(cop_fail(COP_E_CONFIG, "a value is missing"));
    } else {
        switch (option->type) {
        case COP_OPT_INT:
            COP_GO(check_int(option, text, &out));
            break;
        case COP_OPT_REAL:
            COP_GO(check_real(option, text, &out));
            break;
        case COP_OPT_BOOL:
            if (!cop_parse_bool(text, &flag)) COP_GO(cop_fail(COP_E_CONFIG, "not yes or no"));
            cop_buf_printf(&out, flag ? "yes" : "no");
            break;
        case COP_OPT_BYTES:
            COP_GO(check_bytes(text, &out));
            break;
        case COP_OPT_TEXT:
            cop_buf_printf(&out, "%s", text);
            break;
        case COP_OPT_CHOICE:
            COP_GO(check_choice(option, text, &out));
            break;
        case COP_OPT_REALS:
        case COP_OPT_WORDS:
            COP_GO(check_list(option, text, &out));
            break;
        }
    }
    *canonical = cop_strdup(cop_buf_text(&out));
done:
    cop_buf_clear(&out);
    return status;
}
