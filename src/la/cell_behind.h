/* Kernels for what lies around the cells: the dense layer behind them, from the results that are
 * not 0, and samples on the grid. Part of cell_template.h, which says what the macros are. */

/* Outputs [first..first + VECS vectors) of one column: 3 values at a time stay in registers.
 * Cost of an event: VECS loads of weights serve 3*VECS dot products, which are the bound: 24 with
 * AVX-512, one a cycle. Nine tenths of the kernel's time is this loop; its other loads are three
 * results of an event and its number, and the sums of a column, which come from far away. */
CELL_INLINE void FN(event_tile)(const cop_cell_events *j, const uint16_t *list, size_t events,
                                size_t lane, uint32_t *sums, size_t first, size_t value, size_t V,
                                size_t VECS) {
    const size_t words = LANES / 2;
    HALF acc[3][EVENT_VECS];
    UNROLL for (size_t v = 0; v < V; v++) UNROLL for (size_t k = 0; k < VECS; k++) {
        size_t at = (value + v) * j->outputs + first + k * words;
        acc[v][k] = H_LOAD(sums + at);
        if (j->less) acc[v][k] = H_SUB32(acc[v][k], H_LOAD(j->less + at));
    }
    const uint32_t *in = (const uint32_t *)j->in + (lane & 1) * words + lane / 2;
    for (size_t i = 0; i < events; i++) {
        const uint32_t *w = j->weight + list[i] * j->outputs + first;
        HALF x[3];
        UNROLL for (size_t v = 0; v < V; v++) x[v] =
            H_SET32(in[((value + v) * j->channels + list[i]) * LANES]);
        UNROLL for (size_t k = 0; k < VECS; k++) {
            HALF u = H_LOAD(w + k * words);
            UNROLL for (size_t v = 0; v < V; v++) acc[v][k] = H_DOT(acc[v][k], u, x[v]);
        }
    }
    UNROLL for (size_t v = 0; v < V; v++) UNROLL for (size_t k = 0; k < VECS; k++)
        H_STORE(sums + (value + v) * j->outputs + first + k * words, acc[v][k]);
}
#define EVENT_FN_(V, VECS) FN(event_##V##_##VECS)
#define EVENT_FN(V, VECS) EVENT_FN_(V, VECS)
#define EVENT_INSTANCE(V, VECS)                                                                    \
    static TARGET __attribute__((noinline)) void FN(event_##V##_##VECS)(                           \
        const cop_cell_events *j, const uint16_t *list, size_t events, size_t lane,                \
        uint32_t *sums, size_t first, size_t value) {                                              \
        FN(event_tile)(j, list, events, lane, sums, first, value, V, VECS);                        \
    }
EVENT_INSTANCE(1, 1)
EVENT_INSTANCE(2, 1)
EVENT_INSTANCE(3, 1)
#define EVENT_INSTANCES(VECS)                                                                      \
    EVENT_INSTANCE(1, VECS) EVENT_INSTANCE(2, VECS) EVENT_INSTANCE(3, VECS)
EVENT_INSTANCES(EVENT_VECS)

/* The channels that are live in one column. */
CELL_INLINE size_t FN(event_list)(const cop_cell_events *j, size_t lane, uint16_t *list) {
    const size_t words = LANES / 2;
    const unsigned bit = (unsigned)((lane & 1) * words + lane / 2);
    size_t n = 0;
    for (size_t c = 0; c < j->channels; c += words)
        for (uint32_t m = H_WITH_BIT(H_LOAD(j->live + c), bit); m; m &= m - 1)
            list[n++] = (uint16_t)(c + (size_t)__builtin_ctz(m));
    return n;
}

static TARGET void FN(cell_events)(const cop_cell_events *j) {
    typedef void tile(const cop_cell_events *, const uint16_t *, size_t, size_t, uint32_t *, size_t,
                      size_t);
    static tile *const one[3] = {EVENT_FN(1, 1), EVENT_FN(2, 1), EVENT_FN(3, 1)};
    static tile *const many[3] = {EVENT_FN(1, EVENT_VECS), EVENT_FN(2, EVENT_VECS),
                                  EVENT_FN(3, EVENT_VECS)};
    uint16_t list[COP_CELL_CHANNELS];
    const size_t words = LANES / 2, wide = EVENT_VECS * words;
    for (size_t l = 0; l < j->columns; l++) {
        size_t events = FN(event_list)(j, l, list);
        uint32_t *sums = (uint32_t *)j->sums + j->sample[l] * j->values * j->outputs;
        if (l + 4 < j->columns) { /* sums come from far away */
            const uint32_t *next = (uint32_t *)j->sums + j->sample[l + 4] * j->values * j->outputs;
            for (size_t i = 0; i < j->values * j->outputs; i += 16) __builtin_prefetch(next + i, 1);
        }
        for (size_t v = 0; v < j->values; v += 3) {
            size_t left = j->values - v < 3 ? j->values - v : 3, o = 0;
            for (; o + wide <= j->outputs; o += wide)
                many[left - 1](j, list, events, l, sums, o, v);
            for (; o < j->outputs; o += words) one[left - 1](j, list, events, l, sums, o, v);
        }
    }
}

static TARGET void FN(cell_expand)(const int8_t *sign, size_t n, uint32_t *weight) {
    for (size_t i = 0; i < n; i++) {
        uint32_t w = (uint32_t)(int32_t)sign[i];
        weight[i] = (w & 0xffffu) | w << 24;
    }
}

/* Adding and subtracting 1.5 * 2^52 rounds to an integer, halves to the even one, on any
 * instruction set. */
static TARGET bool FN(cell_grid)(const float *x, size_t n, double scale, bool relu, double low,
                                 double high, int16_t *out) {
    const int32_t floor = relu ? 0 : INT16_MIN;
    uint64_t wrong = 0;
    for (size_t i = 0; i < n; i++) {
        double v = ((double)x[i] * scale + 0x1.8p52) - 0x1.8p52;
        uint64_t bad = !(v >= low) | !(v <= high); /* NaN is neither */
        wrong |= bad;
        int32_t k = (int32_t)(bad ? 0 : v);
        out[i] = (int16_t)(k > floor ? k : floor);
    }
    return !wrong;
}

static TARGET bool FN(cell_extent)(const float *x, size_t n, float *low, float *high) {
    float least[16] = {0}, most[16] = {0}, wrong[16] = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (size_t k = 0; k < 16; k++) {
            float v = x[i + k];
            wrong[k] += v - v; /* 0 for a finite number, NaN otherwise */
            least[k] = v < least[k] ? v : least[k];
            most[k] = v > most[k] ? v : most[k];
        }
    for (; i < n; i++) {
        wrong[0] += x[i] - x[i];
        least[0] = x[i] < least[0] ? x[i] : least[0];
        most[0] = x[i] > most[0] ? x[i] : most[0];
    }
    bool finite = true;
    *low = *high = 0;
    for (size_t k = 0; k < 16; k++) {
        finite &= wrong[k] == 0;
        *low = least[k] < *low ? least[k] : *low;
        *high = most[k] > *high ? most[k] : *high;
    }
    return finite;
}
