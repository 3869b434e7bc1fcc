/* Inside of the evaluator `sign`: exact integer arithmetic for weight-agnostic networks.
 *
 * A shared weight v > 0 under ReLU and max-pool only rescales: the network with weights s*v, s in
 * {-1,0,+1}, has at depth L (counting weighted layers from 1) v^L times the activations of the
 * network with weights s and biases b_L / v^L. With inputs and biases rounded to the grid of
 * `scale` steps per unit, every activation of the latter is an integer, and its sums do not depend
 * on their order.
 *
 * Words: a *variant* is one shared value; a *group* is 16 samples (one vector); a *slot* is one
 * group under one variant; a *stage* is one weighted layer with what follows it up to the next one.
 */
#ifndef COPPICE_NET_EVAL_SIGN_H
#define COPPICE_NET_EVAL_SIGN_H

#include "coppice/la.h"
#include "net/eval_score.h"

#define SIGN_LANES COP_SIGN_LANES
#define SIGN_CHUNK 8 /* slots side by side in the tensors of flat stages */

typedef enum sign_step_kind { SIGN_RELU, SIGN_POOL, SIGN_SHOW } sign_step_kind;
/* What happens to one channel's plane after the sums. SHOW: it is hidden layer number `which`. */
typedef struct sign_step {
    sign_step_kind kind;
    size_t kernel, stride, which;
    cop_shape in, out;
} sign_step;
typedef struct sign_steps {
    sign_step *items;
    size_t count;
} sign_steps;

/* A dense layer is a convolution whose kernel covers its whole input, so all stages are
 * convolutions. */
typedef struct sign_stage {
    const cop_layer *layer;
    size_t kernel_h, kernel_w, stride, padding;
    cop_shape in;   /* as laid out, without padding */
    cop_shape sums; /* what the weighted layer gives */
    sign_steps steps;
    cop_shape out; /* after the steps */
    bool spread; /* the next stage sees every position as a channel of its own (flatten, conv2d) */
    bool flat;   /* few positions: vectors of several slots lie side by side instead */
    int64_t *bias;                     /* (variants, sums.channels) */
    double factor[COP_VALUES_MAX + 1]; /* activation = integer * factor, by variant */
} sign_stage;

typedef struct sign_plan {
    sign_steps lead; /* steps before the first weighted layer */
    sign_stage *stages;
    size_t count;
    cop_variants variants;
} sign_plan;

/* COP_E_CONFIG names the layer that integers cannot do. */
cop_status cop_sign_plan_init(sign_plan *plan, const cop_eval_setup *setup);
void cop_sign_plan_clear(sign_plan *plan);

/* Activations before a stage: vector of channel unit u (a pair of channels in mode PAIRS) at (y, x)
 * for a slot is at (slot / group) * chunk + u * unit + y * row + x * col + (slot % group) *
 * SIGN_LANES. */
typedef struct sign_tensor {
    cop_sign_mode mode;
    size_t group, col, row, unit, chunk; /* in elements */
    void *data;
    size_t bytes; /* allocated */
} sign_tensor;
/* Set the strides for @p stage and mode; the memory (zeros where padding is) suffices for @p slots.
 */
void cop_sign_tensor_shape(sign_tensor *t, const sign_stage *stage, cop_sign_mode mode,
                           size_t slots);
static inline size_t cop_sign_element(cop_sign_mode mode) {
    return mode == COP_SIGN_64 ? sizeof(int64_t) : sizeof(int32_t);
}
static inline bool cop_sign_is_wide(cop_sign_mode mode) { /* its sums have 64 bits */
    return mode == COP_SIGN_WIDE || mode == COP_SIGN_64;
}

/* Closed interval that holds an integer and 0. */
typedef struct sign_range {
    int64_t low, high;
} sign_range;

/* One stage of one individual: proved number types and live edges. */
typedef struct sign_layer {
    cop_sign_mode mode;
    sign_range sums, out; /* what the sums, and the activations behind them, may be */
    cop_sign_edges edges;
    size_t list_capacity, edge_capacity; /* entries; bytes */
    size_t block;                        /* taps per block */
} sign_layer;

/* How much is held at a time: groups per superblock (at most SIGN_CHUNK), samples of a shard, and
 * individuals that are computed as relatives (0: each by itself). */
