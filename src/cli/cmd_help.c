/* coppice help: the overview, one command, the man page, completion, the reference of options. */
#include "commands.h"

static const cop_flag flags[] = {
    {"man", 0, NULL, false, "Print the manual page (troff)."},
    {"completion", 0, NULL, false, "Print the completion script for bash."},
    {"config", 0, NULL, false, "Print the reference of all configuration options."},
    {"markdown", 0, NULL, false, "With --config: as Markdown."},
    {0}};

static cop_status run(const cop_args *args, cop_par *par) {
    (void)par;
    cop_buf out = {0};
    cop_status status = COP_OK;
    bool man = cop_args_has(args, "man"), completion = cop_args_has(args, "completion"),
         config = cop_args_has(args, "config");
    if (man + completion + config + (args->word_count > 0) > 1 ||
        (cop_args_has(args, "markdown") && !config))
        COP_GO(cop_fail(COP_E_USAGE, "help: give one of COMMAND, --man, --completion, "
                                     "--config [--markdown]"));
    if (man) {
        cop_man_write(&out);
    } else if (completion) {
        cop_completion_write(&out);
    } else if (config) {
        cop_schema_write_reference(cop_run_schema(), &out, cop_args_has(args, "markdown"));
    } else if (args->word_count) {
        const cop_command *command = cop_command_find(args->words[0]);
        if (!command) COP_GO(cop_command_unknown(args->words[0]));
        cop_help_write(command, &out);
    } else {
        cop_help_write(NULL, &out);
    }
    fputs(cop_buf_text(&out), stdout);
done:
    cop_buf_clear(&out);
    return status;
}

const cop_command cop_cmd_help = {
    .name = "help",
    .synopsis = "[COMMAND] [options]",
    .summary = "Explain coppice or one of its commands",
    .details =
        "Without a word: an overview. The manual page, completion and the reference of options "
        "are made from the same tables as this text.",
    .flags = flags,
    .max_words = 1,
    .ranks = COP_RANKS_ONE,
    .run = run};
