/* The section [network], and the network that it describes. */
#include "layer.h"

const cop_option cop_network_options[] = {
    {"input", COP_OPT_TEXT, NULL, 0, 0, "", NULL, COP_SCIENCE,
     "shape of a sample: channels x height x width such as 1x28x28, or a number of features."},
    {"layers", COP_OPT_TEXT, NULL, 0, 0, "", NULL, COP_SCIENCE,
     "layers in order, separated by blanks, e.g. relu dense(64) relu dense(10); "
     "`coppice list layers` shows all."},
    {.key = NULL}};

cop_status cop_model_from_conf(cop_model **model, const cop_conf *conf) {
    const char *input = cop_conf_text(conf, "network", "input"), *key = "input";
    cop_shape shape;
    cop_status status = cop_model_parse_input(input, &shape);
    if (status == COP_OK) {
        key = "layers";
        status = cop_model_create(model, input, cop_conf_text(conf, "network", key));
    }
    if (status == COP_OK) return COP_OK;
    return cop_fail_prefix(status, "%s: [network] %s", cop_conf_place(conf, "network", key), key);
}
