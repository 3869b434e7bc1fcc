/** @file rbm.h
 *  Restricted Boltzmann machines stored as their live edges, learnt by contrastive divergence
 *  (Hinton 2002): visible units in [0, 1], binary hidden ones. Edges and hidden biases are a
 * network of one layer; time of every pass is proportional to the live edges and to units times
 * samples.
 *
 *  SET-RBM: Mocanu et al. 2018. Log-probabilities: Salakhutdinov and Murray 2008, On the
 *  quantitative analysis of deep belief networks.
 */
#ifndef COPPICE_TRAIN_RBM_H
#define COPPICE_TRAIN_RBM_H

#include "live.h"
#include "unit_kernels.h"

typedef struct cop_rbm {
    cop_live_net *net;                          /**< borrowed; one layer, both_ways */
    float *bias, *bias_m, *bias_v, *bias_slope; /**< (inputs) of the visible units */
    float *v, *h;                               /**< (inputs, S), (outputs, S) */
    float *edge_part;                           /**< (edges at the start) */
    float *unit_part;                           /**< (the larger of inputs, outputs) */
    const cop_unit_kernel *kernel;
    double *row, *uniform; /**< (S) */
    double *shift;         /**< (inputs) */
} cop_rbm;

/** COP_E_CONFIG unless @p net has one layer. */
cop_rbm *cop_rbm_create(cop_live_net *net);
void cop_rbm_destroy(cop_rbm *rbm);

/** One step of CD-@p chain on samples @p rows (n): hidden states are drawn, a function of the
 *  network's seed, @p batch, and their place; visible ones are their expectations. Returns the sum
 *  over the samples of the mean squared difference of a sample and its last reconstruction. */
double cop_rbm_learn(cop_rbm *rbm, const float *const *rows, size_t n, size_t chain, uint32_t batch,
                     const cop_step *how);
/** The same sum for one reconstruction from the expectations of the hidden units; nothing is drawn
 * or learnt. */
double cop_rbm_error(cop_rbm *rbm, const float *const *rows, size_t n);

/** ln p*(sample), up to ln Z, of each of @p n samples: v b + sum of softplus(c + W v). */
void cop_rbm_free(cop_rbm *rbm, const float *const *rows, size_t n, double *out);

typedef struct cop_rbm_log_z {
    double log_z;
    double error; /**< standard error of log_z, from the spread of the runs */
} cop_rbm_log_z;
/** ln Z by annealed importance sampling in @p runs runs, a multiple of nothing, from the machine
 *  without edges whose visible units have the @p means (inputs) given. Temperatures are
 *  Salakhutdinov and Murray's 14,500 (0 to 0.5 by 1e-3, to 0.9 by 1e-4, to 1 by 1e-5), every @p
 * thin of them. A function of the network and @p seed. */
cop_rbm_log_z cop_rbm_anneal(cop_rbm *rbm, const double *means, size_t runs, size_t thin,
                             uint64_t seed);

#endif
