/* The source `csv`: which table a split reads. */
#include "csv.h"

#include <math.h>
#include <string.h>

#include "holdout.h"

static const char *own(cop_split split, const cop_conf *conf, const char *section,
                       const char *evolve, const char *test, const char *train) {
    const char *key = split == COP_SPLIT_EVOLVE ? evolve : split == COP_SPLIT_TEST ? test : train;
    return cop_conf_text(conf, section, key)[0] ? key : train;
}

static cop_status separator(char *out, const cop_conf *conf, const char *section) {
    static const struct {
        const char *word;
        char value;
    } words[] = {{"auto", 0}, {"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}, {"space", ' '}};
    const char *text = cop_conf_text(conf, section, "separator");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i].word) == 0) return *out = words[i].value, COP_OK;
    if (strlen(text) != 1 || strchr("\"?.+-eE0123456789", *text))
        return cop_conf_fail(conf, section, "separator",
                             "must be auto, comma, semicolon, tab, space or one character that is "
                             "no part of a number");
    *out = *text;
    return COP_OK;
}

/* Keep the rows of one side of the holdout. */
static void cut(cop_csv *csv, const cop_conf *conf, const char *section, bool test) {
    size_t *kept, count;
    cop_holdout_rows(&kept, &count, csv->label, csv->rows, csv->names.count, csv->group,
                     csv->groups, conf, section, test);
    for (size_t to = 0; to < count; to++) {
        memmove(csv->x + to * csv->features, csv->x + kept[to] * csv->features,
                csv->features * sizeof *csv->x);
        csv->label[to] = csv->label[kept[to]];
    }
    csv->rows = count;
    cop_free(kept);
}

static cop_status read_csv(cop_raw *raw, const size_t *keep, size_t count, float *x) {
    const cop_csv *csv = raw->state;
    for (size_t i = 0; i < count; i++)
        memcpy(x + i * csv->features, csv->x + keep[i] * csv->features, csv->features * sizeof *x);
    return COP_OK;
}

static void close_csv(void *state) {
    cop_csv_clear(state);
    cop_free(state);
}

static cop_status shape(cop_raw *raw, const cop_conf *conf, const char *section, size_t features) {
    double size[3] = {1, 1, (double)features};
    size_t given = cop_conf_reals(conf, section, "shape", size, 3);
    if (given && size[0] * size[1] * size[2] != (double)features)
        return cop_conf_fail(conf, section, "shape",
                             "has %g x %g x %g values, the table has %zu "
                             "feature columns",
                             size[0], size[1], size[2], features);
    raw->channels = (size_t)size[0];
    raw->height = (size_t)size[1];
    raw->width = (size_t)size[2];
    return COP_OK;
}

static cop_status open_csv(cop_raw *raw, const cop_conf *conf, const char *section, cop_split split,
                           const char *data_dir) {
    cop_status status = COP_OK;
    char *path = NULL, *labels_path = NULL;
    cop_list drop = {0};
    const char *key = own(split, conf, section, "evolve_file", "test_file", "file"),
               *labels_key = own(split, conf, section, "evolve_labels", "test_labels", "labels");
    bool labels = cop_conf_text(conf, section, "labels")[0];
    cop_csv *csv = COP_NEW(cop_csv);
    raw->state = csv;
    raw->close = close_csv;
    raw->read = read_csv;
    cop_csv_format format = {.header = cop_conf_text(conf, section, "header"),
                             .label = cop_conf_text(conf, section, "label"),
                             .drop = &drop,
                             .missing =
                                 strcmp(cop_conf_text(conf, section, "missing"), "mean") == 0};
    cop_conf_words(conf, section, "drop", &drop);
    if (cop_holdout_cuts(split, conf, section)) {
        format.group = cop_conf_text(conf, section, "group");
        format.group_end = cop_conf_text(conf, section, "group_end")[0];
    }
    COP_GO(separator(&format.separator, conf, section));
    COP_GO(cop_task_path(&path, conf, section, key, data_dir));
    if (labels) COP_GO(cop_task_path(&labels_path, conf, section, labels_key, data_dir));
    format.labels_path = labels_path;
    COP_GO(cop_csv_read(csv, &format, path));
    if (cop_holdout_cuts(split, conf, section)) cut(csv, conf, section, split == COP_SPLIT_TEST);
    raw->samples = csv->rows;
    raw->label = csv->label;
    csv->label = NULL;
    raw->names = csv->names;
    csv->names = (cop_list){0};
    COP_GO(shape(raw, conf, section, csv->features));
done:
    cop_free(path);
    cop_free(labels_path);
    cop_list_clear(&drop);
    return status;
}

