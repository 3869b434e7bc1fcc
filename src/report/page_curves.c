/* How a search went, by generation. */
#include <math.h>
#include <string.h>

#include "page.h"

long cop_page_measure(const cop_checkpoint *checkpoint, const char *name) {
    for (size_t m = 0; m < checkpoint->history.measures; m++)
        if (strcmp(checkpoint->measure_names[m], name) == 0) return (long)m;
    return -1;
}

double cop_page_value(const cop_checkpoint *checkpoint, uint64_t id, long column) {
    const cop_history *history = &checkpoint->history;
    const double *values = cop_history_measures(history, id);
    return column < 0 || !values ? NAN : values[column];
}

/* Rows of a chart: (series, generations). */
struct rows {
    const cop_checkpoint *checkpoint;
    size_t generations;
    double *x, *y;
    cop_series series[COP_TASKS_MAX + 4];
    size_t count;
};

static void rows_begin(struct rows *rows, const cop_checkpoint *checkpoint) {
    size_t n = checkpoint->history.generations;
    *rows = (struct rows){.checkpoint = checkpoint, .generations = n};
    rows->x = COP_NEW_ARRAY(double, n);
    rows->y = COP_NEW_ARRAY(double, n *(COP_TASKS_MAX + 4));
    for (size_t g = 0; g < n; g++) rows->x[g] = checkpoint->history.generation[g].generation;
}

static double *rows_add(struct rows *rows, const char *name, int colour, bool thin, bool dashed) {
    double *y = rows->y + rows->count * rows->generations;
    rows->series[rows->count++] =
        (cop_series){name, rows->x, y, rows->generations, thin, dashed, colour};
    return y;
}

static void rows_end(struct rows *rows, const char *title, const char *label, cop_buf *out) {
    cop_svg_lines(out, &(cop_chart){.title = title,
                                    .x_label = "generation",
                                    .y_label = label,
                                    .series = rows->series,
                                    .count = rows->count});
    cop_free(rows->x);
    cop_free(rows->y);
}

static void fitness(const cop_checkpoint *checkpoint, cop_buf *out) {
    struct rows rows;
    rows_begin(&rows, checkpoint);
    double *ever = rows_add(&rows, "best so far", 0, false, false),
           *best = rows_add(&rows, "best of the generation", 4, true, false),
           *median = rows_add(&rows, "median", 6, true, true);
    for (size_t g = 0; g < rows.generations; g++) {
        const cop_generation *row = &checkpoint->history.generation[g];
        ever[g] = row->best_ever;
        best[g] = row->best;
        median[g] = row->median;
    }
    rows_end(&rows, "Fitness", "fitness", out);
}

static void accuracy(const cop_checkpoint *checkpoint, cop_buf *out) {
    struct rows rows;
    rows_begin(&rows, checkpoint);
    for (size_t t = 0; t < checkpoint->tasks && t < COP_TASKS_MAX; t++) {
        char *name = cop_sprintf("accuracy.%s", checkpoint->task_names[t]);
        long column = cop_page_measure(checkpoint, name);
        double *y = rows_add(&rows, checkpoint->task_names[t], (int)t, false, false);
        for (size_t g = 0; g < rows.generations; g++)
            y[g] =
                cop_page_value(checkpoint, checkpoint->history.generation[g].best_ever_id, column);
        cop_free(name);
    }
    rows_end(&rows, "Accuracy of the best so far, evolution samples", "percent", out);
}

static void edges(const cop_checkpoint *checkpoint, cop_buf *out) {
    struct rows rows;
    double all = (double)checkpoint->base->model->weights;
    long column = cop_page_measure(checkpoint, "edges");
    rows_begin(&rows, checkpoint);
    double *best = rows_add(&rows, "best so far", 0, false, false),
           *mean = rows_add(&rows, "mean of the population", 6, true, true);
    for (size_t g = 0; g < rows.generations; g++) {
        const cop_generation *row = &checkpoint->history.generation[g];
        best[g] = cop_page_value(checkpoint, row->best_ever_id, column);
        mean[g] = row->density_mean * all;
    }
    rows_end(&rows, "Edges", "live edges", out);
}

