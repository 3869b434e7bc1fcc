/** @file report.h
 *  Reading what coppice wrote, for people and for scripts: text tables, confusion matrices, and one
 * JSON description of networks, checkpoints and run directories from which the text output is made
 * too.
 */
#ifndef COPPICE_REPORT_H
#define COPPICE_REPORT_H

#include <jansson.h>

#include "coppice/run.h"

/* ------------------------------------------------------------------ text tables */

/** A table of text cells, filled row by row. Numbers are aligned right, a heading that starts with
 * '<' makes its column left-aligned. */
typedef struct cop_table {
    size_t columns;
    cop_list cells; /**< headings first */
} cop_table;
void cop_table_init(cop_table *table, const char *headings /**< separated by '|' */);
void cop_table_add(cop_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Indented by two blanks. The last row must be complete. */
void cop_table_write(const cop_table *table, cop_buf *out);
void cop_table_clear(cop_table *table);

/* ------------------------------------------------------------------ JSON */

/** Numbers as JSON; what is not finite becomes null. */
json_t *cop_json_real(double value);
/** Ids and counts; COP_FOUNDER becomes null. */
json_t *cop_json_id(uint64_t value);
/** Indented text with a newline at the end, 17 digits; takes @p value over. */
void cop_json_print(json_t *value, FILE *out);

/* ------------------------------------------------------------------ confusion matrix */

typedef struct cop_confusion {
    size_t rows, columns; /**< classes of the task, outputs of the network */
    uint64_t *count;      /**< (rows, columns): samples of class row that were taken for column */
} cop_confusion;
void cop_confusion_init(cop_confusion *matrix, size_t rows, size_t columns);
void cop_confusion_clear(cop_confusion *matrix);
/** Labels in [0, rows), predictions in [0, columns); both are asserted. */
void cop_confusion_fill(cop_confusion *matrix, const int32_t *label, const uint16_t *predicted,
                        size_t samples);
/** Row sums, recall and precision in percent (a dash where nothing is to be divided). Classes are
 * called by their @p names (may be NULL, also single ones) or numbers; outputs that no class of the
 * task has are shown only where something was taken for them. */
void cop_confusion_write(const cop_confusion *matrix, const char *const *names, cop_buf *out);
json_t *cop_confusion_json(const cop_confusion *matrix); /**< array of rows */

/* ------------------------------------------------------------------ ensembles */

/** The class that most of the @p values networks took a sample for; of equals the one that the
 * first of them named. @p predicted (values, samples), @p vote (samples). */
void cop_vote(const uint16_t *predicted, size_t values, size_t samples, uint16_t *vote);

/* ------------------------------------------------------------------ edges that two networks lack
 */

typedef struct cop_overlap {
    uint64_t a, b, both; /**< edges cut in the first, the second, both */
    double chance, sd;   /**< expected in both, and its standard deviation, had each cut as many
                            blindly (hypergeometric) */
    double chance_by_layer, sd_by_layer; /**< the same, had each cut as many of every layer */
} cop_overlap;
/** Both masks are of @p model. */
cop_overlap cop_overlap_of(const cop_model *model, const cop_mask *a, const cop_mask *b);

/* ------------------------------------------------------------------ statistics (docs/sweeps.md)
 */

/** What is not finite is left out; sd is the sample standard deviation (n - 1), NaN below two. */
typedef struct cop_sample {
    size_t count;
    double mean, sd, least, most; /**< NaN when there is nothing */
} cop_sample;
cop_sample cop_sample_of(const double *value, size_t count);

/** Welch's t test of two means, two-sided (Welch 1947). All but the difference are NaN when a group
 * has less than two values or nothing varies. */
typedef struct cop_welch {
    double difference; /**< mean of b less mean of a */
    double t, freedom, p;
    double low, high; /**< confidence interval of the difference */
} cop_welch;
cop_welch cop_welch_test(const cop_sample *a, const cop_sample *b, double level);

/** Mann and Whitney's U test, two-sided (1947). Exact when no two values are equal and no group has
 * more than 40; else by the normal curve, corrected for ties and continuity. */
typedef struct cop_mann_whitney {
    double u; /**< pairs in which b is larger than a, equal ones counting half */
    double p; /**< NaN when all values are equal or a group is empty */
    bool exact;
} cop_mann_whitney;
/** Values must be finite. */
cop_mann_whitney cop_mann_whitney_test(const double *a, size_t n, const double *b, size_t m);

/** McNemar's test (1947), exact and two-sided: @p only_a samples are right in a alone, @p only_b in
 * b alone. 1 when there are none. At most 2^32 - 1 together. */
double cop_mcnemar_test(uint64_t only_a, uint64_t only_b);
/** Wilson's score interval (1927) of a share, in [0, 1]. */
void cop_wilson_interval(uint64_t right, uint64_t all, double level, double *low, double *high);
/** Clopper and Pearson's interval (1934) of a share: never shorter than it says, so a little wider
 * than Wilson's. @p right <= @p all. */
void cop_clopper_pearson_interval(uint64_t right, uint64_t all, double level, double *low,
                                  double *high);
/** Holm's correction (1979) of @p count p values for being tested together: the chance that any is
 * small by accident stays below the level. NaN: no test, and not counted. */
void cop_holm_adjust(const double *p, size_t count, double *adjusted);

/* ------------------------------------------------------------------ runs side by side
 * (docs/sweeps.md) */

/** A finished run. Measures: "fitness" and "edges" of the best individual ever,
 * "accuracy.TASK.evolution" and "accuracy.TASK.test" (percent), of several tasks also their mean
 * as TASK "mean", "generations", "evaluations",
 * "seconds". */
typedef struct cop_trial {
    int64_t seed;
    char *directory, *digest;
    json_t *numbers;
} cop_trial;
typedef struct cop_trial_arm {
    char *name;
    size_t trials;
    cop_trial *trial;
} cop_trial_arm;
typedef struct cop_trials {
    size_t arms;
    cop_trial_arm *arm;
    cop_list tasks; /**< of any run, in the order of their appearance */
} cop_trials;
/** Number of the arm @p name, which is added if it is not there. */
size_t cop_trials_arm(cop_trials *trials, const char *name);
/** Add the run in @p directory to an arm. COP_E_FORMAT when it has not finished, or is in the arm
 * already (the same folder, or another with the same digest). */
cop_status cop_trials_add(cop_trials *trials, size_t arm, const char *directory, int64_t seed);
void cop_trials_clear(cop_trials *trials);
/** Appends the measures of the tables. */
void cop_trials_measures(const cop_trials *trials, cop_list *names);
double cop_trial_value(const cop_trial *trial, const char *measure); /**< NaN: it has none */
/** The finite values of an arm into @p out (arm->trials); returns how many. */
size_t cop_trial_values(const cop_trial_arm *arm, const char *measure, double *out);
/** The run with the largest fitness (which test samples do not enter), the first of equals; NULL:
 * none. */
const cop_trial *cop_trial_champion(const cop_trial_arm *arm);
int cop_measure_digits(const char *measure); /**< behind the decimal point, in text */

/** Mean and spread by arm and measure, as text and CSV, and every run as CSV. */
void cop_trials_write(const cop_trials *trials, cop_buf *out);
void cop_trials_csv(const cop_trials *trials, cop_buf *out);
void cop_trials_runs_csv(const cop_trials *trials, cop_buf *out);

/** Measures of the best individual so far, by generation from 0, or of a network that learns, by
 * epoch from 1. */
typedef struct cop_curve {
    bool training;
    size_t generations;
    double *value; /**< (generations or epochs, measures); NaN where unknown */
} cop_curve;
/** From metrics.jsonl: of a search "fitness" and names of the plan's measures; of a training
 * "loss", "test_loss", "edges", and "accuracy", "validation_accuracy" and "test_accuracy" in
 * percent. Damaged lines end the curve. COP_E_IO. */
cop_status cop_curve_read(cop_curve *curve, const char *directory, const cop_list *measures);
void cop_curve_clear(cop_curve *curve);

/** Scripts for gnuplot and their data, in @p folder: the curves of every trial with their mean, by
 * arm, and the means of all arms. */
cop_status cop_figure_curves(const cop_trials *trials, const char *folder);
/** A confusion matrix as shares of each true class; @p name is that of the files. */
cop_status cop_figure_confusion(const cop_confusion *matrix, const char *const *classes,
                                const char *name, const char *title, const char *folder);
/** Draw every script of @p folder as SVG and PNG. COP_E_IO when there is no gnuplot or it refuses
 * some (the others are drawn); @p drawn counts those drawn. */
cop_status cop_figures_draw(const char *folder, size_t *drawn);

/* ------------------------------------------------------------------ what a path holds */

typedef enum cop_subject_kind {
    COP_SUBJECT_RUN,
    COP_SUBJECT_CHECKPOINT,
    COP_SUBJECT_NETWORK
} cop_subject_kind;

typedef struct cop_subject {
    cop_subject_kind kind;
    char *path;
    cop_network *network;       /**< the network, or the best individual; NULL: none yet (run) */
    char *network_file;         /**< where it was read */
    cop_checkpoint *checkpoint; /**< NULL: network file, or none yet, or not read */
    char *checkpoint_file;
    struct cop_trained *trained; /**< in place of network and checkpoint, where [train] made it */
    cop_ledger ledger;           /**< RUN */
    json_t *run;                 /**< RUN: run.json; NULL when it is missing or unreadable */
} cop_subject;

/** Any live individual of a checkpoint may be meant, not only the best. */
#define COP_SUBJECT_BEST UINT64_MAX

/** Open a run directory, a checkpoint or a network file. Of a run directory the newest checkpoint
 * of the ledger that can be read is taken (a warning names each that cannot), and best.h5; with @p
 * whole false just enough for `network`. @p individual: an id, or COP_SUBJECT_BEST. COP_E_IO,
 * COP_E_FORMAT, also when it is none of the three; COP_E_USAGE when it has no such individual. */
cop_status cop_subject_open(cop_subject *subject, const char *path, uint64_t individual,
                            bool whole);
void cop_subject_close(cop_subject *subject);
/** For commands that know networks of [network] alone. COP_E_USAGE when it is one of [train]. */
cop_status cop_subject_no_training(const cop_subject *subject);
/** What can be said in a line of either kind of network, which must be there. */
typedef struct cop_subject_facts {
    uint64_t individual, edges, possible;
    cop_weighting_kind weighting;
} cop_subject_facts;
cop_subject_facts cop_subject_facts_of(const cop_subject *subject);
/** The network of individual @p id (COP_SUBJECT_BEST: the best ever) of a checkpoint: base weights,
 * its mask, and the weighting that the checkpoint's configuration names. */
cop_status cop_checkpoint_network(const cop_checkpoint *checkpoint, uint64_t id,
                                  cop_network **network);

/* ------------------------------------------------------------------ descriptions (docs/inspect.md)
 */

json_t *cop_describe_network(const cop_network *network);
/** Adds checkpoint, generations, best, population and config to @p out. */
void cop_describe_checkpoint(const cop_checkpoint *checkpoint, const char *file, json_t *out);
/** Adds checkpoint, epochs, network and config to @p out. */
void cop_describe_training(const struct cop_trained *trained, const char *file, json_t *out);
json_t *cop_describe_subject(const cop_subject *subject);
/** The text of what cop_describe_training added, but the network. */
void cop_describe_write_training(const json_t *description, bool all, cop_buf *out);
/** The sections and keys of a configuration as cop_conf_write writes it. */
json_t *cop_describe_config(const char *text);
/** The description as text; @p all rows of the generation table, or some twenty of them. */
void cop_describe_write(const json_t *description, bool all, cop_buf *out);
/** Its living individuals, in the order of the rank operator, with the measures that tell them
 * apart.
 */
void cop_describe_write_population(const json_t *description, cop_buf *out);
/** "trained", "signed", "positive" */
const char *cop_weighting_name(cop_weighting_kind kind);

#endif
