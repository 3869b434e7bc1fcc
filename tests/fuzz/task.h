/* What every reader of samples must hold, whatever bytes it was given. */
#ifndef COPPICE_TEST_FUZZ_TASK_H
#define COPPICE_TEST_FUZZ_TASK_H

#include "fuzz.h"

#include "coppice/data.h"

#include <math.h>

/** Load a split of [task.NAME] from the scratch folder: a dataset or a refusal in words; labels are
 * classes, values are finite. */
static inline void fuzz_load_task(const cop_conf *conf, const char *name, cop_split split) {
    cop_dataset *set = NULL;
    cop_status status = cop_task_load(&set, conf, name, split, test_scratch());
    FUZZ_REQUIRE((status == COP_OK) == (set != NULL));
    fuzz_judge(status);
    for (size_t i = 0; set && i < set->samples; i++)
        FUZZ_REQUIRE(set->label[i] >= 0 && set->label[i] < set->classes);
    for (size_t i = 0; set && i < set->samples * cop_dataset_features(set); i++)
        FUZZ_REQUIRE(isfinite(set->x[i]));
    cop_dataset_destroy(set);
}

#endif
