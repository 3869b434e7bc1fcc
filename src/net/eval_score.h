/* What all evaluators share: from logits to evidence, and checks of what comes in. */
#ifndef COPPICE_NET_EVAL_SCORE_H
#define COPPICE_NET_EVAL_SCORE_H

#include "coppice/net.h"

/** Class with the largest finite logit, ties to the lowest class; SIZE_MAX when none is finite. */
size_t cop_score_argmax(const double *logit, size_t classes);
/** Softmax cross entropy in nats; infinite when any logit is not finite. */
double cop_score_loss(const double *logit, size_t classes, size_t label);
/** Add one sample to evidence number @p v; @p prediction (may be NULL) gets the class, 0 if there
 * is none. */
void cop_score_add(cop_evidence *evidence, size_t v, const double *logit, size_t classes,
                   int32_t label, uint16_t *prediction);

/** The part of a setup's checks that does not depend on the evaluator: numbers of values, layers,
 * sizes. COP_E_CONFIG. */
cop_status cop_eval_check(const cop_eval_setup *setup);
/** Samples of a shard that an evaluator holds in its own layout at a time: @p most, or fewer so
 * that they are whole batches where hidden activations are wanted (at least one), else whole
 * vectors. */
size_t cop_eval_piece(const cop_eval_setup *setup, size_t most);
/** Small blocks that every evaluator has, and what the allocator adds: part of its bytes. */
size_t cop_eval_overhead(const cop_eval_setup *setup);
/** The outputs that compete for the shard's samples, all of the network's if it names none. */
cop_head cop_shard_head(const cop_eval_setup *setup, const cop_shard *shard);
/** The head lies inside the network's outputs and the labels inside the head; COP_E_EVALUATE. */
cop_status cop_shard_check(const cop_eval_setup *setup, const cop_shard *shard);

/** Shared values to compute with: the setup's, then its hidden_value if hidden activations are
 * wanted there and it is not among them. */
typedef struct cop_variants {
    size_t count;
    double value[COP_VALUES_MAX + 1];
    size_t hidden; /**< which one gives the hidden activations; SIZE_MAX: none */
} cop_variants;
cop_variants cop_eval_variants(const cop_eval_setup *setup);

#endif
