/* Programs of fronts with two layers; eval_sign_program.c says what they compute and why it fits.
 */
#include "net/eval_sign_program.h"

#include <stdlib.h>

static int64_t bias_of(const cell_builder *b, const sign_stage *s, size_t g, size_t o) {
    return s->bias[b->group->value[g] * s->sums.channels + o];
}

/* What a channel's planes hold under a mask; false when 16 bits do not suffice. */
static bool channel_bounds(const cell_builder *b, const cop_mask *mask, size_t c,
                           cell_bounds *out) {
    const cop_layer *l = b->shape->first->layer;
    size_t begin = l->weight_begin + c * l->fan_in;
    cell_interval sum = {0, 0}, x = cell_joined((cell_interval){b->e->range.low, b->e->range.high});
    for (size_t t = 0; t < l->fan_in; t++) {
        int w = cell_weight(b, mask, begin + t);
        if (w) cell_widen(&sum, w > 0 ? x : cell_negated(x));
    }
    bool relu = b->shape->relu[0], fits = true;
    for (size_t g = 0; g < b->group->count; g++) {
        int64_t bias = bias_of(b, b->shape->first, g, c);
        cell_interval a = {sum.low + bias, sum.high + bias};
        if (bias < INT16_MIN || bias > INT16_MAX || !cell_fits16(a)) return false;
        if (relu) a = (cell_interval){a.low > 0 ? a.low : 0, a.high > 0 ? a.high : 0};
        int64_t t = bias - bias_of(b, b->shape->first, 0, c);
        out->at[g] = g == 0 ? cell_joined(a) : cell_joined((cell_interval){t, t});
        fits &= cell_fits16(out->at[g]);
    }
    return fits;
}

/* What the planes of a node minus those of its parent hold. */
static void delta_bounds(const cell_builder *b, const cop_mask *mask, const cop_mask *parent,
                         size_t c, cell_bounds *out) {
    const cop_layer *l = b->shape->first->layer;
    size_t begin = l->weight_begin + c * l->fan_in;
    cell_interval x = cell_joined((cell_interval){b->e->range.low, b->e->range.high});
    out->at[0] = (cell_interval){0, 0};
    for (size_t t = 0; t < l->fan_in; t++) {
        int w = cell_weight(b, mask, begin + t) - cell_weight(b, parent, begin + t);
        if (w) cell_widen(&out->at[0], w > 0 ? x : cell_negated(x));
    }
    for (size_t g = 1; g < b->group->count; g++) {
        int64_t t = bias_of(b, b->shape->first, g, c) - bias_of(b, b->shape->first, 0, c);
        if (t < 0) t = -t;
        out->at[g] = (cell_interval){-t, t};
    }
}

/* The work of computing channel @p c of a node into @p slot. */
static cell_patch_work *channel_work(cell_builder *b, const cop_mask *mask, size_t c,
                                     uint32_t slot) {
    const cop_layer *l = b->shape->first->layer;
    cell_plan *p = b->plan;
    size_t begin = l->weight_begin + c * l->fan_in;
    p->works = cop_cells_grow(p->works, &p->work_room, p->work_count, 1, sizeof *p->works);
    p->taps = cop_cells_grow(p->taps, &p->tap_room, p->tap_count, l->fan_in, sizeof *p->taps);
    cell_patch_work *w = &p->works[p->work_count++];
    *w = (cell_patch_work){.channel = (uint32_t)c,
                           .slot = slot,
                           .old = CELL_NONE,
                           .delta = CELL_NONE,
                           .taps = (uint32_t)p->tap_count};
    for (int sign = 1; sign >= -1; sign -= 2)
        for (size_t t = 0; t < l->fan_in; t++)
            if (cell_weight(b, mask, begin + t) == sign) {
                p->taps[p->tap_count++] = (int32_t)cop_cells_tap(b->shape, t);
                if (sign > 0)
                    w->plus++;
                else
                    w->minus++;
            }
    return w;
}

/* Up to three planes and all their sums and differences. */
typedef struct triple {
    size_t count;
    size_t channel[3];
    uint32_t slot[3], made[14]; /* by the code of the signs, see code() */
    cell_bounds of[14];
} triple;

