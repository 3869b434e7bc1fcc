/* Groups of ranks that carry out whole jobs (the runs of a sweep). The cut is made once, at the
 * start; afterwards master and groups exchange messages between two ranks only. */
#include "wire.h"

#include <string.h>

#define NAP_US 1000 /* jobs take seconds and more */
#define IDLE_S 0.1

struct cop_pool {
    const cop_par *par;
    cop_par group; /* impl is NULL on ranks without a group */
    bool alone;
    int size, groups; /* ranks of a group, number of groups */
    bool *busy;       /* master: by group */
    cop_outbox outbox;
    cop_buf inbox;
};

static int leader(const cop_pool *pool, int group) {
    return 1 + group * pool->size;
}

static void make_group(cop_pool *pool, const cop_par *par, MPI_Comm comm) {
    cop_par_impl *impl = COP_NEW(cop_par_impl);
    pool->group = *par;
    pool->group.impl = impl;
    impl->comm = comm;
    impl->finalise = true;
    MPI_Comm_rank(comm, &pool->group.rank);
    MPI_Comm_size(comm, &pool->group.size);
    cop_par_find_nodes(&pool->group, impl);
    pool->group.survives = false; /* ranks of a group meet again in collective calls */
    cop_par_find_peers(&pool->group, impl);
}

cop_status cop_pool_check(const cop_par *par, int ranks_per_group) {
    if (ranks_per_group >= 1 && (ranks_per_group < par->size || ranks_per_group == 1))
        return COP_OK;
    return cop_fail(
        COP_E_USAGE,
        "groups of %d ranks want at least %d ranks, as rank 0 only directs; there %s %d",
        ranks_per_group, ranks_per_group + 1, par->size == 1 ? "is" : "are", par->size);
}

cop_status cop_pool_create(cop_pool **pool, const cop_par *par, int ranks_per_group) {
    *pool = NULL;
    COP_TRY(cop_pool_check(par, ranks_per_group));
    cop_pool *made = COP_NEW(cop_pool);
    made->par = par;
    made->size = ranks_per_group;
    made->alone = par->size == 1;
    made->groups = made->alone ? 1 : (par->size - 1) / ranks_per_group;
    made->busy = COP_NEW_ARRAY(bool, (size_t)made->groups);
    if (made->alone) {
        made->group = *par;
    } else {
        int mine = par->rank == 0 ? made->groups : (par->rank - 1) / ranks_per_group;
        MPI_Comm comm;
        MPI_Comm_split(((const cop_par_impl *)par->impl)->comm,
                       mine < made->groups ? mine : MPI_UNDEFINED, par->rank, &comm);
        if (comm != MPI_COMM_NULL) make_group(made, par, comm);
    }
    *pool = made;
    return COP_OK;
}

void cop_pool_destroy(cop_pool *pool) {
    if (!pool) return;
    cop_outbox_flush(&pool->outbox, true);
    if (!pool->alone && pool->group.impl) {
        cop_par_impl *impl = pool->group.impl;
        cop_par_free_windows(impl);
        MPI_Comm_free(&impl->node);
        MPI_Comm_free(&impl->comm);
        cop_free(impl->host);
        cop_free(impl->pid);
        cop_free(impl);
    }
    cop_buf_clear(&pool->inbox);
    cop_free(pool->busy);
    cop_free(pool);
}

int cop_pool_groups(const cop_pool *pool) {
    return pool->groups;
}

/* ------------------------------------------------------------------ master */

static cop_status run_alone(cop_pool *pool, const cop_pool_master *master, cop_pool_work work,
                            void *user) {
    cop_buf job = {0}, answer = {0};
    while (cop_buf_reset(&job), master->next(master->user, &job)) {
        cop_buf_reset(&answer);
        work(user, &pool->group, &job, &answer);
        master->done(master->user, answer.data, answer.length);
    }
    cop_buf_clear(&job);
    cop_buf_clear(&answer);
    return COP_OK;
}

/* A job for every group that has none; how many groups work. */
static int hand_out(cop_pool *pool, const cop_pool_master *master) {
    int busy = 0;
    bool more = true;
    cop_buf job = {0};
    for (int g = 0; g < pool->groups; g++) {
        if (!pool->busy[g] && more) {
            cop_buf_reset(&job);
            more = master->next(master->user, &job);
            if (more) {
                cop_wire_send(pool->par, &pool->outbox, leader(pool, g), COP_MSG_JOB, job.data,
                              job.length);
                pool->busy[g] = true;
            }
        }
        busy += pool->busy[g];
    }
    cop_buf_clear(&job);
    return busy;
}

