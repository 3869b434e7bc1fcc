/* Reading text and attributes from HDF5 files. Fixed-length strings (as R, Julia and MATLAB write
 * them) are taken as well as variable-length ones. */
#include "h5_internal.h"

#include <string.h>

/* Where strings come from: a dataset or an attribute. */
typedef struct source {
    hid_t id;
    bool attribute;
} source;

/* HDF5 allocates the strings that it reads one by one, many elements perhaps from one stored text:
 * what it takes is counted and, whatever happens, freed together. */
typedef struct block {
    struct block *next;
    max_align_t bytes[];
} block;
typedef struct arena {
    block *first;
    size_t total;
} arena;

static void *arena_take(size_t size, void *user) {
    arena *from = user;
    if (size > COP_TEXT_MAX - from->total) return NULL;
    block *fresh = cop_alloc(1, sizeof *fresh + size);
    from->total += size;
    fresh->next = from->first;
    from->first = fresh;
    return fresh->bytes;
}

static void arena_give(void *memory, void *user) {
    (void)memory, (void)user; /* see arena_clear */
}

static void arena_clear(arena *from) {
    while (from->first) {
        block *next = from->first->next;
        cop_free(from->first);
        from->first = next;
    }
}

static herr_t read_raw(const source *from, hid_t type, hid_t transfer, void *data) {
    return from->attribute ? H5Aread(from->id, type, data)
                           : H5Dread(from->id, type, H5S_ALL, H5S_ALL, transfer, data);
}

static const char *read_variable(const source *from, hid_t type, hid_t space, size_t count,
                                 cop_list *items) {
    const char *problem = NULL;
    arena strings = {0};
    hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    char **raw = COP_NEW_ARRAY(char *, count);
    if (transfer < 0 ||
        H5Pset_vlen_mem_manager(transfer, arena_take, &strings, arena_give, NULL) < 0 ||
        read_raw(from, type, transfer, raw) < 0) {
        problem = "its text cannot be read or is longer than 64 MiB";
    } else {
        size_t total = 0;
        for (size_t k = 0; k < count && !problem; k++) {
            total += raw[k] ? strlen(raw[k]) : 0;
            if (total > COP_TEXT_MAX)
                problem = "longer than 64 MiB";
            else
                cop_list_add(items, raw[k] ? raw[k] : "");
        }
        if (from->attribute) H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw); /* its own malloc */
    }
    arena_clear(&strings);
    if (transfer >= 0) H5Pclose(transfer);
    cop_free(raw);
    return problem;
}

static const char *read_fixed(const source *from, hid_t stored, size_t count, cop_list *items) {
    size_t size = H5Tget_size(stored);
    if (size == 0 || size > COP_TEXT_MAX || count > COP_TEXT_MAX / size)
        return "longer than 64 MiB";
    char *raw = cop_alloc(count, size), *one = cop_alloc(size + 1, 1);
    const char *problem =
        read_raw(from, stored, H5P_DEFAULT, raw) < 0 ? "cannot read its text" : NULL;
    bool padded = H5Tget_strpad(stored) == H5T_STR_SPACEPAD;
    for (size_t k = 0; k < count && !problem; k++) {
        memcpy(one, raw + k * size, size);
        one[size] = '\0';
        for (size_t end = strlen(one); padded && end && one[end - 1] == ' '; end--)
            one[end - 1] = '\0';
        cop_list_add(items, one);
    }
    cop_free(raw);
    cop_free(one);
    return problem;
}

/* All strings of @p from: exactly one when @p scalar, else one dimension of at most @p max_items.
 */
static const char *read_strings(const source *from, bool scalar, size_t max_items,
                                cop_list *items) {
    const char *problem = NULL;
    hid_t stored = from->attribute ? H5Aget_type(from->id) : H5Dget_type(from->id);
    hid_t space = from->attribute ? H5Aget_space(from->id) : H5Dget_space(from->id);
    hid_t memory = H5I_INVALID_HID;
    hssize_t count = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    if (stored < 0 || H5Tget_class(stored) != H5T_STRING) {
        problem = "holds no text";
    } else if (count < 0 || H5Sget_simple_extent_type(space) == H5S_NULL ||
               (scalar ? count != 1 : H5Sget_simple_extent_ndims(space) != 1)) {
        problem = scalar ? "is not one text" : "is not a list of texts";
    } else if ((size_t)count > max_items) {
        problem = "has more texts than there can be";
    } else if (count > 0 && H5Tis_variable_str(stored) > 0) {
        memory = H5Tcopy(H5T_C_S1);
        if (memory < 0 || H5Tset_size(memory, H5T_VARIABLE) < 0 ||
            H5Tset_cset(memory, H5Tget_cset(stored)) < 0)
            problem = "cannot read its text";
        else
            problem = read_variable(from, memory, space, (size_t)count, items);
    } else if (count > 0) {
        problem = read_fixed(from, stored, (size_t)count, items);
    }
    if (memory >= 0) H5Tclose(memory);
    if (space >= 0) H5Sclose(space);
    if (stored >= 0) H5Tclose(stored);
    return problem;
}

