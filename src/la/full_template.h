/* Products of whole rows, included by sparse_template.h's users with the same macros, and
 *   FULL_TILES(X)  X(outputs, vectors): register tiles, ending with X(1, 1)
 *
 * Cost per tile and input: one vector load for each vector, one broadcast for each output, a fused
 * multiply-add for each pair. */

/* Outputs [0, count) at C vectors of samples, O at a time. O and C are constants at every call. */
INLINE void FN(full_tile)(const cop_full *f, size_t at, size_t O, size_t C) {
    const size_t step = f->vectors * L, stride = f->stride;
    for (size_t first = 0; first + O <= f->outputs; first += O) {
        VEC acc[24 * PARTS];
        const float *w[8], *x = f->x + at * L;
        UNROLL for (size_t o = 0; o < O; o++) {
            const VEC start = SET1(f->bias ? f->bias[first + o] : 0.0f);
            w[o] = f->row[first + o];
            UNROLL for (size_t v = 0; v < C * PARTS; v++) acc[o * C * PARTS + v] = start;
        }
        for (size_t i = 0, at_w = 0; i < f->inputs; i++, at_w += stride, x += step) {
            VEC in[8 * PARTS];
            UNROLL for (size_t v = 0; v < C * PARTS; v++) in[v] = LOAD(x + v * PER);
            UNROLL for (size_t o = 0; o < O; o++) {
                const VEC weight = SET1(w[o][at_w]);
                UNROLL for (size_t v = 0; v < C * PARTS; v++) acc[o * C * PARTS + v] =
                    FMA(in[v], weight, acc[o * C * PARTS + v]);
            }
        }
        UNROLL for (size_t o = 0; o < O; o++) {
            float *to = f->y + (first + o) * step + at * L;
            UNROLL for (size_t v = 0; v < C * PARTS; v++) {
                const VEC sum = acc[o * C * PARTS + v];
                STORE(to + v * PER, f->relu ? RELU(sum) : sum);
            }
        }
    }
}

/* As many outputs as the tile divides; returns how many. */
#define FULL(O, C)                                                                                 \
    static TARGET __attribute__((noinline)) size_t FN(full_##O##x##C)(const cop_full *f,           \
                                                                      size_t at) {                 \
        FN(full_tile)(f, at, O, C);                                                                \
        return f->outputs / O * O;                                                                 \
    }
FULL_TILES(FULL)
#undef FULL

/* Vectors in strips as wide as a tile, in each the outputs in the tallest tiles that are left. */
static TARGET void FN(full)(const cop_full *f) {
    size_t width = 1;
    for (size_t at = 0; at < f->vectors; at += width) {
        cop_full rest = *f;
        width = 1;
#define WIDTH(O, C)                                                                                \
    if (C > width && at + C <= f->vectors) width = C;
        FULL_TILES(WIDTH)
#undef WIDTH
#define DISPATCH(O, C)                                                                             \
    if (width == C && rest.outputs >= O) {                                                         \
        const size_t done = FN(full_##O##x##C)(&rest, at);                                         \
        rest.outputs -= done;                                                                      \
        rest.row += done;                                                                          \
        rest.y += done * f->vectors * L;                                                           \
        if (rest.bias) rest.bias += done;                                                          \
    }
        FULL_TILES(DISPATCH)
#undef DISPATCH
    }
}

static TARGET void FN(join)(const cop_full *f, const float *const *piece, size_t pieces) {
    const size_t step = f->vectors * L;
    for (size_t o = 0; o < f->outputs; o++, piece += pieces)
        for (size_t v = 0; v < step; v += PER) {
            VEC sum = SET1(f->bias[o]);
            for (size_t p = 0; p < pieces; p++) sum = ADD(sum, LOAD(piece[p] + v));
            STORE(f->y + o * step + v, f->relu ? RELU(sum) : sum);
        }
}
