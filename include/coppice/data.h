/** @file data.h
 *  Datasets and tasks. A task is a section [task.NAME] of the configuration; it has three splits.
 */
#ifndef COPPICE_DATA_H
#define COPPICE_DATA_H

#include "coppice/conf.h"

/** The outputs of a network that compete for a sample: class c of the task is output first + c.
 * count 0: all of them, from output 0. */
typedef struct cop_head {
    size_t first, count;
} cop_head;

/** Samples with labels. x and label may belong to somebody else (the node's shared window). */
typedef struct cop_dataset {
    char *name;
    size_t samples;
    size_t channels, height, width; /**< features = channels*height*width; tables are 1 x 1 x D */
    int32_t classes;
    float *x;       /**< (samples, features), normalised, channel-major inside a sample */
    int32_t *label; /**< (samples) in [0, classes) */
    bool borrowed;  /**< x and label are not freed with the dataset */
    cop_head head;  /**< outputs of the network that the task is judged by; not in the digest */
    /** (classes) what the classes are called in the data ("a", "Iris-setosa"; joined by '+' where
     *  several were mapped to one); NULL, or NULL items, when unknown. Owned; not in the digest. */
    char **class_names;
} cop_dataset;

typedef enum cop_split {
    COP_SPLIT_TRAIN,  /**< what a base network is trained on (e.g. all 60,000 of MNIST) */
    COP_SPLIT_EVOLVE, /**< the fixed subset that evolution sees (e.g. first 700 a class) */
    COP_SPLIT_TEST
} cop_split;

size_t cop_dataset_features(const cop_dataset *set);
/** A dataset with zeroed samples and labels. The sizes have been checked by the caller. */
cop_dataset *cop_dataset_create(const char *name, size_t samples, size_t channels, size_t height,
                                size_t width, int32_t classes);
void cop_dataset_destroy(cop_dataset *set);
/** SHA-256 over shape, labels and sample bits. */
void cop_dataset_digest(const cop_dataset *set, char hex[COP_HASH_HEX]);

/** Options of [task.*]; sources add none of their own: one table serves all, and an option that a
 * source does not use is an error when given. */
extern const cop_option cop_task_options[];

/** Load one split of the task [task.@p task]. Paths in the section are relative to @p data_dir
 *  (may be NULL: then a source that reads files is COP_E_CONFIG and says how to give --data).
 *  Deterministic: a function of the section and the files. COP_E_CONFIG, COP_E_IO, COP_E_FORMAT. */
cop_status cop_task_load(cop_dataset **set, const cop_conf *conf, const char *task, cop_split split,
                         const char *data_dir);
/** Checks the section without reading data (files must exist): for `check`. */
cop_status cop_task_check(const cop_conf *conf, const char *task, const char *data_dir);

/** One split of a source, opened: shape and labels are known, samples are read on demand, so that a
 *  subset never costs the memory of the whole. All-zero is empty. */
typedef struct cop_raw {
    size_t samples, channels, height, width;
    int32_t *label; /**< (samples) index into names; owned */
    cop_list names; /**< the labels as the source spells them */
    /** Samples @p keep (@p count of them, ascending) to @p x (count, features), as they stand in
     * the source; NaN where a value is missing. At most once per opened split. */
    cop_status (*read)(struct cop_raw *raw, const size_t *keep, size_t count, float *x);
    void (*close)(void *state); /**< frees @p state; may be NULL */
    void *state;
} cop_raw;

/** What a split holds, and what loading it takes. */
typedef struct cop_task_size {
    size_t samples;   /**< that the section keeps */
    uint64_t reading; /**< bytes that loading holds beside them, at most */
} cop_task_size;
/** The size of a split without its samples, as far as the source can tell without reading them
 * (tables are read). Errors are those of cop_task_load. */
cop_status cop_task_count(cop_task_size *size, const cop_conf *conf, const char *task,
                          cop_split split, const char *data_dir);

/** A source of samples: one row of src/data/list.h. */
typedef struct cop_source {
    const char *name;    /**< the word in `source =` */
    const char *summary; /**< one sentence */
    const char *paper;   /**< where it comes from; "" if nowhere */
    bool built_in;       /**< needs no files; its names are all classes there are */
    bool table;          /**< normalise = auto standardises instead of fixed scaling */
    const char *const
        *uses; /**< option keys that it reads, NULL-terminated (beside the common ones) */
    /** Values that a table of options cannot check by itself, and that files are there; reads no
     *  data. Called before open. */
    cop_status (*check)(const cop_conf *conf, const char *section, const char *data_dir);
    /** The whole split, before class selection and subsets. */
    cop_status (*open)(cop_raw *raw, const cop_conf *conf, const char *section, cop_split split,
                       const char *data_dir);
} cop_source;
const cop_source *const *cop_sources(size_t *count);

/** The word for a split: "train", "evolve", "test". */
const char *cop_split_name(cop_split split);

/** A real dataset as a ready section. */
typedef struct cop_known_set {
    const char *name;
    const char *about; /**< one sentence */
    const char *ini;   /**< the section [task.<name>] */
} cop_known_set;
const cop_known_set *cop_known_sets(size_t *count);

/** Writers; files are published whole, and compressed when the name ends in ".gz". IDX: images as
 *  unsigned bytes (x is mapped linearly from its [low, high] to 0..255) and labels (at most 256
 *  classes); tables become images of one row. CSV: label last, floats with 9 digits (exact). */
cop_status cop_write_idx(const cop_dataset *set, const char *images_path, const char *labels_path);
cop_status cop_write_csv(const cop_dataset *set, const char *path);
/** Contact sheet as PNG (grey; RGB for 3 channels): a row per class, its first @p per_class
 * samples. */
cop_status cop_write_contact_png(const cop_dataset *set, size_t per_class, const char *path);
/** @p count samples as characters, taking classes in turn; tables as their first values. */
void cop_print_samples(const cop_dataset *set, size_t count, FILE *out);

#endif
