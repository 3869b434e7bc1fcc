/* Plain or gzipped files through zlib, which tells them apart by their first bytes. */
#include "source.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_BYTES ((size_t)64 << 20)

cop_status cop_reader_open(cop_reader *reader, const char *path) {
    struct stat info;
    *reader = (cop_reader){0};
    if (stat(path, &info) != 0)
        return cop_fail(COP_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode)) return cop_fail(COP_E_IO, "%s: is not a regular file", path);
    errno = 0;
    reader->file = gzopen(path, "rb");
    if (!reader->file)
        return cop_fail(COP_E_IO, "%s: cannot be opened: %s", path,
                        errno ? strerror(errno) : "out of memory in zlib");
    gzbuffer(reader->file, 1 << 17);
    bool plain = gzdirect(reader->file) == 1;
    uint64_t bytes = (uint64_t)info.st_size;
    reader->limit = plain ? bytes : bytes < UINT64_MAX / 2048 ? bytes * 1040 + 1024 : UINT64_MAX;
    reader->path = cop_strdup(path);
    return COP_OK;
}

static cop_status stream_error(cop_reader *reader) {
    int code = Z_OK;
    const char *text = gzerror(reader->file, &code);
    if (code == Z_OK || code == Z_STREAM_END) return COP_OK;
    if (code == Z_BUF_ERROR)
        return cop_fail(COP_E_FORMAT, "%s: the compressed stream ends early: copy the file again",
                        reader->path);
    if (code == Z_ERRNO)
        return cop_fail(COP_E_IO, "%s: cannot be read: %s", reader->path, strerror(errno));
    return cop_fail(COP_E_FORMAT, "%s: the compressed stream is damaged (%s): copy the file again",
                    reader->path, text);
}

cop_status cop_reader_bytes(cop_reader *reader, void *bytes, size_t count, const char *what) {
    unsigned char *to = bytes;
    size_t have = 0;
    while (have < count) {
        unsigned part = count - have > (1u << 30) ? 1u << 30 : (unsigned)(count - have);
        int got = gzread(reader->file, to + have, part);
        if (got > 0) have += (size_t)got;
        if (got < (int)part) {
            COP_TRY(stream_error(reader));
            if (have < count)
                return cop_fail(COP_E_FORMAT, "%s: ends inside %s: %zu of %zu bytes are there",
                                reader->path, what, have, count);
        }
    }
    return COP_OK;
}

cop_status cop_reader_record(cop_reader *reader, void *bytes, size_t count, const char *what,
                             bool *more) {
    const int first = gzgetc(reader->file);
    *more = first >= 0;
    if (!*more) return stream_error(reader);
    *(unsigned char *)bytes = (unsigned char)first;
    return cop_reader_bytes(reader, (unsigned char *)bytes + 1, count - 1, what);
}

cop_status cop_reader_expect_end(cop_reader *reader) {
    unsigned char byte;
    int got = gzread(reader->file, &byte, 1);
    COP_TRY(stream_error(reader));
    if (got > 0)
        return cop_fail(COP_E_FORMAT, "%s: holds more bytes than its header says", reader->path);
    return COP_OK;
}

cop_status cop_reader_line(cop_reader *reader, cop_buf *line, bool *more) {
    char part[8192];
    cop_buf_reset(line);
    for (z_off_t at = gztell(reader->file); gzgets(reader->file, part, sizeof part);) {
        /* a zero byte would end the text early and hide what follows */
        size_t length = strlen(part), got = (size_t)(gztell(reader->file) - at);
        at += (z_off_t)got;
        cop_buf_add(line, part, length);
        if (length != got)
            return cop_fail(COP_E_FORMAT, "%s:%zu: holds a zero byte: this is not a text file",
                            reader->path, reader->line + 1);
        if (length && part[length - 1] == '\n') break;
        if (line->length > LINE_MAX_BYTES)
            return cop_fail(COP_E_FORMAT, "%s:%zu: the line is longer than %zu bytes", reader->path,
                            reader->line + 1, LINE_MAX_BYTES);
    }
    COP_TRY(stream_error(reader));
    *more = line->length > 0;
    if (!*more) return COP_OK;
    reader->line++;
    while (line->length &&
           (line->data[line->length - 1] == '\n' || line->data[line->length - 1] == '\r'))
        line->data[--line->length] = 0;
    return COP_OK;
}

void cop_reader_close(cop_reader *reader) {
    if (reader->file) gzclose_r(reader->file);
    cop_free(reader->path);
    *reader = (cop_reader){0};
}
