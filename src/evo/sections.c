/* Sections and options of evolution, put together from the tables of this file and of the
 * operators. */
#include "coppice/op.h"

#include <string.h>

static const cop_option population_options[] = {{"size", COP_OPT_INT, "20", 2, 1e7, "individuals",
                                                 NULL, COP_SCIENCE,
                                                 "Individuals in the population."},
                                                {.key = NULL}};

static const cop_option similarity_options[] = {
    {"layers", COP_OPT_WORDS, "", 0, 0, "", NULL, COP_SCIENCE,
     "Layers with weights whose outputs (behind their activation) are compared with the base "
     "network's, for example conv1, dense1; none: similarity is not measured."},
    {"value", COP_OPT_REAL, "1", 1e-6, 1e6, "", NULL, COP_SCIENCE,
     "Shared weight at which the layers are compared (not used with trained weights)."},
    {"perplexity", COP_OPT_REAL, "30", 1.01, 1e6, "samples", NULL, COP_SCIENCE,
     "Effective number of neighbours of each sample; below the batch size."},
    {"batches", COP_OPT_INT, "0", 0, 1e9, "batches", NULL, COP_SCIENCE,
     "Compare on so many first batches of each task; 0: on all."},
    {"normalise", COP_OPT_BOOL, "no", 0, 0, "", NULL, COP_SCIENCE,
     "Divide each layer's divergence by that of a layer that tells nothing (all neighbours alike): "
     "0 is equal, 1 as bad as no layer."},
    {.key = NULL}};

static const cop_option stop_options[] = {
    {"generations", COP_OPT_INT, "50", 0, 4e9, "generations", NULL, COP_EXTENT,
     "Stop after so many generations of children; 0: after the initial population."},
    {"evaluations", COP_OPT_INT, "0", 0, 4e9, "individuals", NULL, COP_EXTENT,
     "Begin no generation that would evaluate more individuals than this in all; 0: no limit."},
    {"target", COP_OPT_REAL, "1e300", -1e300, 1e300, "", NULL, COP_EXTENT,
     "Stop when the best fitness ever is at least this; 1e300: no target."},
    {"stagnation", COP_OPT_INT, "0", 0, 4e9, "generations", NULL, COP_EXTENT,
     "Stop when the best ever has not improved for so many generations; 0: never."},
    {"time", COP_OPT_REAL, "0", 0, 1e9, "s", NULL, COP_EXTENT,
     "End with a checkpoint after so many seconds of search; 0: no limit."},
    {.key = NULL}};

/* What the sections of roles hold beside `op` and the options of their operators. */
static const cop_option evaluate_options[] = {
    {"tasks", COP_OPT_WORDS, "", 0, 0, "", NULL, COP_SCIENCE,
     "Tasks to judge on, in this order; none: all [task.NAME] sections in file order."},
    {"arithmetic", COP_OPT_CHOICE, "sign", 0, 0, "", "sign|sparse|dense|blas|reference",
     COP_SCIENCE,
     "Exact integers for shared weights (sign), floats over live edges (sparse), as wide as the "
     "units that are left (dense) or with dead edges too (blas), or plain and slow doubles "
     "(reference)."},
    {"steps", COP_OPT_INT, "2047", 1, 32767, "steps", NULL, COP_SCIENCE,
     "Integer grid of the inputs under sign arithmetic: steps from 0 to the largest input."},
    {"dense_above", COP_OPT_REAL, "1", 0, 1, "", NULL, COP_SCIENCE,
     "Under sparse arithmetic, dense layers with more live edges than this share are computed by "
     "BLAS; 1: none, and results do not depend on the machine."},
    {"batch", COP_OPT_INT, "100", 1, 65536, "samples", NULL, COP_SCIENCE,
     "Samples per batch; similarity compares samples of one batch."},
    {"shard", COP_OPT_INT, "1000", 1, 1e9, "samples", NULL, COP_SCIENCE,
     "Samples per work unit, a multiple of batch."},
    {"draw", COP_OPT_INT, "0", 0, 1e9, "batches", NULL, COP_SCIENCE,
     "Judge each generation on so many new batches of each task, drawn without replacement until "
     "all were used, then in a new order; 0: every generation on all samples."},
    {"subset", COP_OPT_INT, "0", 0, 1e9, "samples", NULL, COP_SCIENCE,
     "With draw: draw from so many samples of each task, chosen with the seed of the run; 0: from "
     "all."},
    {"final", COP_OPT_INT, "0", 0, 1e9, "batches", NULL, COP_SCIENCE,
     "With draw: the last population is judged again on so many batches to name the best; 0: on "
     "all of them."},
    {"alone", COP_OPT_BOOL, "no", 0, 0, "", NULL, COP_MANNER,
     "Compute every individual by itself, taking nothing from relatives or twins: slower, the same "
     "results; to check that they are."},
    {.key = NULL}};

