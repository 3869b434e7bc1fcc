#include "coppice/base.h"

#include <string.h>

#define COLUMNS 80

void cop_buf_fill(cop_buf *out, const char *text, size_t column, size_t indent) {
    bool start = true;
    while (*text) {
        if (*text == '\n') {
            cop_buf_printf(out, "\n%*s", text[1] == '\n' || !text[1] ? 0 : (int)indent, "");
            column = indent;
            start = true;
            text++;
            continue;
        }
        /* a line that begins with a blank stays as it is */
        size_t length = strcspn(text, start && *text == ' ' ? "\n" : " \n");
        if (!start && column + 1 + length > COLUMNS) {
            cop_buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
            start = true;
        }
        cop_buf_printf(out, "%s%.*s", start ? "" : " ", (int)length, text);
        column += length + !start;
        start = false;
        text += length;
        if (*text == ' ') text++;
    }
    cop_buf_printf(out, "\n");
}
