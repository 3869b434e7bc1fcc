/* Datasets that live once per node, in a window of shared memory. */
#include "internal.h"

#include <string.h>

/* What a rank must know to see the node's dataset. */
struct shape {
    uint64_t samples, channels, height, width;
    cop_head head;
    int32_t classes;
    char name[128];
};

static void publish(const cop_par *par, cop_dataset *mine, cop_dataset **set) {
    cop_par_impl *impl = par->impl;
    struct shape shape = {0};
    if (par->node_rank == 0) {
        COP_ASSERT(mine);
        shape = (struct shape){mine->samples,
                               mine->channels,
                               mine->height,
                               mine->width,
                               mine->head,
                               mine->classes,
                               ""};
        snprintf(shape.name, sizeof shape.name, "%s", mine->name);
    }
    cop_fault_point("share");
    MPI_Bcast(&shape, (int)sizeof shape, MPI_BYTE, 0, impl->node);
    cop_dataset *view = COP_NEW(cop_dataset);
    view->name = cop_strdup(shape.name);
    view->samples = shape.samples;
    view->channels = shape.channels;
    view->height = shape.height;
    view->width = shape.width;
    view->classes = shape.classes;
    view->head = shape.head;
    view->borrowed = true;
    size_t x_bytes = view->samples * cop_dataset_features(view) * sizeof(float);
    size_t label_bytes = view->samples * sizeof(int32_t);
    MPI_Aint bytes = par->node_rank == 0 ? (MPI_Aint)(x_bytes + label_bytes + 64) : 0;
    void *base = NULL;
    COP_ASSERT(impl->windows < COP_WINDOWS_MAX);
    MPI_Win *window = &impl->window[impl->windows++];
    MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, impl->node, &base, window);
    MPI_Aint size;
    int unit;
    MPI_Win_shared_query(*window, 0, &size, &unit, &base);
    view->x = base;
    view->label = (int32_t *)(void *)((char *)base + x_bytes);
    if (mine) {
        memcpy(view->x, mine->x, x_bytes);
        memcpy(view->label, mine->label, label_bytes);
    }
    MPI_Barrier(impl->node);
    *set = view;
}

cop_status cop_par_share_dataset(const cop_par *par, cop_load_fn load, void *user,
                                 cop_dataset **set) {
    *set = NULL;
    if (par->size == 1) return load(user, set);
    cop_dataset *mine = NULL;
    cop_status status = par->node_rank == 0 ? load(user, &mine) : COP_OK;
    status = cop_par_agree(par, status);
    if (status == COP_OK && par->nodes > 1) {
        /* every node must have read the same samples, or results would depend on who computed them
         */
        char digest[COP_HASH_HEX] = "";
        if (mine) cop_dataset_digest(mine, digest);
        cop_buf first = {0};
        cop_buf_add(&first, digest, sizeof digest);
        cop_par_broadcast(par, &first);
        if (mine && memcmp(first.data, digest, sizeof digest) != 0)
            status = cop_fail(COP_E_FORMAT,
                              "dataset %s: the samples read here differ from those read by rank 0: "
                              "give every node the same files",
                              mine->name);
        cop_buf_clear(&first);
        status = cop_par_agree(par, status);
    }
    if (status == COP_OK) publish(par, mine, set);
    cop_dataset_destroy(mine);
    return status;
}

void cop_par_free_windows(cop_par_impl *impl) {
    while (impl->windows) MPI_Win_free(&impl->window[--impl->windows]);
}
