/* Charts as SVG. Coordinates are pixels of a box that the page scales to its width. */
#include <math.h>
#include <string.h>

#include "html.h"

enum { WIDTH = 480, HEIGHT = 280, LEFT = 62, RIGHT = 12, TOP = 10, BOTTOM = 44, TICKS = 5 };

/* Okabe and Ito's colours, which the colour-blind tell apart; the yellow is too light for lines. */
static const char *const palette[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                      "#56b4e9", "#8a6d00", "#4b4b4b", "#7b3fa0"};

const char *cop_palette(int colour) {
    return palette[(size_t)colour % (sizeof palette / sizeof *palette)];
}

/* ------------------------------------------------------------------ axes */

struct axis {
    double low, high, step;
};

/* Some five ticks at 1, 2 or 5 times a power of ten; low and high become multiples of them. */
static struct axis axis_of(double low, double high) {
    if (!(high > low)) {
        double around = fabs(low) > 0 ? 0.05 * fabs(low) : 1;
        low -= around;
        high += around;
    }
    double rough = (high - low) / TICKS, power = pow(10, floor(log10(rough))), step = power;
    if (rough > 5 * power)
        step = 10 * power;
    else if (rough > 2 * power)
        step = 5 * power;
    else if (rough > power)
        step = 2 * power;
    return (struct axis){step * floor(low / step + 1e-9), step * ceil(high / step - 1e-9), step};
}

static void add_number(cop_buf *out, double value, double step) {
    int digits = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
    if (digits > 12) digits = 12;
    double size = fabs(value);
    if (step >= 1e5)
        cop_buf_printf(out, "%g&#8239;M", value / 1e6);
    else if (size >= 1e5 || step >= 1e3)
        cop_buf_printf(out, "%g&#8239;k", value / 1e3);
    else
        cop_buf_printf(out, "%.*f", digits, size < step / 2 ? 0.0 : value);
}

static double place_x(const struct axis *axis, double x) {
    return LEFT + (x - axis->low) / (axis->high - axis->low) * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct axis *axis, double y) {
    return HEIGHT - BOTTOM - (y - axis->low) / (axis->high - axis->low) * (HEIGHT - TOP - BOTTOM);
}

static void begin_figure(cop_buf *out, const char *title, double width, double height) {
    cop_buf_printf(out, "<figure><figcaption>");
    cop_html_text(out, title);
    cop_buf_printf(out, "</figcaption>\n<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
                   width, height);
    cop_html_text(out, title);
    cop_buf_printf(out, "\">\n");
}

static void end_figure(cop_buf *out) {
    cop_buf_printf(out, "</svg></figure>\n");
}

static void nothing(cop_buf *out, const char *title) {
    cop_buf_printf(out, "<figure><figcaption>");
    cop_html_text(out, title);
    cop_buf_printf(out, "</figcaption><p class=\"lead\">Nothing to draw.</p></figure>\n");
}

static void add_label(cop_buf *out, double x, double y, const char *how, const char *text) {
    cop_buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, how);
    cop_html_text(out, text);
    cop_buf_printf(out, "</text>\n");
}

static void draw_axes(cop_buf *out, const struct axis *x, const struct axis *y, const char *x_label,
                      const char *y_label) {
    int rows = (int)lrint((y->high - y->low) / y->step),
        columns = (int)lrint((x->high - x->low) / x->step);
    for (int i = 0; i <= rows; i++) {
        double value = y->low + i * y->step, at = place_y(y, value);
        cop_buf_printf(out,
                       "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#e3e8ee\"/>"
                       "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" fill=\"#54606e\">",
                       LEFT, WIDTH - RIGHT, at, at, LEFT - 7, at + 4);
        add_number(out, value, y->step);
        cop_buf_printf(out, "</text>\n");
    }
    for (int i = 0; i <= columns; i++) {
        double value = x->low + i * x->step, at = place_x(x, value);
        cop_buf_printf(out,
                       "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#9aa5b1\"/>"
                       "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#54606e\">",
                       at, at, HEIGHT - BOTTOM, HEIGHT - BOTTOM + 4, at, HEIGHT - BOTTOM + 17);
        add_number(out, value, x->step);
        cop_buf_printf(out, "</text>\n");
    }
    cop_buf_printf(out, "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"#9aa5b1\"/>\n",
                   LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, HEIGHT - BOTTOM);
    add_label(out, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 8,
              "text-anchor=\"middle\" fill=\"#3a4552\"", x_label);
    char turned[128];
    snprintf(turned, sizeof turned,
             "text-anchor=\"middle\" fill=\"#3a4552\" transform=\"rotate(-90 13 %d)\"",
             (HEIGHT - BOTTOM + TOP) / 2);
    add_label(out, 13, (HEIGHT - BOTTOM + TOP) / 2.0, turned, y_label);
}

