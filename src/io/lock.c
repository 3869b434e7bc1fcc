/* Locks between processes, held through a descriptor: whoever dies gives them back. */
#include "coppice/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

cop_status cop_lock_take(const char *path, int *descriptor, cop_lock_state *state) {
    *state = COP_LOCK_NONE;
    *descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    if (*descriptor < 0)
        return cop_fail(COP_E_IO, "%s: cannot be written: %s", path, strerror(errno));
    if (flock(*descriptor, LOCK_EX | LOCK_NB) == 0) {
        *state = COP_LOCK_HELD;
    } else if (errno == EWOULDBLOCK) {
        *state = COP_LOCK_OTHERS;
        cop_lock_release(descriptor);
    }
    return COP_OK;
}

void cop_lock_release(int *descriptor) {
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
}
