/* What follows the front, per individual of a block: compiled lists of the later layers and, where
 * the dense layer behind is computed from events, its weights and sums. */
#ifndef COPPICE_NET_EVAL_SIGN_BEHIND_H
#define COPPICE_NET_EVAL_SIGN_BEHIND_H

#include "net/eval_sign_cells.h"

/* Weights and sums of one individual, for @p values at a time. */
size_t cop_behind_bytes(const cell_shape *shape, size_t values);

/* Number types of all stages and lists of those after the front (and after the layer computed from
 * events). */
cop_status cop_behind_prepare(sign_eval *e, cell_behind *b, const cop_mask *mask);
void cop_behind_clear(cell_behind *b);
/* Make e->layers those of this individual, for the group's slots. */
void cop_behind_layers(sign_eval *e, cell_behind *b, const cell_group *group);

/* ---- events only. A portion: start, then add per cell, then finish. */
void cop_behind_reserve(sign_eval *e, cell_behind *b, const cop_mask *mask, const cell_group *group,
                        size_t portion);
/* Where the front's results of vector @p v of a batch go. */
cop_cell_job cop_behind_job(const sign_cells *c, const cell_group *group, size_t v);
/* The results of vector 0, lane 0 are those of a background patch: tables of what is taken away
 * when a column is not background. */
void cop_behind_blank(sign_eval *e, cell_behind *b, const cell_group *group);
/* All cells of all samples are background. */
void cop_behind_start(const sign_cells *c, cell_behind *b, const cell_group *group, size_t samples);
/* @p n columns of a cell are not: their results lie in the vectors of the batch; column[i] is a
 * sample. */
void cop_behind_add(sign_eval *e, cell_behind *b, const cell_group *group, size_t cell,
                    const uint32_t *column, size_t n);
/* Whether the 32-bit sums of all @p samples samples are right: no sum of absolute values is larger.
 */
bool cop_behind_fits(const sign_eval *e, const cell_behind *b, size_t samples);
/* From these sums to scores of samples [first..first + samples) of the shard. */
void cop_behind_finish(sign_eval *e, cell_behind *b, const cell_group *group,
                       const cop_shard *shard, size_t first, size_t samples, cop_evidence *evidence,
                       uint16_t *predictions);

#endif
