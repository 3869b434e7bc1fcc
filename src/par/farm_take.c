/* What comes back from workers. A worker answers in the order in which it was given units; two
 * workers that were given the same unit must answer the same. */
#include "farm.h"

#include <string.h>

static struct pair *find_pair(cop_farm *farm, uint32_t epoch, uint32_t unit) {
    for (size_t i = 0; i < farm->pair_count; i++)
        if (farm->pairs[i].epoch == epoch && farm->pairs[i].unit.number == unit)
            return &farm->pairs[i];
    return NULL;
}

static void drop_pair(cop_farm *farm, struct pair *pair) {
    cop_buf_clear(&pair->answer);
    *pair = farm->pairs[--farm->pair_count];
}

void cop_farm_drop_pairs(cop_farm *farm) {
    while (farm->pair_count) drop_pair(farm, farm->pairs);
    cop_free(farm->pairs);
    farm->pairs = NULL;
}

static void keep_answer(cop_farm *farm, int rank, const cop_unit *unit, const void *bytes,
                        size_t length) {
    farm->pairs =
        cop_realloc(farm->pairs, farm->pair_count, farm->pair_count + 1, sizeof *farm->pairs);
    struct pair *pair = &farm->pairs[farm->pair_count++];
    *pair = (struct pair){.epoch = farm->epoch, .unit = *unit, .rank = rank};
    cop_buf_add(&pair->answer, bytes, length);
}

static void describe(const cop_farm *farm, const void *bytes, size_t length, cop_buf *text) {
    char hex[COP_HASH_HEX];
    if (farm->work.describe) farm->work.describe(bytes, length, text);
    cop_hash *hash = cop_hash_create();
    cop_hash_add(hash, bytes, length);
    cop_hash_hex(hash, hex);
    cop_hash_destroy(hash);
    cop_buf_printf(text, " (%zu bytes, SHA-256 %.12s)", length, hex);
}

static cop_status compare(cop_farm *farm, int rank, struct pair *pair, const void *bytes,
                          size_t length) {
    if (pair->answer.length == length && memcmp(pair->answer.data, bytes, length) == 0) {
        drop_pair(farm, pair);
        return COP_OK;
    }
    cop_buf first = {0}, second = {0};
    describe(farm, pair->answer.data, pair->answer.length, &first);
    describe(farm, bytes, length, &second);
    cop_status status = cop_fail(
        COP_E_PEER,
        "unit %u (individuals %u to %u of its generation, shard %u) has two answers: rank %d on %s "
        "says%s, rank %d on %s says%s: one of these machines computes wrongly, or their BLAS "
        "differ; leave one out",
        pair->unit.number, pair->unit.first, pair->unit.first + pair->unit.count - 1,
        pair->unit.shard, pair->rank, cop_farm_host(farm, pair->rank), cop_buf_text(&first), rank,
        cop_farm_host(farm, rank), cop_buf_text(&second));
    cop_buf_clear(&first);
    cop_buf_clear(&second);
    return status;
}

static cop_status take_result(cop_farm *farm, int rank) {
    struct worker *worker = &farm->workers[rank];
    struct result_head head;
    if (farm->inbox.length < sizeof head || (worker->holds == 0 && !farm->abandoned))
        return cop_fail(COP_E_PEER, "rank %d on %s answered a unit that it does not hold", rank,
                        cop_farm_host(farm, rank));
    memcpy(&head, farm->inbox.data, sizeof head);
    const unsigned char *bytes = farm->inbox.data + sizeof head;
    size_t length = farm->inbox.length - sizeof head;
    cop_halt_request(head.halt);
    worker->since = cop_clock();
    worker->peak = head.peak;
    if (head.seconds > farm->longest) farm->longest = head.seconds;
    if (farm->abandoned) {
        worker->holds = 0;
        return COP_OK;
    }
    if (head.unit != worker->held[0].unit || head.epoch != worker->held[0].epoch)
        return cop_fail(COP_E_PEER, "rank %d on %s answered unit %u where unit %u was expected",
                        rank, cop_farm_host(farm, rank), head.unit, worker->held[0].unit);
    memmove(worker->held, worker->held + 1, sizeof worker->held - sizeof worker->held[0]);
    worker->holds--;
    farm->stats.worker_seconds += head.seconds;
    struct pair *pair = find_pair(farm, head.epoch, head.unit);
    if (head.epoch != farm->epoch || !farm->progress)
        return pair ? compare(farm, rank, pair, bytes, length) : COP_OK;
    struct progress *progress = &farm->progress[head.unit];
    progress->copies--;
    if (progress->finished) return pair ? compare(farm, rank, pair, bytes, length) : COP_OK;
    farm->typical = farm->typical > 0 ? 0.9 * farm->typical + 0.1 * head.seconds : head.seconds;
    progress->finished = true;
    farm->done++;
    farm->stats.units++;
    if (progress->copies) keep_answer(farm, rank, &farm->units[head.unit], bytes, length);
    return farm->take(farm->take_user, &farm->units[head.unit], bytes, length);
}

static cop_status take_written(cop_farm *farm, int rank) {
    farm->workers[rank].since = cop_clock();
    for (size_t i = 0; i < farm->write_count; i++) {
        if (farm->writes[i].rank != rank) continue;
        struct write write = farm->writes[i];
        memmove(farm->writes + i, farm->writes + i + 1,
                (farm->write_count - i - 1) * sizeof *farm->writes);
        farm->write_count--;
        farm->workers[rank].writes--;
        struct written_head head;
        if (farm->inbox.length < sizeof head)
            return cop_fail(COP_E_PEER, "rank %d on %s cut its answer about a file short", rank,
                            cop_farm_host(farm, rank));
        memcpy(&head, farm->inbox.data, sizeof head);
        farm->workers[rank].peak = head.peak;
        return write.done(write.user, farm->inbox.data + sizeof head,
                          farm->inbox.length - sizeof head);
    }
    return cop_fail(COP_E_PEER, "rank %d on %s says it wrote a file that nobody asked for", rank,
                    cop_farm_host(farm, rank));
}

static cop_status take_failure(cop_farm *farm, int rank) {
    int32_t code = COP_E_PEER;
    if (farm->inbox.length < sizeof code)
        return cop_fail(COP_E_PEER, "rank %d on %s failed without saying why", rank,
                        cop_farm_host(farm, rank));
    memcpy(&code, farm->inbox.data, sizeof code);
    return cop_fail(code > COP_OK && code <= COP_E_MEMORY ? (cop_status)code : COP_E_PEER,
                    "rank %d on %s: %.*s", rank, cop_farm_host(farm, rank),
                    (int)(farm->inbox.length - sizeof code),
                    (const char *)farm->inbox.data + sizeof code);
}

cop_status cop_farm_receive_all(cop_farm *farm, bool *any) {
    int from;
    cop_message kind;
    cop_status status = COP_OK;
    while (cop_wire_receive(farm->par, &from, &kind, &farm->inbox, &status)) {
        *any = true;
        farm->stats.messages++;
        farm->stats.bytes += farm->inbox.length;
        if (farm->workers[from].lost) continue; /* it woke up too late */
        COP_TRY(status);
        if (kind == COP_MSG_RESULT)
            status = take_result(farm, from);
        else if (kind == COP_MSG_WRITTEN)
            status = take_written(farm, from);
        else if (kind == COP_MSG_FAILED)
            status = take_failure(farm, from);
        else
            status = cop_fail(COP_E_PEER, "rank %d on %s sent a message of kind %d to the master",
                              from, cop_farm_host(farm, from), (int)kind);
        COP_TRY(status);
    }
    return COP_OK;
}
