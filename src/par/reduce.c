#include "reduce.h"

#include "internal.h"

/* Part by part from whoever did it: messages stay below what an int counts. */
void cop_par_share_parts(const cop_par *par, float *data, size_t parts, size_t length) {
    const cop_par_impl *impl = par->impl;
    if (par->size == 1) return;
    for (int rank = 0; rank < par->size; rank++) {
        const size_t first = cop_par_first_part(parts, rank, par->size) * length,
                     end = cop_par_first_part(parts, rank + 1, par->size) * length;
        for (size_t at = first; at < end; at += COP_MESSAGE_MAX / 4) {
            const size_t n = end - at < COP_MESSAGE_MAX / 4 ? end - at : COP_MESSAGE_MAX / 4;
            MPI_Bcast(data + at, (int)n, MPI_FLOAT, rank, impl->comm);
        }
    }
}

void cop_par_sum(const cop_par *par, double *values, size_t count) {
    const cop_par_impl *impl = par->impl;
    if (par->size == 1) return;
    COP_ASSERT(count < COP_MESSAGE_MAX / 8);
    MPI_Allreduce(MPI_IN_PLACE, values, (int)count, MPI_DOUBLE, MPI_SUM, impl->comm);
}
