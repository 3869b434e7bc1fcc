/* Network files: what is written comes back; every damaged, cut or hostile file is an error in one
 * line. */
#include "../support/support.h"
#include "coppice/io.h"
#include "coppice/net.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LAYERS "conv2d(3,3) relu maxpool(2) dropout(0.25) flatten first=dense(7) relu dense(4)"

static cop_network *made(uint64_t id) {
    cop_network *network = COP_NEW(cop_network);
    assert_ok(cop_model_create(&network->model, "2x8x8", LAYERS));
    cop_params_init(&network->params, network->model);
    cop_params_randomise(&network->params, network->model, 7);
    cop_mask_init(&network->mask, network->model->weights);
    cop_rng rng = cop_rng_at(1, 2, 3, COP_FOR_TEST);
    cop_rng_sample(&rng, network->model->weights / 3, &network->mask);
    network->weighting = (cop_weighting){COP_WEIGHTS_SIGNED, 3, {0.5, 1, 2}};
    network->config = cop_strdup("[run]\nname = test\n");
    network->id = id;
    return network;
}

static bool same(const cop_network *a, const cop_network *b) {
    return !strcmp(a->model->spec, b->model->spec) &&
           !memcmp(a->params.w, b->params.w, a->params.weights * sizeof(float)) &&
           !memcmp(a->params.b, b->params.b, a->params.biases * sizeof(float)) &&
           cop_mask_equal(&a->mask, &b->mask) && a->weighting.kind == b->weighting.kind &&
           a->weighting.values == b->weighting.values &&
           !memcmp(a->weighting.value, b->weighting.value, a->weighting.values * sizeof(double)) &&
           !strcmp(a->config, b->config) && a->id == b->id;
}

static void round_trip(void **state) {
    (void)state;
    cop_network *network = made(123456789012345), *seen;
    for (int kind = COP_WEIGHTS_TRAINED; kind <= COP_WEIGHTS_POSITIVE; kind++) {
        network->weighting.kind = (cop_weighting_kind)kind;
        network->weighting.values = kind == COP_WEIGHTS_TRAINED ? 1 : 3;
        assert_ok(cop_network_write(network, test_path("net.h5")));
        assert_ok(cop_network_read(&seen, test_path("net.h5")));
        assert_true(same(network, seen));
        cop_network_destroy(seen);
    }
    cop_mask_fill(&network->mask);
    cop_free(network->config);
    network->config = NULL;
    assert_ok(cop_network_write(network, test_path("net.h5")));
    assert_ok(cop_network_read(&seen, test_path("net.h5")));
    assert_int_equal(cop_mask_count(&seen->mask), network->model->weights);
    assert_string_equal(seen->config, "");
    cop_network_destroy(seen);
    cop_network_destroy(network);
    cop_network_destroy(NULL);
}

static void unwritable(void **state) {
    (void)state;
    cop_network *network = made(1), *seen;
    assert_fails(cop_network_write(network, test_path("no/net.h5")), COP_E_IO, "no/net.h5");
    assert_fails(cop_network_read(&seen, test_path("none.h5")), COP_E_IO, "none.h5");
    network->params.w[5] = NAN;
    assert_fails(cop_network_write(network, test_path("nan.h5")), COP_E_FORMAT, "number 5 is nan");
    assert_false(cop_file_exists(test_path("nan.h5")));
    network->params.w[5] = 0;
    network->params.b[0] = INFINITY;
    assert_fails(cop_network_write(network, test_path("nan.h5")), COP_E_FORMAT, "/bias");
    assert_null(seen);
    cop_network_destroy(network);
}

/* Not cop_write_file: hundreds of files need no fsync each. */
static void put_file(const char *path, const void *bytes, size_t count) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

