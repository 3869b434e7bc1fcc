/* What must hold in any history, whatever the operators. */
#include "evo/history.h"

#include <math.h>

static cop_status bad(const char *what, uint64_t row, const char *wrong) {
    return cop_fail(COP_E_FORMAT, "history: %s %llu: %s", what, (unsigned long long)row, wrong);
}

/* A parent may have been dropped, but only of one who was born before the window. */
static cop_status check_parent(const cop_history *h, const cop_individual *child, uint64_t parent) {
    uint64_t id = child->recipe.id;
    if (parent == COP_FOUNDER) return COP_OK;
    if (parent >= id) return bad("individual", id, "a parent is not older than its child");
    const cop_individual *p = cop_history_individual(h, parent);
    if (!p)
        return id < h->first ? COP_OK : bad("individual", id, "a parent is missing that was alive");
    if (p->recipe.born >= child->recipe.born)
        return bad("individual", id, "a parent is of the same generation");
    if (p->died < child->recipe.born)
        return bad("individual", id, "a parent was dead before the birth");
    return COP_OK;
}

/* Rows before were found good; ids of elders were seen to ascend. */
static cop_status check_individual(const cop_history *h, size_t at) {
    const cop_individual *i = &h->individual[at];
    const cop_recipe *r = &i->recipe;
    uint64_t row = at < h->elders ? r->id : h->first + (at - h->elders);
    if (r->id != row) return bad("individual", row, "its id is another");
    if (r->born >= h->generations) return bad("individual", row, "born after the last generation");
    if (at > 0 && r->born < h->individual[at - 1].recipe.born)
        return bad("individual", row, "born before the one in front of it");
    if (r->crossed > 1 || r->varied >> COP_VARY_MAX)
        return bad("individual", row, "unknown operator flags");
    if (!r->crossed && (r->parent[1] != COP_FOUNDER || r->cut != 0))
        return bad("individual", row, "not crossed, yet with a second parent or a cut");
    COP_TRY(check_parent(h, i, r->parent[0]));
    COP_TRY(check_parent(h, i, r->parent[1]));
    for (size_t k = 0; k < COP_VARY_MAX; k++)
        if (!isfinite(r->amount[k]) || r->amount[k] < 0 ||
            (!(r->varied >> k & 1) && r->amount[k] != 0))
            return bad("individual", row, "an impossible amount of variation");
    if (isnan(i->fitness) || i->fitness == INFINITY)
        return bad("individual", row, "its fitness is neither finite nor that of a failure");
    if (i->died != UINT32_MAX && (i->died < r->born || i->died >= h->generations))
        return bad("individual", row, "died outside of its time");
    uint32_t last = i->died == UINT32_MAX ? (uint32_t)h->generations - 1 : i->died;
    if (i->elite > last - r->born)
        return bad("individual", row, "an elite for longer than it lived");
    return COP_OK;
}

/* Births of a generation, counted from row @p *at on; of one from before the window they are what
 * it says, and the counts must add up to the first id of the window. */
static cop_status check_births(const cop_history *h, const cop_generation *g, size_t *at,
                               uint64_t *born) {
    uint64_t births = 0;
    bool before = h->first > 0 && g->generation <= cop_history_begin(h);
    if (before) {
        births = g->births;
    } else {
        while (*at < cop_history_rows(h) && h->individual[*at].recipe.born == g->generation) {
            ++*at;
            births++;
        }
    }
    *born += births;
    if (g->births != births || births == 0 || g->evaluations != *born || *born > h->individuals ||
        (before && (g->generation == cop_history_begin(h) ? *born != h->first : *born > h->first)))
        return bad("generation", g->generation, "its births are not those of the individuals");
    return COP_OK;
}

static cop_status check_generation(const cop_history *h, uint64_t row, size_t *at, uint64_t *born) {
    const cop_generation *g = &h->generation[row];
    if (g->generation != row) return bad("generation", row, "its number is another");
    COP_TRY(check_births(h, g, at, born));
    if (g->best_id >= *born || g->best_ever_id >= *born)
        return bad("generation", row, "its best is not born yet");
    const cop_individual *best = cop_history_individual(h, g->best_id),
                         *ever = cop_history_individual(h, g->best_ever_id);
    if (!ever || (!best && row >= cop_history_begin(h)))
        return bad("generation", row, "its best is missing");
    if ((best && g->best != best->fitness) || g->best_ever != ever->fitness)
        return bad("generation", row, "its best has another fitness");
    if (h->window && g->best_ever_id != (row ? h->generation[row - 1].best_ever_id : UINT64_MAX) &&
        ever->recipe.born != row)
        return bad("generation", row, "the best ever was not born in it");
    if (g->best > g->best_ever || (row > 0 && g->best_ever < h->generation[row - 1].best_ever))
        return bad("generation", row, "the best ever is not the best");
    const double real[] = {g->median, g->mean, g->worst};
    for (size_t k = 0; k < 3; k++)
        if (isnan(real[k]) || real[k] > g->best)
            return bad("generation", row, "its fitness summary is impossible");
    if (!(g->density_mean >= 0 && g->density_mean <= 1))
        return bad("generation", row, "its mean density is not in 0..1");
    return COP_OK;
}

/* A list of living holds exactly those who were alive after generation @p g, each once. */
static cop_status check_living(const cop_history *h, const uint64_t *live, size_t count, uint32_t g,
                               const char *what) {
    size_t alive = 0, rows = cop_history_rows(h);
    for (size_t r = 0; r < rows; r++) alive += cop_history_alive(&h->individual[r], g);
    if (alive != count)
        return cop_fail(COP_E_FORMAT, "history: %zu %ss, but %zu individuals %s", count, what,
                        alive, g + 1 == h->generations ? "never died" : "were alive then");
    cop_mask seen;
    cop_mask_init(&seen, rows);
    cop_status status = COP_OK;
    for (size_t k = 0; k < count && status == COP_OK; k++) {
        size_t row = cop_history_row(h, live[k]);
        if (row == SIZE_MAX || !cop_history_alive(&h->individual[row], g) ||
            cop_mask_get(&seen, row))
            status = bad(what, k, "unknown, dead or named twice");
        else
            cop_mask_set(&seen, row);
    }
    cop_mask_clear(&seen);
    return status;
}

cop_status cop_history_check(const cop_history *h) {
    if (h->individuals > UINT32_MAX || h->generations >= UINT32_MAX)
        return cop_fail(COP_E_FORMAT, "history: %zu individuals in %zu generations are too many",
                        h->individuals, h->generations);
    if ((h->individuals == 0) != (h->generations == 0) ||
        (h->population == 0) != (h->generations == 0))
        return cop_fail(
            COP_E_FORMAT,
            "history: %zu individuals, %zu generations and %zu live do not fit together",
            h->individuals, h->generations, h->population);
    COP_TRY(cop_history_check_window(h));
    size_t at = h->elders;
    uint64_t born = 0;
    for (size_t r = 0; r < cop_history_rows(h); r++) COP_TRY(check_individual(h, r));
    for (size_t g = 0; g < h->generations; g++) COP_TRY(check_generation(h, g, &at, &born));
    if (h->begin.population) {
        uint32_t begin = cop_history_begin(h);
        COP_TRY(cop_history_check_elders(h));
        COP_TRY(check_living(h, h->begin.live, h->begin.population, begin, "snapshot id"));
    }
    if (h->next.population)
        COP_TRY(check_living(h, h->next.live, h->next.population,
                             (uint32_t)(h->generations - 1) / h->window * h->window,
                             "snapshot id"));
    return check_living(h, h->live, h->population, (uint32_t)h->generations - 1, "live id");
}
