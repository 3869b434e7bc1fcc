/* How a network of [train] was trained, and which inputs gathered its edges. */
#include <math.h>

#include "page.h"
#include "run/training.h"

enum { COLUMNS = 40, SIDE_MOST = 64 };

static void curves(const cop_training *t, cop_buf *out) {
    const size_t n = t->epoch;
    static const char *const names[] = {"while learning", "validation", "test"};
    double *x = COP_NEW_ARRAY(double, n), *y = COP_NEW_ARRAY(double, 6 * n);
    cop_series accuracy[3], loss[2];
    size_t kinds = 0;
    for (size_t e = 0; e < n; e++) {
        const cop_training_row *r = &t->history[e];
        x[e] = (double)(e + 1);
        y[e] = 100 * r->accuracy;
        y[n + e] = 100 * r->validation;
        y[2 * n + e] = 100 * r->test;
        y[3 * n + e] = r->loss;
        y[4 * n + e] = r->test_loss;
    }
    for (size_t k = 0; k < 3; k++) {
        bool any = false;
        for (size_t e = 0; e < n; e++) any |= isfinite(y[k * n + e]) != 0;
        if (any)
            accuracy[kinds++] = (cop_series){names[k], x, y + k * n, n, k == 0, k == 0, (int)k};
    }
    loss[0] = (cop_series){names[0], x, y + 3 * n, n, true, true, 0};
    loss[1] = (cop_series){names[2], x, y + 4 * n, n, false, false, 2};
    cop_buf_printf(out, "<h2 id=\"curves\">Curves</h2>\n<div class=\"charts\">\n");
    cop_svg_lines(out, &(cop_chart){.title = "Accuracy",
                                    .x_label = "epoch",
                                    .y_label = "percent",
                                    .series = accuracy,
                                    .count = kinds});
    cop_svg_lines(out, &(cop_chart){.title = "Loss",
                                    .x_label = "epoch",
                                    .y_label = "nats",
                                    .series = loss,
                                    .count = 2,
                                    .from_zero = true});
    cop_buf_printf(out, "</div>\n");
    cop_free(x);
    cop_free(y);
}

static void layers(const cop_live_net *net, cop_buf *out) {
    const size_t count = net->settings.layers;
    cop_bar *bars = COP_NEW_ARRAY(cop_bar, count);
    cop_list labels = {0}, notes = {0};
    for (size_t i = 0; i < count; i++) {
        const cop_live_layer *l = &net->layer[i];
        const double possible = (double)l->inputs * (double)l->outputs;
        char *label = i + 1 == count ? cop_strdup("output") : cop_sprintf("hidden%zu", i + 1);
        char *note = cop_sprintf("%.2f %% of %.0f", 100 * (double)l->edges / possible, possible);
        cop_list_add(&labels, label);
        cop_list_add(&notes, note);
        bars[i] = (cop_bar){NULL, NULL, (double)l->edges / possible, NAN, NAN};
        cop_free(label);
        cop_free(note);
    }
    for (size_t i = 0; i < count; i++) {
        bars[i].label = labels.items[i];
        bars[i].note = notes.items[i];
    }
    cop_buf_printf(out, "<h2 id=\"layers\">Density by layer</h2>\n<div class=\"charts\">\n");
    cop_svg_bars(out, "Live edges", bars, count);
    cop_buf_printf(out, "</div>\n");
    cop_list_clear(&labels);
    cop_list_clear(&notes);
    cop_free(bars);
}

/* How many inputs have how many edges, in columns of equal width. */
static void distribution(const double *degree, size_t inputs, cop_buf *out) {
    double value[COLUMNS] = {0}, most = 0;
    for (size_t i = 0; i < inputs; i++)
        if (degree[i] > most) most = degree[i];
    const size_t width = (size_t)most / COLUMNS + 1;
    for (size_t i = 0; i < inputs; i++) value[(size_t)degree[i] / width]++;
    char *label = width == 1 ? cop_strdup("edges of an input")
                             : cop_sprintf("edges of an input, in steps of %zu", width);
    cop_svg_columns(out, "How many inputs have how many edges", label, "inputs", value, NULL,
                    (size_t)most / width + 1);
    cop_free(label);
}

/* The 20 inputs with the most edges, ties by number. */
static void table(const double *degree, const cop_training *t, size_t inputs, cop_buf *out) {
    bool *shown = COP_NEW_ARRAY(bool, inputs);
    cop_buf_printf(out, "<div class=\"wide\"><table id=\"degrees\">\n<tr><th>input</th><th>edges"
                        "</th><th>left by the last removal</th></tr>\n");
    for (size_t row = 0; row < 20 && row < inputs; row++) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < inputs; i++)
            if (!shown[i] && (best == SIZE_MAX || degree[i] > degree[best])) best = i;
        shown[best] = true;
        cop_buf_printf(out, "<tr><td>%zu</td><td>%.0f</td><td>%u</td></tr>\n", best, degree[best],
                       t->core[best]);
    }
    cop_buf_printf(out, "</table></div>\n");
    cop_free(shown);
}

void cop_page_training(const struct cop_trained *trained, size_t height, size_t width,
                       cop_buf *out) {
    const cop_training *t = &trained->training;
    const cop_live_layer *l = &t->net->layer[0];
    double *degree = COP_NEW_ARRAY(double, l->inputs);
    for (size_t k = 0; k < l->edges; k++) degree[cop_live_input(t->net, l, k)]++;
    curves(t, out);
    layers(t->net, out);
    cop_buf_printf(out, "<h2 id=\"inputs\">Edges of the inputs</h2>\n<p class=\"lead\">Inputs that "
                        "say something about the class gather edges where rewiring finds them."
                        "</p>\n<div class=\"charts\">\n");
    distribution(degree, l->inputs, out);
    /* with a front the inputs of the first sparse layer are no pixels */
    const size_t plane = t->front ? 0 : height * width;
    for (size_t c = 0; plane && height <= SIDE_MOST && width <= SIDE_MOST && c < l->inputs / plane;
         c++) {
        char *title = l->inputs > plane ? cop_sprintf("Edges of each pixel, channel %zu", c)
                                        : cop_strdup("Edges of each pixel");
        cop_svg_map(out, title, degree + c * plane, height, width);
        cop_free(title);
    }
    cop_buf_printf(out, "</div>\n");
    table(degree, t, l->inputs, out);
    cop_free(degree);
}
