/* What [train] says of the network, before there is one. */
#include "training.h"

#include <math.h>
#include <string.h>

#define OF "train"

static bool is(const cop_conf *conf, const char *key, const char *word) {
    return strcmp(cop_conf_text(conf, OF, key), word) == 0;
}

cop_status cop_training_task(const cop_conf *conf, char **name) {
    const char *asked = cop_conf_text(conf, OF, "task");
    cop_list sections = {0};
    cop_status status = COP_OK;
    *name = NULL;
    cop_conf_sections(conf, "task.", &sections);
    for (size_t i = 0; i < sections.count && !*name; i++)
        if (!*asked || strcmp(sections.items[i] + strlen("task."), asked) == 0)
            *name = cop_strdup(sections.items[i] + strlen("task."));
    if (!*name && *asked)
        status = cop_conf_fail(conf, OF, "task", "there is no section [task.%s]", asked);
    else if (!*name)
        status = cop_fail(COP_E_CONFIG, "no task: add a section such as [task.digits] with 'source "
                                        "= glyphs-digits' ('coppice data list' shows the sources)");
    cop_list_clear(&sections);
    return status;
}

static cop_status front_fail(const cop_conf *conf, cop_status status) {
    if (status == COP_OK) return COP_OK;
    return cop_fail_prefix(status, "%s: [train] front", cop_conf_place(conf, OF, "front"));
}

cop_status cop_training_check(const cop_conf *conf) {
    double hidden[COP_LIVE_LAYERS_MAX + 1];
    const size_t layers = cop_conf_reals(conf, OF, "hidden", hidden, COP_LIVE_LAYERS_MAX + 1);
    if (layers > COP_LIVE_LAYERS_MAX - 1)
        return cop_conf_fail(conf, OF, "hidden", "at most %d hidden layers are possible",
                             COP_LIVE_LAYERS_MAX - 1);
    for (size_t i = 0; i < layers; i++)
        if (hidden[i] != floor(hidden[i]))
            return cop_conf_fail(conf, OF, "hidden", "wanted whole numbers of units");
    COP_TRY(cop_training_check_model(conf));
    COP_TRY(front_fail(conf, cop_model_check_words(cop_conf_text(conf, OF, "front"))));
    if (*cop_conf_text(conf, OF, "front") && cop_conf_bool(conf, OF, "feature_removal"))
        return cop_conf_fail(conf, OF, "feature_removal",
                             "sets inputs of the first sparse layer to 0, which are no features of "
                             "the samples where there is a front: leave it out");
    if (!is(conf, "algorithm", "custom") &&
        (cop_conf_given(conf, OF, "remove") || cop_conf_given(conf, OF, "add")))
        return cop_conf_fail(conf, OF, cop_conf_given(conf, OF, "add") ? "add" : "remove",
                             "algorithm = %s has its own rules; say algorithm = custom",
                             cop_conf_text(conf, OF, "algorithm"));
    return COP_OK;
}

cop_shape cop_training_shape(const cop_dataset *set) {
    return (cop_shape){set->channels, set->height, set->width};
}

/* Layers in front of those of live edges, for samples of the shape @p input; NULL: none. */
static cop_status make_front(const cop_conf *conf, cop_shape input, cop_model **front) {
    const char *layers = cop_conf_text(conf, OF, "front");
    *front = NULL;
    if (!*layers) return COP_OK;
    return front_fail(conf, cop_model_create_front(front, input, layers));
}

cop_status cop_training_settings(const cop_conf *conf, cop_shape input, size_t classes,
                                 cop_live_settings *s, cop_model **front) {
    double hidden[COP_LIVE_LAYERS_MAX];
    const size_t layers = cop_conf_reals(conf, OF, "hidden", hidden, COP_LIVE_LAYERS_MAX - 1);
    COP_TRY(make_front(conf, input, front));
    *s = (cop_live_settings){
        .layers = layers + 1,
        .front = *front,
        .batch = (size_t)((cop_conf_int(conf, OF, "batch") + cop_conf_int(conf, OF, "parts") - 1) /
                          cop_conf_int(conf, OF, "parts")),
        .epsilon = cop_conf_real(conf, OF, "epsilon"),
        .sparse_output = is(conf, "output", "sparse"),
        .alpha = cop_conf_real(conf, OF, "alpha"),
        .dropout = cop_conf_real(conf, OF, "dropout"),
        .deviation = 0.1,
        .adam = is(conf, "optimiser", "adam"),
        .seed = (uint64_t)cop_conf_int(conf, "run", "seed")};
    s->width[0] = *front ? (*front)->classes : cop_shape_size(input);
    for (size_t i = 0; i < layers; i++) s->width[i + 1] = (size_t)hidden[i];
    s->width[layers + 1] = classes;
    if (cop_training_wants_rbm(conf)) { /* one layer between visible and hidden units */
        s->layers = 1;
        s->sparse_output = s->both_ways = true;
        s->dropout = 0;
        s->deviation = 0.05;
    }
    s->topology = is(conf, "algorithm", "dense")  ? COP_LIVE_DENSE
                  : is(conf, "topology", "exact") ? COP_LIVE_EXACT
                                                  : COP_LIVE_BERNOULLI;
    s->start = is(conf, "weights", "he")       ? COP_LIVE_HE
               : is(conf, "weights", "normal") ? COP_LIVE_NORMAL
                                               : COP_LIVE_GLOROT;
    s->activation = is(conf, "activation", "relu")       ? COP_LIVE_RELU
                    : is(conf, "activation", "all-relu") ? COP_LIVE_ALL_RELU
                                                         : COP_LIVE_SRELU;
    return COP_OK;
}
