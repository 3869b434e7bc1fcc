/* The options of [task.*]. Which of them a source reads is in its `uses` list; the common ones are
 * listed in task_check.c. */
#include "source.h"

#define COUNT_MAX 1e9

#define SPLIT_OPTIONS(split)                                                                       \
    {split "_skip",                                                                                \
     COP_OPT_INT,                                                                                  \
     "0",                                                                                          \
     0,                                                                                            \
     COUNT_MAX,                                                                                    \
     "samples",                                                                                    \
     NULL,                                                                                         \
     COP_SCIENCE,                                                                                  \
     "Leave out so many samples of the " split " split at its beginning."},                        \
        {split "_skip_per_class",                                                                  \
         COP_OPT_INT,                                                                              \
         "0",                                                                                      \
         0,                                                                                        \
         COUNT_MAX,                                                                                \
         "samples",                                                                                \
         NULL,                                                                                     \
         COP_SCIENCE,                                                                              \
         "Leave out the first so many samples of each label in the " split " split."},             \
        {split "_per_class",                                                                       \
         COP_OPT_INT,                                                                              \
         "0",                                                                                      \
         0,                                                                                        \
         COUNT_MAX,                                                                                \
         "samples",                                                                                \
         NULL,                                                                                     \
         COP_SCIENCE,                                                                              \
         "Keep so many samples of each label in the " split " split (0 = all)."},                  \
    {                                                                                              \
        split "_limit", COP_OPT_INT, "0", 0, COUNT_MAX, "samples", NULL, COP_SCIENCE,              \
            "Keep at most so many samples of the " split " split (0 = all); the last rule."        \
    }

#define TEXT(key, fallback, help)                                                                  \
    { key, COP_OPT_TEXT, fallback, 0, 0, "", NULL, COP_SCIENCE, help }
#define INT(key, fallback, low, high, unit, help)                                                  \
    { key, COP_OPT_INT, fallback, low, high, unit, NULL, COP_SCIENCE, help }
#define REAL(key, fallback, low, high, unit, help)                                                 \
    { key, COP_OPT_REAL, fallback, low, high, unit, NULL, COP_SCIENCE, help }
#define CHOICE(key, fallback, choices, help)                                                       \
    { key, COP_OPT_CHOICE, fallback, 0, 0, "", choices, COP_SCIENCE, help }