void cop_page_curves(const cop_checkpoint *checkpoint, cop_buf *out) {
    cop_buf_printf(out, "<h2 id=\"curves\">Curves</h2>\n<div class=\"charts\">\n");
    fitness(checkpoint, out);
    accuracy(checkpoint, out);
    edges(checkpoint, out);
    cop_buf_printf(out, "</div>\n");
}

/* ------------------------------------------------------------------ layers */

static double density(const cop_layer *layer, const cop_mask *mask) {
    return (double)cop_mask_count_range(mask, layer->weight_begin,
                                        layer->weight_begin + layer->weights) /
           (double)layer->weights;
}

static void by_generation(const cop_checkpoint *checkpoint, cop_buf *out) {
    const cop_model *model = checkpoint->base->model;
    const cop_history *history = &checkpoint->history;
    size_t n = history->generations, count = 0;
    double *x = COP_NEW_ARRAY(double, n), *y = COP_NEW_ARRAY(double, n * model->count);
    cop_series *series = COP_NEW_ARRAY(cop_series, model->count);
    for (size_t g = 0; g < n; g++) x[g] = history->generation[g].generation;
    for (size_t l = 0; l < model->count; l++) {
        const cop_layer *layer = &model->layers[l];
        char *name = cop_sprintf("edges.%s", layer->name);
        long column = cop_page_measure(checkpoint, name);
        cop_free(name);
        if (!layer->weights || column < 0) continue;
        double *row = y + count * n;
        for (size_t g = 0; g < n; g++)
            row[g] = 100 * cop_page_value(checkpoint, history->generation[g].best_ever_id, column) /
                     (double)layer->weights;
        series[count] = (cop_series){layer->name, x, row, n, false, false, (int)count};
        count++;
    }
    cop_svg_lines(out, &(cop_chart){.title = "Density of the best so far, by layer",
                                    .x_label = "generation",
                                    .y_label = "percent of the layer's edges",
                                    .series = series,
                                    .count = count});
    cop_free(series);
    cop_free(x);
    cop_free(y);
}

void cop_page_layers(const cop_checkpoint *checkpoint, const cop_network *network, cop_buf *out) {
    const cop_model *model = network->model;
    cop_bar *bars = COP_NEW_ARRAY(cop_bar, model->count);
    cop_list notes = {0};
    size_t count = 0;
    for (size_t l = 0; l < model->count; l++) {
        const cop_layer *layer = &model->layers[l];
        if (!layer->weights) continue;
        char *note =
            cop_sprintf("%.2f %% of %zu", 100 * density(layer, &network->mask), layer->weights);
        cop_list_add(&notes, note);
        cop_free(note);
        cop_bar bar = {layer->name, NULL, density(layer, &network->mask), NAN, NAN};
        for (size_t i = 0;
             checkpoint && i < checkpoint->history.population && i < checkpoint->genomes; i++) {
            double d = density(layer, &checkpoint->genome[i].mask);
            if (!(d >= bar.low)) bar.low = d;
            if (!(d <= bar.high)) bar.high = d;
        }
        bars[count++] = bar;
    }
    for (size_t i = 0; i < count; i++) bars[i].note = notes.items[i];
    cop_buf_printf(
        out,
        "<h2 id=\"layers\">Density by layer</h2>\n<p class=\"lead\">Bars: the best "
        "network.%s</p>\n<div class=\"charts\">\n",
        checkpoint ? " Orange: from the sparsest to the densest of the living population." : "");
    cop_svg_bars(out, "Live edges", bars, count);
    if (checkpoint) by_generation(checkpoint, out);
    cop_buf_printf(out, "</div>\n");
    cop_list_clear(&notes);
    cop_free(bars);
}
