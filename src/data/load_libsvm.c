/* Text files of LIBSVM and SVMlight: a line is a label and the features that are not 0, as
 * index:value with indices from 1, ascending. What is read is held as it is written, and becomes
 * whole samples when they are asked for, so that memory grows with the file and with the samples
 * kept. */
#include "holdout.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* Without `columns`, an index beyond this is taken for damage. */
#define COLUMNS_GUESSED ((size_t)1 << 20)

typedef struct entry {
    uint32_t column; /* from 0 */
    float value;
} entry;

typedef struct table {
    size_t rows, entries, columns; /* columns: one more than the largest index */
    size_t row_room, entry_room;
    size_t *begin; /* (rows + 1) */
    entry *entry;  /* (entries) */
    size_t *kept;  /* numbers of the rows that the holdout leaves; NULL: all */
} table;

typedef struct parser {
    cop_reader reader;
    cop_buf line;
    size_t most; /* features that a sample may have */
    bool labels; /* wanted; else only the number of columns is */
} parser;

static void clear(table *t) {
    cop_free(t->begin);
    cop_free(t->entry);
    cop_free(t->kept);
    *t = (table){0};
}

static void close_table(void *state) {
    clear(state);
    cop_free(state);
}

/* The next word of the line, cut off; NULL at its end or where a comment begins. */
static char *next_word(char **at) {
    while (isspace((unsigned char)**at)) (*at)++;
    if (!**at || **at == '#') return NULL;
    char *word = *at;
    while (**at && !isspace((unsigned char)**at)) (*at)++;
    if (**at) *(*at)++ = 0;
    return word;
}

static cop_status add_entry(table *t, const parser *p, char *word) {
    char *colon = strchr(word, ':');
    uint64_t index = 0;
    double value = 0;
    if (colon) *colon = 0;
    if (!colon || !cop_parse_u64(word, &index) || !cop_parse_double(colon + 1, &value) ||
        !isfinite((float)value)) {
        if (colon) *colon = ':';
        return cop_fail(COP_E_FORMAT, "%s:%zu: \"%.40s\" is not index:value", p->reader.path,
                        p->reader.line, word);
    }
    if (index < 1 || index > p->most)
        return cop_fail(COP_E_FORMAT, "%s:%zu: index %llu; wanted 1 to %zu%s", p->reader.path,
                        p->reader.line, (unsigned long long)index, p->most,
                        index > p->most ? ": raise columns if this is right" : "");
    if (t->entries > t->begin[t->rows] && t->entry[t->entries - 1].column + 1 >= index)
        return cop_fail(COP_E_FORMAT, "%s:%zu: index %llu follows %lu: indices must ascend",
                        p->reader.path, p->reader.line, (unsigned long long)index,
                        (unsigned long)t->entry[t->entries - 1].column + 1);
    if (t->entries == t->entry_room) {
        const size_t room = 2 * t->entry_room + 4096;
        COP_TRY(cop_memory_ask(p->reader.path, room, sizeof *t->entry));
        t->entry = cop_realloc(t->entry, t->entry_room, room, sizeof *t->entry);
        t->entry_room = room;
    }
    t->entry[t->entries++] = (entry){(uint32_t)(index - 1), (float)value};
    if (index > t->columns) t->columns = (size_t)index;
    return COP_OK;
}

/* "+1" and "1" are one label. */
static cop_status add_label(cop_raw *raw, const table *t, const parser *p, const char *word) {
    double number;
    if (!cop_parse_double(word, &number))
        return cop_fail(COP_E_FORMAT, "%s:%zu: the label \"%.40s\" is not a number", p->reader.path,
                        p->reader.line, word);
    if (!p->labels) return COP_OK;
    if (*word == '+') word++;
    for (size_t i = 0; i < raw->names.count; i++)
        if (strcmp(raw->names.items[i], word) == 0) return raw->label[t->rows] = (int32_t)i, COP_OK;
    if (raw->names.count == COP_CLASSES_MAX)
        return cop_fail(COP_E_FORMAT, "%s:%zu: more than %d different labels", p->reader.path,
                        p->reader.line, COP_CLASSES_MAX);
    cop_list_add(&raw->names, word);
    raw->label[t->rows] = (int32_t)raw->names.count - 1;
    return COP_OK;
}

static cop_status add_row(cop_raw *raw, table *t, const parser *p, char *label, char *rest) {
    if (t->rows >= UINT32_MAX)
        return cop_fail(COP_E_FORMAT, "%s: has more than 2^32 rows", p->reader.path);
    if (t->rows + 1 >= t->row_room) {
        const size_t room = 2 * t->row_room + 1024;
        COP_TRY(cop_memory_ask(p->reader.path, room, sizeof *t->begin));
        t->begin = cop_realloc(t->begin, t->row_room, room, sizeof *t->begin);
        if (p->labels) raw->label = cop_realloc(raw->label, t->row_room, room, sizeof *raw->label);
        t->row_room = room;
    }
    t->begin[t->rows] = t->entries;
    COP_TRY(add_label(raw, t, p, label));
    for (char *word; (word = next_word(&rest));) COP_TRY(add_entry(t, p, word));
    t->begin[++t->rows] = t->entries;
    return COP_OK;
}

