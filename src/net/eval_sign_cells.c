/* A block of relatives, cell by cell; see eval_sign_cells.h. What is done for a portion of the
 * shard: samples are put on the grid, columns whose patch is one flat background are left out
 * (their result is computed once), the others go through all nodes of the plan a few vectors at a
 * time. */
#include "net/eval_sign_cells.h"
#include "net/eval_sign_behind.h"

#include <stdlib.h>
#include <string.h>

#define BATCH 2 /* vectors of columns that pass through the nodes together, then */

typedef struct block {
    sign_eval *e;
    const cop_shard *shard;
    const cop_mask *mask[CELL_BLOCK];
    size_t to[CELL_BLOCK]; /* numbers in the caller's block */
    size_t count;
    cop_evidence *evidence;
    uint16_t *predictions;
} block;

static uint16_t *predictions_of(const block *b, size_t i) {
    size_t each = b->e->setup.weighting.values * b->shard->n;
    return b->predictions ? b->predictions + b->to[i] * each : NULL;
}

/* What the layer behind adds for a background patch, for every individual and cell. */
static void blank_cells(block *b, const cell_group *group, int16_t blank) {
    sign_cells *c = b->e->cells;
    const cell_shape *s = &c->shape;
    for (size_t k = 0; k < s->patch * s->lanes; k++) c->x[k] = blank;
    for (size_t n = 0; n < c->plan.nodes; n++) {
        const cell_node *node = &c->plan.node[n];
        cop_cell_job job = cop_behind_job(c, group, 0);
        if (node->individual == SIZE_MAX) job.out = NULL, job.live = NULL;
        cop_cells_node(b->e, group, node, 0, job);
        if (node->individual != SIZE_MAX)
            cop_behind_blank(b->e, &c->behind[node->individual], group);
    }
}

static void events_portion(block *b, const cell_group *group, size_t samples) {
    sign_cells *c = b->e->cells;
    const cell_shape *s = &c->shape;
    const uint32_t *columns = c->column + s->cells * CELL_PORTION;
    for (size_t i = 0; i < b->count; i++) cop_behind_start(c, &c->behind[i], group, samples);
    for (size_t cell = 0; cell < s->cells; cell++)
        for (size_t begin = 0; begin < columns[cell]; begin += BATCH * s->lanes) {
            const uint32_t *column = c->column + cell * CELL_PORTION + begin;
            size_t n = columns[cell] - begin, vectors;
            if (n > BATCH * s->lanes) n = BATCH * s->lanes;
            vectors = (n + s->lanes - 1) / s->lanes;
            for (size_t l = 0; l < vectors * s->lanes; l++) /* the last column fills the vector */
                cop_cells_gather(c, column[l < n ? l : n - 1], cell, l % s->lanes,
                                 c->x + l / s->lanes * s->patch * s->lanes);
            for (size_t k = 0; k < c->plan.nodes; k++) {
                const cell_node *node = &c->plan.node[k];
                for (size_t v = 0; v < vectors; v++) {
                    cop_cell_job job = cop_behind_job(c, group, v);
                    if (node->individual == SIZE_MAX) job.out = NULL, job.live = NULL;
                    cop_cells_node(b->e, group, node, v, job);
                }
                if (node->individual != SIZE_MAX)
                    cop_behind_add(b->e, &c->behind[node->individual], group, cell, column, n);
            }
        }
}

/* The cell is the whole sample: nodes fill the next stage's tensor, 8 slots of 16 samples. */
static void tensor_portion(block *b, const cell_group *group, size_t first, size_t samples) {
    sign_eval *e = b->e;
    sign_cells *c = e->cells;
    const cell_shape *s = &c->shape;
    size_t vectors = (samples + s->lanes - 1) / s->lanes;
    for (size_t v = 0; v < vectors; v++) cop_cells_transpose(c, v, samples);
    for (size_t k = 0; k < c->plan.nodes; k++) {
        const cell_node *node = &c->plan.node[k];
        bool hub = node->individual == SIZE_MAX;
        sign_tensor *t = &e->in[s->next];
        if (!hub) cop_behind_layers(e, &c->behind[node->individual], group);
        cop_cell_job job = {.out = hub ? NULL : t->data,
                            .out_value = t->chunk,
                            .out_channel = t->unit,
                            .vectors = vectors,
                            .vector = s->patch * s->lanes};
        cop_cells_vectors(e, group, node, job);
        if (hub) continue;
        size_t i = node->individual;
        cop_sign_tail(e, s->next, SIGN_CHUNK, group->value, group->count, samples);
        cop_sign_score(e, b->shard, first, samples, SIGN_CHUNK, group->value, group->count,
                       &b->evidence[b->to[i]], predictions_of(b, i));
    }
}

