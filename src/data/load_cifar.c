/* The binary files of CIFAR-10: records of a label byte and 3072 bytes, the red, green and blue
 * planes of 32 x 32 pixels. There is no header: what tells such a file is its length and that every
 * label is below 10. */
#include "source.h"

#include <string.h>

enum { SIDE = 32, PLANES = 3, PIXELS = PLANES * SIDE * SIDE, RECORD = 1 + PIXELS, CLASSES = 10 };

/* The files of a split, by full path. */
typedef struct state {
    cop_list paths;
} state;

static void close_state(void *pointer) {
    state *s = pointer;
    cop_list_clear(&s->paths);
    cop_free(s);
}

/* The next record of @p reader; its label is checked. */
static cop_status next_record(cop_reader *reader, size_t number, unsigned char *record,
                              bool *more) {
    COP_TRY(cop_reader_record(reader, record, RECORD, "a record of 3073 bytes", more));
    if (*more && record[0] >= CLASSES)
        return cop_fail(COP_E_FORMAT,
                        "%s: image %zu has the label %u; wanted 0 to %d: is this a binary file of "
                        "CIFAR-10?",
                        reader->path, number + 1, (unsigned)record[0], CLASSES - 1);
    return COP_OK;
}

/* Labels alone; files are read to their ends, so that a cut or damaged one never goes unnoticed. */
static cop_status read_labels(cop_raw *raw, const char *path) {
    unsigned char record[RECORD];
    cop_reader reader = {0};
    cop_status status = COP_OK;
    size_t room = raw->samples, here = 0;
    COP_GO(cop_reader_open(&reader, path));
    for (;; here++) {
        bool more;
        COP_GO(next_record(&reader, here, record, &more));
        if (!more) break;
        if (raw->samples == UINT32_MAX)
            COP_GO(cop_fail(COP_E_FORMAT, "%s: more than 2^32 images", path));
        if (raw->samples == room) {
            const size_t wanted = 2 * room + 1024;
            raw->label = cop_realloc(raw->label, room, wanted, sizeof *raw->label);
            room = wanted;
        }
        raw->label[raw->samples++] = record[0];
    }
    if (!here) COP_GO(cop_fail(COP_E_FORMAT, "%s: is empty", path));
done:
    cop_reader_close(&reader);
    return status;
}

static cop_status read_images(cop_raw *raw, const size_t *keep, size_t count, float *x) {
    const state *s = raw->state;
    unsigned char record[RECORD];
    cop_reader reader = {0};
    cop_status status = COP_OK;
    size_t at = 0, next = 0;
    for (size_t f = 0; f < s->paths.count; f++) {
        COP_GO(cop_reader_open(&reader, s->paths.items[f]));
        for (size_t here = 0;; here++, at++) {
            bool more;
            COP_GO(next_record(&reader, here, record, &more));
            if (!more) break;
            if (next == count || keep[next] != at) continue;
            for (size_t i = 0; i < PIXELS; i++) x[next * PIXELS + i] = (float)record[1 + i];
            next++;
        }
        cop_reader_close(&reader);
    }
    if (next != count) /* between its two readings somebody else has changed it */
        status = cop_fail(COP_E_IO, "%s: has become shorter while it was read",
                          s->paths.items[s->paths.count - 1]);
done:
    cop_reader_close(&reader);
    return status;
}

/* Files of the split; of the train split where the evolve split has none of its own. */
static const char *files_of(const cop_conf *conf, const char *section, cop_split split,
                            cop_list *names) {
    if (split == COP_SPLIT_TEST) {
        cop_conf_words(conf, section, "test_batches", names);
        return "test_batches";
    }
    if (split == COP_SPLIT_EVOLVE) cop_conf_words(conf, section, "evolve_batches", names);
    if (names->count) return "evolve_batches";
    cop_conf_words(conf, section, "batches", names);
    return "batches";
}

static cop_status open_cifar(cop_raw *raw, const cop_conf *conf, const char *section,
                             cop_split split, const char *data_dir) {
    cop_list names = {0};
    const char *key = files_of(conf, section, split, &names);
    cop_status status = COP_OK;
    state *s = COP_NEW(state);
    raw->state = s;
    raw->close = close_state;
    raw->read = read_images;
    raw->channels = PLANES;
    raw->height = raw->width = SIDE;
    for (int c = 0; c < CLASSES; c++) {
        const char name[2] = {(char)('0' + c), 0};
        cop_list_add(&raw->names, name);
    }
    for (size_t i = 0; i < names.count; i++) {
        char *path = NULL;
        COP_GO(cop_task_path_of(&path, conf, section, key, names.items[i], data_dir));
        cop_list_add(&s->paths, path);
        cop_free(path);
        COP_GO(read_labels(raw, s->paths.items[i]));
    }
done:
    cop_list_clear(&names);
    return status;
}

static cop_status check(const cop_conf *conf, const char *section, const char *data_dir) {
    static const char *const keys[] = {"batches", "evolve_batches", "test_batches"};
    for (size_t k = 0; k < 3; k++) {
        cop_list names = {0};
        cop_status status = COP_OK;
        cop_conf_words(conf, section, keys[k], &names);
        if (!names.count && k != 1)
            status =
                cop_conf_fail(conf, section, keys[k], "source cifar needs files: give their paths");
        for (size_t i = 0; i < names.count && status == COP_OK; i++)
            status = cop_task_file_there(conf, section, keys[k], names.items[i], data_dir);
        cop_list_clear(&names);
        COP_TRY(status);
    }
    return COP_OK;
}

static const char *const uses[] = {"batches", "evolve_batches", "test_batches", NULL};
const cop_source cop_source_cifar = {
    .name = "cifar",
    .summary = "Colour images in the binary files of CIFAR-10, gzipped or not.",
    .paper = "Krizhevsky 2009, Learning multiple layers of features from tiny images",
    .uses = uses,
    .check = check,
    .open = open_cifar,
};
