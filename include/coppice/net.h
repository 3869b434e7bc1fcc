/** @file net.h
 *  Networks: what layers there are, parameters, forward and backward passes (float, OpenBLAS),
 *  network files, evaluators of masked and weight-agnostic networks, neighbourhood similarity.
 *
 *  Shapes: B batch, D inputs, O outputs, C channels, H W image, K kernel, E edges (weights), V
 * values. Weights of all layers are one flat array in layer order, each (out, in) or (out, in, K,
 * K) in row-major (PyTorch) order; an edge is an index into it. Biases likewise. Only weights are
 * edges.
 */
#ifndef COPPICE_NET_H
#define COPPICE_NET_H

#include "coppice/data.h"

typedef enum cop_layer_kind {
    COP_LAYER_DENSE,
    COP_LAYER_CONV2D,
    COP_LAYER_MAXPOOL2D,
    COP_LAYER_ACTIVATION,
    COP_LAYER_DROPOUT, /**< identity except in training */
    COP_LAYER_FLATTEN
} cop_layer_kind;

typedef enum cop_activation {
    COP_ACT_IDENTITY,
    COP_ACT_RELU,
    COP_ACT_LEAKY_RELU,
    COP_ACT_ELU,
    COP_ACT_TANH,
    COP_ACT_SIGMOID,
    COP_ACT_SOFTPLUS,
    COP_ACT_SILU
} cop_activation;

typedef struct cop_shape {
    size_t channels, height, width;
} cop_shape; /* flat: D x 1 x 1 */
static inline size_t cop_shape_size(cop_shape s) {
    return s.channels * s.height * s.width;
}

#define COP_NAME_MAX 32
typedef struct cop_layer {
    cop_layer_kind kind;
    char name[COP_NAME_MAX]; /**< given ("conv1=conv2d(32,3)") or made: conv1, conv2, dense1, relu1
                                ... */
    cop_shape in, out;
    cop_activation activation;      /**< ACTIVATION */
    size_t kernel, stride, padding; /**< CONV2D, MAXPOOL2D (square) */
    double rate;                    /**< DROPOUT */
    size_t weight_begin, weights;   /**< DENSE, CONV2D: slice of cop_params.w */
    size_t bias_begin, biases;
    size_t fan_in; /**< weights into one output unit */
} cop_layer;

typedef struct cop_model {
    cop_layer *layers;
    size_t count;
    cop_shape input;
    size_t classes;         /**< outputs of the last weighted layer */
    size_t weights, biases; /**< totals */
    size_t widest;          /**< largest in/out size of any layer */
    char *spec;             /**< canonical text: "1x28x28: conv1=conv2d(32,3) relu1=relu ..." */
} cop_model;

/** Parse e.g. input "1x28x28" (or "500") and layers
 *  "conv2d(32,3) relu conv2d(64,3) relu maxpool(2) dropout(0.25) flatten dense(128) relu
 * dropout(0.5) dense(10)". conv2d(out, kernel[, stride[, padding]]), maxpool(kernel[, stride]),
 * dense(out), dropout(rate), flatten, relu tanh sigmoid ...; any may be named "name=...". The last
 * weighted layer gives the logits; nothing but flatten may follow it. Sizes are bounded (2^31
 * weights) and must fit each other; dense flattens its input by itself. COP_E_CONFIG with the word
 * at fault. */
cop_status cop_model_create(cop_model **model, const char *input, const char *layers);
/** "1x28x28" or "500"; COP_E_CONFIG. */
cop_status cop_model_parse_input(const char *text, cop_shape *shape);
/** Layers in front of something else, for samples of the shape @p input: they give no class scores,
 * and none of them needs weights. classes is the size of what the last one gives. COP_E_CONFIG. */
cop_status cop_model_create_front(cop_model **model, cop_shape input, const char *layers);
/** What is wrong with @p layers whatever they are given: words and numbers of arguments. */
cop_status cop_model_check_words(const char *layers);
void cop_model_destroy(cop_model *model);
/** Options of [network]: input, layers. */
extern const cop_option cop_network_options[];
/** The network that [network] describes; messages begin with the place of the option at fault. */
cop_status cop_model_from_conf(cop_model **model, const cop_conf *conf);
/** Index of the layer of that name, or -1. */
long cop_model_find(const cop_model *model, const char *name);
/** The layer whose output is "the activations of weighted layer @p index": the activation right
 * behind it, or itself. */
