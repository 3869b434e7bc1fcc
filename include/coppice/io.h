/** @file io.h
 *  Files: atomic publishing, and HDF5 behind a small checked layer. The only module that includes
 *  <hdf5.h>. All HDF5 calls are serial; files keep to what HDF5 1.8 to 1.10 and all later ones
 * read.
 */
#ifndef COPPICE_IO_H
#define COPPICE_IO_H

#include "coppice/base.h"

/* ------------------------------------------------------------------ plain files */

/** mkdir -p. COP_E_IO names the folder and the reason. */
cop_status cop_make_dirs(const char *path);
bool cop_file_exists(const char *path);
/** Whole file into @p out (appended, at most @p limit bytes; more is COP_E_FORMAT). */
cop_status cop_read_file(const char *path, size_t limit, cop_buf *out);

/** Write beside (path + ".tmp.<pid>"), fsync, rename over @p path, fsync the folder: readers see
 * the old file or the new one, never a part. Only regular files are replaced. */
cop_status cop_write_file(const char *path, const void *bytes, size_t count);
/** The pieces of the above for writers that need the path themselves (HDF5): the temporary name
 *  (owned by the caller), then fsync + rename + fsync of the folder. On failure the temporary file
 * is removed. */
char *cop_publish_name(const char *path);
cop_status cop_publish(const char *temporary, const char *path);
/** Append one line (no newline in it) and fsync (ledger, metrics). A line that does not fit on the
 * disk is taken back whole. */
cop_status cop_append_line(const char *path, const char *line);

typedef enum cop_lock_state {
    COP_LOCK_HELD,   /**< it is ours until cop_lock_release, or until this process ends */
    COP_LOCK_OTHERS, /**< another process has it */
    COP_LOCK_NONE    /**< the file system knows no locks */
} cop_lock_state;
/** Try to lock the file @p path, which is made if need be; never waits. @p descriptor is -1 unless
 * there is something to release. COP_E_IO when the file cannot be made. */
cop_status cop_lock_take(const char *path, int *descriptor, cop_lock_state *state);
void cop_lock_release(int *descriptor); /**< -1 is allowed */

/* ------------------------------------------------------------------ HDF5 */

/** An open file; paths below are absolute inside the file. Files are made and parsed in memory:
 * HDF5 itself never touches a disk, takes no lock and sees no byte that was not read whole before.
 *
 *  Files written here are sealed: a user block of 512 bytes of text in front (readers of HDF5 skip
 * it) states length and SHA-256 of the rest, so any changed, missing or added bit is found before
 * HDF5 parses anything. Plain HDF5 files, without the block, can be read too; see cop_h5_sealed. */
typedef struct cop_h5 cop_h5;

/** Truncates @p path now (so a folder that cannot be written is found at once) and writes it at
 *  cop_h5_close. */
cop_status cop_h5_create(cop_h5 **file, const char *path);
/** Read only. COP_E_IO; COP_E_FORMAT when it is not HDF5, was cut short or differs from its seal.
 */
cop_status cop_h5_open(cop_h5 **file, const char *path);
/** True when the file that is read carries a (verified) seal. */
bool cop_h5_sealed(const cop_h5 *file);
/** Close; for a new file: seal and write it (not yet fsynced: see cop_publish). A full disk is
 * COP_E_IO. Unless all went well, here and in every writer since cop_h5_create, the file is removed
 * and the first failure returned. NULL is allowed. */
cop_status cop_h5_close(cop_h5 *file);
/** Close on a way out that is a failure already: a new file is removed. The recorded error message
 * is kept. NULL is allowed. */
void cop_h5_discard(cop_h5 *file);

typedef enum cop_h5_type {
    COP_H5_U8,
    COP_H5_U32,
    COP_H5_U64,
    COP_H5_I64,
    COP_H5_F32,
    COP_H5_F64
} cop_h5_type;

/** Groups are made as needed. Datasets of more than 64 KiB are chunked, shuffled and deflated
 * (level 1), but for COP_H5_F32: those are weights, of which deflate takes a tenth at 30 MB/s.
 *  @p dims has @p rank (1..4) entries; empty (0) dimensions are allowed. */
cop_status cop_h5_write(cop_h5 *file, const char *path, cop_h5_type type, int rank,
                        const size_t *dims, const void *data);
/** One-dimensional dataset of variable-length UTF-8 strings. */
cop_status cop_h5_write_strings(cop_h5 *file, const char *path, const char *const *items,
                                size_t count);
/** Scalar dataset of one variable-length UTF-8 string. */
cop_status cop_h5_write_text(cop_h5 *file, const char *path, const char *text);
/** Attributes on an existing object, or on a group made as needed; "/" is the root. */
cop_status cop_h5_attr_text(cop_h5 *file, const char *object, const char *name, const char *value);
cop_status cop_h5_attr_i64(cop_h5 *file, const char *object, const char *name, int64_t value);
cop_status cop_h5_attr_f64(cop_h5 *file, const char *object, const char *name, double value);
/** The attributes long_name and units ("1" for pure numbers) of a dataset. */
cop_status cop_h5_describe(cop_h5 *file, const char *dataset, const char *long_name,
                           const char *units);
/** Make the 1-D dataset @p scale the dimension scale @p name of axis @p axis of @p dataset, and
 * label the axis with that name. */
cop_status cop_h5_attach_scale(cop_h5 *file, const char *dataset, int axis, const char *scale,
                               const char *name);
/** Name an axis that has no scale. */
cop_status cop_h5_label_axis(cop_h5 *file, const char *dataset, int axis, const char *name);

/** Readers check type class, rank and size before they allocate: more than @p max_items, or more
 * than the bytes stored can unfold to, is COP_E_FORMAT. *data is owned by the caller (cop_free);
 * dims has room for @p rank entries. The stored type is converted to @p type only where that loses
 * nothing in kind (integer to integer, float to float); values that do not fit are COP_E_FORMAT.
 * Links that leave the file, external storage and filters other than shuffle, deflate and
 * fletcher32 are refused. */
cop_status cop_h5_read(cop_h5 *file, const char *path, cop_h5_type type, int rank, size_t *dims,
                       size_t max_items, void **data);
/** The same for a dataset whose dimensions must be @p dims, into memory of the caller. */
cop_status cop_h5_read_into(cop_h5 *file, const char *path, cop_h5_type type, int rank,
                            const size_t *dims, void *data);
/** Only the checks of cop_h5_read_into: for callers that allocate after all parts were seen to fit.
 */
cop_status cop_h5_expect(cop_h5 *file, const char *path, cop_h5_type type, int rank,
                         const size_t *dims);
cop_status cop_h5_read_strings(cop_h5 *file, const char *path, size_t max_items, cop_list *items);
/** Texts are owned by the caller (cop_free); at most 64 MiB. */
cop_status cop_h5_read_text(cop_h5 *file, const char *path, char **text);
cop_status cop_h5_get_text(cop_h5 *file, const char *object, const char *name, char **value);
cop_status cop_h5_get_i64(cop_h5 *file, const char *object, const char *name, int64_t *value);
cop_status cop_h5_get_f64(cop_h5 *file, const char *object, const char *name, double *value);
bool cop_h5_has(cop_h5 *file, const char *path);
/** Names of the members of a group, sorted. */
cop_status cop_h5_members(cop_h5 *file, const char *group, cop_list *names);
/** "HDF5 1.10.8" */
const char *cop_h5_version(void);

#endif
