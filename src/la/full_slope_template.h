/* Gradients of all places of a layer, included by train_template.h with its macros. Sixteen inputs
 * at a time, whose vectors stay in the first-level cache while the outputs pass: where all edges
 * live those of an output alone would come from the second for every output. */

INLINE void FN(full_slope_tile)(size_t outputs, size_t inputs, size_t vectors, const float *x,
                                const float *gradient, float *slope, size_t C) {
    const size_t step = vectors * L;
    for (size_t i = 0; i < inputs; i += L) {
        const size_t n = inputs - i < L ? inputs - i : L;
        const float *at = x + i * step;
        for (size_t o = 0; o < outputs; o++) {
            const float *row = gradient + o * step;
            VEC own[(WIDEST ? WIDEST : 1) * PARTS];
            EACH(C) own[v] = LOAD(row + v * PER);
            FN(slopes)(at, NULL, step, n, own, row, vectors, C, slope + o * inputs + i);
        }
    }
}

#define FULL_SLOPE(C)                                                                              \
    static TARGET __attribute__((noinline)) void FN(full_slope_##C)(                               \
        size_t outputs, size_t inputs, size_t vectors, const float *x, const float *gradient,      \
        float *slope) {                                                                            \
        FN(full_slope_tile)(outputs, inputs, vectors, x, gradient, slope, C);                      \
    }
FULL_SLOPE(0)
FULL_SLOPE(1)
FULL_SLOPE(2)
FULL_SLOPE(3)
FULL_SLOPE(4)
#if WIDEST >= 8
FULL_SLOPE(5)
FULL_SLOPE(6)
FULL_SLOPE(7)
FULL_SLOPE(8)
#endif
#undef FULL_SLOPE

static TARGET void FN(full_slope)(size_t outputs, size_t inputs, size_t vectors, const float *x,
                                  const float *gradient, float *slope) {
    static void (*const tile[])(size_t, size_t, size_t, const float *, const float *, float *) = {
        FN(full_slope_0),
        FN(full_slope_1),
        FN(full_slope_2),
        FN(full_slope_3),
        FN(full_slope_4),
#if WIDEST >= 8
        FN(full_slope_5),
        FN(full_slope_6),
        FN(full_slope_7),
        FN(full_slope_8),
#endif
    };
    tile[vectors <= WIDEST ? vectors : 0](outputs, inputs, vectors, x, gradient, slope);
}
