/* Evaluators: X(name), one line each; src/net/eval_<name>.c defines cop_evaluator_<name>. */
#ifndef COPPICE_NET_EVALUATORS_H
#define COPPICE_NET_EVALUATORS_H

#include "coppice/net.h"

#define COP_EVALUATORS(X) X(sign) X(sparse) X(dense) X(blas) X(reference)

#define COP_DECLARE_EVALUATOR(name) extern const cop_evaluator cop_evaluator_##name;
COP_EVALUATORS(COP_DECLARE_EVALUATOR)

/** Outputs of the widest layer that similarity is computed at; 0: of none. */
size_t cop_widest_hidden(const cop_eval_setup *setup);

#endif
