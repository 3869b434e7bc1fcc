/* Asking a configuration: values, what was given and where, what is missing. */
#include "internal.h"

#include <string.h>

/* Option and value of section.key; asking for what no table has is our mistake. NULL: required and
 * not given. */
static const char *value_of(const cop_conf *conf, const char *section, const char *key,
                            cop_opt_type type, const cop_option **option) {
    const cop_option *row = cop_schema_option(conf->schema, section, key);
    if (!row || (row->type != type && !(type == COP_OPT_TEXT && (row->type == COP_OPT_CHOICE ||
                                                                 row->type == COP_OPT_BYTES)))) {
        char *text = cop_sprintf("the option tables have [%s] %s of that type", section, key);
        cop_assert_failed(text, __FILE__, __LINE__, __func__);
    }
    if (option) *option = row;
    const cop_entry *entry = cop_conf_entry(conf, section, key);
    return entry ? entry->value : row->fallback;
}

static const char *number_of(const cop_conf *conf, const char *section, const char *key,
                             cop_opt_type type) {
    const char *value = value_of(conf, section, key, type, NULL);
    if (!value || !*value) {
        char *text = cop_sprintf("[%s] %s was given (see cop_conf_require)", section, key);
        cop_assert_failed(text, __FILE__, __LINE__, __func__);
    }
    return value;
}

int64_t cop_conf_int(const cop_conf *conf, const char *section, const char *key) {
    int64_t value = 0;
    COP_ASSERT(cop_parse_i64(number_of(conf, section, key, COP_OPT_INT), &value));
    return value;
}

double cop_conf_real(const cop_conf *conf, const char *section, const char *key) {
    double value = 0;
    COP_ASSERT(cop_parse_double(number_of(conf, section, key, COP_OPT_REAL), &value));
    return value;
}

uint64_t cop_conf_bytes(const cop_conf *conf, const char *section, const char *key) {
    uint64_t value = 0;
    COP_ASSERT(cop_parse_bytes(number_of(conf, section, key, COP_OPT_BYTES), &value));
    return value;
}

bool cop_conf_bool(const cop_conf *conf, const char *section, const char *key) {
    bool value = false;
    COP_ASSERT(cop_parse_bool(number_of(conf, section, key, COP_OPT_BOOL), &value));
    return value;
}

const char *cop_conf_text(const cop_conf *conf, const char *section, const char *key) {
    const char *value = value_of(conf, section, key, COP_OPT_TEXT, NULL);
    return value ? value : "";
}

size_t cop_conf_reals(const cop_conf *conf, const char *section, const char *key, double *values,
                      size_t capacity) {
    cop_list parts = {0};
    const char *text = value_of(conf, section, key, COP_OPT_REALS, NULL);
    cop_list_split(&parts, text ? text : "", ",");
    for (size_t i = 0; i < parts.count && i < capacity; i++)
        COP_ASSERT(cop_parse_double(parts.items[i], &values[i]));
    size_t count = parts.count;
    cop_list_clear(&parts);
    return count;
}

void cop_conf_words(const cop_conf *conf, const char *section, const char *key, cop_list *list) {
    const char *text = value_of(conf, section, key, COP_OPT_WORDS, NULL);
    cop_list_split(list, text ? text : "", ",");
}

/* A value equal to the default counts as not given: a configuration means what its canonical text
 * says, and that text (in run directories and checkpoints) spells out the defaults. */
bool cop_entry_differs(const cop_entry *entry) {
    if (!entry->option->fallback) return true;
    char *fallback = NULL;
    COP_ASSERT(cop_value_check(entry->option, entry->option->fallback, &fallback) == COP_OK);
    bool result = strcmp(entry->value, fallback) != 0;
    cop_free(fallback);
    return result;
}

bool cop_conf_given(const cop_conf *conf, const char *section, const char *key) {
    COP_ASSERT(cop_schema_option(conf->schema, section, key));
    const cop_entry *entry = cop_conf_entry(conf, section, key);
    return entry && cop_entry_differs(entry);
}

const char *cop_conf_place(const cop_conf *conf, const char *section, const char *key) {
    const cop_entry *entry = cop_conf_entry(conf, section, key);
    return entry ? entry->place : "default";
}

cop_status cop_conf_fail(const cop_conf *conf, const char *section, const char *key,
                         const char *format, ...) {
    va_list args;
    char reason[1024];
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    const cop_entry *entry = cop_conf_entry(conf, section, key);
    const cop_option *option = cop_schema_option(conf->schema, section, key);
    if (entry)
        return cop_fail(COP_E_CONFIG, "%s: [%s] %s = %.200s: %s", entry->place, section, key,
                        entry->value, reason);
    if (option && option->fallback && *option->fallback)
        return cop_fail(COP_E_CONFIG, "[%s] %s = %.200s (default): %s", section, key,
                        option->fallback, reason);
    return cop_fail(COP_E_CONFIG, "[%s] %s is not given: %s", section, key, reason);
}

static bool is_wild(const cop_conf *conf, const char *section) {
    for (size_t i = 0; i < conf->schema->count; i++)
        if ((cop_section_is_wildcard(&conf->schema->sections[i]) ||
             cop_section_is_optional(&conf->schema->sections[i])) &&
            cop_section_matches(&conf->schema->sections[i], section))
            return true;
    return false;
}

bool cop_conf_has_section(const cop_conf *conf, const char *section) {
    if (is_wild(conf, section)) return cop_conf_listed(conf, section);
    for (size_t i = 0; i < conf->count; i++)
        if (strcmp(conf->entries[i].section, section) == 0 && cop_entry_differs(&conf->entries[i]))
            return true;
    return false;
}

void cop_conf_sections(const cop_conf *conf, const char *prefix, cop_list *list) {
    for (size_t i = 0; i < conf->sections.count; i++)
        if (strncmp(conf->sections.items[i], prefix, strlen(prefix)) == 0 &&
            cop_conf_has_section(conf, conf->sections.items[i]))
            cop_list_add(list, conf->sections.items[i]);
}

cop_status cop_conf_require(const cop_conf *conf, const char *section) {
    cop_walk walk = {0};
    for (const cop_option *o; (o = cop_schema_next(conf->schema, section, &walk));)
        if (!o->fallback && !cop_conf_entry(conf, section, o->key)) {
            cop_buf wanted = {0};
            cop_value_describe(o, &wanted);
            cop_fail(COP_E_CONFIG, "[%s] needs '%s' (%s): %s", section, o->key,
                     cop_buf_text(&wanted), o->help);
            cop_buf_clear(&wanted);
            return COP_E_CONFIG;
        }
    return COP_OK;
}

cop_status cop_conf_check(const cop_conf *conf) {
    for (size_t i = 0; i < conf->sections.count; i++)
        if (cop_conf_has_section(conf, conf->sections.items[i]))
            COP_TRY(cop_conf_require(conf, conf->sections.items[i]));
    return COP_OK;
}
