/* The worker's half of the farm: do what the master says, in the order in which it says it. */
#include "farm.h"

#include <string.h>
#include <unistd.h>

#define NAP_US 100

static cop_status bad_length(cop_message kind, size_t length) {
    return cop_fail(COP_E_PEER, "message of kind %d from the master has %zu bytes", (int)kind,
                    length);
}

static cop_status evaluate(cop_farm *farm, cop_buf *result) {
    struct unit_order order;
    if (farm->inbox.length != sizeof order) return bad_length(COP_MSG_UNIT, farm->inbox.length);
    memcpy(&order, farm->inbox.data, sizeof order);
    struct result_head head = {order.epoch, order.unit.number, 0, 0, cop_clock(), 0};
    cop_buf_add(result, &head, sizeof head);
    cop_fault_point("unit");
    COP_TRY(farm->work.evaluate(farm->work.user, &order.unit, result));
    cop_fault_point("answer");
    head.seconds = cop_clock() - head.seconds;
    head.halt = cop_halt_requests();
    head.peak = cop_memory_peak();
    cop_halt_forget(head.halt & COP_HALT_CHECKPOINT); /* it is the master's now */
    memcpy(result->data, &head, sizeof head);
    return COP_OK;
}

static cop_status write_asked(cop_farm *farm, cop_buf *answer) {
    struct written_head head = {0};
    cop_buf_add(answer, &head, sizeof head);
    COP_TRY(farm->work.write(farm->work.user, farm->inbox.data, farm->inbox.length, answer));
    head.peak = cop_memory_peak();
    memcpy(answer->data, &head, sizeof head);
    return COP_OK;
}

static cop_status obey(cop_farm *farm, cop_message kind, cop_buf *answer) {
    void *user = farm->work.user;
    /* the payload as items of their own alignment */
    const void *payload = farm->inbox.data;
    size_t length = farm->inbox.length;
    switch (kind) {
    case COP_MSG_BREED:
        if (length % sizeof(cop_recipe)) return bad_length(kind, length);
        return farm->work.breed(user, payload, length / sizeof(cop_recipe));
    case COP_MSG_KEEP:
        if (length % sizeof(uint64_t)) return bad_length(kind, length);
        return farm->work.keep(user, payload, length / sizeof(uint64_t));
    case COP_MSG_UNIT:
        return evaluate(farm, answer);
    case COP_MSG_WRITE:
        return write_asked(farm, answer);
    default:
        return cop_fail(COP_E_PEER, "the master sent a message of kind %d", (int)kind);
    }
}

static void report_failure(cop_farm *farm, cop_status status) {
    cop_buf text = {0};
    int32_t code = (int32_t)status;
    cop_buf_add(&text, &code, sizeof code);
    if (cop_activity()[0]) cop_buf_printf(&text, "while %s: ", cop_activity());
    cop_buf_printf(&text, "%s", cop_error_message());
    cop_error_clear(); /* the master prints it; this rank stays silent */
    cop_wire_send(farm->par, &farm->outbox, 0, COP_MSG_FAILED, text.data, text.length);
    cop_buf_clear(&text);
}

/* A rank elsewhere is not told when the master dies. */
struct hearing {
    double last, patience; /* 0: for ever */
};

static void listen(const cop_farm *farm, struct hearing *hearing, cop_message kind) {
    hearing->last = cop_clock();
    if (kind == COP_MSG_PING && farm->inbox.length == sizeof hearing->patience)
        memcpy(&hearing->patience, farm->inbox.data, sizeof hearing->patience);
}

static void give_up_on_silence(const cop_farm *farm, const struct hearing *hearing) {
    if (!farm->par->survives || !(hearing->patience > 0) || cop_peer_seen(farm->par, 0) ||
        cop_clock() - hearing->last < hearing->patience)
        return;
    fprintf(stderr,
            "coppice: error: rank %d on %s has not heard of the master on %s for %.0f s: it ends\n",
            farm->par->rank, farm->par->host, cop_farm_host(farm, 0), cop_clock() - hearing->last);
    _exit(1);
}

cop_status cop_farm_serve(cop_farm *farm) {
    struct hearing hearing = {cop_clock(), 0};
    bool failed = false, abandoned = false;
    cop_buf answer = {0};
    cop_status outcome = COP_OK;
    for (;;) {
        int from;
        cop_message kind;
        cop_status status = COP_OK;
        cop_outbox_flush(&farm->outbox, false);
        if (!cop_wire_receive(farm->par, &from, &kind, &farm->inbox, &status)) {
            cop_nap(NAP_US);
            give_up_on_silence(farm, &hearing);
            continue;
        }
        listen(farm, &hearing, kind);
        if (status == COP_OK && from == 0 && kind == COP_MSG_STOP) {
            struct stop_order order = {COP_E_PEER, 0};
            if (farm->inbox.length == sizeof order) memcpy(&order, farm->inbox.data, sizeof order);
            outcome = (cop_status)order.status;
            cop_par_inside(farm->par)->no_end = order.no_end != 0;
            break;
        }
        if (kind == COP_MSG_PING) continue;
        if (kind == COP_MSG_DISMISS || cop_wire_waits(farm->par, 0, COP_MSG_DISMISS)) _exit(1);
        if (failed) continue; /* everything but the stop is moot */
        abandoned |= cop_wire_waits(farm->par, 0, COP_MSG_ABANDON) || kind == COP_MSG_ABANDON;
        if (status == COP_OK && (kind == COP_MSG_ABANDON || (abandoned && kind == COP_MSG_UNIT)))
            continue;
        cop_buf_reset(&answer);
        if (status == COP_OK) status = obey(farm, kind, &answer);
        if (status != COP_OK) {
            report_failure(farm, status);
            failed = true;
        } else if (kind == COP_MSG_UNIT || kind == COP_MSG_WRITE) {
            cop_wire_send(farm->par, &farm->outbox, 0,
                          kind == COP_MSG_UNIT ? COP_MSG_RESULT : COP_MSG_WRITTEN, answer.data,
                          answer.length);
        }
        cop_activity_set("%s", "");
    }
    cop_fault_point("bye");
    cop_wire_send(farm->par, &farm->outbox, 0, COP_MSG_BYE, NULL, 0);
    cop_outbox_flush(&farm->outbox, true);
    cop_buf_clear(&answer);
    return outcome;
}
