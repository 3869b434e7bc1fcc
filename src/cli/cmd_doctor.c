/* What may be wrong with a machine, a line per check: ok, warn or FAIL, what was seen, what to do.
 */
#include "coppice/cli.h"
#include "coppice/io.h"
#include "coppice/la.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define PROBE_BYTES ((size_t)16 << 20)
#define SLOW_BYTES_PER_S 20e6
#define SCARCE_BYTES 1e9
#define FULL_BYTES 100e6
#define SHARED_BYTES 64e6
#define SKEW_S 5.0

static const cop_flag flags[] = {
    {"out", 'o', "DIR", false, "Where runs will be written (default: the current folder)."},
    {0},
};

typedef enum verdict { OK, WARN, FAIL } verdict;

static struct { unsigned warned, failed; } tally;

__attribute__((format(printf, 3, 4))) static void say(verdict what, const char *check,
                                                      const char *format, ...) {
    static const char *const words[] = {"ok", "warn", "FAIL"};
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("%-5s %-14s %s\n", words[what], check, text);
    tally.warned += what == WARN;
    tally.failed += what == FAIL;
}

static void check_ranks(const cop_par *par) {
    const char *text = getenv("SLURM_NTASKS");
    int64_t tasks = 0;
    bool launched = getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMIX_RANK");
    if (text && !cop_parse_i64(text, &tasks)) tasks = 0;
    if (launched && tasks > 0 && tasks != par->size)
        say(WARN, "ranks",
            "Slurm gave %lld tasks, MPI sees %d ranks: start with mpirun inside sbatch, or srun "
            "--mpi=pmix",
            (long long)tasks, par->size);
    else if (!launched)
        say(OK, "ranks", "one, without a launcher; 'mpirun -np N coppice doctor' looks at N ranks");
    else
        say(OK, "ranks", "%d on %d node%s", par->size, par->nodes, par->nodes == 1 ? "" : "s");
}

static void check_cores(const cop_par *par) {
    cpu_set_t mine;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    long ranks = (par->size + par->nodes - 1) / par->nodes;
    long usable = sched_getaffinity(0, sizeof mine, &mine) == 0 ? CPU_COUNT(&mine) : online;
    const char *threads = getenv("OPENBLAS_NUM_THREADS"), *omp = getenv("OMP_NUM_THREADS");
    const char *told = threads ? threads : omp;
    if (ranks > online + 1)
        say(WARN, "cores",
            "%ld ranks a node on %ld cores: more than one rank (beside the master) a core is "
            "slower",
            ranks, online);
    else if (usable < online && ranks > usable + 1)
        say(WARN, "cores", "%ld ranks a node may use %ld of %ld cores: mpirun --bind-to none",
            ranks, usable, online);
    else
        say(OK, "cores", "%ld of %ld usable, %ld rank%s a node", usable, online, ranks,
            ranks == 1 ? "" : "s");
    if (!told || strcmp(told, "1") != 0)
        say(WARN, "BLAS threads",
            "%s: coppice itself computes with one thread a rank, but the library may start more: "
            "export OPENBLAS_NUM_THREADS=1",
            told ? "set to several" : "not set");
    else
        say(OK, "BLAS threads", "1 a rank; %s", cop_blas_version());
}

static void check_shared_memory(void) {
    struct statvfs fs;
    char free_text[32];
    if (statvfs("/dev/shm", &fs) != 0) {
        say(FAIL, "shared memory", "/dev/shm: %s: ranks of a node cannot share data or messages",
            strerror(errno));
        return;
    }
    double room = (double)fs.f_bavail * (double)fs.f_frsize;
    cop_format_bytes(room, free_text);
    if (room < SHARED_BYTES)
        say(FAIL, "shared memory",
            "%s free in /dev/shm: datasets and messages need more; in a container: --shm-size=1g",
            free_text);
    else
        say(OK, "shared memory", "%s free in /dev/shm", free_text);
}

static cop_status try_h5(const char *path) {
    cop_h5 *file = NULL;
    int64_t seen = 0;
    COP_TRY(cop_h5_create(&file, path));
    cop_status status = cop_h5_attr_i64(file, "/", "probe", 42);
    if (status != COP_OK) {
        cop_h5_discard(file);
        return status;
    }
    COP_TRY(cop_h5_close(file));
    COP_TRY(cop_h5_open(&file, path));
    status = cop_h5_get_i64(file, "/", "probe", &seen);
    cop_h5_discard(file);
    if (status == COP_OK && seen != 42)
        return cop_fail(COP_E_IO, "%s: what was read back is not what was written", path);
    return status;
}

static void check_h5(const char *dir) {
    char *path = cop_sprintf("%s/.coppice-doctor-%ld.h5", dir, (long)getpid());
    if (try_h5(path) == COP_OK)
        say(OK, "HDF5", "%s writes and reads", cop_h5_version());
    else
        say(FAIL, "HDF5",
            "%s: %s; on a file system without locks: export HDF5_USE_FILE_LOCKING=FALSE",
            cop_h5_version(), cop_error_message());
    cop_error_clear();
    unlink(path);
    cop_free(path);
}

