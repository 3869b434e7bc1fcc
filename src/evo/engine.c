/* The fixed skeleton of a generation. */
#include "evo/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ views of the population */

typedef struct gathered {
    cop_pop_view view;
    uint64_t *id;
    double *fitness, *measures;
} gathered;

static gathered gather(const cop_history *h, const uint64_t *ids, size_t count) {
    gathered g = {.id = COP_NEW_ARRAY(uint64_t, count),
                  .fitness = COP_NEW_ARRAY(double, count),
                  .measures = COP_NEW_ARRAY(double, count * h->measures)};
    for (size_t i = 0; i < count; i++) {
        g.id[i] = ids[i];
        g.fitness[i] = cop_history_individual(h, ids[i])->fitness;
        memcpy(&g.measures[i * h->measures], cop_history_measures(h, ids[i]),
               h->measures * sizeof(double));
    }
    g.view = (cop_pop_view){count, g.id, g.fitness, g.measures, h->measures};
    return g;
}

static void release(gathered *g) {
    cop_free(g->id);
    cop_free(g->fitness);
    cop_free(g->measures);
}

/* ------------------------------------------------------------------ ask */

/* @p twin: the child before, if this one is its counterpart; else NULL. */
static void breed_recipe(const cop_plan *plan, const cop_pop_view *pop, const cop_recipe *twin,
                         cop_recipe *recipe) {
    if (twin) {
        recipe->crossed = 1;
        recipe->parent[0] = twin->parent[1];
        recipe->parent[1] = twin->parent[0];
        recipe->cut = twin->cut;
        cop_recipe_vary(plan, recipe);
        return;
    }
    uint32_t item = (uint32_t)recipe->id;
    cop_rng choose = cop_rng_at(plan->seed, recipe->born, item, COP_FOR_SELECT);
    cop_rng mix = cop_rng_at(plan->seed, recipe->born, item, COP_FOR_CROSS);
    const cop_op *select = plan->op[COP_ROLE_SELECT], *cross = plan->op[COP_ROLE_CROSS];
    recipe->parent[0] = pop->id[select->as.select(plan, pop, plan->pool.parents, &choose)];
    recipe->parent[1] = COP_FOUNDER;
    if (cross->as.cross.decide && cop_rng_uniform(&mix) < plan->cross_probability) {
        recipe->crossed = 1;
        recipe->parent[1] = pop->id[select->as.select(plan, pop, plan->pool.parents, &choose)];
        cross->as.cross.decide(plan, recipe, &mix);
    }
    cop_recipe_vary(plan, recipe);
}

/* Recipes of all children: first those who are born again, then the others. */
static void breed_recipes(const cop_plan *plan, const cop_pop_view *pop, cop_recipe *recipes,
                          size_t count) {
    size_t reborn = plan->pool.reborn;
    for (size_t i = 0; i < reborn; i++) {
        recipes[i].parent[0] = pop->id[i];
        recipes[i].parent[1] = COP_FOUNDER;
    }
    for (size_t i = reborn; i < count; i++) {
        bool second = plan->twins && (i - reborn) % 2 == 1 && recipes[i - 1].crossed;
        breed_recipe(plan, pop, second ? &recipes[i - 1] : NULL, &recipes[i]);
    }
}

cop_recipe *cop_engine_propose(cop_engine *engine, size_t *count) {
    const cop_plan *plan = engine->plan;
    const cop_history *h = &engine->history;
    if (!engine->next) {
        bool first = h->generations == 0;
        engine->next_count = first ? plan->population : plan->pool.children;
        engine->next = COP_NEW_ARRAY(cop_recipe, engine->next_count);
        for (size_t i = 0; i < engine->next_count; i++) {
            engine->next[i].id = h->individuals + i;
            engine->next[i].born = (uint32_t)h->generations;
        }
        COP_ASSERT(h->individuals + engine->next_count <=
                   UINT32_MAX); /* ids address random streams */
        if (first) {
            plan->op[COP_ROLE_INITIALISE]->as.initialise(plan, engine->next, engine->next_count);
        } else {
            gathered pop = gather(h, h->live, h->population);
            breed_recipes(plan, &pop.view, engine->next, engine->next_count);
            release(&pop);
        }
    }
    *count = engine->next_count;
    return engine->next;
}

