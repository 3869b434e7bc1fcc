/* Blocks of relatives, one generation after the other in the same evaluator and with many more
 * samples than a vector has columns: what is kept between shards and plans must not show. */
#include "../support/support.h"

#include <stdlib.h>
#include <string.h>

#include "coppice/la.h"
#include "coppice/net.h"

enum { SAMPLES = 150, MOST = 12, VALUES = 3 };

static void breed(cop_rng *rng, const cop_mask *parent, size_t lost, cop_mask *child) {
    cop_mask gone;
    cop_mask_init(&gone, parent->bits);
    cop_rng_sample(rng, lost, &gone);
    for (size_t w = 0; w < cop_mask_words(parent->bits); w++)
        child->words[w] = parent->words[w] & ~gone.words[w];
    cop_mask_clear(&gone);
}

static void compare(const cop_model *model, const cop_params *base, const float *x,
                    const int32_t *label) {
    const cop_evaluator *sign = cop_evaluator_find("sign");
    cop_eval_setup setup = {
        .model = model,
        .base = base,
        .weighting = {.kind = COP_WEIGHTS_SIGNED, .values = VALUES, .value = {0.5, 1, 2}},
        .scale = 700,
        .batch = 50};
    void *self[2];
    cop_mask parent[2], child[MOST];
    const cop_mask *block[MOST];
    cop_rng rng = cop_rng_at(7, 0, 0, COP_FOR_TEST);
    for (int a = 0; a < 2; a++) {
        setup.alone = a;
        assert_ok(sign->create(&self[a], &setup));
    }
    for (int p = 0; p < 2; p++) {
        cop_mask_init(&parent[p], model->weights);
        cop_rng_sample(&rng, model->weights * 4 / 5, &parent[p]);
    }
    for (size_t k = 0; k < MOST; k++) {
        cop_mask_init(&child[k], model->weights);
        block[k] = &child[k];
    }
    for (size_t generation = 0; generation < 4; generation++) {
        size_t count = MOST - 3 * generation;
        for (size_t k = 0; k < count; k++)
            breed(&rng, &parent[k % 2], model->weights / (60 - 12 * generation), &child[k]);
        for (size_t first = 0; first < SAMPLES; first += 100) {
            size_t n = SAMPLES - first < 100 ? SAMPLES - first : 100;
            size_t inputs = cop_shape_size(model->input);
            cop_shard shard = {.x = x + first * inputs, .label = label + first, .n = n};
            cop_evidence evidence[2][MOST];
            uint16_t *class[2];
            for (int a = 0; a < 2; a++) {
                class[a] = cop_alloc(count * VALUES * n, sizeof(uint16_t));
                assert_ok(sign->evaluate(self[a], block, count, &shard, NULL, NULL, evidence[a],
                                         class[a]));
            }
            assert_memory_equal(evidence[0], evidence[1], count * sizeof(cop_evidence));
            assert_memory_equal(class[0], class[1], count * VALUES * n * sizeof(uint16_t));
            for (int a = 0; a < 2; a++) cop_free(class[a]);
        }
    }
    for (int a = 0; a < 2; a++) sign->destroy(self[a]);
    for (int p = 0; p < 2; p++) cop_mask_clear(&parent[p]);
    for (size_t k = 0; k < MOST; k++) cop_mask_clear(&child[k]);
}

static void generations_of_relatives(void **state) {
    static const char *const layers[] = {
        "conv2d(7,3) relu conv2d(9,3) relu maxpool(2) flatten dense(20) relu dense(10)",
        "conv2d(5,3) relu maxpool(2) flatten dense(12) relu dense(10)",
        "relu flatten dense(24) relu dense(10)"};
    (void)state;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        cop_model *model;
        cop_params base;
        assert_ok(cop_model_create(&model, "1x16x16", layers[i]));
        cop_params_init(&base, model);
        cop_params_randomise(&base, model, 3);
        size_t inputs = cop_shape_size(model->input);
        float *x = COP_NEW_ARRAY(float, SAMPLES *inputs);
        int32_t *label = COP_NEW_ARRAY(int32_t, SAMPLES);
        cop_rng rng = cop_rng_at(7, 1, 0, COP_FOR_TEST);
        for (size_t s = 0; s < SAMPLES; s++) { /* a spot on a background */
            size_t row = cop_rng_below(&rng, 10), col = cop_rng_below(&rng, 10);
            label[s] = (int32_t)cop_rng_below(&rng, 10);
            for (size_t j = 0; j < inputs; j++) {
                bool inside = j / 16 - row < 7 && j % 16 - col < 7;
                x[s * inputs + j] = inside ? (float)cop_rng_uniform(&rng) * 3 : -0.4f;
            }
        }
        size_t count;
        const cop_sign_ops *const *variants = cop_sign_variants(&count);
        for (size_t v = 0; v < count; v++) {
            if (!variants[v]->supported()) continue;
            setenv("COPPICE_KERNEL", variants[v]->name, 1);
            compare(model, &base, x, label);
        }
        unsetenv("COPPICE_KERNEL");
        cop_free(label);
        cop_free(x);
        cop_params_clear(&base);
        cop_model_destroy(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(generations_of_relatives)};
    return cmocka_run_group_tests_name("relatives", tests, NULL, NULL);
}
