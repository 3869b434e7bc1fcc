/* Reading numbers from HDF5 files that may be damaged or hostile: everything is looked at before
 * any memory is asked for. */
#include "h5_internal.h"

#include <string.h>

#define CHUNK_MAX                                                                                  \
    ((hsize_t)64 << 20) /* bytes of one chunk: HDF5 holds a whole one while it unfolds it */
#define UNFOLD_MAX 1100 /* deflate makes at most 1032 bytes out of one */
#define MEMBERS_MAX 1000000

/* Every link on the way must stay inside the file: soft and external ones can name any file. */
static bool reachable(cop_h5 *file, const char *path) {
    if (path[0] != '/') return false;
    bool good = true;
    char *part = cop_strdup(path);
    for (char *p = part + 1; good && part[1]; p++) {
        char stop = *p;
        if (stop && stop != '/') continue;
        H5L_info_t info;
        *p = '\0';
        good = H5Lexists(file->id, part, H5P_DEFAULT) > 0 &&
               H5Lget_info(file->id, part, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
        *p = stop;
        if (!stop) break;
    }
    cop_free(part);
    return good;
}

bool cop_h5_has(cop_h5 *file, const char *path) {
    return reachable(file, path);
}

static bool known_filters(hid_t create) {
    int filters = H5Pget_nfilters(create);
    for (int k = 0; k < filters; k++) {
        unsigned flags, config;
        size_t values = 0;
        H5Z_filter_t filter =
            H5Pget_filter2(create, (unsigned)k, &flags, &values, NULL, 0, NULL, &config);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32)
            return false;
    }
    return filters >= 0;
}

/* Layout, filters and the relation of bytes stored to bytes claimed. */
static const char *bad_storage(const cop_h5 *file, hid_t set, int rank, hsize_t bytes,
                               size_t size) {
    const char *problem = NULL;
    hsize_t chunk[4] = {0}, chunk_bytes = size;
    hid_t create = H5Dget_create_plist(set);
    if (create < 0) return "cannot see how it is stored";
    H5D_layout_t layout = H5Pget_layout(create);
    if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED)
        problem = "stored in a layout that is not read here";
    else if (H5Pget_external_count(create) != 0)
        problem = "its values are in another file";
    else if (!known_filters(create))
        problem = "stored with a filter other than shuffle, deflate and fletcher32";
    else if (layout == H5D_CHUNKED) {
        if (H5Pget_chunk(create, rank, chunk) != rank) problem = "its chunks do not fit its rank";
        for (int axis = 0; !problem && axis < rank; axis++)
            if (__builtin_mul_overflow(chunk_bytes, chunk[axis], &chunk_bytes) ||
                chunk_bytes > CHUNK_MAX)
                problem = "its chunks are larger than 64 MiB";
    }
    if (!problem) {
        hsize_t stored = H5Dget_storage_size(set);
        hsize_t most = layout == H5D_CHUNKED ? stored * UNFOLD_MAX : stored;
        if (stored > file->bytes || bytes > most) problem = "claims more values than are stored";
    }
    H5Pclose(create);
    return problem;
}

/* Opens a dataset of @p rank whose kind fits @p type; dims get its extent. */
static cop_status open_dataset(cop_h5 *file, const char *path, cop_h5_type type, int rank,
                               size_t *dims, size_t max_items, hid_t *out, size_t *items) {
    cop_status status = COP_OK;
    hid_t set = H5I_INVALID_HID, stored = H5I_INVALID_HID, space = H5I_INVALID_HID;
    hsize_t extent[4];
    size_t size, stored_size = 0;
    COP_ASSERT(rank >= 1 && rank <= 4);
    cop_h5_memory_type(type, &size);
    H5T_class_t kind = type == COP_H5_F32 || type == COP_H5_F64 ? H5T_FLOAT : H5T_INTEGER;
    if (!reachable(file, path))
        COP_GO(cop_h5_fail(file, COP_E_FORMAT, path, "there is no such dataset"));
    set = H5Dopen2(file->id, path, H5P_DEFAULT);
    if (set < 0) COP_GO(cop_h5_fail(file, COP_E_FORMAT, path, "cannot open as a dataset"));
    if ((stored = H5Dget_type(set)) < 0 || H5Tget_class(stored) != kind ||
        (stored_size = H5Tget_size(stored)) == 0 || stored_size > 16)
        COP_GO(cop_h5_fail(file, COP_E_FORMAT, path,
                           kind == H5T_FLOAT ? "holds no floating-point numbers"
                                             : "holds no integers"));
    if ((space = H5Dget_space(set)) < 0 || H5Sget_simple_extent_ndims(space) != rank ||
        H5Sget_simple_extent_dims(space, extent, NULL) != rank) {
        COP_GO(cop_fail(COP_E_FORMAT, "%s: '%s': has not the %d dimension(s) wanted", file->path,
                        path, rank));
    }
    hsize_t count = 1, bytes = 0;
    bool huge = false;
    for (int axis = 0; axis < rank; axis++)
        huge = huge || __builtin_mul_overflow(count, extent[axis], &count) ||
               extent[axis] > SIZE_MAX / 16;
    if (huge || count > max_items || __builtin_mul_overflow(count, stored_size, &bytes) ||
        count > SIZE_MAX / 2 / size) {
        COP_GO(cop_fail(COP_E_FORMAT, "%s: '%s': %llu x ... values where at most %zu can be",
                        file->path, path, (unsigned long long)extent[0], max_items));
    }
    const char *problem = bad_storage(file, set, rank, bytes, stored_size);
    if (problem) COP_GO(cop_h5_fail(file, COP_E_FORMAT, path, problem));
    for (int axis = 0; axis < rank; axis++) dims[axis] = (size_t)extent[axis];
    *items = (size_t)count;
    *out = set;
    set = H5I_INVALID_HID;
done:
    if (space >= 0) H5Sclose(space);
    if (stored >= 0) H5Tclose(stored);
    if (set >= 0) H5Dclose(set);
    return status;
}

