/* Hostile files of CIFAR-10, plain and gzipped. */
#include "task.h"

#include <zlib.h>

enum { RECORD = 3073 };
static const cop_section sections[] = {{"task.*", "tasks", cop_task_options}};
static const cop_schema schema = {sections, 1};

static void run(const uint8_t *bytes, size_t count) {
    static const char *const text =
        "[task.t]\nsource = cifar\nbatches = c, c\ntest_batches = c\ntrain_skip = 1\n";
    fuzz_file("c", bytes, count);
    cop_conf *conf = NULL;
    FUZZ_REQUIRE(cop_conf_parse(&conf, &schema, text, "test") == COP_OK);
    fuzz_load_task(conf, "t", COP_SPLIT_TRAIN);
    fuzz_load_task(conf, "t", COP_SPLIT_TEST);
    cop_conf_destroy(conf);
}

static void seeds(fuzz_add add) {
    static uint8_t plain[2 * RECORD], zipped[4 * RECORD];
    z_stream z = {0};
    for (size_t i = 0; i < sizeof plain; i++) plain[i] = (uint8_t)(i % RECORD ? i % 7 : i % 9);
    FUZZ_REQUIRE(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = plain;
    z.avail_in = sizeof plain;
    z.next_out = zipped;
    z.avail_out = sizeof zipped;
    FUZZ_REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
    add(zipped, z.total_out);
    deflateEnd(&z);
    add(plain, sizeof plain);
    add(plain, RECORD - 1);
}

const fuzz_target fuzz_this = {"cifar", run, seeds};