static cop_status check_files(const cop_conf *conf, const char *section, const char *data_dir) {
    static const char *const files[] = {"file", "evolve_file", "test_file"}, *const labels[] = {
                                                                                 "labels",
                                                                                 "evolve_labels",
                                                                                 "test_labels"};
    bool beside = cop_conf_text(conf, section, "labels")[0];
    for (size_t i = 0; i < 3; i++) {
        bool file = cop_conf_text(conf, section, files[i])[0],
             label = cop_conf_text(conf, section, labels[i])[0];
        if (i == 0 && !file)
            return cop_conf_fail(conf, section, "file",
                                 "source csv needs this file: give its path");
        if (label && !file)
            return cop_conf_fail(conf, section, labels[i], "must be given together with %s",
                                 files[i]);
        if (file && beside && !label)
            return cop_conf_fail(
                conf, section, labels[i],
                "is missing: the train labels are in a file of their own, so these "
                "must be too");
        if (label && !beside)
            return cop_conf_fail(conf, section, labels[i], "needs labels for the train split too");
        if (file) COP_TRY(cop_task_file_exists(conf, section, files[i], data_dir));
        if (label) COP_TRY(cop_task_file_exists(conf, section, labels[i], data_dir));
    }
    return COP_OK;
}

static cop_status check(const cop_conf *conf, const char *section, const char *data_dir) {
    char character;
    double size[4];
    COP_TRY(check_files(conf, section, data_dir));
    COP_TRY(separator(&character, conf, section));
    COP_TRY(cop_holdout_check(conf, section));
    if (cop_conf_text(conf, section, "group")[0] && cop_conf_real(conf, section, "holdout") <= 0)
        return cop_conf_fail(conf, section, "group",
                             "says what holdout draws: give holdout = 0.2, or leave it out");
    if (cop_conf_text(conf, section, "group_end")[0] && !cop_conf_text(conf, section, "group")[0])
        return cop_conf_fail(conf, section, "group_end",
                             "is the end of a group's name: give group, the column");
    if (strlen(cop_conf_text(conf, section, "group_end")) > 1)
        return cop_conf_fail(conf, section, "group_end", "wanted one character");
    if (cop_conf_text(conf, section, "labels")[0] &&
        strcmp(cop_conf_text(conf, section, "label"), "last") != 0)
        return cop_conf_fail(conf, section, "label",
                             "cannot be given together with labels: which of them?");
    size_t given = cop_conf_reals(conf, section, "shape", size, 4);
    if (given && given != 3)
        return cop_conf_fail(conf, section, "shape",
                             "needs three numbers: channels, height, width");
    for (size_t i = 0; i < given; i++)
        if (size[i] != floor(size[i]))
            return cop_conf_fail(conf, section, "shape", "%g is not a whole number", size[i]);
    return COP_OK;
}

static const char *const uses[] = {"file",          "evolve_file", "test_file", "labels",
                                   "evolve_labels", "test_labels", "holdout",   "group",
                                   "group_end",     "separator",   "header",    "label",
                                   "drop",          "missing",     "shape",     NULL};
const cop_source cop_source_csv = {
    .name = "csv",
    .summary = "Tables as text (CSV, TSV, blank-separated), gzipped or not, with a label column.",
    .paper = "",
    .table = true,
    .uses = uses,
    .check = check,
    .open = open_csv,
};
