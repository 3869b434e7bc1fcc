/** @file la.h
 *  Dense products in single precision. The only module that calls BLAS.
 */
#ifndef COPPICE_LA_H
#define COPPICE_LA_H

#include "coppice/base.h"

/** C = A B + beta C, all row-major. A is (m, k), stored (k, m) when @p ta; B is (k, n), stored (n,
 * k) when @p tb. @p lda, @p ldb, @p ldc are the lengths of the stored rows. With beta 0 the old C
 * is not read. Every size is below 2^31. Deterministic for given sizes on a given processor. */
void cop_sgemm(bool ta, bool tb, size_t m, size_t n, size_t k, const float *a, size_t lda,
               const float *b, size_t ldb, float beta, float *c, size_t ldc);

/** From now on BLAS computes on the calling thread alone: a rank has one core, and the order of
 * sums must not depend on a thread count. Costs nothing to repeat. */
void cop_blas_one_thread(void);

/** "OpenBLAS 0.3.21, SkylakeX kernels", or what little another BLAS tells. Valid for the life of
 *  the process. */
const char *cop_blas_version(void);

#endif
