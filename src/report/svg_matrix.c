/* Matrices as SVG: a square per cell; of a confusion matrix its number where there is room. */
#include <string.h>

#include "html.h"

static void add_name(cop_buf *out, const char *const *names, size_t named, size_t at) {
    if (names && at < named && names[at] && *names[at])
        cop_html_text(out, names[at]);
    else
        cop_buf_printf(out, "%zu", at);
}

/* White to dark blue. */
static void add_square(cop_buf *out, double x, double y, double side, double share) {
    cop_buf_printf(out,
                   "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                   "fill=\"rgb(%d,%d,%d)\">",
                   x, y, side, side, (int)(255 - 247 * share), (int)(255 - 207 * share),
                   (int)(255 - 148 * share));
}

/* A square, and text that can be read on it. */
static void add_cell(cop_buf *out, double x, double y, double side, uint64_t count, double share,
                     bool number) {
    add_square(out, x, y, side - 1, share);
    cop_buf_printf(out, "<title>%llu (%.1f %%)</title></rect>\n", (unsigned long long)count,
                   100 * share);
    if (number && count)
        cop_buf_printf(
            out,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" font-size=\"%.1f\" fill=\"%s\" "
            "pointer-events=\"none\">%llu</text>\n",
            x + side / 2 - 0.5, y + side / 2 + 0.14 * side,
            count > 9999 ? 0.26 * side : 0.34 * side, share > 0.5 ? "#fff" : "#1c2430",
            (unsigned long long)count);
}

void cop_svg_matrix(cop_buf *out, const char *title, const uint64_t *count, size_t rows,
                    size_t columns, const char *const *names) {
    const double left = 70, top = 34, room = 400;
    size_t most = rows > columns ? rows : columns;
    if (!most) return;
    double side = room / (double)most;
    bool numbers = most <= 26;
    cop_buf_printf(out, "<figure><figcaption>");
    cop_html_text(out, title);
    cop_buf_printf(out, "</figcaption>\n<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
                   left + side * (double)columns + 4, top + side * (double)rows + 4);
    cop_html_text(out, title);
    cop_buf_printf(
        out,
        "\">\n<text x=\"%.1f\" y=\"11\" text-anchor=\"middle\" fill=\"#54606e\">predicted</text>\n"
        "<text x=\"11\" y=\"%.1f\" text-anchor=\"middle\" fill=\"#54606e\" transform=\"rotate(-90 "
        "11 "
        "%.1f)\">true class</text>\n",
        left + side * (double)columns / 2, top + side * (double)rows / 2,
        top + side * (double)rows / 2);
    size_t every = 1 + most / 30; /* labels that would run into each other are left out */
    for (size_t c = 0; c < columns; c += every) {
        cop_buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" font-size=\"%d\">",
                       left + side * ((double)c + 0.5), top - 6, most > 16 ? 9 : 12);
        add_name(out, names, rows, c);
        cop_buf_printf(out, "</text>\n");
    }
    for (size_t r = 0; r < rows; r++) {
        uint64_t samples = 0;
        for (size_t c = 0; c < columns; c++) samples += count[r * columns + c];
        if (r % every == 0) {
            cop_buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" font-size=\"%d\">",
                           left - 7, top + side * ((double)r + 0.5) + 4, most > 16 ? 9 : 12);
            add_name(out, names, rows, r);
            cop_buf_printf(out, "</text>\n");
        }
        for (size_t c = 0; c < columns; c++) {
            uint64_t n = count[r * columns + c];
            add_cell(out, left + side * (double)c, top + side * (double)r, side, n,
                     samples ? (double)n / (double)samples : 0, numbers);
        }
    }
    cop_buf_printf(out, "</svg></figure>\n");
}

void cop_svg_map(cop_buf *out, const char *title, const double *value, size_t rows,
                 size_t columns) {
    const size_t longest = rows > columns ? rows : columns;
    double most = 0;
    if (!longest) return;
    const double side = 400 / (double)longest;
    for (size_t i = 0; i < rows * columns; i++)
        if (value[i] > most) most = value[i];
    cop_buf_printf(out, "<figure><figcaption>");
    cop_html_text(out, title);
    cop_buf_printf(out, "</figcaption>\n<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
                   side * (double)columns, side * (double)rows);
    cop_html_text(out, title);
    cop_buf_printf(out, "\">\n");
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) {
            const double v = value[r * columns + c];
            add_square(out, side * (double)c, side * (double)r, side, most > 0 ? v / most : 0);
            cop_buf_printf(out, "<title>row %zu, column %zu: %g</title></rect>\n", r, c, v);
        }
    cop_buf_printf(out, "</svg></figure>\n");
}
