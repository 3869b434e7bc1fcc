/** @file checkpoint.h
 *  What the writer and the reader of checkpoints share (docs/formats/checkpoint.md).
 */
#ifndef COPPICE_RUN_CHECKPOINT_H
#define COPPICE_RUN_CHECKPOINT_H

#include "coppice/io.h"
#include "coppice/run.h"

#define COP_CHECKPOINT_FORMAT "coppice-checkpoint"
/** Newest version. 1: genomes without weights of their own, 2: with; 3 and 4: the same with a
 * bounded history. */
#define COP_CHECKPOINT_VERSION 4
#define COP_MEASURES_MAX 4096

/** How a field of a row is stored: whole numbers as int64, -1 where there is none. */
typedef enum cop_column_kind {
    COP_COLUMN_ID,        /**< uint64_t; UINT64_MAX (the founder) is -1 */
    COP_COLUMN_U32,       /**< uint32_t */
    COP_COLUMN_U32_NEVER, /**< uint32_t; UINT32_MAX ("not yet") is -1 */
    COP_COLUMN_REAL       /**< double */
} cop_column_kind;

/** One column of a table of the file, one field of a struct in memory. */
typedef struct cop_column {
    const char *name, *long_name, *units;
    cop_column_kind kind;
    size_t offset; /**< of the field in the row's struct */
} cop_column;

/** Rows of a history: the first column of each table is its dimension scale. */
typedef struct cop_table {
    const char *group, *scale; /**< "/individuals", "individual" */
    const cop_column *columns;
    size_t count;
    size_t row_bytes;
} cop_table;
extern const cop_table cop_individual_table, cop_generation_table;

cop_status cop_table_put(cop_h5 *file, const cop_table *table, const void *rows, size_t count);
/** @p rows is owned by the caller. */
cop_status cop_table_take(cop_h5 *file, const cop_table *table, void **rows, size_t *count);
/** The measures (N, M) of individuals as one column each, and back. @p names must be fit to be
 * names. */
cop_status cop_measures_put(cop_h5 *file, char *const *names, size_t measures, const double *values,
                            size_t individuals);
cop_status cop_measures_take(cop_h5 *file, char *const *names, size_t measures, double **values,
                             size_t individuals);
/** COP_E_FORMAT unless all names are different, fit for a dataset and no column of the table. */
cop_status cop_measures_check_names(char *const *names, size_t measures);

#endif
