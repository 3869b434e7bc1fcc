/* What can be said of a section before any data are read. */
#include "task.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static const cop_source *const sources[] = {
#define COP_SOURCE(name) &cop_source_##name,
#include "list.h"
#undef COP_SOURCE
};
enum { SOURCES = sizeof sources / sizeof *sources };

/* read by task.c, whatever the source */
static const char *const common[] = {"source",
                                     "classes",
                                     "map",
                                     "outputs",
                                     "head",
                                     "first_output",
                                     "subset",
                                     "seed",
                                     "normalise",
                                     "divide",
                                     "mean",
                                     "sd",
                                     "train_skip",
                                     "train_skip_per_class",
                                     "train_per_class",
                                     "train_limit",
                                     "evolve_skip",
                                     "evolve_skip_per_class",
                                     "evolve_per_class",
                                     "evolve_limit",
                                     "test_skip",
                                     "test_skip_per_class",
                                     "test_per_class",
                                     "test_limit",
                                     NULL};

const cop_source *const *cop_sources(size_t *count) {
    *count = SOURCES;
    return sources;
}

cop_status cop_source_find(const cop_source **source, const cop_conf *conf, const char *section) {
    const char *names[SOURCES];
    COP_TRY(cop_conf_require(conf, section));
    const char *word = cop_conf_text(conf, section, "source");
    for (size_t i = 0; i < SOURCES; i++) {
        names[i] = sources[i]->name;
        if (strcmp(word, names[i]) == 0) {
            *source = sources[i];
            return COP_OK;
        }
    }
    const char *nearest = cop_nearest(word, names, SOURCES);
    return cop_conf_fail(
        conf, section, "source", "no such source%s%s%s; `coppice data list` names all",
        nearest ? ": did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static bool among(const char *key, const char *const *keys) {
    for (; *keys; keys++)
        if (strcmp(key, *keys) == 0) return true;
    return false;
}

static cop_status check_unused(const cop_source *source, const cop_conf *conf,
                               const char *section) {
    for (const cop_option *o = cop_task_options; o->key; o++) {
        if (among(o->key, common) || among(o->key, source->uses) ||
            !cop_conf_given(conf, section, o->key))
            continue;
        cop_buf all = {0};
        for (size_t i = 0; source->uses[i]; i++)
            cop_buf_printf(&all, "%s%s", i ? ", " : "", source->uses[i]);
        cop_status status = cop_conf_fail(conf, section, o->key,
                                          "source %s does not use this option; its own are: %s",
                                          source->name, cop_buf_text(&all));
        cop_buf_clear(&all);
        return status;
    }
    return COP_OK;
}

cop_normalise cop_task_normalise(const cop_source *source, const cop_conf *conf,
                                 const char *section) {
    const char *word = cop_conf_text(conf, section, "normalise");
    if (strcmp(word, "auto") == 0)
        return source->table ? COP_NORMALISE_FEATURES : COP_NORMALISE_FIXED;
    if (strcmp(word, "fixed") == 0) return COP_NORMALISE_FIXED;
    return strcmp(word, "none") == 0 ? COP_NORMALISE_NONE : COP_NORMALISE_FEATURES;
}

static cop_status check_normalise(const cop_source *source, const cop_conf *conf,
                                  const char *section) {
    static const char *const keys[] = {"divide", "mean", "sd"};
    if (cop_task_normalise(source, conf, section) == COP_NORMALISE_FIXED) return COP_OK;
    for (size_t i = 0; i < 3; i++)
        if (cop_conf_given(conf, section, keys[i]))
            return cop_conf_fail(conf, section, keys[i],
                                 "is used by normalise = fixed only: give that, or leave it out");
    return COP_OK;
}

/* Lengths and ranges of classes, map and outputs against each other. */
static cop_status check_classes(const cop_conf *conf, const char *section) {
    cop_list names = {0};
    cop_status status = COP_OK;
    cop_conf_words(conf, section, "classes", &names);
    double *map = COP_NEW_ARRAY(double, COP_CLASSES_MAX);
    size_t mapped = cop_conf_reals(conf, section, "map", map, COP_CLASSES_MAX);
    int64_t outputs = cop_conf_int(conf, section, "outputs");
    if (names.count > COP_CLASSES_MAX || mapped > COP_CLASSES_MAX)
        status = cop_conf_fail(conf, section, "classes", "more than %d classes", COP_CLASSES_MAX);
    for (size_t i = 0; i < names.count && status == COP_OK; i++)
        for (size_t j = 0; j < i && status == COP_OK; j++)
            if (strcmp(names.items[i], names.items[j]) == 0)
                status = cop_conf_fail(conf, section, "classes", "\"%s\" is listed twice",
                                       names.items[i]);
    if (status == COP_OK && mapped && !names.count)
        status = cop_conf_fail(conf, section, "map", "needs classes, which it numbers: give them");
    if (status == COP_OK && mapped && mapped != names.count)
        status = cop_conf_fail(conf, section, "map", "has %zu numbers for %zu classes", mapped,
                               names.count);
    for (size_t i = 0; i < mapped && status == COP_OK; i++) {
        if (map[i] != floor(map[i]))
            status = cop_conf_fail(conf, section, "map", "%g is not a whole number", map[i]);
        else if (outputs && map[i] >= (double)outputs)
            status = cop_conf_fail(conf, section, "map", "class %g is not below outputs = %lld",
                                   map[i], (long long)outputs);
    }
    if (status == COP_OK && outputs && !mapped && names.count > (size_t)outputs)
        status = cop_conf_fail(conf, section, "outputs", "is less than the %zu classes listed",
                               names.count);
    cop_free(map);
    cop_list_clear(&names);
    return status;
}

cop_status cop_source_check(const cop_source *source, const cop_conf *conf, const char *section,
                            const char *data_dir) {
    COP_TRY(check_unused(source, conf, section));
    COP_TRY(check_normalise(source, conf, section));
    COP_TRY(check_classes(conf, section));
    if (cop_conf_given(conf, section, "first_output") &&
        strcmp(cop_conf_text(conf, section, "head"), "own") != 0)
        return cop_conf_fail(conf, section, "first_output",
                             "is used by head = own only: give that, or leave it out");
    return source->check(conf, section, data_dir);
}

cop_status cop_task_check(const cop_conf *conf, const char *task, const char *data_dir) {
    char *section = cop_sprintf("task.%s", task);
    const cop_source *source;
    cop_status status = cop_task_section(conf, task);
    if (status == COP_OK) status = cop_source_find(&source, conf, section);
    if (status == COP_OK) status = cop_source_check(source, conf, section, data_dir);
    cop_free(section);
    return status;
}

cop_status cop_task_section(const cop_conf *conf, const char *task) {
    char *section = cop_sprintf("task.%s", task);
    bool there = cop_conf_has_section(conf, section);
    cop_free(section);
    if (there) return COP_OK;
    cop_list all = {0};
    cop_conf_sections(conf, "task.", &all);
    const char **names = COP_NEW_ARRAY(const char *, all.count + 1);
    for (size_t i = 0; i < all.count; i++) names[i] = all.items[i] + strlen("task.");
    const char *nearest = cop_nearest(task, names, all.count);
    cop_status status = cop_fail(COP_E_CONFIG, "there is no section [task.%s]%s%s%s", task,
                                 nearest ? ": did you mean [task." : "", nearest ? nearest : "",
                                 nearest ? "]?" : "");
    cop_free(names);
    cop_list_clear(&all);
    return status;
}

cop_status cop_task_path_of(char **path, const cop_conf *conf, const char *section, const char *key,
                            const char *name, const char *data_dir) {
    *path = NULL;
    if (name[0] == '/')
        *path = cop_strdup(name);
    else if (data_dir && data_dir[0])
        *path = cop_sprintf("%s/%s", data_dir, name);
    else
        return cop_conf_fail(conf, section, key,
                             "is a file in the data folder: name the folder with --data DIR or "
                             "COPPICE_DATA");
    return COP_OK;
}

cop_status cop_task_path(char **path, const cop_conf *conf, const char *section, const char *key,
                         const char *data_dir) {
    return cop_task_path_of(path, conf, section, key, cop_conf_text(conf, section, key), data_dir);
}

cop_status cop_task_file_there(const cop_conf *conf, const char *section, const char *key,
                               const char *name, const char *data_dir) {
    char *path;
    COP_TRY(cop_task_path_of(&path, conf, section, key, name, data_dir));
    cop_status status = COP_OK;
    if (access(path, R_OK) != 0)
        status = cop_conf_fail(conf, section, key,
                               "%s cannot be read: check --data DIR or COPPICE_DATA", path);
    cop_free(path);
    return status;
}

cop_status cop_task_file_exists(const cop_conf *conf, const char *section, const char *key,
                                const char *data_dir) {
    return cop_task_file_there(conf, section, key, cop_conf_text(conf, section, key), data_dir);
}
