#include "reduce.h"

#include <limits.h>
#include <string.h>

#include "internal.h"

/* What is filled in after a barrier was last read before the barrier before it: that is so for
 * parts with one room, as share and gather take turns, and for the whole with two of them, as
 * gather may follow gather. */
struct cop_par_parts {
    const cop_par *par;
    size_t parts, length, numbers;
    float *data;     /* (parts, length) */
    double *number;  /* (parts, numbers) */
    float *whole[2]; /* (length) */
    size_t turn;
    bool node; /* all ranks see the same memory */
    MPI_Win window;
    void *own;            /* without a window: memory; */
    MPI_Datatype sixteen; /* floats; */
    int *count, *from;    /* (size) what belongs to each rank in a message */
};

enum { SIXTEEN = 16, MOST = COP_MESSAGE_MAX / 4 / SIXTEEN }; /* sixteens of a rank in a message */

static size_t rounded(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

static void make_memory(cop_par_parts *all) {
    const cop_par_impl *impl = all->par->impl;
    const size_t data = all->parts * all->length * sizeof(float),
                 number = rounded(all->parts * all->numbers * sizeof(double)),
                 whole = all->length * sizeof(float), bytes = data + number + 2 * whole + 64;
    void *base = NULL;
    if (all->node) {
        MPI_Aint size;
        int unit;
        MPI_Win_allocate_shared(all->par->node_rank == 0 ? (MPI_Aint)bytes : 0, 1, MPI_INFO_NULL,
                                impl->node, &base, &all->window);
        MPI_Win_shared_query(all->window, 0, &size, &unit, &base);
        if (all->par->node_rank == 0) memset(base, 0, bytes);
        MPI_Barrier(impl->node);
    } else {
        base = all->own = cop_alloc(bytes, 1);
    }
    char *at = (char *)base + (64 - (uintptr_t)base % 64) % 64;
    all->data = (float *)(void *)at;
    all->number = (double *)(void *)(at + data);
    for (size_t i = 0; i < 2; i++)
        all->whole[i] = (float *)(void *)(at + data + number + i * whole);
}

cop_par_parts *cop_par_parts_create(const cop_par *par, size_t parts, size_t length,
                                    size_t numbers) {
    COP_ASSERT(length % SIXTEEN == 0 && length / SIXTEEN <= INT_MAX);
    cop_par_parts *all = COP_NEW(cop_par_parts);
    *all = (cop_par_parts){.par = par, .parts = parts, .length = length, .numbers = numbers};
    all->node = par->size > 1 && par->nodes == 1;
    make_memory(all);
    if (!all->node && par->size > 1) {
        MPI_Type_contiguous(SIXTEEN, MPI_FLOAT, &all->sixteen);
        MPI_Type_commit(&all->sixteen);
        all->count = COP_NEW_ARRAY(int, (size_t)par->size);
        all->from = COP_NEW_ARRAY(int, (size_t)par->size);
    }
    return all;
}

void cop_par_parts_destroy(cop_par_parts *all) {
    if (!all) return;
    if (all->node) MPI_Win_free(&all->window);
    if (all->count) MPI_Type_free(&all->sixteen);
    cop_free(all->count);
    cop_free(all->from);
    cop_free(all->own);
    cop_free(all);
}

void cop_par_parts_slice(const cop_par_parts *all, int rank, size_t *first, size_t *end) {
    *first = SIXTEEN * cop_par_first_part(all->length / SIXTEEN, rank, all->par->size);
    *end = SIXTEEN * cop_par_first_part(all->length / SIXTEEN, rank + 1, all->par->size);
}

void cop_par_parts_room(cop_par_parts *all, float **data, double **numbers) {
    *data = all->data;
    *numbers = all->number;
}

float *cop_par_parts_whole(cop_par_parts *all) {
    all->turn = 1 - all->turn;
    return all->whole[all->turn];
}

/* ------------------------------------------------------------------ on one node */

/* What was written is seen by those who come out of the barrier. */
static void meet(const cop_par_parts *all) {
    const cop_par_impl *impl = all->par->impl;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    MPI_Barrier(impl->node);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* ------------------------------------------------------------------ on several */

/* The next message of slices, from sixteen @p at of each on: who has how many sixteens of it, and
 * where. false: there is no more. */
static bool next_message(const cop_par_parts *all, size_t at) {
    bool more = false;
    for (int rank = 0; rank < all->par->size; rank++) {
        size_t first, end;
        cop_par_parts_slice(all, rank, &first, &end);
        const size_t left = end - first > at * SIXTEEN ? (end - first) / SIXTEEN - at : 0;
        all->from[rank] = (int)(first / SIXTEEN + at);
        all->count[rank] = (int)(left < MOST ? left : MOST);
        if (left) more = true;
    }
    return more;
}

/* Slice by slice from whoever did a part to whoever wants them. */
static void scatter(const cop_par_parts *all) {
    const cop_par_impl *impl = all->par->impl;
    const int rank = all->par->rank, size = all->par->size;
    for (int by = 0; by < size; by++)
        for (size_t p = cop_par_first_part(all->parts, by, size);
             p < cop_par_first_part(all->parts, by + 1, size); p++)
            for (size_t at = 0; next_message(all, at); at += MOST) {
                float *part = all->data + p * all->length;
                void *to = by == rank ? MPI_IN_PLACE : part + SIXTEEN * (size_t)all->from[rank];
                MPI_Scatterv(part, all->count, all->from, all->sixteen, to, all->count[rank],
                             all->sixteen, by, impl->comm);
            }
    for (int by = 0; by < size; by++) {
        const size_t first = cop_par_first_part(all->parts, by, size);
        all->from[by] = (int)(first * all->numbers);
        all->count[by] =
            (int)((cop_par_first_part(all->parts, by + 1, size) - first) * all->numbers);
    }
    MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all->number, all->count, all->from,
                   MPI_DOUBLE, impl->comm);
}

void cop_par_parts_share(cop_par_parts *all) {
    if (all->par->size == 1) return;
    if (all->node)
        meet(all);
    else
        scatter(all);
}

void cop_par_parts_gather(cop_par_parts *all) {
    const cop_par_impl *impl = all->par->impl;
    if (all->par->size == 1) return;
    if (all->node) {
        meet(all);
        return;
    }
    for (size_t at = 0; next_message(all, at); at += MOST)
        MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all->whole[all->turn], all->count,
                       all->from, all->sixteen, impl->comm);
}

void cop_par_sum(const cop_par *par, double *values, size_t count) {
    const cop_par_impl *impl = par->impl;
    if (par->size == 1) return;
    COP_ASSERT(count < COP_MESSAGE_MAX / 8);
    MPI_Allreduce(MPI_IN_PLACE, values, (int)count, MPI_DOUBLE, MPI_SUM, impl->comm);
}
