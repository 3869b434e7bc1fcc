/* Hostile network files. */
#include "h5_edits.h"

#include "coppice/net.h"

static void begin(void) {
    cop_network *network = COP_NEW(cop_network);
    FUZZ_REQUIRE(cop_model_create(&network->model, "2x8x8",
                                  "conv2d(3,3) relu maxpool(2) flatten first=dense(7) relu "
                                  "dense(4)") == COP_OK);
    cop_params_init(&network->params, network->model);
    cop_params_randomise(&network->params, network->model, 7);
    cop_mask_init(&network->mask, network->model->weights);
    cop_rng rng = cop_rng_at(1, 2, 3, COP_FOR_TEST);
    cop_rng_sample(&rng, network->model->weights / 3, &network->mask);
    network->weighting = (cop_weighting){COP_WEIGHTS_SIGNED, 3, {0.5, 1, 2}};
    network->config = cop_strdup("[run]\nname = test\n");
    network->id = 12;
    FUZZ_REQUIRE(cop_network_write(network, test_path("good.h5")) == COP_OK);
    cop_network_destroy(network);
    edits_begin(test_path("good.h5"));
}

static void run(const uint8_t *bytes, size_t count) {
    cop_network *network = NULL;
    if (!edits.objects) begin();
    cop_status status = cop_network_read(&network, edits_file(bytes, count));
    FUZZ_REQUIRE((status == COP_OK) == (network != NULL));
    fuzz_judge(status);
    if (network) FUZZ_REQUIRE(cop_mask_count(&network->mask) <= network->model->weights);
    cop_network_destroy(network);
}

const fuzz_target fuzz_this = {"network", run, edits_seeds};
