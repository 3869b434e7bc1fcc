#include <string.h>

#include "coppice/report.h"

void cop_table_init(cop_table *table, const char *headings) {
    *table = (cop_table){0};
    cop_list_split(&table->cells, headings, "|");
    table->columns = table->cells.count;
    COP_ASSERT(table->columns > 0);
}

void cop_table_add(cop_table *table, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *cell = cop_vsprintf(format, arguments);
    va_end(arguments);
    cop_list_add(&table->cells, cell);
    cop_free(cell);
}

void cop_table_clear(cop_table *table) {
    cop_list_clear(&table->cells);
    table->columns = 0;
}

/* Characters, not bytes; what is no UTF-8 counts by bytes, as screens show a sign for each. */
static size_t width_of(const char *text) {
    size_t width = 0;
    while (*text) {
        size_t length = cop_utf8_length(text);
        text += length ? length : 1;
        width++;
    }
    return width;
}

void cop_table_write(const cop_table *table, cop_buf *out) {
    COP_ASSERT(table->cells.count % table->columns == 0);
    size_t *width = COP_NEW_ARRAY(size_t, table->columns);
    for (size_t i = 0; i < table->cells.count; i++) {
        size_t length = width_of(table->cells.items[i]);
        if (i < table->columns && table->cells.items[i][0] == '<') length--;
        if (length > width[i % table->columns]) width[i % table->columns] = length;
    }
    for (size_t i = 0; i < table->cells.count; i++) {
        size_t column = i % table->columns;
        bool left = table->cells.items[column][0] == '<', last = column + 1 == table->columns;
        const char *cell = table->cells.items[i] + (i < table->columns && left);
        int pad = (int)(width[column] + strlen(cell) - width_of(cell));
        cop_buf_printf(out, left ? "  %-*s" : "  %*s", pad, cell);
        if (!last) continue;
        while (out->length && out->data[out->length - 1] == ' ') out->length--;
        cop_buf_printf(out, "\n");
    }
    cop_free(width);
}
