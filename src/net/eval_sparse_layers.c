/* From a model to layers over lists, and from an individual's mask to its lists of live edges. */
#include "net/eval_sparse.h"

#include <unistd.h>

/* Inputs of a layer that a chunk may occupy: half of a second-level cache of 1 MiB. */
#define CACHE_BYTES 524288
#define GROUPS_MAX 8 /* vectors side by side that a register tile may take */
static bool has_weights(const cop_layer *layer) {
    return layer->kind == COP_LAYER_DENSE || layer->kind == COP_LAYER_CONV2D;
}

/* Input of a weighted layer with its padding. */
static cop_shape padded_input(const cop_layer *layer) {
    cop_shape in = layer->in;
    if (layer->kind == COP_LAYER_CONV2D) {
        in.height += 2 * layer->padding;
        in.width += 2 * layer->padding;
    }
    return in;
}

size_t cop_sparse_chunk(const cop_eval_setup *setup, const cop_sparse_ops *ops) {
    size_t groups = (setup->batch + SPARSE_LANES - 1) / SPARSE_LANES, tile[3];
    const cop_sparse_grid widest = {.rows = 1, .cols = GROUPS_MAX};
    ops->tile(SIZE_MAX, &widest, tile);
    if (groups > tile[2]) groups = tile[2]; /* more would be fetched in vain beside a tile */
    for (size_t i = 0; i < setup->model->count; i++) {
        const cop_layer *l = &setup->model->layers[i];
        if (!has_weights(l)) continue;
        size_t bytes = cop_shape_size(padded_input(l)) * SPARSE_LANES * sizeof(float);
        size_t fit = CACHE_BYTES / bytes;
        /* pixels fill the register tiles of a convolution, and one group has them in a row */
        if (l->kind == COP_LAYER_CONV2D && l->out.height * l->out.width >= GROUPS_MAX) fit = 1;
        if (fit < groups) groups = fit ? fit : 1;
    }
    return groups * SPARSE_LANES;
}

static void set_offsets(sparse_layer *s, size_t chunk) {
    const cop_layer *l = s->layer;
    size_t kernel = l->kind == COP_LAYER_CONV2D ? l->kernel : 1, at = 0;
    size_t plane = l->kind == COP_LAYER_CONV2D ? s->in.height * s->in.width : 1;
    s->offset = COP_NEW_ARRAY(int32_t, l->fan_in);
    for (size_t c = 0; at < l->fan_in; c++)
        for (size_t y = 0; y < kernel; y++)
            for (size_t x = 0; x < kernel; x++)
                s->offset[at++] = (int32_t)((c * plane + y * s->in.width + x) * chunk);
}

static bool shown(const sparse_eval *e, size_t i) {
    for (size_t h = 0; h < e->setup.hidden; h++)
        if (e->setup.hidden_layer[h] == i) return true;
    return false;
}

size_t cop_sparse_band(const cop_layer *pool, size_t chunk) {
    size_t row = pool->in.channels * pool->in.width * chunk * sizeof(float) * pool->stride;
    size_t band = CACHE_BYTES / 2 / row;
    return band > pool->out.height ? pool->out.height : band ? band : 1;
}

size_t cop_sparse_band_bytes(const cop_layer *pool, size_t chunk) {
    size_t rows = (cop_sparse_band(pool, chunk) - 1) * pool->stride + pool->kernel;
    return rows * pool->in.channels * pool->in.width * chunk * sizeof(float);
}

/* A relu behind the weighted layer @p i, and a max-pool without overlaps behind a convolution, are
 * computed with it, if nobody wants to see what lies between. */
static void join(sparse_eval *e, size_t i) {
    const cop_model *m = e->setup.model;
    sparse_layer *s = &e->layers[i];
    const cop_shape out = s->layer->out;
    if (shown(e, i) || ++i == m->count) return;
    if (m->layers[i].kind == COP_LAYER_ACTIVATION && m->layers[i].activation == COP_ACT_RELU) {
        s->relu = e->layers[i].skip = true;
        if (shown(e, i) || ++i == m->count) return;
    }
    const cop_layer *p = &m->layers[i];
    if (s->layer->kind != COP_LAYER_CONV2D || p->kind != COP_LAYER_MAXPOOL2D ||
        p->kernel > p->stride || out.height * out.width <= e->chunk / SPARSE_LANES)
        return;
    e->layers[i].skip = true;
    s->pool = p;
    s->band = cop_sparse_band(p, e->chunk);
    size_t bytes = cop_sparse_band_bytes(p, e->chunk);
    if (bytes > e->band_bytes) {
        cop_free(e->band);
        e->band = cop_alloc(bytes, 1);
        e->band_bytes = bytes;
    }
}

