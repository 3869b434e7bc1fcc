/* History as bytes: little-endian fields one by one, so that the layout is that of no compiler.
 *   magic "COPHIST1", then individuals, measures, generations, population (8 bytes each),
 *   individuals (92 bytes each), measures (8 bytes each), generations (80 bytes each), live ids (8
 * each).
 * Of a bounded history magic "COPHIST2", after the same four numbers window, elders, first, ids of
 * `begin` and of `next` (8 bytes each), the chain (64 digits); then as above, with as many rows as
 * are held, and the two lists of ids at the end. */
#include "coppice/evo.h"

#include <string.h>

static const char magic[8] = {'C', 'O', 'P', 'H', 'I', 'S', 'T', '1'},
                  bounded[8] = {'C', 'O', 'P', 'H', 'I', 'S', 'T', '2'};
enum {
    HEAD_BYTES = sizeof magic + 4 * 8,
    CHAIN_BYTES = COP_HASH_HEX - 1,
    BOUNDED_BYTES = 5 * 8 + CHAIN_BYTES,
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

static void put_ids(cop_buf *out, const uint64_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++) put(out, ids[i], 8);
}

void cop_history_pack(const cop_history *h, cop_buf *out) {
    size_t rows = cop_history_rows(h);
    cop_buf_reserve(out, HEAD_BYTES + BOUNDED_BYTES + rows * (INDIVIDUAL_BYTES + 8 * h->measures) +
                             h->generations * GENERATION_BYTES +
                             8 * (h->population + h->begin.population + h->next.population));
    cop_buf_add(out, h->window ? bounded : magic, sizeof magic);
    put(out, h->individuals, 8);
    put(out, h->measures, 8);
    put(out, h->generations, 8);
    put(out, h->population, 8);
    if (h->window) {
        put(out, h->window, 8);
        put(out, h->elders, 8);
        put(out, h->first, 8);
        put(out, h->begin.population, 8);
        put(out, h->next.population, 8);
        cop_buf_add(out, h->chain, CHAIN_BYTES);
    }
    for (size_t i = 0; i < rows; i++) put_individual(out, &h->individual[i]);
    for (size_t k = 0; k < rows * h->measures; k++) put_double(out, h->measure[k]);
    for (size_t g = 0; g < h->generations; g++) put_generation(out, &h->generation[g]);
    put_ids(out, h->live, h->population);
    put_ids(out, h->begin.live, h->begin.population);
    put_ids(out, h->next.live, h->next.population);
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

static uint64_t *get_ids(cursor *in, size_t count) {
    uint64_t *ids = COP_NEW_ARRAY(uint64_t, count);
    for (size_t i = 0; i < count; i++) ids[i] = get(in, 8);
    return ids;
}

/* Numbers of a history, as they stand at its head. */
typedef struct head {
    uint64_t individuals, measures, generations, population;
    uint64_t window, elders, first, begin, next;
    uint64_t rows;
} head;

/* Every number is what the bytes behind have room for. */
static bool get_head(cursor *in, size_t length, head *n) {
    bool is_bounded = memcmp(in->at, bounded, sizeof bounded) == 0;
    size_t left = length - HEAD_BYTES;
    *n = (head){0};
    in->at += sizeof magic;
    n->individuals = get(in, 8);
    n->measures = get(in, 8);
    n->generations = get(in, 8);
    n->population = get(in, 8);
    if (is_bounded) {
        if (!spend(&left, 1, BOUNDED_BYTES)) return false;
        n->window = get(in, 8);
        n->elders = get(in, 8);
        n->first = get(in, 8);
        n->begin = get(in, 8);
        n->next = get(in, 8);
        if (n->window == 0 || n->window > UINT32_MAX) return false;
    }
    if (n->first > n->individuals || n->elders > n->first) return false;
    n->rows = n->elders + (n->individuals - n->first);
    /* with the second test the rows are bounded by the length; the third bounds measures, if only
     * by a limit of its own when there are no rows */
    return n->measures <= 1u << 20 && spend(&left, n->rows, INDIVIDUAL_BYTES) &&
           spend(&left, n->rows, 8 * (size_t)n->measures) &&
           spend(&left, n->generations, GENERATION_BYTES) && spend(&left, n->population, 8) &&
           spend(&left, n->begin, 8) && spend(&left, n->next, 8) && left == 0;
}

cop_status cop_history_unpack(cop_history *history, const void *bytes, size_t length) {
    *history = (cop_history){0};
    if (length < HEAD_BYTES ||
        (memcmp(bytes, magic, sizeof magic) != 0 && memcmp(bytes, bounded, sizeof bounded) != 0))
        return cop_fail(COP_E_FORMAT, "history: %zu bytes that do not begin as a history does",
                        length);
    cursor in = {bytes};
    head n;
    if (!get_head(&in, length, &n))
        return cop_fail(COP_E_FORMAT,
                        "history: %zu bytes do not hold %llu individuals with %llu measures, %llu "
                        "generations and %llu live",
                        length, (unsigned long long)(n.rows ? n.rows : n.individuals),
                        (unsigned long long)n.measures, (unsigned long long)n.generations,
                        (unsigned long long)n.population);
    history->individuals = (size_t)n.individuals;
    history->measures = (size_t)n.measures;
    history->generations = (size_t)n.generations;
    history->population = (size_t)n.population;
    history->window = (uint32_t)n.window;
    history->elders = (size_t)n.elders;
    history->first = n.first;
    if (n.window) {
        memcpy(history->chain, in.at, CHAIN_BYTES);
        in.at += CHAIN_BYTES;
    }
    size_t rows = (size_t)n.rows;
    history->individual = COP_NEW_ARRAY(cop_individual, rows);
    history->measure = COP_NEW_ARRAY(double, rows * history->measures);
    history->generation = COP_NEW_ARRAY(cop_generation, history->generations);
    for (size_t i = 0; i < rows; i++) get_individual(&in, &history->individual[i]);
    for (size_t k = 0; k < rows * history->measures; k++) history->measure[k] = get_double(&in);
    for (size_t g = 0; g < history->generations; g++) get_generation(&in, &history->generation[g]);
    history->live = get_ids(&in, history->population);
    if (n.begin) history->begin = (cop_snapshot){(size_t)n.begin, get_ids(&in, (size_t)n.begin)};
    if (n.next) history->next = (cop_snapshot){(size_t)n.next, get_ids(&in, (size_t)n.next)};
    cop_status status = cop_history_check(history);
    if (status != COP_OK) cop_history_clear(history);
    return status;
}
