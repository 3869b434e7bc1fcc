/** @file memory_flag.h  --memory, in all commands that evaluate. */
#ifndef COPPICE_CLI_MEMORY_FLAG_H
#define COPPICE_CLI_MEMORY_FLAG_H

#include "coppice/cli.h"

#define COP_FLAG_MEMORY                                                                            \
    {                                                                                              \
        "memory", 'm', "SIZE", false,                                                              \
            "Memory that a rank may take, such as 512M or 1.5G (powers of 1024); of a run the "    \
            "same as --set parallel.memory=SIZE."                                                  \
    }

/** The value of --memory in bytes, 0 when it is not given. COP_E_USAGE. */
cop_status cop_memory_flag(const cop_args *args, uint64_t *bytes);
/** As an assignment for cop_conf_set, owned by the caller; NULL when it is not given. COP_E_USAGE.
 */
cop_status cop_memory_assignment(const cop_args *args, char **assignment);

#endif
