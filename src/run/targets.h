/** @file targets.h
 *  Similarity targets: the base network's neighbourhood probabilities, batch by batch, computed
 * once per worker when first needed (EComp computes them anew for every generation).
 */
#ifndef COPPICE_RUN_TARGETS_H
#define COPPICE_RUN_TARGETS_H

#include "experiment.h"

typedef struct cop_targets cop_targets;
cop_targets *cop_targets_create(const cop_experiment *experiment);
void cop_targets_destroy(cop_targets *targets);
/** With [evaluate] draw: from now on compare on this batch (borrowed until the next call). */
void cop_targets_draw(cop_targets *targets, const cop_shard *shard);
/** Add to @p evidence the similarity loss of hidden layer @p which of an individual on a batch:
 * rows (n, width). Incomplete last batches and batches beyond [similarity] batches do not count. */
cop_status cop_targets_compare(cop_targets *targets, size_t which, const double *rows, size_t n,
                               size_t width, size_t task, size_t batch, cop_evidence *evidence);

#endif
