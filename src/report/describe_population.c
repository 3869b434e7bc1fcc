/* The living individuals as a table, from the JSON description. */
#include <string.h>

#include "coppice/report.h"

/* What tells individuals apart at a glance; the JSON has every measure. */
static bool is_shown(const char *measure) {
    return strncmp(measure, "accuracy.", 9) == 0 || strcmp(measure, "similarity") == 0 ||
           strcmp(measure, "edges") == 0 || strcmp(measure, "density") == 0 ||
           strcmp(measure, "macs") == 0;
}

static void add_cell(cop_table *table, const json_t *value) {
    if (json_is_number(value))
        cop_table_add(table, "%.8g", json_number_value(value));
    else
        cop_table_add(table, "-");
}

void cop_describe_write_population(const json_t *description, cop_buf *out) {
    const json_t *rows = json_object_get(description, "population"), *row;
    json_t *value;
    const char *name;
    size_t i;
    if (json_array_size(rows) == 0) {
        cop_buf_printf(out, "no population is stored here\n");
        return;
    }
    cop_buf headings = {0};
    cop_buf_printf(&headings, "place|individual|born|fitness");
    json_object_foreach(json_object_get(json_array_get(rows, 0), "measures"), name, value) {
        if (is_shown(name)) cop_buf_printf(&headings, "|%s", name);
    }
    cop_table table;
    cop_table_init(&table, cop_buf_text(&headings));
    json_array_foreach(rows, i, row) {
        cop_table_add(&table, "%zu", i + 1);
        add_cell(&table, json_object_get(row, "id"));
        add_cell(&table, json_object_get(row, "born"));
        add_cell(&table, json_object_get(row, "fitness"));
        json_object_foreach(json_object_get(row, "measures"), name, value) {
            if (is_shown(name)) add_cell(&table, value);
        }
    }
    cop_table_write(&table, out);
    cop_table_clear(&table);
    cop_buf_clear(&headings);
}