size_t cop_model_activation_of(const cop_model *model, size_t index);
/** Multiply-adds per sample of each weight of the layer (1 for dense, OH*OW for conv2d). */
size_t cop_layer_uses(const cop_layer *layer);
/** Multiply-adds per sample with the live edges of @p mask (NULL: all). */
uint64_t cop_model_macs(const cop_model *model, const cop_mask *mask);

/** Layer kinds known, for `coppice list layers`: one row of src/net/list.h each. */
typedef struct cop_layer_info {
    const char *word, *arguments, *summary;
} cop_layer_info;
const cop_layer_info *cop_layer_infos(size_t *count);

typedef struct cop_params {
    size_t weights, biases;
    float *w, *b;
} cop_params;
void cop_params_init(cop_params *params, const cop_model *model); /**< zeros */
void cop_params_clear(cop_params *params);
/** Both are of the same model. */
void cop_params_copy(cop_params *to, const cop_params *from);
/** PyTorch's defaults: weights and biases uniform in +-1/sqrt(fan_in); keyed by @p seed and layer.
 */
void cop_params_randomise(cop_params *params, const cop_model *model, uint64_t seed);

/* ------------------------------------------------------------------ forward, loss, backward */

typedef struct cop_net_work cop_net_work; /**< workspace for batches of at most B samples */
cop_net_work *cop_net_work_create(const cop_model *model, size_t batch, bool training);
void cop_net_work_destroy(cop_net_work *work);
size_t cop_net_work_bytes(const cop_model *model, size_t batch, bool training);

/** Dropout in training: masks are a function of (seed, batch number, layer). */
typedef struct cop_dropout_key {
    uint64_t seed;
    uint32_t batch;
    uint32_t first; /**< number of the first layer, where other layers draw with the same seed */
} cop_dropout_key;

/** @p x (n, D), n <= B. Returns the logits (n, classes), borrowed from the workspace. @p key NULL:
 *  inference. One OpenBLAS thread; the result for a sample depends on n only through BLAS rounding.
 */
const float *cop_net_forward(cop_net_work *work, const cop_params *params, const float *x, size_t n,
                             const cop_dropout_key *key);
/** Losses from here on are of the outputs of @p head, which lies inside the network's. */
void cop_net_head(cop_net_work *work, cop_head head);
/** Output of layer @p layer for the batch of the last forward call: (n, size), borrowed. */
const float *cop_net_output(const cop_net_work *work, size_t layer);
/** Mean softmax cross entropy of the last forward call in nats; with training workspaces also
 * starts the backward pass. *correct (may be NULL) counts argmax == label, ties to the lowest
 * class. */
double cop_net_loss(cop_net_work *work, const int32_t *label, size_t n, size_t *correct);
/** For losses of the caller's own: the gradient of one by the outputs of the last forward call is
 * to be put here, (n, classes), and cop_net_backward may follow. Training workspaces only. */
float *cop_net_gradient(cop_net_work *work);
/** Gradients of the mean loss into @p grad (overwritten). After cop_net_loss or cop_net_gradient
 * only, of a model with weights. */
void cop_net_backward(cop_net_work *work, const cop_params *params, cop_params *grad);
/** Accuracy (fraction) and mean loss over a set, fixed batches of 100, inference. */
void cop_net_score(const cop_model *model, const cop_params *params, const cop_dataset *set,
                   double *accuracy, double *loss);

/* ------------------------------------------------------------------ network files */

/** A network as stored: base weights, optionally a mask and how its edges get their weights. */
typedef enum cop_weighting_kind {
    COP_WEIGHTS_TRAINED, /**< live edges keep the base network's weight */
    COP_WEIGHTS_SIGNED,  /**< sign(w) * v; sign(0) = 0 */
    COP_WEIGHTS_POSITIVE /**< +v on every live edge ("signs discarded") */
} cop_weighting_kind;
#define COP_VALUES_MAX 16
typedef struct cop_weighting {
    cop_weighting_kind kind;
    size_t values;                /**< V >= 1; 1 for TRAINED */
    double value[COP_VALUES_MAX]; /**< ascending */
} cop_weighting;

typedef struct cop_network {
    cop_model *model;
    cop_params params;
    cop_mask mask; /**< E bits */
    cop_weighting weighting;
    char *config; /**< configuration text it came from; "" if none */
    uint64_t id;  /**< individual, 0 for a base network */
} cop_network;
void cop_network_destroy(cop_network *network);
/** Every edge of network->model live with its trained weight, which is what a base network is: sets
 * mask (owned by the caller) and weighting. */
