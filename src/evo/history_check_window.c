/* What must hold in a bounded history beside what holds in any. */
#include "evo/history.h"

#include <string.h>

static cop_status bad(const char *wrong) {
    return cop_fail(COP_E_FORMAT, "history: bounded to %s", wrong);
}

cop_status cop_history_check_window(const cop_history *h) {
    static const char digits[] = "0123456789abcdef";
    bool begun = h->begin.population > 0, next = h->next.population > 0;
    if (!h->window)
        return !h->elders && !h->first && !begun && !next && !h->chain[0]
                   ? COP_OK
                   : bad("no number of generations, yet with elders or snapshots");
    size_t windows = h->generations ? (h->generations - 1) / h->window : 0;
    if (next != (h->generations > 0) || begun != (windows > 0))
        return bad("a number of generations, without the snapshots that are due");
    if (!begun && (h->elders || h->first))
        return bad("a number of generations, with elders before its first window");
    /* somebody was alive at the snapshot, and all who are held are different */
    if (begun && (h->elders == 0 || h->elders > h->first || h->first > h->individuals))
        return bad("a number of generations, with more or fewer elders than can be");
    if (strspn(h->chain, digits) != sizeof h->chain - 1 || h->chain[sizeof h->chain - 1])
        return bad("a number of generations, with a chain of hashes that is none");
    if (!begun && strspn(h->chain, "0") != sizeof h->chain - 1)
        return bad("a number of generations, with a chain of hashes before its first window");
    for (size_t r = 0; r < h->elders; r++)
        if (h->individual[r].recipe.id >= h->first ||
            (r > 0 && h->individual[r].recipe.id <= h->individual[r - 1].recipe.id))
            return bad("a number of generations, with elders that are out of order");
    return COP_OK;
}

/* Exactly those are held who lived at the snapshot or were the best of their time: the living are
 * counted with the snapshot's list, the best are looked for with the generations' rows. */
cop_status cop_history_check_elders(const cop_history *h) {
    uint32_t begin = cop_history_begin(h);
    for (size_t r = 0; r < h->elders; r++) {
        const cop_individual *i = &h->individual[r];
        uint32_t born = i->recipe.born;
        if (born > begin || i->recipe.id >= h->generation[born].evaluations ||
            (born > 0 && i->recipe.id < h->generation[born - 1].evaluations))
            return cop_fail(COP_E_FORMAT, "history: individual %llu: born in another generation",
                            (unsigned long long)i->recipe.id);
        if (!cop_history_alive(i, begin) && !cop_history_champion(h, i))
            return cop_fail(COP_E_FORMAT,
                            "history: individual %llu: held, though it should have been dropped",
                            (unsigned long long)i->recipe.id);
    }
    return COP_OK;
}
