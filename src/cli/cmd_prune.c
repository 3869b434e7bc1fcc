/* coppice prune: a network pruned in one shot, the baselines of a search. */
#include <math.h>
#include <string.h>

#include "coppice/cli.h"
#include "coppice/io.h"
#include "coppice/op.h"
#include "prune.h"
#include "task_flags.h"

static const cop_flag flags[] = {
    {"density", 0, "SHARE", false,
     "Share of the edges to keep (default: that of NETWORK, if it is pruned)."},
    {"method", 'm', "NAME", true,
     "random, or magnitude (smallest weights first, over the whole network); default: both."},
    {"repeats", 'r', "N", false, "Networks to prune at random (default 10)."},
    {"seed", 0, "S", false, "Seed of the random pruning (default 1)."},
    COP_TASK_FLAGS,
    {"split", 's', "SPLIT", false, "test (default), evolve or train samples of the tasks."},
    {"individual", 'i', "ID", false, "A live individual of a run or checkpoint, not the best."},
    {"out", 'o', "DIR", false, "Write the pruned networks there, with their trained weights."},
    {"json", 0, NULL, false, "Print one JSON object instead of text (keys: docs/baselines.md)."},
    {0},
};

static cop_status real_flag(const cop_args *args, const char *name, double low, double high,
                            double *value) {
    const char *text = cop_args_get(args, name);
    if (!text) return COP_OK;
    /* written so that NaN is refused */
    if (cop_parse_double(text, value) && *value > low && *value < high) return COP_OK;
    return cop_fail(COP_E_USAGE, "--%s %s: wanted a number between %g and %g", name, text, low,
                    high);
}

static cop_status whole_flag(const cop_args *args, const char *name, uint64_t most,
                             uint64_t *value) {
    const char *text = cop_args_get(args, name);
    if (!text || (cop_parse_u64(text, value) && *value <= most)) return COP_OK;
    return cop_fail(COP_E_USAGE, "--%s %s: wanted a whole number from 0 to %llu", name, text,
                    (unsigned long long)most);
}

static cop_status find_methods(const cop_args *args, cop_pruning *p) {
    const char *name;
    for (size_t k = 0; (name = cop_args_nth(args, "method", k)); k++) {
        if (strcmp(name, "random") == 0)
            p->random = true;
        else if (strcmp(name, "magnitude") == 0)
            p->magnitude = true;
        else
            return cop_fail(COP_E_USAGE, "--method %s: wanted random or magnitude", name);
    }
    if (!p->random && !p->magnitude) p->random = p->magnitude = true;
    return COP_OK;
}

/* Where weights were evolved or trained further the file has none for the edges that were cut, and
 * magnitude would cut these very edges again: a baseline that agrees with NETWORK by construction.
 */
static cop_status check_base(const cop_network *network, const char *file) {
    size_t all = network->mask.bits, live = cop_mask_count(&network->mask);
    if (live == all) return COP_OK;
    for (size_t i = 0; i < all; i++)
        if (!cop_mask_get(&network->mask, i) && network->params.w[i] != 0) return COP_OK;
    return cop_fail(COP_E_USAGE,
                    "%s has no weights for the %zu edges that it lacks, as it is where weights are "
                    "evolved or retrained: its base network is not known. Give that network's file "
                    "instead, with --density %.6g",
                    file, all - live, (double)live / (double)all);
}

/* How many edges stay: those of --density, or as many as the network has. */
static cop_status find_edges(const cop_args *args, cop_pruning *p) {
    const cop_network *network = p->subject.network;
    double density = 0;
    COP_TRY(real_flag(args, "density", 0, 1, &density));
    size_t all = network->mask.bits, live = cop_mask_count(&network->mask);
    p->edges = density > 0 ? (size_t)floor(density * (double)all + 0.5) : live;
    if (p->edges < all) return COP_OK;
    if (density > 0)
        return cop_fail(COP_E_USAGE, "--density %g: of %zu edges none would be cut", density, all);
    return cop_fail(COP_E_USAGE,
                    "%s has all its %zu edges: say with --density what share of them is to stay",
                    p->subject.network_file, all);
}

static cop_status write_networks(const cop_pruning *p, const char *folder) {
    cop_network network = *p->subject.network; /* lent */
    network.weighting = (cop_weighting){.kind = COP_WEIGHTS_TRAINED, .values = 1, .value = {1}};
    network.id = 0;
    cop_status status = cop_make_dirs(folder);
    for (size_t i = 0; i < p->count && status == COP_OK; i++) {
        if (!p->network[i].made) continue;
        char *path = p->network[i].number ? cop_sprintf("%s/%s-%zu.h5", folder, p->network[i].name,
                                                        p->network[i].number)
                                          : cop_sprintf("%s/%s.h5", folder, p->network[i].name);
        network.mask = p->network[i].mask;
        status = cop_network_write(&network, path);
        cop_free(path);
    }
    return status;
}

static cop_status prune(const cop_args *args, cop_par *par) {
    cop_pruning p = {.split = COP_SPLIT_TEST, .repeats = 10, .seed = 1};
    const char *id = cop_args_get(args, "individual"), *folder = cop_args_get(args, "out");
    uint64_t individual = COP_SUBJECT_BEST;
    cop_status status = COP_OK;
    (void)par;
    COP_GO(cop_split_flag(args, "split", &p.split));
    COP_GO(find_methods(args, &p));
    COP_GO(whole_flag(args, "repeats", 10000, &p.repeats));
    COP_GO(whole_flag(args, "seed", UINT64_MAX, &p.seed));
    if (id && (!cop_parse_u64(id, &individual) || individual == COP_SUBJECT_BEST))
        COP_GO(cop_fail(COP_E_USAGE, "--individual %s: wanted the number of an individual", id));
    COP_GO(cop_subject_open(&p.subject, args->words[0], individual, false));
    COP_GO(cop_subject_no_training(&p.subject));
    COP_GO(check_base(p.subject.network, p.subject.network_file));
    COP_GO(find_edges(args, &p));
    COP_GO(cop_judge_open(&p.judge, &p.subject, cop_args_get(args, "config"),
                          cop_args_get(args, "data")));
    COP_GO(cop_task_flags(args, &p.judge, &p.tasks));
    COP_GO(cop_pruning_make(&p));
    if (folder) COP_GO(write_networks(&p, folder));
    COP_GO(cop_pruning_judge(&p));
    cop_pruning_print(&p, cop_args_has(args, "json"));
done:
    cop_pruning_clear(&p);
    return status;
}

const cop_command cop_cmd_prune = {
    .name = "prune",
    .synopsis = "NETWORK [options]",
    .summary = "Prune a network in one shot, as a baseline: accuracy, overlap",
    .details =
        "NETWORK is a run directory (its best network), a checkpoint or a network file. Its base "
        "network is pruned anew to the same number of edges, or to --density: at random, and by "
        "magnitude. The accuracy of all of them, of NETWORK itself and of the base network is "
        "printed for trained weights and for shared weights, and how many of the edges cut are the "
        "same ones, beside what chance alone gives. Nothing is trained.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1 + COP_TASKS_MAX,
    .ranks = COP_RANKS_ONE,
    .run = prune,
};
