/* The resolved configuration as canonical INI text. */
#include "internal.h"

#include <string.h>

/* Lines are folded well below what any build of libinih reads (200 bytes). */
#define LINE_LONGEST 100

static bool blank_at(const char *text, size_t i) {
    return text[i] == ' ' || text[i] == '\t';
}

int cop_value_fold_at(const char *text, size_t i) {
    if (i == 0 || blank_at(text, i - 1) || text[i - 1] == '\\') return 0;
    if (blank_at(text, i)) return text[i] == ' ' && !blank_at(text, i + 1) ? 1 : 0;
    return !strchr(";#", text[i]) && ((unsigned char)text[i] & 0xC0) != 0x80 ? 2 : 0;
}

/* Bytes of the next line of @p text: up to the last blank that fits, else to the last place inside
 * a word. cop_value_writable saw to it that there is one within COP_FOLD_GAP bytes. */
static size_t fold(const char *text, size_t length, size_t room, bool *at_blank) {
    *at_blank = false;
    if (length <= room) return length;
    for (int kind = 1; kind <= 2; kind++)
        for (size_t i = room; i > 0; i--)
            if (cop_value_fold_at(text, i) == kind) {
                *at_blank = kind == 1;
                return i;
            }
    return length;
}

static void write_value(const char *key, const char *value, cop_buf *out) {
    size_t length = strlen(value), used = strlen(key) + 3;
    cop_buf_printf(out, length ? "%s = " : "%s =", key);
    while (length) {
        bool at_blank;
        size_t part = fold(value, length, LINE_LONGEST - used, &at_blank);
        cop_buf_add(out, value, part);
        value += part + at_blank;
        length -= part + at_blank;
        if (length) cop_buf_printf(out, at_blank ? "\n    " : "\\\n    ");
        used = 4;
    }
    cop_buf_add(out, "\n", 1);
}

static void write_section(const cop_conf *conf, const char *section, bool always, unsigned effects,
                          cop_buf *out) {
    bool header = false;
    cop_walk walk = {0};
    if (always) {
        cop_buf_printf(out, "%s[%s]\n", out->length ? "\n" : "", section);
        header = true;
    }
    for (const cop_option *o; (o = cop_schema_next(conf->schema, section, &walk));) {
        const cop_entry *entry = cop_conf_entry(conf, section, o->key);
        char *fallback = NULL;
        if (!(effects & (1u << o->effect)) || (!entry && !o->fallback)) continue;
        if ((effects & COP_CONF_GIVEN) && !(entry && cop_entry_differs(entry))) continue;
        if (!entry) COP_ASSERT(cop_value_check(o, o->fallback, &fallback) == COP_OK);
        if (!header) cop_buf_printf(out, "%s[%s]\n", out->length ? "\n" : "", section);
        header = true;
        write_value(o->key, entry ? entry->value : fallback, out);
        cop_free(fallback);
    }
}

void cop_conf_write(const cop_conf *conf, cop_buf *text, unsigned effects) {
    cop_buf out = {0};
    for (size_t i = 0; i < conf->schema->count; i++) {
        const cop_section *row = &conf->schema->sections[i];
        if (cop_section_is_again(conf->schema, i)) continue;
        if (!cop_section_is_wildcard(row) && !cop_section_is_optional(row)) {
            write_section(conf, row->name, false, effects, &out);
            continue;
        }
        for (size_t k = 0; k < conf->sections.count; k++)
            if (cop_section_matches(row, conf->sections.items[k]))
                write_section(conf, conf->sections.items[k], true, effects, &out);
    }
    cop_buf_add(text, cop_buf_text(&out), out.length);
    cop_buf_clear(&out);
}
