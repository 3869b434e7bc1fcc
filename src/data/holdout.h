/** @file holdout.h
 *  Which rows of a table are held out for the test split.
 */
#ifndef COPPICE_DATA_HOLDOUT_H
#define COPPICE_DATA_HOLDOUT_H

#include "source.h"

/** Whether @p split is cut from the table of the train split by `holdout`. */
bool cop_holdout_cuts(cop_split split, const cop_conf *conf, const char *section);
/** Rows of the split, in file order: of each label's n rows round(n * holdout), drawn with `seed`,
 *  are test rows and the others are not, so that both keep the proportions of the labels.
 *  With @p group ((rows) numbers below @p groups, each of which occurs) whole groups are drawn in
 *  place of rows, round(n * holdout) of the n groups whose first row has the label.
 *  @p kept is owned by the caller. */
void cop_holdout_rows(size_t **kept, size_t *count, const int32_t *label, size_t rows,
                      size_t labels, const uint32_t *group, size_t groups, const cop_conf *conf,
                      const char *section, bool test);
/** What is the same in all tables: test_file or holdout, one of them. */
cop_status cop_holdout_check(const cop_conf *conf, const char *section);

#endif
