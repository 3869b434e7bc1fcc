/** @file conf.h
 *  Option tables and the configuration. One table row (name, type, default, bounds, unit, help)
 * feeds the parser, the error messages, `coppice list options`, the documentation and the bounds
 * tests. Reading INI is libinih's; meaning is ours.
 */
#ifndef COPPICE_CONF_H
#define COPPICE_CONF_H

#include "coppice/base.h"

typedef enum cop_opt_type {
    COP_OPT_INT,  /**< whole number in [low, high] */
    COP_OPT_REAL, /**< finite number in [low, high] */
    COP_OPT_BOOL,
    COP_OPT_BYTES, /**< memory: 512M, 1.5G; see cop_parse_bytes */
    COP_OPT_TEXT,
    COP_OPT_CHOICE, /**< one of the words in `choices` ("a|b|c") */
    COP_OPT_REALS,  /**< comma-separated numbers, each in [low, high] */
    COP_OPT_WORDS   /**< comma-separated words */
} cop_opt_type;

/** What changing an option does to a result. */
typedef enum cop_opt_effect {
    COP_SCIENCE, /**< part of what the result is a function of; resume refuses a change; in the
                    digest */
    COP_EXTENT,  /**< how long to search (stop rules); may be raised on resume; not in the digest */
    COP_MANNER   /**< how it is carried out (checkpoints, units, progress); never moves a result */
} cop_opt_effect;

typedef struct cop_option {
    const char *key;
    cop_opt_type type;
    const char
        *fallback; /**< default as text; NULL: the option must be given when its section is used */
    double low, high;    /**< inclusive; for INT, REAL and REALS */
    const char *unit;    /**< "" when it has none */
    const char *choices; /**< for CHOICE: "a|b|c"; else NULL */
    cop_opt_effect effect;
    const char *help; /**< one sentence */
} cop_option;         /* tables end with a row whose key is NULL */

/** The options of one section. `name` "task.*" stands for any section task.NAME. */
typedef struct cop_section {
    const char *name;
    const char *help;
    const cop_option *options;
} cop_section;

/** NAME of [task.NAME] and the like: letters, digits, '_' and '-'. It becomes part of measure
 * names, files and HDF5 attributes, so whoever reads one from a file of a stranger asks here first.
 */
bool cop_conf_plain_name(const char *name);

/** All sections known; assembled by cop_run_schema() from the modules' and operators' tables. */
typedef struct cop_schema {
    const cop_section *sections;
    size_t count;
} cop_schema;

typedef struct cop_conf cop_conf;

/** Read an INI file. `include = path` (before the first section; relative to the including file)
 *  reads another one first; later values win. Unknown sections and keys, repeated keys in one file
 * and bad values are errors that name file, line and the nearest known name. COP_E_CONFIG,
 * COP_E_IO. */
cop_status cop_conf_load(cop_conf **conf, const cop_schema *schema, const char *path);
/** The same from text (@p name stands for the file in messages; includes are refused). */
cop_status cop_conf_parse(cop_conf **conf, const cop_schema *schema, const char *text,
                          const char *name);
/** "section.key=value", as given with --set; the key is what follows the last dot before '='.
 *  COP_E_USAGE when it has another form, COP_E_CONFIG when what it says is wrong. */
cop_status cop_conf_set(cop_conf *conf, const char *assignment);
void cop_conf_destroy(cop_conf *conf);
cop_conf *cop_conf_copy(const cop_conf *conf);

/** Values, or the default of the table. Asking for what the schema does not know is our mistake
 *  (assert). Text is borrowed from the conf. */
int64_t cop_conf_int(const cop_conf *conf, const char *section, const char *key);
double cop_conf_real(const cop_conf *conf, const char *section, const char *key);
uint64_t cop_conf_bytes(const cop_conf *conf, const char *section, const char *key);
bool cop_conf_bool(const cop_conf *conf, const char *section, const char *key);
const char *cop_conf_text(const cop_conf *conf, const char *section, const char *key);
/** Fills @p values with at most @p capacity numbers; returns how many there are. */
size_t cop_conf_reals(const cop_conf *conf, const char *section, const char *key, double *values,
                      size_t capacity);
/** Appends the words to @p list (which the caller clears). */
void cop_conf_words(const cop_conf *conf, const char *section, const char *key, cop_list *list);
/** True when the key was given (in a file or by --set) a value other than its default. A value
 * equal to the default counts as not given, so that a configuration means what cop_conf_write says:
 * that text spells out the defaults, and runs are resumed from it. */
bool cop_conf_given(const cop_conf *conf, const char *section, const char *key);
/** "file.ini:12" of the value, "--set", or "default"; borrowed. For error messages. */
const char *cop_conf_place(const cop_conf *conf, const char *section, const char *key);
/** COP_E_CONFIG with the place of section.key in front: "cfg.ini:12: [pool] elite = 2: <message>".
 */
cop_status cop_conf_fail(const cop_conf *conf, const char *section, const char *key,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));
/** Names of the sections given whose name starts with @p prefix (e.g. "task."), in file order. */
void cop_conf_sections(const cop_conf *conf, const char *prefix, cop_list *list);
/** True for a section task.NAME that was given, and for any other one of which a key was given. */
bool cop_conf_has_section(const cop_conf *conf, const char *section);
/** COP_E_CONFIG when an option without default is missing in @p section: for sections that a module
 *  cannot do without ([network]). Loading checks the sections given by itself. */
cop_status cop_conf_require(const cop_conf *conf, const char *section);
/** cop_conf_require for every section given: after cop_conf_set, which may have begun new ones. */
cop_status cop_conf_check(const cop_conf *conf);

/** Everything resolved, as INI text that cop_conf_parse reads back to the same values: every
 * section of the schema without '*' and every wildcard section given, all keys, defaults too.
 * Canonical: equal configurations give equal text. @p effects: bit (1<<cop_opt_effect) set for the
 * kinds wanted. With COP_CONF_GIVEN keys at their default are left out: the text then stays what it
 * is when a later version knows more options, so hashes and comparisons are made from it. */
void cop_conf_write(const cop_conf *conf, cop_buf *text, unsigned effects);
#define COP_CONF_ALL 7u
#define COP_CONF_GIVEN 8u
#define COP_CONF_SCIENCE ((1u << COP_SCIENCE) | COP_CONF_GIVEN)

/** Reference of all sections and options as text or Markdown, from the tables. */
void cop_schema_write_reference(const cop_schema *schema, cop_buf *out, bool markdown);

#endif
