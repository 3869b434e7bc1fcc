/* The history of a run: memory and digest. */
#include "evo/history.h"

void cop_history_clear(cop_history *history) {
    cop_free(history->individual);
    cop_free(history->measure);
    cop_free(history->generation);
    cop_free(history->live);
    cop_free(history->begin.live);
    cop_free(history->next.live);
    *history = (cop_history){0};
}

void cop_history_hash_individual(cop_hash *hash, const cop_individual *i) {
    const cop_recipe *r = &i->recipe;
    const uint64_t whole[] = {r->id,        r->born, r->crossed, r->varied, r->parent[0],
                              r->parent[1], r->cut,  i->died,    i->elite};
    for (size_t k = 0; k < sizeof whole / sizeof *whole; k++) cop_hash_add_u64(hash, whole[k]);
    for (size_t k = 0; k < COP_VARY_MAX; k++) cop_hash_add_double(hash, r->amount[k]);
    cop_hash_add_double(hash, i->fitness);
}

static void hash_snapshot(cop_hash *hash, const cop_snapshot *snapshot) {
    cop_hash_add_u64(hash, snapshot->population);
    for (size_t i = 0; i < snapshot->population; i++) cop_hash_add_u64(hash, snapshot->live[i]);
}

static void hash_generation(cop_hash *hash, const cop_generation *g) {
    const uint64_t whole[] = {g->generation, g->evaluations, g->best_id, g->best_ever_id,
                              g->births};
    for (size_t k = 0; k < sizeof whole / sizeof *whole; k++) cop_hash_add_u64(hash, whole[k]);
    const double real[] = {g->best, g->median, g->mean, g->worst, g->best_ever, g->density_mean};
    for (size_t k = 0; k < sizeof real / sizeof *real; k++) cop_hash_add_double(hash, real[k]);
}

void cop_history_hash(const cop_history *history, cop_hash *hash) {
    cop_hash_add_u64(hash, history->individuals);
    cop_hash_add_u64(hash, history->measures);
    cop_hash_add_u64(hash, history->generations);
    cop_hash_add_u64(hash, history->population);
    if (history->window) {
        cop_hash_add_u64(hash, history->window);
        cop_hash_add_u64(hash, history->elders);
        cop_hash_add_u64(hash, history->first);
        cop_hash_add_text(hash, history->chain);
        hash_snapshot(hash, &history->begin);
        hash_snapshot(hash, &history->next);
    }
    size_t rows = cop_history_rows(history);
    for (size_t i = 0; i < rows; i++) cop_history_hash_individual(hash, &history->individual[i]);
    for (size_t k = 0; k < rows * history->measures; k++)
        cop_hash_add_double(hash, history->measure[k]);
    for (size_t g = 0; g < history->generations; g++)
        hash_generation(hash, &history->generation[g]);
    for (size_t i = 0; i < history->population; i++) cop_hash_add_u64(hash, history->live[i]);
}
