/* The manual page, from the same tables as --help. */
#include "commands.h"

#include "version.h"

#include <string.h>

/* Text for troff: no line may begin with its control characters, and a dash that is typed is "\-".
 */
static void add(cop_buf *out, const char *text) {
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\'')) cop_buf_printf(out, "\\&");
        start = *text == '\n';
        if (*text == '\\')
            cop_buf_printf(out, "\\e");
        else if (*text == '-')
            cop_buf_printf(out, "\\-");
        else
            cop_buf_printf(out, "%c", *text);
    }
}

/* Paragraphs are parted by empty lines; lines that begin with a blank stay as they are. */
static void add_details(cop_buf *out, const char *text) {
    bool example = false;
    while (*text) {
        size_t length = strcspn(text, "\n");
        char *line = cop_sprintf("%.*s", (int)length, text);
        if (!*line && !example) cop_buf_printf(out, ".PP\n");
        if (example != (*line == ' ')) {
            example = !example;
            cop_buf_printf(out, example ? ".PP\n.nf\n" : ".fi\n.PP\n");
        }
        add(out, line);
        if (*line) cop_buf_printf(out, "\n");
        cop_free(line);
        text += length + (text[length] == '\n');
    }
    if (example) cop_buf_printf(out, ".fi\n");
}

static void add_flags(cop_buf *out, const cop_flag *flags) {
    for (const cop_flag *f = flags; f && f->name; f++) {
        cop_buf_printf(out, ".TP\n");
        if (f->letter) cop_buf_printf(out, "\\fB\\-%c\\fR, ", f->letter);
        cop_buf_printf(out, "\\fB\\-\\-");
        add(out, f->name);
        cop_buf_printf(out, "\\fR");
        if (f->value) {
            cop_buf_printf(out, "=\\fI");
            add(out, f->value);
            cop_buf_printf(out, "\\fR");
        }
        cop_buf_printf(out, "\n");
        add(out, f->help);
        cop_buf_printf(out, f->repeats ? " May be given several times.\n" : "\n");
    }
}

static void add_command(cop_buf *out, const cop_command *command) {
    cop_buf_printf(out, ".SS \"%s %s\"\n", command->name, command->synopsis);
    char *summary = cop_sprintf("%.*s.\n", (int)cop_summary_length(command), command->summary);
    add(out, summary);
    cop_free(summary);
    if (command->details && *command->details) {
        cop_buf_printf(out, ".PP\n");
        add_details(out, command->details);
    }
    add_flags(out, command->flags);
}

void cop_man_write(cop_buf *out) {
    size_t count;
    const cop_command *const *commands = cop_commands(&count);
    cop_buf_printf(
        out,
        ".TH COPPICE 1 \"\" \"coppice %s\" \"User Commands\"\n"
        ".SH NAME\ncoppice \\- evolutionary search for sparse neural networks over MPI\n"
        ".SH SYNOPSIS\n.B coppice\n.I COMMAND\n[options]\n.br\n"
        ".B mpirun \\-np\n.I N\n.B coppice run\n.I CONFIG\n[options]\n"
        ".SH DESCRIPTION\n"
        "coppice takes a trained network, the base network, and evolves a population of "
        "sparse networks that keep a part of its edges. What is searched, on which tasks "
        "and by which operators is said by a configuration file. Rank 0 is the master, "
        "all others evaluate; one rank alone does both. A result is a function of "
        "configuration, data and seed, not of the number of ranks.\n"
        ".SH COMMANDS\n",
        COP_VERSION);
    for (size_t i = 0; i < count; i++) add_command(out, commands[i]);
    cop_buf_printf(out, ".SH \"OPTIONS OF EVERY COMMAND\"\n");
    add_flags(out, cop_global_flags);
    cop_buf_printf(out,
                   ".SH CONFIGURATION\n"
                   "INI text: sections, \\fIkey\\fR = \\fIvalue\\fR, comments with ';' or '#'. "
                   "Indented lines continue a value. "
                   "\\fBinclude\\fR = \\fIFILE\\fR before the first section reads another file "
                   "first; later values win.\n.PP\n.nf\n");
    cop_buf reference = {0};
    cop_schema_write_reference(cop_run_schema(), &reference, false);
    add(out, cop_buf_text(&reference));
    cop_buf_clear(&reference);
    cop_buf_printf(out,
                   ".fi\n.SH ENVIRONMENT\n"
                   ".TP\n.B COPPICE_DATA\nFolder with the data sets; the default of "
                   "\\-\\-data.\n"
                   ".TP\n.B COPPICE_CACHE\nFolder for trained base networks; default: coppice in "
                   "XDG_CACHE_HOME or in ~/.cache.\n"
                   ".TP\n.B COPPICE_KERNEL\nInteger kernel to use instead of the fastest one.\n"
                   ".TP\n.B COPPICE_RANKS_PER_NODE\nTreat every so many ranks as a node of "
                   "their own (tests).\n"
                   ".SH \"EXIT STATUS\"\n"
                   ".TP\n.B 0\nFinished.\n.TP\n.B 75\nStopped with a good checkpoint; run "
                   "again.\n"
                   ".TP\n.B 64\nWrong usage.\n.TP\n.B 78\nWrong configuration.\n"
                   ".TP\n.B 1\nFailure.\n");
}
