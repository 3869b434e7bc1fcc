/* How good the network is on samples that it does not learn from. */
#include <math.h>
#include <string.h>

#include "positions.h"
#include "training.h"

void cop_training_score(cop_training *t, const cop_dataset *set, const uint32_t *which,
                        size_t count, bool dropping, double *accuracy, double *loss) {
    const size_t features = cop_dataset_features(set), batch = t->net->settings.batch;
    if (t->rbm) {
        *accuracy = NAN;
        *loss = cop_training_error(t, set, count);
        return;
    }
    const size_t batches = (count + batch - 1) / batch;
    double *found = COP_NEW_ARRAY(double, 2 * batches), right = 0; /* by batch, from who did it */
    for (size_t b = (size_t)t->team.rank; b < batches; b += (size_t)t->team.size) {
        const size_t at = b * batch, n = count - at < batch ? count - at : batch;
        size_t correct;
        for (size_t i = 0; i < n; i++) {
            const size_t sample = which ? which[at + i] : at + i;
            t->rows[i] = set->x + sample * features;
            t->label[i] = set->label[sample];
        }
        const uint32_t drawn = cop_live_pass(t->epoch, COP_LIVE_PASS_TEST, b);
        cop_live_forward(t->net, t->rows, n, dropping ? &drawn : NULL);
        found[2 * b] = cop_live_loss(t->net, t->label, 0, &correct, NULL);
        found[2 * b + 1] = (double)correct;
    }
    if (t->team.sum) t->team.sum(t->team.user, found, 2 * batches);
    *loss = 0;
    for (size_t b = 0; b < batches; b++) {
        *loss += found[2 * b];
        right += found[2 * b + 1];
    }
    *accuracy = right / (double)count;
    *loss /= (double)count;
    cop_free(found);
}

void cop_training_without(cop_training *t, bool most, double *accuracy) {
    const size_t inputs = t->net->settings.width[0];
    uint64_t *order = COP_NEW_ARRAY(uint64_t, inputs);
    cop_dataset *set =
        cop_dataset_create("changed", t->test->samples, 1, 1, inputs, t->test->classes);
    double loss;
    memcpy(set->x, t->test->x, set->samples * inputs * sizeof(float));
    memcpy(set->label, t->test->label, set->samples * sizeof *set->label);
    for (size_t i = 0; i < inputs; i++)
        order[i] = (uint64_t)(most ? UINT32_MAX - t->core[i] : t->core[i]) << 32 | i;
    cop_positions_sort(order, inputs);
    for (size_t k = 0;; k++) {
        cop_training_score(t, set, NULL, set->samples, false, &accuracy[k], &loss);
        if (k == inputs) break;
        for (size_t s = 0; s < set->samples; s++) set->x[s * inputs + (order[k] & UINT32_MAX)] = 0;
    }
    cop_dataset_destroy(set);
    cop_free(order);
}
