/* How much `sign` holds at a time, and the memory that this takes; see eval_sign_sizes.h. */
#include "net/eval_sign_sizes.h"

#include "net/eval_sign_behind.h"

#define PIECE 1024      /* samples of a shard that are held as integers at a time */
#define BLOCK_ENOUGH 8  /* fewer relatives than this help little: then samples are saved first */
#define GROWTH_HALVES 3 /* arrays that grow take half as much again as is in them */
#define CELL_BATCH_MAX ((size_t)4) /* vectors of columns that are computed together */
#define CELL_LANES_MAX 32

typedef struct network {
    const cop_eval_setup *setup;
    const sign_plan *plan;
    bool front;
    cell_shape cells;
} network;

size_t cop_sign_largest_plane(const sign_plan *plan, cop_shape input) {
    size_t most = input.height * input.width;
    for (size_t i = 0; i < plan->count; i++) {
        size_t size = plan->stages[i].sums.height * plan->stages[i].sums.width;
        if (size > most) most = size;
    }
    return most; /* pooling only makes planes smaller */
}

static size_t groups_for(size_t variants) {
    size_t groups = 3 * SIGN_CHUNK / variants;
    return groups > SIGN_CHUNK ? SIGN_CHUNK : groups ? groups : 1;
}

/* Values that the front computes together at most. */
static size_t group_values(const network *n) {
    size_t values = n->setup->weighting.values;
    return n->cells.layers == 2 && values > 3 ? 3 : values;
}

/* Vectors of a piece of the shard, or of a portion of a block's that is computed again. */
static size_t piece_vectors(const network *n, const sign_sizes *sizes) {
    size_t samples = sizes->piece, step = sizes->groups * SIGN_LANES;
    size_t segment = n->setup->hidden ? n->setup->batch : samples;
    size_t slots = n->plan->stages[0].flat ? SIGN_CHUNK : sizes->groups;
    size_t blocks = (samples + segment - 1) / segment * ((segment + step - 1) / step);
    size_t again = sizes->block && n->cells.events ? (CELL_PORTION + step - 1) / step : 0;
    return (blocks > again ? blocks : again) * slots + SIGN_CHUNK;
}

/* Samples by themselves: 32-bit activations everywhere, 64-bit sums in flat stages, lists of all
 * edges. */
static size_t plain_bytes(const network *n, const sign_sizes *sizes) {
    const sign_plan *plan = n->plan;
    size_t slots = sizes->groups * plan->variants.count, first = 0, largest = 0, total = 0;
    if (sizes->block && slots < SIGN_CHUNK * group_values(n)) slots = SIGN_CHUNK * group_values(n);
    slots = (slots + SIGN_CHUNK - 1) / SIGN_CHUNK * SIGN_CHUNK;
    for (size_t i = 0; i < plan->count; i++) {
        const sign_stage *s = &plan->stages[i];
        size_t in =
            s->in.channels * (s->in.height + 2 * s->padding) * (s->in.width + 2 * s->padding);
        size_t vectors = i == 0 ? piece_vectors(n, sizes) : s->flat ? slots : 1;
        size_t sums =
            cop_shape_size(s->sums) * SIGN_LANES * sizeof(int64_t) * (s->flat ? slots : 1);
        total += in * vectors * SIGN_LANES * sizeof(int32_t);
        total += (8 * s->sums.channels + 1) * sizeof(uint32_t); /* where lists begin */
        if (i == 0) first = sums;
        if (i > 0 && sums > largest) largest = sums;
    }
    return total + first + largest + n->setup->model->weights * sizeof(cop_sign_pair);
}

/* Words of a node's program. From nothing: two for a pair of channels, and the products. From a
 * parent: an edge that differs, or a changed channel's, costs a word for the differences of values
 * and 5/4 to 5 for the sums in fours; with products there are no more of them than edges, or the
 * node would have been computed from nothing. One layer: a word, and two for each chunk of at least
 * two. */
static size_t program_words(const cell_shape *s) {
    size_t channels = s->first->sums.channels, outputs = s->last->sums.channels;
    size_t weights = s->last->layer->weights, words = 16 * (channels + 2) / 2 * (outputs + 16);
    bool products = s->last->kernel_h == 3 && s->last->kernel_w == 3 && s->positions == 4;
    if (s->layers == 1) return 2 * weights + 8 * outputs;
    if (!products) return 5 * weights + 8 * outputs;
    return weights + (words > 5 * weights / 4 ? words : 5 * weights / 4) + 8 * outputs;
}

static size_t node_bytes(const network *n) {
    const cell_shape *s = &n->cells;
    size_t channels = s->first->sums.channels, outputs = s->last->sums.channels;
    size_t words = program_words(s), kept, planes = 0;
    size_t more = s->layers == 2 ? group_values(n) - 1 : 0;
    kept = outputs * s->positions * s->lanes * (sizeof(int32_t) + more * sizeof(int16_t));
    if (s->layers == 2)
        planes = channels * (1 + more) * s->plane_h * s->plane_w * s->lanes * sizeof(int16_t);
    return (words * sizeof(uint32_t) + s->first->layer->weights * sizeof(int32_t) +
            channels * (sizeof(cell_patch_work) + 4 * sizeof(cell_combine))) *
               GROWTH_HALVES / 2 +
           CELL_BATCH_MAX / (s->events ? 2 : 1) * (kept + planes);
}

