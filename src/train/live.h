/** @file live.h
 *  Networks of dense layers that are stored and trained as lists of their live edges, behind layers
 *  of other kinds (a front: convolutions ...) where there are any. Memory and
 *  time of every pass, step and rewiring are proportional to the live edges (and to units times
 *  samples of a batch); a matrix of weights does not exist. Samples are innermost: activations are
 *  (units, S), S = batch rounded up to whole vectors of 16.
 *
 *  Mocanu et al. 2018, Scalable training of artificial neural networks with adaptive sparse
 *  connectivity inspired by network science; docs/training.md says what follows the paper and what
 *  its released code.
 */
#ifndef COPPICE_TRAIN_LIVE_H
#define COPPICE_TRAIN_LIVE_H

#include "coppice/train.h"
#include "front.h"

#define COP_LIVE_LAYERS_MAX 32

typedef enum cop_live_activation {
    COP_LIVE_SRELU,
    COP_LIVE_RELU,
    COP_LIVE_ALL_RELU
} cop_live_activation;
/** How the first edges are drawn; all give epsilon (inputs + outputs) of them, or every edge. */
typedef enum cop_live_topology {
    COP_LIVE_BERNOULLI, /**< each possible edge by itself (the paper): the number varies */
    COP_LIVE_EXACT,     /**< so many, drawn without repetition */
    COP_LIVE_DENSE      /**< all edges of every layer */
} cop_live_topology;
typedef enum cop_live_start {
    COP_LIVE_GLOROT, /**< uniform, +-sqrt(6/(inputs + outputs)) of the whole layer */
    COP_LIVE_HE,     /**< uniform, +-sqrt(6/inputs) */
    COP_LIVE_NORMAL  /**< normal */
} cop_live_start;

typedef struct cop_live_settings {
    size_t layers;                         /**< with weights; at least 1 */
    size_t width[COP_LIVE_LAYERS_MAX + 1]; /**< inputs, hidden units ..., classes */
    const cop_model *front; /**< what makes the inputs of samples; borrowed for the network's life;
                                 NULL: the samples are the inputs */
    size_t batch;
    double epsilon;
    cop_live_topology topology;
    bool sparse_output; /**< the last layer is drawn and rewired like the others; else it has all
                             edges and keeps them */
    cop_live_start start;
    cop_live_activation activation;
    double alpha;   /**< ALL_RELU: slope below 0, minus in layers 1, 3 ..., plus in 2, 4 ... */
    double dropout; /**< after each hidden layer, inverted; 0: none */
    bool adam;
    bool both_ways;   /**< the first layer has the transposed index too */
    double deviation; /**< NORMAL: standard deviation of the first weights */
    uint64_t seed;
} cop_live_settings;

/** Numbers that units have: bias, then those of SReLU in the order of cop_srelu. */
enum { COP_LIVE_BIAS, COP_LIVE_TL, COP_LIVE_AL, COP_LIVE_TR, COP_LIVE_AR, COP_LIVE_NUMBERS };

/** A layer. Edges are sorted by output, then input; edge k has weight edge[k].weight and input
 * edge[k].offset / S. */
typedef struct cop_live_layer {
    size_t inputs, outputs, edges;
    size_t initial;  /**< edges that it began with; there is room for so many */
    bool rewired;    /**< its edges may change */
    size_t numbers;  /**< per unit: 1, or COP_LIVE_NUMBERS */
    uint32_t *begin; /**< (outputs + 1) */
    cop_sparse_edge *edge;
    float *slope, *m, *v; /**< (edges) gradient, memory of the optimiser (v: adam only) */
    /** (inputs + 1), (edges): the transposed index; NULL where nothing goes back, as in a first
     * layer without a front, and where all edges live and stay. */
    uint32_t *from;
    cop_sparse_way *way;
    float *unit, *unit_slope, *unit_m, *unit_v; /**< (numbers, outputs) */
    float *z, *a;                               /**< (outputs, S); a: hidden layers only */
    float *kept;
} cop_live_layer;

typedef struct cop_live_net {
    cop_live_settings settings;
    const cop_train_ops *ops;
    size_t vectors, stride; /**< S = stride = 16 * vectors */
    cop_live_layer layer[COP_LIVE_LAYERS_MAX];
    cop_front *front;   /**< NULL: none */
    float *x;           /**< (inputs, S) */
    const float **row;  /**< (widest) of a layer with all its edges: where weights begin */
    float *gradient[2]; /**< (widest, S) */
    float *slopes;      /**< (slope_count) the gradients of all parameters; layers point into it */
    size_t slope_count;
    size_t n;      /**< samples of the last forward pass */
    bool dropping; /**< it was one with dropout */
} cop_live_net;