void cop_network_keep_all(cop_network *network);
cop_status cop_network_write(const cop_network *network, const char *path); /**< atomic */
/** Every size and index is checked. COP_E_IO, COP_E_FORMAT. */
cop_status cop_network_read(cop_network **network, const char *path);
/** Weights and biases of @p model's layers, into @p params (made by cop_params_init), from a
 * safetensors file with tensors NAME.weight (out, in[, height, width]) and NAME.bias (out) of F32
 * or F64. NAME is the layer's; where not all layers are found so, the file has as many weights as
 * the model has layers with weights, and they belong together in the order of their names, numbers
 * as people count (net.2 before net.10). Everything is checked: COP_E_IO, COP_E_FORMAT. */
cop_status cop_network_import(cop_params *params, const cop_model *model, const char *path);
/** Weights that the network computes with at shared value @p v (ignored for TRAINED): (E) into @p
 * w. */
void cop_effective_weights(const cop_params *params, const cop_mask *mask, cop_weighting_kind kind,
                           double v, float *w);

/* ------------------------------------------------------------------ genomes */

/** A hash of some weights; part[0] is 0 where there is none. */
typedef struct cop_name {
    uint64_t part[2];
} cop_name;

/** An individual's genes: which edges of the base network live and, for genomes that own their
 * weights, the weights. */
typedef struct cop_genome {
    cop_mask mask; /**< (E) live edges */
    float *w;      /**< own weights of the live edges, in edge order; NULL: the base network's */
    float *b;      /**< (biases of the model) own biases; NULL with w */
    cop_name
        *name; /**< (names) of pieces of the first layer's rows, or NULL; see cop_genome_name */
    size_t names;
} cop_genome; /* all-zero is empty */
void cop_genome_clear(cop_genome *genome);
/** @p to is empty and becomes its own copy. */
void cop_genome_copy(cop_genome *to, const cop_genome *from, const cop_model *model);
bool cop_genome_equal(const cop_genome *a, const cop_genome *b, const cop_model *model);
/** Parameters that the individual computes with under trained weights, in the base network's places
 * (dead edges 0 when it owns its weights): @p params was made by cop_params_init. */
void cop_genome_params(const cop_genome *genome, const cop_model *model, const cop_params *base,
                       cop_params *params);
/** As bytes for a message, and back. Unpack makes @p genome and returns the bytes used, 0 when
 * they are cut short or no genome of the model. */
void cop_genome_pack(const cop_genome *genome, const cop_model *model, cop_buf *out);
size_t cop_genome_unpack(cop_genome *genome, const cop_model *model, const unsigned char *bytes,
                         size_t length);

/** Dense genomes of networks that begin with a dense layer may carry names of their first weights:
 * each row is cut into pieces [cut(p), cut(p+1)), and equal pieces of any two genomes have equal
 * names. (That two different ones have is less likely than 1e-9 in a run of 1e5 pieces a
 * generation, as with any hash of 64 bits a chain.) Copies inherit names; whoever changes weights
 * of the first layer says so. */
size_t cop_names_pieces(const cop_model *model);            /**< 0: no such network */
size_t cop_names_cut(const cop_model *model, size_t piece); /**< piece <= pieces */
void cop_name_piece(const float *w, size_t count, size_t piece, cop_name *name);
/** Give names to the pieces that have none. */
void cop_genome_name(cop_genome *genome, const cop_model *model);
/** The leading block of so many rows and columns of the first layer has changed. */
void cop_genome_touch(cop_genome *genome, const cop_model *model, size_t rows, size_t columns);
/** Anything may have changed. */
void cop_genome_unname(cop_genome *genome);

/** One layer of a dense genome: all edges between the units kept of it and of the layer before. */
typedef struct cop_dense_layer {
    size_t layer;                 /**< index into the model */
    size_t rows, columns;         /**< units kept; inputs kept, in groups of `per` weights */
    size_t per;                   /**< weights of one pair: kernel or image area behind a unit */
    const uint32_t *row, *column; /**< their numbers in the base network, ascending */
    size_t begin;                 /**< first weight, counted along the live edges */
} cop_dense_layer;

/** A genome in which units are kept or gone as a whole: the live edges of a layer are all pairs of
 * kept units (channels), so its weights are a smaller dense network, row-major in edge order. A
 * unit is the output of a weighted layer and has the number of its bias; those of the last layer
 * are all kept. */
