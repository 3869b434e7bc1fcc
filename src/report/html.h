/** @file html.h
 *  Pages of HTML with charts in SVG, complete in themselves: no scripts, nothing from a network.
 * Every text that comes from outside goes through cop_html_text.
 */
#ifndef COPPICE_REPORT_HTML_H
#define COPPICE_REPORT_HTML_H

#include "coppice/base.h"

/** Text or attribute value: markup becomes entities; bytes that are no UTF-8 and control characters
 * become U+FFFD, so that the page is well-formed whatever the text is. */
void cop_html_text(cop_buf *out, const char *text);
/** printf, then cop_html_text. */
void cop_html_format(cop_buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cop_html_begin(cop_buf *out, const char *title);
void cop_html_end(cop_buf *out);
/** A row of @p count cells of text; @p tag is "th" or "td". */
void cop_html_row(cop_buf *out, const char *tag, const char *const *cells, size_t count);

/** One line of a chart; points that are not finite break it. Borrowed. */
typedef struct cop_series {
    const char *name;
    const double *x, *y; /**< (count) */
    size_t count;
    bool thin, dashed;
    int colour; /**< number of a colour of the palette */
} cop_series;
typedef struct cop_chart {
    const char *title, *x_label, *y_label;
    const cop_series *series;
    size_t count;
    bool from_zero; /**< the y axis begins at 0 */
} cop_chart;
/** Lines with axes, grid and a legend. A chart without a finite point says so in words. */
void cop_svg_lines(cop_buf *out, const cop_chart *chart);

/** Horizontal bars of shares in [0, 1]: a label, the share, and a text behind it. */
typedef struct cop_bar {
    const char *label, *note;
    double share, low, high; /**< low, high: a range drawn over the bar; NaN: none */
} cop_bar;
void cop_svg_bars(cop_buf *out, const char *title, const cop_bar *bars, size_t count);

/** Columns: how many of each kind, beside an expected number each (NULL: none). */
void cop_svg_columns(cop_buf *out, const char *title, const char *x_label, const char *y_label,
                     const double *value, const double *expected, size_t count);

/** A matrix of counts (rows, columns), coloured by the share of each row. Names may be NULL, also
 * single ones. */
void cop_svg_matrix(cop_buf *out, const char *title, const uint64_t *count, size_t rows,
                    size_t columns, const char *const *names);

/** Numbers (rows, columns) as a picture, white for 0 and dark for the most. */
void cop_svg_map(cop_buf *out, const char *title, const double *value, size_t rows, size_t columns);

/** A family tree: nodes at (x, y), lines to up to two parents; marked ones stand out. */
typedef struct cop_node {
    double x, y;
    size_t parent[2]; /**< SIZE_MAX: none */
    bool marked;
    char tip[160]; /**< what a pointer over the node shows */
} cop_node;
void cop_svg_tree(cop_buf *out, const char *title, const char *x_label, const char *y_label,
                  const cop_node *nodes, size_t count);

/** The number of a colour as CSS. */
const char *cop_palette(int colour);

#endif
