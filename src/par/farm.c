/* The master's half of the farm: hands out units, takes results in whatever order they come, sleeps
 * when nothing comes. Its work per unit is constant; it never sees a genome. */
#include "farm.h"

#include <string.h>

#define NAP_US                                                                                     \
    100 /* adds at most this to a unit's turn-round; units take milliseconds and more              \
         */
#define GOODBYE_S 10.0 /* how long a stop may take before force is used */

cop_farm *cop_farm_create(const cop_par *par, const cop_farm_work *work) {
    cop_farm *farm = COP_NEW(cop_farm);
    farm->par = par;
    farm->work = *work;
    farm->workers = COP_NEW_ARRAY(struct worker, (size_t)par->size);
    farm->living = par->size - 1;
    farm->patience = COP_FARM_PATIENCE_S;
    if (par->survives) MPI_Comm_set_errhandler(cop_par_inside(par)->comm, MPI_ERRORS_RETURN);
    cop_watch_mode(par->rank == 0 ? COP_WATCH_NOTHING : COP_WATCH_MASTER);
    return farm;
}

void cop_farm_patience(cop_farm *farm, double seconds) {
    farm->patience = seconds;
}

const char *cop_farm_host(const cop_farm *farm, int rank) {
    return ((const cop_par_impl *)farm->par->impl)->host[rank];
}

void cop_farm_destroy(cop_farm *farm) {
    if (!farm) return;
    cop_outbox_flush(&farm->outbox, true);
    const cop_par_impl *inside = cop_par_inside(farm->par); /* NULL: one process without MPI */
    if (inside && !inside->no_end) cop_watch_mode(COP_WATCH_ALL);
    cop_farm_drop_pairs(farm);
    cop_buf_clear(&farm->inbox);
    cop_free(farm->workers);
    cop_free(farm->writes);
    cop_free(farm);
}

void cop_farm_send(cop_farm *farm, int rank, cop_message kind, const void *payload, size_t length) {
    farm->stats.messages++;
    farm->stats.bytes += length;
    cop_wire_send(farm->par, &farm->outbox, rank, kind, payload, length);
}

static void send_to_all(cop_farm *farm, cop_message kind, const void *payload, size_t length) {
    for (int rank = 1; rank < farm->par->size; rank++)
        if (!farm->workers[rank].lost) cop_farm_send(farm, rank, kind, payload, length);
}

cop_status cop_farm_breed(cop_farm *farm, const cop_recipe *recipes, size_t count) {
    if (farm->par->size == 1) return farm->work.breed(farm->work.user, recipes, count);
    send_to_all(farm, COP_MSG_BREED, recipes, count * sizeof *recipes);
    return COP_OK;
}

cop_status cop_farm_keep(cop_farm *farm, const uint64_t *ids, size_t count) {
    if (farm->par->size == 1) return farm->work.keep(farm->work.user, ids, count);
    send_to_all(farm, COP_MSG_KEEP, ids, count * sizeof *ids);
    return COP_OK;
}

/* ------------------------------------------------------------------ evaluation */

/* The next unit for somebody: first those that came back from the lost. */
static bool next_unit(cop_farm *farm, uint32_t *unit) {
    while (farm->again_count) {
        *unit = farm->again[--farm->again_count];
        if (!farm->progress[*unit].finished) return true;
    }
    if (farm->next == farm->unit_count) return false;
    *unit = farm->units[farm->next++].number;
    return true;
}

