#include "reduce.h"

#include <string.h>

#include "internal.h"

/* Two rooms in turn: a rank that is ahead fills one while a rank that is behind still reads the
 * other, and nobody can be two steps ahead. */
struct cop_par_parts {
    const cop_par *par;
    size_t parts, length, numbers;
    float *data[2];    /* (parts, length) */
    double *number[2]; /* (parts, numbers) */
    size_t turn;
    bool node; /* all ranks see the same memory */
    MPI_Win window;
    void *own; /* without a window */
};

static size_t rounded(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

cop_par_parts *cop_par_parts_create(const cop_par *par, size_t parts, size_t length,
                                    size_t numbers) {
    const cop_par_impl *impl = par->impl;
    cop_par_parts *all = COP_NEW(cop_par_parts);
    *all = (cop_par_parts){.par = par, .parts = parts, .length = length, .numbers = numbers};
    all->node = par->size > 1 && par->nodes == 1;
    const size_t data = rounded(parts * length * sizeof(float)),
                 room = data + rounded(parts * numbers * sizeof(double)), bytes = 2 * room + 64;
    void *base = NULL;
    if (all->node) {
        MPI_Aint size;
        int unit;
        MPI_Win_allocate_shared(par->node_rank == 0 ? (MPI_Aint)bytes : 0, 1, MPI_INFO_NULL,
                                impl->node, &base, &all->window);
        MPI_Win_shared_query(all->window, 0, &size, &unit, &base);
        if (par->node_rank == 0) memset(base, 0, bytes);
        MPI_Barrier(impl->node);
    } else {
        base = all->own = cop_alloc(bytes, 1);
    }
    char *at = (char *)base + (64 - (uintptr_t)base % 64) % 64;
    for (size_t i = 0; i < 2; i++) {
        all->data[i] = (float *)(void *)(at + i * room);
        all->number[i] = (double *)(void *)(at + i * room + data);
    }
    return all;
}

void cop_par_parts_destroy(cop_par_parts *all) {
    if (!all) return;
    if (all->node) MPI_Win_free(&all->window);
    cop_free(all->own);
    cop_free(all);
}

void cop_par_parts_room(cop_par_parts *all, float **data, double **numbers) {
    all->turn = 1 - all->turn;
    *data = all->data[all->turn];
    *numbers = all->number[all->turn];
}

/* Part by part from whoever did it: messages stay below what an int counts. */
static void send_to_all(const cop_par_parts *all) {
    const cop_par *par = all->par;
    const cop_par_impl *impl = par->impl;
    const size_t most = COP_MESSAGE_MAX / 4;
    for (int rank = 0; rank < par->size; rank++) {
        const size_t first = cop_par_first_part(all->parts, rank, par->size),
                     next = cop_par_first_part(all->parts, rank + 1, par->size);
        const size_t end = next * all->length;
        for (size_t at = first * all->length; at < end; at += most)
            MPI_Bcast(all->data[all->turn] + at, (int)(end - at < most ? end - at : most),
                      MPI_FLOAT, rank, impl->comm);
        MPI_Bcast(all->number[all->turn] + first * all->numbers,
                  (int)((next - first) * all->numbers), MPI_DOUBLE, rank, impl->comm);
    }
}

void cop_par_parts_share(cop_par_parts *all) {
    const cop_par_impl *impl = all->par->impl;
    if (all->par->size == 1) return;
    if (!all->node) {
        send_to_all(all);
        return;
    }
    /* what was written is seen by those who come out of the barrier */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    MPI_Barrier(impl->node);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void cop_par_sum(const cop_par *par, double *values, size_t count) {
    const cop_par_impl *impl = par->impl;
    if (par->size == 1) return;
    COP_ASSERT(count < COP_MESSAGE_MAX / 8);
    MPI_Allreduce(MPI_IN_PLACE, values, (int)count, MPI_DOUBLE, MPI_SUM, impl->comm);
}
