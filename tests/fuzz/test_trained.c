/* Hostile checkpoints of training. */
#include "h5_edits.h"

#include "run/training.h"

#ifndef FRONT /* test_trained_front.c has one */
#define FRONT ""
#define NAME "trained"
#endif

static const char *const text = "[task.t]\nsource = blobs\nfeatures = 7\nclass_count = 3\n"
                                "train_samples = 30\ntest_samples = 10\nevolve_samples = 5\n"
                                "[train]\nhidden = 9, 8\nepsilon = 1.5\nbatch = 10\nepochs = 2\n"
                                "optimiser = adam\n" FRONT;

static void begin(void) {
    cop_conf *conf = NULL;
    cop_dataset *train = NULL, *test = NULL;
    cop_training *t = NULL;
    FUZZ_REQUIRE(cop_conf_parse(&conf, cop_run_schema(), text, "test") == COP_OK);
    FUZZ_REQUIRE(cop_task_load(&train, conf, "t", COP_SPLIT_TRAIN, NULL) == COP_OK);
    FUZZ_REQUIRE(cop_task_load(&test, conf, "t", COP_SPLIT_TEST, NULL) == COP_OK);
    FUZZ_REQUIRE(cop_training_create(&t, conf, train, test) == COP_OK);
    for (int e = 0; e < 2; e++) FUZZ_REQUIRE(cop_training_epoch(t) == COP_OK);
    char digest[COP_HASH_HEX];
    cop_training_digest(t, "science", digest);
    cop_training_file facts = {.config = cop_strdup(text),
                               .science = cop_strdup("science"),
                               .run_id = cop_strdup("id"),
                               .samples = cop_strdup("samples"),
                               .digest = cop_strdup(digest)};
    FUZZ_REQUIRE(cop_training_write(t, &facts, test_path("good.h5")) == COP_OK);
    cop_training_file_clear(&facts);
    cop_training_destroy(t);
    cop_dataset_destroy(train);
    cop_dataset_destroy(test);
    cop_conf_destroy(conf);
    edits_begin(test_path("good.h5"));
}

static void run(const uint8_t *bytes, size_t count) {
    cop_trained *trained = NULL;
    if (!edits.objects) begin();
    cop_status status = cop_trained_read(&trained, edits_file(bytes, count));
    FUZZ_REQUIRE((status == COP_OK) == (trained != NULL));
    fuzz_judge(status);
    if (trained) { /* its lists are sound */
        float x[7] = {1, -1, 0.5f};
        const float *rows[1] = {x};
        cop_live_forward(trained->training.net, rows, 1, NULL);
    }
    cop_trained_destroy(trained);
}

const fuzz_target fuzz_this = {NAME, run, edits_seeds};
