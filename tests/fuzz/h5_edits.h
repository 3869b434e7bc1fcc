/** @file h5_edits.h
 *  Hostile HDF5 files that are whole: a good file of ours with some of its objects replaced, sealed
 * anew. (A changed byte is found by the seal before HDF5 sees it; who wants to harm seals his
 * file.) An input is a list of edits of EDIT_BYTES: which object, what to do, and a number.
 */
#ifndef COPPICE_TEST_H5_EDITS_H
#define COPPICE_TEST_H5_EDITS_H

#include "fuzz.h"

#include "io/h5_internal.h"

enum { EDIT_BYTES = 12, EDITS_MAX = 8, OBJECTS_MAX = 128 };

static struct {
    unsigned char *image; /* without the seal */
    size_t bytes;
    char *name[OBJECTS_MAX];
    bool dataset[OBJECTS_MAX];
    size_t objects;
} edits;

static herr_t edits_visit(hid_t root, const char *name, const H5O_info_t *info, void *user) {
    (void)root;
    (void)user;
    if (edits.objects < OBJECTS_MAX) {
        edits.dataset[edits.objects] = info->type == H5O_TYPE_DATASET;
        edits.name[edits.objects++] = cop_sprintf("/%s", strcmp(name, ".") ? name : "");
    }
    return 0;
}

static hid_t edits_open(unsigned char *bytes, size_t count) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    FUZZ_REQUIRE(H5Pset_fapl_core(access, 1 << 16, 0) >= 0);
    FUZZ_REQUIRE(H5Pset_file_image(access, bytes, count) >= 0);
    hid_t file = H5Fopen("edited", H5F_ACC_RDWR, access);
    FUZZ_REQUIRE(file >= 0);
    H5Pclose(access);
    return file;
}

/** Take the file at @p path, which coppice has written, as the one that is edited. */
static void edits_begin(const char *path) {
    cop_buf file = {0};
    FUZZ_REQUIRE(cop_read_file(path, (size_t)1 << 30, &file) == COP_OK);
    FUZZ_REQUIRE(file.length > COP_SEAL_BYTES);
    edits.bytes = file.length - COP_SEAL_BYTES;
    edits.image = cop_alloc(edits.bytes, 1);
    memcpy(edits.image, file.data + COP_SEAL_BYTES, edits.bytes);
    cop_buf_clear(&file);
    hid_t id = edits_open(edits.image, edits.bytes);
    FUZZ_REQUIRE(H5Ovisit(id, H5_INDEX_NAME, H5_ITER_INC, edits_visit, NULL) >= 0);
    H5Fclose(id);
}

static void edits_text_dataset(hid_t file, const char *name, uint64_t number) {
    hid_t type = H5Tcopy(H5T_C_S1), space;
    const char *const words[] = {"", "dense(4)", "conv2d(9999999,9999999) dense(1)", "\xff\xfe",
                                 "../../x"};
    const char *one = words[number % 5], *many[] = {one, one, one};
    hsize_t dims[] = {3};
    H5Tset_size(type, H5T_VARIABLE);
    space = number & 8 ? H5Screate_simple(1, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (set >= 0) {
        H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                 number & 8 ? (const void *)many : (const void *)&one);
        H5Dclose(set);
    }
    H5Sclose(space);
    H5Tclose(type);
}

/* A dataset of another shape or type; large ones are chunked and have no data. */
static void edits_reshape(hid_t file, const char *name, uint64_t number) {
    const hid_t types[] = {H5T_NATIVE_UINT8, H5T_NATIVE_INT64, H5T_NATIVE_UINT64, H5T_NATIVE_FLOAT,
                           H5T_NATIVE_DOUBLE};
    int rank = (int)(number % 5);
    hsize_t dims[4], chunk[4];
    for (int d = 0; d < rank; d++) {
        dims[d] = number >> (8 * (d + 1)) & 0xff;
        if (number >> 62 & 1) dims[d] <<= 24;
        chunk[d] = dims[d] < 64 ? (dims[d] ? dims[d] : 1) : 64;
    }
    hid_t space = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    if (rank) H5Pset_chunk(create, rank, chunk);
    hid_t set =
        H5Dcreate2(file, name, types[number / 5 % 5], space, H5P_DEFAULT, create, H5P_DEFAULT);
    if (set >= 0) H5Dclose(set);
    H5Pclose(create);
    H5Sclose(space);
}

/* One element of a dataset of numbers. */
static void edits_poke(hid_t file, const char *name, uint64_t number) {
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT), type = H5Dget_type(set);
    hid_t space = H5Dget_space(set);
    hssize_t points = H5Sget_simple_extent_npoints(space);
    size_t size = H5Tget_size(type);
    H5T_class_t kind = H5Tget_class(type);
    if ((kind == H5T_INTEGER || kind == H5T_FLOAT) && points > 0 && points < 1 << 20 && size <= 8) {
        unsigned char *all = cop_alloc((size_t)points, size);
        H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, all);
        memcpy(all + (number >> 48) % (uint64_t)points * size, &number, size);
        H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, all);
        cop_free(all);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(set);
}

