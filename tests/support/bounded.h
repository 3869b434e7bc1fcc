/** @file bounded.h
 *  A bounded history out of a whole one, for tests that make histories up.
 */
#ifndef COPPICE_TEST_BOUNDED_H
#define COPPICE_TEST_BOUNDED_H

#include "coppice/evo.h"

#include <string.h>

/** What @p all would be with a bound: its generations happen once more. The living are ranked by
 *  fitness, the older first on ties. Both are owned by the caller. */
static inline cop_history bounded_of(const cop_history *all, uint32_t window) {
    cop_history h = {.measures = all->measures};
    size_t m = all->measures;
    cop_history_bound(&h, window);
    h.individual = COP_NEW_ARRAY(cop_individual, all->individuals);
    h.measure = COP_NEW_ARRAY(double, all->individuals *m);
    h.generation = COP_NEW_ARRAY(cop_generation, all->generations);
    h.live = COP_NEW_ARRAY(uint64_t, all->individuals);
    memcpy(h.generation, all->generation, all->generations * sizeof *h.generation);
    for (uint32_t g = 0; g < all->generations; g++) {
        while (h.individuals < all->individuals &&
               all->individual[h.individuals].recipe.born == g) {
            size_t row = cop_history_rows(&h);
            h.individual[row] = all->individual[h.individuals];
            memcpy(&h.measure[row * m], &all->measure[h.individuals * m], m * sizeof *h.measure);
            h.individuals++;
        }
        h.generations = g + 1;
        h.population = 0;
        for (uint64_t id = 0; id < h.individuals; id++) {
            const cop_individual *i = &all->individual[id];
            if (i->died <= g) continue;
            size_t at = h.population++;
            for (; at > 0 && all->individual[h.live[at - 1]].fitness < i->fitness; at--)
                h.live[at] = h.live[at - 1];
            h.live[at] = id;
        }
        cop_history_forget(&h);
    }
    return h;
}

#endif
