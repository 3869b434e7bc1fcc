#include "la/list.h"
#include "la/train.h"

#define DECLARE(name) extern const cop_train_ops cop_train_ops_##name;
COP_SPARSE_LIST(DECLARE)
#define ENTRY(name) &cop_train_ops_##name,
static const cop_train_ops *const variants[] = {COP_SPARSE_LIST(ENTRY)};

const cop_train_ops *const *cop_train_variants(size_t *count) {
    *count = sizeof variants / sizeof variants[0];
    return variants;
}

cop_status cop_train_choose(const cop_train_ops **ops) {
    const cop_sparse_ops *sparse;
    COP_TRY(cop_sparse_choose(&sparse));
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++)
        if (variants[i]->sparse == sparse) *ops = variants[i];
    return COP_OK;
}
