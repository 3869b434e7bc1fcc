/* Help on the screen, from the tables of commands and flags. */
#include "commands.h"

#include <string.h>

#define FLAG_COLUMN 26

static const char *repeats_text(const cop_flag *flag) {
    size_t length = strlen(flag->help);
    if (!flag->repeats) return "";
    return length && flag->help[length - 1] == '.' ? " May be given several times."
                                                   : "; may be given several times";
}

static void write_flags(const cop_flag *flags, cop_buf *out) {
    for (const cop_flag *f = flags; f && f->name; f++) {
        char left[80];
        int length = f->letter ? snprintf(left, sizeof left, "  -%c, --%s", f->letter, f->name)
                               : snprintf(left, sizeof left, "      --%s", f->name);
        if (f->value && length > 0 && (size_t)length < sizeof left)
            length += snprintf(left + length, sizeof left - (size_t)length, "=%s", f->value);
        if (length + 2 > FLAG_COLUMN)
            cop_buf_printf(out, "%s\n%*s", left, FLAG_COLUMN, "");
        else
            cop_buf_printf(out, "%-*s", FLAG_COLUMN, left);
        char *text = cop_sprintf("%s%s", f->help, repeats_text(f));
        cop_buf_fill(out, text, FLAG_COLUMN, FLAG_COLUMN);
        cop_free(text);
    }
}

static void write_commands(cop_buf *out) {
    size_t count;
    const cop_command *const *commands = cop_commands(&count);
    const char *heading = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(heading, cop_command_heading(i)) != 0)
            cop_buf_printf(out, "\n%s\n", cop_command_heading(i));
        heading = cop_command_heading(i);
        cop_buf_printf(out, "  %-10s %.*s\n", commands[i]->name,
                       (int)cop_summary_length(commands[i]), commands[i]->summary);
    }
}

void cop_usage_write(cop_buf *out) {
    cop_buf_printf(out, "usage: coppice COMMAND [options]\n"
                        "       mpirun -np N coppice run CONFIG [options]\n");
    write_commands(out);
    cop_buf_printf(out, "\n'coppice help COMMAND' explains one of them.\n");
}

static void write_overview(cop_buf *out) {
    cop_buf_printf(out, "coppice: evolutionary search for sparse neural networks over MPI\n\n");
    cop_usage_write(out);
    cop_buf_printf(out, "\nOptions of every command\n");
    write_flags(cop_global_flags, out);
    cop_buf_printf(out,
                   "\nEnvironment\n"
                   "  COPPICE_DATA    folder with the data sets; the default of --data\n"
                   "  COPPICE_CACHE   folder for trained base networks\n"
                   "  COPPICE_KERNEL  integer kernel to use instead of the fastest one\n"
                   "\nExit status\n"
                   "  0 finished, 75 stopped with a good checkpoint (run again), 64 wrong usage,\n"
                   "  78 wrong configuration, 1 failure\n");
}

void cop_help_write(const cop_command *command, cop_buf *out) {
    if (!command) {
        write_overview(out);
        return;
    }
    cop_buf_printf(out, "usage: coppice %s%s%s\n\n%.*s.\n", command->name,
                   *command->synopsis ? " " : "", command->synopsis,
                   (int)cop_summary_length(command), command->summary);
    if (command->details && *command->details) {
        cop_buf_printf(out, "\n");
        cop_buf_fill(out, command->details, 0, 0);
    }
    cop_buf_printf(out, "\nOptions\n");
    write_flags(command->flags, out);
    write_flags(cop_global_flags, out);
}
