/* Going on from a history. The state of the engine is a function of the measures, so the search is
 * played again from them (selection works on numbers; no genome is bred) and every row must come
 * out as it was read. A damaged or foreign history is found here at the latest, and nothing of it
 * is trusted. Of a bounded history only what followed the snapshot `begin` can be played again: of
 * what was before, the elders' numbers are computed again, and the rest is what the file says. */
#include "evo/engine.h"
#include "evo/history.h"

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
    size_t births = g == 0 ? engine->plan->population : engine->plan->pool.children;
    if (births != given->generation[g].births) return differs("generation", g, "other births");
    cop_recipe *next = cop_engine_propose(engine, &count);
    size_t row = cop_history_row(given, first);
    for (size_t i = 0; i < count; i++) {
        const cop_recipe *recipe = &given->individual[row + i].recipe;
        if (!same_recipe(&next[i], recipe))
            return differs("individual", first + i, "another birth");
        memcpy(next[i].amount, recipe->amount, sizeof recipe->amount);
    }
    cop_engine_advance(engine, &given->measure[row * given->measures]);
    for (size_t i = 0; i < count; i++)
        if (!same_double(cop_history_individual(h, first + i)->fitness,
                         given->individual[row + i].fitness))
            return differs("individual", first + i, "another fitness");
    if (!same_generation(&h->generation[g], &given->generation[g]))
        return differs("generation", g, "another summary");
    return COP_OK;
}

/* An elder as it was after generation @p begin. */
static cop_status take_elder(cop_engine *engine, const cop_history *given, size_t row,
                             uint32_t begin) {
    const cop_plan *plan = engine->plan;
    cop_individual *elder = &engine->history.individual[row];
    const double *measures = &given->measure[row * given->measures];
    *elder = given->individual[row];
    COP_TRY(cop_plan_check_recipe(plan, &elder->recipe));
    double fitness = plan->op[COP_ROLE_FITNESS]->as.fitness(plan, measures);
    if (!same_double(isfinite(fitness) ? fitness : -INFINITY, elder->fitness))
        return differs("individual", elder->recipe.id, "another fitness");
    if (given->measures)
        memcpy(&engine->history.measure[row * given->measures], measures,
               given->measures * sizeof *measures);
    if (!cop_history_alive(elder, begin)) return COP_OK;
    elder->died = UINT32_MAX;
    elder->elite = begin - elder->recipe.born; /* once in every generation since its birth */
    return COP_OK;
}

/* The state after the generation of the snapshot `begin`. It was `next` then. */
static cop_status take_begin(cop_engine *engine, const cop_history *given) {
    cop_history *h = &engine->history;
    size_t rows = given->elders, m = given->measures, population = given->begin.population;
    uint32_t begin = cop_history_begin(given);
    if (population != engine->plan->population)
        return differs("generation", begin, "another population");
    for (size_t g = 0; g <= begin; g++)
        if (given->generation[g].births !=
            (g == 0 ? engine->plan->population : engine->plan->pool.children))
            return differs("generation", g, "other births");
    h->individuals = (size_t)given->first;
    h->first = given->first;
    h->elders = rows;
    h->individual = COP_NEW_ARRAY(cop_individual, rows);
    h->measure = COP_NEW_ARRAY(double, rows *m);
    engine->individual_room = rows;
    for (size_t r = 0; r < rows; r++) COP_TRY(take_elder(engine, given, r, begin));
    h->population = population;
    h->live = COP_NEW_ARRAY(uint64_t, population);
    h->next = (cop_snapshot){population, COP_NEW_ARRAY(uint64_t, population)};
    memcpy(h->live, given->begin.live, population * sizeof *h->live);
    memcpy(h->next.live, given->begin.live, population * sizeof *h->live);
    memcpy(h->chain, given->chain, sizeof h->chain);
    engine->generation_room = (size_t)begin + 1;
    h->generation = COP_NEW_ARRAY(cop_generation, engine->generation_room);
    memcpy(h->generation, given->generation, begin * sizeof *h->generation);
    h->generations = begin;
    engine->next_count = given->generation[begin].births;
    cop_engine_summarise(engine);
    return same_generation(&h->generation[begin], &given->generation[begin])
               ? COP_OK
               : differs("generation", begin, "another summary");
}

static bool same_snapshot(const cop_snapshot *a, const cop_snapshot *b) {
    return a->population == b->population &&
           (a->population == 0 || memcmp(a->live, b->live, a->population * sizeof *a->live) == 0);
}

/* Who died when and who lives is known at the end only. */
static cop_status compare_end(const cop_history *h, const cop_history *given) {
    size_t rows = cop_history_rows(given);
    if (cop_history_rows(h) != rows || h->first != given->first || h->elders != given->elders ||
        !same_snapshot(&h->begin, &given->begin) || !same_snapshot(&h->next, &given->next) ||
        strcmp(h->chain, given->chain) != 0)
        return differs("generation", h->generations - 1, "another window");
    for (size_t r = 0; r < rows; r++)
        if (h->individual[r].died != given->individual[r].died ||
            h->individual[r].elite != given->individual[r].elite)
            return differs("individual", given->individual[r].recipe.id, "another life");
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
    if (given.window != plan->history)
        COP_GO(
            cop_fail(COP_E_FORMAT,
                     "history: bounded to %u generations, this configuration asks for %zu ([run] "
                     "history; 0: all); resume with the configuration of the run",
                     given.window, plan->history));
    if (given.begin.population) COP_GO(take_begin(engine, &given));
    while (engine->history.generations < given.generations) COP_GO(replay(engine, &given));
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
