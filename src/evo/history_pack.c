/* History as bytes: little-endian fields one by one, so that the layout is that of no compiler.
 *   magic "COPHIST1", then individuals, measures, generations, population (8 bytes each),
 *   individuals (92 bytes each), measures (8 bytes each), generations (80 bytes each), live ids (8
 * each). */
#include "coppice/evo.h"

#include <string.h>

static const char magic[8] = {'C', 'O', 'P', 'H', 'I', 'S', 'T', '1'};
enum {
    HEAD_BYTES = sizeof magic + 4 * 8,
    INDIVIDUAL_BYTES = 8 + 3 * 4 + 2 * 8 + 8 + 8 * COP_VARY_MAX + 8 + 4 + 4,
    GENERATION_BYTES = 4 + 8 + 4 * 8 + 2 * 8 + 2 * 8 + 4
};

static void put(cop_buf *out, uint64_t value, size_t bytes) {
    unsigned char b[8];
    for (size_t i = 0; i < bytes; i++) b[i] = (unsigned char)(value >> (8 * i));
    cop_buf_add(out, b, bytes);
}

static void put_double(cop_buf *out, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put(out, bits, 8);
}

static void put_individual(cop_buf *out, const cop_individual *i) {
    put(out, i->recipe.id, 8);
    put(out, i->recipe.born, 4);
    put(out, i->recipe.crossed, 4);
    put(out, i->recipe.varied, 4);
    put(out, i->recipe.parent[0], 8);
    put(out, i->recipe.parent[1], 8);
    put(out, i->recipe.cut, 8);
    for (size_t k = 0; k < COP_VARY_MAX; k++) put_double(out, i->recipe.amount[k]);
    put_double(out, i->fitness);
    put(out, i->died, 4);
    put(out, i->elite, 4);
}

static void put_generation(cop_buf *out, const cop_generation *g) {
    put(out, g->generation, 4);
    put(out, g->evaluations, 8);
    put_double(out, g->best);
    put_double(out, g->median);
    put_double(out, g->mean);
    put_double(out, g->worst);
    put(out, g->best_id, 8);
    put(out, g->best_ever_id, 8);
    put_double(out, g->best_ever);
    put_double(out, g->density_mean);
    put(out, g->births, 4);
}

void cop_history_pack(const cop_history *history, cop_buf *out) {
    cop_buf_add(out, magic, sizeof magic);
    put(out, history->individuals, 8);
    put(out, history->measures, 8);
    put(out, history->generations, 8);
    put(out, history->population, 8);
    for (size_t i = 0; i < history->individuals; i++) put_individual(out, &history->individual[i]);
    for (size_t k = 0; k < history->individuals * history->measures; k++)
        put_double(out, history->measure[k]);
    for (size_t g = 0; g < history->generations; g++) put_generation(out, &history->generation[g]);
    for (size_t i = 0; i < history->population; i++) put(out, history->live[i], 8);
}

/* Reading position; the length was checked against the counts before the first read. */
typedef struct cursor {
    const unsigned char *at;
} cursor;

static uint64_t get(cursor *in, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) value |= (uint64_t)in->at[i] << (8 * i);
    in->at += bytes;
    return value;
}

static double get_double(cursor *in) {
    uint64_t bits = get(in, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void get_individual(cursor *in, cop_individual *i) {
    i->recipe.id = get(in, 8);
    i->recipe.born = (uint32_t)get(in, 4);
    i->recipe.crossed = (uint32_t)get(in, 4);
    i->recipe.varied = (uint32_t)get(in, 4);
    i->recipe.parent[0] = get(in, 8);
    i->recipe.parent[1] = get(in, 8);
    i->recipe.cut = get(in, 8);
    for (size_t k = 0; k < COP_VARY_MAX; k++) i->recipe.amount[k] = get_double(in);
    i->fitness = get_double(in);
    i->died = (uint32_t)get(in, 4);
    i->elite = (uint32_t)get(in, 4);
}

static void get_generation(cursor *in, cop_generation *g) {
    g->generation = (uint32_t)get(in, 4);
    g->evaluations = get(in, 8);
    g->best = get_double(in);
    g->median = get_double(in);
    g->mean = get_double(in);
    g->worst = get_double(in);
    g->best_id = get(in, 8);
    g->best_ever_id = get(in, 8);
    g->best_ever = get_double(in);
    g->density_mean = get_double(in);
    g->births = (uint32_t)get(in, 4);
}

/* Take count * bytes off @p left; false when there is not that much. */
static bool spend(size_t *left, uint64_t count, size_t bytes) {
    if (bytes > 0 && count > *left / bytes) return false;
    *left -= (size_t)count * bytes;
    return true;
}

cop_status cop_history_unpack(cop_history *history, const void *bytes, size_t length) {
    *history = (cop_history){0};
    if (length < HEAD_BYTES || memcmp(bytes, magic, sizeof magic) != 0)
        return cop_fail(COP_E_FORMAT, "history: %zu bytes that do not begin as a history does",
                        length);
    cursor in = {(const unsigned char *)bytes + sizeof magic};
    uint64_t individuals = get(&in, 8), measures = get(&in, 8), generations = get(&in, 8),
             population = get(&in, 8);
    size_t left = length - HEAD_BYTES;
    /* with the first test individuals is bounded by the length; the second bounds measures, if only
     * by a limit of its own when there are no individuals */
    if (measures > 1u << 20 || !spend(&left, individuals, INDIVIDUAL_BYTES) ||
        !spend(&left, individuals, 8 * (size_t)measures) ||
        !spend(&left, generations, GENERATION_BYTES) || !spend(&left, population, 8) || left != 0)
        return cop_fail(COP_E_FORMAT,
                        "history: %zu bytes do not hold %llu individuals with %llu measures, %llu "
                        "generations and %llu live",
                        length, (unsigned long long)individuals, (unsigned long long)measures,
                        (unsigned long long)generations, (unsigned long long)population);
    history->individuals = (size_t)individuals;
    history->measures = (size_t)measures;
    history->generations = (size_t)generations;
    history->population = (size_t)population;
    history->individual = COP_NEW_ARRAY(cop_individual, history->individuals);
    history->measure = COP_NEW_ARRAY(double, history->individuals * history->measures);
    history->generation = COP_NEW_ARRAY(cop_generation, history->generations);
    history->live = COP_NEW_ARRAY(uint64_t, history->population);
    for (size_t i = 0; i < history->individuals; i++) get_individual(&in, &history->individual[i]);
    for (size_t k = 0; k < history->individuals * history->measures; k++)
        history->measure[k] = get_double(&in);
    for (size_t g = 0; g < history->generations; g++) get_generation(&in, &history->generation[g]);
    for (size_t i = 0; i < history->population; i++) history->live[i] = get(&in, 8);
    cop_status status = cop_history_check(history);
    if (status != COP_OK) cop_history_clear(history);
    return status;
}
