/* From a section to a dataset: open, number the classes, keep what is wanted, read, normalise. */
#include "task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What loading a split works with. */
typedef struct loader {
    const cop_source *source;
    const cop_conf *conf;
    const char *section, *data_dir;
    cop_classes classes;
} loader;

/* Mean and standard deviation of each feature; two passes, samples in order. Features that do not
 * vary get sd 1, so they become 0. Missing values are left out. */
typedef struct statistics {
    size_t features;
    double *mean, *sd; /* (features) each; owned */
} statistics;

static void statistics_clear(statistics *s) {
    cop_free(s->mean);
    cop_free(s->sd);
    *s = (statistics){0};
}

static void statistics_of(statistics *s, const cop_dataset *set) {
    size_t features = cop_dataset_features(set);
    *s = (statistics){features, COP_NEW_ARRAY(double, features), COP_NEW_ARRAY(double, features)};
    size_t *there = COP_NEW_ARRAY(size_t, features);
    for (size_t i = 0; i < set->samples; i++)
        for (size_t f = 0; f < features; f++) {
            double x = (double)set->x[i * features + f];
            if (isnan(x)) continue;
            s->mean[f] += x;
            there[f]++;
        }
    for (size_t f = 0; f < features; f++) s->mean[f] = there[f] ? s->mean[f] / (double)there[f] : 0;
    for (size_t i = 0; i < set->samples; i++)
        for (size_t f = 0; f < features; f++) {
            double d = (double)set->x[i * features + f] - s->mean[f];
            if (!isnan(d)) s->sd[f] += d * d;
        }
    for (size_t f = 0; f < features; f++) {
        s->sd[f] = there[f] ? sqrt(s->sd[f] / (double)there[f]) : 0;
        /* a constant column has a spread of rounding errors only */
        if (!(s->sd[f] > 1e-12 * fabs(s->mean[f]))) s->sd[f] = 1;
    }
    cop_free(there);
}

/* Open @p split, resolve the classes at the first call, and choose what the section keeps. */
static cop_status open_split(loader *l, cop_split split, cop_raw *raw, size_t **keep,
                             size_t *count) {
    cop_status status = COP_OK;
    cop_raw train = {0};
    COP_GO(l->source->open(raw, l->conf, l->section, split, l->data_dir));
    if (!l->classes.number) {
        bool other = split != COP_SPLIT_TRAIN && !l->source->built_in &&
                     !cop_conf_given(l->conf, l->section, "classes");
        if (other)
            COP_GO(l->source->open(&train, l->conf, l->section, COP_SPLIT_TRAIN, l->data_dir));
        COP_GO(
            cop_classes_resolve(&l->classes, l->source, l->conf, l->section, other ? &train : raw));
        cop_raw_clear(&train);
    }
    COP_GO(cop_select(keep, count, raw, &l->classes, l->conf, l->section, split));
done:
    cop_raw_clear(&train);
    return status;
}

/* Read what the section keeps of @p split, values as they stand in the source. */
static cop_status load_raw(loader *l, cop_split split, cop_dataset **set) {
    cop_status status = COP_OK;
    cop_raw raw = {0};
    size_t *keep = NULL, count = 0;
    *set = NULL;
    COP_GO(open_split(l, split, &raw, &keep, &count));
    size_t features = raw.channels * raw.height * raw.width;
    if (count > SIZE_MAX / sizeof(float) / features) {
        status = cop_fail(COP_E_FORMAT,
                          "[%s]: %zu samples of %zu features are more than memory can "
                          "address",
                          l->section, count, features);
        goto done;
    }
    if (cop_memory_ask("its samples", count, features * sizeof(float)) != COP_OK)
        COP_GO(cop_fail_prefix(COP_E_CONFIG, "[%s]", l->section));
    *set = cop_dataset_create(strchr(l->section, '.') + 1, count, raw.channels, raw.height,
                              raw.width, l->classes.outputs);
    COP_GO(raw.read(&raw, keep, count, (*set)->x));
    int32_t *places = cop_classes_places(&l->classes, &raw);
    for (size_t i = 0; i < count; i++)
        (*set)->label[i] = l->classes.number[places[raw.label[keep[i]]]];
    cop_free(places);
    (*set)->class_names = cop_classes_titles(&l->classes);
done:
    if (status != COP_OK) {
        cop_dataset_destroy(*set);
        *set = NULL;
    }
    cop_free(keep);
    cop_raw_clear(&raw);
    return status;
}

static bool has_missing(const cop_dataset *set) {
    size_t count = set->samples * cop_dataset_features(set);
    for (size_t i = 0; i < count; i++)
        if (isnan(set->x[i])) return true;
    return false;
}

