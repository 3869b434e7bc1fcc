/* `sign` for blocks of relatives: the first one or two layers cell by cell (la.h says what cells
 * and columns are), individuals as differences from each other, and the dense layer behind them
 * from the activations that are not zero.
 *
 * Words: the *front* is the one or two weighted layers that are computed cell by cell; a *node* is
 * an individual's front, or that of a *hub*, a network between several individuals that none of
 * them is; every node is computed from nothing or from another node, its *parent*, by adding what
 * differs. All of this is exact, so the choice of nodes and parents never changes a result. */
#ifndef COPPICE_NET_EVAL_SIGN_CELLS_H
#define COPPICE_NET_EVAL_SIGN_CELLS_H

#include "net/eval_sign.h"

#define CELL_NODES_MAX 48 /* individuals of a block that are planned together: most, with hubs */
#define CELL_BLOCK 40     /* individuals of them */
#define CELL_SMALL 16383  /* activations that winograd() can take */
#define CELL_PAIR_COST                                                                             \
    14 /* of an entry of a pair list: 8 dot products, which wait for the second-level cache        \
          (measured) */
#define CELL_PORTION 256 /* samples at a time, when the layer behind is computed from events */
#define CELL_BYTES ((size_t)256 << 20) /* that the individuals of one plan may take */

/* What the front looks like; the same for all individuals. */
typedef struct cell_shape {
    size_t layers; /* 1 or 2 */
    const sign_stage *first, *last;
    cop_shape input;
    size_t patch_h, patch_w; /* of the input, for one cell */
    size_t patch;            /* vectors of a patch: channels * patch_h * patch_w */
    size_t plane_h, plane_w; /* two layers: positions of the first one in a patch */
    size_t positions;        /* of the last layer in a cell: 1, or 4 under a 2 x 2 pool */
    size_t rows, cols, cells;
    size_t step;    /* inputs between neighbouring cells */
    bool events;    /* the dense layer behind is computed from events; else the cell is the whole
                       sample, without a pool, and the next stage's tensor is filled */
    bool relu[2];   /* behind the first, the last layer */
    size_t next;    /* stage behind the front */
    size_t outputs; /* events: of that stage, rounded up to 16 */
    size_t lanes;
} cell_shape;

/* Shared values that are computed together; value[0] is the reference. */
typedef struct cell_group {
    size_t count;
    size_t value[COP_VALUES_MAX];
} cell_group;

typedef struct cell_interval {
    int64_t low, high;
} cell_interval;

/* One channel of the first layer to be computed for a node (two layers). */
typedef struct cell_patch_work {
    uint32_t channel, slot; /* where its planes go */
    uint32_t old, delta;    /* slot of the parent's, and of new minus old; UINT32_MAX: none */
    uint32_t taps;          /* where its taps begin; those added first */
    uint16_t plus, minus;
} cell_patch_work;
/* A plane to be made from others: a + b or a - b. */
typedef struct cell_combine {
    uint32_t a, b, to; /* slots */
    bool minus;
} cell_combine;

typedef struct cell_node {
    size_t individual; /* number in the block; SIZE_MAX for a hub */
    const cop_mask *mask;
    size_t parent; /* node before it, or SIZE_MAX */
    bool kept;     /* somebody is computed from it: its sums are kept */
    size_t keep;   /* number of its sums among those kept */
    /* the program, in the arrays of cell_plan */
    size_t work, works, combine, combines, program;
    size_t differences; /* the program of the other values */
    size_t most; /* of the node's other values: (outputs) sum less the reference's, plus bias, at
                    most */
    bool small;  /* from nothing: activations are proved to be small enough for winograd() */
    size_t products; /* from nothing: weights and constants for the kernel winograd(); SIZE_MAX:
                        none */
    uint32_t *slot;  /* (channels of the first layer) of a kept node's planes, or NULL */
} cell_node;

typedef struct cell_plan {
    cell_node node[CELL_NODES_MAX];
    size_t nodes, kept;
    uint64_t cost,
        full_cost; /* vector instructions for one vector of columns: planned, without tree */
    cell_patch_work *works;
    cell_combine *combines;
    int32_t *taps;
    uint32_t *program;
    size_t work_count, work_room, combine_count, combine_room, tap_count, tap_room, words, room;
    size_t slots;     /* channels' and combinations' planes that must exist at the same time */
    size_t slot_size; /* elements of one: (1 + extra) * positions of the first layer * lanes */
} cell_plan;

/* What follows the front, for one individual: see eval_sign_behind.h. */
typedef struct cell_behind {
    sign_layer *layers; /* (stages) */
    size_t stages;
    int8_t *weight;  /* events: (cells, channels, outputs), -1, 0 or 1 */
    int32_t *sums;   /* (samples, group count, outputs), modulo 2^32 */
    uint32_t *less;  /* (cells, group count, outputs): what a background patch adds */
    uint32_t *start; /* (group count, outputs): the same, over all cells */
    int64_t *total;  /* (samples) no absolute sum is larger than this */
    int64_t bias;    /* largest absolute bias */
    int32_t blank_total;
    size_t bytes[5];
} cell_behind;

