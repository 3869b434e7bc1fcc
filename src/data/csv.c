/* A table as text, line by line: memory grows with the rows that are really there. */
#include "csv.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX ((size_t)1 << 20)
/* what becomes of a column */
enum { FEATURE, LABEL, DROPPED, GROUP };

/* Cells of one line; they point into the line, which is cut up. */
typedef struct cells {
    char **cell;
    size_t count, capacity;
} cells;

typedef struct parser {
    const cop_csv_format *format;
    cop_reader reader;
    cop_buf line;
    cells cells;
    char separator;
    cop_list header;     /* names of the columns, when there are */
    unsigned char *role; /* (columns) */
    size_t columns, rows_capacity;
    bool unlabelled; /* there is one class, "none" */
    cop_list groups; /* of each row, as the cell says it */
} parser;

static void add_cell(cells *c, char *text) {
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 64;
        c->cell = cop_realloc(c->cell, c->capacity, capacity, sizeof *c->cell);
        c->capacity = capacity;
    }
    c->cell[c->count++] = text;
}

static char *trimmed(char *begin, char *end) {
    while (begin < end && isspace((unsigned char)*begin)) begin++;
    while (end > begin && isspace((unsigned char)end[-1])) end--;
    *end = 0;
    return begin;
}

/* Takes the quotes off a cell that begins with one; returns where the cell ends, NULL if it does
 * not. */
static char *unquote(char *at) {
    char *to = at;
    for (char *from = at + 1; *from; from++) {
        if (*from == '"' && from[1] != '"') {
            *to = 0;
            return from + 1;
        }
        if (*from == '"') from++;
        *to++ = *from;
    }
    return NULL;
}

static cop_status split_line(parser *p) {
    char *at = (char *)p->line.data, separator = p->separator;
    bool blanks = separator == ' ';
    p->cells.count = 0;
    for (;;) {
        while (*at == ' ' || (*at == '\t' && separator != '\t')) at++;
        if (blanks && !*at) break;
        char *begin = at, *end;
        if (*at == '"') {
            at = unquote(at);
            if (!at)
                return cop_fail(COP_E_FORMAT,
                                "%s:%zu: column %zu: the quotation mark is not closed",
                                p->reader.path, p->reader.line, p->cells.count + 1);
            while (*at == ' ') at++;
            if (*at && *at != separator && !blanks)
                return cop_fail(COP_E_FORMAT,
                                "%s:%zu: column %zu: text follows the closing quotation mark",
                                p->reader.path, p->reader.line, p->cells.count + 1);
            add_cell(&p->cells, begin);
        } else {
            while (*at && *at != separator && !(blanks && *at == '\t')) at++;
            end = at;
            bool more = *at != 0;
            add_cell(&p->cells, trimmed(begin, end));
            if (blanks && more) at++;
            if (blanks) continue;
            if (!more) break;
            at++;
            continue;
        }
        if (!blanks) {
            if (!*at) break;
            at++;
        }
    }
    if (p->cells.count > COLUMNS_MAX)
        return cop_fail(COP_E_FORMAT, "%s:%zu: more than %zu columns", p->reader.path,
                        p->reader.line, COLUMNS_MAX);
    return COP_OK;
}

static char guess_separator(const char *line) {
    for (const char *c = "\t;,"; *c; c++)
        if (strchr(line, *c)) return *c;
    return ' ';
}

/* Next line that is not blank. */
static cop_status next_row(parser *p, bool *more) {
    for (;;) {
        COP_TRY(cop_reader_line(&p->reader, &p->line, more));
        if (!*more) return COP_OK;
        char *text = (char *)p->line.data;
        if (p->reader.line == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0)
            memmove(text, text + 3, p->line.length - 2); /* byte order mark */
        if (text[strspn(text, " \t\r\n")]) break;
    }
    if (!p->separator) p->separator = guess_separator((char *)p->line.data);
    return split_line(p);
}

static bool is_missing(const char *cell) {
    return !*cell || strcmp(cell, "?") == 0;
}

/* An empty name is allowed: some programs write one above row numbers. */
static bool looks_like_header(const cells *c) {
    double number;
    bool named = false;
    for (size_t i = 0; i < c->count; i++) {
        if (cop_parse_double(c->cell[i], &number) || strcmp(c->cell[i], "?") == 0) return false;
        named = named || *c->cell[i];
    }
    return named;
}