/* Bytes per second that reach the disk; 0: it failed and was said. */
static double write_probe(const char *path) {
    unsigned char *block = cop_alloc(PROBE_BYTES, 1);
    for (size_t i = 0; i < PROBE_BYTES; i++) block[i] = (unsigned char)(i * 2654435761u >> 13);
    double start = cop_clock();
    cop_status status = cop_write_file(path, block, PROBE_BYTES); /* synced and renamed */
    double seconds = cop_clock() - start;
    cop_free(block);
    if (status != COP_OK) {
        say(FAIL, "disk", "%s: choose another folder for runs", cop_error_message());
        cop_error_clear();
        return 0;
    }
    return (double)PROBE_BYTES / (seconds > 1e-9 ? seconds : 1e-9);
}

static void check_disk(const char *dir) {
    struct statvfs fs;
    struct rlimit limit;
    char room_text[32], speed_text[32];
    char *path = cop_sprintf("%s/.coppice-doctor-%ld", dir, (long)getpid());
    double speed = write_probe(path);
    if (speed > 0 && statvfs(dir, &fs) == 0) {
        double room = (double)fs.f_bavail * (double)fs.f_frsize;
        verdict what = room < FULL_BYTES ? FAIL : room < SCARCE_BYTES ? WARN : OK;
        cop_format_bytes(room, room_text);
        cop_format_bytes(speed, speed_text);
        if (what == OK && speed < SLOW_BYTES_PER_S) what = WARN;
        say(what, "disk", "%s free, %s/s synced%s", room_text, speed_text,
            room < SCARCE_BYTES        ? ": make room, or lower [checkpoint] keep"
            : speed < SLOW_BYTES_PER_S ? ": slow; raise [checkpoint] seconds"
                                       : "");
    }
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        say(WARN, "file size", "files may have at most %llu bytes: ulimit -f unlimited",
            (unsigned long long)limit.rlim_cur);
    struct stat info;
    if (speed > 0 && stat(path, &info) == 0) {
        double skew = difftime(info.st_mtime, time(NULL));
        if (skew > SKEW_S || skew < -SKEW_S)
            say(WARN, "clock", "the disk's clock and this machine's differ by %.0f s: start NTP",
                skew);
        else if (time(NULL) < 1700000000)
            say(WARN, "clock", "it is before 2024 here: start NTP");
        else
            say(OK, "clock", "as that of the disk");
    }
    unlink(path);
    cop_free(path);
}

static void check_locks(const char *dir) {
    char *path = cop_sprintf("%s/.coppice-doctor-%ld.lock", dir, (long)getpid());
    int lock = -1;
    cop_lock_state state = COP_LOCK_NONE;
    if (cop_lock_take(path, &lock, &state) != COP_OK) {
        say(FAIL, "locks", "%s", cop_error_message());
        cop_error_clear();
    } else if (state == COP_LOCK_NONE) {
        say(WARN, "locks",
            "this file system has none: make sure that a folder is used by one run "
            "only; export HDF5_USE_FILE_LOCKING=FALSE");
    } else {
        say(OK, "locks", "work");
    }
    cop_lock_release(&lock);
    unlink(path);
    cop_free(path);
}

static void check_kernel(void) {
    const char *kernel = cop_sign_kernel(), *told = getenv("COPPICE_KERNEL");
    if (told && *told)
        say(WARN, "kernel", "%s, since COPPICE_KERNEL says so: unset it for the fastest", kernel);
    else if (strcmp(kernel, "plain") == 0)
        say(WARN, "kernel",
            "plain C: this processor has none of the instructions that the fast kernels use");
    else
        say(OK, "kernel", "%s", kernel);
}

static cop_status doctor(const cop_args *args, cop_par *par) {
    const char *dir = cop_args_get(args, "out");
    cop_status status = COP_OK;
    if (!dir) dir = ".";
    if (par->rank == 0) {
        printf("%-5s %-14s %s, %s\n", "ok", "MPI", cop_par_library(), par->host);
        check_ranks(par);
        check_cores(par);
        check_shared_memory();
        check_h5(dir);
        check_disk(dir);
        check_locks(dir);
        check_kernel();
        if (tally.failed)
            status = cop_fail(COP_E_IO, "%u of the checks failed, %u warned", tally.failed,
                              tally.warned);
    }
    return cop_par_agree(par, status);
}

const cop_command cop_cmd_doctor = {
    .name = "doctor",
    .synopsis = "[options]",
    .summary = "What may be wrong with this machine, and what to do",
    .details =
        "One line per check, beginning with ok, warn or FAIL: the ranks that MPI and Slurm see, "
        "cores and binding, BLAS threads, shared memory, HDF5, the disk (room, speed, locks, file "
        "size limit), clocks, the kernel in use. Start it as you would start a run: alone, or "
        "with 'mpirun -np N'. It looks at the node of rank 0. Status 1 when a check failed, 0 "
        "with warnings.",
    .flags = flags,
    .min_words = 0,
    .max_words = 0,
    .ranks = COP_RANKS_ALL,
    .run = doctor,
};