/* One attribute: gone, another number, or a text. */
static void edits_attribute(hid_t file, const char *name, unsigned what, uint64_t number) {
    hid_t object = H5Oopen(file, name, H5P_DEFAULT);
    int count = H5Aget_num_attrs(object);
    if (count > 0) {
        char attribute[64] = "";
        hid_t old = H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC,
                                   (number >> 56) % (uint64_t)count, H5P_DEFAULT, H5P_DEFAULT);
        H5Aget_name(old, sizeof attribute, attribute);
        H5Aclose(old);
        H5Adelete(object, attribute);
        hid_t space = H5Screate(H5S_SCALAR), made = -1;
        int64_t integer = (int64_t)(number << 8) >> 8;
        double real;
        memcpy(&real, &number, sizeof real);
        if (what == 1) {
            made = H5Acreate2(object, attribute, H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT);
            H5Awrite(made, H5T_NATIVE_INT64, &integer);
        } else if (what == 2) {
            made =
                H5Acreate2(object, attribute, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT);
            H5Awrite(made, H5T_NATIVE_DOUBLE, &real);
        } else if (what == 3) {
            hid_t type = H5Tcopy(H5T_C_S1);
            H5Tset_size(type, 8);
            made = H5Acreate2(object, attribute, type, space, H5P_DEFAULT, H5P_DEFAULT);
            H5Awrite(made, type, &number);
            H5Tclose(type);
        }
        if (made >= 0) H5Aclose(made);
        H5Sclose(space);
    }
    H5Oclose(object);
}

static void edits_apply(hid_t file, const uint8_t *edit) {
    size_t k = (size_t)(edit[0] | edit[1] << 8) % edits.objects;
    const char *name = edits.name[k];
    uint64_t number;
    memcpy(&number, edit + 4, sizeof number);
    if (H5Lexists(file, name, H5P_DEFAULT) <= 0 && strcmp(name, "/") != 0) return;
    switch (edit[2] % 8) {
    case 0:
    case 1:
        if (edits.dataset[k]) edits_poke(file, name, number);
        return;
    case 2:
    case 3:
        edits_attribute(file, name, edit[3] % 4, number);
        return;
    default:
        break;
    }
    if (strcmp(name, "/") == 0) return;
    H5Ldelete(file, name, H5P_DEFAULT);
    switch (edit[2] % 8) {
    case 4:
        edits_reshape(file, name, number);
        return;
    case 5:
        edits_text_dataset(file, name, number);
        return;
    case 6: /* another object in its place */
        H5Lcreate_hard(file, edits.name[number % edits.objects], file, name, H5P_DEFAULT,
                       H5P_DEFAULT);
        return;
    default: /* a link that goes nowhere, or out of the file; or nothing */
        if (edit[3] % 3 == 0) H5Lcreate_soft("/nowhere", file, name, H5P_DEFAULT, H5P_DEFAULT);
        if (edit[3] % 3 == 1)
            H5Lcreate_external("/etc/passwd", "/", file, name, H5P_DEFAULT, H5P_DEFAULT);
    }
}

/** The edited file; borrowed path. */
static const char *edits_file(const uint8_t *bytes, size_t count) {
    char seal[COP_SEAL_BYTES];
    H5E_auto2_t report;
    void *user;
    H5Eget_auto2(H5E_DEFAULT, &report, &user);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* edits may be impossible */
    hid_t file = edits_open(edits.image, edits.bytes);
    for (size_t i = 0; i < EDITS_MAX && (i + 1) * EDIT_BYTES <= count; i++)
        edits_apply(file, bytes + i * EDIT_BYTES);
    H5Fflush(file, H5F_SCOPE_GLOBAL);
    ssize_t length = H5Fget_file_image(file, NULL, 0);
    FUZZ_REQUIRE(length > 0);
    unsigned char *all = cop_alloc(COP_SEAL_BYTES + (size_t)length, 1);
    FUZZ_REQUIRE(H5Fget_file_image(file, all + COP_SEAL_BYTES, (size_t)length) == length);
    H5Fclose(file);
    H5Eset_auto2(H5E_DEFAULT, report, user);
    cop_seal_make(all + COP_SEAL_BYTES, (size_t)length, seal);
    memcpy(all, seal, COP_SEAL_BYTES);
    const char *path = fuzz_file("edited.h5", all, COP_SEAL_BYTES + (size_t)length);
    cop_free(all);
    return path;
}

/** Every kind of edit once, and none. */
static void edits_seeds(fuzz_add add) {
    uint8_t edit[2 * EDIT_BYTES] = {0};
    add(edit, 0);
    for (uint8_t kind = 0; kind < 8; kind++)
        for (uint8_t k = 0; k < 24; k++) {
            cop_rng rng = cop_rng_at(2, kind, k, COP_FOR_TEST);
            for (size_t i = 0; i < sizeof edit; i++) edit[i] = (uint8_t)cop_rng_below(&rng, 256);
            edit[0] = k;
            edit[1] = 0;
            edit[2] = kind;
            add(edit, k % 3 ? EDIT_BYTES : sizeof edit);
        }
}

#endif
