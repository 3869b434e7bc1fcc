/** @file score_kernels.h
 *  From integer logits of 16 samples to predictions and losses, compiled for several vector widths.
 *  All variants do, sample by sample, the double operations of cop_score_loss in its order: every
 *  variant gives the same bits.
 */
#ifndef COPPICE_NET_SCORE_KERNELS_H
#define COPPICE_NET_SCORE_KERNELS_H

#include "coppice/base.h"

#define COP_SCORE_LANES ((size_t)16) /**< samples at a time */

typedef struct cop_score_kernel {
    const char *name;
    /** Score the first @p n <= 16 lanes of @p logit (classes, 16), 64-byte aligned; what the other
     * lanes hold does not matter. The logits of the network are logit * @p factor (>= 0). @p label
     * (n), each below @p classes. @p prediction (n) or NULL: class of the largest integer, ties to
     * the lowest class. Adds the number of predictions that equal their label to @p correct and the
     * cross entropies (nats), sample after sample, to @p loss: infinite where a logit * factor is
     * not finite. */
    void (*lanes)(const int64_t *logit, size_t classes, double factor, const int32_t *label,
                  size_t n, uint16_t *prediction, uint64_t *correct, double *loss);
    /** The same for logits in double that are all finite, those of the lanes behind @p n too. */
    void (*reals)(const double *logit, size_t classes, const int32_t *label, size_t n,
                  uint16_t *prediction, uint64_t *correct, double *loss);
} cop_score_kernel;

/** Those that this processor can run, best last. */
const cop_score_kernel *const *cop_score_kernels(size_t *count);

#endif