cop_status cop_sparse_layers_create(sparse_eval *e) {
    const cop_model *m = e->setup.model;
    e->layers = COP_NEW_ARRAY(sparse_layer, m->count);
    e->lead = m->count;
    for (size_t i = 0; i < m->count; i++) {
        sparse_layer *s = &e->layers[i];
        s->layer = &m->layers[i];
        if ((shown(e, i) || has_weights(s->layer)) && e->lead == m->count) e->lead = i;
        if (!has_weights(s->layer)) continue;
        s->weighted = true;
        s->in = padded_input(s->layer);
        if (cop_shape_size(s->in) > INT32_MAX / e->chunk)
            return cop_fail(COP_E_CONFIG,
                            "[evaluate] arithmetic = sparse cannot compute layer %s: its input of "
                            "%zu numbers is too large; use arithmetic = blas",
                            s->layer->name, cop_shape_size(s->in));
        join(e, i);
        set_offsets(s, e->chunk);
        if (cop_shape_size(s->in) > cop_shape_size(s->layer->in))
            s->padded = COP_NEW_ARRAY(float, cop_shape_size(s->in) * e->chunk);
    }
    return COP_OK;
}

void cop_sparse_layers_destroy(sparse_eval *e) {
    for (size_t i = 0; e->layers && i < e->setup.model->count; i++) {
        sparse_layer *s = &e->layers[i];
        cop_free(s->offset);
        cop_free(s->begin);
        cop_free(s->edge);
        cop_free(s->w);
        cop_free(s->padded);
    }
    cop_free(e->band);
    cop_free(e->layers);
}

/* A function of the mask alone. Convolutions never go: their lists are as fast at any density. */
static bool goes_to_blas(const sparse_eval *e, const cop_layer *layer, size_t live) {
    double above = e->setup.dense_above;
    return layer->kind == COP_LAYER_DENSE && above > 0 &&
           (double)live > above * (double)layer->weights;
}

static size_t live_edges(const cop_layer *layer, const cop_mask *mask) {
    return cop_mask_count_range(mask, layer->weight_begin, layer->weight_begin + layer->weights);
}

bool cop_sparse_uses_blas(const sparse_eval *e, const cop_mask *mask) {
    bool any = false;
    for (size_t i = 0; i < e->setup.model->count; i++)
        if (e->layers[i].weighted)
            any |= goes_to_blas(e, e->layers[i].layer, live_edges(e->layers[i].layer, mask));
    return any;
}

static inline float weigh(cop_weighting_kind kind, float w, float value) {
    if (kind == COP_WEIGHTS_TRAINED) return w;
    if (kind == COP_WEIGHTS_POSITIVE) return value;
    return w > 0 ? value : w < 0 ? -value : 0;
}

static void compile_dense(sparse_eval *e, sparse_layer *s, const cop_mask *mask, float value) {
    const cop_layer *l = s->layer;
    const float *base = e->setup.base->w + l->weight_begin;
    cop_free(s->edge);
    s->edge = NULL;
    s->edge_capacity = 0;
    if (!s->w) s->w = COP_NEW_ARRAY(float, l->weights);
    for (size_t k = 0; k < l->weights; k++)
        s->w[k] = cop_mask_get(mask, l->weight_begin + k)
                      ? weigh(e->setup.weighting.kind, base[k], value)
                      : 0;
}

/* Bytes of inputs that a block may have: three quarters of the first-level cache. */
static size_t block_bytes(void) {
    long bytes = 0;
#ifdef _SC_LEVEL1_DCACHE_SIZE
    bytes = sysconf(_SC_LEVEL1_DCACHE_SIZE);
#endif
    if (bytes < 16384 || bytes > 1048576) bytes = 32768; /* not told */
    return (size_t)bytes / 4 * 3;
}