/* @p raw gets the labels; NULL: only how many columns there are is of interest. */
static cop_status read_file(table *t, cop_raw *raw, const char *path, size_t most) {
    parser p = {.most = most, .labels = raw != NULL};
    cop_status status = COP_OK;
    COP_GO(cop_reader_open(&p.reader, path));
    for (;;) {
        bool more;
        COP_GO(cop_reader_line(&p.reader, &p.line, &more));
        if (!more) break;
        char *at = (char *)p.line.data, *label = next_word(&at);
        if (!label) continue; /* blank, or a comment */
        COP_GO(add_row(raw, t, &p, label, at));
        if (!raw) t->rows = t->entries = 0;
    }
    if (raw && !t->rows) status = cop_fail(COP_E_FORMAT, "%s: holds no rows", path);
done:
    cop_reader_close(&p.reader);
    cop_buf_clear(&p.line);
    return status;
}

static cop_status read_rows(cop_raw *raw, const size_t *keep, size_t count, float *x) {
    const table *t = raw->state;
    for (size_t i = 0; i < count; i++) {
        const size_t row = t->kept ? t->kept[keep[i]] : keep[i];
        for (size_t k = t->begin[row]; k < t->begin[row + 1]; k++)
            x[i * raw->width + t->entry[k].column] = t->entry[k].value;
    }
    return COP_OK;
}

/* Keep the rows of one side of the holdout. */
static void cut(cop_raw *raw, table *t, const cop_conf *conf, const char *section, bool test) {
    size_t count;
    cop_holdout_rows(&t->kept, &count, raw->label, t->rows, raw->names.count, NULL, 0, conf,
                     section, test);
    for (size_t i = 0; i < count; i++) raw->label[i] = raw->label[t->kept[i]];
    raw->samples = count;
}

static cop_status open_libsvm(cop_raw *raw, const cop_conf *conf, const char *section,
                              cop_split split, const char *data_dir) {
    const char *own = split == COP_SPLIT_TEST     ? "test_file"
                      : split == COP_SPLIT_EVOLVE ? "evolve_file"
                                                  : "file";
    if (!cop_conf_text(conf, section, own)[0]) own = "file";
    size_t columns = (size_t)cop_conf_int(conf, section, "columns");
    char *path = NULL, *train = NULL;
    table *t = COP_NEW(table), first = {0};
    cop_status status = COP_OK;
    raw->state = t;
    raw->close = close_table;
    raw->read = read_rows;
    COP_GO(cop_task_path(&path, conf, section, own, data_dir));
    COP_GO(cop_task_path(&train, conf, section, "file", data_dir));
    if (!columns && strcmp(own, "file") != 0) {
        COP_GO(read_file(&first, NULL, train, COLUMNS_GUESSED));
        columns = first.columns;
    }
    COP_GO(read_file(t, raw, path, columns ? columns : COLUMNS_GUESSED));
    if (!columns) columns = t->columns;
    if (!columns) COP_GO(cop_fail(COP_E_FORMAT, "%s: no row has a feature", path));
    raw->samples = t->rows;
    if (cop_holdout_cuts(split, conf, section)) cut(raw, t, conf, section, split == COP_SPLIT_TEST);
    raw->channels = raw->height = 1;
    raw->width = columns;
done:
    clear(&first);
    cop_free(path);
    cop_free(train);
    return status;
}

static cop_status check(const cop_conf *conf, const char *section, const char *data_dir) {
    static const char *const files[] = {"file", "evolve_file", "test_file"};
    for (size_t i = 0; i < 3; i++) {
        const bool given = cop_conf_text(conf, section, files[i])[0];
        if (!given && i == 0)
            return cop_conf_fail(conf, section, "file",
                                 "source libsvm needs this file: give its path");
        if (given) COP_TRY(cop_task_file_exists(conf, section, files[i], data_dir));
    }
    return cop_holdout_check(conf, section);
}

static const char *const uses[] = {"file", "evolve_file", "test_file", "holdout", "columns", NULL};
const cop_source cop_source_libsvm = {
    .name = "libsvm",
    .summary = "Tables in the sparse text format of LIBSVM and SVMlight, gzipped or not.",
    .paper = "Chang and Lin 2011, LIBSVM: a library for support vector machines",
    .table = true,
    .uses = uses,
    .check = check,
    .open = open_libsvm,
};
