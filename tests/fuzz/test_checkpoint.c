/* Hostile checkpoints. */
#include "h5_edits.h"

#include "../support/bounded.h"
#include "coppice/run.h"

enum { INDIVIDUALS = 4, MEASURES = 2, GENOMES = 3 };

static void begin(void) {
    static const char *const measures[MEASURES] = {"accuracy.mnist", "edges"};
    static const uint64_t ids[GENOMES] = {3, 2, 1};
    static const cop_individual individual[INDIVIDUALS] = {
        {{0, 0, 0, 0, {COP_FOUNDER, COP_FOUNDER}, 0, {0, 0, 0, 0}}, 1, 1, 1},
        {{1, 0, 0, 1, {COP_FOUNDER, COP_FOUNDER}, 0, {0.025, 0, 0, 0}}, 5, 1, 1},
        {{2, 1, 1, 1, {0, 1}, 7, {0.025, 0, 0, 0}}, 2, UINT32_MAX, 0},
        {{3, 1, 0, 3, {1, COP_FOUNDER}, 0, {0.025, 0.5, 0, 0}}, 3, UINT32_MAX, 0}};
    static const cop_generation generation[] = {{0, 2, 5, 3, 3, 1, 1, 1, 5, 0.75, 2},
                                                {1, 4, 3, 2.5, 2.5, 2, 3, 1, 5, 0.5, 2}};
    cop_network *base = COP_NEW(cop_network);
    FUZZ_REQUIRE(cop_model_create(&base->model, "1x6x6", "conv2d(2,3) relu dense(3)") == COP_OK);
    cop_params_init(&base->params, base->model);
    cop_params_randomise(&base->params, base->model, 7);
    cop_mask_init(&base->mask, base->model->weights);
    cop_mask_fill(&base->mask);
    base->weighting = (cop_weighting){COP_WEIGHTS_TRAINED, 1, {1.0}};
    base->config = cop_strdup("[run]\nname = test\n");
    cop_checkpoint *c = COP_NEW(cop_checkpoint);
    c->config = cop_strdup(base->config);
    c->run_id = cop_strdup("0123456789abcdef");
    c->provenance = cop_strdup("{\"version\": \"1.2.3\"}");
    c->science_hash = cop_strdup("5c1e9ce");
    c->base = base;
    c->history = (cop_history){.individuals = INDIVIDUALS,
                               .measures = MEASURES,
                               .generations = 2,
                               .population = 2,
                               .individual = COP_NEW_ARRAY(cop_individual, INDIVIDUALS),
                               .generation = COP_NEW_ARRAY(cop_generation, 2),
                               .measure = COP_NEW_ARRAY(double, INDIVIDUALS *MEASURES),
                               .live = COP_NEW_ARRAY(uint64_t, 2)};
    memcpy(c->history.individual, individual, sizeof individual);
    memcpy(c->history.generation, generation, sizeof generation);
    memcpy(c->history.live, ids, 2 * sizeof *ids);
#ifdef BOUNDED
    cop_history bounded = bounded_of(&c->history, BOUNDED);
    cop_history_clear(&c->history);
    c->history = bounded;
#endif
    c->measure_names = COP_NEW_ARRAY(char *, MEASURES);
    for (size_t k = 0; k < MEASURES; k++) c->measure_names[k] = cop_strdup(measures[k]);
    c->tasks = 1;
    c->task_names = COP_NEW_ARRAY(char *, 1);
    c->task_names[0] = cop_strdup("mnist");
    c->genomes = GENOMES;
    c->genome_id = COP_NEW_ARRAY(uint64_t, GENOMES);
    c->genome = COP_NEW_ARRAY(cop_genome, GENOMES);
    for (size_t k = 0; k < GENOMES; k++) {
        c->genome_id[k] = ids[k];
        cop_mask_init(&c->genome[k].mask, base->model->weights);
        cop_mask_set(&c->genome[k].mask, k);
    }
    FUZZ_REQUIRE(cop_checkpoint_write(c, test_path("good.h5")) == COP_OK);
    cop_checkpoint_destroy(c);
    c = NULL;
    FUZZ_REQUIRE(cop_checkpoint_read(&c, test_path("good.h5")) == COP_OK);
    cop_checkpoint_destroy(c);
    edits_begin(test_path("good.h5"));
}

static void run(const uint8_t *bytes, size_t count) {
    cop_checkpoint *checkpoint = NULL;
    if (!edits.objects) begin();
    cop_status status = cop_checkpoint_read(&checkpoint, edits_file(bytes, count));
    FUZZ_REQUIRE((status == COP_OK) == (checkpoint != NULL));
    fuzz_judge(status);
    cop_checkpoint_destroy(checkpoint);
}

#ifndef TARGET
#define TARGET "checkpoint"
#endif
const fuzz_target fuzz_this = {TARGET, run, edits_seeds};
