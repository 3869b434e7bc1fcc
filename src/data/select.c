/* Which samples of an opened split a task keeps. */
#include "task.h"

#include <string.h>

/* What is left of a skip-and-take rule for one label. */
typedef struct quota {
    size_t skip, take, kept, seen;
} quota;

static size_t rule(const cop_conf *conf, const char *section, cop_split split, const char *what) {
    char key[32];
    return (size_t)cop_conf_int(conf, section, cop_split_key(key, split, what));
}

/* Positions in the order in which the rules count them: file order, or drawn with the seed. The
 * draw does not depend on the split, so splits cut from one file with skip and per_class stay
 * apart. */
static uint32_t *counting_order(size_t samples, const cop_conf *conf, const char *section) {
    uint32_t *order = COP_NEW_ARRAY(uint32_t, samples);
    for (size_t i = 0; i < samples; i++) order[i] = (uint32_t)i;
    if (strcmp(cop_conf_text(conf, section, "subset"), "seeded") == 0) {
        uint64_t seed = (uint64_t)cop_conf_int(conf, section, "seed");
        cop_rng rng = cop_rng_at(seed, 0, 0, COP_FOR_SPLIT);
        cop_rng_shuffle(&rng, order, samples);
    }
    return order;
}

/* A label that was asked for and is not there at all is a typing error. */
static cop_status check_seen(const quota *quotas, const cop_raw *raw, const cop_classes *classes,
                             const cop_conf *conf, const char *section, cop_split split) {
    for (size_t c = 0; c < classes->names.count && classes->listed; c++) {
        if (quotas[c].seen) continue;
        const char *word = classes->names.items[c],
                   *nearest =
                       cop_nearest(word, (const char *const *)raw->names.items, raw->names.count);
        bool helps = nearest && strcmp(nearest, word) != 0;
        return cop_conf_fail(conf, section, "classes",
                             "no sample of the %s split (of %zu) has the label \"%s\"%s%s%s",
                             cop_split_name(split), raw->samples, word,
                             helps ? ": did you mean \"" : "", helps ? nearest : "",
                             helps ? "\"?" : "");
    }
    return COP_OK;
}

cop_status cop_select(size_t **keep, size_t *count, const cop_raw *raw, const cop_classes *classes,
                      const cop_conf *conf, const char *section, cop_split split) {
    cop_status status = COP_OK;
    char key[32];
    size_t labels = classes->names.count, skip = rule(conf, section, split, "skip"),
           skip_each = rule(conf, section, split, "skip_per_class"),
           take_each = rule(conf, section, split, "per_class"),
           limit = rule(conf, section, split, "limit"), kept = 0;
    COP_ASSERT(raw->samples <= UINT32_MAX);
    int32_t *places = cop_classes_places(classes, raw);
    uint32_t *order = counting_order(raw->samples, conf, section);
    quota *quotas = COP_NEW_ARRAY(quota, labels);
    cop_mask kept_mask = {0};
    cop_mask_init(&kept_mask, raw->samples);
    *keep = NULL;
    for (size_t c = 0; c < labels; c++)
        quotas[c] = (quota){skip_each, take_each ? take_each : SIZE_MAX, 0, 0};
    for (size_t i = 0; i < raw->samples; i++)
        if (places[raw->label[i]] >= 0) quotas[places[raw->label[i]]].seen++;
    COP_GO(check_seen(quotas, raw, classes, conf, section, split));
    for (size_t k = skip; k < raw->samples; k++) {
        int32_t place = places[raw->label[order[k]]];
        if (place < 0 && classes->listed) continue;
        if (place < 0) {
            status =
                cop_fail(COP_E_FORMAT,
                         "[%s]: the %s split has a label \"%s\" that the train "
                         "split has not: name the labels to keep with classes",
                         section, cop_split_name(split), raw->names.items[raw->label[order[k]]]);
            goto done;
        }
        quota *q = &quotas[place];
        if (q->skip) {
            q->skip--;
        } else if (q->kept < q->take) {
            q->kept++;
            if (!limit || kept < limit) {
                cop_mask_set(&kept_mask, order[k]);
                kept++;
            }
        }
    }
    for (size_t c = 0; c < labels && take_each; c++)
        if (quotas[c].kept < take_each) {
            status =
                cop_conf_fail(conf, section, cop_split_key(key, split, "per_class"),
                              "label \"%s\" has only %zu samples after those skipped: lower it, "
                              "or leave the label out of classes",
                              classes->names.items[c], quotas[c].kept);
            goto done;
        }
    if (!kept) {
        status = cop_fail(COP_E_CONFIG,
                          "[%s]: no sample is left in the %s split (of %zu): check "
                          "classes and %s_skip",
                          section, cop_split_name(split), raw->samples, cop_split_name(split));
        goto done;
    }
    *keep = COP_NEW_ARRAY(size_t, kept);
    *count = 0;
    for (size_t i = 0; i < raw->samples; i++)
        if (cop_mask_get(&kept_mask, i)) (*keep)[(*count)++] = i;
done:
    cop_mask_clear(&kept_mask);
    cop_free(quotas);
    cop_free(order);
    cop_free(places);
    return status;
}
