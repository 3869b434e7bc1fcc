/** @file history.h
 *  What the files about history share.
 */
#ifndef COPPICE_EVO_HISTORY_H
#define COPPICE_EVO_HISTORY_H

#include "coppice/evo.h"

/** Every field of a row but its measures. */
void cop_history_hash_individual(cop_hash *hash, const cop_individual *individual);
/** Was it alive after generation @p g? */
bool cop_history_alive(const cop_individual *individual, uint32_t g);
/** Was it the best so far after the generation of its birth? Nobody becomes that later: whoever
 *  lives had its fitness from birth on. Its generation must be one of @p history. */
bool cop_history_champion(const cop_history *history, const cop_individual *individual);
/** The parts of cop_history_check that a bounded history adds: numbers, chain and order of ids,
 *  before anything is looked up; then, with rows found good, who is held. */
cop_status cop_history_check_window(const cop_history *history);
cop_status cop_history_check_elders(const cop_history *history);

#endif
