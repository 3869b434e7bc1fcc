/* Shared by the files of conf only. */
#ifndef COPPICE_CONF_INTERNAL_H
#define COPPICE_CONF_INTERNAL_H

#include "coppice/conf.h"

/* A value that was given. All text owned. */
typedef struct cop_entry {
    char *section, *key;
    char *value; /* canonical */
    char *place; /* "file.ini:12" or "--set" */
    const cop_option *option;
} cop_entry;

struct cop_conf {
    const cop_schema *schema;
    cop_entry *entries;
    size_t count;
    cop_list sections; /* headers seen, in order */
};

/* get.c */

/** False for a value that is the option's default: it counts as not given. */
bool cop_entry_differs(const cop_entry *entry);

/* values.c */

/** Check @p text against the option's type, choices and bounds; *canonical is the one spelling of
 * that value (owned by the caller). COP_E_CONFIG says what is wanted, without place or name. */
cop_status cop_value_check(const cop_option *option, const char *text, char **canonical);
/** "whole number, 0..20 individuals" for messages and the reference; appended. */
void cop_value_describe(const cop_option *option, cop_buf *out);
/** False for text that an INI line cannot carry (control characters, not UTF-8, " ;", " #", a '\'
 * at its end, a blank at either end, long runs without a place to fold); records why. */
bool cop_value_writable(const char *text);
/** Whether a written line of the value @p text may end before byte @p i > 0: 1 at a blank that
 * joining puts back, 2 inside a word (the line then ends in a backslash), 0 no. */
int cop_value_fold_at(const char *text, size_t i);
#define COP_FOLD_GAP 40 /**< every value can be folded within so many bytes */
bool cop_text_is_utf8(const char *text, size_t length);

/* schema.c */

/** True when [@p section] is what the row describes ("task.*" stands for task.NAME). */
bool cop_section_matches(const cop_section *row, const char *section);
bool cop_section_is_wildcard(const cop_section *row);
/** "NAME?": written, with all its defaults, only where it was given. */
bool cop_section_is_optional(const cop_section *row);
/** True for a row whose name an earlier row has: the earlier one stands for both. */
bool cop_section_is_again(const cop_schema *schema, size_t row);
/** NULL when the schema has no such section or key. */
const cop_option *cop_schema_option(const cop_schema *schema, const char *section, const char *key);
/** COP_E_CONFIG with the nearest name; the message has no place. */
cop_status cop_schema_check_section(const cop_schema *schema, const char *section);
cop_status cop_schema_unknown_key(const cop_schema *schema, const char *section, const char *key);
/** Our tables are sound: defaults pass their own check, repeated rows agree. Aborts otherwise. */
void cop_schema_assert_sound(const cop_schema *schema);

/** Walk over the keys of all rows that match a section; start with row = option = 0. NULL at the
 * end. */
typedef struct cop_walk {
    size_t row, option;
} cop_walk;
const cop_option *cop_schema_next(const cop_schema *schema, const char *section, cop_walk *walk);

/* conf.c */

const cop_entry *cop_conf_entry(const cop_conf *conf, const char *section, const char *key);
/** Check and store; @p place is copied. COP_E_CONFIG "place: [section] key = value: reason". */
cop_status cop_conf_put(cop_conf *conf, const char *section, const char *key, const char *value,
                        const char *place);
/** Whether a header or a value of this section was met. */
bool cop_conf_listed(const cop_conf *conf, const char *section);
void cop_conf_open_section(cop_conf *conf, const char *section);
cop_conf *cop_conf_create(const cop_schema *schema);

#endif
