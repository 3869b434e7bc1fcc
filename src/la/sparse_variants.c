#include "coppice/la.h"
#include "la/list.h"

#include <stdlib.h>
#include <string.h>

#define DECLARE(name) extern const cop_sparse_ops cop_sparse_ops_##name;
COP_SPARSE_LIST(DECLARE)
#define ENTRY(name) &cop_sparse_ops_##name,
static const cop_sparse_ops *const variants[] = {COP_SPARSE_LIST(ENTRY)};

const cop_sparse_ops *const *cop_sparse_variants(size_t *count) {
    *count = sizeof variants / sizeof variants[0];
    return variants;
}

cop_status cop_sparse_choose(const cop_sparse_ops **ops) {
    const size_t count = sizeof variants / sizeof variants[0];
    const char *wanted = getenv("COPPICE_KERNEL");
    size_t first = 0;
    if (wanted && wanted[0]) {
        const cop_sign_ops *sign; /* the variable speaks of those */
        COP_TRY(cop_sign_choose(&sign));
        for (size_t i = 0; i < count; i++)
            if (strncmp(sign->name, variants[i]->name, strlen(variants[i]->name)) == 0) first = i;
    }
    while (!variants[first]->supported()) first++; /* the last one always is */
    *ops = variants[first];
    return COP_OK;
}
