/** @file csv.h
 *  Tables as text: cells, header, label column; see load_csv.c.
 */
#ifndef COPPICE_DATA_CSV_H
#define COPPICE_DATA_CSV_H

#include "source.h"

/** How a table is to be read; text is borrowed. */
typedef struct cop_csv_format {
    char separator;          /**< 0: find out; ' ': any run of blanks */
    const char *header;      /**< auto, yes, no */
    const char *label;       /**< first, last, a number from 1, a name, none */
    const char *labels_path; /**< one label a line in a file of its own instead; NULL for none */
    const cop_list *drop;    /**< numbers from 1, or names */
    const char *group;       /**< column that names groups of rows, no feature; NULL, "": none */
    char group_end;          /**< the name of a group ends before the last of these; 0: whole */
    bool missing;            /**< empty cells and "?" are NaN rather than an error */
} cop_csv_format;

typedef struct cop_csv {
    size_t rows, features;
    float *x;       /**< (rows, features) */
    int32_t *label; /**< (rows) index into names, which are in order of appearance */
    cop_list names;
    uint32_t *group; /**< (rows) number of each row's group, by name; NULL when none were asked */
    size_t groups;
} cop_csv; /* all-zero is empty */

/** Messages name file, line and column. COP_E_IO, COP_E_FORMAT. */
cop_status cop_csv_read(cop_csv *csv, const cop_csv_format *format, const char *path);
void cop_csv_clear(cop_csv *csv);

#endif
