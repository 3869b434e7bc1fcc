#include "source.h"

#include <string.h>

size_t cop_dataset_features(const cop_dataset *set) {
    return set->channels * set->height * set->width;
}

cop_dataset *cop_dataset_create(const char *name, size_t samples, size_t channels, size_t height,
                                size_t width, int32_t classes) {
    cop_dataset *set = COP_NEW(cop_dataset);
    size_t features = channels * height * width;
    COP_ASSERT(features > 0 && features <= COP_FEATURES_MAX && samples <= SIZE_MAX / 4 / features);
    set->name = cop_strdup(name);
    set->samples = samples;
    set->channels = channels;
    set->height = height;
    set->width = width;
    set->classes = classes;
    set->x = COP_NEW_ARRAY(float, samples *features);
    set->label = COP_NEW_ARRAY(int32_t, samples);
    return set;
}

void cop_dataset_destroy(cop_dataset *set) {
    if (!set) return;
    if (!set->borrowed) {
        cop_free(set->x);
        cop_free(set->label);
    }
    for (int32_t c = 0; set->class_names && c < set->classes; c++) cop_free(set->class_names[c]);
    cop_free(set->class_names);
    cop_free(set->name);
    cop_free(set);
}

void cop_dataset_digest(const cop_dataset *set, char hex[COP_HASH_HEX]) {
    cop_hash *hash = cop_hash_create();
    cop_hash_add_text(hash, "coppice dataset 1");
    const uint64_t shape[] = {set->samples, set->channels, set->height, set->width,
                              (uint64_t)set->classes};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) cop_hash_add_u64(hash, shape[i]);
    cop_hash_add(hash, set->label, set->samples * sizeof *set->label);
    cop_hash_add(hash, set->x, set->samples * cop_dataset_features(set) * sizeof *set->x);
    cop_hash_hex(hash, hex);
    cop_hash_destroy(hash);
}

const char *cop_split_name(cop_split split) {
    static const char *const names[] = {"train", "evolve", "test"};
    COP_ASSERT((unsigned)split < 3);
    return names[split];
}

const char *cop_split_key(char out[32], cop_split split, const char *what) {
    snprintf(out, 32, "%s_%s", cop_split_name(split), what);
    return out;
}

void cop_raw_clear(cop_raw *raw) {
    if (raw->close) raw->close(raw->state);
    cop_free(raw->label);
    cop_list_clear(&raw->names);
    *raw = (cop_raw){0};
}