const cop_option cop_task_options[] = {
    TEXT("source", NULL, "Where the samples come from; `coppice data list` names the sources."),
    /* what to keep and how to call it */
    {"classes", COP_OPT_WORDS, "", 0, 0, "", NULL, COP_SCIENCE,
     "Labels to keep, as the data spell them, numbered 0, 1, ... in this order (default: all, "
     "sorted)."},
    {"map", COP_OPT_REALS, "", 0, COP_CLASSES_MAX - 1, "", NULL, COP_SCIENCE,
     "Class number for each of the classes instead of 0, 1, ...; labels may share a number."},
    INT("outputs", "0", 0, COP_CLASSES_MAX, "classes",
        "Number of classes that the network tells apart, so that tasks can share one (0 = as many "
        "as the task has)."),
    CHOICE("head", "all", "all|own",
           "Which outputs of the network compete: all, or only those of the task's classes (with "
           "outputs: so "
           "many), so that tasks may differ in their classes."),
    INT("first_output", "0", 0, COP_CLASSES_MAX, "",
        "head = own: the output of class 0; heads of tasks may be apart, overlap or be the same."),
    CHOICE("subset", "first", "first|seeded",
           "Which samples *_skip, *_per_class and *_limit count: in file order, or in an order "
           "drawn with the seed (the same for every split)."),
    INT("seed", "1", 0, 9007199254740992.0, "",
        "Seed of generators, of subset = seeded and of holdout; apart from the seed of the run."),
    SPLIT_OPTIONS("train"),
    SPLIT_OPTIONS("evolve"),
    SPLIT_OPTIONS("test"),
    CHOICE("normalise", "auto", "auto|fixed|standardise|none",
           "fixed: (x / divide - mean) / sd; standardise: each feature to mean 0 and standard "
           "deviation 1 over the train split; auto: fixed for images, standardise for tables."),
    REAL("divide", "255", 1e-30, 1e30, "", "Divisor of normalise = fixed."),
    REAL("mean", "0.1307", -1e30, 1e30, "",
         "Mean taken off after the division (of MNIST by default)."),
    REAL("sd", "0.3081", 1e-30, 1e30, "",
         "Standard deviation that the result is divided by (of MNIST by default)."),
    /* idx */
    TEXT("images", "", "IDX file of the train images, gzipped or not."),
    TEXT("labels", "",
         "IDX file of the train labels; for csv: text file with one label a line, in place of a "
         "label column."),
    TEXT("evolve_images", "", "Images of the evolve split (default: the train images)."),
    TEXT("evolve_labels", "", "Labels of the evolve split (default: the train labels)."),
    TEXT("test_images", "", "Images of the test split."),
    TEXT("test_labels", "", "Labels of the test split."),
    CHOICE("orientation", "as-stored", "as-stored|transposed",
           "transposed swaps rows and columns of every image (EMNIST files hold them swapped)."),
    /* csv */
    TEXT("file", "", "Table of the train split, gzipped or not."),
    TEXT("evolve_file", "", "Table of the evolve split (default: that of the train split)."),
    TEXT("test_file", "", "Table of the test split (or give holdout)."),
    REAL("holdout", "0", 0, 0.9, "",
         "Without test_file: this fraction of each label's rows, drawn with the seed, is the test "
         "split and no part of the others."),
    TEXT("separator", "auto",
         "auto, comma, semicolon, tab, space (any run of blanks) or one character."),
    CHOICE("header", "auto", "auto|yes|no",
           "Whether the first line names the columns; auto: it does when none of its cells is a "
           "number."),
    TEXT(
        "label", "last",
        "Column of the label: first, last, a number from 1, or a name; none: there are no labels."),
    {"drop", COP_OPT_WORDS, "", 0, 0, "", NULL, COP_SCIENCE,
     "Columns to leave out: numbers from 1, or names."},
    CHOICE("missing", "error", "error|mean",
           "What an empty cell or '?' is: an error, or the feature's mean over the train split."),
    {"shape", COP_OPT_REALS, "", 1, COP_FEATURES_MAX, "", NULL, COP_SCIENCE,
     "Channels, height and width, when the columns of a table are the pixels of an image."},
    TEXT("group", "",
         "holdout: column that says which rows belong together (of one person, one recording); "
         "they are held out together or not at all. It is no feature."),
    TEXT("group_end", "",
         "A group's name ends before the last such character of the cell: with . the rows S093.15 "
         "and S093.16 are of group S093 (default: the whole cell)."),
    /* cifar */
    {"batches", COP_OPT_WORDS, "", 0, 0, "", NULL, COP_SCIENCE,
     "Binary files of CIFAR-10 of the train split, one after the other, gzipped or not."},
    {"evolve_batches", COP_OPT_WORDS, "", 0, 0, "", NULL, COP_SCIENCE,
     "Those of the evolve split (default: the train split's)."},
    {"test_batches", COP_OPT_WORDS, "", 0, 0, "", NULL, COP_SCIENCE, "Those of the test split."},
    /* libsvm */
    INT("columns", "0", 0, 1 << 24, "features",
        "Features of a sample in files of libsvm (0 = the largest index of the train file)."),
    /* generators */
    INT("train_samples", "6000", 1, 1e8, "samples", "Samples generated for the train split."),
    INT("evolve_samples", "2000", 1, 1e8, "samples", "Samples generated for the evolve split."),
    INT("test_samples", "2000", 1, 1e8, "samples", "Samples generated for the test split."),
    REAL("label_noise", "0", 0, 1, "", "Probability that a label is replaced by another one."),
    REAL("distortion", "1", 0, 3, "",
         "Strength of the affine and elastic distortions of glyphs (0 = as drawn)."),
    REAL("noise", "0.12", 0, 1, "of white",
         "Largest standard deviation of the pixel noise of glyphs; each image draws its own."),
    INT("class_count", "2", 2, COP_CLASSES_MAX, "classes", "Number of classes generated."),
    INT("features", "100", 1, 1e6, "features", "Number of features generated."),
    INT("informative", "5", 1, 20, "features", "Dimensions of the hypercube of binary-clusters."),
    INT("redundant", "15", 0, 1e6, "features", "Linear combinations of the informative features."),
    INT("repeated", "0", 0, 1e6, "features", "Copies of informative or redundant features."),
    INT("clusters", "16", 1, 1048576, "clusters", "Clusters per class, each at its own vertex."),
    REAL("separation", "2", 0, 1e6, "",
         "binary-clusters: distance of the vertices from the centre along each dimension; blobs: "
         "standard deviation of the centres (that of a blob is 1)."),
    {"shuffle_features", COP_OPT_BOOL, "yes", 0, 0, "", NULL, COP_SCIENCE,
     "Whether features stand in a drawn order; else informative, redundant, repeated, probes."},
    {NULL, COP_OPT_INT, NULL, 0, 0, NULL, NULL, COP_SCIENCE, NULL}};
