/** @file session_flags.h  What `run` and `resume` have in common. */
#ifndef COPPICE_CLI_SESSION_FLAGS_H
#define COPPICE_CLI_SESSION_FLAGS_H

#include <stdlib.h>
#include <string.h>

#include "memory_flag.h"

#define COP_SESSION_FLAGS                                                                          \
    {"data", 'd', "DIR", false, "Folder with the datasets (default: COPPICE_DATA)."},              \
        {"set", 's', "SECTION.KEY=VALUE", true, "Change an option of the configuration."},         \
        {"time-limit", 't', "SECONDS", false,                                                      \
         "Stop with a checkpoint and status 75 after so long (batch jobs)."},                      \
        COP_FLAG_MEMORY, {                                                                         \
        "quiet", 'q', NULL, false, "No table of generations."                                      \
    }

/** Fill in what the common flags say and run the session on all ranks. */
cop_status cop_session_with_flags(cop_session_options *options, const cop_args *args, cop_par *par);

#endif
