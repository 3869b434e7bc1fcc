/* Whom the best individual descends from. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"

enum { NODES_MOST = 4000, ROWS_MOST = 400 };

static int by_id(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static size_t find(const uint64_t *ids, size_t count, uint64_t id) {
    const uint64_t *at = count ? bsearch(&id, ids, count, sizeof *ids, by_id) : NULL;
    return at ? (size_t)(at - ids) : SIZE_MAX;
}

/* All ancestors of @p id and itself that are held, ascending. Parents are older than their
 * children, which the reader of the checkpoint has checked, so one pass from the youngest row down
 * finds all.
 * @p cut: lines end where a row was dropped. */
static uint64_t *ancestors(const cop_history *history, uint64_t id, size_t *count, bool *cut) {
    size_t last = cop_history_row(history, id);
    cop_mask wanted;
    cop_mask_init(&wanted, last + 1);
    cop_mask_set(&wanted, last);
    *cut = false;
    for (size_t r = last + 1; r-- > 0;) {
        if (!cop_mask_get(&wanted, r)) continue;
        for (size_t p = 0; p < 2; p++) {
            uint64_t parent = history->individual[r].recipe.parent[p];
            if (parent == COP_FOUNDER) continue;
            size_t row = cop_history_row(history, parent);
            if (row == SIZE_MAX)
                *cut = true;
            else
                cop_mask_set(&wanted, row);
        }
    }
    uint64_t *ids = COP_NEW_ARRAY(uint64_t, cop_mask_count(&wanted));
    *count = 0;
    for (size_t r = 0; r <= last; r++)
        if (cop_mask_get(&wanted, r)) ids[(*count)++] = history->individual[r].recipe.id;
    cop_mask_clear(&wanted);
    return ids;
}

static void add_tip(cop_node *node, const cop_individual *individual) {
    if (individual->recipe.crossed)
        snprintf(node->tip, sizeof node->tip,
                 "individual %llu, generation %u, parents %llu and %llu, fitness %.4f",
                 (unsigned long long)individual->recipe.id, individual->recipe.born,
                 (unsigned long long)individual->recipe.parent[0],
                 (unsigned long long)individual->recipe.parent[1], individual->fitness);
    else
        snprintf(node->tip, sizeof node->tip, "individual %llu, generation %u, fitness %.4f",
                 (unsigned long long)individual->recipe.id, individual->recipe.born,
                 individual->fitness);
}

static void tree(const cop_history *history, const uint64_t *ids, size_t count,
                 const cop_mask *line, cop_buf *out) {
    cop_node *nodes = COP_NEW_ARRAY(cop_node, count);
    for (size_t i = 0; i < count; i++) {
        const cop_individual *individual = cop_history_individual(history, ids[i]);
        nodes[i] = (cop_node){individual->recipe.born,
                              individual->fitness,
                              {find(ids, count, individual->recipe.parent[0]),
                               find(ids, count, individual->recipe.parent[1])},
                              cop_mask_get(line, cop_history_row(history, ids[i])),
                              ""};
        add_tip(&nodes[i], individual);
    }
    cop_svg_tree(out, "All ancestors of the best individual; orange: the line of first parents",
                 "generation of birth", "fitness", nodes, count);
    cop_free(nodes);
}

static void add_cell(cop_buf *out, double value, int digits) {
    if (isfinite(value))
        cop_buf_printf(out, "<td>%.*f</td>", digits, value);
    else
        cop_buf_printf(out, "<td>-</td>");
}