static void scale(cop_dataset *set, const cop_conf *conf, const char *section) {
    double divide = cop_conf_real(conf, section, "divide"),
           mean = cop_conf_real(conf, section, "mean"), sd = cop_conf_real(conf, section, "sd");
    size_t count = set->samples * cop_dataset_features(set);
    for (size_t i = 0; i < count; i++)
        set->x[i] = (float)(((double)set->x[i] / divide - mean) / sd);
}

/* Missing values become the mean of their feature over the train split; COP_NORMALISE_FEATURES also
 * takes off that mean and divides by the standard deviation. */
static void apply(cop_dataset *set, const statistics *s, bool standardise) {
    for (size_t i = 0; i < set->samples; i++)
        for (size_t f = 0; f < s->features; f++) {
            float *x = &set->x[i * s->features + f];
            double value = isnan(*x) ? s->mean[f] : (double)*x;
            *x = (float)(standardise ? (value - s->mean[f]) / s->sd[f] : value);
        }
}

static cop_status check_finite(const cop_dataset *set, const char *section) {
    size_t features = cop_dataset_features(set), count = set->samples * features;
    for (size_t i = 0; i < count; i++)
        if (!isfinite(set->x[i]))
            return cop_fail(COP_E_FORMAT,
                            "[%s]: feature %zu of sample %zu is too large after "
                            "normalisation",
                            section, i % features + 1, i / features + 1);
    return COP_OK;
}

static cop_status load(loader *l, cop_split split, cop_dataset **set) {
    cop_status status = COP_OK;
    cop_dataset *train = NULL;
    statistics s = {0};
    cop_normalise how = cop_task_normalise(l->source, l->conf, l->section);
    COP_GO(load_raw(l, split, set));
    if (how == COP_NORMALISE_FEATURES || (l->source->table && has_missing(*set))) {
        if (split != COP_SPLIT_TRAIN) COP_GO(load_raw(l, COP_SPLIT_TRAIN, &train));
        statistics_of(&s, train ? train : *set);
        if (s.features != cop_dataset_features(*set)) {
            status =
                cop_fail(COP_E_FORMAT, "[%s]: the %s split has %zu features, the train split %zu",
                         l->section, cop_split_name(split), cop_dataset_features(*set), s.features);
            goto done;
        }
        apply(*set, &s, how == COP_NORMALISE_FEATURES);
    }
    if (how == COP_NORMALISE_FIXED) scale(*set, l->conf, l->section);
    COP_GO(check_finite(*set, l->section));
    if (strcmp(cop_conf_text(l->conf, l->section, "head"), "own") == 0)
        (*set)->head = (cop_head){(size_t)cop_conf_int(l->conf, l->section, "first_output"),
                                  (size_t)(*set)->classes};
done:
    cop_dataset_destroy(train);
    statistics_clear(&s);
    return status;
}

cop_status cop_task_load(cop_dataset **set, const cop_conf *conf, const char *task, cop_split split,
                         const char *data_dir) {
    cop_status status = COP_OK;
    char *section = cop_sprintf("task.%s", task);
    loader l = {.conf = conf, .section = section, .data_dir = data_dir};
    *set = NULL;
    COP_GO(cop_task_section(conf, task));
    COP_GO(cop_source_find(&l.source, conf, section));
    COP_GO(cop_source_check(l.source, conf, section, data_dir));
    COP_GO(load(&l, split, set));
done:
    if (status != COP_OK) {
        cop_dataset_destroy(*set);
        *set = NULL;
    }
    cop_classes_clear(&l.classes);
    cop_free(section);
    return status;
}

cop_status cop_task_count(cop_task_size *size, const cop_conf *conf, const char *task,
                          cop_split split, const char *data_dir) {
    cop_status status = COP_OK;
    char *section = cop_sprintf("task.%s", task);
    loader l = {.conf = conf, .section = section, .data_dir = data_dir};
    cop_raw raw = {0};
    size_t *keep = NULL;
    *size = (cop_task_size){0};
    COP_GO(cop_task_section(conf, task));
    COP_GO(cop_source_find(&l.source, conf, section));
    COP_GO(cop_source_check(l.source, conf, section, data_dir));
    COP_GO(open_split(&l, split, &raw, &keep, &size->samples));
    double all = (double)raw.samples, row = 4.0 * (double)(raw.channels * raw.height * raw.width);
    /* labels and the choice; of a table the rows, with room to grow, of this split and of the one
     * that classes and means come from, whose samples are made too */
    size->reading = (uint64_t)(all * 16 + (l.source->table ? 7 * all * row : 0));
done:
    cop_free(keep);
    cop_raw_clear(&raw);
    cop_classes_clear(&l.classes);
    cop_free(section);
    return status;
}