static cop_status take_answer(cop_pool *pool, const cop_pool_master *master, bool *any) {
    int from;
    cop_message kind;
    cop_status status = COP_OK;
    *any = cop_wire_receive(pool->par, &from, &kind, &pool->inbox, &status);
    if (!*any) return COP_OK;
    COP_TRY(status);
    int group = (from - 1) / pool->size;
    if (kind != COP_MSG_DONE || from < 1 || group >= pool->groups || !pool->busy[group] ||
        from != leader(pool, group))
        return cop_fail(COP_E_PEER, "rank %d on %s sent a message of kind %d without having a job",
                        from, ((const cop_par_impl *)pool->par->impl)->host[from], (int)kind);
    pool->busy[group] = false;
    master->done(master->user, pool->inbox.data, pool->inbox.length);
    return COP_OK;
}

cop_status cop_pool_run(cop_pool *pool, const cop_pool_master *master, cop_pool_work work,
                        void *work_user) {
    COP_ASSERT(pool->par->rank == 0);
    if (pool->alone) return run_alone(pool, master, work, work_user);
    double idle_called = 0;
    while (hand_out(pool, master)) {
        bool any;
        cop_outbox_flush(&pool->outbox, false);
        COP_TRY(take_answer(pool, master, &any));
        if (any) continue;
        double now = cop_clock();
        if (now - idle_called >= IDLE_S) {
            idle_called = now;
            master->idle(master->user);
        }
        cop_nap(NAP_US);
    }
    return COP_OK;
}

void cop_pool_stop(cop_pool *pool, cop_status status) {
    int32_t code = (int32_t)status;
    int used = 1 + pool->groups * pool->size;
    if (pool->alone) return;
    for (int g = 0; g < pool->groups; g++)
        cop_wire_send(pool->par, &pool->outbox, leader(pool, g), COP_MSG_STOP, &code, sizeof code);
    for (int rank = used; rank < pool->par->size; rank++)
        cop_wire_send(pool->par, &pool->outbox, rank, COP_MSG_STOP, &code, sizeof code);
    cop_outbox_flush(&pool->outbox, true);
}

/* ------------------------------------------------------------------ groups */

/* The next job, or the status of the end; from the master to the first rank of the group. */
static void wait_for_job(cop_pool *pool, cop_buf *order) {
    int from;
    cop_message kind;
    cop_status status = COP_OK;
    int32_t code = COP_E_PEER;
    for (;;) {
        cop_outbox_flush(&pool->outbox, false);
        if (cop_wire_receive(pool->par, &from, &kind, &pool->inbox, &status)) break;
        cop_nap(NAP_US);
    }
    cop_buf_reset(order);
    if (status == COP_OK && from == 0 && kind == COP_MSG_JOB) {
        cop_buf_add(order, "j", 1);
        cop_buf_add(order, pool->inbox.data, pool->inbox.length);
        return;
    }
    /* the end, or a message that cannot be: then nothing is right any more */
    if (status == COP_OK && kind == COP_MSG_STOP && pool->inbox.length == sizeof code)
        memcpy(&code, pool->inbox.data, sizeof code);
    cop_buf_add(order, "e", 1);
    cop_buf_add(order, &code, sizeof code);
}

cop_status cop_pool_serve(cop_pool *pool, cop_pool_work work, void *user) {
    bool first = !pool->group.impl || pool->group.rank == 0;
    int32_t code = COP_E_PEER;
    cop_buf order = {0}, job = {0}, answer = {0};
    for (;;) {
        if (first) wait_for_job(pool, &order);
        if (pool->group.impl) cop_par_broadcast(&pool->group, &order);
        COP_ASSERT(order.length >= 1);
        if (order.data[0] == 'e') break;
        cop_buf_reset(&job);
        cop_buf_reset(&answer);
        cop_buf_add(&job, order.data + 1, order.length - 1);
        work(user, &pool->group, &job, &answer);
        cop_par_free_windows(pool->group.impl);
        if (first)
            cop_wire_send(pool->par, &pool->outbox, 0, COP_MSG_DONE, answer.data, answer.length);
    }
    COP_ASSERT(order.length == 1 + sizeof code);
    memcpy(&code, order.data + 1, sizeof code);
    cop_buf_clear(&order);
    cop_buf_clear(&job);
    cop_buf_clear(&answer);
    return (cop_status)code;
}