/* Signs of up to three channels as a number 1..13 and a sign: the last that is not 0 counts +1. */
static int code(const int *w, size_t count, int *sign) {
    static const int digit[3] = {1, 3, 9};
    int n = 0;
    for (size_t i = 0; i < count; i++) n += digit[i] * w[i];
    *sign = n < 0 ? -1 : 1;
    return n < 0 ? -n : n; /* balanced ternary: 1..13 */
}

static cell_bounds sum_bounds(const cell_builder *b, const cell_bounds *x, const cell_bounds *y,
                              bool minus) {
    cell_bounds out = {{{0, 0}}};
    for (size_t g = 0; g < b->group->count; g++) {
        cell_interval k = minus ? cell_negated(y->at[g]) : y->at[g];
        out.at[g] = (cell_interval){x->at[g].low + k.low, x->at[g].high + k.high};
    }
    return out;
}

/* All combinations of the channels of @p t whose single bounds stand in of[1], of[3], of[9]. */
static void make_triple(cell_builder *b, triple *t) {
    static const int unit[3] = {1, 3, 9};
    for (size_t i = 0; i < t->count; i++) {
        t->made[unit[i]] = t->slot[i];
        for (int n = 1; n <= unit[i] / 2; n++) { /* unit +- n, n made of the channels before */
            for (int s = -1; s <= 1; s += 2) {
                int to = unit[i] + s * n;
                t->made[to] = cell_slots(b, 1);
                cop_cells_combine(b, t->slot[i], t->made[n], t->made[to], s < 0);
                t->of[to] = sum_bounds(b, &t->of[unit[i]], &t->of[n], s < 0);
            }
        }
    }
}

static size_t edge_of(const cell_builder *b, size_t o, size_t c, size_t k) {
    const sign_stage *s = b->shape->last;
    return s->layer->weight_begin + (o * s->in.channels + c) * s->kernel_h * s->kernel_w + k;
}
static uint32_t place(const cell_builder *b, uint32_t slot, size_t k) {
    const cell_shape *s = b->shape;
    size_t at = k / s->last->kernel_w * s->plane_w + k % s->last->kernel_w;
    return (uint32_t)(slot * b->plan->slot_size + at * s->lanes);
}

static void push_triples(cell_builder *b, const cop_mask *mask, triple *t, size_t triples,
                         size_t o) {
    size_t kernel = b->shape->last->kernel_h * b->shape->last->kernel_w;
    for (size_t i = 0; i < triples; i++)
        for (size_t k = 0; k < kernel; k++) {
            int w[3], sign;
            for (size_t j = 0; j < t[i].count; j++)
                w[j] = cell_weight(b, mask, edge_of(b, o, t[i].channel[j], k));
            int n = code(w, t[i].count, &sign);
            if (n) cop_cells_push(b, place(b, t[i].made[n], k), sign, &t[i].of[n]);
        }
}

static void push_pairs(cell_builder *b, const cop_mask *mask, size_t channels, size_t o) {
    const cell_shape *s = b->shape;
    size_t kernel = s->last->kernel_h * s->last->kernel_w, at = b->plan->words;
    size_t plane = s->plane_h * s->plane_w * s->lanes;
    uint32_t n = 0;
    cop_cells_word(b, 0);
    for (size_t c = 0; c < channels; c += 2)
        for (size_t k = 0; k < kernel; k++) {
            int low = cell_weight(b, mask, edge_of(b, o, c, k));
            int high = c + 1 < channels ? cell_weight(b, mask, edge_of(b, o, c + 1, k)) : 0;
            if (!low && !high) continue;
            size_t tap = k / s->last->kernel_w * s->plane_w + k % s->last->kernel_w;
            cop_cells_word(b, (uint32_t)(c * plane + tap * s->lanes)); /* a pair has two planes */
            cop_cells_word(b, (uint32_t)(uint16_t)low | (uint32_t)(uint16_t)high << 16);
            n++;
        }
    b->plan->program[at] = n;
}

/* G' g G'^T of one 3 x 3 kernel; see la/cell_template.h. */
static void transform(const int *g, int *out) {
    int t[4][3];
    for (int x = 0; x < 3; x++) {
        t[0][x] = g[x];
        t[1][x] = g[x] + g[3 + x] + g[6 + x];
        t[2][x] = g[x] - g[3 + x] + g[6 + x];
        t[3][x] = g[6 + x];
    }
    for (int y = 0; y < 4; y++) {
        out[4 * y] = t[y][0];
        out[4 * y + 1] = t[y][0] + t[y][1] + t[y][2];
        out[4 * y + 2] = t[y][0] - t[y][1] + t[y][2];
        out[4 * y + 3] = t[y][2];
    }
}