/* Cut anywhere, a bit changed anywhere, bytes added: found by the seal, whatever the place. */
static void damaged(void **state) {
    (void)state;
    cop_network *network = made(9), *seen;
    const char *path = test_path("good.h5"), *bad = test_path("bad.h5");
    cop_buf bytes = {0};
    assert_ok(cop_network_write(network, path));
    assert_ok(cop_read_file(path, SIZE_MAX, &bytes));
    for (size_t at = 0; at < bytes.length; at += at < 700 ? 13 : 397) {
        put_file(bad, bytes.data, at);
        assert_fails(cop_network_read(&seen, bad), COP_E_FORMAT, "bad.h5: ");
        bytes.data[at] ^= (unsigned char)(1u << at % 8);
        put_file(bad, bytes.data, bytes.length);
        assert_fails(cop_network_read(&seen, bad), COP_E_FORMAT, "bad.h5: ");
        assert_null(seen);
        bytes.data[at] ^= (unsigned char)(1u << at % 8);
    }
    cop_buf_add(&bytes, "more", 4);
    put_file(bad, bytes.data, bytes.length);
    assert_fails(cop_network_read(&seen, bad), COP_E_FORMAT, "damaged");
    put_file(bad, "\x89HDF\r\n\x1a\nrubbish that is no superblock", 37);
    assert_fails(cop_network_read(&seen, bad), COP_E_FORMAT, "cannot open as HDF5");
    cop_buf_clear(&bytes);
    cop_network_destroy(network);
}

/* ------------------------------------------------------------------ well sealed, but wrong inside
 */

static const float small_weights[2 * 3] = {1, -2, 3, 4, 5, -6};
static const float small_bias[2] = {0.5f, -0.5f};

typedef struct hostile {
    const char *what; /* part of the message */
    const char *spec, *format, *weighting;
    int64_t version;
    size_t weight_dims[2];
    size_t mask_bytes, values;
    uint8_t mask;
    double first_value;
    bool integers, no_bias, infinite;
} hostile;

static void write_small(const hostile *h, const char *path) {
    cop_h5 *file = NULL;
    float weights[64] = {0};
    int64_t whole[64] = {0};
    double values[20] = {h->first_value, 1, 2};
    for (size_t k = 3; k < 20; k++) values[k] = (double)k;
    memcpy(weights, small_weights, sizeof small_weights);
    if (h->infinite) weights[3] = INFINITY;
    uint8_t mask[64] = {h->mask};
    assert_ok(cop_h5_create(&file, path));
    assert_ok(cop_h5_attr_text(file, "/", "format", h->format));
    assert_ok(cop_h5_attr_i64(file, "/", "format_version", h->version));
    assert_ok(cop_h5_attr_text(file, "/network", "spec", h->spec));
    assert_ok(cop_h5_attr_text(file, "/network", "weighting", h->weighting));
    assert_ok(cop_h5_attr_i64(file, "/network", "individual", 1));
    assert_ok(cop_h5_write(file, "/network/dense1/weight", h->integers ? COP_H5_I64 : COP_H5_F32, 2,
                           h->weight_dims, h->integers ? (void *)whole : (void *)weights));
    if (!h->no_bias)
        assert_ok(
            cop_h5_write(file, "/network/dense1/bias", COP_H5_F32, 1, (size_t[]){2}, small_bias));
    assert_ok(cop_h5_write(file, "/mask", COP_H5_U8, 1, &h->mask_bytes, mask));
    assert_ok(cop_h5_write(file, "/values", COP_H5_F64, 1, &h->values, values));
    assert_ok(cop_h5_write_text(file, "/config", ""));
    assert_ok(cop_h5_close(file));
}

