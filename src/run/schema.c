/* Everything a configuration may hold: the tables of the modules, put together once. */
#include "coppice/op.h"
#include "coppice/run.h"
#include "train/training.h"

static const cop_option run_options[] = {
    {"name", COP_OPT_TEXT, "search", 0, 0, "", NULL, COP_MANNER,
     "Name of the experiment, for folders and tables."},
    {"seed", COP_OPT_INT, "1", 0, 9007199254740992.0, "", NULL, COP_SCIENCE,
     "Every random number of the search is a function of it."},
    {"history", COP_OPT_INT, "0", 0, 1e9, "generations", NULL, COP_SCIENCE,
     "Individuals of at least so many generations are remembered and written into checkpoints; 0: "
     "of all. Bounds memory and checkpoints of long searches; the digest is another, the search "
     "is not."},
    {0},
};

static const cop_option checkpoint_options[] = {
    {"every", COP_OPT_INT, "10", 0, 1e9, "generations", NULL, COP_MANNER,
     "Write a checkpoint after so many generations; 0: not by count."},
    {"seconds", COP_OPT_REAL, "300", 0, 1e9, "s", NULL, COP_MANNER,
     "Write a checkpoint when the last one is so old; 0: not by time."},
    {"keep", COP_OPT_INT, "2", 1, 1e6, "files", NULL, COP_MANNER,
     "Checkpoints to keep; older ones are removed."},
    {"keep_every", COP_OPT_INT, "0", 0, 1e9, "generations", NULL, COP_MANNER,
     "Never remove checkpoints of generations divisible by this; 0: none."},
    {0},
};

static const cop_option parallel_options[] = {
    {"block", COP_OPT_INT, "0", 0, 1e6, "individuals", NULL, COP_MANNER,
     "Individuals in a work unit; 0: chosen from the number of workers. Never moves a result."},
    {"patience", COP_OPT_REAL, "600", 0, 1e9, "s", NULL, COP_MANNER,
     "A worker that is silent for so long, and for four times the longest unit so far, is given "
     "up; "
     "0: never."},
    {"memory", COP_OPT_BYTES, "0", 0, 0, "", NULL, COP_MANNER,
     "Memory that a rank may take: fewer individuals and samples are held at a time, and a run "
     "that "
     "needs more does not begin; 0: no limit. K, M, G and T are powers of 1024."},
    {0},
};

static const cop_section own_sections[] = {
    {"run", "The experiment.", run_options},
    {"network", "The network whose edges are searched.", cop_network_options},
    {"base", "How the base network is trained, or where it is read from.", cop_base_options},
    {"train?",
     "Plain training of a network of live edges instead of a search; sections of searches are not "
     "used then.",
     cop_training_options},
    {"task.*", "A task: samples with labels; any number of sections task.NAME.", cop_task_options},
    {"checkpoint", "When checkpoints are written and which are kept.", checkpoint_options},
    {"parallel", "How work is cut.", parallel_options},
};

enum { OWN = sizeof own_sections / sizeof *own_sections, SECTIONS_MAX = 96 };

const cop_schema *cop_run_schema(void) {
    static cop_section sections[SECTIONS_MAX];
    static cop_schema schema;
    if (schema.count) return &schema;
    size_t count = 0, evo_count;
    for (size_t i = 0; i < OWN; i++) sections[count++] = own_sections[i];
    const cop_section *evo = cop_evo_sections(&evo_count);
    COP_ASSERT(OWN + evo_count <= SECTIONS_MAX);
    for (size_t i = 0; i < evo_count; i++) sections[count++] = evo[i];
    schema = (cop_schema){sections, count};
    return &schema;
}