static void hand_out(cop_farm *farm) {
    double now = cop_clock(), slow = cop_farm_slow(farm);
    uint32_t unit;
    /* one each first, then the second ones: near the end nobody sits on two while another has none
     */
    for (unsigned depth = 0; depth < COP_FARM_PREFETCH; depth++)
        for (int rank = 1; rank < farm->par->size; rank++) {
            struct worker *worker = &farm->workers[rank];
            if (worker->lost || worker->holds > depth ||
                (worker->holds && now - worker->since > slow))
                continue;
            if (!next_unit(farm, &unit)) return;
            if (worker->holds == 0) worker->since = worker->warned = now;
            struct unit_order order = {farm->epoch, 0, farm->units[unit]};
            worker->held[worker->holds].epoch = farm->epoch;
            worker->held[worker->holds++].unit = unit;
            farm->progress[unit].copies++;
            cop_farm_send(farm, rank, COP_MSG_UNIT, &order, sizeof order);
        }
}

static cop_status evaluate_alone(cop_farm *farm, cop_farm_idle idle) {
    cop_buf result = {0};
    cop_status status = COP_OK;
    for (size_t i = 0; i < farm->unit_count && status == COP_OK; i++) {
        double start = cop_clock();
        cop_buf_reset(&result);
        status = farm->work.evaluate(farm->work.user, &farm->units[i], &result);
        farm->stats.worker_seconds += cop_clock() - start;
        farm->stats.units++;
        if (status == COP_OK)
            status = farm->take(farm->take_user, &farm->units[i], result.data, result.length);
        if (status == COP_OK && idle) status = idle(farm->take_user);
    }
    cop_buf_clear(&result);
    return status;
}

static cop_status evaluate_on_workers(cop_farm *farm, cop_farm_idle idle) {
    double idle_called = 0;
    while (farm->done < farm->unit_count) {
        bool any = false;
        hand_out(farm);
        cop_farm_double(farm);
        cop_outbox_flush(&farm->outbox, false);
        COP_TRY(cop_farm_receive_all(farm, &any));
        double now = cop_clock();
        if (now - idle_called >= COP_FARM_IDLE_S) { /* also when results never cease to come */
            idle_called = now;
            /* first: a launcher that ends the job for a death asks for a stop too */
            COP_TRY(cop_farm_look(farm));
            if (idle) COP_TRY(idle(farm->take_user));
        }
        if (any) continue;
        cop_nap(NAP_US);
        farm->stats.idle_seconds += cop_clock() - now;
    }
    return COP_OK;
}

cop_status cop_farm_evaluate(cop_farm *farm, const cop_unit *units, size_t count,
                             cop_farm_take take, void *user, cop_farm_idle idle) {
    farm->epoch++;
    farm->units = units;
    farm->unit_count = count;
    farm->next = farm->done = 0;
    farm->take = take;
    farm->take_user = user;
    farm->progress = COP_NEW_ARRAY(struct progress, count);
    farm->again = COP_NEW_ARRAY(uint32_t, count);
    farm->again_count = 0;
    for (size_t i = 0; i < count; i++) COP_ASSERT(units[i].number == i);
    cop_status status =
        farm->par->size == 1 ? evaluate_alone(farm, idle) : evaluate_on_workers(farm, idle);
    if (status != COP_OK) {
        farm->abandoned = true;
        send_to_all(farm, COP_MSG_ABANDON, NULL, 0);
    }
    cop_free(farm->progress);
    cop_free(farm->again);
    farm->progress = NULL;
    farm->again = NULL;
    farm->units = NULL;
    farm->unit_count = 0;
    return status;
}

/* ------------------------------------------------------------------ writes and the end */

cop_status cop_farm_write(cop_farm *farm, const void *request, size_t length, cop_farm_written done,
                          void *user) {
    if (farm->par->size == 1) {
        cop_buf result = {0};
        cop_status status = farm->work.write(farm->work.user, request, length, &result);
        if (status == COP_OK) status = done(user, result.data, result.length);
        cop_buf_clear(&result);
        return status;
    }
    int best = 0;
    for (int rank = 1; rank < farm->par->size; rank++) {
        const struct worker *a = &farm->workers[rank], *b = &farm->workers[best];
        if (a->lost) continue;
        if (!best || a->writes < b->writes || (a->writes == b->writes && a->holds < b->holds))
            best = rank;
    }
    if (!best) return cop_fail(COP_E_LOST, "no worker is left to write a file");
    struct worker *writer = &farm->workers[best];
    farm->writes =
        cop_realloc(farm->writes, farm->write_count, farm->write_count + 1, sizeof *farm->writes);
    farm->writes[farm->write_count++] = (struct write){best, done, user};
    if (!writer->holds && !writer->writes) writer->since = writer->warned = cop_clock();
    writer->writes++;
    cop_farm_send(farm, best, COP_MSG_WRITE, request, length);
    return COP_OK;
}

