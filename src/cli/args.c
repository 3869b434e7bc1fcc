/* Command lines in the GNU manner: --out DIR, --out=DIR, -o DIR, -oDIR, -ab, and -- before words
 * that begin with a dash. */
#include "commands.h"

#include <string.h>

#define GIVEN_MOST (sizeof((cop_args *)0)->given / sizeof *((cop_args *)0)->given)

/* The k-th flag of the command, then those that every command has; NULL past the end. */
static const cop_flag *flag_at(const cop_command *command, size_t k) {
    const cop_flag *tables[2] = {command ? command->flags : NULL, cop_global_flags};
    for (size_t t = 0; t < 2; t++)
        for (const cop_flag *f = tables[t]; f && f->name; f++)
            if (k-- == 0) return f;
    return NULL;
}

static const cop_flag *find_long(const cop_command *command, const char *name, size_t length) {
    const cop_flag *flag;
    for (size_t k = 0; (flag = flag_at(command, k)); k++)
        if (strlen(flag->name) == length && strncmp(flag->name, name, length) == 0) return flag;
    return NULL;
}

static const cop_flag *find_letter(const cop_command *command, char letter) {
    const cop_flag *flag;
    for (size_t k = 0; (flag = flag_at(command, k)); k++)
        if (flag->letter == letter) return flag;
    return NULL;
}

/* Name of the command in messages. */
static const char *name_of(const cop_args *args) {
    return args->command ? args->command->name : "coppice";
}

static cop_status unknown_option(const cop_args *args, const char *name, size_t length) {
    const char *names[64];
    size_t count = 0;
    const cop_flag *flag;
    for (size_t k = 0; (flag = flag_at(args->command, k)) && count < 64; k++)
        names[count++] = flag->name;
    char *word = cop_sprintf("%.*s", (int)length, name);
    const char *near = cop_nearest(word, names, count);
    if (near)
        cop_fail(COP_E_USAGE, "%s: there is no option --%s; did you mean --%s?", name_of(args),
                 word, near);
    else
        cop_fail(COP_E_USAGE, "%s: there is no option --%s; see --help", name_of(args), word);
    cop_free(word);
    return COP_E_USAGE;
}

static cop_status add(cop_args *args, const cop_flag *flag, const char *value) {
    if (args->given_count == GIVEN_MOST)
        return cop_fail(COP_E_USAGE, "%s: more than %zu options", name_of(args), GIVEN_MOST);
    args->given[args->given_count].flag = flag;
    args->given[args->given_count++].value = value ? value : "";
    return COP_OK;
}

static cop_status missing_value(const cop_args *args, const cop_flag *flag) {
    return cop_fail(COP_E_USAGE, "%s: --%s needs a value: --%s=%s", name_of(args), flag->name,
                    flag->name, flag->value);
}

/* --name, --name=value or --name value; *i moves past a separate value. */
static cop_status parse_long(cop_args *args, int argc, char **argv, int *i) {
    const char *name = argv[*i] + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const cop_flag *flag = find_long(args->command, name, length);
    if (!flag) return unknown_option(args, name, length);
    if (!flag->value && equals)
        return cop_fail(COP_E_USAGE, "%s: --%s takes no value", name_of(args), flag->name);
    if (!flag->value) return add(args, flag, NULL);
    if (equals) return add(args, flag, equals + 1);
    if (*i + 1 >= argc) return missing_value(args, flag);
    return add(args, flag, argv[++*i]);
}

/* -a, -ab, -oDIR or -o DIR */
static cop_status parse_letters(cop_args *args, int argc, char **argv, int *i) {
    for (const char *c = argv[*i] + 1; *c; c++) {
        const cop_flag *flag = find_letter(args->command, *c);
        if (!flag)
            return cop_fail(COP_E_USAGE, "%s: there is no option -%c; see --help", name_of(args),
                            *c);
        if (!flag->value) {
            COP_TRY(add(args, flag, NULL));
            continue;
        }
        if (c[1]) return add(args, flag, c + 1);
        if (*i + 1 >= argc) return missing_value(args, flag);
        return add(args, flag, argv[++*i]);
    }
    return COP_OK;
}

static cop_status check_words(const cop_args *args) {
    const cop_command *command = args->command;
    if (cop_args_has(args, "help") || cop_args_has(args, "version")) return COP_OK;
    if (args->word_count < command->min_words) {
        /* the synopsis begins with the names of the words */
        const char *name = command->synopsis;
        for (size_t k = 0; k < args->word_count; k++) name += strcspn(name, " ") + 1;
        return cop_fail(COP_E_USAGE, "%s: %.*s is missing; usage: coppice %s %s", command->name,
                        (int)strcspn(name, " "), name, command->name, command->synopsis);
    }
    if (args->word_count > command->max_words)
        return cop_fail(COP_E_USAGE, "%s: '%s' is one word too many; usage: coppice %s %s",
                        command->name, args->words[command->max_words], command->name,
                        command->synopsis);
    return COP_OK;
}

cop_status cop_args_parse(cop_args *args, int argc, char **argv) {
    bool only_words = false;
    *args = (cop_args){0};
    args->words = COP_NEW_ARRAY(const char *, argc > 0 ? (size_t)argc : 1);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (only_words || word[0] != '-' || !word[1]) {
            if (args->command) {
                args->words[args->word_count++] = word;
            } else {
                args->command = cop_command_find(word);
                if (!args->command) return cop_command_unknown(word);
            }
        } else if (strcmp(word, "--") == 0) {
            only_words = true;
        } else if (word[1] == '-') {
            COP_TRY(parse_long(args, argc, argv, &i));
        } else {
            COP_TRY(parse_letters(args, argc, argv, &i));
        }
    }
    if (args->command) return check_words(args);
    if (args->given_count) return COP_OK;
    return cop_fail(COP_E_USAGE, "a command is missing; 'coppice help' shows all");
}

void cop_args_clear(cop_args *args) {
    cop_free((void *)args->words);
    *args = (cop_args){0};
}

const char *cop_args_get(const cop_args *args, const char *flag) {
    const char *value = NULL;
    for (size_t i = 0; i < args->given_count; i++)
        if (strcmp(args->given[i].flag->name, flag) == 0) value = args->given[i].value;
    return value;
}

bool cop_args_has(const cop_args *args, const char *flag) {
    return cop_args_get(args, flag) != NULL;
}

const char *cop_args_nth(const cop_args *args, const char *flag, size_t k) {
    for (size_t i = 0; i < args->given_count; i++)
        if (strcmp(args->given[i].flag->name, flag) == 0 && k-- == 0) return args->given[i].value;
    return NULL;
}

void cop_args_describe(const cop_args *args, cop_buf *out) {
    cop_buf_printf(out, "coppice %s", args->command->name);
    for (size_t i = 0; i < args->word_count; i++) cop_buf_printf(out, " %s", args->words[i]);
    for (size_t i = 0; i < args->given_count; i++) {
        cop_buf_printf(out, " --%s", args->given[i].flag->name);
        if (args->given[i].flag->value) cop_buf_printf(out, " %s", args->given[i].value);
    }
}
