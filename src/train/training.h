/** @file training.h
 *  Training as the section [train] describes it: a network of live edges, epoch by epoch, rewired
 * between epochs.
 */
#ifndef COPPICE_TRAIN_TRAINING_H
#define COPPICE_TRAIN_TRAINING_H

#include "rbm.h"
#include "rewire.h"

extern const cop_option cop_training_options[];

/** An epoch as it ended. Accuracies are fractions; NaN where there were no samples. Of an RBM the
 * losses are mean squared errors of reconstruction, and there are no accuracies. */
typedef struct cop_training_row {
    double loss, accuracy; /**< while learning, with dropout */
    double validation, test_loss, test;
    double edges, seconds;
} cop_training_row;

/** Ranks that train one network together: each does some parts of every batch, then takes the step
 * for its slice of the parameters, and all of them hold the whole network. What the optimiser
 * remembers of the slices of others is only had at the end of an epoch. NULL functions: one rank
 * alone, or batches in one part, which all do alike. */
typedef struct cop_training_team {
    void *user;
    int rank, size;
    size_t first_part, end_part; /**< of each batch */
    size_t first, end;           /**< the slice, of slope_count; multiples of 16 */
    /** Room for the parts of a step: gradients (parts, slope_count), loss and number of right ones
     * (parts, 2). Parts first_part to end_part are filled in here; once
     * share returns so is the slice of all others, and what was found of all. */
    void (*room)(void *user, float **slopes, double **found);
    void (*share)(void *user);
    /** Room for parameters, (slope_count): the slice is filled in here; once gather returns all
     * are. */
    float *(*whole)(void *user);
    void (*gather)(void *user);
    /** Sums over the ranks; of each value at most one rank has one that is not 0. */
    void (*sum)(void *user, double *values, size_t count);
} cop_training_team;

typedef struct cop_training {
    cop_training_team team;
    size_t batch, parts;  /**< samples of a step; parts that it is done in */
    float *slopes;        /**< (parts, slope_count) their gradients; NULL for one part */
    float *part;          /**< borrowed: where those of this step are */
    const cop_conf *conf; /**< borrowed, as are the samples */
    const cop_dataset *train, *test;
    cop_model *front; /**< layers before those of live edges, owned; NULL: none */
    cop_live_net *net;
    cop_rbm *rbm;         /**< model = rbm: the machine that net is the edges of; else NULL */
    size_t chain;         /**< its steps of contrastive divergence */
    cop_rewire_plan plan; /**< remove NULL: never rewired */
    cop_step step;
    double rate, beta1, beta2;
    const char *schedule;
    double decay;
    size_t fall, epochs, every, similarity_samples;
    double similarity_error; /**< of those that the last epoch began with, for being of so few
                                  samples: standard error, root mean square over the live edges;
                                NaN: of all samples, or none */
    bool drop_last, test_dropout;
    uint64_t seed;
    uint32_t *order, *turn; /**< sample numbers: learnt from, then held back */
    size_t learnt, held;
    const float **rows;
    int32_t *label;
    struct cop_augment *augment; /**< NULL: none */
    uint32_t epoch;              /**< epochs done */
    uint64_t batches, steps;
    cop_training_row *history; /**< (epoch) */
    uint32_t *core; /**< (inputs) degrees after the last removal; zeros before the first */
} cop_training;

/** Name of the task that is trained on: [train] task, or the first [task.NAME]. COP_E_CONFIG. */
cop_status cop_training_task(const cop_conf *conf, char **name);
/** Is it an RBM that [train] asks for? */
bool cop_training_wants_rbm(const cop_conf *conf);
/** COP_E_CONFIG unless all values are such as visible units have. */
cop_status cop_training_check_range(const cop_dataset *set);
/** What is wrong with [train] for the model that it asks for. */
cop_status cop_training_check_model(const cop_conf *conf);
/** Everything about [train] that can be wrong without samples; whether a front fits them is not. */
cop_status cop_training_check(const cop_conf *conf);
/** Settings of the network for samples of the shape @p input and @p classes classes. @p front: the
 * layers in front of it, which settings refer to; owned by the caller; NULL: none. COP_E_CONFIG. */
cop_status cop_training_settings(const cop_conf *conf, cop_shape input, size_t classes,
                                 cop_live_settings *settings, cop_model **front);
/** Shape of the samples of @p set. */
cop_shape cop_training_shape(const cop_dataset *set);
/** @p test may have no samples. COP_E_CONFIG. */
cop_status cop_training_create(cop_training **training, const cop_conf *conf,
                               const cop_dataset *train, const cop_dataset *test);
void cop_training_destroy(cop_training *training);
/** Bytes beside the network of gradients of all parts and what ranks tell each other: once where
 * all ranks are of one node, else for each rank. */
double cop_training_parts_bytes(const cop_training *training);
/** One more epoch, and its row. Rewires first when one is due, so that what a run holds does not
 * depend on whether the epoch before was its last. COP_E_EVALUATE when the loss is no longer
 * finite. */
cop_status cop_training_epoch(cop_training *training);
/** Accuracy (fraction) and mean loss over @p count samples of @p set, those of @p which or, NULL,
 * the first ones; with dropout if @p dropping. */
void cop_training_score(cop_training *training, const cop_dataset *set, const uint32_t *which,
                        size_t count, bool dropping, double *accuracy, double *loss);
/** Mean over the first @p count samples of @p set of an RBM's mean squared error of reconstruction.
 */
double cop_training_error(cop_training *training, const cop_dataset *set, size_t count);
/** Mean ln p(sample) in nats over the first @p count samples of @p set, of an RBM with @p log_z. */
double cop_training_log_probability(cop_training *training, const cop_dataset *set, size_t count,
                                    double log_z);
/** ln Z of an RBM, with base rates of the samples learnt from; options ais and ais_thin. */
cop_rbm_log_z cop_training_log_z(cop_training *training);
/** Remove once more without adding, as the paper ends; no way back. False when this training never
 * rewires. */
bool cop_training_finish(cop_training *training);
/** Test accuracies (inputs + 1) with the k least (@p most: most) connected inputs set to 0, for k =
 * 0, 1 ...: degrees are those that the last removal left, ties by number. */
void cop_training_without(cop_training *training, bool most, double *accuracy);
/** SHA-256 over @p science, the history (without times) and everything that goes on. */
void cop_training_digest(const cop_training *training, const char *science, char hex[COP_HASH_HEX]);

/* ------------------------------------------------------------------ augmentation */

/** Images turned, shifted and mirrored at random, a function of (seed, epoch, sample): bilinear,
 * the border's pixels go on outside. */
typedef struct cop_augment cop_augment;
/** NULL when [train] asks for none. @p set must be of images (asserted). */
cop_augment *cop_augment_create(const cop_conf *conf, const cop_dataset *set, size_t batch);
void cop_augment_destroy(cop_augment *augment);
/** Sample @p number of @p set, changed, in place @p slot (< batch) of the augmenter's memory. */
const float *cop_augment_sample(cop_augment *augment, const cop_dataset *set, uint32_t number,
                                uint64_t seed, uint32_t epoch, size_t slot);

#endif
