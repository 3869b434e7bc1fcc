/* Datasets, attributes and dimension scales of new HDF5 files. */
#include "h5_internal.h"

#include <hdf5_hl.h>
#include <string.h>

#define COMPRESS_ABOVE ((size_t)64 << 10) /* bytes */
#define CHUNK_BYTES ((size_t)1 << 20)     /* also the size of HDF5's cache of chunks */

/* Makes every group in front of the last '/' of @p path (all of it with @p whole). */
static cop_status make_groups(cop_h5 *file, const char *path, bool whole) {
    COP_ASSERT(file->fd >= 0 && path[0] == '/');
    cop_status status = COP_OK;
    char *part = cop_strdup(path);
    hid_t create = H5Pcreate(H5P_GROUP_CREATE);
    if (create < 0 || H5Pset_obj_track_times(create, false) < 0)
        COP_GO(cop_h5_fail(file, COP_E_IO, path, "cannot make the group"));
    for (char *p = part + 1;; p++) {
        char stop = *p;
        if (stop && stop != '/') continue;
        if (!stop && (!whole || p == part + 1)) break;
        *p = '\0';
        if (H5Lexists(file->id, part, H5P_DEFAULT) <= 0) {
            hid_t group = H5Gcreate2(file->id, part, H5P_DEFAULT, create, H5P_DEFAULT);
            if (group < 0) COP_GO(cop_h5_fail(file, COP_E_IO, part, "cannot make the group"));
            H5Gclose(group);
        }
        if (!stop) break;
        *p = stop;
    }
done:
    if (create >= 0) H5Pclose(create);
    cop_free(part);
    return status;
}

/* Chunks of at most CHUNK_BYTES: whole rows of the last axes, as many as fit. */
static bool set_chunks(hid_t create, int rank, const size_t *dims, size_t size) {
    hsize_t chunk[4];
    size_t room = CHUNK_BYTES / size;
    for (int axis = rank - 1; axis >= 0; axis--) {
        size_t take = dims[axis] < room ? dims[axis] : room;
        chunk[axis] = take ? take : 1;
        room /= (size_t)chunk[axis];
    }
    return H5Pset_chunk(create, rank, chunk) >= 0 && H5Pset_shuffle(create) >= 0 &&
           H5Pset_deflate(create, 1) >= 0;
}

