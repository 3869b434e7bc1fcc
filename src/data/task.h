/** @file task.h
 *  Steps from an opened source to a dataset.
 */
#ifndef COPPICE_DATA_TASK_H
#define COPPICE_DATA_TASK_H

#include "source.h"

typedef enum cop_normalise {
    COP_NORMALISE_FIXED,
    COP_NORMALISE_FEATURES,
    COP_NORMALISE_NONE
} cop_normalise;

/** The normalisation that the section asks for, with "auto" resolved. */
cop_normalise cop_task_normalise(const cop_source *source, const cop_conf *conf,
                                 const char *section);
/** COP_E_CONFIG with the nearest name unless [task.@p task] is there. */
cop_status cop_task_section(const cop_conf *conf, const char *task);

/** The classes of a task: labels as the source spells them, and the number of each. */
typedef struct cop_classes {
    cop_list names;
    int32_t *number; /**< (names.count) */
    int32_t outputs; /**< more than any number */
    bool listed;     /**< by the option `classes`: samples with other labels are left out */
} cop_classes;       /* all-zero is empty */
/** @p train is the opened train split, whose labels are the classes unless `classes` names them
 * (then it may be NULL). COP_E_CONFIG. */
cop_status cop_classes_resolve(cop_classes *classes, const cop_source *source, const cop_conf *conf,
                               const char *section, const cop_raw *train);
void cop_classes_clear(cop_classes *classes);
/** For each name of @p raw its place in classes->names, -1 when it is left out. Owned by the
 * caller. */
int32_t *cop_classes_places(const cop_classes *classes, const cop_raw *raw);
/** What each of the class numbers is called; owned, as in cop_dataset. */
char **cop_classes_titles(const cop_classes *classes);

/** Samples of @p raw that the section keeps for @p split, ascending, into *keep (owned by the
 * caller). COP_E_CONFIG when a label has too few, or none is left. */
cop_status cop_select(size_t **keep, size_t *count, const cop_raw *raw, const cop_classes *classes,
                      const cop_conf *conf, const char *section, cop_split split);

#endif
