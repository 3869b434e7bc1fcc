#include "coppice/op.h"

#include <string.h>

static const cop_option options[] = {
    {"size", COP_OPT_INT, "8", 1, 1e6, "individuals", NULL, COP_SCIENCE,
     "Draws per tournament, with replacement, from the breeding pool."},
    {"by", COP_OPT_CHOICE, "fitness", 0, 0, "", "fitness|rank", COP_SCIENCE,
     "Who wins: the fittest, the first drawn of equals; or the first in the order of the rank "
     "operator."},
    {.key = NULL}};

static size_t tournament(const cop_plan *plan, const cop_pop_view *pop, size_t parents,
                         cop_rng *rng) {
    const cop_conf *conf = cop_plan_conf(plan);
    int64_t size = cop_conf_int(conf, "select", "size");
    bool by_rank = strcmp(cop_conf_text(conf, "select", "by"), "rank") == 0;
    size_t winner = (size_t)cop_rng_below(rng, parents);
    for (int64_t draw = 1; draw < size; draw++) {
        size_t rival = (size_t)cop_rng_below(rng, parents);
        if (by_rank ? rival < winner : pop->fitness[rival] > pop->fitness[winner]) winner = rival;
    }
    return winner;
}

static cop_status check(const cop_plan *plan) {
    const cop_conf *conf = cop_plan_conf(plan);
    int64_t size = cop_conf_int(conf, "select", "size");
    size_t population = cop_plan_population(plan);
    if ((uint64_t)size > population)
        return cop_conf_fail(conf, "select", "size",
                             "a tournament of %lld in a population of %zu: give 1 to %zu",
                             (long long)size, population, population);
    return COP_OK;
}

const cop_op cop_select_tournament = {
    .role = COP_ROLE_SELECT,
    .name = "tournament",
    .paper = "Goldberg and Deb 1991; Dobreva 2022 (PADAWANN)",
    .summary = "The fittest of `size` draws with replacement from the breeding pool, on ties the "
               "first drawn; or the one that ranks first.",
    .section = "select",
    .options = options,
    .check = check,
    .as.select = tournament,
};
