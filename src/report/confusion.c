#include "coppice/report.h"

void cop_confusion_init(cop_confusion *matrix, size_t rows, size_t columns) {
    *matrix = (cop_confusion){rows, columns, COP_NEW_ARRAY(uint64_t, rows * columns)};
}

void cop_confusion_clear(cop_confusion *matrix) {
    cop_free(matrix->count);
    *matrix = (cop_confusion){0};
}

void cop_confusion_fill(cop_confusion *matrix, const int32_t *label, const uint16_t *predicted,
                        size_t samples) {
    for (size_t i = 0; i < samples; i++) {
        COP_ASSERT(label[i] >= 0 && (size_t)label[i] < matrix->rows);
        COP_ASSERT(predicted[i] < matrix->columns);
        matrix->count[(size_t)label[i] * matrix->columns + predicted[i]]++;
    }
}

static void add_share(cop_table *table, uint64_t part, uint64_t whole) {
    if (whole)
        cop_table_add(table, "%.1f", 100.0 * (double)part / (double)whole);
    else
        cop_table_add(table, "-");
}

static const char *class_label(const cop_confusion *matrix, const char *const *names, size_t class,
                               char number[24]) {
    if (names && class < matrix->rows && names[class] && *names[class]) return names[class];
    snprintf(number, 24, "%zu", class);
    return number;
}

/* A blank before '<', which a table would take for the mark of a left-aligned column. */
static void add_heading(cop_table *table, const char *label) {
    char *text = cop_sprintf(*label == '<' ? " %s" : "%s", label);
    cop_list_add(&table->cells, text);
    cop_free(text);
}

static uint64_t column_sum(const cop_confusion *matrix, size_t column) {
    uint64_t sum = 0;
    for (size_t r = 0; r < matrix->rows; r++) sum += matrix->count[r * matrix->columns + column];
    return sum;
}

void cop_confusion_write(const cop_confusion *matrix, const char *const *names, cop_buf *out) {
    char number[24];
    cop_table table = {0};
    cop_list_add(&table.cells, "class");
    for (size_t c = 0; c < matrix->columns; c++)
        if (c < matrix->rows || column_sum(matrix, c))
            add_heading(&table, class_label(matrix, names, c, number));
    cop_list_add(&table.cells, "samples");
    cop_list_add(&table.cells, "recall");
    table.columns = table.cells.count;
    for (size_t r = 0; r < matrix->rows; r++) {
        const uint64_t *row = matrix->count + r * matrix->columns;
        uint64_t samples = 0;
        cop_table_add(&table, "%s", class_label(matrix, names, r, number));
        for (size_t c = 0; c < matrix->columns; c++) {
            samples += row[c];
            if (row[c])
                cop_table_add(&table, "%llu", (unsigned long long)row[c]);
            else if (c < matrix->rows || column_sum(matrix, c))
                cop_table_add(&table, ".");
        }
        cop_table_add(&table, "%llu", (unsigned long long)samples);
        add_share(&table, r < matrix->columns ? row[r] : 0, samples);
    }
    cop_table_add(&table, "precision");
    for (size_t c = 0; c < matrix->columns; c++)
        if (c < matrix->rows || column_sum(matrix, c))
            add_share(&table, c < matrix->rows ? matrix->count[c * matrix->columns + c] : 0,
                      column_sum(matrix, c));
    cop_table_add(&table, "%s", "");
    cop_table_add(&table, "%s", "");
    cop_table_write(&table, out);
    cop_table_clear(&table);
}

json_t *cop_confusion_json(const cop_confusion *matrix) {
    json_t *rows = json_array();
    for (size_t r = 0; r < matrix->rows; r++) {
        json_t *row = json_array();
        for (size_t c = 0; c < matrix->columns; c++)
            json_array_append_new(row, cop_json_id(matrix->count[r * matrix->columns + c]));
        json_array_append_new(rows, row);
    }
    return rows;
}
