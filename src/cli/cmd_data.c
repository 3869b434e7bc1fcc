/* coppice data list | show | write */
#include "coppice/cli.h"
#include "coppice/data.h"
#include "coppice/io.h"
#include "coppice/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SPLITS = 3 };

/* The task that the words and options name. */
typedef struct request {
    cop_conf *conf; /* owned */
    const char *task, *data_dir;
    bool wanted[SPLITS];
} request;

static const char *data_folder(const cop_args *args) {
    const char *given = cop_args_get(args, "data");
    return given ? given : getenv("COPPICE_DATA");
}

static const cop_known_set *known_set(const char *name) {
    size_t count;
    const cop_known_set *sets = cop_known_sets(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(sets[i].name, name) == 0) return &sets[i];
    return NULL;
}

/* What can be named without a configuration: built-in sources and real sets. */
static cop_status unknown_name(const char *name) {
    size_t sources, sets, count = 0;
    const cop_source *const *source = cop_sources(&sources);
    const cop_known_set *set = cop_known_sets(&sets);
    const char **names = COP_NEW_ARRAY(const char *, sources + sets);
    for (size_t i = 0; i < sources; i++)
        if (source[i]->built_in) names[count++] = source[i]->name;
    for (size_t i = 0; i < sets; i++) names[count++] = set[i].name;
    const char *nearest = cop_nearest(name, names, count);
    cop_status status = cop_fail(COP_E_USAGE,
                                 "data: \"%s\" is neither a built-in source nor a known set%s%s%s; "
                                 "`coppice data list` names "
                                 "them, and --config FILE gives a task of your own",
                                 name, nearest ? ": did you mean " : "", nearest ? nearest : "",
                                 nearest ? "?" : "");
    cop_free(names);
    return status;
}

static cop_status find_splits(request *r, const cop_args *args) {
    const char *split = cop_args_get(args, "split");
    for (size_t i = 0; i < SPLITS; i++)
        r->wanted[i] = !split || strcmp(split, cop_split_name((cop_split)i)) == 0;
    if (!r->wanted[0] && !r->wanted[1] && !r->wanted[2])
        return cop_fail(COP_E_USAGE, "data: --split %s: must be train, evolve or test", split);
    return COP_OK;
}

static cop_status find_task(request *r, const cop_args *args) {
    const char *config = cop_args_get(args, "config"), *source = cop_args_get(args, "source");
    r->task = args->word_count > 1 ? args->words[1] : source;
    r->data_dir = data_folder(args);
    if (!r->task)
        return cop_fail(COP_E_USAGE,
                        "data %s: which task? name one of --config FILE, a known set, or --source",
                        args->words[0]);
    if (config && source)
        return cop_fail(COP_E_USAGE, "data: --config and --source exclude each other");
    COP_TRY(find_splits(r, args));
    const cop_known_set *set = config || source ? NULL : known_set(r->task);
    char *text = NULL;
    cop_status status = COP_OK;
    if (config) {
        COP_GO(cop_conf_load(&r->conf, cop_run_schema(), config));
    } else if (set) {
        COP_GO(cop_conf_parse(&r->conf, cop_run_schema(), set->ini, set->name));
    } else {
        size_t count;
        const cop_source *const *all = cop_sources(&count);
        bool built_in = false;
        for (size_t i = 0; i < count; i++)
            built_in = built_in || (all[i]->built_in && strcmp(all[i]->name, r->task) == 0);
        if (!source && !built_in) return unknown_name(r->task);
        text = cop_sprintf("[task.%s]\nsource = %s\n", r->task, source ? source : r->task);
        COP_GO(cop_conf_parse(&r->conf, cop_run_schema(), text, "command line"));
    }
    for (size_t k = 0; cop_args_nth(args, "set", k); k++)
        COP_GO(cop_conf_set(r->conf, cop_args_nth(args, "set", k)));
    COP_GO(cop_conf_check(r->conf));
    COP_GO(cop_task_check(r->conf, r->task, r->data_dir));
done:
    cop_free(text);
    return status;
}

/* ------------------------------------------------------------------ list */

static cop_status list(const cop_args *args) {
    size_t count;
    if (args->word_count > 1) {
        const cop_known_set *set = known_set(args->words[1]);
        if (!set) return unknown_name(args->words[1]);
        printf("; %s\n%s", set->about, set->ini);
        return COP_OK;
    }
    const cop_source *const *source = cop_sources(&count);
    printf("Sources (source = NAME in a section [task.*]; docs/data.md has their options)\n");
    for (size_t i = 0; i < count; i++)
        printf("  %-20s %s%s\n", source[i]->name, source[i]->summary,
               source[i]->built_in ? " Built in." : "");
    const char *dir = data_folder(args);
    printf("\nReal sets (`coppice data list NAME` prints the section); folder: %s\n",
           dir && *dir ? dir : "none, give --data DIR or COPPICE_DATA");
    const cop_known_set *set = cop_known_sets(&count);
    for (size_t i = 0; i < count; i++) {
        cop_conf *conf = NULL;
        COP_TRY(cop_conf_parse(&conf, cop_run_schema(), set[i].ini, set[i].name));
        bool there = cop_task_check(conf, set[i].name, dir) == COP_OK;
        cop_error_clear();
        cop_conf_destroy(conf);
        printf("  %-20s %-8s %s\n", set[i].name, there ? "there" : "missing", set[i].about);
    }
    return COP_OK;
}

