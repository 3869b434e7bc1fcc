/* Kernel for a first layer that covers the whole sample. Part of cell_template.h, which says what
 * the macros are. */

/* A layer of one position: four vectors of columns side by side share what a list costs besides its
 * additions, most of all the branch at its end, which nobody can predict.
 *
 * Cost of an entry: V additions with a memory operand, one load of the offset, and 7 instructions
 * for addresses and the loop (AVX-512, V = 4). The bound is 64-byte loads from the first-level
 * cache; with one a cycle half of it is reached (784 inputs, density 0.6). */
CELL_INLINE void FN(cell_flat)(const cop_cell_job *j, size_t first, size_t V) {
    const size_t words = LANES / 2, sums = j->outputs * LANES;
    const int16_t *x = j->planes + first * j->vector;
    const uint32_t *p = j->program;
    const HALF zero = H_ZERO;
    for (size_t o = 0; o < j->outputs; o++) {
        HALF wide[4][2], sum[4];
        UNROLL for (size_t v = 0; v < V; v++) {
            const int32_t *from = j->from + (first + v) * sums + o * LANES;
            wide[v][0] = j->from ? H_LOAD(from) : zero;
            wide[v][1] = j->from ? H_LOAD(from + words) : zero;
            sum[v] = zero;
        }
        p += 2; /* neither pairs nor fours */
        for (uint32_t chunks = *p++; chunks; chunks--) {
            uint32_t plus = p[0], minus = p[1];
            p += 2;
            for (; plus; plus--) {
                const int16_t *a = x + (int32_t)*p++;
                UNROLL for (size_t v = 0; v < V; v++) sum[v] =
                    H_ADD16(sum[v], H_LOAD(a + v * j->vector));
            }
            for (; minus; minus--) {
                const int16_t *a = x + (int32_t)*p++;
                UNROLL for (size_t v = 0; v < V; v++) sum[v] =
                    H_SUB16(sum[v], H_LOAD(a + v * j->vector));
            }
            UNROLL for (size_t v = 0; v < V; v++) {
                wide[v][0] = H_EVEN(wide[v][0], sum[v]);
                wide[v][1] = H_ODD(wide[v][1], sum[v]);
                sum[v] = zero;
            }
        }
        if (j->keep) UNROLL for (size_t v = 0; v < V; v++) {
                int32_t *keep = j->keep + (first + v) * sums + o * LANES;
                H_STORE(keep, wide[v][0]);
                H_STORE(keep + words, wide[v][1]);
            }
        for (size_t k = 0; k < j->values && j->out; k++) {
            const HALF bias = H_SET32((uint32_t)j->bias[k * j->outputs + o]);
            int32_t *out = j->out + k * j->out_value + o * j->out_channel + first * LANES;
            UNROLL for (size_t v = 0; v < V; v++) UNROLL for (size_t h = 0; h < 2; h++) {
                HALF r = H_ADD32(wide[v][h], bias);
                if (j->relu) r = H_MAX32(r, zero);
                H_STORE(out + v * LANES + h * words, r);
            }
        }
    }
}
static TARGET __attribute__((noinline)) void FN(cell_flat_4)(const cop_cell_job *j, size_t first) {
    FN(cell_flat)(j, first, 4);
}
static TARGET __attribute__((noinline)) void FN(cell_flat_1)(const cop_cell_job *j, size_t first) {
    FN(cell_flat)(j, first, 1);
}
static void FN(cell_vectors)(const cop_cell_job *j) {
    size_t v = 0;
    for (; v + 4 <= j->vectors; v += 4) FN(cell_flat_4)(j, v);
    for (; v < j->vectors; v++) FN(cell_flat_1)(j, v);
}