/** COP_E_CONFIG when a layer would have 2^31 edges or more, or inputs * S reaches 2^31;
 * COP_E_MEMORY when the front asks for more than the machine has. */
cop_status cop_live_create(cop_live_net **net, const cop_live_settings *settings);
void cop_live_destroy(cop_live_net *net);
/** Numbers of a sample. */
size_t cop_live_features(const cop_live_net *net);
/** Weights, biases, what activation functions learn, and all of the front. */
size_t cop_live_parameters(const cop_live_net *net);
/** Edges that can be, as the sum over layers (not the front's); those that live. */
double cop_live_possible(const cop_live_net *net);
size_t cop_live_edges(const cop_live_net *net);
/** How many edges layer @p layer (from 0) begins with on average. */
double cop_live_expected(const cop_live_settings *settings, size_t layer);
/** Bytes held by the network and its workspace. */
size_t cop_live_bytes(const cop_live_net *net);
/** A weight as the settings' start draws it. */
float cop_live_first_weight(const cop_live_settings *settings, const cop_live_layer *layer,
                            cop_rng *rng);
/** Make the transposed index of @p layer from its edges. */
void cop_live_index(const cop_live_net *net, cop_live_layer *layer);
static inline size_t cop_live_input(const cop_live_net *net, const cop_live_layer *layer,
                                    size_t k) {
    return (uint32_t)layer->edge[k].offset / (uint32_t)net->stride; /* below 2^31 both */
}

/** Numbers of batches for dropout in passes that no weights are learnt in, counted down from the
 * largest so that they are not those of batches learnt from: @p batch of epoch @p epoch. */
enum { COP_LIVE_PASS_REWIRE, COP_LIVE_PASS_TEST, COP_LIVE_PASSES };
static inline uint32_t cop_live_pass(uint32_t epoch, unsigned pass, size_t batch) {
    return UINT32_MAX - (epoch * COP_LIVE_PASSES + pass) * 65536u - (uint32_t)(batch % 65536);
}

/** Gradients are written to @p where (slope_count, borrowed, on a boundary of 64 bytes) from now
 * on; net->slopes, which the network owns, must be put back. Of memory that is all 0 at first
 * nothing but gradients is ever read. */
void cop_live_slopes(cop_live_net *net, float *where);

/** @p rows (n): samples of cop_live_features numbers each, 1 <= n <= batch. @p batch: number of the
 * batch, for dropout; NULL: inference. Logits are z of the last layer. */
void cop_live_forward(cop_live_net *net, const float *const *rows, size_t n, const uint32_t *batch);
/** z of layer @p layer from @p in (inputs, S). */
void cop_live_sum(const cop_live_net *net, size_t layer, const float *in);
/** The way back through layer @p layer, which has the transposed index or all edges: to (inputs, S)
 * from @p gradient (outputs, S). */
void cop_live_back(const cop_live_net *net, size_t layer, const float *gradient, float *to);
/** slope (edges) of layer @p layer: sum over samples of @p in (inputs, S) times @p gradient. */
void cop_live_slope(const cop_live_net *net, size_t layer, const float *in, const float *gradient,
                    float *slope);
/** Sum of the cross entropies in nats of the last forward pass; infinite if a logit is not finite.
 * Classes by largest logit, ties to the lowest, to @p classes (n) and the number of right ones to
 * @p correct, unless NULL. @p scale: the gradient of the sum is taken times this; 0: none. */
double cop_live_loss(cop_live_net *net, const int32_t *label, double scale, size_t *correct,
                     uint16_t *classes);
/** Gradients of all parameters into slopes (overwritten), after a loss with @p scale. @p see (may
 * be NULL) is called for each layer, last first, with the gradient of its z, (outputs, S); with it
 * the front's gradients are not found. */
typedef void (*cop_live_see)(void *user, size_t layer, const float *gradient);
void cop_live_backward(cop_live_net *net, cop_live_see see, void *user);
/** One step of the optimiser for the parameters whose gradients are slopes[first..end), multiples
 * of 16 or the end of all; decay (l2, shrink) is for weights and biases alone. */
void cop_live_step(cop_live_net *net, const cop_step *how, size_t first, size_t end);
/** The same parameters, or what the optimiser remembers of them, to or from a list in the order of
 * slopes, (slope_count); places that no parameter has are left as they are. */
typedef enum cop_live_list { COP_LIVE_PARAMETERS, COP_LIVE_M, COP_LIVE_V } cop_live_list;
void cop_live_copy(const cop_live_net *net, cop_live_list what, size_t first, size_t end,
                   float *to);
void cop_live_put(cop_live_net *net, cop_live_list what, size_t first, size_t end,
                  const float *from);

#endif
