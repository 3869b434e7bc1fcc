/* Plain files: folders, whole-file reading, atomic publishing, appending. */
#include "coppice/io.h"

#include "write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool cop_file_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

static bool is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

cop_status cop_make_dirs(const char *path) {
    char *part = cop_strdup(path);
    cop_status status = COP_OK;
    for (char *p = part + (*part == '/');; p++) {
        char stop = *p;
        if (stop != '/' && stop != '\0') continue;
        *p = '\0';
        if (*part && mkdir(part, 0777) != 0) {
            int reason = errno; /* EROFS and the like also where the folder is there already */
            if (!is_folder(part)) {
                status = cop_fail(COP_E_IO, "%s: cannot make the folder '%s': %s", path, part,
                                  reason == EEXIST ? "a file of that name is in the way"
                                                   : strerror(reason));
                break;
            }
        }
        if (!stop) break;
        *p = '/';
    }
    cop_free(part);
    return status;
}

cop_status cop_read_file(const char *path, size_t limit, cop_buf *out) {
    unsigned char block[1 << 16];
    size_t total = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cop_fail(COP_E_IO, "%s: cannot open: %s", path, strerror(errno));
    for (;;) {
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            int reason = errno;
            close(fd);
            return cop_fail(COP_E_IO, "%s: cannot read: %s", path, strerror(reason));
        }
        if (got == 0) break;
        if ((size_t)got > limit - total) {
            close(fd);
            return cop_fail(COP_E_FORMAT, "%s: longer than the %zu bytes such a file may have",
                            path, limit);
        }
        total += (size_t)got;
        cop_buf_add(out, block, (size_t)got);
    }
    close(fd);
    return COP_OK;
}

/* ------------------------------------------------------------------ writing */

int cop_write_all(int fd, const void *bytes, size_t count) {
    const unsigned char *from = bytes;
    while (count) {
        ssize_t put = write(fd, from, count < (1u << 30) ? count : (1u << 30));
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return put < 0 ? errno : ENOSPC;
        from += put;
        count -= (size_t)put;
    }
    return 0;
}

/* Some file systems cannot sync a folder or a device and say so with EINVAL; that is no loss. */
static int sync_fd(int fd) {
    while (fsync(fd) != 0) {
        if (errno == EINTR) continue;
        return errno == EINVAL || errno == ENOTSUP || errno == EROFS ? 0 : errno;
    }
    return 0;
}

static int sync_folder_of(const char *path) {
    char *folder = cop_strdup(path), *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0'; /* "/file" is in "/" */
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int reason = fd < 0 ? errno : sync_fd(fd);
    if (fd >= 0) close(fd);
    cop_free(folder);
    return reason == EACCES ? 0 : reason; /* a folder we may write but not read */
}

/* A device, pipe or folder is never renamed away: a run as root must not replace /dev/null. */
static cop_status check_replaceable(const char *path) {
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return cop_fail(COP_E_IO,
                        "%s: cannot write: there is something there that is not a regular file",
                        path);
    return COP_OK;
}

char *cop_publish_name(const char *path) {
    return cop_sprintf("%s.tmp.%ld", path, (long)getpid());
}

cop_status cop_publish(const char *temporary, const char *path) {
    int reason = 0;
    cop_status status = check_replaceable(path);
    if (status == COP_OK) {
        int fd = open(temporary, O_RDONLY | O_CLOEXEC);
        reason = fd < 0 ? errno : sync_fd(fd);
        if (fd >= 0) close(fd);
        cop_fault_point("publish.before");
        if (reason == 0 && rename(temporary, path) != 0) reason = errno;
        cop_fault_point("publish.after");
        if (reason)
            status = cop_fail(COP_E_IO, "%s: cannot write: %s", path, strerror(reason));
        else if ((reason = sync_folder_of(path)) != 0)
            return cop_fail(COP_E_IO, "%s: cannot sync its folder: %s", path, strerror(reason));
    }
    if (status != COP_OK) unlink(temporary);
    return status;
}

cop_status cop_write_file(const char *path, const void *bytes, size_t count) {
    COP_TRY(check_replaceable(path));
    char *temporary = cop_publish_name(path);
    cop_status status = COP_OK;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int reason = fd < 0 ? errno : cop_write_all(fd, bytes, count);
    if (fd >= 0 && close(fd) != 0 && !reason) reason = errno; /* NFS reports a full disk here */
    if (reason) {
        if (fd >= 0) unlink(temporary);
        status = cop_fail(COP_E_IO, "%s: cannot write: %s", path, strerror(reason));
    } else {
        status = cop_publish(temporary, path);
    }
    cop_free(temporary);
    return status;
}

cop_status cop_append_line(const char *path, const char *line) {
    COP_ASSERT(!strchr(line, '\n'));
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return cop_fail(COP_E_IO, "%s: cannot open for appending: %s", path, strerror(errno));
    struct stat info;
    int reason = fstat(fd, &info) == 0 ? 0 : errno;
    if (!reason) {
        char *text = cop_sprintf("%s\n", line);
        reason = cop_write_all(fd, text, strlen(text)); /* one write: torn only by a crash */
        cop_free(text);
        if (reason && S_ISREG(info.st_mode) && ftruncate(fd, info.st_size) != 0)
            cop_log(COP_LOG_WARNING, "%s: a torn line could not be taken back: %s", path,
                    strerror(errno));
    }
    if (!reason) reason = sync_fd(fd);
    if (close(fd) != 0 && !reason) reason = errno;
    if (!reason && info.st_size == 0 && S_ISREG(info.st_mode)) reason = sync_folder_of(path);
    return reason ? cop_fail(COP_E_IO, "%s: cannot append: %s", path, strerror(reason)) : COP_OK;
}