/* ------------------------------------------------------------------ show */

static void print_split(const cop_dataset *set, cop_split split) {
    size_t count = set->samples * cop_dataset_features(set);
    double sum = 0, squares = 0, low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        double x = (double)set->x[i];
        sum += x;
        low = fmin(low, x);
        high = fmax(high, x);
    }
    for (size_t i = 0; i < count; i++) {
        double d = (double)set->x[i] - sum / (double)count;
        squares += d * d;
    }
    char hex[COP_HASH_HEX];
    cop_dataset_digest(set, hex);
    printf("%-7s %zu samples of %zu x %zu x %zu, range %.6g to %.6g, mean %.6g, sd %.6g\n"
           "        digest %s\n",
           cop_split_name(split), set->samples, set->channels, set->height, set->width, low, high,
           sum / (double)count, sqrt(squares / (double)count), hex);
}

static void print_classes(cop_dataset *const *sets) {
    const cop_dataset *any = sets[0] ? sets[0] : sets[1] ? sets[1] : sets[2];
    COP_ASSERT(any); /* a split at least was asked for */
    size_t classes = (size_t)any->classes;
    size_t *counts = COP_NEW_ARRAY(size_t, classes * SPLITS);
    printf("\nclass");
    for (size_t s = 0; s < SPLITS; s++) {
        if (!sets[s]) continue;
        printf(" %8s", cop_split_name((cop_split)s));
        for (size_t i = 0; i < sets[s]->samples; i++)
            counts[(size_t)sets[s]->label[i] * SPLITS + s]++;
    }
    printf("  label\n");
    for (size_t c = 0; c < classes; c++) {
        const char *name = any->class_names ? any->class_names[c] : NULL;
        printf("%5zu", c);
        for (size_t s = 0; s < SPLITS; s++)
            if (sets[s]) printf(" %8zu", counts[c * SPLITS + s]);
        printf("  %s\n", name ? name : "-");
    }
    cop_free(counts);
}

static cop_status number_of(const cop_args *args, const char *flag, uint64_t fallback,
                            uint64_t most, size_t *number) {
    const char *text = cop_args_get(args, flag);
    uint64_t value = fallback;
    if (text && (!cop_parse_u64(text, &value) || value < 1 || value > most))
        return cop_fail(COP_E_USAGE, "data: --%s %s: must be a number from 1 to %llu", flag, text,
                        (unsigned long long)most);
    *number = (size_t)value;
    return COP_OK;
}

static cop_status show(const cop_args *args, request *r) {
    cop_status status = COP_OK;
    cop_dataset *sets[SPLITS] = {0}, *shown = NULL;
    size_t samples = 0, per_class = 0;
    COP_TRY(number_of(args, "samples", 12, 10000, &samples));
    COP_TRY(number_of(args, "per-class", 16, 1000, &per_class));
    for (size_t s = 0; s < SPLITS; s++)
        if (r->wanted[s]) {
            COP_GO(cop_task_load(&sets[s], r->conf, r->task, (cop_split)s, r->data_dir));
            if (!shown) shown = sets[s];
        }
    printf("task %s\n", r->task);
    for (size_t s = 0; s < SPLITS; s++)
        if (sets[s]) print_split(sets[s], (cop_split)s);
    print_classes(sets);
    putchar('\n');
    cop_print_samples(shown, samples, stdout);
    const char *png = cop_args_get(args, "png");
    if (png) {
        COP_GO(cop_write_contact_png(shown, per_class, png));
        printf("\nwrote %s\n", png);
    }
done:
    for (size_t s = 0; s < SPLITS; s++) cop_dataset_destroy(sets[s]);
    return status;
}

/* ------------------------------------------------------------------ write */

/* Files of one split, and the lines of the section that reads them back. */
static cop_status write_split(const cop_dataset *set, cop_split split, const char *dir, bool idx,
                              const char *end, cop_buf *ini) {
    static const char *const prefix[] = {"", "evolve_", "test_"};
    cop_status status = COP_OK;
    char *base = cop_sprintf("%s-%s", set->name, cop_split_name(split)), *images = NULL,
         *labels = NULL;
    if (idx) {
        images =
            cop_sprintf("%s/%s-images-idx%d-ubyte%s", dir, base, set->channels > 1 ? 4 : 3, end);
        labels = cop_sprintf("%s/%s-labels-idx1-ubyte%s", dir, base, end);
        COP_GO(cop_write_idx(set, images, labels));
        printf("wrote %s\nwrote %s\n", images, labels);
        cop_buf_printf(ini, "%simages = %s\n%slabels = %s\n", prefix[split],
                       images + strlen(dir) + 1, prefix[split], labels + strlen(dir) + 1);
    } else {
        images = cop_sprintf("%s/%s.csv%s", dir, base, end);
        COP_GO(cop_write_csv(set, images));
        printf("wrote %s\n", images);
        cop_buf_printf(ini, "%sfile = %s\n", prefix[split], images + strlen(dir) + 1);
    }
done:
    cop_free(base);
    cop_free(images);
    cop_free(labels);
    return status;
}

