/* What is different when [train] asks for a Boltzmann machine. */
#include <math.h>
#include <string.h>

#include "training.h"

#define OF "train"

bool cop_training_wants_rbm(const cop_conf *conf) {
    return strcmp(cop_conf_text(conf, OF, "model"), "rbm") == 0;
}

cop_status cop_training_check_model(const cop_conf *conf) {
    static const char *const of_mlp[] = {"front",
                                         "output",
                                         "activation",
                                         "alpha",
                                         "dropout",
                                         "parts",
                                         "validation",
                                         "rotate",
                                         "shift",
                                         "mirror",
                                         "feature_removal",
                                         "similarity_samples",
                                         "similarity_dropout",
                                         "test_dropout"};
    static const char *const of_rbm[] = {"cd", "ais", "ais_thin"};
    const char *algorithm = cop_conf_text(conf, OF, "algorithm");
    const cop_rewire_algorithm *named = cop_rewire_algorithm_find(algorithm);
    const char *remove = named ? named->remove : cop_conf_text(conf, OF, "remove");
    const char *add = named ? named->add : cop_conf_text(conf, OF, "add");
    double hidden[2];
    if (!cop_training_wants_rbm(conf)) {
        for (size_t i = 0; i < sizeof of_rbm / sizeof *of_rbm; i++)
            if (cop_conf_given(conf, OF, of_rbm[i]))
                return cop_conf_fail(conf, OF, of_rbm[i], "is used by model = rbm only");
        return COP_OK;
    }
    for (size_t i = 0; i < sizeof of_mlp / sizeof *of_mlp; i++)
        if (cop_conf_given(conf, OF, of_mlp[i]))
            return cop_conf_fail(conf, OF, of_mlp[i], "is not used by model = rbm: leave it out");
    if (cop_conf_reals(conf, OF, "hidden", hidden, 2) != 1)
        return cop_conf_fail(conf, OF, "hidden", "an RBM has one hidden layer");
    if (remove && (cop_remove_rule_find(remove)->needs != COP_REWIRE_NOTHING ||
                   cop_add_rule_find(add)->needs != COP_REWIRE_NOTHING))
        return cop_conf_fail(
            conf, OF, "algorithm",
            "an RBM is rewired by magnitude and at random: set, fixprob, dense, or "
            "custom with these rules");
    return COP_OK;
}

cop_status cop_training_check_range(const cop_dataset *set) {
    const size_t features = cop_dataset_features(set), count = set->samples * features;
    for (size_t i = 0; i < count; i++)
        if (!(set->x[i] >= 0 && set->x[i] <= 1))
            return cop_fail(
                COP_E_CONFIG,
                "[task.%s]: feature %zu of sample %zu is %g; an RBM takes values from 0 "
                "to 1: normalise = none, or fixed with divide, mean = 0 and sd = 1",
                set->name, i % features + 1, i / features + 1, (double)set->x[i]);
    return COP_OK;
}

double cop_training_error(cop_training *t, const cop_dataset *set, size_t count) {
    const size_t features = cop_dataset_features(set), batch = t->net->settings.batch;
    double sum = 0;
    for (size_t at = 0; at < count; at += batch) {
        const size_t n = count - at < batch ? count - at : batch;
        for (size_t i = 0; i < n; i++) t->rows[i] = set->x + (at + i) * features;
        sum += cop_rbm_error(t->rbm, t->rows, n);
    }
    return sum / (double)count;
}

double cop_training_log_probability(cop_training *t, const cop_dataset *set, size_t count,
                                    double log_z) {
    const size_t features = cop_dataset_features(set), batch = t->net->settings.batch;
    double *p = COP_NEW_ARRAY(double, batch), sum = 0;
    for (size_t at = 0; at < count; at += batch) {
        const size_t n = count - at < batch ? count - at : batch;
        for (size_t i = 0; i < n; i++) t->rows[i] = set->x + (at + i) * features;
        cop_rbm_free(t->rbm, t->rows, n, p);
        for (size_t i = 0; i < n; i++) sum += p[i] - log_z;
    }
    cop_free(p);
    return sum / (double)count;
}

cop_rbm_log_z cop_training_log_z(cop_training *t) {
    const size_t features = cop_dataset_features(t->train), n = t->learnt;
    double *means = COP_NEW_ARRAY(double, features);
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < features; f++)
            means[f] += (double)t->train->x[t->order[i] * features + f];
    for (size_t f = 0; f < features; f++) means[f] = (means[f] + 5) / ((double)n + 10);
    const cop_rbm_log_z found =
        cop_rbm_anneal(t->rbm, means, (size_t)cop_conf_int(t->conf, OF, "ais"),
                       (size_t)cop_conf_int(t->conf, OF, "ais_thin"), t->seed);
    cop_free(means);
    return found;
}
