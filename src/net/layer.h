/** @file layer.h
 *  What a kind of layer is made of: one cop_layer_op in src/net/layer_<kind>.c and one line in
 *  src/net/list.h. Parsing, listing, the passes and the gradient contract follow from it.
 */
#ifndef COPPICE_NET_LAYER_H
#define COPPICE_NET_LAYER_H

#include "coppice/net.h"

#define COP_LAYER_ARGS 4              /* the most arguments that a layer takes */
#define COP_LAYER_SIZE_MAX (1u << 28) /* values that a layer, or a sample's patches, may have */
#define COP_MODEL_LAYERS_MAX 1000

/** What one layer reads and writes in one pass over a batch. All borrowed. */
typedef struct cop_layer_pass {
    const cop_layer *layer;
    size_t index;       /**< of the layer in the model */
    size_t n;           /**< samples */
    const float *x;     /**< (n, in) */
    float *y;           /**< (n, out); what forward wrote */
    const float *dy;    /**< backward: (n, out) gradient of the loss */
    float *dx;          /**< backward: (n, in) to be written; NULL when nothing before it learns
                         *   (never for layers that work in place) */
    const float *w, *b; /**< the layer's weights and biases */
    float *dw, *db;     /**< backward: their gradients, to be overwritten */
    void *memo;         /**< (memo bytes) carried from forward to backward; NULL in inference */
    float *scratch;     /**< (scratch values) shared by all layers, of no value between calls */
    const cop_dropout_key *key; /**< NULL in inference */
} cop_layer_pass;

typedef struct cop_layer_op {
    cop_layer_kind kind;
    cop_activation activation; /**< for COP_LAYER_ACTIVATION */
    const char *prefix;        /**< of automatic names: conv1, relu2 ... */
    size_t fewest, most;       /**< arguments */
    /** Shape inference: layer->in is set and @p args holds @p count numbers; fills out, sizes,
     * counts. NULL: out = in and no parameters. The place is put in front of the message by the
     * caller. */
    cop_status (*shape)(cop_layer *layer, const double *args, size_t count);
    /** Canonical arguments, e.g. "(32,3)"; NULL: none. */
    void (*print)(const cop_layer *layer, cop_buf *text);
    size_t (*scratch)(const cop_layer *layer);            /**< floats; NULL: 0 */
    size_t (*memo)(const cop_layer *layer, size_t batch); /**< bytes; NULL: 0 */
    /** The output is the input itself: neither called nor copied. */
    bool passes_in_training, passes_in_inference;
    bool in_place; /**< backward turns dy into dx where it lies: dx == dy on entry */
    void (*forward)(const cop_layer_pass *pass);
    void (*backward)(const cop_layer_pass *pass);
} cop_layer_op;

/** Row of src/net/list.h of that word, NULL if there is none; *info (may be NULL) is its
 * description. */
const cop_layer_op *cop_layer_op_find(const char *word, const cop_layer_info **info);
const cop_layer_op *cop_layer_op_of(const cop_layer *layer, const cop_layer_info **info);

/** @p value as a whole number in [low, high]; COP_E_CONFIG naming @p what otherwise. */
cop_status cop_layer_whole(double value, double low, double high, const char *what, size_t *out);

#endif
