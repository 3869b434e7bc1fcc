/* Opening, sealing and closing HDF5 files. Both ways go through memory (HDF5's core driver), so
 * that a full disk is met by our own write() and damage by our own hash, never inside the library.
 */
#include "h5_internal.h"
#include "write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)16 << 30) /* largest file read into memory */
#define GROW_BY ((size_t)4 << 20)   /* growth of the image of a new file */
static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

const char *cop_h5_version(void) {
    static char text[32];
    unsigned major, minor, release;
    if (H5get_libversion(&major, &minor, &release) < 0) return "HDF5";
    snprintf(text, sizeof text, "HDF5 %u.%u.%u", major, minor, release);
    return text;
}

static herr_t innermost(unsigned n, const H5E_error2_t *error, void *user) {
    const char **text = user;
    (void)n;
    if (!*text) *text = error->desc;
    return 0;
}

cop_status cop_h5_fail(cop_h5 *file, cop_status status, const char *object, const char *what) {
    const char *reason = NULL;
    hid_t stack = H5Eget_current_stack(); /* a copy, which also empties the current one */
    if (stack >= 0) H5Ewalk2(stack, H5E_WALK_UPWARD, innermost, &reason);
    cop_fail(status, "%s: %s%s%s%s%s%s", file->path, object ? "'" : "", object ? object : "",
             object ? "': " : "", what, reason ? ": " : "", reason ? reason : "");
    if (stack >= 0) H5Eclose_stack(stack);
    if (file->failed == COP_OK && file->fd >= 0) file->failed = status;
    return status;
}

hid_t cop_h5_memory_type(cop_h5_type type, size_t *size) {
    switch (type) {
    case COP_H5_U8:
        *size = 1;
        return H5T_NATIVE_UINT8;
    case COP_H5_U32:
        *size = 4;
        return H5T_NATIVE_UINT32;
    case COP_H5_U64:
        *size = 8;
        return H5T_NATIVE_UINT64;
    case COP_H5_I64:
        *size = 8;
        return H5T_NATIVE_INT64;
    case COP_H5_F32:
        *size = 4;
        return H5T_NATIVE_FLOAT;
    case COP_H5_F64:
        *size = 8;
        return H5T_NATIVE_DOUBLE;
    }
    cop_assert_failed("a type of cop_h5_type", __FILE__, __LINE__, __func__);
}

/* Errors are ours to print; code from plugin folders has no business in a reader of strange files.
 */
static void tame_library(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0);
}

static cop_h5 *handle(const char *path) {
    cop_h5 *file = COP_NEW(cop_h5);
    file->id = H5I_INVALID_HID;
    file->path = cop_strdup(path);
    file->fd = -1;
    return file;
}

/* What HDF5 calls the file: its core driver wants a name that no file has, different for each open
 * one, as it takes files of one name for the same. Under a regular file nothing can be. */
static char *memory_name(const cop_h5 *file) {
    return cop_sprintf("%s/in memory at %p", file->path, (const void *)file);
}

static void release(cop_h5 *file) {
    if (file->id >= 0) H5Fclose(file->id);
    if (file->fd >= 0) close(file->fd);
    cop_free(file->image);
    cop_free(file->path);
    cop_free(file);
}

/* ------------------------------------------------------------------ writing */

static void remove_file(cop_h5 *file) {
    struct stat info;
    if (file->fd >= 0 && fstat(file->fd, &info) == 0 && S_ISREG(info.st_mode)) unlink(file->path);
}

cop_status cop_h5_create(cop_h5 **out, const char *path) {
    *out = NULL;
    tame_library();
    cop_h5 *file = handle(path);
    cop_status status = COP_OK;
    char *name = memory_name(file);
    hid_t create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
    file->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file->fd < 0) {
        COP_GO(cop_fail(COP_E_IO, "%s: cannot write: %s", path, strerror(errno)));
    }
    /* 1.8's headers carry checksums and are read by everything in use; nothing newer than 1.10. No
     * times are stored: equal contents give equal bytes. */
    if (create < 0 || access < 0 || H5Pset_userblock(create, COP_SEAL_BYTES) < 0 ||
        H5Pset_obj_track_times(create, false) < 0 || H5Pset_fapl_core(access, GROW_BY, false) < 0 ||
        H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110) < 0 ||
        (file->id = H5Fcreate(name, H5F_ACC_TRUNC, create, access)) < 0)
        status = cop_h5_fail(file, COP_E_IO, NULL, "cannot make an HDF5 file in memory");
done:
    cop_free(name);
    if (create >= 0) H5Pclose(create);
    if (access >= 0) H5Pclose(access);
    if (status != COP_OK) {
        remove_file(file);
        release(file);
    } else {
        *out = file;
    }
    return status;
}

/* The core driver's buffer holds the whole file, the still empty user block in front. */
static cop_status write_image(cop_h5 *file) {
    void *buffer = NULL;
    ssize_t bytes = -1;
    int reason = 0;
    if (H5Fflush(file->id, H5F_SCOPE_GLOBAL) < 0 ||
        (bytes = H5Fget_file_image(file->id, NULL, 0)) < 0 ||
        H5Fget_vfd_handle(file->id, H5P_DEFAULT, &buffer) < 0)
        return cop_h5_fail(file, COP_E_IO, NULL, "cannot finish the file in memory");
    const unsigned char *image = *(unsigned char **)buffer;
    COP_ASSERT(memcmp(image + COP_SEAL_BYTES, signature, sizeof signature) == 0);
    char seal[COP_SEAL_BYTES];
    cop_seal_make(image + COP_SEAL_BYTES, (size_t)bytes, seal);
    reason = cop_write_all(file->fd, seal, sizeof seal);
    if (!reason) reason = cop_write_all(file->fd, image + COP_SEAL_BYTES, (size_t)bytes);
    if (reason) return cop_fail(COP_E_IO, "%s: cannot write: %s", file->path, strerror(reason));
    return COP_OK;
}