/* What is there once for all individuals. */
static size_t shared_bytes(const network *n) {
    const cell_shape *s = &n->cells;
    size_t channels = s->first->sums.channels, outputs = s->last->sums.channels, total;
    size_t plane = s->plane_h * s->plane_w * s->lanes * sizeof(int16_t), values = group_values(n);
    total = (size_t)CELL_PORTION * cop_shape_size(s->input) * sizeof(int16_t) +
            CELL_BATCH_MAX * s->patch * s->lanes * sizeof(int16_t) +
            CELL_BATCH_MAX * values * (outputs + 2) * s->lanes * sizeof(int32_t) +
            2 * outputs * s->positions * s->lanes * sizeof(int32_t);
    if (s->layers == 2) /* a changed channel's planes, those of its change, sums of three of them */
        total += 2 * 7 * channels * values * plane + (2 * channels + 4) * plane +
                 16 * channels * s->lanes * sizeof(int16_t);
    if (s->events)
        total += s->cells * (CELL_PORTION + 1) * sizeof(uint32_t) + 4 * outputs * s->outputs +
                 64 * s->outputs;
    return total;
}

/* Of one individual behind the front. */
static size_t individual_bytes(const network *n) {
    const cell_shape *s = &n->cells;
    size_t listed = s->events ? s->next + 1 : s->next, total = cop_behind_bytes(s, group_values(n));
    for (size_t i = listed; i < n->plan->count; i++)
        total += n->plan->stages[i].layer->weights * sizeof(cop_sign_pair) +
                 8 * n->plan->stages[i].sums.channels * sizeof(uint32_t);
    return total + n->setup->model->weights / 8 + n->plan->count * sizeof(sign_layer);
}

static size_t nodes_of(size_t block) {
    size_t hubs = sizeof((sign_cells *)NULL)->hub / sizeof *((sign_cells *)NULL)->hub;
    return block + hubs > CELL_NODES_MAX ? CELL_NODES_MAX : block + hubs;
}

static size_t cells_bytes(const network *n, size_t block) {
    size_t hubs = n->setup->model->weights; /* 8 masks */
    return shared_bytes(n) + hubs + nodes_of(block) * node_bytes(n) + block * individual_bytes(n);
}

static size_t bytes_of(const network *n, const sign_sizes *sizes) {
    const cop_model *model = n->setup->model;
    size_t total =
        cop_eval_overhead(n->setup) + model->weights / 2; /* signs, and those that live */
    total += plain_bytes(n, sizes);
    if (sizes->block) total += cells_bytes(n, sizes->block);
    total += 2 * cop_sign_largest_plane(n->plan, model->input) * SIGN_LANES * sizeof(int64_t);
    total += SIGN_CHUNK * n->plan->variants.count * model->classes * SIGN_LANES * sizeof(int64_t);
    for (size_t h = 0; h < n->setup->hidden; h++)
        total += n->setup->batch * sizeof(double) *
                 cop_shape_size(model->layers[n->setup->hidden_layer[h]].out);
    return total;
}

/* Individuals that fit beside the rest; 0: not one. */
static size_t block_that_fits(const network *n, sign_sizes sizes, size_t most) {
    for (size_t block = most; block > 0; block--) {
        sizes.block = block;
        if (!n->setup->memory || bytes_of(n, &sizes) <= n->setup->memory) return block;
    }
    return 0;
}

size_t cop_sign_sizes_choose(sign_sizes *sizes, const cop_eval_setup *setup,
                             const sign_plan *plan) {
    network n = {.setup = setup, .plan = plan};
    size_t least = setup->hidden ? setup->batch : SIGN_LANES, most = 0;
    n.front = !setup->alone && cop_cells_shape(&n.cells, plan, setup->model, CELL_LANES_MAX, NULL);
    if (n.front) {
        most = setup->block && setup->block < CELL_BLOCK ? setup->block : CELL_BLOCK;
        while (most > 1 && most * individual_bytes(&n) > CELL_BYTES) most--;
    }
    *sizes = (sign_sizes){.groups = groups_for(plan->variants.count),
                          .piece = cop_eval_piece(setup, PIECE)};
    /* relatives are worth more than samples, so samples are saved first */
    for (size_t piece = sizes->piece;; piece = cop_eval_piece(setup, piece / 2)) {
        size_t wanted = most < BLOCK_ENOUGH ? most : BLOCK_ENOUGH;
        sizes->piece = piece;
        sizes->block = block_that_fits(&n, *sizes, most);
        if (sizes->block >= wanted && bytes_of(&n, sizes) <= setup->memory) break;
        if (!setup->memory || piece <= least) break;
    }
    while (setup->memory && sizes->groups > 1 && bytes_of(&n, sizes) > setup->memory)
        sizes->groups--;
    return bytes_of(&n, sizes);
}
