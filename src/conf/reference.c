/* The reference of all options, from the same tables that check them. */
#include "internal.h"

#include <string.h>

static const char *effect_name(cop_opt_effect effect) {
    switch (effect) {
    case COP_SCIENCE:
        return "science";
    case COP_EXTENT:
        return "extent";
    case COP_MANNER:
        return "manner";
    }
    return "?";
}

/* '|' would end a Markdown table cell. */
static void add_cell(cop_buf *out, const char *text) {
    for (; *text; text++) cop_buf_printf(out, *text == '|' ? "\\|" : "%c", *text);
}

static void write_option(const cop_option *o, cop_buf *out, bool markdown) {
    cop_buf wanted = {0};
    cop_value_describe(o, &wanted);
    const char *fallback = !o->fallback ? "required" : *o->fallback ? o->fallback : "empty";
    if (markdown) {
        cop_buf_printf(out, "| `%s` | ", o->key);
        add_cell(out, cop_buf_text(&wanted));
        cop_buf_printf(out, o->fallback && *o->fallback ? " | `%s` | %s | " : " | %s | %s | ",
                       fallback, effect_name(o->effect));
        add_cell(out, o->help);
        cop_buf_printf(out, " |\n");
    } else {
        char *value = cop_sprintf("(%s; default: %s; %s)", cop_buf_text(&wanted), fallback,
                                  effect_name(o->effect));
        cop_buf_printf(out, strlen(o->key) <= 16 ? "  %-16s " : "  %s\n%19s", o->key, "");
        cop_buf_fill(out, o->help, 19, 19);
        cop_buf_printf(out, "%19s", "");
        cop_buf_fill(out, value, 19, 19);
        cop_free(value);
    }
    cop_buf_clear(&wanted);
}

void cop_schema_write_reference(const cop_schema *schema, cop_buf *out, bool markdown) {
    cop_buf_printf(
        out,
        "%sscience: part of what the result is a function of; resuming refuses a change.\n"
        "extent: how long to search; may be raised on resume.\n"
        "manner: how it is carried out; never moves a result.\n",
        markdown ? "<!-- written by: coppice help --config --markdown -->\n\n" : "");
    for (size_t i = 0; i < schema->count; i++) {
        const cop_section *row = &schema->sections[i];
        if (cop_section_is_again(schema, i)) continue;
        size_t stem =
            strlen(row->name) - (cop_section_is_wildcard(row) || cop_section_is_optional(row));
        cop_buf_printf(out, markdown ? "\n## [%.*s%s]\n" : "\n[%.*s%s]\n", (int)stem, row->name,
                       cop_section_is_wildcard(row) ? "NAME" : "");
        for (size_t k = i; k < schema->count; k++) {
            const cop_section *part = &schema->sections[k];
            if (strcmp(part->name, row->name) != 0) continue;
            if (part->help && *part->help && markdown) cop_buf_printf(out, "\n%s\n", part->help);
            if (part->help && *part->help && !markdown) {
                cop_buf_printf(out, "  ");
                cop_buf_fill(out, part->help, 2, 2);
            }
            if (markdown && part->options && part->options->key)
                cop_buf_printf(out, "\n| key | value | default | effect | meaning |\n"
                                    "| --- | --- | --- | --- | --- |\n");
            for (const cop_option *o = part->options; o && o->key; o++) {
                /* a key that an earlier table of this section has was shown there */
                bool shown = false;
                for (size_t j = i; j < k && !shown; j++)
                    for (const cop_option *p = schema->sections[j].options; p && p->key; p++)
                        if (strcmp(schema->sections[j].name, row->name) == 0 &&
                            strcmp(p->key, o->key) == 0)
                            shown = true;
                if (!shown) write_option(o, out, markdown);
            }
        }
    }
}