/* HDF5 clips values that do not fit; we refuse them. Infinities, NaN and rounding are as they are.
 */
static H5T_conv_ret_t no_clipping(H5T_conv_except_t kind, hid_t from, hid_t to, void *source,
                                  void *target, void *user) {
    (void)from, (void)to, (void)source, (void)target, (void)user;
    return kind == H5T_CONV_EXCEPT_RANGE_HI || kind == H5T_CONV_EXCEPT_RANGE_LOW
               ? H5T_CONV_ABORT
               : H5T_CONV_UNHANDLED;
}

static cop_status read_values(cop_h5 *file, const char *path, cop_h5_type type, hid_t set,
                              void *data) {
    size_t size;
    hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    cop_status status = COP_OK;
    if (transfer < 0 || H5Pset_type_conv_cb(transfer, no_clipping, NULL) < 0 ||
        H5Dread(set, cop_h5_memory_type(type, &size), H5S_ALL, H5S_ALL, transfer, data) < 0)
        status = cop_h5_fail(file, COP_E_FORMAT, path, "cannot read its values");
    if (transfer >= 0) H5Pclose(transfer);
    return status;
}

cop_status cop_h5_read(cop_h5 *file, const char *path, cop_h5_type type, int rank, size_t *dims,
                       size_t max_items, void **data) {
    hid_t set;
    size_t items, size;
    *data = NULL;
    COP_TRY(open_dataset(file, path, type, rank, dims, max_items, &set, &items));
    cop_h5_memory_type(type, &size);
    cop_status status = cop_memory_ask(file->path, items, size);
    void *values = cop_alloc(status == COP_OK ? items : 0, size);
    if (status == COP_OK && items) status = read_values(file, path, type, set, values);
    H5Dclose(set);
    if (status == COP_OK)
        *data = values;
    else
        cop_free(values);
    return status;
}

/* A dataset of exactly these dimensions. */
static cop_status open_exact(cop_h5 *file, const char *path, cop_h5_type type, int rank,
                             const size_t *dims, hid_t *set, size_t *items) {
    size_t seen[4], wanted = 1;
    for (int axis = 0; axis < rank; axis++)
        COP_ASSERT(!__builtin_mul_overflow(wanted, dims[axis], &wanted));
    COP_TRY(open_dataset(file, path, type, rank, seen, wanted, set, items));
    for (int axis = 0; axis < rank; axis++)
        if (seen[axis] != dims[axis]) {
            H5Dclose(*set);
            return cop_fail(COP_E_FORMAT, "%s: '%s': axis %d has %zu entries where %zu belong",
                            file->path, path, axis, seen[axis], dims[axis]);
        }
    return COP_OK;
}

cop_status cop_h5_expect(cop_h5 *file, const char *path, cop_h5_type type, int rank,
                         const size_t *dims) {
    hid_t set;
    size_t items;
    COP_TRY(open_exact(file, path, type, rank, dims, &set, &items));
    H5Dclose(set);
    return COP_OK;
}

cop_status cop_h5_read_into(cop_h5 *file, const char *path, cop_h5_type type, int rank,
                            const size_t *dims, void *data) {
    hid_t set;
    size_t items;
    COP_TRY(open_exact(file, path, type, rank, dims, &set, &items));
    cop_status status = items ? read_values(file, path, type, set, data) : COP_OK;
    H5Dclose(set);
    return status;
}

cop_status cop_h5_members(cop_h5 *file, const char *group, cop_list *names) {
    cop_status status = COP_OK;
    H5G_info_t info;
    hid_t on = H5I_INVALID_HID;
    if (!reachable(file, group) || (on = H5Gopen2(file->id, group, H5P_DEFAULT)) < 0 ||
        H5Gget_info(on, &info) < 0)
        COP_GO(cop_h5_fail(file, COP_E_FORMAT, group, "there is no such group"));
    if (info.nlinks > MEMBERS_MAX)
        COP_GO(cop_h5_fail(file, COP_E_FORMAT, group, "more than a million members"));
    for (hsize_t k = 0; k < info.nlinks; k++) {
        char name[4096];
        ssize_t length = H5Lget_name_by_idx(on, ".", H5_INDEX_NAME, H5_ITER_INC, k, name,
                                            sizeof name, H5P_DEFAULT);
        if (length < 0 || (size_t)length >= sizeof name)
            COP_GO(cop_h5_fail(file, COP_E_FORMAT, group, "a member's name cannot be read"));
        cop_list_add(names, name);
    }
done:
    if (on >= 0) H5Gclose(on);
    return status;
}
