/* Start-up, agreement and broadcast. A blocking MPI call spins at full speed, so every wait here is
 * a non-blocking operation polled with naps. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void cop_nap(unsigned microseconds) {
    struct timespec t = {0, (long)microseconds * 1000};
    nanosleep(&t, NULL);
}

void cop_wait(MPI_Request *request) {
    int done = 0;
    unsigned nap = 20;
    for (;;) {
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (done) return;
        cop_nap(nap);
        if (nap < 1000) nap *= 2;
    }
}

/* The world of cop_memory_on_exhausted, which has no argument for it. Set once at start. */
static const cop_par *exhausted_par;

static void exhausted(size_t bytes, const char *message) {
    (void)bytes;
    const cop_par *par = exhausted_par;
    fprintf(stderr, "coppice: error: rank %d on %s: %s\n", par->rank, par->host, message);
    cop_par_abort(par, 1);
}

static cop_status check_launcher(const cop_par *par) {
    const char *tasks = getenv("SLURM_STEP_NUM_TASKS");
    int64_t n;
    if (par->size == 1 && tasks && cop_parse_i64(tasks, &n) && n > 1 &&
        !getenv("OMPI_COMM_WORLD_SIZE"))
        return cop_fail(COP_E_USAGE,
                        "Slurm started %s tasks but MPI sees each of them alone: start with 'srun "
                        "--mpi=pmix' or with mpirun inside sbatch (docs/running.md)",
                        tasks);
    return COP_OK;
}

void cop_par_find_nodes(cop_par *par, cop_par_impl *impl) {
    MPI_Comm_split_type(impl->comm, MPI_COMM_TYPE_SHARED, par->rank, MPI_INFO_NULL, &impl->node);
    const char *split = getenv("COPPICE_RANKS_PER_NODE");
    int64_t per_node;
    if (split && cop_parse_i64(split, &per_node) && per_node > 0 && per_node < par->size) {
        MPI_Comm part;
        MPI_Comm_split(impl->node, par->rank / (int)per_node, par->rank, &part);
        MPI_Comm_free(&impl->node);
        impl->node = part;
    }
    MPI_Comm_rank(impl->node, &par->node_rank);
    MPI_Comm_size(impl->node, &par->node_size);
    /* nodes are numbered by their first ranks */
    int first = par->rank, leader = par->node_rank == 0, before = 0;
    MPI_Bcast(&first, 1, MPI_INT, 0, impl->node);
    MPI_Allreduce(&leader, &par->nodes, 1, MPI_INT, MPI_SUM, impl->comm);
    MPI_Exscan(&leader, &before, 1, MPI_INT, MPI_SUM, impl->comm);
    par->node = par->rank == 0 ? 0 : before;
    MPI_Bcast(&par->node, 1, MPI_INT, 0, impl->node);
}

/* Open MPI's launcher lets a job outlive a rank only when told to, which it tells the ranks too. */
static bool told_to_survive(void) {
#ifdef OPEN_MPI
    const char *told = getenv("OMPI_MCA_orte_enable_recovery");
    /* srun ends the step when a task dies, whatever Open MPI's variables say */
    if (!told || !getenv("OMPI_MCA_orte_hnp_uri")) return false;
    return strcmp(told, "1") == 0 || strcmp(told, "true") == 0;
#else
    return false;
#endif
}

/* Where srun is not told which interface MPI wants, Open MPI ends each process in its start, with a
 * page of advice that names no remedy: say first what helps. */
static void warn_of_srun(void) {
#ifdef OPEN_MPI
    const char *process = getenv("SLURM_PROCID");
    if (process && strcmp(process, "0") == 0 && getenv("SLURM_STEP_ID") &&
        !getenv("OMPI_COMM_WORLD_SIZE") && !getenv("PMIX_NAMESPACE"))
        cop_log(COP_LOG_WARNING, "srun without --mpi=pmix: should MPI not start now, use 'srun "
                                 "--mpi=pmix', or mpirun inside sbatch (docs/running.md)");
#endif
}

cop_status cop_par_start(cop_par *par, int *argc, char ***argv, bool use_mpi) {
    *par = (cop_par){.rank = 0, .size = 1, .nodes = 1, .node_size = 1};
    cop_par_impl *impl = COP_NEW(cop_par_impl);
    par->impl = impl;
    if (gethostname(par->host, sizeof par->host - 1) != 0) strcpy(par->host, "localhost");
    if (use_mpi) {
        int threads; /* one watches other processes; only this one calls MPI */
        warn_of_srun();
        MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &threads);
        impl->finalise = true;
        MPI_Comm_dup(MPI_COMM_WORLD, &impl->comm);
        MPI_Comm_rank(impl->comm, &par->rank);
        MPI_Comm_size(impl->comm, &par->size);
        cop_par_find_nodes(par, impl);
    }
    cop_par_find_peers(par, impl);
    cop_fault_rank(par->rank);
    if (par->size > 1) {
        par->survives = told_to_survive();
        cop_watch_start(par);
    }
    cop_fault_point("start");
    exhausted_par = par;
    cop_memory_on_exhausted(exhausted);
    return check_launcher(par);
}

