/* Datasets as IDX and CSV files. */
#include "source.h"

#include "coppice/io.h"

#include <math.h>
#include <string.h>

/* Compressed when the name ends in ".gz"; zlib writes no time into the header, so equal data give
 * equal files. */
static cop_status compress_gz(cop_buf *buf, const char *path) {
    z_stream z = {0};
    cop_buf out = {0};
    cop_status status = COP_OK;
    unsigned char part[1 << 15];
    /* 15 + 16: a gzip stream with the largest window */
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return cop_fail(COP_E_MEMORY, "%s: zlib has no memory to compress it", path);
    size_t done = 0;
    int code = Z_OK;
    while (code == Z_OK) {
        size_t left = buf->length - done;
        uInt give = left > (1u << 30) ? 1u << 30 : (uInt)left;
        z.next_in = buf->data + done;
        z.avail_in = give;
        do {
            z.next_out = part;
            z.avail_out = sizeof part;
            code = deflate(&z, give == left ? Z_FINISH : Z_NO_FLUSH);
            cop_buf_add(&out, part, sizeof part - z.avail_out);
        } while (code == Z_OK && z.avail_out == 0);
        done += give;
        if (code == Z_BUF_ERROR) code = Z_OK; /* wants the next piece */
    }
    deflateEnd(&z);
    if (code != Z_STREAM_END) status = cop_fail(COP_E_IO, "%s: zlib failed to compress it", path);
    cop_buf swap = *buf;
    *buf = out;
    cop_buf_clear(&swap);
    return status;
}

static cop_status publish(cop_buf *buf, const char *path) {
    size_t length = strlen(path);
    if (length > 3 && strcmp(path + length - 3, ".gz") == 0) COP_TRY(compress_gz(buf, path));
    return cop_write_file(path, buf->data, buf->length);
}

static void add_number(cop_buf *buf, size_t value) {
    const unsigned char bytes[] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                   (unsigned char)(value >> 8), (unsigned char)value};
    cop_buf_add(buf, bytes, 4);
}

static void add_images(cop_buf *buf, const cop_dataset *set) {
    size_t count = set->samples * cop_dataset_features(set);
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, (double)set->x[i]);
        high = fmax(high, (double)set->x[i]);
    }
    bool color = set->channels > 1;
    const unsigned char magic[] = {0, 0, 8, color ? 4 : 3};
    cop_buf_add(buf, magic, sizeof magic);
    add_number(buf, set->samples);
    if (color) add_number(buf, set->channels);
    add_number(buf, set->height);
    add_number(buf, set->width);
    for (size_t i = 0; i < count; i++) {
        double value = high > low ? 255 * ((double)set->x[i] - low) / (high - low) : 0;
        unsigned char byte = (unsigned char)lround(value);
        cop_buf_add(buf, &byte, 1);
    }
}

cop_status cop_write_idx(const cop_dataset *set, const char *images_path, const char *labels_path) {
    cop_status status = COP_OK;
    cop_buf buf = {0};
    const unsigned char magic[] = {0, 0, 8, 1};
    if (set->classes > 256)
        return cop_fail(COP_E_FORMAT, "%s: IDX labels are bytes, the data have %d classes",
                        labels_path, set->classes);
    if (set->samples > UINT32_MAX)
        return cop_fail(COP_E_FORMAT, "%s: IDX holds at most 2^32 - 1 samples", images_path);
    add_images(&buf, set);
    COP_GO(publish(&buf, images_path));
    cop_buf_reset(&buf);
    cop_buf_add(&buf, magic, sizeof magic);
    add_number(&buf, set->samples);
    for (size_t i = 0; i < set->samples; i++) {
        unsigned char byte = (unsigned char)set->label[i];
        cop_buf_add(&buf, &byte, 1);
    }
    COP_GO(publish(&buf, labels_path));
done:
    cop_buf_clear(&buf);
    return status;
}

/* A class by its name where that is a plain word, else by its number. */
static void add_class(cop_buf *buf, const cop_dataset *set, int32_t class) {
    const char *name = set->class_names ? set->class_names[class] : NULL;
    if (name && *name && !strpbrk(name, ",\"\r\n") && strcmp(name, "?") != 0)
        cop_buf_printf(buf, "%s\n", name);
    else
        cop_buf_printf(buf, "%d\n", class);
}

cop_status cop_write_csv(const cop_dataset *set, const char *path) {
    cop_buf buf = {0};
    size_t features = cop_dataset_features(set);
    for (size_t f = 0; f < features; f++) cop_buf_printf(&buf, "x%zu,", f + 1);
    cop_buf_printf(&buf, "label\n");
    for (size_t i = 0; i < set->samples; i++) {
        for (size_t f = 0; f < features; f++)
            cop_buf_printf(&buf, "%.9g,", (double)set->x[i * features + f]);
        add_class(&buf, set, set->label[i]);
    }
    cop_status status = publish(&buf, path);
    cop_buf_clear(&buf);
    return status;
}
