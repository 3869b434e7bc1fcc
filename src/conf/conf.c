/* The configuration as a store of checked values. */
#include "internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

cop_conf *cop_conf_create(const cop_schema *schema) {
    cop_schema_assert_sound(schema);
    cop_conf *conf = COP_NEW(cop_conf);
    conf->schema = schema;
    return conf;
}

static void clear_entry(cop_entry *entry) {
    cop_free(entry->section);
    cop_free(entry->key);
    cop_free(entry->value);
    cop_free(entry->place);
}

void cop_conf_destroy(cop_conf *conf) {
    if (!conf) return;
    for (size_t i = 0; i < conf->count; i++) clear_entry(&conf->entries[i]);
    cop_free(conf->entries);
    cop_list_clear(&conf->sections);
    cop_free(conf);
}

static void add_entry(cop_conf *conf, const cop_entry *from) {
    conf->entries = cop_realloc(conf->entries, conf->count, conf->count + 1, sizeof *conf->entries);
    conf->entries[conf->count++] = (cop_entry){.section = cop_strdup(from->section),
                                               .key = cop_strdup(from->key),
                                               .value = cop_strdup(from->value),
                                               .place = cop_strdup(from->place),
                                               .option = from->option};
}

cop_conf *cop_conf_copy(const cop_conf *conf) {
    cop_conf *copy = COP_NEW(cop_conf);
    copy->schema = conf->schema;
    for (size_t i = 0; i < conf->count; i++) add_entry(copy, &conf->entries[i]);
    for (size_t i = 0; i < conf->sections.count; i++)
        cop_list_add(&copy->sections, conf->sections.items[i]);
    return copy;
}

bool cop_conf_listed(const cop_conf *conf, const char *section) {
    for (size_t i = 0; i < conf->sections.count; i++)
        if (strcmp(conf->sections.items[i], section) == 0) return true;
    return false;
}

void cop_conf_open_section(cop_conf *conf, const char *section) {
    if (!cop_conf_listed(conf, section)) cop_list_add(&conf->sections, section);
}

const cop_entry *cop_conf_entry(const cop_conf *conf, const char *section, const char *key) {
    for (size_t i = 0; i < conf->count; i++)
        if (strcmp(conf->entries[i].key, key) == 0 &&
            strcmp(conf->entries[i].section, section) == 0)
            return &conf->entries[i];
    return NULL;
}

cop_status cop_conf_put(cop_conf *conf, const char *section, const char *key, const char *value,
                        const char *place) {
    char *canonical = NULL;
    cop_status status = COP_OK;
    const cop_option *option = cop_schema_option(conf->schema, section, key);
    if (!option) {
        status = cop_schema_check_section(conf->schema, section);
        if (status == COP_OK) status = cop_schema_unknown_key(conf->schema, section, key);
        return cop_fail_prefix(status, "%s", place);
    }
    status = cop_value_check(option, value, &canonical);
    if (status != COP_OK)
        return cop_fail_prefix(status, "%s: [%s] %s = %.200s", place, section, key, value);
    cop_conf_open_section(conf, section);
    cop_entry *old = (cop_entry *)cop_conf_entry(conf, section, key);
    if (old) {
        cop_free(old->value);
        cop_free(old->place);
        old->value = canonical;
        old->place = cop_strdup(place);
    } else {
        cop_entry entry = {.section = (char *)section,
                           .key = (char *)key,
                           .value = canonical,
                           .place = (char *)place,
                           .option = option};
        add_entry(conf, &entry);
        cop_free(canonical);
    }
    return COP_OK;
}

/* A new [task.mnsit] beside [task.mnist] is a typing mistake, not a new task. */
static cop_status check_new_section(const cop_conf *conf, const char *section) {
    if (cop_conf_listed(conf, section)) return COP_OK;
    COP_TRY(cop_schema_check_section(conf->schema, section));
    for (size_t i = 0; i < conf->schema->count; i++) {
        const cop_section *row = &conf->schema->sections[i];
        if (!cop_section_is_wildcard(row) || !cop_section_matches(row, section)) continue;
        cop_list given = {0};
        cop_conf_sections(conf, "", &given);
        size_t stem = strlen(row->name) - 1, count = 0;
        const char **names = COP_NEW_ARRAY(const char *, given.count);
        for (size_t k = 0; k < given.count; k++)
            if (cop_section_matches(row, given.items[k])) names[count++] = given.items[k] + stem;
        const char *near = cop_nearest(section + stem, names, count);
        cop_status status = COP_OK;
        if (near)
            status = cop_fail(COP_E_CONFIG,
                              "the configuration has no section [%s]; did you mean [%.*s%s]?",
                              section, (int)stem, row->name, near);
        cop_free(names);
        cop_list_clear(&given);
        return status;
    }
    return COP_OK;
}

/* Copies text[0..length) without the blanks at its ends. */
static char *trimmed(const char *text, size_t length) {
    while (length && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    while (length && isspace((unsigned char)text[length - 1])) length--;
    char *copy = cop_alloc(length + 1, 1);
    memcpy(copy, text, length);
    return copy;
}

cop_status cop_conf_set(cop_conf *conf, const char *assignment) {
    const char *equals = strchr(assignment, '='), *dot = NULL;
    for (const char *c = assignment; equals && c < equals; c++)
        if (*c == '.') dot = c;
    if (!equals || !dot || dot == assignment || dot + 1 == equals)
        return cop_fail(COP_E_USAGE, "--set %s: not of the form section.key=value", assignment);
    char *section = trimmed(assignment, (size_t)(dot - assignment));
    char *key = trimmed(dot + 1, (size_t)(equals - dot) - 1);
    char *value = trimmed(equals + 1, strlen(equals + 1));
    cop_status status = check_new_section(conf, section);
    if (status != COP_OK)
        status = cop_fail_prefix(status, "--set");
    else
        status = cop_conf_put(conf, section, key, value, "--set");
    cop_free(section);
    cop_free(key);
    cop_free(value);
    return status;
}