/* ------------------------------------------------------------------ tell */

/* New rows of the children; their fitness. */
static void append_children(cop_engine *engine, const double *measures) {
    cop_history *h = &engine->history;
    size_t rows = cop_history_rows(h), count = rows + engine->next_count, m = h->measures;
    if (count > engine->individual_room) {
        size_t room = 2 * count;
        h->individual =
            cop_realloc(h->individual, engine->individual_room, room, sizeof *h->individual);
        h->measure = cop_realloc(h->measure, engine->individual_room * m, room * m, sizeof(double));
        engine->individual_room = room;
    }
    memcpy(&h->measure[rows * m], measures, engine->next_count * m * sizeof(double));
    for (size_t i = 0; i < engine->next_count; i++) {
        double fitness =
            engine->plan->op[COP_ROLE_FITNESS]->as.fitness(engine->plan, &measures[i * m]);
        h->individual[rows + i] =
            (cop_individual){.recipe = engine->next[i],
                             .fitness = isfinite(fitness) ? fitness : -INFINITY,
                             .died = UINT32_MAX};
    }
    h->individuals += engine->next_count;
}

/* The next population out of the ranked old one and the children: ids, not yet ranked. */
static uint64_t *survivors(cop_engine *engine, size_t *count) {
    cop_history *h = &engine->history;
    size_t children = engine->next_count, old = h->population;
    uint64_t *ids = COP_NEW_ARRAY(uint64_t, old + children);
    for (size_t i = 0; i < old; i++) ids[i] = h->live[i];
    for (size_t i = 0; i < children; i++) ids[old + i] = h->individuals - children + i;
    if (h->generations == 0) {
        *count = children;
        return ids;
    }
    size_t *chosen = COP_NEW_ARRAY(size_t, old + children);
    gathered before = gather(h, ids, old), born = gather(h, ids + old, children);
    *count = engine->plan->op[COP_ROLE_SURVIVE]->as.survive(engine->plan, &before.view, &born.view,
                                                            &engine->plan->pool, chosen);
    COP_ASSERT(*count == engine->plan->population);
    release(&before);
    release(&born);
    uint64_t *next = COP_NEW_ARRAY(uint64_t, *count);
    for (size_t i = 0; i < old + children; i++)
        h->individual[cop_history_row(h, ids[i])].died = (uint32_t)h->generations;
    for (size_t i = 0; i < *count; i++) {
        COP_ASSERT(chosen[i] < old + children);
        next[i] = ids[chosen[i]];
        cop_individual *survivor = &h->individual[cop_history_row(h, next[i])];
        survivor->died = UINT32_MAX;
        survivor->elite += chosen[i] < old;
    }
    cop_free(chosen);
    cop_free(ids);
    return next;
}

/* Rank @p ids and make them the live list. */
static void rank_live(cop_engine *engine, const uint64_t *ids, size_t count) {
    cop_history *h = &engine->history;
    gathered pop = gather(h, ids, count);
    uint32_t *order = COP_NEW_ARRAY(uint32_t, count);
    engine->plan->op[COP_ROLE_RANK]->as.rank(engine->plan, &pop.view, order);
    cop_free(h->live);
    h->live = COP_NEW_ARRAY(uint64_t, count);
    h->population = count;
    for (size_t i = 0; i < count; i++) h->live[i] = ids[order[i]];
    cop_free(order);
    release(&pop);
}