static void hostile_contents(void **state) {
    (void)state;
    const hostile good = {.what = "",
                          .spec = "3: dense1=dense(2)",
                          .format = "coppice-network",
                          .weighting = "signed",
                          .version = 1,
                          .weight_dims = {2, 3},
                          .mask_bytes = 1,
                          .values = 3,
                          .mask = 0x2a,
                          .first_value = 0.5};
    hostile bad[24];
    size_t count = 0;
#define BAD(text, ...)                                                                             \
    do {                                                                                           \
        hostile *h = &bad[count++];                                                                \
        *h = good;                                                                                 \
        h->what = (text);                                                                          \
        __VA_ARGS__;                                                                               \
    } while (0)
    BAD("wanted a coppice-network", h->format = "coppice-checkpoint");
    BAD("version 2", h->version = 2);
    BAD("version -1", h->version = -1);
    BAD("not \"INPUT: LAYERS\"", h->spec = "3 dense(2)");
    BAD("no layer \"densest\"", h->spec = "3: dense1=densest(2)");
    BAD("spec", h->spec = "999999999999x999999999999x9999999: dense1=dense(2)");
    BAD("spec", h->spec = "65536: dense1=dense(65000)");
    BAD("axis 0 has 2", h->spec = "2: dense1=dense(3)");
    BAD("at most 4", h->spec = "2: dense1=dense(2)");
    BAD("axis 1 has 3", h->spec = "100000000: dense1=dense(2)");
    BAD("no such dataset", h->spec = "3: other=dense(2)");
    BAD("4 dimension(s)", h->spec = "1x1x3: dense1=conv2d(1,1) flatten last=dense(2)");
    BAD("axis 0 has 3", h->weight_dims[0] = 3, h->weight_dims[1] = 2);
    BAD("no floating-point", h->integers = true);
    BAD("dense1/bias", h->no_bias = true);
    BAD("number 3 is inf", h->infinite = true);
    BAD("'/mask'", h->mask_bytes = 2);
    BAD("'/mask'", h->mask_bytes = 0);
    BAD("beyond the last edge", h->mask = 0x40);
    BAD("wanted trained, signed or positive", h->weighting = "magic");
    BAD("'/values'", h->values = 0);
    BAD("'/values'", h->values = COP_VALUES_MAX + 1);
    BAD("ascending", h->first_value = 1);
    BAD("finite", h->first_value = NAN);
    cop_network *seen = NULL;
    write_small(&good, test_path("small.h5"));
    assert_ok(cop_network_read(&seen, test_path("small.h5")));
    assert_int_equal(cop_mask_count(&seen->mask), 3);
    assert_memory_equal(seen->params.w, small_weights, sizeof small_weights);
    cop_network_destroy(seen);
    for (size_t k = 0; k < count; k++) {
        write_small(&bad[k], test_path("small.h5"));
        cop_status status = cop_network_read(&seen, test_path("small.h5"));
        if (status != COP_E_FORMAT || !strstr(cop_error_message(), bad[k].what) ||
            !strstr(cop_error_message(), "small.h5: "))
            fail_msg("case %zu (%s): status %d, \"%s\"", k, bad[k].what, (int)status,
                     cop_error_message());
        assert_null(seen);
    }
}

/* For the test with h5py: print what a file holds, or the message. */
static int show(const char *path) {
    cop_network *network = NULL;
    if (cop_network_read(&network, path) != COP_OK) {
        fprintf(stderr, "%s\n", cop_error_message());
        return 1;
    }
    printf("%s: %zu of %zu edges live\n", network->model->spec, cop_mask_count(&network->mask),
           network->mask.bits);
    cop_network_destroy(network);
    return 0;
}

static void no_more_than_the_limit(void **state) {
    (void)state;
    cop_network *network = made(3), *seen = NULL;
    assert_ok(cop_network_write(network, test_path("net.h5")));
    cop_memory_limit(1000);
    assert_fails(cop_network_read(&seen, test_path("net.h5")), COP_E_MEMORY,
                 "of memory are asked for");
    assert_null(seen);
    cop_memory_limit(100000);
    assert_ok(cop_network_read(&seen, test_path("net.h5")));
    cop_memory_limit(0);
    cop_network_destroy(seen);
    cop_network_destroy(network);
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "--read")) return show(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip), cmocka_unit_test(unwritable), cmocka_unit_test(damaged),
        cmocka_unit_test(hostile_contents), cmocka_unit_test(no_more_than_the_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
