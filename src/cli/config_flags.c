#include "config_flags.h"

#include <stdlib.h>

cop_status cop_flags_conf(const cop_args *args, const char *path, cop_conf **conf) {
    cop_status status = cop_conf_load(conf, cop_run_schema(), path);
    const char *set;
    for (size_t k = 0; status == COP_OK && (set = cop_args_nth(args, "set", k)); k++)
        status = cop_conf_set(*conf, set);
    if (status == COP_OK) status = cop_conf_check(*conf);
    if (status != COP_OK) {
        cop_conf_destroy(*conf);
        *conf = NULL;
    }
    return status;
}

const char *cop_flags_data(const cop_args *args) {
    const char *dir = cop_args_get(args, "data");
    if (!dir) dir = getenv("COPPICE_DATA");
    return dir && *dir ? dir : NULL;
}
