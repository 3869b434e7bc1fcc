/** @file data.h
 *  Datasets and tasks. A task is a section [task.NAME] of the configuration; it has three splits.
 */
#ifndef COPPICE_DATA_H
#define COPPICE_DATA_H

#include "coppice/conf.h"

/** Samples with labels. x and label may belong to somebody else (the node's shared window). */
typedef struct cop_dataset {
    char *name;
    size_t samples;
    size_t channels, height, width; /**< features = channels*height*width; tables are 1 x 1 x D */
    int32_t classes;
    float *x;       /**< (samples, features), normalised, channel-major inside a sample */
    int32_t *label; /**< (samples) in [0, classes) */
    bool borrowed;  /**< x and label are not freed with the dataset */
} cop_dataset;

typedef enum cop_split {
    COP_SPLIT_TRAIN, /**< what a base network is trained on (e.g. all 60,000 of MNIST) */
    COP_SPLIT_EVOLVE,/**< the fixed subset that evolution sees (e.g. first 700 a class) */
    COP_SPLIT_TEST
} cop_split;

size_t cop_dataset_features(const cop_dataset *set);
void cop_dataset_destroy(cop_dataset *set);
/** SHA-256 over shape, labels and sample bits. */
void cop_dataset_digest(const cop_dataset *set, char hex[COP_HASH_HEX]);

/** Options of [task.*]; sources add none of their own: one table serves all, and an option that a source
 *  does not use is an error when given. */
extern const cop_option cop_task_options[];

/** Load one split of the task [task.@p task]. Paths in the section are relative to @p data_dir
 *  (may be NULL: then a source that reads files is COP_E_CONFIG and says how to give --data).
 *  Deterministic: a function of the section and the files. COP_E_CONFIG, COP_E_IO, COP_E_FORMAT. */
cop_status cop_task_load(cop_dataset **set, const cop_conf *conf, const char *task, cop_split split,
                         const char *data_dir);
/** Checks the section without reading data (files must exist): for `check`. */
cop_status cop_task_check(const cop_conf *conf, const char *task, const char *data_dir);

/** A source of samples: one row of src/data/list.h. */
typedef struct cop_source {
    const char *name;    /**< the word in `source =` */
    const char *summary; /**< one sentence */
    const char *paper;   /**< where it comes from; "" if nowhere */
    bool built_in;       /**< needs no files */
    const char *const *uses; /**< option keys that it reads, NULL-terminated (beside the common ones) */
    /** Raw samples of the split before class selection and subsets; x not yet normalised. */
    cop_status (*load)(cop_dataset **set, const cop_conf *conf, const char *section, cop_split split,
                       const char *data_dir);
} cop_source;
const cop_source *const *cop_sources(size_t *count);

/** Writers. IDX: images as unsigned bytes (x is mapped linearly from [low, high] to 0..255) and labels. */
cop_status cop_write_idx(const cop_dataset *set, const char *images_path, const char *labels_path);
cop_status cop_write_csv(const cop_dataset *set, const char *path);
/** Contact sheet of the first samples of each class as PNG (grey or RGB), or as characters. */
cop_status cop_write_contact_png(const cop_dataset *set, size_t per_class, const char *path);
void cop_print_samples(const cop_dataset *set, size_t count, FILE *out);

#endif
