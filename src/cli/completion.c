/* Completion for bash, from the same tables as --help. */
#include "commands.h"

#include <string.h>

static void add_flags(cop_buf *out, const cop_flag *flags) {
    for (const cop_flag *f = flags; f && f->name; f++) cop_buf_printf(out, " --%s", f->name);
}

/* "--data|-d" of every flag whose value is called @p value ("DIR"). */
static void add_taking(cop_buf *out, const char *value) {
    size_t count;
    const cop_command *const *commands = cop_commands(&count);
    cop_list seen = {0};
    for (size_t i = 0; i < count; i++)
        for (const cop_flag *f = commands[i]->flags; f && f->name; f++) {
            bool known = !f->value || strcmp(f->value, value) != 0;
            for (size_t k = 0; k < seen.count; k++) known |= strcmp(seen.items[k], f->name) == 0;
            if (known) continue;
            cop_buf_printf(out, "%s--%s", seen.count ? "|" : "", f->name);
            cop_list_add(&seen, f->name);
        }
    if (!seen.count) cop_buf_printf(out, "--none");
    cop_list_clear(&seen);
}

void cop_completion_write(cop_buf *out) {
    size_t count;
    const cop_command *const *commands = cop_commands(&count);
    cop_buf_printf(
        out, "# bash completion for coppice; written by: coppice help --completion\n"
             "_coppice() {\n"
             "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
             "command=\"\" flags=\"\" i\n"
             "    COMPREPLY=()\n"
             "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
             "        if [[ ${COMP_WORDS[i]} != -* ]]; then command=${COMP_WORDS[i]}; break; fi\n"
             "    done\n"
             "    case $command in\n");
    for (size_t i = 0; i < count; i++) {
        cop_buf_printf(out, "    %s) flags='", commands[i]->name);
        add_flags(out, commands[i]->flags);
        add_flags(out, cop_global_flags);
        cop_buf_printf(out, "' ;;\n");
    }
    cop_buf_printf(out, "    *) flags='");
    add_flags(out, cop_global_flags);
    cop_buf_printf(out, "' ;;\n    esac\n    case $prev in\n    ");
    add_taking(out, "DIR");
    cop_buf_printf(
        out, ") compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); return ;;\n"
             "    --set) compopt -o nospace; mapfile -t COMPREPLY < <(compgen -S = -W '");
    const cop_schema *schema = cop_run_schema();
    for (size_t i = 0; i < schema->count; i++)
        for (const cop_option *o = schema->sections[i].options; o && o->key; o++)
            if (!strchr(schema->sections[i].name, '*'))
                cop_buf_printf(out, "%.*s.%s ", (int)strcspn(schema->sections[i].name, "?"),
                               schema->sections[i].name, o->key);
    cop_buf_printf(out, "' -- \"$cur\"); return ;;\n    esac\n"
                        "    if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "
                        "\"$flags\" -- \"$cur\"); "
                        "return; fi\n"
                        "    if [[ -z $command || $command == help ]]; then\n"
                        "        mapfile -t COMPREPLY < <(compgen -W '");
    for (size_t i = 0; i < count; i++) cop_buf_printf(out, "%s ", commands[i]->name);
    cop_buf_printf(out, "' -- \"$cur\")\n"
                        "        return\n    fi\n"
                        "    compopt -o filenames\n"
                        "    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
                        "}\ncomplete -F _coppice coppice\n");
}
