/** @file skip.h
 *  cop_sparse_ops.nonzeros and .skip_zeros of AVX-512. Other variants have none: they have no
 * instruction that packs what is left of a vector.
 */
#ifndef COPPICE_LA_SKIP_H
#define COPPICE_LA_SKIP_H

#include "coppice/la.h"

void cop_nonzeros_avx512(const float *x, cop_nonzeros *list);
bool cop_skip_avx512(const cop_full *layer, const cop_nonzeros *list, size_t block, float *scratch);

#endif
