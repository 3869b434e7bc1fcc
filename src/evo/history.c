/* The history of a run: memory and digest. */
#include "coppice/evo.h"

void cop_history_clear(cop_history *history) {
    cop_free(history->individual);
    cop_free(history->measure);
    cop_free(history->generation);
    cop_free(history->live);
    *history = (cop_history){0};
}

static void hash_individual(cop_hash *hash, const cop_individual *i) {
    const cop_recipe *r = &i->recipe;
    const uint64_t whole[] = {r->id,        r->born, r->crossed, r->varied, r->parent[0],
                              r->parent[1], r->cut,  i->died,    i->elite};
    for (size_t k = 0; k < sizeof whole / sizeof *whole; k++) cop_hash_add_u64(hash, whole[k]);
    for (size_t k = 0; k < COP_VARY_MAX; k++) cop_hash_add_double(hash, r->amount[k]);
    cop_hash_add_double(hash, i->fitness);
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
    for (size_t i = 0; i < history->individuals; i++)
        hash_individual(hash, &history->individual[i]);
    for (size_t k = 0; k < history->individuals * history->measures; k++)
        cop_hash_add_double(hash, history->measure[k]);
    for (size_t g = 0; g < history->generations; g++)
        hash_generation(hash, &history->generation[g]);
    for (size_t i = 0; i < history->population; i++) cop_hash_add_u64(hash, history->live[i]);
}
