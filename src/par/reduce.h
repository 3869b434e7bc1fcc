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
/** @p data (parts, length): every rank has filled in its own parts; afterwards all have all. */
void cop_par_share_parts(const cop_par *par, float *data, size_t parts, size_t length);
/** Sums over the ranks. Exact where only one of them has a number that is not 0. */
void cop_par_sum(const cop_par *par, double *values, size_t count);

#endif
