/* coppice compare: what differs, and whether it could be chance. */
#include <string.h>

#include "compare.h"
#include "coppice/io.h"
#include "task_flags.h"

static const cop_flag flags[] = {
    COP_TASK_FLAGS,
    {"split", 's', "SPLIT", false, "Networks: test (default), evolve or train samples."},
    {"choose", 0, "SPLIT", false,
     "Networks: choose shared values on this split (default: evolve; test is what the thesis "
     "does)."},
    {"confusion", 0, NULL, false, "Networks: show the confusion matrix of each on each task."},
    {"against", 'a', "GROUP", false,
     "Groups: the one that the others are compared with (default: "
     "the first)."},
    {"measure", 'm', "NAME", true,
     "Groups: compare this measure (default: fitness, accuracies and edges)."},
    {"level", 'l', "SHARE", false, "Level of confidence of the intervals (default 0.95)."},
    {"json", 0, NULL, false, "Print one JSON object instead of text (keys: docs/compare.md)."},
    {0},
};

const char *cop_compare_word(const char *word, char **name) {
    const char *equals = cop_file_exists(word) ? NULL : strchr(word, '=');
    const char *path = equals ? equals + 1 : word;
    size_t end = strlen(path), begin;
    while (end > 1 && path[end - 1] == '/') end--;
    for (begin = end; begin > 0 && path[begin - 1] != '/';) begin--;
    *name = equals ? cop_sprintf("%.*s", (int)(equals - word), word)
                   : cop_sprintf("%.*s", (int)(end - begin), path + begin);
    return path;
}

static cop_status check_flags(const cop_args *args, bool groups) {
    static const char *const of_networks[] = {"task",  "config", "data",
                                              "split", "choose", "confusion"};
    static const char *const of_groups[] = {"against", "measure"};
    const char *const *wrong = groups ? of_networks : of_groups;
    size_t count =
        groups ? sizeof of_networks / sizeof *of_networks : sizeof of_groups / sizeof *of_groups;
    for (size_t i = 0; i < count; i++)
        if (cop_args_has(args, wrong[i]))
            return cop_fail(COP_E_USAGE, "--%s: has no meaning between %s", wrong[i],
                            groups ? "groups of runs, whose numbers are those that the runs wrote"
                                   : "single networks");
    return COP_OK;
}

/* Some words are groups, and the first that is none is the news. */
static cop_status mixed(const cop_args *args) {
    size_t i = 0;
    char *name;
    while (cop_compare_is_group(args->words[i])) i++;
    const char *path = cop_compare_word(args->words[i], &name);
    cop_free(name);
    cop_subject subject;
    cop_status status = cop_subject_open(&subject, path, COP_SUBJECT_BEST, false);
    cop_subject_close(&subject);
    COP_TRY(status); /* misspelt, empty, a training */
    return cop_fail(COP_E_USAGE,
                    "some of these are groups of runs and some, as %s, are single networks: "
                    "compare the ones or the others",
                    path);
}

static cop_status compare(const cop_args *args, cop_par *par) {
    const char *text = cop_args_get(args, "level");
    double level = 0.95;
    size_t groups = 0;
    (void)par;
    /* written so that NaN is refused */
    if (text && !(cop_parse_double(text, &level) && level > 0 && level < 1))
        return cop_fail(COP_E_USAGE, "--level %s: wanted a number between 0 and 1, such as 0.95",
                        text);
    for (size_t i = 0; i < args->word_count; i++) groups += cop_compare_is_group(args->words[i]);
    if (groups && groups < args->word_count) return mixed(args);
    COP_TRY(check_flags(args, groups > 0));
    if (!groups && args->word_count < 2)
        return cop_fail(COP_E_USAGE, "%s is one network: give another to compare it with",
                        args->words[0]);
    return groups ? cop_compare_groups(args, level) : cop_compare_networks(args, level);
}

const cop_command cop_cmd_compare = {
    .name = "compare",
    .synopsis = "A B... [options]",
    .summary = "Compare networks, or groups of runs over their seeds, with tests",
    .details =
        "Networks (run directories, which stand for their best network, checkpoints, network "
        "files): every "
        "one is evaluated on the same samples. Printed are accuracies with Wilson's and Clopper "
        "and "
        "Pearson's intervals, and for each pair how many samples one alone has right, with "
        "McNemar's exact test. Tasks are those of the first, or of --config. Shared values are "
        "chosen on the evolution samples.\n\n"
        "Groups (a sweep, which stands for its arms; the folder of one arm, or any folder of run "
        "directories; runs joined by commas): every group is compared with the first, or with "
        "--against, by Welch's t test and Mann and Whitney's U test over the seeds, measure by "
        "measure; p values are also given corrected for the number of groups (Holm).\n\n"
        "NAME=PATH gives a name. One sweep alone compares its arms.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1000,
    .ranks = COP_RANKS_ONE,
    .run = compare,
};
