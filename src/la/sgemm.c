#include "coppice/la.h"

#include <cblas.h>
#include <limits.h>

#ifndef OPENBLAS_VERSION
/* another BLAS may have been chosen with BLAS_PKG; then this symbol is absent */
void openblas_set_num_threads(int threads) __attribute__((weak));
#endif

void cop_sgemm(bool ta, bool tb, size_t m, size_t n, size_t k, const float *a, size_t lda,
               const float *b, size_t ldb, float beta, float *c, size_t ldc) {
    COP_ASSERT(m <= INT_MAX && n <= INT_MAX && k <= INT_MAX);
    COP_ASSERT(lda <= INT_MAX && ldb <= INT_MAX && ldc <= INT_MAX);
    if (m == 0 || n == 0) return;
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
                (int)m, (int)n, (int)k, 1.0f, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
}

void cop_blas_one_thread(void) {
#ifdef OPENBLAS_VERSION
    openblas_set_num_threads(1);
#else
    if (openblas_set_num_threads) openblas_set_num_threads(1);
#endif
}