typedef struct cop_dense {
    size_t count; /**< weighted layers */
    size_t weights;
    cop_dense_layer *layer; /**< (count) */
    uint32_t *numbers;
} cop_dense;
/** From the kept units (biases of the model bits; at least one a layer). */
void cop_dense_of_units(cop_dense *dense, const cop_model *model, const cop_mask *units);
/** From live edges that are known to be those of a dense genome. */
void cop_dense_of_mask(cop_dense *dense, const cop_model *model, const cop_mask *mask);
void cop_dense_clear(cop_dense *dense);
void cop_dense_units(const cop_dense *dense, const cop_model *model, cop_mask *units);
/** Live edges (E bits, overwritten). */
void cop_dense_mask(const cop_dense *dense, const cop_model *model, cop_mask *mask);
/** Whether @p mask is that of a dense genome; for masks from files. */
bool cop_dense_is(const cop_model *model, const cop_mask *mask);
/** The genome with the units @p units, into the empty @p to: weights and biases between units that
 * @p from has too are its own, the others (all when @p from is NULL) are the base network's. */
void cop_dense_build(cop_genome *to, const cop_model *model, const cop_params *base,
                     const cop_genome *from, const cop_mask *units);
/** The network that a dense genome is: the model with the kept units only, and parameters: w is
 * @p genome's own (borrowed), b (out) has a place for each kept unit. */
cop_status cop_dense_model(const cop_dense *dense, const cop_model *model, cop_model **narrow);
void cop_dense_biases(const cop_dense *dense, const cop_model *model, const float *b, float *out);

/* ------------------------------------------------------------------ evaluators */

/** What is to be computed, the same for all individuals of a run. All borrowed. */
typedef struct cop_eval_setup {
    const cop_model *model;
    const cop_params *base;
    cop_weighting weighting;
    double scale;           /**< `sign`: integer steps per unit of x; see cop_eval_scale */
    double dense_above;     /**< `sparse`: dense layers with more live edges than this share go to
                                 BLAS; 0 or 1: none */
    size_t batch;           /**< samples per batch; divides every shard (tails excepted) */
    size_t hidden;          /**< number of layers whose activations are wanted; 0 for none */
    size_t hidden_layer[8]; /**< layer indices (see cop_model_activation_of) */
    bool by_unit; /**< `dense`: the sink gets units instead of samples, see cop_hidden_sink */
    double hidden_value; /**< shared value at which they are wanted (ignored for TRAINED) */
    size_t memory;       /**< bytes that the workspace may take; less is held at a time then, which
                              moves no result. 0: what is fastest */
    size_t block;        /**< individuals that are given together, at most; 0: any number */
    bool alone; /**< every individual by itself: nothing is taken from a relative or a twin; slower,
                     the same results */
} cop_eval_setup;

/** Consecutive samples of one task. x (n, D), label (n); borrowed. */
typedef struct cop_shard {
    const float *x;
    const int32_t *label;
    size_t n;
    size_t batch_base; /**< number of the shard's first batch inside the task (for similarity
                          targets) */
    size_t task;
    cop_head head; /**< the task's; labels and predictions count from its first output */
} cop_shard;

/** Evidence of one individual on one shard: what units return. Sums are in sample order. */
typedef struct cop_evidence {
    uint64_t samples;
    uint64_t correct[COP_VALUES_MAX]; /**< by shared value */
    double loss[COP_VALUES_MAX];      /**< sum of cross entropies over the samples, nats */
    double similarity[8];             /**< by hidden layer: sum over the batches of the KL loss */
    uint64_t batches;                 /**< batches in the similarity sums */
} cop_evidence;

/** Called by an evaluator after each batch when hidden activations are wanted: @p rows (n, width)
 * of hidden layer number @p which (0..hidden-1) of individual number @p individual of the block.
 *  @p batch counts inside the task. Batches come in order, and of a batch the layers in order. The
 *  sink alone fills evidence->similarity and ->batches, which evaluators leave at 0. With
 *  setup->by_unit rows are units, (width, COP_UNIT_STRIDE(n)), 64-byte aligned, with anything
 * behind the n samples. */
#define COP_UNIT_STRIDE(n) (((n) + 7) / 8 * 8)
typedef cop_status (*cop_hidden_sink)(void *user, size_t individual, size_t which,
                                      const double *rows, size_t n, size_t width, size_t task,
                                      size_t batch, cop_evidence *evidence);

/** One evaluator: one row of src/net/list.h. An evaluator works on blocks of individuals that share
 *  base network and shard, so that it may reuse work between relatives. Results for one individual
 *  never depend on the others of the block. */