static cop_status events_tail(block *b, const cell_group *group, size_t first, size_t samples) {
    for (size_t i = 0; i < b->count; i++) {
        cop_evidence *evidence = &b->evidence[b->to[i]];
        if (cop_behind_fits(b->e, &b->e->cells->behind[i], samples))
            cop_behind_finish(b->e, &b->e->cells->behind[i], group, b->shard, first, samples,
                              evidence, predictions_of(b, i));
        else
            COP_TRY(cop_sign_plain_piece(b->e, b->shard, first, samples, group->value, group->count,
                                         b->mask[i], evidence, predictions_of(b, i)));
    }
    return COP_OK;
}

static cop_status run_group(block *b, const cell_group *group) {
    sign_eval *e = b->e;
    sign_cells *c = e->cells;
    const cell_shape *s = &c->shape;
    size_t inputs = cop_shape_size(s->input), portion = s->events ? CELL_PORTION : 128;
    size_t batch = s->events ? BATCH : 128 / s->lanes;
    bool lead = e->plan.lead.count > 0;
    double low = lead ? -0x1p30 : (double)c->ready_range.low, high = (double)c->ready_range.high;
    cop_cells_reserve(e, group, batch);
    cop_sign_reserve((void **)&c->sample, &c->bytes[8], portion * inputs * 2);
    int16_t blank = 0;
    for (size_t first = 0; first < b->shard->n; first += portion) {
        size_t n = b->shard->n - first < portion ? b->shard->n - first : portion;
        if (!e->ops->cells->grid(b->shard->x + first * inputs, n * inputs, e->setup.scale, lead,
                                 low, high, c->sample)) {
            c->ready_count = 0; /* the plan was made for other samples */
            return COP_OK;
        }
        if (!s->events) {
            tensor_portion(b, group, first, n);
            continue;
        }
        if (first == 0) {
            blank = cop_cells_background(c, n);
            if (!c->ready_tables || blank != c->ready_blank) blank_cells(b, group, blank);
            c->ready_blank = blank;
            c->ready_tables = true;
        }
        cop_cells_columns(c, b->shard->label + first, n, blank);
        events_portion(b, group, n);
        COP_TRY(events_tail(b, group, first, n));
    }
    return COP_OK;
}

/* Values in threes with the middle one as reference, or one by one. One layer has one sum for all.
 */
static size_t make_groups(const sign_eval *e, bool together, cell_group *group) {
    size_t n = 0, values = e->setup.weighting.values;
    size_t most = e->cells->shape.layers == 1 ? COP_VALUES_MAX : together ? 3 : 1;
    for (size_t v = 0; v < values; n++) {
        group[n].count = values - v < most ? values - v : most;
        for (size_t k = 0; k < group[n].count; k++) group[n].value[k] = v + k;
        if (group[n].count == 3 && most == 3) {
            group[n].value[0] = v + 1;
            group[n].value[1] = v;
        }
        v += group[n].count;
    }
    return n;
}

static bool plan_block(block *b, cell_group *group, size_t *groups) {
    sign_cells *c = b->e->cells;
    size_t number[CELL_BLOCK];
    for (size_t i = 0; i < b->count; i++) number[i] = i;
    for (int together = 1; together >= 0; together--) {
        bool possible = true;
        *groups = make_groups(b->e, together, group);
        cop_cells_tree(&c->plan, &c->shape, b->mask, number, b->count,
                       c->shape.layers == 2 ? group->count - 1 : 0, c->hub);
        for (size_t g = 0; g < *groups && possible; g++)
            possible = cop_cells_program(b->e, &group[g]);
        if (possible) {
            c->planned += c->plan.cost;
            c->planned_full += c->plan.full_cost;
            return true;
        }
        if (c->shape.layers == 1) break;
    }
    return false;
}

void cop_sign_planned(const void *self, uint64_t *cost, uint64_t *full) {
    const sign_cells *c = ((const sign_eval *)self)->cells;
    *cost = c ? c->planned : 0;
    *full = c ? c->planned_full : 0;
}

