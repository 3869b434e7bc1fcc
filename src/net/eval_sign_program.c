/* Programs: what a node's front adds and subtracts, in the order of the kernel, and the proof that
 * no sum leaves its type.
 *
 * One layer. S_n = S_p + sum over the edges that differ of +-x.
 *
 * Two layers. Let a be the first layer's activations and w the second's signs. Then
 *   S_n = S_p + sum over (o,c,k) with w_n != w_p of (w_n - w_p) a_p + sum over changed channels of
 * w_n (a_n - a_p), where a channel is changed when an edge into it differs. Changed channels are
 * taken in threes, for which all 13 sums and differences are made beforehand, so that three
 * channels cost one addition per output and tap. From nothing, all values are summed for
 * themselves, in pairs of channels with 32-bit products, or in Winograd's way where that is less.
 *
 * The proof. Every plane has an interval that holds its numbers: inputs lie in the shard's range; a
 * channel's sum in [P low - M high, P high - M low], its activation between the ReLU of the ends.
 * The ReLU neither reverses nor stretches differences, so a_n - a_p lies between 0 and the interval
 * of what the differing edges add, and the difference of two values' activations between 0 and the
 * difference t of their biases; the change of the latter lies in [-|t|, |t|]. A chunk ends before
 * the sum of its entries' intervals (joined with 0, so that every partial sum is covered) could
 * leave 16 bits; sums of other values than the reference are kept as differences to it, whose
 * interval is computed likewise for every node; when it leaves 16 bits the caller computes every
 * value by itself. Additions wrap, so only what they arrive at has to fit. */
#include "net/eval_sign_program.h"

void *cop_cells_grow(void *data, size_t *room, size_t used, size_t more, size_t size) {
    if (used + more <= *room) return data;
    size_t want = *room + *room / 2 > used + more ? *room + *room / 2 : used + more + 64;
    data = cop_realloc(data, *room, want, size);
    *room = want;
    return data;
}

void cop_cells_word(cell_builder *b, uint32_t w) {
    cell_plan *p = b->plan;
    p->program = cop_cells_grow(p->program, &p->room, p->words, 1, sizeof *p->program);
    p->program[p->words++] = w;
}
void cop_cells_combine(cell_builder *b, uint32_t a, uint32_t with, uint32_t to, bool minus) {
    cell_plan *p = b->plan;
    p->combines =
        cop_cells_grow(p->combines, &p->combine_room, p->combine_count, 1, sizeof *p->combines);
    p->combines[p->combine_count++] = (cell_combine){a, with, to, minus};
}
void cop_cells_push(cell_builder *b, uint32_t offset, int sign, const cell_bounds *of) {
    b->entries = cop_cells_grow(b->entries, &b->room, b->count, 1, sizeof *b->entries);
    b->entries[b->count++] = (cell_entry){offset, sign < 0, of};
}

/* The entries of one output as chunks. */
static void write_chunks(cell_builder *b) {
    size_t at = b->plan->words, chunks = 0, plus = 0, minus = 0;
    /* those added to the front, those subtracted to the back, each from its end of the list */
    cell_entry *sorted = COP_NEW_ARRAY(cell_entry, b->count + 1);
    size_t ends[2] = {0, b->count};
    for (size_t i = 0; i < b->count; i++)
        sorted[b->entries[i].minus ? --ends[1] : ends[0]++] = b->entries[i];
    cop_cells_word(b, 0);
    for (plus = 0, minus = ends[1]; plus < ends[0] || minus < b->count; chunks++) {
        size_t begin[2] = {plus, minus};
        cell_interval sum = {0, 0};
        for (bool more = true; more;) {
            more = false;
            for (int side = 0; side < 2; side++) {
                size_t *i = side ? &minus : &plus;
                if (*i >= (side ? b->count : ends[0])) continue;
                cell_interval next = sum, k = sorted[*i].of->at[0];
                cell_widen(&next, side ? cell_negated(k) : k);
                if (!cell_fits16(next)) continue;
                sum = next;
                ++*i;
                more = true;
            }
        }
        if (begin[0] == plus && begin[1] == minus) { /* one plane alone does not fit */
            b->possible = false;
            break;
        }
        cop_cells_word(b, (uint32_t)(plus - begin[0]));
        cop_cells_word(b, (uint32_t)(minus - begin[1]));
        for (size_t i = begin[0]; i < plus; i++) cop_cells_word(b, sorted[i].offset);
        for (size_t i = begin[1]; i < minus; i++) cop_cells_word(b, sorted[i].offset);
    }
    b->plan->program[at] = (uint32_t)chunks;
    cop_free(sorted);
    b->count = 0;
}

