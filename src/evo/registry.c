/* The operators there are: one line each in ops/list.h. */
#include "coppice/op.h"

#include <string.h>

#define COP_OP(name) extern const cop_op name;
#include "evo/ops/list.h"
#undef COP_OP

#define COP_OP(name) &name,
static const cop_op *const ops[] = {
#include "evo/ops/list.h"
};
#undef COP_OP

const cop_op *const *cop_ops(size_t *count) {
    *count = sizeof ops / sizeof *ops;
    return ops;
}

const cop_op *cop_op_find(cop_role role, const char *name) {
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (ops[i]->role == role && strcmp(ops[i]->name, name) == 0) return ops[i];
    return NULL;
}

const char *cop_role_name(cop_role role) {
    static const char *const names[COP_ROLES] = {
        [COP_ROLE_INITIALISE] = "initialise",
        [COP_ROLE_EVALUATE] = "evaluate",
        [COP_ROLE_FITNESS] = "fitness",
        [COP_ROLE_RANK] = "rank",
        [COP_ROLE_POOL] = "pool",
        [COP_ROLE_SELECT] = "select",
        [COP_ROLE_CROSS] = "cross",
        [COP_ROLE_VARY] = "vary",
        [COP_ROLE_SURVIVE] = "survive",
    };
    COP_ASSERT(role < COP_ROLES);
    return names[role];
}