typedef struct sign_cells {
    cell_shape shape;
    cell_plan plan;
    uint64_t planned, planned_full; /* cost and full_cost of all plans so far, summed */
    cell_group group[COP_VALUES_MAX];
    size_t groups;
    int16_t *sample;       /* (samples of a portion, inputs) on the grid */
    int16_t *x;            /* patches: (vectors, patch, lanes) */
    int16_t *planes;       /* slots */
    int32_t *kept;         /* sums of kept nodes under the reference value, and room for one more */
    int16_t *kept16;       /* the other values' sums minus those */
    int16_t *pairs, *work; /* from nothing: pair planes, and room for winograd() */
    int32_t *sums;         /* from nothing: sums under another value than the reference */
    int32_t *bias;         /* (group count, channels of the last layer) of the current group */
    int32_t *out, *total;  /* events: packed results of one node; (values, 2, lanes/2) */
    uint8_t *dead;         /* outputs that are 0 under all values but the reference */
    uint32_t *live;        /* events: which of them are not 0 */
    uint32_t *column;      /* (cells, portion) samples whose patch is not blank; (cells) how many */
    uint32_t *weight;      /* events: of one cell, as the kernel wants them */
    size_t bytes[15];      /* allocated for the buffers above */
    cell_behind behind[CELL_BLOCK]; /* by individual */
    cop_mask hub[8];
    /* what the plan, the programs and the tables behind were made for: the next shard of the same
     * block finds them */
    cop_mask ready[CELL_BLOCK];
    size_t ready_count; /* 0: nothing is ready */
    sign_range ready_range;
    bool ready_tables; /* tables of the background too */
    int16_t ready_blank;
} sign_cells;

/* Whether a network has a front; fills @p shape. If not, the reason is added to @p why, which may
 * be NULL: "layer conv1 has padding". */
bool cop_cells_shape(cell_shape *shape, const sign_plan *plan, const cop_model *model, size_t lanes,
                     cop_buf *why);

/* Choose nodes, hubs and parents for @p count different masks: a minimum spanning tree whose edge
 * lengths are the instructions that a difference costs. Parents come before children. */
void cop_cells_tree(cell_plan *plan, const cell_shape *shape, const cop_mask *const *masks,
                    const size_t *individual, size_t count, size_t extra, cop_mask *hubs);
/* Instructions for a vector of columns: from nothing, from a relative; of winograd() for one value.
 */
uint64_t cop_cells_products_cost(const cell_shape *shape);
uint64_t cop_cells_full_cost(const cell_shape *shape, const cop_mask *mask, size_t extra);
uint64_t cop_cells_edit_cost(const cell_shape *shape, const cop_mask *a, const cop_mask *b,
                             size_t extra);

/* Free what programs left with the nodes; before the nodes are other ones. */
void cop_cells_drop_slots(cell_plan *plan);
/* Write the programs of all nodes for the values of @p group. False when a sum cannot be proved to
 * fit the number types; nothing is lost, the caller takes another way. */
bool cop_cells_program(sign_eval *e, const cell_group *group);

/* Memory for the plan's nodes, @p batch vectors of columns at a time, and the group's biases. */
void cop_cells_reserve(sign_eval *e, const cell_group *group, size_t batch);
/* Node @p n on vector @p v of the batch, whose patches lie in cells->x; results as @p job says. */
void cop_cells_node(sign_eval *e, const cell_group *group, const cell_node *n, size_t v,
                    cop_cell_job job);

/* The same for several vectors, when the cell is the whole sample; job.vectors of them lie in
 * cells->x. */
void cop_cells_vectors(sign_eval *e, const cell_group *group, const cell_node *n, cop_cell_job job);

/* Vector @p v of cells->x when the cell is the whole sample: even lanes hold the first half of its
 * samples, so that results, even lanes first, come in sample order. */
void cop_cells_transpose(sign_cells *c, size_t v, size_t samples);
/* Patch of @p cell of sample @p i into lane @p lane of @p x. */
void cop_cells_gather(const sign_cells *c, size_t i, size_t cell, size_t lane, int16_t *x);
/* The most frequent number of the first samples: the background, if there is one. */
int16_t cop_cells_background(const sign_cells *c, size_t samples);
/* Fill cells->column with the samples of each cell whose patch is not all background. */
void cop_cells_columns(sign_cells *c, const int32_t *label, size_t samples, int16_t blank);

/* Evaluate a block. Sets *done to false, having done nothing, when the front cannot do it. */
cop_status cop_cells_evaluate(sign_eval *e, const cop_mask *const *masks, size_t count,
                              const cop_shard *shard, cop_evidence *evidence, uint16_t *predictions,
                              bool *done);
/* The same block on another shard, with the plan that is there. Sets *done to false when there is
 * none or the samples leave its range; evidence must then be started again. */
cop_status cop_cells_again(sign_eval *e, const cop_mask *const *masks, size_t count,
                           const cop_shard *shard, cop_evidence *evidence, uint16_t *predictions,
                           bool *done);
sign_cells *cop_cells_create(const sign_eval *e); /* NULL: no front */
void cop_cells_destroy(sign_cells *cells);
/* What the plans of an evaluator `sign` cost by their model since it was created, and what all
 * their individuals from nothing would have; in vector instructions for one vector of columns. Both
 * are 0 without plans. */
void cop_sign_planned(const void *self, uint64_t *cost, uint64_t *full);

#endif
