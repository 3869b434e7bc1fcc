/* Hostile network specifications, as they stand in configurations and files. */
#include "fuzz.h"

#include "coppice/net.h"

/* The input's size, a line end, the layers. */
static void run(const uint8_t *bytes, size_t count) {
    cop_model *model = NULL;
    char *text = cop_alloc(count + 2, 1);
    if (count) memcpy(text, bytes, count);
    char *layers = strchr(text, '\n');
    if (layers)
        *layers++ = 0;
    else
        layers = text + strlen(text);
    cop_status status = cop_model_create(&model, text, layers);
    FUZZ_REQUIRE((status == COP_OK) == (model != NULL));
    fuzz_judge(status);
    if (model) {
        cop_model *again = NULL;
        /* what was accepted is written so that it is accepted */
        const char *written = strchr(model->spec, ':');
        FUZZ_REQUIRE(written && cop_model_create(&again, text, written + 1) == COP_OK);
        FUZZ_REQUIRE(again->weights == model->weights && again->biases == model->biases);
        cop_model_destroy(again);
        cop_model_destroy(model);
    }
    cop_free(text);
}

static void seeds(fuzz_add add) {
    static const char *const texts[] = {
        "1x28x28\nconv2d(32,3) relu maxpool(2) dropout(0.25) flatten dense(10)",
        "30\ndense(20) relu last=dense(5)",
        "2x8x8\nfirst=conv2d(3,3,stride=2,padding=1) sigmoid dense(4)", "1x1x1\nrelu",
        "18446744073709551615\ndense(18446744073709551615)"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) add(texts[i], strlen(texts[i]));
}

const fuzz_target fuzz_this = {"spec", run, seeds};
