/* One node of the plan on one vector of columns; see eval_sign_cells.h. */
#include "net/eval_sign_cells.h"

#include <string.h>

void cop_cells_reserve(sign_eval *e, const cell_group *group, size_t batch) {
    sign_cells *c = e->cells;
    const cell_shape *s = &c->shape;
    size_t lanes = s->lanes, outputs = s->last->sums.channels;
    size_t sums = s->layers == 2 ? group->count : 1, block = outputs * s->positions * lanes;
    cop_sign_reserve((void **)&c->x, &c->bytes[0], batch * s->patch * lanes * 2);
    cop_sign_reserve((void **)&c->planes, &c->bytes[1],
                     batch * c->plan.slots * c->plan.slot_size * 2 + 64);
    for (size_t v = 0; v < batch && s->layers == 2; v++) /* slot 0 of every vector holds zeros */
        memset(c->planes + v * c->plan.slots * c->plan.slot_size, 0, c->plan.slot_size * 2);
    cop_sign_reserve((void **)&c->kept, &c->bytes[2], (batch * c->plan.kept + 1) * block * 4);
    cop_sign_reserve((void **)&c->kept16, &c->bytes[13],
                     batch * c->plan.kept * (sums - 1) * block * 2 + 64);
    cop_sign_reserve((void **)&c->out, &c->bytes[3], batch * group->count * outputs * lanes * 4);
    cop_sign_reserve((void **)&c->live, &c->bytes[4], batch * ((outputs + 15) / 16 * 16) * 4);
    cop_sign_reserve((void **)&c->total, &c->bytes[5], batch * group->count * lanes * 4);
    cop_sign_reserve((void **)&c->bias, &c->bytes[6], group->count * outputs * 4);
    cop_sign_reserve((void **)&c->sums, &c->bytes[10], block * 4);
    cop_sign_reserve((void **)&c->dead, &c->bytes[14], outputs);
    size_t pairs = s->layers == 2 ? (s->first->sums.channels + 1) / 2 : 0;
    cop_sign_reserve((void **)&c->pairs, &c->bytes[11],
                     (2 * pairs + 2) * s->plane_h * s->plane_w * lanes * 2);
    cop_sign_reserve((void **)&c->work, &c->bytes[12], 32 * pairs * lanes * 2);
    memset(c->live, 0, c->bytes[4]);
    for (size_t g = 0; g < group->count; g++)
        for (size_t o = 0; o < outputs; o++)
            c->bias[g * outputs + o] = (int32_t)s->last->bias[group->value[g] * outputs + o];
}

/* The planes that a node of two layers needs. */
static void make_planes(sign_eval *e, const cell_group *group, const cell_node *n, const int16_t *x,
                        int16_t *planes) {
    const sign_cells *c = e->cells;
    const cell_shape *s = &c->shape;
    const cop_cell_ops *ops = e->ops->cells;
    size_t size = c->plan.slot_size, plane = s->plane_h * s->plane_w * s->lanes;
    size_t channels = s->first->sums.channels;
    for (size_t i = n->work; i < n->work + n->works; i++) {
        const cell_patch_work *w = &c->plan.works[i];
        cop_cell_channel job = {.tap = c->plan.taps + w->taps,
                                .plus = w->plus,
                                .minus = w->minus,
                                .rows = s->plane_h,
                                .cols = s->plane_w,
                                .row = s->first->stride * s->patch_w,
                                .col = s->first->stride,
                                .values = group->count,
                                .relu = s->relu[0]};
        for (size_t g = 0; g < group->count; g++)
            job.bias[g] = (int16_t)s->first->bias[group->value[g] * channels + w->channel];
        ops->channel(&job, x, planes + w->slot * size, plane);
        if (w->delta != UINT32_MAX)
            ops->subtract(planes + w->slot * size, planes + w->old * size, planes + w->delta * size,
                          size);
    }
    for (size_t i = n->combine; i < n->combine + n->combines; i++) {
        const cell_combine *m = &c->plan.combines[i];
        const int16_t *a = planes + m->a * size;
        const int16_t *b = planes + m->b * size;
        int16_t *to = planes + m->to * size;
        (m->minus ? ops->subtract : ops->add)(a, b, to, size);
    }
}

/* Pair planes of all channels of a node from nothing, under value @p g of the group. True if the
 * activations are small enough for winograd(). */
static bool make_pairs(sign_eval *e, const cell_node *n, size_t g, const int16_t *planes) {
    const sign_cells *c = e->cells;
    const cell_shape *s = &c->shape;
    const cop_cell_ops *ops = e->ops->cells;
    size_t plane = s->plane_h * s->plane_w * s->lanes, channels = s->first->sums.channels;
    int16_t *sum[2] = {c->pairs + (channels + 1) / 2 * 2 * plane, NULL}, most = 0;
    sum[1] = sum[0] + plane;
    for (size_t k = 0; k < channels; k += 2) {
        const int16_t *a[2] = {NULL, NULL};
        for (size_t h = 0; h < 2 && k + h < channels; h++) {
            a[h] = planes + n->slot[k + h] * c->plan.slot_size;
            if (g > 0) {
                ops->add(a[h], a[h] + g * plane, sum[h], plane);
                a[h] = sum[h];
            }
            int16_t top = n->small ? 0 : ops->most(a[h], plane);
            if (top > most) most = top;
        }
        ops->pair(a[0], a[1], c->pairs + k * plane, c->pairs + (k + 1) * plane, plane);
    }
    return most <= CELL_SMALL;
}

