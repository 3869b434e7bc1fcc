/* Inside of the programs of nodes: intervals, entries and what writes them. */
#ifndef COPPICE_NET_EVAL_SIGN_PROGRAM_H
#define COPPICE_NET_EVAL_SIGN_PROGRAM_H

#include "net/eval_sign_cells.h"

#define CELL_NONE UINT32_MAX

static inline cell_interval cell_negated(cell_interval a) {
    return (cell_interval){-a.high, -a.low};
}
static inline cell_interval cell_joined(cell_interval a) { /* with 0 */
    return (cell_interval){a.low < 0 ? a.low : 0, a.high > 0 ? a.high : 0};
}
static inline bool cell_fits16(cell_interval a) {
    return a.low >= INT16_MIN && a.high <= INT16_MAX;
}
static inline void cell_widen(cell_interval *a, cell_interval b) {
    a->low += b.low < 0 ? b.low : 0;
    a->high += b.high > 0 ? b.high : 0;
}

/* What a plane may hold: the reference plane, the two difference planes. */
typedef struct cell_bounds {
    cell_interval at[3];
} cell_bounds;

/* An entry of an output's list. */
typedef struct cell_entry {
    uint32_t offset;
    bool minus;
    const cell_bounds *of;
} cell_entry;

typedef struct cell_builder {
    sign_eval *e;
    const cell_shape *shape;
    cell_plan *plan;
    const cell_group *group;
    size_t extra, top; /* top: slots in use while a node is computed */
    cell_entry *entries;
    size_t count, room;
    bool possible;
} cell_builder;

static inline int cell_sign(const cell_builder *b, size_t edge) {
    return cop_mask_get(&b->e->plus, edge) ? 1 : cop_mask_get(&b->e->minus, edge) ? -1 : 0;
}
static inline int cell_weight(const cell_builder *b, const cop_mask *mask, size_t edge) {
    return cop_mask_get(mask, edge) ? cell_sign(b, edge) : 0;
}

/* Slots until the end of this node. */
static inline uint32_t cell_slots(cell_builder *b, size_t n) {
    uint32_t first = (uint32_t)b->top;
    b->top += n;
    if (b->top > b->plan->slots) b->plan->slots = b->top;
    return first;
}

/* Room for @p more items behind @p used. */
void *cop_cells_grow(void *data, size_t *room, size_t used, size_t more, size_t size);
void cop_cells_word(cell_builder *b, uint32_t w);
void cop_cells_combine(cell_builder *b, uint32_t a, uint32_t with, uint32_t to, bool minus);
void cop_cells_push(cell_builder *b, uint32_t offset, int sign, const cell_bounds *of);
/* Write the entries pushed, as the kernels want them. */
void cop_cells_fours(cell_builder *b);
void cop_cells_differences(cell_builder *b);
/* Offset of a tap of the first layer in a patch, in vectors. */
size_t cop_cells_tap(const cell_shape *s, size_t tap);
void cop_cells_program_two(cell_builder *b);

#endif