/* @p space is taken over; @p size: of an item that may be compressed, else 0 */
static cop_status write_dataset(cop_h5 *file, const char *path, hid_t type, hid_t space, int rank,
                                const size_t *dims, size_t size, size_t items, const void *data) {
    cop_status status = make_groups(file, path, false);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE), set = H5I_INVALID_HID;
    if (status != COP_OK) goto done;
    if (create < 0 || space < 0 || type < 0 || H5Pset_obj_track_times(create, false) < 0 ||
        (size && items * size > COMPRESS_ABOVE && !set_chunks(create, rank, dims, size)) ||
        (set = H5Dcreate2(file->id, path, type, space, H5P_DEFAULT, create, H5P_DEFAULT)) < 0 ||
        (items && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
        status = cop_h5_fail(file, COP_E_IO, path, "cannot write the dataset");
done:
    if (set >= 0 && H5Dclose(set) < 0 && status == COP_OK)
        status = cop_h5_fail(file, COP_E_IO, path, "cannot finish the dataset");
    if (create >= 0) H5Pclose(create);
    if (space >= 0) H5Sclose(space);
    return status;
}

cop_status cop_h5_write(cop_h5 *file, const char *path, cop_h5_type type, int rank,
                        const size_t *dims, const void *data) {
    COP_ASSERT(rank >= 1 && rank <= 4);
    hsize_t extent[4];
    size_t size, items = 1;
    hid_t memory = cop_h5_memory_type(type, &size);
    for (int axis = 0; axis < rank; axis++) {
        COP_ASSERT(!__builtin_mul_overflow(items, dims[axis], &items));
        extent[axis] = dims[axis];
    }
    COP_ASSERT(items <= SIZE_MAX / size);
    if (type == COP_H5_F32) size = 0;
    return write_dataset(file, path, memory, H5Screate_simple(rank, extent, NULL), rank, dims, size,
                         items, data);
}

static hid_t text_type(void) {
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 &&
        (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        type = H5I_INVALID_HID;
    }
    return type;
}

cop_status cop_h5_write_strings(cop_h5 *file, const char *path, const char *const *items,
                                size_t count) {
    hsize_t extent[1] = {count};
    hid_t type = text_type();
    cop_status status = write_dataset(file, path, type, H5Screate_simple(1, extent, NULL), 1,
                                      &count, 0, count, items);
    if (type >= 0) H5Tclose(type);
    return status;
}

cop_status cop_h5_write_text(cop_h5 *file, const char *path, const char *text) {
    hid_t type = text_type();
    cop_status status =
        write_dataset(file, path, type, H5Screate(H5S_SCALAR), 0, NULL, 0, 1, &text);
    if (type >= 0) H5Tclose(type);
    return status;
}

/* ------------------------------------------------------------------ attributes */

static cop_status write_attribute(cop_h5 *file, const char *object, const char *name, hid_t type,
                                  const void *value) {
    cop_status status = COP_OK;
    hid_t on = H5I_INVALID_HID, space = H5Screate(H5S_SCALAR), attribute = H5I_INVALID_HID;
    if (!cop_h5_has(file, object)) COP_GO(make_groups(file, object, true));
    on = H5Oopen(file->id, object, H5P_DEFAULT);
    if (on < 0 || space < 0 || type < 0 ||
        (attribute = H5Acreate2(on, name, type, space, H5P_DEFAULT, H5P_DEFAULT)) < 0 ||
        H5Awrite(attribute, type, value) < 0)
        status = cop_h5_fail(file, COP_E_IO, name, "cannot write the attribute");
done:
    if (attribute >= 0) H5Aclose(attribute);
    if (space >= 0) H5Sclose(space);
    if (on >= 0) H5Oclose(on);
    return status;
}

cop_status cop_h5_attr_text(cop_h5 *file, const char *object, const char *name, const char *value) {
    hid_t type = text_type();
    cop_status status = write_attribute(file, object, name, type, &value);
    if (type >= 0) H5Tclose(type);
    return status;
}

cop_status cop_h5_attr_i64(cop_h5 *file, const char *object, const char *name, int64_t value) {
    return write_attribute(file, object, name, H5T_NATIVE_INT64, &value);
}

cop_status cop_h5_attr_f64(cop_h5 *file, const char *object, const char *name, double value) {
    return write_attribute(file, object, name, H5T_NATIVE_DOUBLE, &value);
}

cop_status cop_h5_describe(cop_h5 *file, const char *dataset, const char *long_name,
                           const char *units) {
    COP_TRY(cop_h5_attr_text(file, dataset, "long_name", long_name));
    return cop_h5_attr_text(file, dataset, "units", units);
}

/* ------------------------------------------------------------------ dimension scales */

cop_status cop_h5_attach_scale(cop_h5 *file, const char *dataset, int axis, const char *scale,
                               const char *name) {
    cop_status status = COP_OK;
    hid_t on = H5Dopen2(file->id, dataset, H5P_DEFAULT),
          by = H5Dopen2(file->id, scale, H5P_DEFAULT);
    if (on < 0 || by < 0 || (H5DSis_scale(by) <= 0 && H5DSset_scale(by, name) < 0) ||
        H5DSattach_scale(on, by, (unsigned)axis) < 0 || H5DSset_label(on, (unsigned)axis, name) < 0)
        status = cop_h5_fail(file, COP_E_IO, dataset, "cannot attach the dimension scale");
    if (on >= 0) H5Dclose(on);
    if (by >= 0) H5Dclose(by);
    return status;
}

cop_status cop_h5_label_axis(cop_h5 *file, const char *dataset, int axis, const char *name) {
    cop_status status = COP_OK;
    hid_t on = H5Dopen2(file->id, dataset, H5P_DEFAULT);
    if (on < 0 || H5DSset_label(on, (unsigned)axis, name) < 0)
        status = cop_h5_fail(file, COP_E_IO, dataset, "cannot name the axis");
    if (on >= 0) H5Dclose(on);
    return status;
}
