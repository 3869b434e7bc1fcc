/* Hostile IDX files, plain and gzipped. */
#include "task.h"

#include <zlib.h>

static const cop_section sections[] = {{"task.*", "tasks", cop_task_options}};
static const cop_schema schema = {sections, 1};

/* Two bytes: how long the file of images is (big end first); then it, then the file of labels. */
static void run(const uint8_t *bytes, size_t count) {
    static const char *const text = "[task.t]\nsource = idx\nimages = i\nlabels = l\n";
    if (count < 2) return;
    size_t images = (size_t)bytes[0] << 8 | bytes[1];
    bytes += 2;
    count -= 2;
    if (images > count) images = count;
    fuzz_file("i", bytes, images);
    fuzz_file("l", bytes + images, count - images);
    cop_conf *conf = NULL;
    FUZZ_REQUIRE(cop_conf_parse(&conf, &schema, text, "test") == COP_OK);
    fuzz_load_task(conf, "t", COP_SPLIT_TRAIN);
    cop_conf_destroy(conf);
}

static void join(fuzz_add add, const void *images, size_t n, const void *labels, size_t m) {
    uint8_t all[4096] = {(uint8_t)(n >> 8), (uint8_t)n};
    memcpy(all + 2, images, n);
    memcpy(all + 2 + n, labels, m);
    add(all, 2 + n + m);
}

static size_t zip(const void *bytes, size_t count, uint8_t *out, size_t room) {
    z_stream z = {0};
    FUZZ_REQUIRE(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)count;
    z.next_out = out;
    z.avail_out = (uInt)room;
    FUZZ_REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
    size_t length = z.total_out;
    deflateEnd(&z);
    return length;
}

static void seeds(fuzz_add add) {
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2,  0,  0,
                                     0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255};
    static const uint8_t colour[] = {0, 0, 8, 4, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1,
                                     0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9};
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 4, 7};
    uint8_t a[512], b[512];
    size_t n = zip(images, sizeof images, a, sizeof a), m = zip(labels, sizeof labels, b, sizeof b);
    join(add, images, sizeof images, labels, sizeof labels);
    join(add, colour, sizeof colour, labels, sizeof labels);
    join(add, a, n, b, m);
    join(add, a, n, labels, sizeof labels);
}

const fuzz_target fuzz_this = {"idx", run, seeds};
