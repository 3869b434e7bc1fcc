/** @file positions.h
 *  Lists of possible edges by position, output * inputs + input: sorting, drawing, the largest.
 */
#ifndef COPPICE_TRAIN_POSITIONS_H
#define COPPICE_TRAIN_POSITIONS_H

#include "coppice/base.h"

/** Ascending, in time proportional to @p count. */
void cop_positions_sort(uint64_t *list, size_t count);
/** The @p rank-th smallest (0 first) of @p count different keys, which are reordered. */
uint64_t cop_positions_nth(uint64_t *keys, size_t count, size_t rank);
/** @p count positions in [0, possible) that are not in @p taken (ascending, @p taken_count), every
 * set of so many equally likely, ascending into @p out. There are so many left. Time and memory are
 * proportional to taken and drawn ones. */
void cop_positions_draw(cop_rng *rng, uint64_t possible, const uint64_t *taken, size_t taken_count,
                        uint64_t *out, size_t count);
/** The @p count positions of largest @p value (possible), none negative, that are not in @p taken;
 * ties to the lower position; ascending into @p out. possible < 2^32. */
void cop_positions_top(const float *value, uint64_t possible, const uint64_t *taken,
                       size_t taken_count, uint64_t *out, size_t count);

#endif