/* Number types of everything behind, and whether the front's suffice. */
static cop_status prepare(block *b, bool *possible) {
    sign_cells *c = b->e->cells;
    size_t last = c->shape.layers - 1;
    int64_t most = c->shape.events ? (1 << 23) - 1 : INT32_MAX;
    *possible = true;
    for (size_t i = 0; i < b->count; i++) {
        COP_TRY(cop_behind_prepare(b->e, &c->behind[i], b->mask[i]));
        const sign_layer *l = &c->behind[i].layers[last];
        *possible &= !cop_sign_is_wide(l->mode); /* nor sums plus biases, before the ReLU */
        *possible &= l->out.high <= most;
    }
    return COP_OK;
}

/* Whether the plan of the last call is this block's, which is usual: a worker gets shard after
 * shard of the same individuals. */
static bool is_ready(const sign_cells *c, const cop_mask *const *masks, size_t count) {
    bool same = c->ready_count == count && c->groups == 1;
    for (size_t i = 0; i < count && same; i++) same = cop_mask_equal(&c->ready[i], masks[i]);
    return same;
}

static void set_ready(const block *b) {
    sign_cells *c = b->e->cells;
    for (size_t i = 0; i < b->count; i++) {
        if (!c->ready[i].words) cop_mask_init(&c->ready[i], b->mask[i]->bits);
        cop_mask_copy(&c->ready[i], b->mask[i]);
    }
    c->ready_count = b->count;
    c->ready_range = b->e->range;
}

/* Leaves ready_count at 0 if the samples leave the range that the plan was made for. */
static cop_status run_ready(block *b) {
    sign_cells *c = b->e->cells;
    for (size_t g = 0; g < c->groups && c->ready_count; g++) {
        if (c->groups > 1) {
            COP_ASSERT(cop_cells_program(b->e, &c->group[g]));
            c->ready_tables = false;
        }
        for (size_t i = 0; i < b->count && c->shape.events && !c->ready_tables; i++)
            cop_behind_reserve(b->e, &c->behind[i], b->mask[i], &c->group[g], CELL_PORTION);
        COP_TRY(run_group(b, &c->group[g]));
    }
    return COP_OK;
}

/* The layer behind costs as much whatever its density; of one individual alone with less than an
 * eighth of the front's edges that is more than the front saves (measured: docs/evaluation.md). */
static bool is_too_sparse(const block *b) {
    const cop_layer *l = b->e->cells->shape.last->layer;
    return b->count == 1 && b->e->cells->shape.events &&
           cop_mask_count_range(b->mask[0], l->weight_begin, l->weight_begin + l->weights) <
               l->weights / 8;
}

static cop_status run_block(block *b) {
    sign_cells *c = b->e->cells;
    bool possible;
    c->ready_count = 0;
    c->ready_tables = false;
    COP_TRY(prepare(b, &possible));
    if (possible && !is_too_sparse(b) && plan_block(b, c->group, &c->groups)) {
        set_ready(b);
        return run_ready(b);
    }
    for (size_t i = 0; i < b->count; i++)
        COP_TRY(cop_sign_plain(b->e, b->shard, b->mask[i], &b->evidence[b->to[i]],
                               predictions_of(b, i)));
    return COP_OK;
}

static block block_of(sign_eval *e, const cop_mask *const *masks, size_t first, size_t count,
                      const cop_shard *shard, cop_evidence *evidence, uint16_t *predictions) {
    block b = {
        .e = e, .shard = shard, .count = count, .evidence = evidence, .predictions = predictions};
    for (size_t i = 0; i < count; i++) {
        b.mask[i] = masks[first + i];
        b.to[i] = first + i;
    }
    return b;
}

cop_status cop_cells_again(sign_eval *e, const cop_mask *const *masks, size_t count,
                           const cop_shard *shard, cop_evidence *evidence, uint16_t *predictions,
                           bool *done) {
    *done = false;
    if (!is_ready(e->cells, masks, count)) return COP_OK;
    block b = block_of(e, masks, 0, count, shard, evidence, predictions);
    e->range = e->cells->ready_range;
    COP_TRY(run_ready(&b));
    *done = e->cells->ready_count > 0;
    return COP_OK;
}

cop_status cop_cells_evaluate(sign_eval *e, const cop_mask *const *masks, size_t count,
                              const cop_shard *shard, cop_evidence *evidence, uint16_t *predictions,
                              bool *done) {
    *done = e->range.low >= -INT16_MAX && e->range.high <= INT16_MAX && shard->n > 0;
    if (!*done) return COP_OK;
    size_t most = e->sizes.block;
    for (size_t i = 0; i < count; i += most) {
        block b = block_of(e, masks, i, count - i < most ? count - i : most, shard, evidence,
                           predictions);
        COP_TRY(run_block(&b));
    }
    return COP_OK;
}