/* Taps per block. Inputs that stay in the first-level cache while all outputs pass over them are
 * read twice as fast, but between blocks the sums go through memory: that is worth it from EDGES
 * edges per output and block on, and a block may be up to 2.5 times larger to get them. It
 * changes no result. */
static size_t block_taps(const sparse_eval *e, const sparse_layer *s, size_t live) {
    enum { EDGES = 8 };
    const cop_layer *l = s->layer;
    bool side;
    size_t tile[3], kernel = l->kind == COP_LAYER_CONV2D ? l->kernel : 1;
    size_t stride = l->kind == COP_LAYER_CONV2D ? l->stride : 1;
    const cop_sparse_grid grid = cop_sparse_grid_of(e, s, e->chunk / SPARSE_LANES, &side);
    e->ops->tile(l->biases, &grid, tile);
    /* Vectors of one channel under a tile. Side by side all groups count, even if the tile takes
     * fewer: lines that are left out leave their places in the cache empty. */
    size_t unit = side ? kernel * kernel * grid.cols
                       : ((tile[1] - 1) * stride + kernel) * ((tile[2] - 1) * stride + kernel);
    size_t channels = block_bytes() / (unit * SPARSE_LANES * sizeof(float));
    size_t fit = (channels ? channels : 1) * kernel * kernel;
    size_t wanted = live ? (EDGES * l->weights + live - 1) / live : SIZE_MAX;
    if (wanted > fit * 5 / 2) return l->fan_in;
    size_t taps = wanted > fit ? wanted : fit;
    size_t blocks = (l->fan_in + taps - 1) / taps;
    return (l->fan_in + blocks - 1) / blocks;
}

static void reserve(sparse_layer *s, size_t lists, size_t live) {
    if (lists + 1 > s->begin_capacity) {
        cop_free(s->begin);
        s->begin = COP_NEW_ARRAY(uint32_t, lists + 1);
        s->begin_capacity = lists + 1;
    }
    if (live > s->edge_capacity) {
        cop_free(s->edge);
        s->edge = COP_NEW_ARRAY(cop_sparse_edge, live);
        s->edge_capacity = live;
    }
}

static void compile_lists(sparse_eval *e, sparse_layer *s, const cop_mask *mask, float value,
                          size_t live) {
    const cop_layer *l = s->layer;
    const float *base = e->setup.base->w;
    const size_t taps = block_taps(e, s, live);
    const cop_weighting_kind kind = e->setup.weighting.kind;
    s->blocks = (l->fan_in + taps - 1) / taps;
    reserve(s, s->blocks * l->biases, live);
    uint32_t at = 0, *begin = s->begin; /* the model has fewer than 2^31 weights */
    for (size_t b = 0; b < s->blocks; b++)
        for (size_t o = 0; o < l->biases; o++) {
            const size_t row = l->weight_begin + o * l->fan_in, first = row + b * taps;
            const size_t end = b + 1 < s->blocks ? first + taps : row + l->fan_in;
            *begin++ = at;
            for (size_t word = first / 64; word * 64 < end; word++) {
                uint64_t bits = mask->words[word];
                if (word == first / 64) bits &= ~(uint64_t)0 << (first % 64);
                if (word == end / 64) bits &= ((uint64_t)1 << (end % 64)) - 1;
                for (; bits; bits &= bits - 1) {
                    const size_t edge = word * 64 + (size_t)__builtin_ctzll(bits);
                    s->edge[at++] =
                        (cop_sparse_edge){s->offset[edge - row], weigh(kind, base[edge], value)};
                }
            }
        }
    *begin = at;
}

void cop_sparse_compile(sparse_eval *e, const cop_mask *mask, double value) {
    COP_ASSERT(mask->bits == e->setup.model->weights);
    for (size_t i = 0; i < e->setup.model->count; i++) {
        sparse_layer *s = &e->layers[i];
        if (!s->weighted) continue;
        size_t live = live_edges(s->layer, mask);
        s->dense = goes_to_blas(e, s->layer, live);
        if (s->dense)
            compile_dense(e, s, mask, (float)value);
        else
            compile_lists(e, s, mask, (float)value, live);
    }
}
