/** @file cli.h
 *  Commands: one table row each; parser, --help, man page and completion come from the tables.
 */
#ifndef COPPICE_CLI_H
#define COPPICE_CLI_H

#include "coppice/run.h"

/** One option of a command. */
typedef struct cop_flag {
    const char *name;  /**< long name without dashes: "out" */
    char letter;       /**< short form or 0 */
    const char *value; /**< name of its value in help ("DIR"), or NULL for a switch */
    bool repeats;      /**< may be given several times (--set) */
    const char *help;
} cop_flag; /* tables end with a row whose name is NULL */

/** Parsed command line of one command. Text is borrowed from argv. */
typedef struct cop_args {
    const struct cop_command *command;
    const char **words; /**< what is not an option */
    size_t word_count;
    struct {
        const cop_flag *flag;
        const char *value;
    } given[128];
    size_t given_count;
} cop_args;
const char *cop_args_get(const cop_args *args,
                         const char *flag); /**< last value given, NULL if none ("" for a switch) */
bool cop_args_has(const cop_args *args, const char *flag);
/** The k-th value of a repeated flag, NULL past the end. */
const char *cop_args_nth(const cop_args *args, const char *flag, size_t k);

typedef enum cop_command_ranks {
    COP_RANKS_ONE, /**< needs no MPI; under a launcher only rank 0 works */
    COP_RANKS_ALL
} cop_command_ranks;

typedef struct cop_command {
    const char *name;
    const char *synopsis; /**< "CONFIG [options]" */
    const char *summary;  /**< one line */
    const char *details;  /**< paragraphs for --help and the man page */
    const cop_flag *flags;
    size_t min_words, max_words;
    cop_command_ranks ranks;
    cop_status (*run)(const cop_args *args, cop_par *par);
} cop_command;

const cop_command *const *cop_commands(size_t *count);

/** Parse argv[1..]; COP_E_USAGE with nearest names; --help and --version are handled by the caller
 *  through args->command and `given` (flags "help", "version" exist for every command). */
cop_status cop_args_parse(cop_args *args, int argc, char **argv);
void cop_args_clear(cop_args *args);
/** The command line again, in one form, for the record. */
void cop_args_describe(const cop_args *args, cop_buf *out);
void cop_help_write(const cop_command *command /**< NULL: overview */, cop_buf *out);
void cop_man_write(cop_buf *out);        /**< troff man page of everything */
void cop_completion_write(cop_buf *out); /**< bash completion */
void cop_version_write(cop_buf *out);    /**< version, build flags, MPI, HDF5, BLAS, kernel */

#endif
