#include "coppice/la.h"
#include "la/list.h"

#include <stdlib.h>
#include <string.h>

#define DECLARE(name) extern const cop_sign_ops cop_sign_ops_##name;
COP_SIGN_LIST(DECLARE)
#define ENTRY(name) &cop_sign_ops_##name,
static const cop_sign_ops *const variants[] = {COP_SIGN_LIST(ENTRY)};

const cop_sign_ops *const *cop_sign_variants(size_t *count) {
    *count = sizeof variants / sizeof variants[0];
    return variants;
}

cop_status cop_sign_choose(const cop_sign_ops **ops) {
    size_t count = sizeof variants / sizeof variants[0];
    const char *wanted = getenv("COPPICE_KERNEL"), *names[sizeof variants / sizeof variants[0]];
    for (size_t i = 0; i < count; i++) names[i] = variants[i]->name;
    for (size_t i = 0; i < count; i++) {
        bool asked = wanted && wanted[0];
        if (asked && strcmp(wanted, names[i]) != 0) continue;
        if (variants[i]->supported()) {
            *ops = variants[i];
            return COP_OK;
        }
        if (asked)
            return cop_fail(COP_E_CONFIG,
                            "COPPICE_KERNEL=%s: this processor has no such instructions; unset it",
                            wanted);
    }
    cop_buf known = {0};
    for (size_t i = 0; i < count; i++) cop_buf_printf(&known, "%s%s", i ? ", " : "", names[i]);
    cop_status status = cop_fail(COP_E_CONFIG, "COPPICE_KERNEL=%s is not one of %s; unset it",
                                 wanted, cop_buf_text(&known));
    cop_buf_clear(&known);
    return status;
}
