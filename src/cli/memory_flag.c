#include "memory_flag.h"

cop_status cop_memory_flag(const cop_args *args, uint64_t *bytes) {
    const char *text = cop_args_get(args, "memory");
    *bytes = 0;
    if (!text || cop_parse_bytes(text, bytes)) {
        cop_memory_limit(*bytes); /* for files that are read before there is a configuration */
        return COP_OK;
    }
    return cop_fail(COP_E_USAGE,
                    "--memory %s: a size such as 512M or 1.5G is wanted; K, M, G and T stand for "
                    "powers of 1024",
                    text);
}

cop_status cop_memory_assignment(const cop_args *args, char **assignment) {
    uint64_t bytes;
    *assignment = NULL;
    COP_TRY(cop_memory_flag(args, &bytes));
    if (cop_args_has(args, "memory"))
        *assignment = cop_sprintf("parallel.memory=%s", cop_args_get(args, "memory"));
    return COP_OK;
}
