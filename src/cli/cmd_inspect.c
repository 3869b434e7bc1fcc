#include "coppice/cli.h"

#include "coppice/report.h"

static const cop_flag flags[] = {
    {"json", 0, NULL, false, "Print one JSON object instead of text (keys: docs/inspect.md)."},
    {"all", 'a', NULL, false, "Show every row of the generation table."},
    {"population", 'p', NULL, false,
     "Show the living individuals instead, in the order of their ranks."},
    {"individual", 'i', "ID", false,
     "Show the network of this live individual instead of the best."},
    {0},
};

static cop_status inspect(const cop_args *args, cop_par *par) {
    cop_subject subject = {0};
    cop_buf text = {0};
    uint64_t individual = COP_SUBJECT_BEST;
    const char *id = cop_args_get(args, "individual");
    cop_status status = COP_OK;
    (void)par;
    if (id && (!cop_parse_u64(id, &individual) || individual == COP_SUBJECT_BEST))
        return cop_fail(COP_E_USAGE, "--individual %s: wanted the number of an individual", id);
    COP_GO(cop_subject_open(&subject, args->words[0], individual, true));
    json_t *description = cop_describe_subject(&subject);
    if (cop_args_has(args, "json"))
        cop_json_print(description, stdout);
    else {
        if (cop_args_has(args, "population") && !subject.trained)
            cop_describe_write_population(description, &text);
        else
            cop_describe_write(description, cop_args_has(args, "all"), &text);
        fputs(cop_buf_text(&text), stdout);
        json_decref(description);
    }
done:
    cop_buf_clear(&text);
    cop_subject_close(&subject);
    return status;
}

const cop_command cop_cmd_inspect = {
    .name = "inspect",
    .synopsis = "DIR|FILE [options]",
    .summary = "Show what a run directory, checkpoint or network file holds",
    .details = "A run directory: status, generations, the best individual with its accuracy on "
               "every task, its "
               "layers with live edges, the configuration, and the files in the ledger. A "
               "checkpoint: the same "
               "without directory. A network file: layers, shapes, live edges and density per "
               "layer, bytes, "
               "multiply-adds per sample, how edges get their weights.\n"
               "Of a run directory the newest checkpoint that can be read is shown; warnings name "
               "those that "
               "cannot. Files are read only, also while the run goes on.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .ranks = COP_RANKS_ONE,
    .run = inspect,
};
