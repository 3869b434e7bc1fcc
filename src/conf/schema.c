/* Looking up rows of the option tables, and saying what is near when there is none. */
#include "internal.h"

#include <ctype.h>
#include <string.h>

bool cop_section_is_wildcard(const cop_section *row) {
    size_t length = strlen(row->name);
    return length > 1 && row->name[length - 1] == '*';
}

bool cop_section_is_optional(const cop_section *row) {
    size_t length = strlen(row->name);
    return length > 1 && row->name[length - 1] == '?';
}

bool cop_conf_plain_name(const char *name) {
    if (!*name) return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_' && *name != '-') return false;
    return true;
}

static bool has_stem(const cop_section *row, const char *section) {
    return cop_section_is_wildcard(row) && strncmp(row->name, section, strlen(row->name) - 1) == 0;
}

bool cop_section_matches(const cop_section *row, const char *section) {
    if (cop_section_is_optional(row))
        return strlen(section) + 1 == strlen(row->name) &&
               strncmp(row->name, section, strlen(section)) == 0;
    if (!cop_section_is_wildcard(row)) return strcmp(row->name, section) == 0;
    return has_stem(row, section) && cop_conf_plain_name(section + strlen(row->name) - 1);
}

bool cop_section_is_again(const cop_schema *schema, size_t row) {
    for (size_t i = 0; i < row; i++)
        if (strcmp(schema->sections[i].name, schema->sections[row].name) == 0) return true;
    return false;
}

const cop_option *cop_schema_next(const cop_schema *schema, const char *section, cop_walk *walk) {
    for (; walk->row < schema->count; walk->row++, walk->option = 0) {
        const cop_section *row = &schema->sections[walk->row];
        if (!row->options || !cop_section_matches(row, section)) continue;
        while (row->options[walk->option].key) {
            const cop_option *option = &row->options[walk->option++];
            /* a key that several tables of this section share is met once */
            if (cop_schema_option(schema, section, option->key) == option) return option;
        }
    }
    return NULL;
}

const cop_option *cop_schema_option(const cop_schema *schema, const char *section,
                                    const char *key) {
    for (size_t i = 0; i < schema->count; i++) {
        const cop_section *row = &schema->sections[i];
        if (!row->options || !cop_section_matches(row, section)) continue;
        for (const cop_option *o = row->options; o->key; o++)
            if (strcmp(o->key, key) == 0) return o;
    }
    return NULL;
}

cop_status cop_schema_check_section(const cop_schema *schema, const char *section) {
    const char **names = COP_NEW_ARRAY(const char *, schema->count + 1);
    const cop_section *stem = NULL;
    bool known = false;
    for (size_t i = 0; i < schema->count; i++) {
        const cop_section *row = &schema->sections[i];
        names[i] = row->name;
        if (cop_section_matches(row, section)) known = true;
        if (has_stem(row, section)) stem = row;
    }
    cop_status status = COP_OK;
    if (known) {
        status = COP_OK;
    } else if (stem) {
        status = cop_fail(COP_E_CONFIG,
                          "[%s]: the name behind '%.*s' is made of letters, digits, '_' and '-'",
                          section, (int)strlen(stem->name) - 1, stem->name);
    } else {
        const char *near = cop_nearest(section, names, schema->count);
        /* [tsk.mnist]: compare the part before the dot with the stem of [task.NAME] */
        const char *dot = strchr(section, '.');
        for (size_t i = 0; !near && dot && i < schema->count; i++) {
            if (!cop_section_is_wildcard(&schema->sections[i])) continue;
            char *word = cop_sprintf("%.*s.*", (int)(dot - section), section);
            near = cop_nearest(word, &names[i], 1);
            cop_free(word);
        }
        bool wild = near && near[strlen(near) - 1] == '*';
        const bool mark = wild || (near && near[strlen(near) - 1] == '?');
        status = cop_fail(COP_E_CONFIG, "there is no section [%s]%s%.*s%s%s", section,
                          near ? "; did you mean [" : "; 'coppice list options' shows all",
                          near ? (int)strlen(near) - mark : 0, near ? near : "", wild ? "NAME" : "",
                          near ? "]?" : "");
    }
    cop_free(names);
    return status;
}

cop_status cop_schema_unknown_key(const cop_schema *schema, const char *section, const char *key) {
    const char **names = NULL, *elsewhere = NULL;
    size_t count = 0;
    cop_walk walk = {0};
    for (const cop_option *o; (o = cop_schema_next(schema, section, &walk));) {
        names = cop_realloc(names, count, count + 1, sizeof *names);
        names[count++] = o->key;
    }
    for (size_t i = 0; i < schema->count && !elsewhere; i++)
        for (const cop_option *o = schema->sections[i].options; o && o->key; o++)
            if (strcmp(o->key, key) == 0) elsewhere = schema->sections[i].name;
    const char *near = cop_nearest(key, names, count);
    if (strcmp(key, "include") == 0)
        cop_fail(COP_E_CONFIG, "[%s] include: 'include' stands before the first section", section);
    else if (near)
        cop_fail(COP_E_CONFIG, "[%s] has no key '%s'; did you mean '%s'?", section, key, near);
    else if (elsewhere)
        cop_fail(COP_E_CONFIG, "[%s] has no key '%s'; [%s] has one", section, key, elsewhere);
    else
        cop_fail(COP_E_CONFIG, "[%s] has no key '%s'; 'coppice list options' shows all", section,
                 key);
    cop_free(names);
    return COP_E_CONFIG;
}

static bool same(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static _Noreturn void unsound(const cop_section *row, const cop_option *option, const char *why) {
    char *text = cop_sprintf("option table [%s] %s: %s", row->name, option->key, why);
    cop_assert_failed(text, __FILE__, __LINE__, __func__);
}

void cop_schema_assert_sound(const cop_schema *schema) {
    for (size_t i = 0; i < schema->count; i++) {
        const cop_section *row = &schema->sections[i];
        for (const cop_option *o = row->options; o && o->key; o++) {
            char *canonical = NULL;
            if (o->type == COP_OPT_CHOICE && !o->choices) unsound(row, o, "no choices");
            if (o->fallback && cop_value_check(o, o->fallback, &canonical) != COP_OK)
                unsound(row, o, cop_error_message());
            cop_free(canonical);
            for (size_t k = 0; k < i; k++) {
                if (strcmp(schema->sections[k].name, row->name) != 0) continue;
                for (const cop_option *p = schema->sections[k].options; p && p->key; p++)
                    if (same(p->key, o->key) &&
                        (p->type != o->type || !same(p->fallback, o->fallback) ||
                         p->effect != o->effect || !same(p->choices, o->choices)))
                        unsound(row, o, "two tables of one section disagree about this key");
            }
        }
    }
}
