/* How much memory this process has. */
#include "coppice/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#define MAPPED_FROM (1 << 20) /* blocks as large as this are mapped by themselves */
#define KEPT (4 << 20)        /* free bytes at the end of the heap that are kept */

void cop_memory_begin(void) {
#ifdef __GLIBC__
    /* by itself glibc raises both to as much as 32 and 64 MiB once such blocks have been freed */
    mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
    mallopt(M_TRIM_THRESHOLD, KEPT);
#endif
}

/* A line such as "VmHWM:     1234 kB". */
static uint64_t status_line(const char *name) {
    char line[256];
    uint64_t kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (!file) return 0;
    while (kib == 0 && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtoull(line + strlen(name) + strspn(line + strlen(name), ": \t"), NULL, 10);
    fclose(file);
    return kib * 1024;
}

uint64_t cop_memory_peak(void) {
    static uint64_t told, at;
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return status_line("VmHWM");
    uint64_t most = (uint64_t)usage.ru_maxrss * 1024;
    /* ru_maxrss costs a microsecond, the other 30. It also remembers what the process was before it
     * became this program; while that is the larger one it says nothing about us. */
    if (!told || most != at || told < most) {
        uint64_t peak = status_line("VmHWM");
        told = peak ? peak : most;
        at = most;
    }
    return told;
}

uint64_t cop_memory_resident(void) {
    return status_line("VmRSS");
}

void cop_memory_reset_peak(void) {
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file) return;
    fputs("5", file);
    fclose(file); /* refused where the system does not allow it: then the peak is that of all */
}