/* The line of first parents, the youngest first. */
static void table(const cop_checkpoint *checkpoint, const uint64_t *ids, size_t count,
                  cop_buf *out) {
    long edges = cop_page_measure(checkpoint, "edges");
    cop_buf_printf(out,
                   "<details><summary>The line of first parents, %zu individuals</summary>\n<div "
                   "class=\"wide\"><table "
                   "id=\"lineage-table\">\n<tr><th>individual</th><th>born</th><th>other "
                   "parent</th><th>fitness</th>",
                   count);
    for (size_t t = 0; t < checkpoint->tasks; t++) {
        cop_buf_printf(out, "<th>");
        cop_html_format(out, "%s %%", checkpoint->task_names[t]);
        cop_buf_printf(out, "</th>");
    }
    cop_buf_printf(out, "<th>edges</th></tr>\n");
    for (size_t i = 0; i < count && i < ROWS_MOST; i++) {
        const cop_individual *one = cop_history_individual(&checkpoint->history, ids[i]);
        cop_buf_printf(out, "<tr><td>%llu</td><td>%u</td>", (unsigned long long)ids[i],
                       one->recipe.born);
        if (one->recipe.crossed && one->recipe.parent[1] != COP_FOUNDER)
            cop_buf_printf(out, "<td>%llu</td>", (unsigned long long)one->recipe.parent[1]);
        else
            cop_buf_printf(out, "<td></td>");
        add_cell(out, one->fitness, 4);
        for (size_t t = 0; t < checkpoint->tasks; t++) {
            char *name = cop_sprintf("accuracy.%s", checkpoint->task_names[t]);
            add_cell(out, cop_page_value(checkpoint, ids[i], cop_page_measure(checkpoint, name)),
                     2);
            cop_free(name);
        }
        add_cell(out, cop_page_value(checkpoint, ids[i], edges), 0);
        cop_buf_printf(out, "</tr>\n");
    }
    cop_buf_printf(out, "</table></div>\n%s</details>\n",
                   count > ROWS_MOST ? "<p class=\"lead\">Older ones are left out.</p>\n" : "");
}

void cop_page_lineage(const cop_checkpoint *checkpoint, uint64_t id, cop_buf *out) {
    const cop_history *history = &checkpoint->history;
    const cop_individual *one = cop_history_individual(history, id);
    if (!one) return;
    size_t count, length = 0, crossed = 0;
    bool cut;
    uint64_t *ids = ancestors(history, id, &count, &cut), *chain = COP_NEW_ARRAY(uint64_t, count);
    const uint32_t born = one->recipe.born;
    cop_mask line;
    cop_mask_init(&line, cop_history_row(history, id) + 1);
    for (; one && length < count; one = cop_history_individual(history, one->recipe.parent[0])) {
        chain[length++] = one->recipe.id;
        crossed += one->recipe.crossed != 0;
        cop_mask_set(&line, cop_history_row(history, one->recipe.id));
    }
    cop_buf_printf(
        out,
        "<h2 id=\"lineage\">Lineage of the best individual</h2>\n<p class=\"lead\">Individual "
        "%llu, born in "
        "generation %u, has %zu ancestors among the %zu individuals %s; its line of first "
        "parents is %zu long, %zu of them by crossover.",
        (unsigned long long)id, born, count - 1, cop_history_rows(history),
        cut ? "that the run holds" : "of the run", length, crossed);
    if (cut)
        cop_buf_printf(out,
                       " Lines end at parents whose rows the run has dropped ([run] history = %u): "
                       "%zu were born.",
                       history->window, history->individuals);
    cop_buf_printf(out, "</p>\n");
    cop_buf_printf(out, "<div class=\"charts\">\n");
    if (count <= NODES_MOST)
        tree(history, ids, count, &line, out);
    else {
        uint64_t *ascending = COP_NEW_ARRAY(uint64_t, length);
        size_t kept = length < NODES_MOST ? length : NODES_MOST;
        for (size_t i = 0; i < kept; i++) ascending[i] = chain[kept - 1 - i];
        tree(history, ascending, kept, &line, out);
        cop_free(ascending);
    }
    cop_buf_printf(out, "</div>\n");
    table(checkpoint, chain, length, out);
    cop_mask_clear(&line);
    cop_free(chain);
    cop_free(ids);
}
