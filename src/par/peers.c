/* Who is alive? Ranks of one node see each other's processes; of ranks elsewhere nobody is told,
 * and only a deadline shows that they are gone. A thread looks once a second, so that neither a
 * collective call that waits for the dead nor a long unit hides a death. It calls no MPI. */
#include "internal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct identity {
    char host[64];
    int64_t pid, node;
    uint64_t namespace; /* process ids mean something only inside one */
    char boot[40];      /* of one running kernel */
};

void cop_par_find_peers(const cop_par *par, cop_par_impl *impl) {
    size_t size = (size_t)par->size;
    struct identity *all = COP_NEW_ARRAY(struct identity, size), *mine = &all[par->rank];
    struct stat info;
    memcpy(mine->host, par->host, sizeof mine->host);
    mine->pid = getpid();
    mine->node = par->node;
    if (stat("/proc/self/ns/pid", &info) == 0) mine->namespace = (uint64_t)info.st_ino;
    FILE *boot = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (!boot || !fgets(mine->boot, sizeof mine->boot, boot)) mine->boot[0] = '\0';
    if (boot) fclose(boot);
    if (impl->finalise)
        MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, (int)sizeof *all, MPI_BYTE,
                      impl->comm);
    impl->host = cop_alloc(size, sizeof *impl->host);
    impl->pid = COP_NEW_ARRAY(int64_t, size);
    for (size_t rank = 0; rank < size; rank++) {
        const struct identity *it = &all[rank];
        memcpy(impl->host[rank], it->host, sizeof it->host);
        impl->host[rank][sizeof it->host - 1] = '\0';
        if (mine->namespace && mine->boot[0] && it->namespace == mine->namespace &&
            it->node == mine->node && strcmp(it->boot, mine->boot) == 0 && it->pid > 1 &&
            kill((pid_t)it->pid, 0) == 0)
            impl->pid[rank] = it->pid;
    }
    cop_free(all);
}

bool cop_peer_seen(const cop_par *par, int rank) {
    const cop_par_impl *impl = par->impl;
    return impl->pid[rank] != 0;
}

bool cop_peer_gone(const cop_par *par, int rank) {
    const cop_par_impl *impl = par->impl;
    return impl->pid[rank] && rank != par->rank && kill((pid_t)impl->pid[rank], 0) != 0 &&
           errno == ESRCH;
}

void cop_peer_kill(const cop_par *par, int rank) {
    const cop_par_impl *impl = par->impl;
    if (impl->pid[rank] && rank != par->rank) kill((pid_t)impl->pid[rank], SIGKILL);
}

/* ------------------------------------------------------------------ the thread */

static struct {
    const cop_par *par;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool runs, ends;
    pid_t parent;
    atomic_int mode;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

/* MPI may be waiting for the dead in another thread: no call of it can be made. The launcher ends
 * the ranks of other nodes. */
static void end_all(int gone) {
    const cop_par *par = watch.par;
    const cop_par_impl *impl = par->impl;
    fprintf(stderr,
            "coppice: error: rank %d on %s has died while all ranks waited for each other: the "
            "job ends (seen by rank %d)\n",
            gone, impl->host[gone], par->rank);
    if (watch.parent > 1 && getppid() == watch.parent) kill(watch.parent, SIGTERM);
    _exit(1);
}

static void look(void) {
    const cop_par *par = watch.par;
    int mode = atomic_load(&watch.mode);
    if (mode == COP_WATCH_MASTER && cop_peer_gone(par, 0)) _exit(1); /* nobody is left to tell */
    if (mode != COP_WATCH_ALL) return;
    for (int rank = 0; rank < par->size; rank++)
        if (cop_peer_gone(par, rank)) {
            /* it may have ended as it should, with the mode about to change */
            cop_nap(300000);
            if (atomic_load(&watch.mode) == COP_WATCH_ALL) end_all(rank);
            return;
        }
}

static void *watch_thread(void *unused) {
    (void)unused;
    pthread_mutex_lock(&watch.lock);
    while (!watch.ends) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        pthread_cond_timedwait(&watch.wake, &watch.lock, &until);
        if (!watch.ends) look();
    }
    pthread_mutex_unlock(&watch.lock);
    return NULL;
}

void cop_watch_start(const cop_par *par) {
    sigset_t all, before;
    watch.par = par;
    watch.ends = false;
    watch.parent = getppid();
    atomic_store(&watch.mode, COP_WATCH_ALL);
    /* signals are for the main thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    watch.runs = pthread_create(&watch.thread, NULL, watch_thread, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void cop_watch_mode(cop_watch mode) {
    atomic_store(&watch.mode, (int)mode);
}

void cop_watch_stop(void) {
    if (!watch.runs) return;
    atomic_store(&watch.mode, COP_WATCH_NOTHING);
    pthread_mutex_lock(&watch.lock);
    watch.ends = true;
    pthread_cond_signal(&watch.wake);
    pthread_mutex_unlock(&watch.lock);
    pthread_join(watch.thread, NULL);
    watch.runs = false;
}
