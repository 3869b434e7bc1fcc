/* coppice check: everything that can be wrong with a configuration, before the cluster finds out.
 */
#include "compose.h"
#include "config_flags.h"
#include "memory_flag.h"
#include "run/training.h"

static const cop_flag flags[] = {
    COP_FLAG_DATA,
    COP_FLAG_SET,
    COP_FLAG_MEMORY,
    {"print-config", 0, NULL, false, "Print the resolved configuration instead of the estimate."},
    {"no-data", 0, NULL, false, "Do not look for the data; work and their memory stay unknown."},
    {0}};

static cop_status check(const cop_args *args, cop_par *par) {
    (void)par;
    cop_conf *conf = NULL;
    char *memory = NULL;
    cop_composition composition = {0};
    cop_data_facts facts = {0};
    cop_buf out = {0};
    cop_status status = COP_OK;
    COP_GO(cop_memory_assignment(args, &memory));
    COP_GO(cop_flags_conf(args, args->words[0], &conf));
    if (memory) COP_GO(cop_conf_set(conf, memory));
    if (cop_training_wanted(conf)) {
        const bool read = !cop_args_has(args, "no-data");
        cop_buf_printf(&out, "%s is sound%s\n", args->words[0],
                       read ? "" : " (data were not looked at)");
        COP_GO(cop_training_estimate(conf, read ? cop_flags_data(args) : NULL, read, &out));
        goto say;
    }
    COP_GO(cop_composition_create(&composition, conf));
    COP_GO(cop_composition_try(&composition));
    if (!cop_args_has(args, "no-data"))
        COP_GO(cop_composed_read_data(&composition, cop_flags_data(args), &facts));
    cop_buf_printf(&out, "%s is sound%s\n", args->words[0],
                   facts.known ? "" : " (data were not looked at)");
    COP_GO(cop_composed_estimate(&composition, &facts, &out));
say:
    if (cop_args_has(args, "print-config")) {
        cop_buf_reset(&out);
        cop_conf_write(conf, &out, COP_CONF_ALL);
    }
    fputs(cop_buf_text(&out), stdout);
done:
    cop_free(memory);
    cop_buf_clear(&out);
    cop_composition_clear(&composition);
    cop_conf_destroy(conf);
    return status;
}

const cop_command cop_cmd_check = {
    .name = "check",
    .synopsis = "CONFIG [options]",
    .summary = "Check a configuration and estimate memory, work and file size",
    .details =
        "Reads the configuration, composes network, operators and evaluator, reads the samples of "
        "every task, and says what a search needs. Bounds are for every edge live and every "
        "generation born. Status 78 when the configuration is wrong.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .ranks = COP_RANKS_ONE,
    .run = check};
