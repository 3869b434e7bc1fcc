/* Which individual is computed from which. The nodes are the individuals of a block and up to four
 * hubs: majorities of groups of them. Children of one parent differ from each other twice as much
 * as each does from their parent, and their majority is close to that parent, whoever it was.
 *
 * The lengths in the spanning tree are vector instructions, as the kernels execute them for one
 * vector of columns; `coppice bench eval --individuals` shows what a plan saves by this model, and
 * what it saves by the clock. */
#include "net/eval_sign_cells.h"

#include <string.h>

#define HUBS_MAX 4

static uint64_t ones(uint64_t x) { /* without help from the processor, which not every x86-64 has */
    x -= (x >> 1) & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
    return (((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u) >> 56;
}

/* Bits of weights [begin, end) that differ. */
static size_t differing(const cop_mask *a, const cop_mask *b, size_t begin, size_t end) {
    size_t n = 0;
    for (size_t w = begin / 64; w * 64 < end; w++) {
        uint64_t bits = a->words[w] ^ b->words[w];
        if (w == begin / 64) bits &= ~(uint64_t)0 << (begin % 64);
        if (w == end / 64) bits &= ((uint64_t)1 << (end % 64)) - 1;
        n += ones(bits);
    }
    return n;
}

static size_t kernel_size(const sign_stage *s) {
    return s->kernel_h * s->kernel_w;
}

/* An entry of a program is an addition per position and plane; in the reference plane half as much
 * again. */
static uint64_t entries_cost(const cell_shape *shape, uint64_t entries, size_t extra) {
    return entries * shape->positions * (3 + 2 * extra) / 2;
}

uint64_t cop_cells_edit_cost(const cell_shape *shape, const cop_mask *a, const cop_mask *b,
                             size_t extra) {
    const cop_layer *last = shape->last->layer;
    uint64_t cost = entries_cost(
        shape, differing(a, b, last->weight_begin, last->weight_begin + last->weights), extra);
    if (shape->layers == 1) return cost;
    const cop_layer *first = shape->first->layer;
    size_t changed = 0, positions = shape->plane_h * shape->plane_w;
    for (size_t c = 0; c < shape->first->sums.channels; c++) {
        size_t begin = first->weight_begin + c * first->fan_in;
        changed += differing(a, b, begin, begin + first->fan_in) > 0;
    }
    uint64_t triples = (changed + 2) / 3;
    cost += changed * positions * (first->fan_in + 6 * (1 + extra));
    cost += triples * 10 * positions * 3 * (1 + extra);
    return cost + entries_cost(shape, triples * last->biases * kernel_size(shape->last), extra);
}

uint64_t cop_cells_products_cost(const cell_shape *shape) {
    size_t pairs = (shape->first->sums.channels + 1) / 2, outputs = shape->last->sums.channels;
    bool fits = shape->last->kernel_h == 3 && shape->last->kernel_w == 3 && shape->positions == 4;
    return fits ? outputs * (32 * pairs + 120) + 130 * pairs : UINT64_MAX / 4;
}

uint64_t cop_cells_full_cost(const cell_shape *shape, const cop_mask *mask, size_t extra) {
    const cop_layer *last = shape->last->layer, *first = shape->first->layer;
    size_t live =
        cop_mask_count_range(mask, last->weight_begin, last->weight_begin + last->weights);
    if (shape->layers == 1) return entries_cost(shape, live, extra);
    size_t channels = shape->first->sums.channels, positions = shape->plane_h * shape->plane_w;
    double dead = 1 - (double)live / (double)last->weights;
    uint64_t pairs = (uint64_t)((1 - dead * dead) * (double)last->weights / 2) + 1;
    uint64_t products = cop_cells_products_cost(shape),
             sums = pairs * shape->positions * CELL_PAIR_COST / 4;
    return channels * positions * (first->fan_in + 6 * (1 + extra)) +
           (sums < products ? sums : products) * (1 + extra);
}

/* Majority of the masks assigned to hub @p k, in the bits of the front; ties are live. */
static void majority(const cop_mask *const *masks, const size_t *assigned, size_t count, size_t k,
                     size_t words, cop_mask *hub) {
    for (size_t w = 0; w < words; w++) {
        /* a counter for each of 64 positions: plane p holds bit p of all counts */
        uint64_t plane[7] = {0}, above = 0, equal = ~(uint64_t)0;
        size_t members = 0;
        for (size_t i = 0; i < count; i++) {
            if (assigned[i] != k) continue;
            uint64_t carry = masks[i]->words[w];
            members++;
            for (size_t p = 0; p < 7 && carry; p++) {
                uint64_t both = plane[p] & carry;
                plane[p] ^= carry;
                carry = both;
            }
        }
        size_t half = (members + 1) / 2;
        for (size_t p = 7; p-- > 0;) { /* count against half, from the highest bit down */
            uint64_t bit = (half >> p) & 1 ? ~(uint64_t)0 : 0;
            above |= equal & plane[p] & ~bit;
            equal &= ~(plane[p] ^ bit);
        }
        uint64_t result = members ? above | equal : 0;
        hub->words[w] = result;
    }
}

typedef struct tree {
    const cop_mask *mask[CELL_NODES_MAX];
    size_t parent[CELL_NODES_MAX]; /* SIZE_MAX: from nothing */
    size_t order[CELL_NODES_MAX];  /* parents first */
    size_t nodes;                  /* individuals first, then hubs */
    uint64_t cost;
} tree;

/* Prim's algorithm, with "nothing" as the root that everyone may hang from. */
static void span(tree *t, const cell_shape *shape, size_t extra) {
    uint64_t best[CELL_NODES_MAX];
    bool in[CELL_NODES_MAX] = {false};
    t->cost = 0;
    for (size_t i = 0; i < t->nodes; i++) {
        best[i] = cop_cells_full_cost(shape, t->mask[i], extra);
        t->parent[i] = SIZE_MAX;
    }
    for (size_t n = 0; n < t->nodes; n++) {
        size_t next = SIZE_MAX;
        for (size_t i = 0; i < t->nodes; i++)
            if (!in[i] && (next == SIZE_MAX || best[i] < best[next])) next = i;
        in[next] = true;
        t->order[n] = next;
        t->cost += best[next];
        for (size_t i = 0; i < t->nodes; i++) {
            if (in[i]) continue;
            uint64_t cost = cop_cells_edit_cost(shape, t->mask[next], t->mask[i], extra);
            if (cost < best[i]) {
                best[i] = cost;
                t->parent[i] = next;
            }
        }
    }
}

/* Hubs that nobody hangs from are of no use; true if one was dropped. */
static bool drop_leaves(tree *t, size_t individuals) {
    for (size_t h = individuals; h < t->nodes; h++) {
        bool used = false;
        for (size_t i = 0; i < t->nodes; i++) used |= t->parent[i] == h;
        if (used) continue;
        for (size_t i = h; i + 1 < t->nodes; i++) t->mask[i] = t->mask[i + 1];
        t->nodes--;
        return true;
    }
    return false;
}

/* Groups around @p k centres that start far from each other. */
static void cluster(const cell_shape *shape, const cop_mask *const *masks, size_t count, size_t k,
                    size_t extra, size_t words, cop_mask *hubs) {
    size_t assigned[CELL_NODES_MAX];
    uint64_t nearest[CELL_NODES_MAX];
    for (size_t h = 0, start = 0; h < k; h++) {
        memcpy(hubs[h].words, masks[start]->words, words * sizeof(uint64_t));
        for (size_t i = 0; i < count; i++) {
            uint64_t d = cop_cells_edit_cost(shape, &hubs[h], masks[i], extra);
            if (h == 0 || d < nearest[i]) nearest[i] = d;
        }
        start = 0;
        for (size_t i = 1; i < count; i++)
            if (nearest[i] > nearest[start]) start = i;
    }
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < count; i++) {
            uint64_t least = UINT64_MAX;
            for (size_t h = 0; h < k; h++) {
                uint64_t d = cop_cells_edit_cost(shape, &hubs[h], masks[i], extra);
                if (d < least) {
                    least = d;
                    assigned[i] = h;
                }
            }
        }
        for (size_t h = 0; h < k; h++) majority(masks, assigned, count, h, words, &hubs[h]);
    }
}