typedef struct cop_evaluator {
    const char *name, *summary;
    /** COP_E_CONFIG when the setup is beyond this evaluator (e.g. `sign` and tanh), saying so. */
    cop_status (*create)(void **self, const cop_eval_setup *setup);
    void (*destroy)(void *self);
    /** @p masks (N) live edges; @p evidence (N), overwritten. @p predictions (N, V, n) class
     * numbers or NULL. Argmax ties go to the lowest class. A non-finite logit loses against any
     * finite one (and makes the loss infinite). @p sink may be NULL: then no hidden activations are
     * computed. COP_E_EVALUATE for a label outside the network's classes, and where `sign` cannot
     * be exact. */
    cop_status (*evaluate)(void *self, const cop_mask *const *masks, size_t count,
                           const cop_shard *shard, cop_hidden_sink sink, void *user,
                           cop_evidence *evidence, uint16_t *predictions);
    /** Bytes of the workspace, transient parts included: never less than it comes to. More than
     * setup->memory when that is less than the evaluator can do with. */
    size_t (*bytes)(const cop_eval_setup *setup);
    /** How blocks of the setup's networks are computed, or why relatives do not help each other:
     * lines of text, for `explain`. Errors as of create. */
    cop_status (*explain)(const cop_eval_setup *setup, cop_buf *out);
    /** As evaluate, for genomes that own their weights; NULL: cop_evaluate_genomes finds a way. */
    cop_status (*evaluate_own)(void *self, const cop_genome *const *genomes, size_t count,
                               const cop_shard *shard, cop_hidden_sink sink, void *user,
                               cop_evidence *evidence, uint16_t *predictions);
} cop_evaluator;
const cop_evaluator *cop_evaluator_find(const char *name); /**< NULL if unknown */
/** evaluator->evaluate() of a block in which some individuals may be equal: each different one is
 * computed once, the others get copies of its evidence and predictions. @p setup is the one that @p
 * self was created with; with setup->alone all are computed. The sink hears once of each different
 * individual, by the number of the first that is like it, and what it adds to the evidence (which
 * it must not expect at that number yet) reaches all. Errors are the evaluator's. */
cop_status cop_evaluate_distinct(const cop_evaluator *evaluator, void *self,
                                 const cop_eval_setup *setup, const cop_mask *const *masks,
                                 size_t count, const cop_shard *shard, cop_hidden_sink sink,
                                 void *user, cop_evidence *evidence, uint16_t *predictions);
/** The same for genomes. Those that own their weights go to evaluator->evaluate_own, or one by one
 * through an evaluator made for their weights (slow; any arithmetic of trained weights). */
cop_status cop_evaluate_genomes(const cop_evaluator *evaluator, void *self,
                                const cop_eval_setup *setup, const cop_genome *const *genomes,
                                size_t count, const cop_shard *shard, cop_hidden_sink sink,
                                void *user, cop_evidence *evidence, uint16_t *predictions);
const cop_evaluator *const *cop_evaluators(size_t *count);

/** Steps per unit for fixed-point inputs: the largest power-of-two-free scale such that max|x| maps
 * to
 *  @p steps (default 2047): steps / max|x| over all tasks' evolve and test sets given; 1 when all x
 * are 0. */
double cop_eval_scale(const cop_dataset *const *sets, size_t count, double steps);
/** Name of the integer kernel in use, e.g. "avx512-vnni"; COPPICE_KERNEL overrides. "none" when
 * that variable names one that is unknown or not possible here. */
const char *cop_sign_kernel(void);

/* ------------------------------------------------------------------ similarity (EComp) */

/** Neighbourhood probabilities of n samples from their activations: squared Euclidean distances,
 *  Gaussian, @p perplexity (30 in the paper), symmetrised; upper triangle i<j row by row into
 *  @p p, n(n-1)/2 entries that sum to 1/2, each at least 2.22e-16. @p rows (n, width). All double,
 * fixed order. n >= 2. */
void cop_similarity_neighbours(const double *rows, size_t n, size_t width, double perplexity,
                               double *p);
/** The same bits from activations that lie unit by unit, (width, COP_UNIT_STRIDE(n)), 64-byte
 * aligned; what stands behind the n samples of a unit does not matter. */
void cop_similarity_neighbours_by_unit(const double *units, size_t n, size_t width,
                                       double perplexity, double *p);
/** 2 * sum p ln(p/q) over the upper triangle: KL(base || individual) in nats; 0 for equal ones. */
double cop_similarity_loss(const double *p, const double *q, size_t n);

#endif