/* Where the sums of a kept node are, for vector @p v of the batch; differences of value @p g > 0.
 */
static int32_t *kept_sums(const sign_cells *c, const cell_node *n, size_t v) {
    const cell_shape *s = &c->shape;
    size_t block = s->last->sums.channels * s->positions * s->lanes;
    return c->kept + (n->kept ? 1 + v * c->plan.kept + n->keep : 0) * block;
}
static int16_t *kept_differences(const sign_cells *c, const cell_node *n, size_t v, size_t g,
                                 size_t sums) {
    const cell_shape *s = &c->shape;
    size_t block = s->last->sums.channels * s->positions * s->lanes;
    return c->kept16 + ((v * c->plan.kept + n->keep) * (sums - 1) + g - 1) * block;
}

/* Node @p n on vector @p v of the batch; results as @p job says. */
void cop_cells_node(sign_eval *e, const cell_group *group, const cell_node *n, size_t v,
                    cop_cell_job job) {
    const sign_cells *c = e->cells;
    const cell_shape *s = &c->shape;
    const cell_node *parent = n->parent == SIZE_MAX ? NULL : &c->plan.node[n->parent];
    size_t outputs = s->last->sums.channels, sums = s->layers == 2 ? group->count : 1;
    size_t plane = s->plane_h * s->plane_w * s->lanes, channels = s->first->sums.channels;
    const int16_t *x = c->x + v * s->patch * s->lanes;
    int16_t *planes = c->planes + v * c->plan.slots * c->plan.slot_size;
    job.outputs = outputs;
    job.positions = s->positions;
    job.relu = s->relu[1];
    job.row = s->layers == 2 ? s->plane_w : s->patch_w;
    job.values = s->layers == 2 ? 1 : group->count;
    job.pair_half = plane;
    job.plane = 2 * plane;
    job.pairs = (channels + 1) / 2;
    job.work = c->work;
    if (s->layers == 2) make_planes(e, group, n, x, planes);
    for (size_t g = 0; g < sums; g++) {
        cop_cell_job one = job;
        bool products = false;
        one.program = c->plan.program + n->program;
        one.bias = c->bias + g * outputs;
        if (job.out) one.out = job.out + g * job.out_value;
        if (job.live) one.total = job.total + g * s->lanes;
        one.join = g > 0;
        one.planes = s->layers == 2 ? planes + g * plane : x;
        int32_t *own =
            kept_sums(c, n, v); /* of an individual that nobody needs: for its other values */
        if (parent && g == 0) {
            one.from = kept_sums(c, parent, v);
            one.keep = n->kept || sums > 1 ? own : NULL;
            one.dead = n->kept || sums == 1 || !job.out || !job.relu ? NULL : c->dead;
            one.most = (const int32_t *)c->plan.program + n->most;
        } else if (parent) {
            one.program = c->plan.program + n->differences;
            one.shared = own;
            one.from16 = kept_differences(c, parent, v, g, sums);
            one.dead = n->kept || !job.out || !job.relu ? NULL : c->dead;
            one.keep16 = n->kept ? kept_differences(c, n, v, g, sums) : NULL;
        } else {
            one.keep = n->kept ? g ? c->sums : own : NULL;
            if (s->layers == 2) {
                products = make_pairs(e, n, g, planes) && n->products != SIZE_MAX;
                one.planes = c->pairs;
            }
        }
        if (products) {
            size_t per = e->ops->cells->wino_outputs, blocks = (outputs + per - 1) / per;
            one.program = c->plan.program + n->products;
            one.constant = (const int32_t *)one.program + blocks * 16 * job.pairs * per;
            e->ops->cells->winograd(&one);
        } else
            e->ops->cells->node(&one);
        if (!parent && n->kept && g > 0)
            e->ops->cells->difference(c->sums, own, kept_differences(c, n, v, g, sums),
                                      outputs * s->positions * s->lanes);
    }
}

void cop_cells_vectors(sign_eval *e, const cell_group *group, const cell_node *n,
                       cop_cell_job job) {
    const sign_cells *c = e->cells;
    size_t outputs = c->shape.last->sums.channels, each = outputs * c->shape.lanes;
    job.program = c->plan.program + n->program;
    job.outputs = outputs;
    job.relu = c->shape.relu[1];
    job.values = group->count;
    job.bias = c->bias;
    job.planes = c->x;
    job.from = n->parent == SIZE_MAX
                   ? NULL
                   : c->kept + (1 + c->plan.node[n->parent].keep * job.vectors) * each;
    job.keep = n->kept ? c->kept + (1 + n->keep * job.vectors) * each : NULL;
    e->ops->cells->vectors(&job);
}
