/* The table of commands. */
#include "commands.h"

#include <string.h>

static const cop_command *const commands[] = {
#define COP_COMMAND(name, heading) &cop_cmd_##name,
#include "list.h"
#undef COP_COMMAND
};

static const char *const headings[] = {
#define COP_COMMAND(name, heading) heading,
#include "list.h"
#undef COP_COMMAND
};

#define COUNT (sizeof commands / sizeof *commands)

const cop_flag cop_global_flags[] = {
    {"help", 'h', NULL, false, "Show what the command does and its options."},
    {"version", 'V', NULL, false, "Show version, build and libraries."},
    {0}};

const cop_command *const *cop_commands(size_t *count) {
    *count = COUNT;
    return commands;
}

const char *cop_command_heading(size_t index) {
    COP_ASSERT(index < COUNT);
    return headings[index];
}

const cop_command *cop_command_find(const char *name) {
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

cop_status cop_command_unknown(const char *name) {
    const char *names[COUNT];
    for (size_t i = 0; i < COUNT; i++) names[i] = commands[i]->name;
    const char *near = cop_nearest(name, names, COUNT);
    return near ? cop_fail(COP_E_USAGE, "there is no command '%s'; did you mean '%s'?", name, near)
                : cop_fail(COP_E_USAGE, "there is no command '%s'; 'coppice help' shows all", name);
}

size_t cop_summary_length(const cop_command *command) {
    size_t length = strlen(command->summary);
    return length - (length && command->summary[length - 1] == '.');
}
