/** @file work.h
 *  The workspace of the float passes, shared by forward.c, loss.c and backward.c.
 */
#ifndef COPPICE_NET_WORK_H
#define COPPICE_NET_WORK_H

#include "layer.h"

struct cop_net_work {
    const cop_model *model; /* borrowed */
    size_t batch;
    bool training;
    float **buffer;     /* by layer, (batch, out); NULL where the output is always the input */
    void **memo;        /* by layer; training only */
    float *scratch;     /* shared by the layers */
    float *gradient[2]; /* training: (batch, widest), taken in turn going backward */
    float *dlogits;     /* training: (batch, classes) */
    /* the last forward call */
    const float *x;    /* borrowed */
    const float **out; /* by layer: its buffer, or what it passed on */
    size_t n;
    bool dropped;  /* a dropout key was given */
    bool ready;    /* cop_net_loss has filled dlogits */
    cop_head head; /* outputs that losses are of; count 0: all */
};

/** The layer hands its input on unchanged in this pass. */
static inline bool cop_layer_passes(const cop_layer *layer, bool dropping) {
    const cop_layer_op *op = cop_layer_op_of(layer, NULL);
    return dropping ? op->passes_in_training : op->passes_in_inference;
}

/** Cross entropy in nats of one sample, -log softmax(logits)[label]; +inf when a logit is not
 * finite.
 *  @p slope (classes), may be NULL: the gradient times @p weight, zeros for an infinite loss. */
double cop_cross_entropy(const float *logits, size_t classes, int32_t label, double weight,
                         float *slope);
/** Class of the largest finite logit, ties to the lowest; -1 when none is finite. */
int32_t cop_argmax(const float *logits, size_t classes);

#endif