cop_status cop_farm_drain(cop_farm *farm) {
    while (farm->write_count) {
        bool any = false;
        cop_outbox_flush(&farm->outbox, false);
        COP_TRY(cop_farm_receive_all(farm, &any));
        COP_TRY(cop_farm_look(farm));
        if (!any) cop_nap(NAP_US);
    }
    return COP_OK;
}

/* How many workers have neither acknowledged the stop nor died nor been given up. */
static int count_missing(const cop_farm *farm, const bool *bye) {
    int missing = 0;
    for (int rank = 1; rank < farm->par->size; rank++)
        missing += !farm->workers[rank].lost && !bye[rank] && !cop_peer_gone(farm->par, rank);
    return missing;
}

static int wait_for_byes(cop_farm *farm, double patience) {
    bool *bye = COP_NEW_ARRAY(bool, (size_t)farm->par->size);
    double start = cop_clock();
    int missing;
    while ((missing = count_missing(farm, bye)) && cop_clock() - start < patience) {
        int from;
        cop_message kind;
        cop_status status = COP_OK;
        cop_outbox_flush(&farm->outbox, false);
        if (!cop_wire_receive(farm->par, &from, &kind, &farm->inbox, &status))
            cop_nap(NAP_US);
        else if (kind == COP_MSG_BYE)
            bye[from] = true; /* late results and failures are of no interest now */
    }
    cop_free(bye);
    return missing;
}

void cop_farm_stop(cop_farm *farm, cop_status outcome) {
    /* where the job outlives ranks, one may die at any moment: nobody waits for the others in MPI's
     * own end */
    struct stop_order order = {(int32_t)outcome, farm->par->survives};
    if (farm->par->size == 1) return;
    cop_fault_point("stop");
    send_to_all(farm, COP_MSG_STOP, &order, sizeof order);
    /* every worker may be in the midst of a unit, which a stop with a good checkpoint waits for */
    double patience = GOODBYE_S + (outcome == COP_E_STOPPED ? 1.5 * farm->longest : 0);
    int missing = wait_for_byes(farm, patience);
    if (farm->par->survives) {
        cop_par_inside(farm->par)->no_end = true;
        for (int rank = 1; rank < farm->par->size; rank++) {
            cop_outbox_forget(&farm->outbox, rank);
            if (missing && cop_peer_seen(farm->par, rank)) cop_peer_kill(farm->par, rank);
        }
    } else if (missing || cop_par_inside(farm->par)->lost) {
        /* main will not come to say it */
        if (outcome != COP_OK && *cop_error_message())
            cop_log(outcome == COP_E_STOPPED ? COP_LOG_WARNING : COP_LOG_ERROR, "%s",
                    cop_error_message());
        if (missing)
            cop_log(COP_LOG_ERROR,
                    "%d of %d workers did not answer the stop within %.0f s: ending the "
                    "job on all ranks",
                    missing, farm->living, patience);
        cop_par_abort(farm->par, cop_status_exit_code(outcome));
    }
}

void cop_farm_get_stats(const cop_farm *farm, cop_farm_stats *stats) {
    *stats = farm->stats;
}

uint64_t cop_farm_peak(const cop_farm *farm, int rank) {
    return rank == 0 ? cop_memory_peak() : farm->workers[rank].peak;
}
