/* The program: parse, start ranks, run one command, report the outcome once. */
#include "commands.h"

#include "coppice/la.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

/* A standard stream closed by the caller would give its number to the next file opened, and what is
 * meant for the screen would go into that file. Occupy it with something that fails instead. */
static void occupy_standard_streams(void) {
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            if (open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd) _exit(1);
}

/* Look for leaks while MPI still holds what is its own: it unloads parts of itself with memory in
 * hand. */
static void check_leaks(void) {
#ifdef __SANITIZE_ADDRESS__
    __lsan_do_leak_check();
#endif
}

/* Were we started as one of several ranks? Then MPI must be started even for commands that need
 * none, or the launcher waits for it. */
static bool under_launcher(void) {
    return getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMIX_RANK") || getenv("PMI_RANK") ||
           (getenv("SLURM_PROCID") && getenv("SLURM_STEP_ID"));
}

/* What was printed counts only once it is written: a full disk must not look like success. */
static cop_status flush_output(void) {
    bool failed = ferror(stdout) != 0;
    if (fflush(stdout) != 0 || failed)
        return cop_fail(COP_E_IO, "standard output cannot be written: %s", strerror(errno));
    return COP_OK;
}

static cop_status print(void (*write)(cop_buf *out)) {
    cop_buf out = {0};
    write(&out);
    fputs(cop_buf_text(&out), stdout);
    cop_buf_clear(&out);
    return COP_OK;
}

static cop_status print_help(const cop_command *command) {
    cop_buf out = {0};
    cop_help_write(command, &out);
    fputs(cop_buf_text(&out), stdout);
    cop_buf_clear(&out);
    return COP_OK;
}

static cop_status on_first_rank(const cop_args *args, cop_par *par) {
    if (cop_args_has(args, "help")) return print_help(args->command);
    if (cop_args_has(args, "version")) return print(cop_version_write);
    /* the command sees one rank: it must not wait for the others */
    cop_par alone = *par;
    alone.size = alone.nodes = 1;
    return args->command->run(args, &alone);
}

static bool needs_all_ranks(const cop_args *args) {
    return args->command && args->command->ranks == COP_RANKS_ALL && !cop_args_has(args, "help") &&
           !cop_args_has(args, "version");
}

static cop_status run(const cop_args *args, cop_par *par) {
    cop_status status = COP_OK;
    if (needs_all_ranks(args)) {
        status = args->command->run(args, par);
        if (par->rank == 0 && status == COP_OK) status = flush_output();
        return status;
    }
    if (par->rank == 0) {
        status = on_first_rank(args, par);
        if (status == COP_OK) status = flush_output();
    }
    return cop_par_agree(par, status);
}

int main(int argc, char **argv) {
    cop_par par;
    cop_args args;
    occupy_standard_streams();
    cop_memory_begin();
    cop_blas_one_thread();
    cop_status status = cop_args_parse(&args, argc, argv);
    bool parsed = status == COP_OK;
    bool all = parsed && needs_all_ranks(&args);
    char *message = cop_strdup(cop_error_message());
    status = cop_par_start(&par, &argc, &argv, all || under_launcher());
    if (status == COP_OK && !parsed) status = cop_fail(COP_E_USAGE, "%s", message);
    cop_free(message);
    if (status == COP_OK) status = run(&args, &par);

    const char *task = getenv("SLURM_PROCID");
    bool speaks = par.rank == 0 && (par.size > 1 || !task || strcmp(task, "0") == 0 ||
                                    getenv("OMPI_COMM_WORLD_SIZE"));
    if (status != COP_OK && speaks) {
        if (argc < 2 && !parsed) {
            cop_buf usage = {0};
            cop_usage_write(&usage);
            fputs(cop_buf_text(&usage), stderr);
            cop_buf_clear(&usage);
        } else if (*cop_error_message()) {
            fprintf(stderr, "coppice: %s%s\n",
                    status == COP_E_STOPPED ? "" : "error: ", cop_error_message());
        }
    }
    cop_args_clear(&args);
    check_leaks();
    cop_par_finish(&par, cop_status_exit_code(status));
    return cop_status_exit_code(status);
}