/* ------------------------------------------------------------------ lines */

static void widen(double value, double *low, double *high) {
    if (!isfinite(value)) return;
    if (!(value >= *low)) *low = value; /* also while it is NaN */
    if (!(value <= *high)) *high = value;
}

static void draw_line(cop_buf *out, const cop_series *s, const struct axis *x,
                      const struct axis *y) {
    bool open = false;
    size_t drawn = 0;
    cop_buf_printf(
        out,
        "<path fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"%s stroke-linejoin=\"round\" d=\"",
        cop_palette(s->colour), s->thin ? "1.2" : "2.2",
        s->dashed ? " stroke-dasharray=\"6 4\"" : "");
    for (size_t i = 0; i < s->count; i++) {
        bool there = isfinite(s->x[i]) && isfinite(s->y[i]);
        if (there)
            cop_buf_printf(out, "%c%.1f %.1f", open ? 'L' : 'M', place_x(x, s->x[i]),
                           place_y(y, s->y[i]));
        drawn += there;
        open = there;
    }
    if (!drawn) cop_buf_printf(out, "M0 0"); /* a path must begin somewhere */
    cop_buf_printf(out, "\"/>\n");
    for (size_t i = 0; s->count == 1 && drawn && i < 1; i++)
        cop_buf_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n",
                       place_x(x, s->x[i]), place_y(y, s->y[i]), cop_palette(s->colour));
}

void cop_svg_lines(cop_buf *out, const cop_chart *chart) {
    double low[2] = {NAN, NAN}, high[2] = {NAN, NAN};
    for (size_t s = 0; s < chart->count; s++)
        for (size_t i = 0; i < chart->series[s].count; i++) {
            if (!isfinite(chart->series[s].y[i])) continue;
            widen(chart->series[s].x[i], &low[0], &high[0]);
            widen(chart->series[s].y[i], &low[1], &high[1]);
        }
    if (isnan(low[0]) || isnan(low[1])) {
        nothing(out, chart->title);
        return;
    }
    if (chart->from_zero) widen(0, &low[1], &high[1]);
    struct axis x = axis_of(low[0], high[0]), y = axis_of(low[1], high[1]);
    begin_figure(out, chart->title, WIDTH, HEIGHT);
    draw_axes(out, &x, &y, chart->x_label, chart->y_label);
    for (size_t s = 0; s < chart->count; s++) draw_line(out, &chart->series[s], &x, &y);
    cop_buf_printf(out, "</svg>\n<div class=\"key\">");
    for (size_t s = 0; s < chart->count && chart->count > 1; s++) {
        cop_buf_printf(out, "<span><i%s style=\"color:%s\"></i>",
                       chart->series[s].dashed ? " class=\"dash\"" : "",
                       cop_palette(chart->series[s].colour));
        cop_html_text(out, chart->series[s].name);
        cop_buf_printf(out, "</span>");
    }
    cop_buf_printf(out, "</div></figure>\n");
}

/* ------------------------------------------------------------------ bars and columns */

void cop_svg_bars(cop_buf *out, const char *title, const cop_bar *bars, size_t count) {
    enum { ROW = 26, BEGIN = 76, END = 326, NOTE = 336 };
    if (!count) {
        nothing(out, title);
        return;
    }
    begin_figure(out, title, WIDTH, ROW * (double)count + 26);
    for (int i = 0; i <= 4; i++) {
        double at = BEGIN + i * (END - BEGIN) / 4.0;
        cop_buf_printf(out,
                       "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%zu\" "
                       "stroke=\"#e3e8ee\"/><text x=\"%.1f\" "
                       "y=\"%zu\" text-anchor=\"middle\" fill=\"#54606e\">%d %%</text>\n",
                       at, at, ROW * count, at, ROW * count + 18, 25 * i);
    }
    for (size_t i = 0; i < count; i++) {
        double y = ROW * (double)i, share = bars[i].share > 0 ? fmin(bars[i].share, 1) : 0;
        add_label(out, BEGIN - 8, y + 17, "text-anchor=\"end\"", bars[i].label);
        cop_buf_printf(out,
                       "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"16\" fill=\"%s\" "
                       "fill-opacity=\".85\"/>\n",
                       BEGIN, y + 5, share * (END - BEGIN), cop_palette(0));
        if (isfinite(bars[i].low) && isfinite(bars[i].high))
            cop_buf_printf(
                out,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#d55e00\" "
                "stroke-width=\"3\"/>\n",
                BEGIN + bars[i].low * (END - BEGIN), BEGIN + bars[i].high * (END - BEGIN) + 1,
                y + 13, y + 13);
        add_label(out, NOTE, y + 17, "fill=\"#3a4552\"", bars[i].note);
    }
    end_figure(out);
}

