/** @file reduce.h
 *  What ranks that train one network together tell each other. Collective; ranks wait at full
 *  speed, since they wait for microseconds.
 */
#ifndef COPPICE_PAR_REDUCE_H
#define COPPICE_PAR_REDUCE_H

#include "coppice/par.h"

/** First of @p parts parts that rank @p rank of @p size does; those of rank + 1 begin its own end.
 */
static inline size_t cop_par_first_part(size_t parts, int rank, int size) {
    return parts * (size_t)rank / (size_t)size;
}

/** Parts that are made by several ranks and read by all, again and again. Ranks of one node write
 * and read the same memory, so that nothing is sent; else every rank sends its parts to all. */
typedef struct cop_par_parts cop_par_parts;
/** Collective. @p length floats and @p numbers doubles a part, all 0 at first. */
cop_par_parts *cop_par_parts_create(const cop_par *par, size_t parts, size_t length,
                                    size_t numbers);
void cop_par_parts_destroy(cop_par_parts *all); /**< collective */
/** Where this rank now puts its own parts: @p data (parts, length), each part on a boundary of 64
 * bytes when length is a multiple of 16; @p numbers (parts, numbers). What was shared before may be
 * read until the next cop_par_parts_share. */
void cop_par_parts_room(cop_par_parts *all, float **data, double **numbers);
/** Collective: afterwards that room holds all parts. */
void cop_par_parts_share(cop_par_parts *all);

/** Sums over the ranks. Exact where only one of them has a number that is not 0. */
void cop_par_sum(const cop_par *par, double *values, size_t count);

#endif