/* Text is stored plainly or not at all: no filters, no other files. */
static bool plain_storage(cop_h5 *file, hid_t set) {
    hid_t create = H5Dget_create_plist(set);
    H5D_layout_t layout = create < 0 ? H5D_LAYOUT_ERROR : H5Pget_layout(create);
    bool plain = (layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED) &&
                 H5Pget_nfilters(create) == 0 && H5Pget_external_count(create) == 0 &&
                 H5Dget_storage_size(set) <= file->bytes;
    if (create >= 0) H5Pclose(create);
    return plain;
}

static cop_status read_dataset(cop_h5 *file, const char *path, bool scalar, size_t max_items,
                               cop_list *items) {
    source from = {H5I_INVALID_HID, false};
    if (!cop_h5_has(file, path))
        return cop_h5_fail(file, COP_E_FORMAT, path, "there is no such dataset");
    from.id = H5Dopen2(file->id, path, H5P_DEFAULT);
    const char *problem = from.id < 0 ? "cannot open as a dataset"
                          : plain_storage(file, from.id)
                              ? read_strings(&from, scalar, max_items, items)
                              : "its text is stored in a way that is not read here";
    cop_status status = problem ? cop_h5_fail(file, COP_E_FORMAT, path, problem) : COP_OK;
    if (from.id >= 0) H5Dclose(from.id);
    return status;
}

cop_status cop_h5_read_strings(cop_h5 *file, const char *path, size_t max_items, cop_list *items) {
    return read_dataset(file, path, false, max_items, items);
}

static cop_status take_first(cop_status status, cop_list *items, char **text) {
    *text = status == COP_OK ? cop_strdup(items->items[0]) : NULL;
    cop_list_clear(items);
    return status;
}

cop_status cop_h5_read_text(cop_h5 *file, const char *path, char **text) {
    cop_list items = {0};
    return take_first(read_dataset(file, path, true, 1, &items), &items, text);
}

/* ------------------------------------------------------------------ attributes */

static cop_status open_attribute(cop_h5 *file, const char *object, const char *name, hid_t *out) {
    hid_t on = cop_h5_has(file, object) ? H5Oopen(file->id, object, H5P_DEFAULT) : H5I_INVALID_HID;
    *out = on >= 0 && H5Aexists(on, name) > 0 ? H5Aopen(on, name, H5P_DEFAULT) : H5I_INVALID_HID;
    if (on >= 0) H5Oclose(on);
    if (*out >= 0) return COP_OK;
    cop_h5_fail(file, COP_E_FORMAT, name, "there is no such attribute");
    return cop_fail(COP_E_FORMAT, "%s: '%s' has no attribute '%s'", file->path, object, name);
}

cop_status cop_h5_get_text(cop_h5 *file, const char *object, const char *name, char **value) {
    cop_list items = {0};
    source from = {H5I_INVALID_HID, true};
    *value = NULL;
    COP_TRY(open_attribute(file, object, name, &from.id));
    const char *problem = read_strings(&from, true, 1, &items);
    cop_status status = problem ? cop_h5_fail(file, COP_E_FORMAT, name, problem) : COP_OK;
    H5Aclose(from.id);
    return take_first(status, &items, value);
}

/* One number of class @p kind; integers above INT64_MAX are refused, as HDF5 would clip them. */
static cop_status get_number(cop_h5 *file, const char *object, const char *name, H5T_class_t kind,
                             void *value) {
    hid_t attribute, type = H5I_INVALID_HID, space = H5I_INVALID_HID;
    COP_TRY(open_attribute(file, object, name, &attribute));
    uint64_t large = 0;
    bool good = (type = H5Aget_type(attribute)) >= 0 && (space = H5Aget_space(attribute)) >= 0 &&
                H5Tget_class(type) == kind && H5Tget_size(type) <= 8 &&
                H5Sget_simple_extent_type(space) != H5S_NULL &&
                H5Sget_simple_extent_npoints(space) == 1;
    if (good && kind == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE)
        good = H5Aread(attribute, H5T_NATIVE_UINT64, &large) >= 0 && large <= INT64_MAX;
    good = good &&
           H5Aread(attribute, kind == H5T_FLOAT ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64, value) >= 0;
    cop_status status = good ? COP_OK
                             : cop_h5_fail(file, COP_E_FORMAT, name,
                                           kind == H5T_FLOAT ? "is not one floating-point number"
                                                             : "is not one integer");
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    H5Aclose(attribute);
    return status;
}

cop_status cop_h5_get_i64(cop_h5 *file, const char *object, const char *name, int64_t *value) {
    return get_number(file, object, name, H5T_INTEGER, value);
}

cop_status cop_h5_get_f64(cop_h5 *file, const char *object, const char *name, double *value) {
    return get_number(file, object, name, H5T_FLOAT, value);
}
