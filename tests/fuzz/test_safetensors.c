/* Hostile safetensors files. */
#include "fuzz.h"

#include "coppice/net.h"

static cop_model *model;
static cop_params params;

static void seeds(fuzz_add add) {
    static const char *const headers[] = {
        "{\"a.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]},"
        "\"a.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[24,36]},"
        "\"b.weight\":{\"dtype\":\"F64\",\"shape\":[2,3],\"data_offsets\":[36,84]},"
        "\"b.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[84,92]}}",
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"net.2.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]},"
        "\"net.2.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[24,36]},"
        "\"net.10.weight\":{\"dtype\":\"F64\",\"shape\":[2,3],\"data_offsets\":[36,84]},"
        "\"net.10.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[84,92]}}",
    };
    for (size_t i = 0; i < 2; i++) {
        unsigned char bytes[1024] = {0};
        size_t length = strlen(headers[i]);
        bytes[0] = (unsigned char)length;
        bytes[1] = (unsigned char)(length >> 8);
        memcpy(bytes + 8, headers[i], length);
        add(bytes, 8 + length + 92);
    }
}

static void run(const uint8_t *bytes, size_t count) {
    if (!model) {
        FUZZ_REQUIRE(cop_model_create(&model, "2", "a=dense(3) relu b=dense(2)") == COP_OK);
        cop_params_init(&params, model);
    }
    fuzz_judge(cop_network_import(&params, model, fuzz_file("net.safetensors", bytes, count)));
}

const fuzz_target fuzz_this = {"safetensors", run, seeds};
