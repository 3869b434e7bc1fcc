/** @file compare.h
 *  coppice compare: networks on the same samples, or groups of runs over their seeds.
 */
#ifndef COPPICE_CLI_COMPARE_H
#define COPPICE_CLI_COMPARE_H

#include "coppice/cli.h"
#include "coppice/report.h"
#include "judge.h"

/** Networks one by one on the samples of tasks: intervals of each, McNemar's test of each pair. */
cop_status cop_compare_networks(const cop_args *args, double level);
/** Does the word mean a group of runs (a sweep, a folder of runs, runs joined by commas) rather
 * than one network? */
bool cop_compare_is_group(const char *word);
/** Groups against the first of them (or --against): Welch's and Mann and Whitney's tests. */
cop_status cop_compare_groups(const cop_args *args, double level);
/** The outputs of a network that compete for the samples of @p task: those that its own
 * configuration names for it, else those of @p set. */
cop_head cop_compare_head(const cop_judge *judge, const char *task, const cop_dataset *set);
/** A warning when the configuration of @p other says something else of the task (classes,
 * orientation, ...) than that of @p first, whose samples both are judged on. */
void cop_compare_same_task(const cop_judge *first, const char *first_name, const cop_judge *other,
                           const char *other_name, const char *task);
/** Which groups' numbers called @p measure mean what those of group @p against do: fitness needs
 * the same tasks and the same [fitness], means over tasks the same tasks; others always do. Warns
 * of those that do not. @p alike (arms). */
void cop_compare_alike(const cop_trials *trials, size_t against, const char *measure, bool *alike);
/** The path of NAME=PATH (or of a bare path) and its name: what stands before '=', else the last
 * part of the path. @p name is owned by the caller. */
const char *cop_compare_word(const char *word, char **name);

#endif