void cop_svg_columns(cop_buf *out, const char *title, const char *x_label, const char *y_label,
                     const double *value, const double *expected, size_t count) {
    double high = 0;
    for (size_t i = 0; i < count; i++) {
        if (value[i] > high) high = value[i];
        if (expected && expected[i] > high) high = expected[i];
    }
    if (!(high > 0)) {
        nothing(out, title);
        return;
    }
    struct axis y = axis_of(0, high), x = {-0.5, (double)count - 0.5, 1};
    struct axis ticks = axis_of(0, count > 1 ? (double)count - 1 : 1);
    double room = (WIDTH - LEFT - RIGHT) / (double)count;
    begin_figure(out, title, WIDTH, HEIGHT);
    struct axis none = {x.low, x.high,
                        2 * (x.high - x.low)}; /* the ticks stand under columns instead */
    draw_axes(out, &none, &y, x_label, y_label);
    cop_buf_printf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"22\" fill=\"#fff\"/>\n",
                   LEFT - 30, HEIGHT - BOTTOM + 1, 60);
    double step = ticks.step < 1 ? 1 : ticks.step;
    for (size_t k = 0; (double)k * step < (double)count; k++) {
        double t = (double)k * step;
        cop_buf_printf(
            out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#54606e\">%.0f</text>\n",
            place_x(&x, t), HEIGHT - BOTTOM + 17, t);
    }
    for (size_t i = 0; i < count; i++) {
        double top = place_y(&y, value[i] > 0 ? value[i] : 0), middle = place_x(&x, (double)i);
        cop_buf_printf(out,
                       "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\" "
                       "fill-opacity=\".8\"/>\n",
                       middle - 0.4 * room, top, 0.8 * room, HEIGHT - BOTTOM - top, cop_palette(0));
        if (expected && isfinite(expected[i]))
            cop_buf_printf(out,
                           "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" "
                           "stroke=\"#d55e00\" stroke-width=\"2\"/>\n",
                           middle - 0.45 * room, middle + 0.45 * room, place_y(&y, expected[i]),
                           place_y(&y, expected[i]));
    }
    end_figure(out);
}

/* ------------------------------------------------------------------ family tree */

void cop_svg_tree(cop_buf *out, const char *title, const char *x_label, const char *y_label,
                  const cop_node *nodes, size_t count) {
    double low[2] = {NAN, NAN}, high[2] = {NAN, NAN};
    for (size_t i = 0; i < count; i++) {
        widen(nodes[i].x, &low[0], &high[0]);
        widen(nodes[i].y, &low[1], &high[1]);
    }
    if (isnan(low[0]) || isnan(low[1])) {
        nothing(out, title);
        return;
    }
    struct axis x = axis_of(low[0], high[0]), y = axis_of(low[1], high[1]);
    begin_figure(out, title, WIDTH, HEIGHT);
    draw_axes(out, &x, &y, x_label, y_label);
    for (size_t i = 0; i < count; i++)
        for (size_t p = 0; p < 2; p++) {
            if (nodes[i].parent[p] >= count) continue;
            const cop_node *from = &nodes[nodes[i].parent[p]];
            if (!isfinite(nodes[i].y) || !isfinite(from->y)) continue;
            bool line = p == 0 && nodes[i].marked && from->marked;
            cop_buf_printf(out,
                           "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
                           "stroke-width=\"%s\"/>\n",
                           place_x(&x, from->x), place_y(&y, from->y), place_x(&x, nodes[i].x),
                           place_y(&y, nodes[i].y), line ? cop_palette(1) : "#b6c0cb",
                           line ? "2" : "1");
        }
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(nodes[i].y)) continue;
        cop_buf_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s\" fill=\"%s\"><title>",
                       place_x(&x, nodes[i].x), place_y(&y, nodes[i].y),
                       nodes[i].marked ? "3.4" : "2.2",
                       nodes[i].marked ? cop_palette(1) : "#7d8996");
        cop_html_text(out, nodes[i].tip);
        cop_buf_printf(out, "</title></circle>\n");
    }
    end_figure(out);
}