cop_status cop_h5_close(cop_h5 *file) {
    if (!file) return COP_OK;
    cop_status status = file->failed;
    if (file->fd >= 0) {
        if (status == COP_OK) status = write_image(file);
        if (status != COP_OK) remove_file(file);
        if (close(file->fd) != 0 && status == COP_OK) {
            status = cop_fail(COP_E_IO, "%s: cannot write: %s", file->path, strerror(errno));
            unlink(file->path);
        }
        file->fd = -1;
    }
    release(file);
    return status;
}

void cop_h5_discard(cop_h5 *file) {
    if (!file) return;
    remove_file(file);
    release(file);
}

/* ------------------------------------------------------------------ reading */

static cop_status load(cop_h5 *file) {
    struct stat info;
    cop_status status = COP_OK;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        status = cop_fail(COP_E_IO, "%s: cannot open: %s", file->path, strerror(errno));
        goto done;
    }
    if (!S_ISREG(info.st_mode)) {
        status = cop_fail(COP_E_IO, "%s: cannot read: not a regular file", file->path);
        goto done;
    }
    if (info.st_size < 0 || (uint64_t)info.st_size > FILE_MAX) {
        status = cop_fail(COP_E_FORMAT, "%s: %lld bytes; no file of coppice is larger than %zu",
                          file->path, (long long)info.st_size, FILE_MAX);
        goto done;
    }
    file->bytes = (size_t)info.st_size;
    file->image = cop_alloc(file->bytes, 1);
    for (size_t at = 0; at < file->bytes;) {
        ssize_t got = read(fd, file->image + at, file->bytes - at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            status = cop_fail(COP_E_IO, "%s: cannot read: %s", file->path,
                              got < 0 ? strerror(errno) : "it was cut short meanwhile");
            goto done;
        }
        at += (size_t)got;
    }
done:
    if (fd >= 0) close(fd);
    return status;
}

static cop_status check_seal(cop_h5 *file) {
    char seal[COP_SEAL_BYTES];
    if (file->bytes >= sizeof signature && memcmp(file->image, signature, sizeof signature) == 0)
        return COP_OK; /* a plain file */
    if (file->bytes < COP_SEAL_BYTES + sizeof signature)
        return cop_fail(COP_E_FORMAT, "%s: not an HDF5 file (%zu bytes), or one cut short",
                        file->path, file->bytes);
    cop_seal_make(file->image + COP_SEAL_BYTES, file->bytes - COP_SEAL_BYTES, seal);
    if (memcmp(file->image, seal, COP_SEAL_BYTES) == 0) {
        file->sealed = true;
        return COP_OK;
    }
    if (memcmp(file->image, seal, 16) == 0)
        return cop_fail(
            COP_E_FORMAT,
            "%s: damaged: its %zu bytes are not those it was sealed with; use another copy",
            file->path, file->bytes);
    return cop_fail(COP_E_FORMAT, "%s: neither a file of coppice nor plain HDF5, or damaged",
                    file->path);
}

/* HDF5 would copy the image once into a property list and once into its driver. These callbacks
 * hand it the one copy there is, which release() frees; a reader never grows or writes it. */
static void *image_lend(size_t size, H5FD_file_image_op_t why, void *user) {
    cop_h5 *file = user;
    (void)why;
    return size <= file->bytes ? file->image : NULL;
}
static void *image_copy(void *to, const void *from, size_t size, H5FD_file_image_op_t why,
                        void *user) {
    (void)size, (void)why, (void)user;
    return to == from ? to : NULL;
}
static void *image_grow(void *image, size_t size, H5FD_file_image_op_t why, void *user) {
    (void)image, (void)size, (void)why, (void)user;
    return NULL;
}
static herr_t image_return(void *image, H5FD_file_image_op_t why, void *user) {
    (void)image, (void)why, (void)user;
    return 0;
}
static void *user_copy(void *user) {
    return user;
}
static herr_t user_free(void *user) {
    (void)user;
    return 0;
}

static cop_status open_image(cop_h5 *file) {
    cop_status status = COP_OK;
    H5FD_file_image_callbacks_t lend = {image_lend, image_copy, image_grow, image_return,
                                        user_copy,  user_free,  file};
    char *name = memory_name(file);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_fapl_core(access, GROW_BY, false) < 0 ||
        H5Pset_file_image_callbacks(access, &lend) < 0 ||
        H5Pset_file_image(access, file->image, file->bytes) < 0 ||
        (file->id = H5Fopen(name, H5F_ACC_RDONLY, access)) < 0)
        status = cop_h5_fail(file, COP_E_FORMAT, NULL, "cannot open as HDF5");
    if (access >= 0) H5Pclose(access);
    cop_free(name);
    return status;
}

cop_status cop_h5_open(cop_h5 **out, const char *path) {
    *out = NULL;
    tame_library();
    cop_h5 *file = handle(path);
    cop_status status = load(file);
    if (status == COP_OK) status = check_seal(file);
    if (status == COP_OK) status = open_image(file);
    if (status != COP_OK)
        release(file);
    else
        *out = file;
    return status;
}

bool cop_h5_sealed(const cop_h5 *file) {
    return file->sealed;
}
