/* Slow, silent and dead workers. */
#include "farm.h"

#define SLOW 3.0   /* times the usual: such a unit is given to an idle worker too */
#define SLOW_S 0.1 /* and so much longer at least */
#define AWAY_S 5.0
#define SILENT_S 60.0 /* a worker longer on one unit than this is reported, again and again */

double cop_farm_slow(const cop_farm *farm) {
    return farm->typical > 0 ? SLOW * farm->typical + SLOW_S : farm->patience / 4;
}

/* Of the units that one worker alone has, the one that has been waited for longest; -1: none. */
static long find_slow(const cop_farm *farm, double now, int *at) {
    double since = now - cop_farm_slow(farm);
    long slow = -1;
    for (int rank = 1; rank < farm->par->size; rank++) {
        const struct worker *worker = &farm->workers[rank];
        if (worker->lost || worker->since >= since) continue;
        for (unsigned i = 0; i < worker->holds; i++) {
            uint32_t unit = worker->held[i].unit;
            if (worker->held[i].epoch != farm->epoch || farm->progress[unit].finished ||
                farm->progress[unit].copies != 1)
                continue;
            slow = unit;
            since = worker->since;
            *at = rank;
            break;
        }
    }
    return slow;
}

void cop_farm_double(cop_farm *farm) {
    if (farm->next < farm->unit_count || farm->again_count) return;
    double now = cop_clock();
    for (int rank = 1; rank < farm->par->size; rank++) {
        struct worker *worker = &farm->workers[rank];
        int at = 0;
        if (worker->lost || worker->holds || worker->writes) continue;
        long unit = find_slow(farm, now, &at);
        if (unit < 0) return;
        struct unit_order order = {farm->epoch, 0, farm->units[unit]};
        worker->since = worker->warned = now;
        worker->held[worker->holds].epoch = farm->epoch;
        worker->held[worker->holds++].unit = (uint32_t)unit;
        farm->progress[unit].copies++;
        farm->stats.doubled++;
        cop_farm_send(farm, rank, COP_MSG_UNIT, &order, sizeof order);
    }
}

/* ------------------------------------------------------------------ lost workers */

/* What the worker had in hand, for people. */
static void say_held(const cop_farm *farm, const struct worker *worker, cop_buf *text) {
    if (worker->holds && farm->units && worker->held[0].epoch == farm->epoch) {
        const cop_unit *unit = &farm->units[worker->held[0].unit];
        cop_buf_printf(text, " on unit %u (individuals %u to %u of the generation, shard %u)",
                       unit->number, unit->first, unit->first + unit->count - 1, unit->shard);
    } else if (worker->holds) {
        cop_buf_printf(text, " on unit %u of an earlier generation", worker->held[0].unit);
    } else if (worker->writes) {
        cop_buf_printf(text, " writing a checkpoint");
    } else {
        cop_buf_printf(text, " without work");
    }
}

static cop_status writes_lost(cop_farm *farm, int rank) {
    cop_status status = COP_OK;
    for (size_t i = 0; i < farm->write_count && status == COP_OK;) {
        struct write write = farm->writes[i];
        if (write.rank != rank) {
            i++;
            continue;
        }
        farm->writes[i] = farm->writes[--farm->write_count];
        status = write.done(write.user, NULL, 0);
    }
    return status;
}

static cop_status give_up(cop_farm *farm, int rank, const char *how) {
    struct worker *worker = &farm->workers[rank];
    cop_buf held = {0};
    say_held(farm, worker, &held);
    bool goes_on = farm->par->survives && farm->living > 1;
    worker->lost = true;
    farm->living--;
    cop_par_inside(farm->par)->lost++;
    for (unsigned i = 0; i < worker->holds; i++) {
        uint32_t unit = worker->held[i].unit;
        if (!farm->progress || worker->held[i].epoch != farm->epoch) continue;
        if (--farm->progress[unit].copies == 0 && !farm->progress[unit].finished)
            farm->again[farm->again_count++] = unit;
    }
    worker->holds = worker->writes = 0;
    if (farm->par->survives) {
        /* if it wakes up, it must not write files any more */
        cop_farm_send(farm, rank, COP_MSG_DISMISS, NULL, 0);
        cop_peer_kill(farm->par, rank);
    }
    cop_outbox_forget(&farm->outbox, rank);
    if (goes_on)
        cop_log(COP_LOG_WARNING, "rank %d on %s %s%s: %d workers go on without it", rank,
                cop_farm_host(farm, rank), how, cop_buf_text(&held), farm->living);
    cop_status status = writes_lost(farm, rank);
    if (status == COP_OK && !goes_on)
        status = cop_fail(COP_E_LOST, "rank %d on %s %s%s%s", rank, cop_farm_host(farm, rank), how,
                          cop_buf_text(&held), farm->living ? "" : "; no worker is left");
    cop_buf_clear(&held);
    return status;
}

static cop_status look_at(cop_farm *farm, int rank, double now) {
    struct worker *worker = &farm->workers[rank];
    double limit = farm->patience > 4 * farm->longest ? farm->patience : 4 * farm->longest;
    double silent = now - worker->since;
    char how[64];
    if (worker->lost) return COP_OK;
    if (cop_peer_gone(farm->par, rank)) return give_up(farm, rank, "has died");
    if (!worker->holds && !worker->writes) return COP_OK;
    if (farm->patience > 0 && silent > limit) {
        snprintf(how, sizeof how, "has been silent for %.0f s", silent);
        return give_up(farm, rank, how);
    }
    if (silent >= SILENT_S && now - worker->warned >= SILENT_S) {
        worker->warned = now;
        cop_buf held = {0};
        say_held(farm, worker, &held);
        cop_log(COP_LOG_WARNING, "rank %d on %s has been silent for %.0f s%s", rank,
                cop_farm_host(farm, rank), silent, cop_buf_text(&held));
        cop_buf_clear(&held);
    }
    return COP_OK;
}

/* Workers that cannot see the master's process count the seconds since they heard of it. */
static void ping(cop_farm *farm, double seconds) {
    farm->pinged = cop_clock();
    for (int rank = 1; rank < farm->par->size; rank++)
        if (!farm->workers[rank].lost && !cop_peer_seen(farm->par, rank))
            cop_farm_send(farm, rank, COP_MSG_PING, &seconds, sizeof seconds);
}

void cop_farm_rest(cop_farm *farm) {
    if (farm->par->survives && farm->patience > 0) ping(farm, 0);
    cop_outbox_flush(&farm->outbox, false);
}

cop_status cop_farm_look(cop_farm *farm) {
    double now = cop_clock();
    if (now - farm->looked < COP_FARM_IDLE_S) return COP_OK;
    double away = now - farm->looked;
    if (farm->looked > 0 && away > AWAY_S && away > farm->patience / 2)
        /* this rank itself was stopped or suspended: the silence is not the workers' */
        for (int rank = 1; rank < farm->par->size; rank++) farm->workers[rank].since = now;
    farm->looked = now;
    for (int rank = 1; rank < farm->par->size; rank++) COP_TRY(look_at(farm, rank, now));
    if (farm->par->survives && farm->patience > 0 && now - farm->pinged > farm->patience / 4)
        ping(farm, farm->patience);
    return COP_OK;
}
