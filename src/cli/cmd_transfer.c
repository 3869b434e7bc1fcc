/* coppice transfer: the last layer of a network, trained for one task after the other. */
#include <math.h>
#include <string.h>

#include "coppice/cli.h"
#include "task_flags.h"
#include "transfer.h"

static const cop_flag flags[] = {
    COP_TASK_FLAGS,
    {"individual", 'i', "ID", false, "A live individual of a run or checkpoint, not the best."},
    {"epochs", 'e', "N", false, "Passes over the training samples (default 20; as published 5)."},
    {"rate", 0, "RATE", false, "Learning rate (default 0.01; as published 0.001)."},
    {"validation", 0, "SHARE", false,
     "Training samples held back to choose the epoch by (default 0.1; as published none)."},
    {"seed", 0, "S", false, "Seed of order, validation split and dropout (default 1)."},
    {"as-published", 0, NULL, false,
     "As the PADAWANN thesis did it: see docs/baselines.md for what that means."},
    {"out", 'o', "DIR", false, "Write the networks there, one for each task."},
    {"json", 0, NULL, false, "Print one JSON object instead of text (keys: docs/baselines.md)."},
    {0},
};

static cop_status read_numbers(const cop_args *args, cop_transfer *t) {
    const char *epochs = cop_args_get(args, "epochs"), *rate = cop_args_get(args, "rate"),
               *validation = cop_args_get(args, "validation"), *seed = cop_args_get(args, "seed");
    if (epochs && (!cop_parse_u64(epochs, &t->epochs) || t->epochs < 1 || t->epochs > 100000))
        return cop_fail(COP_E_USAGE, "--epochs %s: wanted a whole number from 1 to 100000", epochs);
    /* written so that NaN is refused */
    if (rate && !(cop_parse_double(rate, &t->rate) && t->rate > 0 && t->rate <= 1e6))
        return cop_fail(COP_E_USAGE, "--rate %s: wanted a number above 0, to 1e6", rate);
    if (validation && t->as_published)
        return cop_fail(COP_E_USAGE, "--validation: --as-published holds no samples back");
    if (validation && !(cop_parse_double(validation, &t->validation) && t->validation >= 0 &&
                        t->validation <= 0.9))
        return cop_fail(COP_E_USAGE, "--validation %s: wanted a number from 0 to 0.9", validation);
    if (seed && !cop_parse_u64(seed, &t->seed))
        return cop_fail(COP_E_USAGE, "--seed %s: wanted a whole number", seed);
    return COP_OK;
}

static cop_status transfer(const cop_args *args, cop_par *par) {
    const bool as_published = cop_args_has(args, "as-published");
    cop_transfer t = {.as_published = as_published,
                      .epochs = as_published ? 5 : 20,
                      .seed = 1,
                      .rate = as_published ? 0.001 : 0.01,
                      .validation = as_published ? 0 : 0.1,
                      .folder = cop_args_get(args, "out")};
    const char *id = cop_args_get(args, "individual");
    uint64_t individual = COP_SUBJECT_BEST;
    cop_status status = COP_OK;
    (void)par;
    COP_GO(read_numbers(args, &t));
    if (id && (!cop_parse_u64(id, &individual) || individual == COP_SUBJECT_BEST))
        COP_GO(cop_fail(COP_E_USAGE, "--individual %s: wanted the number of an individual", id));
    COP_GO(cop_subject_open(&t.subject, args->words[0], individual, false));
    COP_GO(cop_subject_no_training(&t.subject));
    COP_GO(cop_judge_open(&t.judge, &t.subject, cop_args_get(args, "config"),
                          cop_args_get(args, "data")));
    COP_GO(cop_task_flags(args, &t.judge, &t.tasks));
    if (t.tasks.count > COP_TASKS_MAX)
        COP_GO(cop_fail(COP_E_USAGE, "%zu tasks, at most %d are possible at a time", t.tasks.count,
                        COP_TASKS_MAX));
    COP_GO(cop_judge_ready(&t.judge, NULL));
    COP_GO(cop_transfer_run(&t));
    cop_transfer_print(&t, cop_args_has(args, "json"));
done:
    cop_transfer_clear(&t);
    return status;
}

const cop_command cop_cmd_transfer = {
    .name = "transfer",
    .synopsis = "NETWORK [options]",
    .summary = "Retrain the last layer for each task: accuracy before and after",
    .details =
        "NETWORK is a run directory (its best network), a checkpoint or a network file. All layers "
        "but the last stay as they are, with the shared weight that is best on the evolution "
        "samples of the task; the last one is trained on the task's train split, beginning anew "
        "with NETWORK for each task, and the epoch with the lowest loss on held-back samples is "
        "kept. Accuracies are those of the test split. With --as-published the values are chosen, "
        "and the training is done, as the PADAWANN thesis did.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1 + COP_TASKS_MAX,
    .ranks = COP_RANKS_ONE,
    .run = transfer,
};