static int largest_first(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

void cop_engine_summarise(cop_engine *engine) {
    cop_history *h = &engine->history;
    size_t n = h->population, ok = 0, first = 0;
    long density = cop_plan_measure(engine->plan, "density");
    double sum = 0, dense = 0;
    double *fitness = COP_NEW_ARRAY(double, n);
    for (size_t i = 0; i < n; i++) {
        fitness[i] = cop_history_individual(h, h->live[i])->fitness;
        if (fitness[i] > fitness[first]) first = i; /* of equals the one that ranks first */
        double d = cop_history_measures(h, h->live[i])[density];
        dense += d >= 0 && d <= 1 ? d : 0; /* a failed individual may have no measures at all */
        if (isfinite(fitness[i])) {
            ok++;
            sum += fitness[i] / (double)n; /* divided first: the sum of finite numbers is finite */
        }
    }
    qsort(fitness, n, sizeof *fitness, largest_first);
    cop_generation row = {.generation = (uint32_t)h->generations,
                          .evaluations = h->individuals,
                          .best_id = h->live[first],
                          .best = fitness[0],
                          .worst = fitness[n - 1],
                          .births = (uint32_t)engine->next_count};
    row.mean = ok ? sum * ((double)n / (double)ok) : -INFINITY;
    if (row.mean > row.best) row.mean = row.best; /* rounding, when all are equal */
    row.density_mean = dense / (double)n;
    double upper = fitness[(n - 1) / 2], lower = fitness[n / 2];
    row.median = upper == lower ? upper : upper / 2 + lower / 2; /* halves: a sum could overflow */
    cop_free(fitness);
    const cop_generation *last = h->generations ? &h->generation[h->generations - 1] : NULL;
    bool better = !last || row.best > last->best_ever;
    row.best_ever_id = better ? row.best_id : last->best_ever_id;
    row.best_ever = better ? row.best : last->best_ever;
    if (h->generations == engine->generation_room) {
        size_t room = 2 * engine->generation_room + 16;
        h->generation =
            cop_realloc(h->generation, engine->generation_room, room, sizeof *h->generation);
        engine->generation_room = room;
    }
    h->generation[h->generations++] = row;
}

void cop_engine_advance(cop_engine *engine, const double *measures) {
    cop_history *h = &engine->history;
    COP_ASSERT(engine->next); /* asked before told */
    append_children(engine, measures);
    size_t count;
    uint64_t *ids = survivors(engine, &count);
    rank_live(engine, ids, count);
    cop_free(ids);
    cop_engine_summarise(engine);
    cop_history_forget(h);
    cop_free(engine->next);
    engine->next = NULL;
}

void cop_engine_list_keep(cop_engine *engine) {
    const cop_history *h = &engine->history;
    cop_free(engine->keep);
    engine->keep = COP_NEW_ARRAY(uint64_t, h->population + 1);
    engine->keep_count = h->population;
    for (size_t i = 0; i < h->population; i++) engine->keep[i] = h->live[i];
    if (h->generations == 0) return;
    uint64_t best = cop_engine_best_ever(engine);
    if (cop_history_individual(h, best)->died != UINT32_MAX)
        engine->keep[engine->keep_count++] = best;
}

/* ------------------------------------------------------------------ public */

cop_engine *cop_engine_create(const cop_plan *plan) {
    cop_engine *engine = COP_NEW(cop_engine);
    engine->plan = plan;
    engine->history.measures = plan->measures.count;
    cop_history_bound(&engine->history, (uint32_t)plan->history);
    cop_engine_list_keep(engine);
    return engine;
}

void cop_engine_destroy(cop_engine *engine) {
    if (!engine) return;
    cop_history_clear(&engine->history);
    cop_free(engine->next);
    cop_free(engine->keep);
    cop_free(engine);
}

const cop_recipe *cop_engine_ask(cop_engine *engine, size_t *count) {
    COP_ASSERT(!cop_engine_finished(engine, NULL));
    return cop_engine_propose(engine, count);
}

void cop_engine_tell(cop_engine *engine, const double *measures) {
    cop_engine_advance(engine, measures);
    cop_engine_list_keep(engine);
}

const cop_history *cop_engine_history(const cop_engine *engine) {
    return &engine->history;
}

const uint64_t *cop_engine_keep(const cop_engine *engine, size_t *count) {
    *count = engine->keep_count;
    return engine->keep;
}

uint64_t cop_engine_best_ever(const cop_engine *engine) {
    const cop_history *h = &engine->history;
    COP_ASSERT(h->generations > 0);
    return h->generation[h->generations - 1].best_ever_id;
}
