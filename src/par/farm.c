/* The master's half of the farm: hands out units, takes results in whatever order they come, sleeps
 * when nothing comes. Its work per unit is constant; it never sees a genome. */
#include "farm.h"

#include <string.h>

#define NAP_US                                                                                     \
    100            /* adds at most this to a unit's turn-round; units take milliseconds and more   \
                    */
#define IDLE_S 0.1 /* how often the caller's idle function runs */
#define SILENT_S 60.0  /* a worker longer on one unit than this is reported, again and again */
#define GOODBYE_S 10.0 /* how long a stop may take before force is used */

cop_farm *cop_farm_create(const cop_par *par, const cop_farm_work *work) {
    cop_farm *farm = COP_NEW(cop_farm);
    farm->par = par;
    farm->work = *work;
    farm->workers = COP_NEW_ARRAY(struct worker, (size_t)par->size);
    return farm;
}

void cop_farm_destroy(cop_farm *farm) {
    if (!farm) return;
    cop_outbox_flush(&farm->outbox, true);
    cop_buf_clear(&farm->inbox);
    cop_free(farm->workers);
    cop_free(farm->writes);
    cop_free(farm);
}

static void send(cop_farm *farm, int rank, cop_message kind, const void *payload, size_t length) {
    farm->stats.messages++;
    farm->stats.bytes += length;
    cop_wire_send(farm->par, &farm->outbox, rank, kind, payload, length);
}