/* Weights (blocks of outputs, 16 products, pairs of channels, outputs of the block), then the
 * constants. */
static void push_products(cell_builder *b, const cop_mask *mask, size_t channels, size_t outputs) {
    cell_plan *p = b->plan;
    size_t per = b->e->ops->cells->wino_outputs, blocks = (outputs + per - 1) / per;
    size_t pairs = (channels + 1) / 2, begin = p->words, words = blocks * 16 * pairs * per;
    for (size_t i = 0; i < words + outputs; i++) cop_cells_word(b, 0);
    for (size_t o = 0; o < outputs; o++) {
        uint32_t sum = 0;
        for (size_t c = 0; c < channels; c++) {
            int g[9], w[16];
            for (size_t k = 0; k < 9; k++) g[k] = cell_weight(b, mask, edge_of(b, o, c, k));
            transform(g, w);
            sum += (uint32_t)w[5];
            for (size_t f = 0; f < 16; f++)
                p->program[begin + ((o / per * 16 + f) * pairs + c / 2) * per + o % per] |=
                    (uint32_t)(uint16_t)w[f] << (c % 2 * 16);
        }
        p->program[begin + words + o] = sum * 32768u;
    }
}

/* A node from nothing. */
static void program_full(cell_builder *b, cell_node *n) {
    const cell_shape *s = b->shape;
    size_t channels = s->first->sums.channels, outputs = s->last->sums.channels, entries;
    for (size_t c = 0; c < channels; c++) channel_work(b, n->mask, c, n->slot[c]);
    for (size_t o = 0; o < outputs; o++) {
        push_pairs(b, n->mask, channels, o);
        cop_cells_word(b, 0); /* no fours */
        cop_cells_word(b, 0); /* no chunks */
    }
    entries = (b->plan->words - n->program) / 2;
    if (s->last->kernel_h != 3 || s->last->kernel_w != 3 || s->positions != 4 || !s->relu[0] ||
        channels > 3000 || entries * CELL_PAIR_COST < cop_cells_products_cost(s))
        return;
    n->products = b->plan->words;
    push_products(b, n->mask, channels, outputs);
}

/* A node from its parent, whose planes are bounded by @p of. */
static void program_edit(cell_builder *b, cell_node *n, const cell_node *parent,
                         const cell_bounds *of) {
    const cop_layer *first = b->shape->first->layer;
    size_t channels = b->shape->first->sums.channels, outputs = b->shape->last->sums.channels;
    size_t kernel = b->shape->last->kernel_h * b->shape->last->kernel_w, triples = 0;
    triple *t = COP_NEW_ARRAY(triple, channels);
    for (size_t c = 0; c < channels; c++) {
        static const int unit[3] = {1, 3, 9};
        bool changed = false;
        size_t begin = first->weight_begin + c * first->fan_in;
        for (size_t i = begin; i < begin + first->fan_in; i++)
            changed |= cell_weight(b, n->mask, i) != cell_weight(b, parent->mask, i);
        if (!changed) continue;
        cell_bounds mine, delta;
        b->possible &= channel_bounds(b, n->mask, c, &mine);
        delta_bounds(b, n->mask, parent->mask, c, &delta);
        /* three together only while their combinations fit 16 bits */
        triple *last = triples ? &t[triples - 1] : NULL;
        int64_t most = 0;
        for (size_t j = 0; last && j < last->count; j++)
            most += llabs(last->of[unit[j]].at[0].low) + llabs(last->of[unit[j]].at[0].high);
        most += llabs(delta.at[0].low) + llabs(delta.at[0].high);
        if (!last || last->count == 3 || most > INT16_MAX) last = &t[triples++];
        uint32_t own = n->kept ? n->slot[c] : cell_slots(b, 1);
        cell_patch_work *w = channel_work(b, n->mask, c, own);
        w->old = parent->slot[c];
        w->delta = cell_slots(b, 1);
        last->channel[last->count] = c;
        last->slot[last->count] = w->delta;
        last->of[unit[last->count]] = delta;
        last->count++;
    }
    for (size_t i = 0; i < triples; i++) make_triple(b, &t[i]);
    for (int differences = 0; differences < 2; differences++) {
        if (differences) n->differences = b->plan->words;
        for (size_t o = 0; o < outputs && b->possible && (!differences || b->extra); o++) {
            push_triples(b, n->mask, t, triples, o);
            for (size_t c = 0; c < channels; c++)
                for (size_t k = 0; k < kernel; k++) {
                    size_t edge = edge_of(b, o, c, k);
                    int w = cell_weight(b, n->mask, edge) - cell_weight(b, parent->mask, edge);
                    if (w) cop_cells_push(b, place(b, parent->slot[c], k), w, &of[c]);
                }
            if (!differences) {
                cop_cells_word(b, 0); /* no pairs */
                cop_cells_fours(b);
                cop_cells_word(b, 0); /* no chunks */
            } else
                cop_cells_differences(b);
            b->count = 0;
        }
    }
    cop_free(t);
}

