/* What says that two trainings are the same, and go on alike. */
#include "training.h"

void cop_training_digest(const cop_training *t, const char *science, char hex[COP_HASH_HEX]) {
    cop_hash *hash = cop_hash_create();
    cop_hash_add_text(hash, science);
    cop_hash_add_u64(hash, t->epoch);
    for (uint32_t e = 0; e < t->epoch; e++) {
        const cop_training_row *r = &t->history[e];
        const double numbers[] = {r->loss,      r->accuracy, r->validation,
                                  r->test_loss, r->test,     r->edges};
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            cop_hash_add_double(hash, numbers[i]);
    }
    for (size_t i = 0; i < t->net->settings.layers; i++) {
        const cop_live_layer *l = &t->net->layer[i];
        const size_t units = l->numbers * l->outputs * sizeof(float);
        cop_hash_add_u64(hash, l->edges);
        cop_hash_add(hash, l->begin, (l->outputs + 1) * sizeof *l->begin);
        for (size_t k = 0; k < l->edges; k++) {
            const uint32_t input = (uint32_t)cop_live_input(t->net, l, k);
            cop_hash_add(hash, &input, sizeof input);
            cop_hash_add(hash, &l->edge[k].weight, sizeof(float));
        }
        cop_hash_add(hash, l->m, l->edges * sizeof(float));
        cop_hash_add(hash, l->unit, units);
        cop_hash_add(hash, l->unit_m, units);
        if (l->v) cop_hash_add(hash, l->v, l->edges * sizeof(float));
        if (l->v) cop_hash_add(hash, l->unit_v, units);
    }
    if (t->net->front) cop_front_hash(t->net->front, hash);
    if (t->rbm) {
        const size_t visible = t->net->settings.width[0] * sizeof(float);
        cop_hash_add(hash, t->rbm->bias, visible);
        cop_hash_add(hash, t->rbm->bias_m, visible);
        if (t->rbm->bias_v) cop_hash_add(hash, t->rbm->bias_v, visible);
    }
    cop_hash_hex(hash, hex);
    cop_hash_destroy(hash);
}
