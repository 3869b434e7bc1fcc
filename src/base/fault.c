/* Faults on request, for tests of what a run does when a process ends or freezes in the midst of it
 * (docs/reliability.md). Without COPPICE_FAULT a point costs one comparison. */
#include "coppice/base.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int rank;

void cop_fault_rank(int mine) {
    rank = mine;
}

/* COPPICE_FAULT_ONCE names a file: the process that makes it is the only one that fails. */
static bool mine_to_fail(void) {
    const char *once = getenv("COPPICE_FAULT_ONCE");
    if (!once || !*once) return true;
    int fd = open(once, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (fd < 0) return false;
    close(fd);
    return true;
}

/* ACTION@POINT[:N][/RANK] */
void cop_fault_point(const char *point) {
    static const char *wanted;
    static bool looked;
    static long passed;
    if (!looked) {
        wanted = getenv("COPPICE_FAULT");
        looked = true;
    }
    const char *at = wanted ? strchr(wanted, '@') : NULL;
    if (!at) return;
    size_t length = strcspn(at + 1, ":/");
    if (strlen(point) != length || memcmp(point, at + 1, length) != 0) return;
    const char *rest = at + 1 + length, *slash = strchr(rest, '/');
    if (slash && strtol(slash + 1, NULL, 10) != rank) return;
    if (++passed != (*rest == ':' ? strtol(rest + 1, NULL, 10) : 1) || !mine_to_fail()) return;
    fprintf(stderr, "coppice: rank %d: %.4s at %s (COPPICE_FAULT)\n", rank, wanted, point);
    raise(strncmp(wanted, "stop@", 5) == 0 ? SIGSTOP : SIGKILL);
}
