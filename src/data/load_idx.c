/* IDX, the format of MNIST: two zero bytes, a type (8 = unsigned byte), the number of dimensions,
 * the dimensions as big-endian 32-bit numbers, the values. */
#include "source.h"

#include <string.h>

#define TYPE_UBYTE 8
#define DIMENSIONS_MAX 4

typedef struct header {
    size_t dimensions, size[DIMENSIONS_MAX], total;
} header;

/* Magic number, dimensions, and whether the file can hold what they promise. */
static cop_status read_header(cop_reader *reader, header *h, size_t least, size_t most,
                              const char *what) {
    unsigned char bytes[4 * DIMENSIONS_MAX];
    COP_TRY(cop_reader_bytes(reader, bytes, 4, "the IDX header"));
    if (bytes[0] || bytes[1])
        return cop_fail(COP_E_FORMAT,
                        "%s: is not an IDX file: it begins with %02x%02x%02x%02x, not 0000",
                        reader->path, bytes[0], bytes[1], bytes[2], bytes[3]);
    if (bytes[2] != TYPE_UBYTE)
        return cop_fail(COP_E_FORMAT,
                        "%s: holds values of IDX type 0x%02x; unsigned bytes (0x08) are wanted",
                        reader->path, bytes[2]);
    h->dimensions = bytes[3];
    if (h->dimensions < least || h->dimensions > most)
        return cop_fail(
            COP_E_FORMAT,
            "%s: has %zu dimensions, which are not those of %s (%zu to %zu): are images "
            "and labels exchanged?",
            reader->path, h->dimensions, what, least, most);
    COP_TRY(cop_reader_bytes(reader, bytes, 4 * h->dimensions, "the IDX header"));
    h->total = 1;
    size_t features = 1;
    for (size_t d = 0; d < h->dimensions; d++) {
        const unsigned char *b = bytes + 4 * d;
        h->size[d] = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
        if (!h->size[d])
            return cop_fail(COP_E_FORMAT, "%s: dimension %zu is 0", reader->path, d + 1);
        if (d && h->size[d] > COP_FEATURES_MAX / features)
            return cop_fail(COP_E_FORMAT, "%s: more than %zu values a sample", reader->path,
                            COP_FEATURES_MAX);
        if (d) features *= h->size[d];
    }
    /* at most 2^32 samples of 2^24 values: no overflow in 64 bits */
    uint64_t total = (uint64_t)h->size[0] * features;
    if (total > reader->limit)
        return cop_fail(COP_E_FORMAT,
                        "%s: the header promises %llu values, more than the file can hold: it is "
                        "damaged or cut short",
                        reader->path, (unsigned long long)total);
    h->total = (size_t)total;
    return COP_OK;
}

typedef struct state {
    cop_reader images;
    bool transposed;
} state;

static void close_state(void *pointer) {
    state *s = pointer;
    cop_reader_close(&s->images);
    cop_free(s);
}

/* The images file is read to its end even when the last ones are not kept, so that a cut or damaged
 * file never goes unnoticed. */
static cop_status read_images(cop_raw *raw, const size_t *keep, size_t count, float *x) {
    state *s = raw->state;
    size_t h = raw->height, w = raw->width, plane = h * w, features = raw->channels * plane,
           next = 0;
    cop_status status = COP_OK;
    unsigned char *row = COP_NEW_ARRAY(unsigned char, features);
    for (size_t i = 0; i < raw->samples; i++) {
        COP_GO(cop_reader_bytes(&s->images, row, features, "the images"));
        if (next == count || keep[next] != i) continue;
        float *to = x + next++ * features;
        if (!s->transposed) {
            for (size_t f = 0; f < features; f++) to[f] = (float)row[f];
            continue;
        }
        /* stored w x h, wanted h x w */
        for (size_t c = 0; c < raw->channels; c++)
            for (size_t r = 0; r < h; r++)
                for (size_t q = 0; q < w; q++)
                    to[c * plane + r * w + q] = (float)row[c * plane + q * h + r];
    }
    COP_ASSERT(next == count);
    COP_GO(cop_reader_expect_end(&s->images));
done:
    cop_free(row);
    return status;
}

