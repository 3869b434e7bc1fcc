/** @file source.h
 *  What the sources of src/data share.
 */
#ifndef COPPICE_DATA_SOURCE_H
#define COPPICE_DATA_SOURCE_H

#include "coppice/data.h"

#include <zlib.h>

#define COP_SOURCE(name) extern const cop_source cop_source_##name;
#include "list.h"
#undef COP_SOURCE

/** Most features of a sample and most classes that a source may have. */
#define COP_FEATURES_MAX ((size_t)1 << 24)
#define COP_CLASSES_MAX 4096

/** Source named by the section; COP_E_CONFIG with the nearest name. */
cop_status cop_source_find(const cop_source **source, const cop_conf *conf, const char *section);
/** Everything that can be told from the section alone (and from which files exist). */
cop_status cop_source_check(const cop_source *source, const cop_conf *conf, const char *section,
                            const char *data_dir);
void cop_raw_clear(cop_raw *raw);

/** "<split>_<what>", a key of the section, in a buffer of the caller. */
const char *cop_split_key(char out[32], cop_split split, const char *what);

/** Path of a file option: relative to @p data_dir unless absolute. *path is owned by the caller.
 * The file need not exist. COP_E_CONFIG when @p data_dir is wanted and NULL. */
cop_status cop_task_path(char **path, const cop_conf *conf, const char *section, const char *key,
                         const char *data_dir);
/** The same for @p name, one of several in the option. */
cop_status cop_task_path_of(char **path, const cop_conf *conf, const char *section, const char *key,
                            const char *name, const char *data_dir);
/** The same, and the file must be there and readable. */
cop_status cop_task_file_there(const cop_conf *conf, const char *section, const char *key,
                               const char *name, const char *data_dir);
cop_status cop_task_file_exists(const cop_conf *conf, const char *section, const char *key,
                                const char *data_dir);

/** Number of samples of a generator's split. */
size_t cop_synth_samples(const cop_conf *conf, const char *section, cop_split split);
/** Fill @p raw of a generator: balanced labels (sample k is of class k mod classes), each replaced
 * by another one with probability label_noise. @p stream tells generators apart. */
void cop_synth_labels(cop_raw *raw, const cop_conf *conf, const char *section, cop_split split,
                      uint32_t stream, size_t classes);
/** The random stream of sample @p item, behind what its label took. */
cop_rng cop_synth_rng(uint64_t seed, uint32_t stream, cop_split split, size_t item);
/** The random stream of part @p item of what all samples share (centres, mixing matrices). */
cop_rng cop_synth_shared(uint64_t seed, uint32_t stream, uint32_t item);

/* ------------------------------------------------------------------ reading plain or gzipped files
 */

typedef struct cop_reader {
    gzFile file;
    char *path;
    uint64_t
        limit;   /**< more bytes than this cannot be in the file (deflate packs at most 1032:1) */
    size_t line; /**< of the line read last, from 1 */
} cop_reader;    /* all-zero is closed */

cop_status cop_reader_open(cop_reader *reader, const char *path);
/** Exactly @p count bytes; COP_E_FORMAT says @p what is cut short. */
cop_status cop_reader_bytes(cop_reader *reader, void *bytes, size_t count, const char *what);
/** The same, or nothing (*more false) when the file ends here. */
cop_status cop_reader_record(cop_reader *reader, void *bytes, size_t count, const char *what,
                             bool *more);
/** COP_E_FORMAT when anything follows, or when the checksum of the compressed stream is wrong. */
cop_status cop_reader_expect_end(cop_reader *reader);
/** The next line without its end into @p line (overwritten); *more is false behind the last one. */
cop_status cop_reader_line(cop_reader *reader, cop_buf *line, bool *more);
void cop_reader_close(cop_reader *reader);

#endif
