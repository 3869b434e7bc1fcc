/** @file h5_internal.h
 *  What the files of the HDF5 layer share; nobody outside src/io includes it.
 */
#ifndef COPPICE_IO_H5_INTERNAL_H
#define COPPICE_IO_H5_INTERNAL_H

#include "coppice/io.h"

#include <hdf5.h>

#define COP_SEAL_BYTES 512 /* the smallest user block that HDF5 allows */
#define COP_TEXT_MAX                                                                               \
    ((size_t)64 << 20) /* longest text read, and all texts of one dataset together */

struct cop_h5 {
    hid_t id;
    char *path;
    unsigned char *image; /* reading: the file's bytes; owned */
    size_t bytes;         /* reading: their number */
    int fd;               /* writing: open on path; -1 when reading */
    bool sealed;
    cop_status failed; /* writing: the first failure */
};

/** Record "FILE: 'OBJECT': what: reason of HDF5" and return @p status; remembers that the file
 * failed. */
cop_status cop_h5_fail(cop_h5 *file, cop_status status, const char *object, const char *what);

/** HDF5's name and the size of a number in memory. */
hid_t cop_h5_memory_type(cop_h5_type type, size_t *size);

/** The seal of @p count bytes. */
void cop_seal_make(const void *bytes, size_t count, char seal[COP_SEAL_BYTES]);

#endif
