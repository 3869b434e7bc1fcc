/** @file compare.h
 *  coppice compare: networks on the same samples, or groups of runs over their seeds.
 */
#ifndef COPPICE_CLI_COMPARE_H
#define COPPICE_CLI_COMPARE_H

#include "coppice/cli.h"
#include "coppice/report.h"

/** Networks one by one on the samples of tasks: intervals of each, McNemar's test of each pair. */
cop_status cop_compare_networks(const cop_args *args, double level);
/** Does the word mean a group of runs (a sweep, a folder of runs, runs joined by commas) rather
 * than one network? */
bool cop_compare_is_group(const char *word);
/** Groups against the first of them (or --against): Welch's and Mann and Whitney's tests. */
cop_status cop_compare_groups(const cop_args *args, double level);
/** The path of NAME=PATH (or of a bare path) and its name: what stands before '=', else the last
 * part of the path. @p name is owned by the caller. */
const char *cop_compare_word(const char *word, char **name);

#endif
