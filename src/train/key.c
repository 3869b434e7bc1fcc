/* The name of a trained base network: what its weights are a function of. */
#include "coppice/train.h"

#include <string.h>

void cop_base_key(const cop_conf *conf, const cop_model *model, const cop_dataset *train,
                  char hex[COP_HASH_HEX]) {
    cop_hash *hash = cop_hash_create();
    cop_hash_add_text(hash, "coppice base network 1");
    cop_hash_add_text(hash, model->spec);
    for (const cop_option *option = cop_base_options; option->key; option++) {
        /* where the data or a finished network come from is not what they are, and what becomes of
         * the biases is decided later */
        if (strcmp(option->key, "task") == 0 || strcmp(option->key, "file") == 0 ||
            strcmp(option->key, "biases") == 0)
            continue;
        cop_hash_add_text(hash, option->key);
        if (option->type == COP_OPT_INT)
            cop_hash_add_u64(hash, (uint64_t)cop_conf_int(conf, "base", option->key));
        else if (option->type == COP_OPT_REAL)
            cop_hash_add_double(hash, cop_conf_real(conf, "base", option->key));
        else
            cop_hash_add_text(hash, cop_conf_text(conf, "base", option->key));
    }
    if (train->head.count) { /* absent from older names, which are of networks without heads */
        cop_hash_add_u64(hash, train->head.first);
        cop_hash_add_u64(hash, train->head.count);
    }
    char digest[COP_HASH_HEX];
    cop_dataset_digest(train, digest);
    cop_hash_add_text(hash, digest);
    cop_hash_hex(hash, hex);
    cop_hash_destroy(hash);
}
