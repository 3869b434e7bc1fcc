/** @file training.h
 *  A run that trains one network ([train]) instead of searching: the same run directory, ledger,
 * signals and result record, so that run, resume, sweep, verify and compare know it.
 */
#ifndef COPPICE_RUN_TRAINING_H
#define COPPICE_RUN_TRAINING_H

#include "directory.h"
#include "train/training.h"

/** Is this configuration one of training? */
bool cop_training_wanted(const cop_conf *conf);
/** Does this folder hold a run of training? By its config.ini. */
bool cop_training_is_run(const char *directory);
/** Everything that can be wrong before samples are read. */
cop_status cop_training_precheck(const cop_conf *conf, const char *data_dir);
/** The algorithm in words, for `explain`. */
void cop_training_explain(const cop_conf *conf, cop_buf *out);
/** Memory and work, once shapes are known, for `check`; @p data_dir NULL: files are not read. */
cop_status cop_training_estimate(const cop_conf *conf, const char *data_dir, bool read,
                                 cop_buf *out);

/** cop_session for such a run. Collective: all ranks hold the network and do their parts of each
 * batch; rank 0 writes. They read the same run directory. */
cop_status cop_training_session(const cop_session_options *options, cop_par *par,
                                const char *data_dir);
/** Ranks that train one network. Collective; borrowed by the training until the end. */
typedef struct cop_team cop_team;
cop_team *cop_team_make(cop_training *training, const cop_par *par);
void cop_team_end(cop_team *team);

/** cop_run_verify for such a run. */
cop_status cop_training_verify(const char *dir, cop_buf *report, char digest[COP_HASH_HEX]);

/** A training that is over and stored. All borrowed. */
typedef struct cop_training_end {
    cop_training *training; /**< its edges are removed once more on the way */
    const char *task, *directory, *digest;
    double seconds;
    FILE *out;
} cop_training_end;
/** Print the result, write degrees.csv and, when asked for, features.csv; @p result is what
 * run.json gets, owned by the caller. */
cop_status cop_training_report(const cop_training_end *end, json_t **result);

/** The same of an RBM. */
cop_status cop_training_report_rbm(const cop_training_end *end, json_t **result);
/** degrees.csv: @p degree (inputs) before the last removal, the training's core after it. */
cop_status cop_training_write_degrees(const cop_training_end *end, const uint32_t *degree);

/* ------------------------------------------------------------------ checkpoints
 * (docs/formats/training.md) */

/** What stands in a checkpoint beside the network and the history. All owned. */
typedef struct cop_training_file {
    char *config, *science, *run_id, *digest;
    char *samples; /**< SHA-256 of the samples learnt from and tested on */
    double elapsed;
} cop_training_file;
void cop_training_file_clear(cop_training_file *file);
cop_status cop_training_write(const cop_training *training, const cop_training_file *facts,
                              const char *path);
/** The facts alone. COP_E_FORMAT. */
cop_status cop_training_read_facts(cop_training_file *facts, const char *path);
/** Into a training made of the same configuration and samples, not yet begun. Every size and index
 * is checked. COP_E_FORMAT. */
cop_status cop_training_read(cop_training *training, const char *path);
/** Newest checkpoint of a run that is complete and undamaged: its name inside @p dir, owned; NULL
 * when there is none. */
cop_status cop_training_newest(const char *dir, char **file);
/** Remove checkpoints but the @p keep newest, and those of epochs divisible by @p every (0: none).
 */
cop_status cop_training_thin_out(const char *dir, int64_t keep, int64_t every);

/* ------------------------------------------------------------------ networks to look at */

/** A network as a checkpoint holds it. */
typedef struct cop_trained {
    cop_training
        training; /**< net, history, epoch and core alone; what learning takes is not there */
    cop_training_file facts;
    cop_conf *conf;
    char *task; /**< that it was trained on */
} cop_trained;
/** Sizes are checked against the file before memory is taken, the content against its digest.
 * COP_E_IO, COP_E_FORMAT, COP_E_CONFIG. */
cop_status cop_trained_read(cop_trained **trained, const char *path);
void cop_trained_destroy(cop_trained *trained);
/** COP_E_CONFIG when the samples of @p task are not such as the network takes. */
cop_status cop_trained_fits(const cop_trained *trained, const cop_dataset *set, const char *task);
/** Classes (samples), how many are right, and the sum of the cross entropies in nats. Uses the
 * network's workspace. */
void cop_trained_classify(const cop_trained *trained, const cop_dataset *set, uint16_t *predicted,
                          size_t *correct, double *loss);

#endif