typedef struct sign_sizes {
    size_t groups, piece, block;
} sign_sizes;

/* The evaluator's state. */
typedef struct sign_eval {
    cop_eval_setup setup;
    sign_plan plan;
    const cop_sign_ops *ops;
    cop_mask plus, minus;           /* (E) signs of the base network */
    cop_mask live_plus, live_minus; /* (E) of the current individual */
    sign_layer *own;                /* per stage, of the individual that is computed by itself */
    sign_layer *layers;             /* those in use */
    sign_tensor *in;                /* per stage: in[0] holds a whole piece of the shard */
    sign_range range;               /* of the inputs */
    void *sums[2], *plane[2];       /* sums[0]: of the first stage; sums[1]: of the others */
    size_t sums_bytes[2];
    int64_t *logits; /* (slots, classes, lanes) */
    double *rows[8]; /* (batch, width) of the hidden layers */
    sign_sizes sizes;
    size_t variants;          /* computed now: without the hidden one when nobody listens */
    bool listening;           /* somebody wants the hidden rows */
    size_t batch_row;         /* row of `rows` where the current superblock begins */
    struct sign_cells *cells; /* eval_sign_cells.h; NULL: the network has no front */
} sign_eval;

/* Prove the number types of all stages for an individual and list the live edges of stages
 * [from..), whose tensors are shaped for @p slots slots (that of stage 0 is left alone). Stage @p
 * narrow, if there is one, does not take pairs. */
cop_status cop_sign_compile(sign_eval *e, sign_layer *layers, const cop_mask *mask, size_t from,
                            size_t narrow, size_t slots);
/* Number of taps (positions of the kernel times channel units) of a stage in a mode. */
size_t cop_sign_taps(const sign_stage *stage, cop_sign_mode mode);
/* Type of the first stage's inputs: good for every mask. */
cop_sign_mode cop_sign_input_mode(const sign_eval *e);

/* Round @p n samples to the grid into slots [first_slot..) of in[0], running the leading steps. */
void cop_sign_quantise(sign_eval *e, const float *x, size_t n, size_t first_slot);
/* Logits, and hidden rows if wanted, of the superblock of @p samples samples whose inputs begin at
 * @p first_slot of in[0]. Logits of variant v, group g are those of slot v*groups + g, where groups
 * are the superblock's (samples / 16, rounded up). */
void cop_sign_run(sign_eval *e, size_t first_slot, size_t samples);
/* Biases and steps of stage @p i under variant @p v for one group whose sums begin at @p sums,
 * positions @p step elements apart; results go to slot @p to of the next stage, or to the logits.
 */
void cop_sign_finish(sign_eval *e, size_t i, size_t v, size_t group, size_t samples,
                     const void *sums, size_t step, size_t to);
/* The flat stages [from..) of all slots, @p groups for each of the @p count variants. */
void cop_sign_tail(sign_eval *e, size_t from, size_t groups, const size_t *variant, size_t count,
                   size_t samples);
/* Scores of a superblock, in sample order, for the given shared values; slots as in the tail. */
void cop_sign_score(sign_eval *e, const cop_shard *shard, size_t first, size_t samples,
                    size_t groups, const size_t *value, size_t count, cop_evidence *evidence,
                    uint16_t *predictions);
/* One individual by itself: a whole shard, or some samples of it for some shared values. */
cop_status cop_sign_plain(sign_eval *e, const cop_shard *shard, const cop_mask *mask,
                          cop_evidence *evidence, uint16_t *predictions);
cop_status cop_sign_plain_piece(sign_eval *e, const cop_shard *shard, size_t first, size_t samples,
                                const size_t *value, size_t count, const cop_mask *mask,
                                cop_evidence *evidence, uint16_t *predictions);
/* 0, 1, 2 ...: all shared values. */
extern const size_t cop_sign_all_values[COP_VALUES_MAX + 1];
/* Elements of the largest plane of any layer. */
size_t cop_sign_largest_plane(const sign_plan *plan, cop_shape input);
/* See cop_evaluator; the setup has been checked. */
cop_status cop_sign_explain(const cop_eval_setup *setup, cop_buf *out);
/* Grow-only buffers. */
void cop_sign_reserve(void **data, size_t *have, size_t want);

#endif