void cop_par_end(cop_par *par) {
    cop_par_impl *impl = par->impl;
    if (!impl) return;
    cop_memory_on_exhausted(NULL);
    exhausted_par = NULL;
    if (impl->finalise) {
        cop_par_barrier(par);
        cop_watch_stop();
        cop_par_free_windows(impl);
        MPI_Comm_free(&impl->node);
        MPI_Comm_free(&impl->comm);
        MPI_Finalize();
    }
    cop_free(impl->host);
    cop_free(impl->pid);
    cop_free(impl);
    par->impl = NULL;
}

/* For whoever started mpirun, whose own status says nothing once a rank was lost: written whole. */
static void leave_status(const cop_par *par, int exit_code) {
    const char *path = getenv("COPPICE_STATUS_FILE");
    if (!path || !*path) return;
    char *aside = cop_sprintf("%s.tmp", path);
    FILE *file = fopen(aside, "w");
    bool written =
        file && fprintf(file, "%d %s\n", exit_code,
                        par->impl && cop_par_inside(par)->broken ? "broken" : "ended") > 0;
    if (file) written = fclose(file) == 0 && written;
    if (!written || rename(aside, path) != 0) unlink(aside);
    cop_free(aside);
}

void cop_par_broken(const cop_par *par) {
    cop_par_inside(par)->broken = true;
}

void cop_par_finish(cop_par *par, int exit_code) {
    bool no_end = par->impl && cop_par_inside(par)->no_end;
    fflush(NULL);
    if (par->rank == 0) leave_status(par, exit_code);
    cop_fault_point("finish");
    if (no_end) _exit(exit_code); /* the end of MPI would wait for the dead */
    cop_par_end(par);
}

const char *cop_par_library(void) {
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    MPI_Get_library_version(text, &length);
    char *end = strpbrk(text, ",\n");
    if (end) *end = '\0';
    return text;
}

void cop_par_abort(const cop_par *par, int exit_code) {
    const cop_par_impl *impl = par->impl;
    fflush(NULL);
    cop_watch_mode(COP_WATCH_NOTHING);
    leave_status(par, exit_code);
    if (impl && impl->finalise && par->size > 1) MPI_Abort(impl->comm, exit_code);
    _exit(exit_code);
}

cop_status cop_par_agree(const cop_par *par, cop_status status) {
    if (par->size == 1) return status;
    const cop_par_impl *impl = par->impl;
    MPI_Request request;
    int mine[2] = {status == COP_OK ? -par->size : -par->rank, status != COP_OK}, all[2];
    /* one reduction: lowest failing rank as a maximum of negated ranks, and how many failed */
    int worst;
    MPI_Iallreduce(&mine[0], &worst, 1, MPI_INT, MPI_MAX, impl->comm, &request);
    cop_wait(&request);
    if (worst == -par->size) return COP_OK;
    MPI_Iallreduce(&mine[1], &all[1], 1, MPI_INT, MPI_SUM, impl->comm, &request);
    cop_wait(&request);
    int root = -worst;
    struct {
        int status;
        char message[2048];
    } told = {(int)status, ""};
    if (par->rank == root) snprintf(told.message, sizeof told.message, "%s", cop_error_message());
    MPI_Ibcast(&told, (int)sizeof told, MPI_BYTE, root, impl->comm, &request);
    cop_wait(&request);
    if (all[1] == par->size || root == 0)
        return cop_fail((cop_status)told.status, "%s", told.message);
    return cop_fail((cop_status)told.status, "rank %d on %s: %s", root, impl->host[root],
                    told.message);
}

void cop_par_broadcast(const cop_par *par, cop_buf *buf) {
    if (par->size == 1) return;
    const cop_par_impl *impl = par->impl;
    MPI_Request request;
    uint64_t length = buf->length;
    MPI_Ibcast(&length, 1, MPI_UINT64_T, 0, impl->comm, &request);
    cop_wait(&request);
    if (par->rank != 0) {
        cop_buf_clear(buf);
        buf->data = cop_alloc(length + 1, 1);
        buf->capacity = length + 1;
        buf->length = length;
    }
    for (uint64_t at = 0; at < length; at += COP_MESSAGE_MAX) {
        uint64_t part = length - at < COP_MESSAGE_MAX ? length - at : COP_MESSAGE_MAX;
        MPI_Ibcast(buf->data + at, (int)part, MPI_BYTE, 0, impl->comm, &request);
        cop_wait(&request);
    }
}

void cop_par_barrier(const cop_par *par) {
    const cop_par_impl *impl = par->impl;
    if (!impl->finalise) return;
    MPI_Request request;
    MPI_Ibarrier(impl->comm, &request);
    cop_wait(&request);
}