/* Whether the sums of every output under two values differ by 16 bits at most; how much they are
 * above the reference's at most, with the bias, goes into the program. */
static bool differences_fit(cell_builder *b, cell_node *n, const cell_bounds *of) {
    const sign_stage *s = b->shape->last;
    size_t kernel = s->kernel_h * s->kernel_w, outputs = s->sums.channels;
    n->most = b->plan->words;
    for (size_t o = 0; o < outputs; o++) {
        int64_t most = INT32_MIN;
        for (size_t g = 1; g < b->group->count; g++) {
            cell_interval sum = {0, 0};
            for (size_t c = 0; c < s->in.channels; c++)
                for (size_t k = 0; k < kernel; k++) {
                    int w = cell_weight(b, n->mask, edge_of(b, o, c, k));
                    if (w) cell_widen(&sum, w > 0 ? of[c].at[g] : cell_negated(of[c].at[g]));
                }
            if (!cell_fits16(sum)) return false;
            sum.high += bias_of(b, s, g, o);
            if (sum.high > most) most = sum.high;
        }
        cop_cells_word(b, (uint32_t)(int32_t)most);
    }
    return true;
}

void cop_cells_program_two(cell_builder *b) {
    cell_plan *p = b->plan;
    size_t channels = b->shape->first->sums.channels, base = 1; /* slot 0: zeros */
    cell_bounds *of = COP_NEW_ARRAY(cell_bounds, p->nodes * channels);
    /* planes that outlive their node come first, the others share what follows */
    for (size_t i = 0; i < p->nodes; i++) {
        cell_node *n = &p->node[i];
        const cell_node *parent = n->parent == SIZE_MAX ? NULL : &p->node[n->parent];
        if (!n->kept && parent) continue;
        n->slot = COP_NEW_ARRAY(uint32_t, channels);
        for (size_t c = 0; c < channels; c++) {
            size_t begin = b->shape->first->layer->weight_begin;
            begin += c * b->shape->first->layer->fan_in;
            bool same = parent != NULL;
            for (size_t k = begin; same && k < begin + b->shape->first->layer->fan_in; k++)
                same = cell_weight(b, n->mask, k) == cell_weight(b, parent->mask, k);
            n->slot[c] = same ? parent->slot[c] : (uint32_t)base++;
        }
    }
    p->slots = base;
    for (size_t i = 0; i < p->nodes && b->possible; i++) {
        cell_node *n = &p->node[i];
        b->top = base;
        n->work = p->work_count;
        n->combine = p->combine_count;
        n->products = SIZE_MAX;
        for (size_t c = 0; c < channels; c++)
            b->possible &= channel_bounds(b, n->mask, c, &of[i * channels + c]);
        if (n->kept || n->parent != SIZE_MAX)
            b->possible = b->possible && differences_fit(b, n, of + i * channels);
        if (!b->possible) break;
        n->program = p->words;
        n->small = true;
        for (size_t c = 0; c < channels; c++)
            for (size_t g = 0; g < b->group->count; g++)
                n->small &=
                    of[i * channels + c].at[0].high + (g ? of[i * channels + c].at[g].high : 0) <=
                    CELL_SMALL;
        if (n->parent == SIZE_MAX)
            program_full(b, n);
        else
            program_edit(b, n, &p->node[n->parent], of + n->parent * channels);
        n->works = p->work_count - n->work;
        n->combines = p->combine_count - n->combine;
    }
    cop_free(of);
}
