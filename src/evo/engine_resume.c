/* Going on from a history. The state of the engine is a function of the measures, so the search is
 * played again from them (selection works on numbers; no genome is bred) and every row must come
 * out as it was read. A damaged or foreign history is found here at the latest, and nothing of it
 * is trusted. */
#include "evo/engine.h"

#include <math.h>
#include <string.h>

static cop_status differs(const char *what, uint64_t row, const char *wrong) {
    return cop_fail(COP_E_FORMAT,
                    "history: %s %llu: %s than this configuration and seed give; resume with the "
                    "configuration of the run",
                    what, (unsigned long long)row, wrong);
}

static bool same_double(double a, double b) {
    return a == b || (isnan(a) && isnan(b));
}

/* pow() may round differently on another machine; what was applied at birth stands in the row. */
static bool same_amounts(const cop_recipe *a, const cop_recipe *b) {
    for (size_t k = 0; k < COP_VARY_MAX; k++)
        if (!(fabs(a->amount[k] - b->amount[k]) <= 1e-12 * fabs(a->amount[k]))) return false;
    return true;
}

static bool same_recipe(const cop_recipe *a, const cop_recipe *b) {
    return a->id == b->id && a->born == b->born && a->crossed == b->crossed &&
           a->varied == b->varied && a->parent[0] == b->parent[0] && a->parent[1] == b->parent[1] &&
           a->cut == b->cut && same_amounts(a, b);
}

static bool same_generation(const cop_generation *a, const cop_generation *b) {
    return a->generation == b->generation && a->evaluations == b->evaluations &&
           same_double(a->best, b->best) && same_double(a->median, b->median) &&
           same_double(a->mean, b->mean) && same_double(a->worst, b->worst) &&
           a->best_id == b->best_id && a->best_ever_id == b->best_ever_id &&
           same_double(a->best_ever, b->best_ever) &&
           same_double(a->density_mean, b->density_mean) && a->births == b->births;
}

/* One generation again; @p given is whole and consistent in itself. */
static cop_status replay(cop_engine *engine, const cop_history *given) {
    cop_history *h = &engine->history;
    size_t first = h->individuals, count, g = h->generations;
    cop_recipe *next = cop_engine_propose(engine, &count);
    if (count != given->generation[g].births) return differs("generation", g, "other births");
    for (size_t i = 0; i < count; i++) {
        const cop_recipe *recipe = &given->individual[first + i].recipe;
        if (!same_recipe(&next[i], recipe))
            return differs("individual", first + i, "another birth");
        memcpy(next[i].amount, recipe->amount, sizeof recipe->amount);
    }
    cop_engine_advance(engine, &given->measure[first * given->measures]);
    for (size_t i = 0; i < count; i++)
        if (!same_double(h->individual[first + i].fitness, given->individual[first + i].fitness))
            return differs("individual", first + i, "another fitness");
    if (!same_generation(&h->generation[g], &given->generation[g]))
        return differs("generation", g, "another summary");
    return COP_OK;
}

/* Who died when and who lives is known at the end only. */
static cop_status compare_end(const cop_history *h, const cop_history *given) {
    for (size_t i = 0; i < h->individuals; i++)
        if (h->individual[i].died != given->individual[i].died ||
            h->individual[i].elite != given->individual[i].elite)
            return differs("individual", i, "another life");
    for (size_t i = 0; i < h->population; i++)
        if (h->live[i] != given->live[i]) return differs("live id", i, "another individual");
    return COP_OK;
}

cop_status cop_engine_resume(cop_engine **out, const cop_plan *plan, cop_history *history) {
    cop_history given = *history;
    *history = (cop_history){0};
    cop_engine *engine = cop_engine_create(plan);
    cop_status status = COP_OK;
    COP_GO(cop_history_check(&given));
    if (given.measures != plan->measures.count)
        COP_GO(cop_fail(
            COP_E_FORMAT,
            "history: %zu measures per individual, this configuration has %zu; resume with "
            "the configuration of the run",
            given.measures, plan->measures.count));
    for (size_t g = 0; g < given.generations; g++) COP_GO(replay(engine, &given));
    COP_GO(compare_end(&engine->history, &given));
    cop_engine_list_keep(engine);
done:
    cop_history_clear(&given);
    if (status != COP_OK) {
        cop_engine_destroy(engine);
        engine = NULL;
    }
    *out = engine;
    return status;
}
