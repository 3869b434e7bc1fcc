/* Reading INI through libinih. The library splits lines into names and values; our reader hands it
 * one line at a time and refuses beforehand what it would accept in silence: lines that do not fit
 * its buffer, text behind a section header, a header it would cut, ':' for '=', stray indentation.
 */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_LARGEST ((size_t)1 << 20) /* bytes of one configuration file */
#define INCLUDE_DEEPEST 8
#define NAME_LONGEST 49 /* libinih keeps 50 bytes of a name */

/* A file being read, and the files that include it. */
typedef struct source {
    const struct source *includer;
    const char *name; /* in messages */
    const char *path; /* NULL for text */
    dev_t device;
    ino_t inode;
    cop_conf *conf;
    const char *at, *end; /* what is left to read */
    int line;             /* number of the line last handed out */
    bool continues;       /* that line continues the key before it */
    cop_list keys;        /* "section.key" seen in this file */
    /* the key whose value is being collected */
    bool open;
    char *section, *key;
    cop_buf value;
    int key_line;
    bool continued;
    cop_status status;
} source;

static cop_status load_file(cop_conf *conf, const char *path, const source *includer);

static cop_status fail_at(source *s, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static cop_status fail_at(source *s, int line, const char *format, ...) {
    va_list args;
    char text[1024];
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s->status = cop_fail(COP_E_CONFIG, "%s:%d: %s", s->name, line, text);
    return s->status;
}

/* ------------------------------------------------------------------ includes */

static cop_status include(source *s, const char *file) {
    if (!s->path) return fail_at(s, s->key_line, "'include' works in files only");
    size_t depth = 0;
    for (const source *i = s; i; i = i->includer) depth++;
    if (depth >= INCLUDE_DEEPEST)
        return fail_at(s, s->key_line, "include = %s: files are included more than %d deep", file,
                       INCLUDE_DEEPEST);
    const char *slash = strrchr(s->path, '/');
    char *path = *file == '/' || !slash
                     ? cop_strdup(file)
                     : cop_sprintf("%.*s/%s", (int)(slash - s->path), s->path, file);
    s->status = load_file(s->conf, path, s);
    cop_free(path);
    return s->status;
}

/* ------------------------------------------------------------------ values */

/* The collected value is complete: check and store it. */
static cop_status close_key(source *s) {
    if (!s->open) return COP_OK;
    s->open = false;
    const char *value = cop_buf_text(&s->value);
    char *full = cop_sprintf("%s.%s", s->section, s->key);
    char *place = cop_sprintf("%s:%d", s->name, s->key_line);
    if (!*s->section && strcmp(s->key, "include") == 0) {
        if (!*value)
            fail_at(s, s->key_line, "include: the name of a file is missing");
        else
            include(s, value);
        goto done;
    }
    if (!*s->section) {
        fail_at(s, s->key_line, "'%s' stands before the first section; only 'include' may", s->key);
        goto done;
    }
    for (size_t i = 0; i < s->keys.count; i++)
        if (strcmp(s->keys.items[i], full) == 0) {
            fail_at(s, s->key_line, "[%s] %s was already given in this file", s->section, s->key);
            goto done;
        }
    cop_list_add(&s->keys, full);
    s->status = cop_conf_put(s->conf, s->section, s->key, value, place);
    if (s->status != COP_OK && s->continued) {
        char *message = cop_strdup(cop_error_message());
        s->status =
            cop_fail(s->status, "%s (an indented line continues the line above it)", message);
        cop_free(message);
    }
done:
    cop_free(full);
    cop_free(place);
    return s->status;
}

/* Later pieces are joined by a blank, or by nothing where the piece before ended in a backslash.
 * Older versions of the library leave comments in continuation lines: cut them here. */
static void add_piece(source *s, const char *piece) {
    size_t length = strlen(piece);
    for (size_t i = 0; i < length; i++)
        if (piece[i] == ';' && (i == 0 || isspace((unsigned char)piece[i - 1]))) length = i;
    while (length && isspace((unsigned char)piece[length - 1])) length--;
    cop_buf *value = &s->value;
    if (value->length && value->data[value->length - 1] == '\\')
        value->data[--value->length] = '\0';
    else if (value->length && length)
        cop_buf_add(value, " ", 1);
    cop_buf_add(value, piece, length);
}

/* libinih's handler: one name and value, or a further line of the last value. */
static int take(void *user, const char *section, const char *name, const char *value) {
    source *s = user;
    if (s->status != COP_OK) return 0;
    if (!name || !value) return 1;
    if (s->continues && s->open) {
        s->continued = true;
        add_piece(s, value);
        return 1;
    }
    if (close_key(s) != COP_OK) return 0;
    cop_free(s->section);
    cop_free(s->key);
    s->section = cop_strdup(section);
    s->key = cop_strdup(name);
    s->key_line = s->line;
    s->open = true;
    s->continued = false;
    cop_buf_reset(&s->value);
    add_piece(s, value);
    return 1;
}

/* ------------------------------------------------------------------ lines */

static bool ends_or_comment(const char *text, const char *end) {
    while (text < end && isspace((unsigned char)*text)) text++;
    return text == end || *text == ';' || *text == '#';
}

static cop_status check_header(source *s, const char *text, const char *end) {
    const char *bracket = memchr(text, ']', (size_t)(end - text));
    if (!bracket) return fail_at(s, s->line, "the section header has no ']'");
    size_t length = (size_t)(bracket - text) - 1;
    if (!ends_or_comment(bracket + 1, end))
        return fail_at(s, s->line, "only a comment may follow the section header");
    if (length > NAME_LONGEST)
        return fail_at(s, s->line, "the section name is longer than %d bytes", NAME_LONGEST);
    char *section = cop_sprintf("%.*s", (int)length, text + 1);
    s->status = cop_schema_check_section(s->conf->schema, section);
    if (s->status == COP_OK)
        cop_conf_open_section(s->conf, section);
    else
        cop_fail_prefix(s->status, "%s:%d", s->name, s->line);
    cop_free(section);
    return s->status;
}

static cop_status check_key_line(source *s, const char *text, const char *end) {
    const char *equals = memchr(text, '=', (size_t)(end - text));
    const char *colon = memchr(text, ':', (size_t)(end - text));
    if (!equals || (colon && colon < equals))
        return fail_at(s, s->line,
                       "not 'key = value', '[section]' or a comment; a value goes on in indented "
                       "lines");
    while (equals > text && isspace((unsigned char)equals[-1])) equals--;
    if (equals == text) return fail_at(s, s->line, "the key before '=' is missing");
    if (equals - text > NAME_LONGEST)
        return fail_at(s, s->line, "the key is longer than %d bytes", NAME_LONGEST);
    for (const char *c = text; c < equals; c++)
        if (isspace((unsigned char)*c) || *c == ';')
            return fail_at(s, s->line, "'%.*s' is not a key: it holds a blank or ';'",
                           (int)(equals - text), text);
    return COP_OK;
}

/* What kind of line it is, and whether it is one we accept. */
static cop_status check_line(source *s, const char *line, const char *end) {
    const char *text = line;
    s->continues = false;
    for (const char *c = line; c < end; c++)
        if (iscntrl((unsigned char)*c) && *c != '\t')
            return fail_at(s, s->line, "control character 0x%02x at column %zu", (unsigned char)*c,
                           (size_t)(c - line) + 1);
    if (!cop_text_is_utf8(line, (size_t)(end - line))) return fail_at(s, s->line, "not UTF-8 text");
    while (text < end && isspace((unsigned char)*text)) text++;
    if (text == end || *text == ';' || *text == '#') return COP_OK;
    if (text > line) {
        if (!s->open)
            return fail_at(s, s->line,
                           "the line is indented, but there is no value that it could continue");
        s->continues = true;
        return COP_OK;
    }
    if (s->open && s->value.length && s->value.data[s->value.length - 1] == '\\')
        return fail_at(s, s->line, "an indented line must follow: the value above ends in '\\'");
    COP_TRY(close_key(s));
    return *text == '[' ? check_header(s, text, end) : check_key_line(s, text, end);
}

/* libinih's reader, like fgets: the next line into @p out of @p size bytes, NULL at the end. */
static char *read_line(char *out, int size, void *user) {
    source *s = user;
    if (s->status != COP_OK || s->at == s->end) return NULL;
    const char *newline = memchr(s->at, '\n', (size_t)(s->end - s->at));
    const char *stop = newline ? newline : s->end, *line = s->at;
    s->at = newline ? newline + 1 : s->end;
    s->line++;
    if (stop > line && stop[-1] == '\r') stop--;
    if (s->line == 1 && stop - line >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) line += 3;
    size_t length = (size_t)(stop - line), room = size > 3 ? (size_t)size - 3 : 0;
    if (length > room) {
        fail_at(s, s->line,
                "the line has %zu bytes, at most %zu are read; continue it in indented lines "
                "(a '\\' at the end of a line joins without a blank)",
                length, room);
        return NULL;
    }
    if (check_line(s, line, stop) != COP_OK) return NULL;
    memcpy(out, line, length);
    memcpy(out + length, "\n", 2);
    return out;
}

static cop_status read_source(source *s, const char *text, size_t length) {
    s->at = text;
    s->end = text + length;
    /* take and read_line share one user: the source */
    int line = ini_parse_stream(read_line, s, take, s);
    if (s->status == COP_OK) close_key(s);
    if (s->status == COP_OK && line != 0)
        fail_at(s, line > 0 ? line : s->line, "not 'key = value', '[section]' or a comment");
    cop_list_clear(&s->keys);
    cop_buf_clear(&s->value);
    cop_free(s->section);
    cop_free(s->key);
    return s->status;
}

static cop_status slurp(const char *path, cop_buf *text, struct stat *info) {
    cop_status status = COP_OK;
    FILE *file = fopen(path, "rb");
    if (!file) return cop_fail(COP_E_IO, "%s: cannot be read: %s", path, strerror(errno));
    char block[8192];
    size_t got;
    if (fstat(fileno(file), info) != 0 || S_ISDIR(info->st_mode))
        COP_GO(cop_fail(COP_E_IO, "%s: is a folder; a configuration file is wanted", path));
    while ((got = fread(block, 1, sizeof block, file)) > 0) {
        cop_buf_add(text, block, got);
        if (text->length > FILE_LARGEST)
            COP_GO(cop_fail(COP_E_CONFIG, "%s: larger than 1 MiB; not a configuration file", path));
    }
    if (ferror(file)) COP_GO(cop_fail(COP_E_IO, "%s: cannot be read: %s", path, strerror(errno)));
done:
    fclose(file);
    return status;
}

static cop_status load_file(cop_conf *conf, const char *path, const source *includer) {
    cop_buf text = {0};
    struct stat info;
    source s = {.includer = includer, .name = path, .path = path, .conf = conf};
    cop_status status = slurp(path, &text, &info);
    /* a file that is not there is the includer's mistake: say which line asked for it */
    if (status != COP_OK && includer)
        cop_fail_prefix(status, "%s:%d: include", includer->name, includer->key_line);
    if (status != COP_OK) goto done;
    s.device = info.st_dev;
    s.inode = info.st_ino;
    for (const source *i = includer; i; i = i->includer)
        if (i->device == s.device && i->inode == s.inode)
            COP_GO(cop_fail(COP_E_CONFIG, "%s:%d: include = %s: the file includes itself",
                            includer->name, includer->key_line, path));
    status = read_source(&s, cop_buf_text(&text), text.length);
done:
    cop_buf_clear(&text);
    return status;
}

/* ------------------------------------------------------------------ entry points */

static cop_status finish(cop_conf **conf, cop_conf *fresh, cop_status status, const char *name) {
    if (status == COP_OK) {
        status = cop_conf_check(fresh);
        if (status != COP_OK) cop_fail_prefix(status, "%s", name);
    }
    if (status == COP_OK)
        *conf = fresh;
    else
        cop_conf_destroy(fresh);
    return status;
}

cop_status cop_conf_load(cop_conf **conf, const cop_schema *schema, const char *path) {
    cop_conf *fresh = cop_conf_create(schema);
    *conf = NULL;
    return finish(conf, fresh, load_file(fresh, path, NULL), path);
}

cop_status cop_conf_parse(cop_conf **conf, const cop_schema *schema, const char *text,
                          const char *name) {
    cop_conf *fresh = cop_conf_create(schema);
    *conf = NULL;
    source s = {.name = name, .conf = fresh};
    return finish(conf, fresh, read_source(&s, text, strlen(text)), name);
}