static cop_status write_files(const cop_args *args, request *r) {
    const char *dir = cop_args_get(args, "out"), *format = cop_args_get(args, "format");
    if (!dir || !*dir) return cop_fail(COP_E_USAGE, "data write: where to? give --out DIR");
    if (!format) format = "idx";
    bool idx = strcmp(format, "idx") == 0;
    if (!idx && strcmp(format, "csv") != 0)
        return cop_fail(COP_E_USAGE, "data write: --format %s: must be idx or csv", format);
    cop_status status = COP_OK;
    cop_dataset *set = NULL;
    cop_buf ini = {0};
    char *path = cop_sprintf("%s/%s.ini", dir, r->task);
    COP_GO(cop_make_dirs(dir));
    cop_buf_printf(&ini, "; reads the files beside it back: --data DIR names their folder\n");
    cop_buf_printf(&ini, "[task.%s]\nsource = %s\n", r->task, format);
    for (size_t s = 0; s < SPLITS; s++) {
        if (!r->wanted[s]) continue;
        COP_GO(cop_task_load(&set, r->conf, r->task, (cop_split)s, r->data_dir));
        COP_GO(
            write_split(set, (cop_split)s, dir, idx, cop_args_has(args, "gz") ? ".gz" : "", &ini));
        /* CSV holds the numbers themselves; the shape of images is not in it */
        if (!idx && s == 0 && set->height > 1)
            cop_buf_printf(&ini, "shape = %zu, %zu, %zu\n", set->channels, set->height, set->width);
        if (!idx && s == 0) cop_buf_printf(&ini, "normalise = none\n");
        cop_dataset_destroy(set);
        set = NULL;
    }
    if (r->wanted[0] && r->wanted[2]) {
        COP_GO(cop_write_file(path, ini.data, ini.length));
        printf("wrote %s\n", path);
    }
done:
    cop_dataset_destroy(set);
    cop_buf_clear(&ini);
    cop_free(path);
    return status;
}

static cop_status run(const cop_args *args, cop_par *par) {
    (void)par;
    const char *const verbs[] = {"list", "show", "write"}, *verb = args->words[0];
    if (strcmp(verb, "list") == 0) return list(args);
    bool showing = strcmp(verb, "show") == 0;
    if (!showing && strcmp(verb, "write") != 0) {
        const char *nearest = cop_nearest(verb, verbs, 3);
        return cop_fail(COP_E_USAGE, "data %s: must be list, show or write%s%s%s", verb,
                        nearest ? ": did you mean " : "", nearest ? nearest : "",
                        nearest ? "?" : "");
    }
    request r = {0};
    cop_status status = find_task(&r, args);
    if (status == COP_OK) status = showing ? show(args, &r) : write_files(args, &r);
    cop_conf_destroy(r.conf);
    return status;
}

static const cop_flag flags[] = {
    {"data", 'd', "DIR", false, "Folder with the data files (default: COPPICE_DATA)."},
    {"config", 'c', "FILE", false, "Configuration that holds the task."},
    {"source", 0, "NAME", false, "A built-in source with its default options."},
    {"set", 's', "K=V", true, "Change an option: task.NAME.KEY=VALUE."},
    {"split", 0, "SPLIT", false, "Only this split: train, evolve or test (default: all)."},
    {"samples", 0, "N", false, "With show: number of samples drawn as characters (default: 12)."},
    {"png", 0, "FILE", false, "With show: also write a contact sheet, a row per class."},
    {"per-class", 0, "N", false,
     "With show: number of samples per class on the contact sheet (default: 16)."},
    {"out", 'o', "DIR", false, "With write: folder for the files; made when missing."},
    {"format", 0, "FORMAT", false, "With write: idx or csv (default: idx)."},
    {"gz", 0, NULL, false, "With write: compress the files."},
    {NULL, 0, NULL, false, NULL}};

const cop_command cop_cmd_data = {
    .name = "data",
    .synopsis = "list [NAME] | show TASK [options] | write TASK --out DIR [options]",
    .summary = "List sources of samples, look at a task, write it as files",
    .details =
        "list names the sources and the real sets, says whether the files of these are in the data "
        "folder, and with NAME prints the section of a real set.\n\n"
        "show prints, for each split of a task, its size, range, mean, standard deviation and "
        "digest, "
        "the samples per class, and some samples as characters; --png writes more of them as a "
        "picture. TASK is a task of --config, the name of a real set, or a built-in source.\n\n"
        "write puts the splits into a folder as IDX or CSV files, with a section that reads them "
        "back. IDX holds bytes: values are mapped from the split's lowest and highest to 0..255. "
        "CSV "
        "holds the values after normalisation; --set task.NAME.normalise=none gives the raw ones.",
    .flags = flags,
    .min_words = 1,
    .max_words = 2,
    .ranks = COP_RANKS_ONE,
    .run = run,
};
