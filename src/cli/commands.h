/* Shared by the files of cli only. */
#ifndef COPPICE_CLI_COMMANDS_H
#define COPPICE_CLI_COMMANDS_H

#include "coppice/cli.h"

#define COP_COMMAND(name, heading) extern const cop_command cop_cmd_##name;
#include "list.h"
#undef COP_COMMAND

/** Flags that every command has: help, version. */
extern const cop_flag cop_global_flags[];
/** Heading of the command with that number. */
const char *cop_command_heading(size_t index);
/** The command of that name, NULL if there is none. */
const cop_command *cop_command_find(const char *name);
/** COP_E_USAGE with the nearest name. */
cop_status cop_command_unknown(const char *name);
/** Bytes of the summary without a full stop at its end. */
size_t cop_summary_length(const cop_command *command);
/** The short text for a command line without a command. */
void cop_usage_write(cop_buf *out);

#endif
