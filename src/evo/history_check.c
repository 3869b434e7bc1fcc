/* What must hold in any history, whatever the operators. */
#include "coppice/evo.h"

#include <math.h>

static cop_status bad(const char *what, uint64_t row, const char *wrong) {
    return cop_fail(COP_E_FORMAT, "history: %s %llu: %s", what, (unsigned long long)row, wrong);
}

static cop_status check_parent(const cop_history *h, uint64_t row, uint64_t parent) {
    if (parent == COP_FOUNDER) return COP_OK;
    if (parent >= row) return bad("individual", row, "a parent is not older than its child");
    const cop_individual *p = &h->individual[parent], *child = &h->individual[row];
    if (p->recipe.born >= child->recipe.born)
        return bad("individual", row, "a parent is of the same generation");
    if (p->died < child->recipe.born)
        return bad("individual", row, "a parent was dead before the birth");
    return COP_OK;
}

static cop_status check_individual(const cop_history *h, uint64_t row) {
    const cop_individual *i = &h->individual[row];
    const cop_recipe *r = &i->recipe;
    if (r->id != row) return bad("individual", row, "its id is another");
    if (r->born >= h->generations) return bad("individual", row, "born after the last generation");
    if (row > 0 && r->born < h->individual[row - 1].recipe.born)
        return bad("individual", row, "born before the one in front of it");
    if (r->crossed > 1 || r->varied >> COP_VARY_MAX)
        return bad("individual", row, "unknown operator flags");
    if (!r->crossed && (r->parent[1] != COP_FOUNDER || r->cut != 0))
        return bad("individual", row, "not crossed, yet with a second parent or a cut");
    COP_TRY(check_parent(h, row, r->parent[0]));
    COP_TRY(check_parent(h, row, r->parent[1]));
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

static cop_status check_generation(const cop_history *h, uint64_t row, uint64_t *born) {
    const cop_generation *g = &h->generation[row];
    if (g->generation != row) return bad("generation", row, "its number is another");
    uint64_t births = 0;
    while (*born < h->individuals && h->individual[*born].recipe.born == row) {
        ++*born;
        births++;
    }
    if (g->births != births || births == 0 || g->evaluations != *born)
        return bad("generation", row, "its births are not those of the individuals");
    if (g->best_id >= *born || g->best_ever_id >= *born)
        return bad("generation", row, "its best is not born yet");
    if (g->best != h->individual[g->best_id].fitness ||
        g->best_ever != h->individual[g->best_ever_id].fitness)
        return bad("generation", row, "its best has another fitness");
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

/* The live list holds exactly those who have not died, each once. */
static cop_status check_live(const cop_history *h) {
    size_t alive = 0;
    for (size_t i = 0; i < h->individuals; i++) alive += h->individual[i].died == UINT32_MAX;
    if (alive != h->population)
        return cop_fail(COP_E_FORMAT, "history: %zu live ids, but %zu individuals never died",
                        h->population, alive);
    cop_mask seen;
    cop_mask_init(&seen, h->individuals);
    cop_status status = COP_OK;
    for (size_t k = 0; k < h->population && status == COP_OK; k++) {
        uint64_t id = h->live[k];
        if (id >= h->individuals || h->individual[id].died != UINT32_MAX || cop_mask_get(&seen, id))
            status = bad("live id", k, "unknown, dead or named twice");
        else
            cop_mask_set(&seen, id);
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
    for (size_t i = 0; i < h->individuals; i++) COP_TRY(check_individual(h, i));
    uint64_t born = 0;
    for (size_t g = 0; g < h->generations; g++) COP_TRY(check_generation(h, g, &born));
    return check_live(h);
}