/* Column number (from 0) of a name or number. */
static cop_status find_column(const parser *p, const char *word, const char *what, size_t *column) {
    uint64_t number;
    for (size_t i = 0; i < p->header.count; i++)
        if (strcmp(p->header.items[i], word) == 0) return *column = i, COP_OK;
    if (cop_parse_u64(word, &number) && number >= 1 && number <= p->columns)
        return *column = (size_t)number - 1, COP_OK;
    const char *nearest = cop_nearest(word, (const char *const *)p->header.items, p->header.count);
    return cop_fail(COP_E_FORMAT, "%s: has no column \"%s\" (%s); columns are 1 to %zu%s%s%s%s",
                    p->reader.path, word, what, p->columns,
                    p->header.count ? " or the names of its first line" : ", it has no header",
                    nearest ? ": did you mean \"" : "", nearest ? nearest : "",
                    nearest ? "\"?" : "");
}

static cop_status assign_roles(parser *p, size_t *features) {
    size_t column;
    const cop_csv_format *f = p->format;
    p->columns = p->cells.count;
    p->role = COP_NEW_ARRAY(unsigned char, p->columns);
    for (size_t i = 0; i < f->drop->count; i++) {
        COP_TRY(find_column(p, f->drop->items[i], "drop", &column));
        p->role[column] = DROPPED;
    }
    p->unlabelled = !f->labels_path && strcmp(f->label, "none") == 0;
    if (!f->labels_path && !p->unlabelled) {
        if (strcmp(f->label, "first") == 0)
            column = 0;
        else if (strcmp(f->label, "last") == 0)
            column = p->columns - 1;
        else
            COP_TRY(find_column(p, f->label, "label", &column));
        if (p->role[column] == DROPPED)
            return cop_fail(COP_E_FORMAT, "%s: column %zu is both the label and dropped",
                            p->reader.path, column + 1);
        p->role[column] = LABEL;
    }
    if (f->group && *f->group) {
        COP_TRY(find_column(p, f->group, "group", &column));
        if (p->role[column] == LABEL)
            return cop_fail(COP_E_FORMAT, "%s: column %zu is both the label and the group",
                            p->reader.path, column + 1);
        p->role[column] = GROUP; /* also one that drop names */
    }
    *features = 0;
    for (size_t i = 0; i < p->columns; i++) *features += p->role[i] == FEATURE;
    if (!*features)
        return cop_fail(
            COP_E_FORMAT,
            "%s:%zu: no feature is left of %zu columns: check separator, label and drop",
            p->reader.path, p->reader.line, p->columns);
    return COP_OK;
}

static cop_status bad_cell(const parser *p, size_t i, const char *what, const char *hint) {
    const char *name = i < p->header.count ? p->header.items[i] : "";
    return cop_fail(COP_E_FORMAT, "%s:%zu: column %zu%s%s%s: \"%.40s\" %s: %s", p->reader.path,
                    p->reader.line, i + 1, *name ? " (" : "", name, *name ? ")" : "",
                    p->cells.cell[i], what, hint);
}

static cop_status add_label(cop_csv *csv, const parser *p, size_t row, const char *word) {
    int32_t last = row ? csv->label[row - 1] : 0; /* sorted files repeat it */
    if (row && strcmp(csv->names.items[last], word) == 0) return csv->label[row] = last, COP_OK;
    for (size_t i = 0; i < csv->names.count; i++)
        if (strcmp(csv->names.items[i], word) == 0) return csv->label[row] = (int32_t)i, COP_OK;
    if (csv->names.count == COP_CLASSES_MAX)
        return cop_fail(COP_E_FORMAT,
                        "%s:%zu: more than %d different labels: is this the label column?",
                        p->reader.path, p->reader.line, COP_CLASSES_MAX);
    cop_list_add(&csv->names, word);
    csv->label[row] = (int32_t)csv->names.count - 1;
    return COP_OK;
}

static cop_status add_group(parser *p, size_t column) {
    char *cell = p->cells.cell[column];
    char *end = p->format->group_end ? strrchr(cell, p->format->group_end) : NULL;
    if (p->format->group_end && !end)
        return bad_cell(p, column, "names no group", "group_end does not occur in it");
    if (end) *end = 0;
    if (is_missing(cell)) return bad_cell(p, column, "names no group", "every row needs one");
    cop_list_add(&p->groups, cell);
    return COP_OK;
}

static int by_text(const void *a, const void *b) {
    return strcmp(**(char *const *const *)a, **(char *const *const *)b);
}

/* Numbers of the groups, in the order of their names. */
static void number_groups(cop_csv *csv, const cop_list *names) {
    char ***sorted = cop_alloc(names->count, sizeof *sorted);
    csv->group = COP_NEW_ARRAY(uint32_t, names->count);
    for (size_t i = 0; i < names->count; i++) sorted[i] = &names->items[i];
    qsort(sorted, names->count, sizeof *sorted, by_text);
    for (size_t i = 0; i < names->count; i++) {
        if (!i || strcmp(*sorted[i], *sorted[i - 1]) != 0) csv->groups++;
        csv->group[sorted[i] - names->items] = (uint32_t)(csv->groups - 1);
    }
    cop_free(sorted);
}

