/** @file task_flags.h  On which samples: what commands that judge networks have in common. */
#ifndef COPPICE_CLI_TASK_FLAGS_H
#define COPPICE_CLI_TASK_FLAGS_H

#include "coppice/cli.h"
#include "judge.h"

#define COP_TASK_FLAGS                                                                             \
    {"task", 't', "NAME", true,                                                                    \
     "Evaluate on this task of the configuration (default: the tasks of the "                      \
     "run)."},                                                                                     \
        {"config", 'c', "FILE", false,                                                             \
         "Look tasks up in this configuration instead of the one stored with the network."},       \
    {                                                                                              \
        "data", 'd', "DIR", false,                                                                 \
            "Folder with datasets (default: COPPICE_DATA, then the folder that the run used)."     \
    }

/** Names of --task (words after the first one count while it is given), or all that the
 * configuration evolves on; each has a section. COP_E_USAGE. */
cop_status cop_task_flags(const cop_args *args, const cop_judge *judge, cop_list *tasks);
/** The split that --@p flag names; left as it is when not given. COP_E_USAGE. */
cop_status cop_split_flag(const cop_args *args, const char *flag, cop_split *split);

#endif
