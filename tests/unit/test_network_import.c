/* Networks from safetensors files: every number in its place, and refusals in words. */
#include "../support/support.h"

#include "coppice/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TENSOR(name, type, shape, begin, end)                                                      \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":[" shape "],\"data_offsets\":[" #begin         \
    "," #end "]}"
/* 3x2, 3, 2x3, 2; the second weight in double, the others in float */
#define GOOD(a, b)                                                                                 \
    "{\"__metadata__\":{\"format\":\"pt\"}," TENSOR(b ".weight", "F64", "2,3", 36, 84) "," TENSOR( \
        a ".weight", "F32", "3,2", 0, 24) "," TENSOR(a ".bias", "F32", "3", 24,                    \
                                                     36) "," TENSOR(b ".bias", "F32", "2", 84,     \
                                                                    92) "}"

/* A file with this header in front of the numbers 0.5, 1.5, ... of both types. */
static const char *write_file(const char *header, size_t stated, size_t cut) {
    unsigned char bytes[4096] = {0};
    size_t length = strlen(header), at = 8 + length;
    for (size_t i = 0; i < 8; i++) bytes[i] = (unsigned char)(stated >> 8 * i);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < 17; i++) { /* little endian, as this machine: 9 floats, 6 doubles, 2 */
        float number = (float)i + 0.5f;
        double wide = (double)number;
        bool is_wide = i >= 9 && i < 15;
        memcpy(bytes + at, is_wide ? (void *)&wide : (void *)&number, is_wide ? 8 : 4);
        at += is_wide ? 8 : 4;
    }
    const char *path = test_path("net.safetensors");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, at - cut, file), at - cut);
    assert_int_equal(fclose(file), 0);
    return path;
}

typedef struct world {
    cop_model *model;
    cop_params params;
} world;

static world open_world(const char *layers) {
    world w;
    assert_ok(cop_model_create(&w.model, "2", layers));
    cop_params_init(&w.params, w.model);
    return w;
}

static void close_world(world *w) {
    cop_params_clear(&w->params);
    cop_model_destroy(w->model);
}

static void every_number_gets_its_place(void **state) {
    (void)state;
    static const char *const headers[] = {GOOD("a", "b"), GOOD("net.2", "net.10"),
                                          GOOD("first", "second")};
    for (size_t h = 0; h < 3; h++) {
        world w = open_world("a=dense(3) relu b=dense(2)");
        assert_ok(
            cop_network_import(&w.params, w.model, write_file(headers[h], strlen(headers[h]), 0)));
        for (size_t i = 0; i < 6; i++) assert_true(w.params.w[i] == (float)i + 0.5f);
        for (size_t i = 0; i < 6; i++) assert_true(w.params.w[6 + i] == (float)i + 9.5f);
        for (size_t i = 0; i < 3; i++) assert_true(w.params.b[i] == (float)i + 6.5f);
        for (size_t i = 0; i < 2; i++) assert_true(w.params.b[3 + i] == (float)i + 15.5f);
        close_world(&w);
    }
}

static void refuse(const char *layers, const char *header, size_t stated, size_t cut,
                   const char *words) {
    world w = open_world(layers);
    assert_fails(cop_network_import(&w.params, w.model, write_file(header, stated, cut)),
                 COP_E_FORMAT, words);
    close_world(&w);
}

static void refusals_say_what_is_wrong(void **state) {
    (void)state;
    const char *net = "a=dense(3) relu b=dense(2)", *good = GOOD("a", "b");
    size_t n = strlen(good);
    refuse(net, good, n + 1000, 0, "header of");
    refuse(net, good, SIZE_MAX, 0, "header of");
    refuse(net, good, n - 1, 0, "no JSON object");
    refuse(net, "[1, 2]", 6, 0, "no JSON object");
    refuse(net, good, n, 4, "b.bias does not lie inside the file");
    refuse("a=dense(4) relu b=dense(2)", good, n, 0, "a.weight is 3x2, [network] wants 4x2");
    refuse("x=dense(3) relu y=dense(2) relu z=dense(2)", good, n, 0, "2 tensors named *.weight");
    refuse("b=dense(3) relu a=dense(2)", good, n, 0, "b.weight is 2x3, [network] wants 3x2");
    const char *half = "{" TENSOR("a.weight", "F16", "2,2", 0, 8) "}";
    refuse("a=dense(2)", half, strlen(half), 0, "of type F16");
    const char *lost = "{" TENSOR("a.weight", "F32", "2,2", 0, 16) "}";
    refuse("a=dense(2)", lost, strlen(lost), 0, "there is no tensor a.bias");
    const char *back = "{" TENSOR("a.weight", "F32", "2,2", 16, 0) "}";
    refuse("a=dense(2)", back, strlen(back), 0, "does not lie inside");
    const char *far =
        "{" TENSOR("a.weight", "F32", "2,2", 9223372036854775000, 9223372036854775016) "}";
    refuse("a=dense(2)", far, strlen(far), 0, "does not lie inside");
    const char *twice = "{\"a\":1,\"a\":2}";
    refuse("a=dense(2)", twice, strlen(twice), 0, "no JSON object");
    world w = open_world("a=dense(2)");
    assert_fails(cop_network_import(&w.params, w.model, test_path("not-there.safetensors")),
                 COP_E_IO, "not-there");
    close_world(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_gets_its_place),
        cmocka_unit_test(refusals_say_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
