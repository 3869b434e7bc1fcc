/* How much `sign` holds at a time, and the memory that this takes. */
#ifndef COPPICE_NET_EVAL_SIGN_SIZES_H
#define COPPICE_NET_EVAL_SIGN_SIZES_H

#include "net/eval_sign_cells.h"

/* What setup->memory allows, the least of everything if that is not enough; 0 there: what is
 * fastest. Sizes move no result. Returns the bytes of the whole workspace, an upper bound. */
size_t cop_sign_sizes_choose(sign_sizes *sizes, const cop_eval_setup *setup, const sign_plan *plan);

#endif
