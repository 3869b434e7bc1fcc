/** @file engine.h
 *  The engine's insides, shared by engine.c and engine_resume.c.
 */
#ifndef COPPICE_EVO_ENGINE_H
#define COPPICE_EVO_ENGINE_H

#include "evo/plan.h"

struct cop_engine {
    const cop_plan *plan;
    cop_history history;
    size_t individual_room, generation_room; /**< allocated rows of history */
    cop_recipe *next;                        /**< proposed, to be told; NULL: nothing yet */
    size_t next_count;
    uint64_t *keep;
    size_t keep_count;
};

/** The next recipes, whether or not a stop rule holds. */
cop_recipe *cop_engine_propose(cop_engine *engine, size_t *count);
/** cop_engine_tell without the list of genomes to keep. */
void cop_engine_advance(cop_engine *engine, const double *measures);
/** A row for the generation that the live individuals are now: their fitness in numbers, whatever
 *  they are ranked by; next_count of them were born in it. */
void cop_engine_summarise(cop_engine *engine);
void cop_engine_list_keep(cop_engine *engine);

#endif