static const cop_option cross_options[] = {
    {"probability", COP_OPT_REAL, "0.5", 0, 1, "", NULL, COP_SCIENCE,
     "Chance that a child has two parents (not used with op = none)."},
    {"twins", COP_OPT_BOOL, "no", 0, 0, "", NULL, COP_SCIENCE,
     "Children are born in pairs: the second has the first one's parents the other way round and "
     "the same cut."},
    {.key = NULL}};

typedef struct role_section {
    const char *fallback, *help;
    const cop_option *common;
} role_section;

static const role_section roles[COP_ROLES] = {
    [COP_ROLE_INITIALISE] = {"base_and_pruned", "The first population.", NULL},
    [COP_ROLE_EVALUATE] = {"weight_agnostic", "How individuals are judged.", evaluate_options},
    [COP_ROLE_FITNESS] = {"padawann", "One number from the measures.", NULL},
    [COP_ROLE_RANK] = {"scalar", "The order of the population.", NULL},
    [COP_ROLE_POOL] = {"elite_cull", "Who passes unchanged and who may breed.", NULL},
    [COP_ROLE_SELECT] = {"tournament", "How parents are drawn from the breeding pool.", NULL},
    [COP_ROLE_CROSS] = {"one_point", "How two parents make a child.", cross_options},
    [COP_ROLE_VARY] = {"prune.random", "What happens to every child, in order.", NULL},
    [COP_ROLE_SURVIVE] = {"elite", "Who is in the next population.", NULL},
};

/* The tables below are a function of the constant tables above and of the operators'. C has no way
 * to join arrays at compile time, so the first call fills them; after that they never change. */
enum { ROWS_MAX = 160, SECTIONS_MAX = 32, HELP_MAX = 512 };
typedef struct tables {
    cop_option row[ROWS_MAX];
    cop_section section[SECTIONS_MAX];
    char help[COP_ROLES][HELP_MAX];
    size_t rows, sections;
} tables;

static void add_row(tables *t, const cop_option *begin, const cop_option *row) {
    for (const cop_option *r = begin; r < &t->row[t->rows]; r++)
        if (strcmp(r->key, row->key) == 0) return; /* shared by two operators of the role */
    COP_ASSERT(t->rows + 1 < ROWS_MAX);
    t->row[t->rows++] = *row;
}

static void add_section(tables *t, const char *name, const char *help, const cop_option *options) {
    COP_ASSERT(t->sections < SECTIONS_MAX);
    t->section[t->sections++] = (cop_section){name, help, options};
}

/* [role]: `op`, what is common, then the options of those operators that have no section of their
 * own. */
static void add_role(tables *t, cop_role role) {
    size_t count;
    const cop_op *const *ops = cop_ops(&count);
    const char *name = cop_role_name(role);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (ops[i]->role != role) continue;
        int wrote = snprintf(
            t->help[role] + used, HELP_MAX - used, "%s%s",
            used ? ", " : (role == COP_ROLE_VARY ? "The operators, in order, out of " : "One of "),
            ops[i]->name);
        COP_ASSERT(wrote > 0 && (size_t)wrote < HELP_MAX - used);
        used += (size_t)wrote;
    }
    COP_ASSERT(used > 0 && used + 2 <= HELP_MAX);
    t->help[role][used] = '.'; /* the rest is zeros */
    const cop_option *begin = &t->row[t->rows];
    cop_option op = {.key = role == COP_ROLE_VARY ? "ops" : "op",
                     .type = role == COP_ROLE_VARY ? COP_OPT_WORDS : COP_OPT_TEXT,
                     .fallback = roles[role].fallback,
                     .unit = "",
                     .effect = COP_SCIENCE,
                     .help = t->help[role]};
    add_row(t, begin, &op);
    for (const cop_option *row = roles[role].common; row && row->key; row++) add_row(t, begin, row);
    for (size_t i = 0; i < count; i++)
        if (ops[i]->role == role && strcmp(ops[i]->section, name) == 0)
            for (const cop_option *row = ops[i]->options; row && row->key; row++)
                add_row(t, begin, row);
    COP_ASSERT(t->rows < ROWS_MAX);
    t->row[t->rows++] = (cop_option){.key = NULL};
    add_section(t, name, roles[role].help, begin);
    for (size_t i = 0; i < count; i++)
        if (ops[i]->role == role && strcmp(ops[i]->section, name) != 0)
            add_section(t, ops[i]->section, ops[i]->summary, ops[i]->options);
}

const cop_section *cop_evo_sections(size_t *count) {
    static tables t;
    if (t.sections == 0) {
        add_section(&t, "population", "The population.", population_options);
        for (cop_role role = 0; role < COP_ROLES; role++) {
            add_role(&t, role);
            if (role == COP_ROLE_FITNESS)
                add_section(&t, "similarity",
                            "EComp's neighbourhood divergence between hidden layers of base "
                            "network and individual.",
                            similarity_options);
        }
        add_section(&t, "stop", "When the search ends.", stop_options);
    }
    *count = t.sections;
    return t.section;
}