/* The entries of one output in fours of one sign whose sum fits 16 bits; slot 0 holds zeros. */
void cop_cells_fours(cell_builder *b) {
    size_t at = b->plan->words;
    uint32_t fours = 0;
    cop_cells_word(b, 0);
    for (int side = 0; side < 2; side++) {
        cell_interval sum = {0, 0};
        size_t open = 0;
        for (size_t i = 0; i <= b->count; i++) {
            bool end = i == b->count;
            if (!end && b->entries[i].minus != side) continue;
            cell_interval next = sum;
            if (!end) cell_widen(&next, b->entries[i].of->at[0]);
            if (open && (end || open == 4 || !cell_fits16(next))) {
                for (; open < 4; open++) cop_cells_word(b, 0);
                cop_cells_word(b, side ? UINT32_MAX : 1);
                fours++;
                open = 0;
                next = (cell_interval){0, 0};
                if (!end) cell_widen(&next, b->entries[i].of->at[0]);
            }
            if (end) break;
            b->possible &= cell_fits16(next);
            cop_cells_word(b, b->entries[i].offset);
            open++;
            sum = next;
        }
    }
    b->plan->program[at] = fours;
}
void cop_cells_differences(cell_builder *b) {
    uint32_t minus = 0;
    for (size_t i = 0; i < b->count; i++) minus += b->entries[i].minus;
    cop_cells_word(b, (uint32_t)b->count - minus);
    cop_cells_word(b, minus);
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < b->count; i++)
            if (b->entries[i].minus == side) cop_cells_word(b, b->entries[i].offset);
}

size_t cop_cells_tap(const cell_shape *s, size_t tap) { /* of the first layer, in vectors */
    size_t kernel = s->first->kernel_h * s->first->kernel_w, k = tap % kernel;
    return tap / kernel * s->patch_h * s->patch_w + k / s->first->kernel_w * s->patch_w +
           k % s->first->kernel_w;
}

/* Entries for the edges of @p bits among the @p count at @p begin. */
static void push_bits(cell_builder *b,
                      uint64_t (*bits)(const cell_builder *, const cop_mask *, const cop_mask *,
                                       size_t),
                      const cop_mask *mask, const cop_mask *parent, size_t begin, size_t count,
                      int sign, const uint32_t *offset, const cell_bounds *of) {
    size_t end = begin + count;
    for (size_t w = begin / 64; w * 64 < end; w++) {
        uint64_t set = bits(b, mask, parent, w);
        if (w == begin / 64) set &= ~(uint64_t)0 << (begin % 64);
        if (w == end / 64) set &= ((uint64_t)1 << (end % 64)) - 1;
        for (; set; set &= set - 1)
            cop_cells_push(b, offset[w * 64 + (size_t)__builtin_ctzll(set) - begin], sign, of);
    }
}
/* Edges whose weight is one more than in the parent, and those whose weight is one less. */
static uint64_t raised(const cell_builder *b, const cop_mask *mask, const cop_mask *parent,
                       size_t w) {
    uint64_t old = parent ? parent->words[w] : 0;
    return (mask->words[w] & ~old & b->e->plus.words[w]) |
           (old & ~mask->words[w] & b->e->minus.words[w]);
}
static uint64_t lowered(const cell_builder *b, const cop_mask *mask, const cop_mask *parent,
                        size_t w) {
    uint64_t old = parent ? parent->words[w] : 0;
    return (mask->words[w] & ~old & b->e->minus.words[w]) |
           (old & ~mask->words[w] & b->e->plus.words[w]);
}

static void program_one(cell_builder *b, const cell_node *n, const cop_mask *parent) {
    const cop_layer *l = b->shape->first->layer;
    const cell_bounds x = {{cell_joined((cell_interval){b->e->range.low, b->e->range.high})}};
    uint32_t *offset = COP_NEW_ARRAY(uint32_t, l->fan_in);
    for (size_t t = 0; t < l->fan_in; t++)
        offset[t] = (uint32_t)(cop_cells_tap(b->shape, t) * b->shape->lanes);
    for (size_t o = 0; o < l->biases; o++) {
        size_t begin = l->weight_begin + o * l->fan_in;
        push_bits(b, raised, n->mask, parent, begin, l->fan_in, 1, offset, &x);
        push_bits(b, lowered, n->mask, parent, begin, l->fan_in, -1, offset, &x);
        cop_cells_word(b, 0); /* no pairs */
        cop_cells_word(b, 0); /* no fours */
        write_chunks(b);
    }
    cop_free(offset);
}

void cop_cells_drop_slots(cell_plan *p) {
    for (size_t i = 0; i < CELL_NODES_MAX; i++) {
        cop_free(p->node[i].slot);
        p->node[i].slot = NULL;
    }
}

bool cop_cells_program(sign_eval *e, const cell_group *group) {
    sign_cells *cells = e->cells;
    cell_plan *p = &cells->plan;
    cell_builder b = {.e = e, .shape = &cells->shape, .plan = p, .group = group, .possible = true};
    b.extra = b.shape->layers == 2 ? group->count - 1 : 0;
    p->work_count = p->combine_count = p->tap_count = p->words = p->slots = 0;
    p->slot_size = (1 + b.extra) * b.shape->plane_h * b.shape->plane_w * b.shape->lanes;
    cop_cells_drop_slots(p);
    if (b.shape->layers == 2)
        cop_cells_program_two(&b);
    else
        for (size_t i = 0; i < p->nodes && b.possible; i++) {
            cell_node *n = &p->node[i];
            n->program = p->words;
            n->works = n->combines = 0;
            program_one(&b, n, n->parent == SIZE_MAX ? NULL : p->node[n->parent].mask);
        }
    cop_free(b.entries);
    return b.possible && p->words < INT32_MAX && p->slots * p->slot_size < INT32_MAX;
}
