/* Which edges a search has left: whether the living agree, and whether large weights fare better.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"

enum { CLASSES = 10 };

/* How many of the living have each edge, beside what the same densities give when every individual
 * cuts blindly: sums of independent tosses, one for each individual. */
static void agreement(const cop_checkpoint *checkpoint, cop_buf *out) {
    size_t living = checkpoint->history.population, all = checkpoint->base->model->weights;
    if (living > checkpoint->genomes) living = checkpoint->genomes;
    if (living < 2) return;
    double *has = COP_NEW_ARRAY(double, living + 1), *chance = COP_NEW_ARRAY(double, living + 1);
    uint32_t *count = COP_NEW_ARRAY(uint32_t, all);
    chance[0] = 1;
    for (size_t i = 0; i < living; i++) {
        const cop_mask *mask = &checkpoint->genome[i].mask;
        double p = (double)cop_mask_count(mask) / (double)all;
        for (size_t e = 0; e < all; e++) count[e] += cop_mask_get(mask, e);
        for (size_t k = i + 2; k-- > 0;)
            chance[k] = chance[k] * (1 - p) + (k ? chance[k - 1] * p : 0);
    }
    for (size_t e = 0; e < all; e++) has[count[e]] += 100.0 / (double)all;
    for (size_t k = 0; k <= living; k++) chance[k] *= 100;
    cop_svg_columns(out, "Edges by how many of the living have them; orange: had each cut blindly",
                    "individuals that have the edge", "percent of all edges", has, chance,
                    living + 1);
    cop_free(count);
    cop_free(chance);
    cop_free(has);
}

struct sized {
    float size;
    uint32_t edge;
};

static int by_size(const void *a, const void *b) {
    const struct sized *x = a, *y = b;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    return (x->edge > y->edge) - (x->edge < y->edge);
}

/* Share of live edges in each tenth of a layer's weights, from the smallest to the largest. */
static void by_tenth(const cop_network *network, const cop_layer *layer, struct sized *sorted,
                     double *share) {
    for (size_t i = 0; i < layer->weights; i++)
        sorted[i] = (struct sized){fabsf(network->params.w[layer->weight_begin + i]), (uint32_t)i};
    qsort(sorted, layer->weights, sizeof *sorted, by_size);
    for (size_t k = 0; k < CLASSES; k++) {
        size_t from = layer->weights * k / CLASSES, to = layer->weights * (k + 1) / CLASSES,
               live = 0;
        for (size_t i = from; i < to; i++)
            live += cop_mask_get(&network->mask, layer->weight_begin + sorted[i].edge);
        share[k] = to > from ? 100.0 * (double)live / (double)(to - from) : NAN;
    }
}

static void by_weight(const cop_network *network, cop_buf *out) {
    const cop_model *model = network->model;
    double x[CLASSES], *y = COP_NEW_ARRAY(double, model->count *CLASSES);
    cop_series *series = COP_NEW_ARRAY(cop_series, model->count);
    struct sized *sorted = COP_NEW_ARRAY(struct sized, model->weights);
    size_t count = 0;
    for (size_t k = 0; k < CLASSES; k++) x[k] = (double)k + 1;
    for (size_t l = 0; l < model->count; l++) {
        const cop_layer *layer = &model->layers[l];
        if (layer->weights < CLASSES) continue;
        by_tenth(network, layer, sorted, y + count * CLASSES);
        series[count] =
            (cop_series){layer->name, x, y + count * CLASSES, CLASSES, false, false, (int)count};
        count++;
    }
    cop_svg_lines(
        out,
        &(cop_chart){.title = "Live edges of the best network by size of the base network's weight",
                     .x_label = "tenth of the layer's weights, smallest to largest",
                     .y_label = "percent alive",
                     .series = series,
                     .count = count,
                     .from_zero = true});
    cop_free(sorted);
    cop_free(series);
    cop_free(y);
}

void cop_page_survival(const cop_checkpoint *checkpoint, const cop_network *network, cop_buf *out) {
    cop_buf_printf(
        out,
        "<h2 id=\"survival\">Survival of edges</h2>\n<p class=\"lead\">Left: do the living agree "
        "on which edges "
        "stay? Relatives share what their ancestors cut, so they agree more than blind choice "
        "does. Right: "
        "does the search spare large weights? Level lines say no.</p>\n<div class=\"charts\">\n");
    if (checkpoint) agreement(checkpoint, out);
    by_weight(network, out);
    cop_buf_printf(out, "</div>\n");
}
