/* The layers behind the front, for one individual; see eval_sign_behind.h. */
#include "net/eval_sign_behind.h"

#include <string.h>

size_t cop_behind_bytes(const cell_shape *s, size_t values) {
    if (!s->events) return 0;
    size_t channels = s->last->sums.channels;
    return s->cells * s->outputs * (channels + 4 * values) + 4 * values * s->outputs +
           (size_t)CELL_PORTION * (4 * values * s->outputs + sizeof(int64_t));
}

static size_t first_listed(const cell_shape *s) {
    return s->events ? s->next + 1 : s->next;
}

cop_status cop_behind_prepare(sign_eval *e, cell_behind *b, const cop_mask *mask) {
    const cell_shape *s = &e->cells->shape;
    if (!b->layers) b->layers = COP_NEW_ARRAY(sign_layer, e->plan.count);
    b->stages = e->plan.count;
    COP_TRY(
        cop_sign_compile(e, b->layers, mask, first_listed(s), s->next, SIGN_CHUNK * e->variants));
    if (s->events) b->layers[s->next].mode = COP_SIGN_32;
    return COP_OK;
}

void cop_behind_clear(cell_behind *b) {
    for (size_t i = 0; b->layers && i < b->stages; i++) {
        cop_free(b->layers[i].edges.begin);
        cop_free(b->layers[i].edges.offset);
    }
    cop_free(b->layers);
    cop_free(b->weight);
    cop_free(b->sums);
    cop_free(b->less);
    cop_free(b->start);
    cop_free(b->total);
    *b = (cell_behind){0};
}

void cop_behind_layers(sign_eval *e, cell_behind *b, const cell_group *group) {
    e->layers = b->layers;
    for (size_t i = first_listed(&e->cells->shape); i < e->plan.count; i++)
        cop_sign_tensor_shape(&e->in[i], &e->plan.stages[i], b->layers[i].mode,
                              SIGN_CHUNK * group->count);
}

/* ------------------------------------------------------------------ events */

/* 64 bits from bit @p at on; those behind the end are 0. */
static uint64_t bits_at(const cop_mask *mask, size_t at) {
    size_t w = at / 64, words = cop_mask_words(mask->bits);
    uint64_t low = w < words ? mask->words[w] >> (at % 64) : 0;
    uint64_t high = w + 1 < words && at % 64 ? mask->words[w + 1] << (64 - at % 64) : 0;
    return low | high;
}

/* Weights of the dense layer as bytes (cells, channels, outputs): what the events of a cell need
 * lies together. Taken 64 inputs at a time, so that the rows written stay in cache. */
static void transpose_weights(sign_eval *e, cell_behind *b, const cop_mask *mask) {
    const cell_shape *s = &e->cells->shape;
    const sign_stage *next = &e->plan.stages[s->next];
    size_t channels = s->last->sums.channels, inputs = channels * s->cells;
    int8_t *rows = cop_alloc(64 * s->outputs, 1); /* neighbours there are far apart in the table */
    for (size_t first = 0; first < inputs; first += 64) {
        size_t count = inputs - first < 64 ? inputs - first : 64;
        uint64_t valid = count < 64 ? ((uint64_t)1 << count) - 1 : ~(uint64_t)0;
        memset(rows, 0, 64 * s->outputs);
        for (size_t o = 0; o < next->sums.channels; o++) {
            size_t at = next->layer->weight_begin + o * inputs + first;
            uint64_t live = bits_at(mask, at) & valid;
            uint64_t plus = live & bits_at(&e->plus, at), minus = live & bits_at(&e->minus, at);
            for (; plus; plus &= plus - 1) rows[(size_t)__builtin_ctzll(plus) * s->outputs + o] = 1;
            for (; minus; minus &= minus - 1)
                rows[(size_t)__builtin_ctzll(minus) * s->outputs + o] = -1;
        }
        for (size_t i = 0; i < count; i++) {
            size_t cell = (first + i) % s->cells, channel = (first + i) / s->cells;
            memcpy(b->weight + (cell * channels + channel) * s->outputs, rows + i * s->outputs,
                   s->outputs);
        }
    }
    cop_free(rows);
}

void cop_behind_reserve(sign_eval *e, cell_behind *b, const cop_mask *mask, const cell_group *group,
                        size_t portion) {
    sign_cells *c = e->cells;
    const cell_shape *s = &c->shape;
    const sign_stage *next = &e->plan.stages[s->next];
    size_t channels = s->last->sums.channels, row = group->count * s->outputs;
    cop_sign_reserve((void **)&b->weight, &b->bytes[0], s->cells * channels * s->outputs);
    cop_sign_reserve((void **)&b->sums, &b->bytes[1], portion * row * 4);
    cop_sign_reserve((void **)&b->less, &b->bytes[2], s->cells * row * 4);
    cop_sign_reserve((void **)&b->start, &b->bytes[3], row * 4);
    cop_sign_reserve((void **)&b->total, &b->bytes[4], portion * sizeof *b->total);
    cop_sign_reserve((void **)&c->weight, &c->bytes[9], channels * s->outputs * 4);
    transpose_weights(e, b, mask);
    b->bias = 0;
    for (size_t g = 0; g < group->count; g++)
        for (size_t o = 0; o < next->sums.channels; o++) {
            int64_t bias = next->bias[group->value[g] * next->sums.channels + o];
            if (bias < 0) bias = -bias;
            if (bias > b->bias) b->bias = bias;
        }
}

static size_t live_words(const sign_cells *c) {
    return (c->shape.last->sums.channels + 15) / 16 * 16;
}

