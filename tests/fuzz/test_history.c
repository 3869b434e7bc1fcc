/* Hostile histories, as the master sends them to the rank that writes a checkpoint. */
#include "fuzz.h"

#include "../support/bounded.h"

static void run(const uint8_t *bytes, size_t count) {
    cop_history history = {0};
    cop_status status = cop_history_unpack(&history, bytes, count);
    fuzz_judge(status);
    if (status != COP_OK) return;
    /* what was accepted packs into what it was */
    cop_buf again = {0};
    cop_history_pack(&history, &again);
    FUZZ_REQUIRE(again.length == count);
    cop_buf_clear(&again);
    cop_history_clear(&history);
}

static void pack(fuzz_add add, const cop_history *history) {
    cop_buf out = {0};
    FUZZ_REQUIRE(cop_history_check(history) == COP_OK);
    cop_history_pack(history, &out);
    add(out.data, out.length);
    cop_buf_clear(&out);
}

static void pack_bounded(fuzz_add add, const cop_history *all, uint32_t window) {
    cop_history history = bounded_of(all, window);
    pack(add, &history);
    cop_history_clear(&history);
}

static void seeds(fuzz_add add) {
    cop_individual individual[] = {
        {{0, 0, 0, 0, {COP_FOUNDER, COP_FOUNDER}, 0, {0, 0, 0, 0}}, 1, 1, 1},
        {{1, 0, 0, 1, {COP_FOUNDER, COP_FOUNDER}, 0, {0.025, 0, 0, 0}}, 5, 1, 1},
        {{2, 1, 1, 1, {0, 1}, 7, {0.025, 0, 0, 0}}, 2, UINT32_MAX, 0},
        {{3, 1, 0, 3, {1, COP_FOUNDER}, 0, {0.025, 0.5, 0, 0}}, 3, UINT32_MAX, 0}};
    cop_generation generation[] = {{0, 2, 5, 3, 3, 1, 1, 1, 5, 0.75, 2},
                                   {1, 4, 3, 2.5, 2.5, 2, 3, 1, 5, 0.5, 2}};
    double measure[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint64_t live[] = {3, 2};
    const cop_history all = {.individual = individual,
                             .individuals = 4,
                             .measure = measure,
                             .measures = 2,
                             .generation = generation,
                             .generations = 2,
                             .live = live,
                             .population = 2};
    pack(add, &all);
    pack(add, &(cop_history){0});
    pack_bounded(add, &all, 1);
    pack_bounded(add, &all, 5);
}

const fuzz_target fuzz_this = {"history", run, seeds};
