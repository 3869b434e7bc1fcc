/** @file config_flags.h  What commands that read a configuration have in common. */
#ifndef COPPICE_CLI_CONFIG_FLAGS_H
#define COPPICE_CLI_CONFIG_FLAGS_H

#include "coppice/cli.h"

#define COP_FLAG_DATA                                                                              \
    { "data", 'd', "DIR", false, "Folder with the datasets (default: COPPICE_DATA)." }
#define COP_FLAG_SET                                                                               \
    { "set", 's', "SECTION.KEY=VALUE", true, "Change an option of the configuration." }

/** Read the configuration @p path and apply every --set. */
cop_status cop_flags_conf(const cop_args *args, const char *path, cop_conf **conf);
/** --data, else COPPICE_DATA, else NULL. */
const char *cop_flags_data(const cop_args *args);

#endif