void cop_cells_tree(cell_plan *plan, const cell_shape *shape, const cop_mask *const *masks,
                    const size_t *individual, size_t count, size_t extra, cop_mask *hubs) {
    const cop_layer *last = shape->last->layer;
    size_t words = cop_mask_words(last->weight_begin + last->weights);
    tree best = {.nodes = count};
    COP_ASSERT(count >= 1 && count <= CELL_BLOCK);
    for (size_t i = 0; i < count; i++) best.mask[i] = masks[i];
    plan->full_cost = 0;
    for (size_t i = 0; i < count; i++)
        plan->full_cost += cop_cells_full_cost(shape, masks[i], extra);
    span(&best, shape, extra);
    size_t base = 0; /* hubs of the best tree so far begin here; the next try uses the other half */
    for (size_t k = 1; k <= HUBS_MAX && count >= 2 * k + 1; k++) {
        cop_mask *try = hubs + (base ? 0 : HUBS_MAX);
        tree t = {.nodes = count + k};
        for (size_t i = 0; i < count; i++) t.mask[i] = masks[i];
        cluster(shape, masks, count, k, extra, words, try);
        for (size_t h = 0; h < k; h++) t.mask[count + h] = &try[h];
        do span(&t, shape, extra);
        while (drop_leaves(&t, count));
        if (t.cost < best.cost) {
            best = t;
            base = base ? 0 : HUBS_MAX;
        }
    }
    size_t place[CELL_NODES_MAX];
    cop_cells_drop_slots(plan);
    plan->nodes = best.nodes;
    plan->cost = best.cost;
    plan->kept = 0;
    for (size_t n = 0; n < best.nodes; n++) {
        size_t i = best.order[n];
        place[i] = n;
        plan->node[n] = (cell_node){.individual = i < count ? individual[i] : SIZE_MAX,
                                    .mask = best.mask[i],
                                    .parent = SIZE_MAX};
        if (best.parent[i] == SIZE_MAX) continue;
        cell_node *parent = &plan->node[place[best.parent[i]]];
        plan->node[n].parent = place[best.parent[i]];
        if (!parent->kept) parent->keep = plan->kept++;
        parent->kept = true;
    }
}
