/** @file evo_world.h
 *  A small network with a composed plan, and a made-up measure of masks that has something to
 * search for: the tests of evolution need neither data nor evaluators.
 */
#ifndef COPPICE_TEST_EVO_WORLD_H
#define COPPICE_TEST_EVO_WORLD_H

#include "support.h"

#include "coppice/op.h"

#include <math.h>
#include <string.h>

typedef struct world {
    cop_conf *conf;
    cop_model *model;
    cop_params *base;
    cop_plan *plan;
    cop_mask *genome; /**< of every individual ever born, by id */
    size_t genomes;
} world;

#define SMALL_INPUT "30"
#define SMALL_LAYERS "dense(20) relu dense(10) relu dense(5)" /* 600 + 200 + 50 edges */
#define CNN_INPUT "1x28x28"
#define CNN_LAYERS                                                                                 \
    "conv2d(32,3) relu conv2d(64,3) relu maxpool(2) dropout(0.25) flatten dense(128) relu "        \
    "dropout(0.5) dense(10)"

static const char *const world_tasks[] = {"left", "right"};

/** Status of composing; everything but the plan is there even on failure. @p history: generations
 *  that engines hold at least, 0: all. */
static inline cop_status world_open_bounded(world *w, const char *input, const char *layers,
                                            const char *ini, uint64_t seed, size_t history) {
    *w = (world){0};
    cop_schema schema;
    schema.sections = cop_evo_sections(&schema.count);
    static cop_schema kept; /* a conf borrows its schema */
    kept = schema;
    assert_ok(cop_conf_parse(&w->conf, &kept, ini, "test.ini"));
    assert_ok(cop_model_create(&w->model, input, layers));
    w->base = COP_NEW(cop_params);
    cop_params_init(w->base, w->model);
    cop_params_randomise(w->base, w->model, 5);
    return cop_plan_create(&w->plan, &(cop_plan_setup){.conf = w->conf,
                                                       .model = w->model,
                                                       .base = w->base,
                                                       .seed = seed,
                                                       .tasks = 2,
                                                       .task_names = world_tasks,
                                                       .history = history});
}

static inline cop_status world_open(world *w, const char *input, const char *layers,
                                    const char *ini, uint64_t seed) {
    return world_open_bounded(w, input, layers, ini, seed, 0);
}

static inline void world_close(world *w) {
    for (size_t i = 0; i < w->genomes; i++) cop_mask_clear(&w->genome[i]);
    cop_free(w->genome);
    cop_plan_destroy(w->plan);
    cop_params_clear(w->base);
    cop_free(w->base);
    cop_model_destroy(w->model);
    cop_conf_destroy(w->conf);
    *w = (world){0};
}

static inline world world_of(const char *ini) {
    world w;
    assert_ok(world_open(&w, SMALL_INPUT, SMALL_LAYERS, ini, 11));
    return w;
}

static inline world world_bounded(const char *ini, size_t history) {
    world w;
    assert_ok(world_open_bounded(&w, SMALL_INPUT, SMALL_LAYERS, ini, 11, history));
    return w;
}

static inline const cop_mask *world_genome(const world *w, uint64_t id) {
    return id == COP_FOUNDER ? NULL : &w->genome[id];
}

/** Breed what was asked for. Ids that are known already must come out with the same bits. */
static inline void world_breed(world *w, const cop_recipe *recipes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        cop_mask child;
        cop_mask_init(&child, w->model->weights);
        cop_plan_breed(w->plan, &recipes[i], world_genome(w, recipes[i].parent[0]),
                       world_genome(w, recipes[i].parent[1]), &child);
        if (recipes[i].id < w->genomes) {
            assert_true(cop_mask_equal(&child, &w->genome[recipes[i].id]));
            cop_mask_clear(&child);
            continue;
        }
        assert_int_equal(recipes[i].id, w->genomes);
        w->genome = cop_realloc(w->genome, w->genomes, w->genomes + 1, sizeof *w->genome);
        w->genome[w->genomes++] = child;
    }
}

/** "left" wants the first half of the edges live, "right" the second half dead. */
static inline void world_measure(const world *w, uint64_t id, double *measures) {
    const cop_mask *genome = &w->genome[id];
    size_t half = genome->bits / 2;
    cop_evidence e[2] = {0};
    e[0].samples = half;
    e[0].correct[0] = cop_mask_count_range(genome, 0, half);
    e[1].samples = genome->bits - half;
    e[1].correct[0] = e[1].samples - cop_mask_count_range(genome, half, genome->bits);
    for (size_t t = 0; t < 2; t++) e[t].loss[0] = (double)(e[t].samples - e[t].correct[0]);
    uint64_t *edges = COP_NEW_ARRAY(uint64_t, w->model->count);
    for (size_t i = 0; i < w->model->count; i++) {
        const cop_layer *layer = &w->model->layers[i];
        if (layer->weights)
            edges[i] = cop_mask_count_range(genome, layer->weight_begin,
                                            layer->weight_begin + layer->weights);
    }
    cop_plan_measure_individual(w->plan, e, edges, measures);
    cop_free(edges);
}

/** One generation. */
static inline void world_step(world *w, cop_engine *engine) {
    size_t count, m = cop_plan_measures(w->plan)->count;
    const cop_recipe *recipes = cop_engine_ask(engine, &count);
    world_breed(w, recipes, count);
    double *measures = COP_NEW_ARRAY(double, count *m);
    for (size_t i = 0; i < count; i++) world_measure(w, recipes[i].id, &measures[i * m]);
    cop_engine_tell(engine, measures);
    cop_free(measures);
}

static inline void world_digest(const cop_history *history, char hex[COP_HASH_HEX]) {
    cop_hash *hash = cop_hash_create();
    cop_history_hash(history, hash);
    cop_hash_hex(hash, hex);
    cop_hash_destroy(hash);
}

/** The history as bytes and back: equal, owned by the caller. */
static inline cop_history world_copy(const cop_history *history) {
    cop_buf bytes = {0};
    cop_history copy;
    cop_history_pack(history, &bytes);
    assert_ok(cop_history_unpack(&copy, bytes.data, bytes.length));
    cop_buf_clear(&bytes);
    return copy;
}

/** What a test makes of bytes that are not those of the history packed; @p honest is its own. */
typedef void (*world_probe)(const world *w, const void *honest, const unsigned char *bytes,
                            size_t length);
/** Every byte of a packed history changed in three ways; and that it is refused cut off anywhere.
 */
static inline void world_damage(const world *w, const void *honest, cop_buf *packed,
                                world_probe probe) {
    static const unsigned char flips[] = {0x01, 0x80, 0xff};
    for (size_t i = 0; i < packed->length; i++)
        for (size_t f = 0; f < sizeof flips; f++) {
            packed->data[i] ^= flips[f];
            probe(w, honest, packed->data, packed->length);
            packed->data[i] ^= flips[f];
        }
    for (size_t length = 0; length < packed->length; length++) {
        unsigned char *part = COP_NEW_ARRAY(unsigned char, length); /* reads behind it are found */
        if (length) memcpy(part, packed->data, length);
        cop_history none;
        assert_int_equal(cop_history_unpack(&none, part, length), COP_E_FORMAT);
        cop_free(part);
    }
}

#endif