static cop_status read_labels(cop_raw *raw, const char *path) {
    cop_status status = COP_OK;
    cop_reader reader = {0};
    header h;
    unsigned char *bytes = NULL;
    COP_GO(cop_reader_open(&reader, path));
    COP_GO(read_header(&reader, &h, 1, 1, "labels"));
    COP_GO(cop_memory_ask(path, h.total, 1 + sizeof *raw->label));
    bytes = COP_NEW_ARRAY(unsigned char, h.total);
    COP_GO(cop_reader_bytes(&reader, bytes, h.total, "the labels"));
    COP_GO(cop_reader_expect_end(&reader));
    raw->samples = h.total;
    raw->label = COP_NEW_ARRAY(int32_t, h.total);
    for (size_t i = 0; i < h.total; i++) raw->label[i] = bytes[i];
    for (int value = 0; value < 256; value++) {
        char text[16];
        snprintf(text, sizeof text, "%d", value);
        cop_list_add(&raw->names, text);
    }
done:
    cop_free(bytes);
    cop_reader_close(&reader);
    return status;
}

static void keys(cop_split split, const cop_conf *conf, const char *section, const char **images,
                 const char **labels) {
    *images = "images";
    *labels = "labels";
    if (split == COP_SPLIT_TEST) {
        *images = "test_images";
        *labels = "test_labels";
    } else if (split == COP_SPLIT_EVOLVE && cop_conf_text(conf, section, "evolve_images")[0]) {
        *images = "evolve_images";
        *labels = "evolve_labels";
    }
}

static cop_status open_idx(cop_raw *raw, const cop_conf *conf, const char *section, cop_split split,
                           const char *data_dir) {
    cop_status status = COP_OK;
    char *images = NULL, *labels = NULL;
    const char *images_key, *labels_key;
    header h;
    keys(split, conf, section, &images_key, &labels_key);
    state *s = COP_NEW(state);
    raw->state = s;
    raw->close = close_state;
    raw->read = read_images;
    s->transposed = strcmp(cop_conf_text(conf, section, "orientation"), "transposed") == 0;
    COP_GO(cop_task_path(&images, conf, section, images_key, data_dir));
    COP_GO(cop_task_path(&labels, conf, section, labels_key, data_dir));
    COP_GO(read_labels(raw, labels));
    COP_GO(cop_reader_open(&s->images, images));
    COP_GO(read_header(&s->images, &h, 2, DIMENSIONS_MAX, "images"));
    if (h.size[0] != raw->samples) {
        status = cop_fail(COP_E_FORMAT, "%s: holds %zu images, but %s holds %zu labels", images,
                          h.size[0], labels, raw->samples);
        goto done;
    }
    raw->channels = h.dimensions == 4 ? h.size[1] : 1;
    raw->height = h.dimensions == 2 ? 1 : h.size[h.dimensions - 2];
    raw->width = h.size[h.dimensions - 1];
    if (s->transposed) {
        size_t swap = raw->height;
        raw->height = raw->width;
        raw->width = swap;
    }
done:
    cop_free(images);
    cop_free(labels);
    return status;
}

static cop_status check(const cop_conf *conf, const char *section, const char *data_dir) {
    static const char *const pairs[][2] = {
        {"images", "labels"}, {"evolve_images", "evolve_labels"}, {"test_images", "test_labels"}};
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 2; k++) {
            const char *key = pairs[i][k], *other = pairs[i][1 - k];
            bool given = cop_conf_text(conf, section, key)[0] != 0;
            if (!given && i != 1)
                return cop_conf_fail(conf, section, key,
                                     "source idx needs this file: give its path");
            if (!given && cop_conf_text(conf, section, other)[0])
                return cop_conf_fail(conf, section, key, "must be given together with %s", other);
            if (given) COP_TRY(cop_task_file_exists(conf, section, key, data_dir));
        }
    return COP_OK;
}

static const char *const uses[] = {"images",      "labels",      "evolve_images", "evolve_labels",
                                   "test_images", "test_labels", "orientation",   NULL};
const cop_source cop_source_idx = {
    .name = "idx",
    .summary = "Images and labels in IDX files, gzipped or not (MNIST, Fashion-MNIST, EMNIST).",
    .paper = "LeCun et al. 1998, Gradient-based learning applied to document recognition",
    .uses = uses,
    .check = check,
    .open = open_idx,
};