static cop_status add_row(cop_csv *csv, parser *p) {
    const cells *c = &p->cells;
    if (c->count != p->columns)
        return cop_fail(COP_E_FORMAT, "%s:%zu: has %zu columns, the lines before have %zu",
                        p->reader.path, p->reader.line, c->count, p->columns);
    if (csv->rows == p->rows_capacity) {
        size_t old = p->rows_capacity, capacity = old ? 2 * old : 1 + 65536 / csv->features;
        COP_TRY(cop_memory_ask(p->reader.path, capacity, csv->features * sizeof *csv->x));
        csv->x = cop_realloc(csv->x, old, capacity, csv->features * sizeof *csv->x);
        csv->label = cop_realloc(csv->label, old, capacity, sizeof *csv->label);
        p->rows_capacity = capacity;
    }
    if (csv->rows >= UINT32_MAX)
        return cop_fail(COP_E_FORMAT, "%s: has more than 2^32 rows", p->reader.path);
    float *x = csv->x + csv->rows * csv->features;
    for (size_t i = 0; i < c->count; i++) {
        double number;
        if (p->role[i] == DROPPED) continue;
        if (p->role[i] == GROUP) {
            COP_TRY(add_group(p, i));
            continue;
        }
        if (p->role[i] == LABEL) {
            if (is_missing(c->cell[i])) return bad_cell(p, i, "is no label", "every row needs one");
            COP_TRY(add_label(csv, p, csv->rows, c->cell[i]));
        } else if (is_missing(c->cell[i])) {
            if (!p->format->missing)
                return bad_cell(p, i, "is a missing value", "give missing = mean, or drop it");
            *x++ = NAN;
        } else if (!cop_parse_double(c->cell[i], &number) || !isfinite((float)number)) {
            return bad_cell(p, i, "is not a number",
                            "drop the column, or check header, separator and label");
        } else {
            *x++ = (float)number;
        }
    }
    if (p->unlabelled) COP_TRY(add_label(csv, p, csv->rows, "none"));
    csv->rows++;
    return COP_OK;
}

static cop_status read_labels(cop_csv *csv, parser *p) {
    size_t rows = 0;
    bool more;
    COP_TRY(cop_reader_open(&p->reader, p->format->labels_path));
    for (;;) {
        COP_TRY(cop_reader_line(&p->reader, &p->line, &more));
        if (!more) break;
        char *word = trimmed((char *)p->line.data, (char *)p->line.data + p->line.length);
        if (!*word) continue;
        if (rows < csv->rows) COP_TRY(add_label(csv, p, rows, word));
        rows++;
    }
    if (rows != csv->rows)
        return cop_fail(COP_E_FORMAT, "%s: has %zu labels for %zu rows", p->reader.path, rows,
                        csv->rows);
    return COP_OK;
}

static cop_status read_rows(cop_csv *csv, parser *p, const char *path) {
    bool more, header;
    COP_TRY(cop_reader_open(&p->reader, path));
    COP_TRY(next_row(p, &more));
    if (!more) return cop_fail(COP_E_FORMAT, "%s: holds no rows", path);
    header = strcmp(p->format->header, "yes") == 0 ||
             (strcmp(p->format->header, "auto") == 0 && looks_like_header(&p->cells));
    for (size_t i = 0; i < p->cells.count && header; i++)
        cop_list_add(&p->header, p->cells.cell[i]);
    COP_TRY(assign_roles(p, &csv->features));
    if (header) COP_TRY(next_row(p, &more));
    for (; more;) {
        COP_TRY(add_row(csv, p));
        COP_TRY(next_row(p, &more));
    }
    if (!csv->rows) return cop_fail(COP_E_FORMAT, "%s: holds a header and no rows", path);
    return COP_OK;
}

cop_status cop_csv_read(cop_csv *csv, const cop_csv_format *format, const char *path) {
    cop_status status = COP_OK;
    parser p = {.format = format, .separator = format->separator};
    *csv = (cop_csv){0};
    COP_GO(read_rows(csv, &p, path));
    if (p.groups.count) number_groups(csv, &p.groups);
    if (format->labels_path) {
        cop_reader_close(&p.reader);
        COP_GO(read_labels(csv, &p));
    }
done:
    cop_reader_close(&p.reader);
    cop_buf_clear(&p.line);
    cop_free(p.cells.cell);
    cop_free(p.role);
    cop_list_clear(&p.header);
    cop_list_clear(&p.groups);
    return status;
}

void cop_csv_clear(cop_csv *csv) {
    cop_free(csv->x);
    cop_free(csv->label);
    cop_list_clear(&csv->names);
    cop_free(csv->group);
    *csv = (cop_csv){0};
}
