/** @file network_store.h
 *  A model and its parameters as a group of an HDF5 file: what network files and checkpoints share
 *  (docs/formats/network.md).
 */
#ifndef COPPICE_NET_NETWORK_STORE_H
#define COPPICE_NET_NETWORK_STORE_H

#include "coppice/io.h"
#include "coppice/net.h"

/** Store model and parameters under @p group: attribute spec, and per weighted layer the datasets
 *  LAYER/weight (axes as in PyTorch) and LAYER/bias. COP_E_FORMAT names a weight that is not
 * finite. */
cop_status cop_network_put(cop_h5 *file, const char *group, const cop_model *model,
                           const cop_params *params);
/** Read what cop_network_put stored. Every dataset is seen to be there, with the dimensions that
 * the spec asks for, before memory for the weights is taken. Both are the caller's on success. */
cop_status cop_network_take(cop_h5 *file, const char *group, cop_model **model, cop_params *params);

/** Bytes of @p bits packed bits. */
size_t cop_mask_bytes(size_t bits);
/** A mask as bytes, bit k of the mask in bit k % 8 of byte k / 8
 * (numpy.unpackbits(bitorder='little')). */
void cop_mask_to_bytes(const cop_mask *mask, unsigned char *bytes);
/** False when an unused bit of the last byte is set. @p mask is initialised with its number of
 * bits. */
bool cop_mask_from_bytes(cop_mask *mask, const unsigned char *bytes);

#endif