static void send_to_all(cop_farm *farm, cop_message kind, const void *payload, size_t length) {
    for (int rank = 1; rank < farm->par->size; rank++) send(farm, rank, kind, payload, length);
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

/* ------------------------------------------------------------------ what comes back */

static const char *host_of(const cop_farm *farm, int rank) {
    return ((const cop_par_impl *)farm->par->impl)->host[rank];
}

static cop_status take_result(cop_farm *farm, int rank) {
    struct worker *worker = &farm->workers[rank];
    struct result_head head;
    if (farm->inbox.length < sizeof head || (worker->holds == 0 && !farm->abandoned))
        return cop_fail(COP_E_PEER, "rank %d on %s answered a unit that it does not hold", rank,
                        host_of(farm, rank));
    memcpy(&head, farm->inbox.data, sizeof head);
    cop_halt_request(head.halt);
    if (head.seconds > farm->longest) farm->longest = head.seconds;
    if (farm->abandoned) {
        worker->holds = 0;
        return COP_OK;
    }
    /* a worker answers in the order in which it was given units */
    if (head.unit != worker->held[0] || head.unit >= farm->unit_count || farm->finished[head.unit])
        return cop_fail(COP_E_PEER, "rank %d on %s answered unit %u where unit %u was expected",
                        rank, host_of(farm, rank), head.unit, worker->held[0]);
    memmove(worker->held, worker->held + 1, sizeof worker->held - sizeof worker->held[0]);
    worker->holds--;
    worker->since = cop_clock();
    farm->finished[head.unit] = true;
    farm->done++;
    farm->stats.units++;
    farm->stats.worker_seconds += head.seconds;
    return farm->take(farm->take_user, &farm->units[head.unit], farm->inbox.data + sizeof head,
                      farm->inbox.length - sizeof head);
}

static cop_status take_written(cop_farm *farm, int rank) {
    for (size_t i = 0; i < farm->write_count; i++) {
        if (farm->writes[i].rank != rank) continue;
        struct write write = farm->writes[i];
        memmove(farm->writes + i, farm->writes + i + 1,
                (farm->write_count - i - 1) * sizeof *farm->writes);
        farm->write_count--;
        farm->workers[rank].writes--;
        return write.done(write.user, farm->inbox.data, farm->inbox.length);
    }
    return cop_fail(COP_E_PEER, "rank %d on %s says it wrote a file that nobody asked for", rank,
                    host_of(farm, rank));
}

static cop_status take_failure(cop_farm *farm, int rank) {
    int32_t code = COP_E_PEER;
    if (farm->inbox.length < sizeof code)
        return cop_fail(COP_E_PEER, "rank %d on %s failed without saying why", rank,
                        host_of(farm, rank));
    memcpy(&code, farm->inbox.data, sizeof code);
    return cop_fail(code > COP_OK && code <= COP_E_MEMORY ? (cop_status)code : COP_E_PEER,
                    "rank %d on %s: %.*s", rank, host_of(farm, rank),
                    (int)(farm->inbox.length - sizeof code),
                    (const char *)farm->inbox.data + sizeof code);
}

/* Handle everything that has arrived; *any says whether something had. */
static cop_status receive_all(cop_farm *farm, bool *any) {
    int from;
    cop_message kind;
    cop_status status = COP_OK;
    while (cop_wire_receive(farm->par, &from, &kind, &farm->inbox, &status)) {
        *any = true;
        farm->stats.messages++;
        farm->stats.bytes += farm->inbox.length;
        COP_TRY(status);
        if (kind == COP_MSG_RESULT)
            status = take_result(farm, from);
        else if (kind == COP_MSG_WRITTEN)
            status = take_written(farm, from);
        else if (kind == COP_MSG_FAILED)
            status = take_failure(farm, from);
        else
            status = cop_fail(COP_E_PEER, "rank %d on %s sent a message of kind %d to the master",
                              from, host_of(farm, from), (int)kind);
        COP_TRY(status);
    }
    return COP_OK;
}

/* ------------------------------------------------------------------ evaluation */

static void hand_out(cop_farm *farm) {
    double now = cop_clock();
    /* one each first, then the second ones: near the end nobody sits on two while another has none
     */
    for (unsigned depth = 0; depth < PREFETCH; depth++)
        for (int rank = 1; rank < farm->par->size && farm->next < farm->unit_count; rank++) {
            struct worker *worker = &farm->workers[rank];
            if (worker->holds > depth) continue;
            if (worker->holds == 0) worker->since = worker->warned = now;
            worker->held[worker->holds++] = farm->units[farm->next].number;
            send(farm, rank, COP_MSG_UNIT, &farm->units[farm->next], sizeof(cop_unit));
            farm->next++;
        }
}

static void report_silence(cop_farm *farm) {
    double now = cop_clock();
    for (int rank = 1; rank < farm->par->size; rank++) {
        struct worker *worker = &farm->workers[rank];
        if (worker->holds == 0 || now - worker->since < SILENT_S || now - worker->warned < SILENT_S)
            continue;
        worker->warned = now;
        cop_log(COP_LOG_WARNING, "rank %d on %s has been silent on unit %u for %.0f s", rank,
                host_of(farm, rank), worker->held[0], now - worker->since);
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
        cop_outbox_flush(&farm->outbox, false);
        COP_TRY(receive_all(farm, &any));
        double now = cop_clock();
        if (now - idle_called >= IDLE_S) { /* also when results never cease to come */
            idle_called = now;
            if (idle) COP_TRY(idle(farm->take_user));
            report_silence(farm);
        }
        if (any) continue;
        cop_nap(NAP_US);
        farm->stats.idle_seconds += cop_clock() - now;
    }
    return COP_OK;
}

cop_status cop_farm_evaluate(cop_farm *farm, const cop_unit *units, size_t count,
                             cop_farm_take take, void *user, cop_farm_idle idle) {
    farm->units = units;
    farm->unit_count = count;
    farm->next = farm->done = 0;
    farm->take = take;
    farm->take_user = user;
    farm->finished = COP_NEW_ARRAY(bool, count);
    for (size_t i = 0; i < count; i++) COP_ASSERT(units[i].number == i);
    cop_status status =
        farm->par->size == 1 ? evaluate_alone(farm, idle) : evaluate_on_workers(farm, idle);
    if (status != COP_OK) {
        farm->abandoned = true;
        send_to_all(farm, COP_MSG_ABANDON, NULL, 0);
    }
    cop_free(farm->finished);
    farm->finished = NULL;
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
    int best = 1;
    for (int rank = 2; rank < farm->par->size; rank++) {
        const struct worker *a = &farm->workers[rank], *b = &farm->workers[best];
        if (a->writes < b->writes || (a->writes == b->writes && a->holds < b->holds)) best = rank;
    }
    farm->writes =
        cop_realloc(farm->writes, farm->write_count, farm->write_count + 1, sizeof *farm->writes);
    farm->writes[farm->write_count++] = (struct write){best, done, user};
    farm->workers[best].writes++;
    send(farm, best, COP_MSG_WRITE, request, length);
    return COP_OK;
}

cop_status cop_farm_drain(cop_farm *farm) {
    while (farm->write_count) {
        bool any = false;
        cop_outbox_flush(&farm->outbox, false);
        COP_TRY(receive_all(farm, &any));
        if (!any) cop_nap(NAP_US);
    }
    return COP_OK;
}

void cop_farm_stop(cop_farm *farm, cop_status outcome) {
    int32_t code = (int32_t)outcome;
    int missing = farm->par->size - 1;
    if (!missing) return;
    send_to_all(farm, COP_MSG_STOP, &code, sizeof code);
    /* every worker may be in the midst of a unit, which a stop with a good checkpoint waits for */
    double patience = GOODBYE_S + (outcome == COP_E_STOPPED ? 1.5 * farm->longest : 0);
    double start = cop_clock();
    while (missing && cop_clock() - start < patience) {
        int from;
        cop_message kind;
        cop_status status = COP_OK;
        cop_outbox_flush(&farm->outbox, false);
        if (!cop_wire_receive(farm->par, &from, &kind, &farm->inbox, &status))
            cop_nap(NAP_US);
        else if (kind == COP_MSG_BYE)
            missing--; /* late results and failures are of no interest now */
    }
    if (missing) {
        cop_log(COP_LOG_ERROR,
                "%d of %d workers did not answer the stop within %.0f s: ending the "
                "job on all ranks",
                missing, farm->par->size - 1, patience);
        cop_par_abort(farm->par, cop_status_exit_code(outcome));
    }
}

void cop_farm_get_stats(const cop_farm *farm, cop_farm_stats *stats) {
    *stats = farm->stats;
}
