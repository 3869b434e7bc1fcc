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

/** Arrays of which several ranks make one each (parts), and of which every rank then makes a slice
 * of one array (whole) for all; again and again. A rank reads no more than its slice of the parts
 * of others, and their slices of the whole: parts + 1 times length over size, and length, however
 * many ranks there are. Ranks of one node write and read the same memory, so that nothing is sent.
 */
typedef struct cop_par_parts cop_par_parts;
/** Collective. @p length floats, a multiple of 16, and @p numbers doubles a part, all 0 at first.
 */
cop_par_parts *cop_par_parts_create(const cop_par *par, size_t parts, size_t length,
                                    size_t numbers);
void cop_par_parts_destroy(cop_par_parts *all); /**< collective */
/** The slice of @p rank: [*first, *end) of length, multiples of 16. */
void cop_par_parts_slice(const cop_par_parts *all, int rank, size_t *first, size_t *end);
/** Where this rank puts its own parts: @p data (parts, length), on boundaries of 64 bytes;
 * @p numbers (parts, numbers). To be filled only once cop_par_parts_gather has come after the last
 * cop_par_parts_share. */
void cop_par_parts_room(cop_par_parts *all, float **data, double **numbers);
/** Collective: afterwards the room holds all numbers, and this rank's slice of all parts. */
void cop_par_parts_share(cop_par_parts *all);
/** Where this rank puts its slice of the whole, (length). */
float *cop_par_parts_whole(cop_par_parts *all);
/** Collective: afterwards what cop_par_parts_whole gave last holds all slices, until it is called
 * again. */
void cop_par_parts_gather(cop_par_parts *all);

/** Sums over the ranks. Exact where only one of them has a number that is not 0. */
void cop_par_sum(const cop_par *par, double *values, size_t count);

#endif
