/** @file train.h
 *  Training of base networks: optimisers, schedules, early stopping.
 */
#ifndef COPPICE_TRAIN_H
#define COPPICE_TRAIN_H

#include "coppice/net.h"

/** Options of [base]: task, file, seed, epochs, batch, optimiser (sgd|adam|adadelta), rate,
 * momentum, weight_decay, schedule (constant|exponential|step|cosine), decay, step, validation,
 * patience ... */
extern const cop_option cop_base_options[];

/** Progress after each epoch (for the screen); return false to stop training early with
 * COP_E_STOPPED. */
typedef struct cop_train_report {
    size_t epoch, epochs;
    double loss, accuracy;                       /**< of the epoch, training mode */
    double validation_loss, validation_accuracy; /**< NaN without a validation split */
    double rate, seconds;
} cop_train_report;
typedef bool (*cop_train_observer)(void *user, const cop_train_report *report);

/** Train @p params (overwritten) as [base] of @p conf says on @p train. Deterministic: a function
 * of the section, the seed and the data (and of the BLAS kernel's rounding). */
cop_status cop_train_base(const cop_conf *conf, const cop_model *model, const cop_dataset *train,
                          cop_params *params, cop_train_observer observer, void *user);

/** The same from the weights and biases that @p params holds. The optimiser begins without memory.
 * At the observer's call @p params are those at the end of that epoch. */
cop_status cop_train_on(const cop_conf *conf, const cop_model *model, const cop_dataset *train,
                        cop_params *params, cop_train_observer observer, void *user);

/* ------------------------------------------------------------------ the last layer alone */

/** The last layer with weights as a model of its own: "N: NAME=dense(classes)". COP_E_CONFIG when
 * it is no dense layer. */
cop_status cop_tail_create(cop_model **tail, const cop_model *model);
/** What reaches the last layer with weights of @p model from the samples of @p set: (samples,
 * inputs of that layer), with the labels of @p set. @p dropout_seed NULL: inference; else dropout
 * is active, and its masks are a function of that seed. Owned by the caller. */
cop_dataset *cop_tail_features(const cop_model *model, const cop_params *params,
                               const cop_dataset *set, const uint64_t *dropout_seed);
/** Weights and biases of the last layer between a network and its tail. */
void cop_tail_take(const cop_model *model, const cop_params *params, cop_params *tail);
void cop_tail_put(const cop_model *model, cop_params *params, const cop_params *tail);

/** SHA-256 that names a trained base network: the network, the options of [base] that training uses
 * and the digest of the training data (which stands for its task section). */
void cop_base_key(const cop_conf *conf, const cop_model *model, const cop_dataset *train,
                  char hex[COP_HASH_HEX]);

/** An optimiser: one row of src/train/list.h. */
typedef struct cop_optimiser_info {
    const char *name, *summary, *paper;
} cop_optimiser_info;
const cop_optimiser_info *cop_optimiser_infos(size_t *count);

#endif
