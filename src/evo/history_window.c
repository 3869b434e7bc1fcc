/* A bounded history: which rows there are, and when they go. */
#include "evo/history.h"

#include <string.h>

size_t cop_history_rows(const cop_history *h) {
    return h->elders + (h->individuals - (size_t)h->first);
}

size_t cop_history_row(const cop_history *h, uint64_t id) {
    if (id >= h->first) return id < h->individuals ? h->elders + (size_t)(id - h->first) : SIZE_MAX;
    size_t low = 0, high = h->elders;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (h->individual[middle].recipe.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < h->elders && h->individual[low].recipe.id == id ? low : SIZE_MAX;
}

const cop_individual *cop_history_individual(const cop_history *h, uint64_t id) {
    size_t row = cop_history_row(h, id);
    return row == SIZE_MAX ? NULL : &h->individual[row];
}

const double *cop_history_measures(const cop_history *h, uint64_t id) {
    size_t row = cop_history_row(h, id);
    return row == SIZE_MAX ? NULL : &h->measure[row * h->measures];
}

uint32_t cop_history_begin(const cop_history *h) {
    COP_ASSERT(h->window && h->begin.population);
    return ((uint32_t)(h->generations - 1) / h->window - 1) * h->window;
}

bool cop_history_alive(const cop_individual *i, uint32_t g) {
    return i->recipe.born <= g && i->died > g;
}

bool cop_history_champion(const cop_history *h, const cop_individual *i) {
    return h->generation[i->recipe.born].best_ever_id == i->recipe.id;
}

void cop_history_bound(cop_history *h, uint32_t window) {
    COP_ASSERT(h->generations == 0);
    h->window = window;
    if (!window) return;
    memset(h->chain, '0', sizeof h->chain - 1);
    h->chain[sizeof h->chain - 1] = '\0';
}

/* Rows from before the end of generation @p g leave, but for those who were alive then and the best
 * of their time. Those who leave died before, so their rows are what they will ever be. */
static void drop(cop_history *h, uint32_t g) {
    uint64_t first = h->generation[g].evaluations;
    size_t rows = cop_history_rows(h), kept = 0, m = h->measures;
    cop_hash *hash = NULL;
    for (size_t r = 0; r < rows; r++) {
        const cop_individual *i = &h->individual[r];
        if (i->recipe.id >= first || cop_history_alive(i, g) || cop_history_champion(h, i)) {
            if (kept < r) {
                memcpy(&h->measure[kept * m], &h->measure[r * m], m * sizeof *h->measure);
                h->individual[kept] = *i;
            }
            kept++;
            continue;
        }
        if (!hash) {
            hash = cop_hash_create();
            cop_hash_add_text(hash, h->chain);
        }
        cop_history_hash_individual(hash, i);
        for (size_t k = 0; k < m; k++) cop_hash_add_double(hash, h->measure[r * m + k]);
    }
    h->elders = kept - (h->individuals - (size_t)first);
    h->first = first;
    if (hash) cop_hash_hex(hash, h->chain);
    cop_hash_destroy(hash);
}

void cop_history_forget(cop_history *h) {
    uint32_t g = (uint32_t)h->generations - 1;
    if (!h->window || g % h->window != 0) return;
    if (h->next.population) {
        drop(h, g - h->window);
        cop_free(h->begin.live);
        h->begin = h->next;
    }
    h->next = (cop_snapshot){h->population, COP_NEW_ARRAY(uint64_t, h->population)};
    memcpy(h->next.live, h->live, h->population * sizeof *h->live);
}