cop_cell_job cop_behind_job(const sign_cells *c, const cell_group *group, size_t v) {
    size_t lanes = c->shape.lanes, channels = c->shape.last->sums.channels;
    return (cop_cell_job){.out = c->out + v * group->count * channels * lanes,
                          .out_value = channels * lanes,
                          .out_channel = lanes,
                          .out_half = lanes / 2,
                          .live = c->live + v * live_words(c),
                          .total = c->total + v * group->count * lanes};
}

static const uint32_t *cell_weights(sign_eval *e, const cell_behind *b, size_t cell) {
    const cell_shape *s = &e->cells->shape;
    size_t n = s->last->sums.channels * s->outputs;
    e->ops->cells->expand(b->weight + cell * n, n, e->cells->weight);
    return e->cells->weight;
}

/* Largest over the values of the sum of a column's results. */
static int32_t total_of(const sign_cells *c, const cell_group *group, size_t v, size_t lane) {
    size_t lanes = c->shape.lanes;
    int32_t most = 0;
    for (size_t g = 0; g < group->count; g++) {
        const int32_t *total = c->total + (v * group->count + g) * lanes;
        int32_t t = total[lane % 2 * (lanes / 2) + lane / 2];
        if (t > most) most = t;
    }
    return most;
}

static cop_cell_events events_of(const sign_cells *c, const cell_group *group, size_t v) {
    cop_cell_job job = cop_behind_job(c, group, v);
    return (cop_cell_events){.live = job.live,
                             .in = job.out,
                             .channels = c->shape.last->sums.channels,
                             .values = group->count,
                             .outputs = c->shape.outputs};
}

void cop_behind_blank(sign_eval *e, cell_behind *b, const cell_group *group) {
    const sign_cells *c = e->cells;
    size_t row = group->count * c->shape.outputs;
    const uint32_t zero = 0;
    b->blank_total = total_of(c, group, 0, 0);
    memset(b->less, 0, c->shape.cells * row * 4);
    memset(b->start, 0, row * 4);
    for (size_t cell = 0; cell < c->shape.cells; cell++) {
        cop_cell_events job = events_of(c, group, 0);
        job.weight = cell_weights(e, b, cell);
        job.columns = 1;
        job.sample = &zero;
        job.sums = (int32_t *)b->less + cell * row;
        e->ops->cells->events(&job);
        for (size_t i = 0; i < row; i++) b->start[i] += b->less[cell * row + i];
    }
}

void cop_behind_start(const sign_cells *c, cell_behind *b, const cell_group *group,
                      size_t samples) {
    size_t row = group->count * c->shape.outputs;
    for (size_t i = 0; i < samples; i++) {
        memcpy(b->sums + i * row, b->start, row * 4);
        b->total[i] = (int64_t)c->shape.cells * b->blank_total;
    }
}

void cop_behind_add(sign_eval *e, cell_behind *b, const cell_group *group, size_t cell,
                    const uint32_t *column, size_t n) {
    const sign_cells *c = e->cells;
    size_t lanes = c->shape.lanes;
    const uint32_t *weight = cell_weights(e, b, cell);
    for (size_t begin = 0; begin < n; begin += lanes) {
        cop_cell_events job = events_of(c, group, begin / lanes);
        job.weight = weight;
        job.less = b->less + cell * group->count * c->shape.outputs;
        job.columns = n - begin < lanes ? n - begin : lanes;
        job.sample = column + begin;
        job.sums = b->sums;
        e->ops->cells->events(&job);
        for (size_t l = 0; l < job.columns; l++)
            b->total[column[begin + l]] +=
                total_of(c, group, begin / lanes, l) - (int64_t)b->blank_total;
    }
}

bool cop_behind_fits(const sign_eval *e, const cell_behind *b, size_t samples) {
    int64_t most = 0;
    (void)e;
    for (size_t i = 0; i < samples; i++)
        if (b->total[i] > most) most = b->total[i];
    return most + b->bias <= INT32_MAX;
}

void cop_behind_finish(sign_eval *e, cell_behind *b, const cell_group *group,
                       const cop_shard *shard, size_t first, size_t samples, cop_evidence *evidence,
                       uint16_t *predictions) {
    const cell_shape *s = &e->cells->shape;
    size_t outputs = e->plan.stages[s->next].sums.channels, superblock = SIGN_CHUNK * SIGN_LANES;
    int32_t *planes = cop_alloc(outputs * SIGN_LANES, sizeof *planes);
    cop_behind_layers(e, b, group);
    for (size_t begin = 0; begin < samples; begin += superblock) {
        size_t n = samples - begin < superblock ? samples - begin : superblock;
        for (size_t k = 0; k < group->count; k++)
            for (size_t g = 0; g * SIGN_LANES < n; g++) {
                for (size_t l = 0; l < SIGN_LANES && g * SIGN_LANES + l < n; l++) {
                    size_t i = begin + g * SIGN_LANES + l;
                    const int32_t *sums = b->sums + (i * group->count + k) * s->outputs;
                    for (size_t o = 0; o < outputs; o++) planes[o * SIGN_LANES + l] = sums[o];
                }
                cop_sign_finish(e, s->next, group->value[k], g, n, planes, SIGN_LANES,
                                k * SIGN_CHUNK + g);
            }
        cop_sign_tail(e, s->next + 1, SIGN_CHUNK, group->value, group->count, n);
        cop_sign_score(e, shard, first + begin, n, SIGN_CHUNK, group->value, group->count, evidence,
                       predictions);
    }
    cop_free(planes);
}
