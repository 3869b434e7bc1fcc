/* Which labels a task keeps and what numbers they get. */
#include "task.h"

#include <stdlib.h>
#include <string.h>

/* Numbers by value and before words; words by bytes. */
static int by_label(const void *a, const void *b) {
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    double u, v;
    bool x_number = cop_parse_double(x, &u), y_number = cop_parse_double(y, &v);
    if (x_number && y_number && u < v) return -1;
    if (x_number && y_number && u > v) return 1;
    if (x_number != y_number) return x_number ? -1 : 1;
    return strcmp(x, y);
}

static size_t place(const cop_list *names, const char *word) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], word) == 0) return i;
    return SIZE_MAX;
}

cop_status cop_classes_resolve(cop_classes *classes, const cop_source *source, const cop_conf *conf,
                               const char *section, const cop_raw *train) {
    *classes = (cop_classes){0};
    cop_conf_words(conf, section, "classes", &classes->names);
    classes->listed = classes->names.count > 0;
    if (!classes->listed) {
        bool *seen = COP_NEW_ARRAY(bool, train->names.count);
        for (size_t i = 0; i < train->samples; i++) seen[train->label[i]] = true;
        for (size_t i = 0; i < train->names.count; i++)
            if (seen[i] || source->built_in) cop_list_add(&classes->names, train->names.items[i]);
        cop_free(seen);
        if (classes->names.count == 0)
            return cop_fail(COP_E_FORMAT,
                            "[%s]: no samples are left to train on: the data are too few for the "
                            "holdout, or there are none",
                            section);
        if (!source->built_in)
            qsort(classes->names.items, classes->names.count, sizeof(char *), by_label);
    }
    size_t count = classes->names.count;
    COP_ASSERT(count > 0 && count <= COP_CLASSES_MAX);
    classes->number = COP_NEW_ARRAY(int32_t, count);
    double *map = COP_NEW_ARRAY(double, COP_CLASSES_MAX);
    bool mapped = cop_conf_reals(conf, section, "map", map, COP_CLASSES_MAX) > 0;
    int32_t most = 0;
    for (size_t i = 0; i < count; i++) {
        classes->number[i] = mapped ? (int32_t)map[i] : (int32_t)i;
        if (classes->number[i] > most) most = classes->number[i];
    }
    cop_free(map);
    int64_t outputs = cop_conf_int(conf, section, "outputs");
    if (outputs && outputs <= most)
        return cop_conf_fail(conf, section, "outputs",
                             "the data have %zu labels: raise it, or name "
                             "the classes to keep",
                             count);
    classes->outputs = outputs ? (int32_t)outputs : most + 1;
    return COP_OK;
}

void cop_classes_clear(cop_classes *classes) {
    cop_list_clear(&classes->names);
    cop_free(classes->number);
    *classes = (cop_classes){0};
}

int32_t *cop_classes_places(const cop_classes *classes, const cop_raw *raw) {
    int32_t *places = COP_NEW_ARRAY(int32_t, raw->names.count);
    for (size_t i = 0; i < raw->names.count; i++) {
        size_t at = place(&classes->names, raw->names.items[i]);
        places[i] = at == SIZE_MAX ? -1 : (int32_t)at;
    }
    return places;
}

char **cop_classes_titles(const cop_classes *classes) {
    char **titles = COP_NEW_ARRAY(char *, (size_t)classes->outputs);
    for (size_t i = 0; i < classes->names.count; i++) {
        char **title = &titles[classes->number[i]], *old = *title;
        *title = old ? cop_sprintf("%s+%s", old, classes->names.items[i])
                     : cop_strdup(classes->names.items[i]);
        cop_free(old);
    }
    return titles;
}
