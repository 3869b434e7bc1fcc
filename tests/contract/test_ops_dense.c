/* Operators of dense genomes: widths, blocks, noise and steps as stated, and whole searches. */
#include "../support/chance.h"
#include "../support/evo_world.h"

#define DENSE                                                                                      \
    "[initialise]\nop = neuron_ramp\n[evaluate]\nop = trained_weights\narithmetic = dense\n"       \
    "[vary]\nops = weight.noise\n[cross]\nop = layer_block\n"

static void founder(const world *w, uint64_t id, cop_genome *genome) {
    cop_recipe recipe = {.id = id, .parent = {COP_FOUNDER, COP_FOUNDER}};
    cop_plan_breed_genome(w->plan, &recipe, NULL, NULL, genome);
}

static size_t rows_of(const world *w, const cop_genome *genome, size_t k) {
    cop_dense d;
    cop_dense_of_mask(&d, w->model, &genome->mask);
    size_t rows = d.layer[k].rows;
    cop_dense_clear(&d);
    return rows;
}

static void the_ramp_has_the_published_widths(void **state) {
    (void)state;
    world w;
    assert_ok(world_open(&w, "12", "dense(256) relu dense(256) relu dense(10)",
                         DENSE "[population]\nsize = 100\n", 1));
    static const size_t first[] = {231, 229, 227, 226, 224, 222, 220, 218, 217};
    size_t sum = 0, before = 257;
    for (uint64_t i = 0; i < 100; i++) {
        cop_genome g;
        founder(&w, i, &g);
        size_t width = rows_of(&w, &g, 0);
        assert_int_equal(rows_of(&w, &g, 1), width);
        assert_int_equal(rows_of(&w, &g, 2), 10);
        assert_true(width < before && cop_dense_is(w.model, &g.mask));
        if (i < 9) assert_int_equal(width, first[i]);
        if (i == 75) assert_int_equal(width, 96); /* 256 x 0.625 is 160, exactly */
        before = width;
        sum += width;
        cop_genome_clear(&g);
    }
    assert_int_equal(before, 53);
    assert_int_equal(sum, 14219);
    world_close(&w);
}

static double l1(const world *w, size_t unit) { /* of the first layer: 30 inputs */
    double sum = 0;
    for (size_t i = 0; i < 30; i++) sum += fabs((double)w->base->w[unit * 30 + i]);
    return sum;
}

static void the_least_units_go_and_weights_stay(void **state) {
    (void)state;
    world w = world_of("[initialise]\nop = neuron_ramp\nfrom = 0.5\nto = 0.5\n"
                       "[evaluate]\nop = trained_weights\narithmetic = dense\n"
                       "[vary]\nops = weight.noise\n[cross]\nop = layer_block\n");
    cop_genome g;
    cop_dense d;
    founder(&w, 0, &g);
    cop_dense_of_mask(&d, w.model, &g.mask);
    assert_int_equal(d.layer[0].rows, 10);
    assert_int_equal(d.layer[1].rows, 5);
    double least_kept = INFINITY, most_gone = 0;
    for (size_t u = 0, r = 0; u < 20; u++) {
        bool kept = r < 10 && d.layer[0].row[r] == u;
        r += kept;
        if (kept) least_kept = fmin(least_kept, l1(&w, u));
        if (!kept) most_gone = fmax(most_gone, l1(&w, u));
        assert_true(g.b[u] == (kept ? w.base->b[u] : 0));
    }
    assert_true(most_gone <= least_kept);
    for (size_t edge = 0, at = 0; edge < w.model->weights; edge++)
        if (cop_mask_get(&g.mask, edge)) assert_true(g.w[at++] == w.base->w[edge]);
    cop_dense_clear(&d);
    cop_genome_clear(&g);
    world_close(&w);
}

static void blocks_come_from_the_second_parent(void **state) {
    (void)state;
    world w = world_of(DENSE);
    const cop_op *op = cop_plan_op(w.plan, COP_ROLE_CROSS, 0);
    cop_genome a, b, child;
    founder(&w, 2, &a);
    founder(&w, 15, &b); /* narrower */
    size_t seen[5] = {0};
    for (size_t i = 0; i < cop_mask_count(&b.mask); i++) b.w[i] = 100 + (float)i;
    for (uint32_t run = 0; run < 500; run++) {
        cop_recipe recipe = {.id = run, .born = 1, .crossed = 1};
        cop_rng rng = chance_stream(run);
        op->as.cross.decide(w.plan, &recipe, &rng);
        cop_genome_copy(&child, &a, w.model);
        op->dense.apply(w.plan, &recipe, &b, &child, &rng);
        assert_true(cop_mask_equal(&child.mask, &a.mask));
        cop_dense da, db;
        cop_dense_of_mask(&da, w.model, &a.mask);
        cop_dense_of_mask(&db, w.model, &b.mask);
        for (size_t k = 0; k < 3; k++) {
            const cop_dense_layer *p = &da.layer[k], *q = &db.layer[k];
            size_t cut = 0; /* the first row tells where the block ends */
            while (cut < p->columns && child.w[p->begin + cut] == b.w[q->begin + cut]) cut++;
            size_t most = q->rows < q->columns ? q->rows : q->columns;
            assert_in_range(cut, 1, most);
            if (k == 2) seen[cut - 1]++;
            for (size_t r = 0; r < p->rows; r++)
                for (size_t c = 0; c < p->columns; c++) {
                    float wanted = r < cut && c < cut ? b.w[q->begin + r * q->columns + c]
                                                      : a.w[p->begin + r * p->columns + c];
                    assert_true(child.w[p->begin + r * p->columns + c] == wanted);
                }
        }
        cop_dense_clear(&da);
        cop_dense_clear(&db);
        cop_genome_clear(&child);
    }
    assert_true(seen[0] > 50 && seen[1] > 50); /* both ends of the range occur */
    /* equal parents: the child is like them */
    cop_recipe recipe = {.crossed = 1, .cut = 77};
    cop_rng rng = chance_stream(0);
    cop_genome_copy(&child, &a, w.model);
    op->dense.apply(w.plan, &recipe, &a, &child, &rng);
    assert_true(cop_genome_equal(&child, &a, w.model));
    cop_genome_clear(&child);
    cop_genome_clear(&a);
    cop_genome_clear(&b);
    world_close(&w);
}

static void noise_keeps_signs_and_biases(void **state) {
    (void)state;
    world w = world_of(DENSE "[weight.noise]\nchance = 0.25\n");
    cop_genome a, child;
    founder(&w, 0, &a);
    size_t weights = cop_mask_count(&a.mask), hit = 0;
    double sum = 0;
    for (uint32_t run = 0; run < 2000; run++) {
        cop_rng rng = chance_stream(run);
        cop_genome_copy(&child, &a, w.model);
        cop_plan_op(w.plan, COP_ROLE_VARY, 0)->dense.vary(w.plan, 0.1, &child, &rng);
        bool changed = !cop_genome_equal(&child, &a, w.model);
        hit += changed;
        assert_memory_equal(child.b, a.b, w.model->biases * sizeof(float));
        for (size_t i = 0; i < weights && changed; i++) {
            double factor = (double)child.w[i] / (double)a.w[i];
            assert_true(factor > 0.8999 && factor < 1.1001);
            sum += factor / (double)weights;
        }
        cop_genome_clear(&child);
    }
    assert_near((double)hit, 500, 4.5 * sqrt(2000 * 0.25 * 0.75));
    assert_near(sum / (double)hit, 1, 0.001);
    cop_genome_clear(&a);
    world_close(&w);
}

static void steps_keep_genomes_dense(void **state) {
    (void)state;
    world w = world_of("[initialise]\nop = neuron_ramp\n[evaluate]\nop = trained_weights\n"
                       "arithmetic = dense\n[vary]\nops = width.step\n[cross]\nop = units\n"
                       "[width.step]\nchance = 1\n");
    cop_genome g;
    founder(&w, 10, &g);
    size_t grown = 0, shrunk = 0;
    for (uint32_t run = 0; run < 400; run++) {
        size_t before[2] = {rows_of(&w, &g, 0), rows_of(&w, &g, 1)};
        cop_rng rng = chance_stream(run);
        cop_plan_op(w.plan, COP_ROLE_VARY, 0)->dense.vary(w.plan, 3, &g, &rng);
        assert_true(cop_dense_is(w.model, &g.mask));
        size_t after[2] = {rows_of(&w, &g, 0), rows_of(&w, &g, 1)};
        assert_true(after[0] == before[0] || after[1] == before[1]);
        for (size_t k = 0; k < 2; k++) {
            assert_in_range(after[k], 1, k ? 10 : 20);
            assert_true(after[k] <= before[k] + 3 && before[k] <= after[k] + 3);
            grown += after[k] > before[k];
            shrunk += after[k] < before[k];
        }
        /* nothing has altered a weight: all are the base network's */
        for (size_t edge = 0, at = 0; edge < w.model->weights; edge++)
            if (cop_mask_get(&g.mask, edge)) assert_true(g.w[at++] == w.base->w[edge]);
    }
    assert_true(grown > 60 && shrunk > 60);
    cop_genome_clear(&g);
    world_close(&w);
}

/* Units that both keep come whole from either; those that only parent 1 has are its own. */
static void units_are_matched_by_where_they_come_from(void **state) {
    (void)state;
    world w = world_of("[initialise]\nop = neuron_ramp\nwidths = own\n[evaluate]\n"
                       "op = trained_weights\narithmetic = dense\n[vary]\nops = width.step\n"
                       "[cross]\nop = units\n");
    cop_genome a, b, child;
    founder(&w, 1, &a);
    founder(&w, 16, &b);
    cop_recipe recipe = {.crossed = 1};
    size_t from_b = 0;
    for (size_t i = 0; i < cop_mask_count(&b.mask); i++) b.w[i] += 50;
    cop_genome_copy(&child, &a, w.model);
    cop_rng rng = chance_stream(3);
    cop_plan_op(w.plan, COP_ROLE_CROSS, 0)->dense.apply(w.plan, &recipe, &b, &child, &rng);
    assert_true(cop_mask_equal(&child.mask, &a.mask));
    for (size_t edge = 0, at = 0; edge < w.model->weights; edge++) {
        if (!cop_mask_get(&child.mask, edge)) continue;
        float seen = child.w[at++], base = w.base->w[edge];
        assert_true(seen == base || (seen == base + 50 && cop_mask_get(&b.mask, edge)));
        from_b += seen != base;
    }
    assert_true(from_b > 10);
    cop_genome_clear(&child);
    cop_genome_clear(&a);
    cop_genome_clear(&b);
    world_close(&w);
}

static void genomes_travel_whole(void **state) {
    (void)state;
    world w = world_of(DENSE);
    cop_genome g, seen;
    cop_buf bytes = {0};
    founder(&w, 7, &g);
    cop_genome_pack(&g, w.model, &bytes);
    assert_int_equal(cop_genome_unpack(&seen, w.model, bytes.data, bytes.length), bytes.length);
    assert_true(cop_genome_equal(&g, &seen, w.model));
    cop_genome_clear(&seen);
    for (size_t cut = 0; cut < bytes.length; cut += 7)
        assert_int_equal(cop_genome_unpack(&seen, w.model, bytes.data, cut), 0);
    bytes.data[3] ^= 1; /* an edge more or less than there are weights */
    assert_int_equal(cop_genome_unpack(&seen, w.model, bytes.data, bytes.length), 0);
    cop_buf_clear(&bytes);
    cop_genome_clear(&g);
    world_close(&w);
}

/* Names of a child, inherited and made anew, are those that its weights have by themselves. */
static void names_follow_the_weights(void **state) {
    (void)state;
    static const char *const crosses[] = {"layer_block", "units"};
    for (size_t c = 0; c < 2; c++) {
        char *conf = cop_sprintf("[initialise]\nop = neuron_ramp\nwidths = own\n[evaluate]\n"
                                 "op = trained_weights\narithmetic = dense\n[vary]\n"
                                 "ops = width.step, weight.noise\n[width.step]\nchance = 0.3\n"
                                 "[weight.noise]\nchance = 0.3\n[cross]\nop = %s\n"
                                 "probability = 1\n",
                                 crosses[c]);
        world w;
        assert_ok(world_open(&w, "300", "dense(140) relu dense(70) relu dense(10)", conf, 1));
        cop_genome live[8];
        size_t pieces = cop_names_pieces(w.model), inherited = 0;
        assert_int_equal(pieces, 4); /* 64, 64, 12 and on, the rest */
        assert_int_equal(cop_names_cut(w.model, 1), 64);
        assert_int_equal(cop_names_cut(w.model, 4), 300);
        for (uint64_t i = 0; i < 8; i++) founder(&w, i, &live[i]);
        for (uint64_t id = 8; id < 60; id++) {
            cop_recipe r = {.id = id, .born = (uint32_t)id / 8, .crossed = 1, .cut = 1 + id * 977};
            cop_genome *a = &live[id % 7], *b = &live[id % 5 + 1], child, fresh;
            if (c == 1) r.cut = 0;
            cop_recipe_vary(w.plan, &r);
            cop_plan_breed_genome(w.plan, &r, a, b, &child);
            cop_genome_copy(&fresh, &child, w.model);
            cop_genome_unname(&fresh);
            cop_genome_name(&fresh, w.model);
            assert_int_equal(fresh.names, pieces * rows_of(&w, &child, 0));
            assert_int_equal(child.names, fresh.names);
            assert_memory_equal(child.name, fresh.name, fresh.names * sizeof *fresh.name);
            for (size_t n = 0; n < child.names && n < a->names; n++)
                inherited += memcmp(&child.name[n], &a->name[n], sizeof *a->name) == 0;
            cop_genome_clear(&fresh);
            cop_genome_clear(&live[id % 8]);
            live[id % 8] = child;
        }
        assert_true(inherited > 1000);
        for (size_t i = 0; i < 8; i++) cop_genome_clear(&live[i]);
        world_close(&w);
        cop_free(conf);
    }
}

/* Pairs share parents and cut; the first of the ranked are born again; resume plays it again. */
static void searches_breed_pairs_and_copies(void **state) {
    (void)state;
    world w = world_of(DENSE "twins = yes\nprobability = 1\n[population]\nsize = 11\n[fitness]\n"
                             "op = ecomp\n[pool]\nop = reborn\nreborn = 0.2\n[survive]\n"
                             "op = generational\n");
    cop_engine *engine = cop_engine_create(w.plan), *resumed;
    size_t m = cop_plan_measures(w.plan)->count;
    long units = cop_plan_measure(w.plan, "units");
    assert_true(units >= 0);
    for (int g = 0; g < 6; g++) {
        size_t count;
        const cop_recipe *r = cop_engine_ask(engine, &count);
        assert_int_equal(count, 11);
        for (size_t i = 0; g > 0 && i < count; i++) {
            if (i < 2) {
                assert_true(r[i].parent[0] == cop_engine_history(engine)->live[i]);
                assert_true(!r[i].crossed && !r[i].varied);
            } else if (i % 2 == 1) {
                assert_true(r[i].parent[0] == r[i - 1].parent[1] && r[i].cut == r[i - 1].cut);
                assert_true(r[i].parent[1] == r[i - 1].parent[0] && r[i].crossed);
            }
        }
        double *measures = COP_NEW_ARRAY(double, count *m);
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < m; k++) measures[i * m + k] = 0.5 + 0.01 * (double)((i + k) % 7);
        cop_engine_tell(engine, measures);
        cop_free(measures);
        assert_ok(cop_history_check(cop_engine_history(engine)));
    }
    cop_history copy = world_copy(cop_engine_history(engine));
    assert_ok(cop_engine_resume(&resumed, w.plan, &copy));
    cop_engine_destroy(resumed);
    cop_engine_destroy(engine);
    world_close(&w);
}

static void units_are_measured_from_edges(void **state) {
    (void)state;
    world w = world_of(DENSE);
    cop_genome g;
    founder(&w, 12, &g);
    cop_evidence e[2] = {{.samples = 1}, {.samples = 1}};
    uint64_t *edges = COP_NEW_ARRAY(uint64_t, w.model->count);
    double *measures = COP_NEW_ARRAY(double, cop_plan_measures(w.plan)->count);
    for (size_t i = 0; i < w.model->count; i++) {
        const cop_layer *layer = &w.model->layers[i];
        edges[i] = cop_mask_count_range(&g.mask, layer->weight_begin,
                                        layer->weight_begin + layer->weights);
    }
    cop_plan_measure_individual(w.plan, e, edges, measures);
    double first = (double)rows_of(&w, &g, 0), second = (double)rows_of(&w, &g, 1);
    assert_near(measures[cop_plan_measure(w.plan, "units.dense1")], first, 0);
    assert_near(measures[cop_plan_measure(w.plan, "units.dense2")], second, 0);
    assert_near(measures[cop_plan_measure(w.plan, "units")], (first / 20 + second / 10) / 2, 1e-12);
    cop_free(edges);
    cop_free(measures);
    cop_genome_clear(&g);
    world_close(&w);
}

/* The smaller network computes what the base network's places with zeros compute; channels too. */
static void narrow_networks_agree_with_reference(void **state) {
    (void)state;
    enum { SAMPLES = 24 };
    static const char *const nets[][2] = {
        {"64", "dense(20) relu dense(10) tanh dense(4)"},
        {"1x8x8", "conv2d(6,3) relu maxpool(2) flatten dense(12) relu dense(4)"},
        {"2x8x8", "conv2d(5,3) relu conv2d(7,3,1,1) relu flatten dense(4)"},
    };
    for (size_t n = 0; n < sizeof nets / sizeof *nets; n++) {
        world w;
        assert_ok(world_open(&w, nets[n][0], nets[n][1], DENSE, 4));
        size_t inputs = cop_shape_size(w.model->input);
        float *x = COP_NEW_ARRAY(float, SAMPLES *inputs);
        int32_t label[SAMPLES];
        cop_rng rng = chance_stream((uint32_t)n);
        for (size_t i = 0; i < SAMPLES * inputs; i++) x[i] = (float)cop_rng_normal(&rng);
        for (size_t i = 0; i < SAMPLES; i++) label[i] = (int32_t)(i % 4);
        cop_eval_setup setup = {.model = w.model,
                                .base = w.base,
                                .batch = 10, /* a tail */
                                .weighting = {COP_WEIGHTS_TRAINED, 1, {1}}};
        cop_shard shard = {.x = x, .label = label, .n = SAMPLES};
        for (uint64_t id = 0; id < 20; id += 6) {
            cop_genome g;
            const cop_genome *one = &g;
            cop_evidence seen[2];
            uint16_t predicted[2][SAMPLES];
            founder(&w, id, &g);
            assert_true(cop_dense_is(w.model, &g.mask));
            cop_plan_op(w.plan, COP_ROLE_VARY, 0)->dense.vary(w.plan, 0.5, &g, &rng);
            for (size_t i = 0; i < cop_mask_count(&g.mask); i++) g.w[i] *= 1.5f; /* its own */
            static const char *const names[2] = {"dense", "reference"};
            for (size_t k = 0; k < 2; k++) {
                const cop_evaluator *e = cop_evaluator_find(names[k]);
                void *self = NULL;
                assert_ok(e->create(&self, &setup));
                assert_ok(cop_evaluate_genomes(e, self, &setup, &one, 1, &shard, NULL, NULL,
                                               &seen[k], predicted[k]));
                e->destroy(self);
            }
            assert_near(seen[0].loss[0], seen[1].loss[0], 1e-4 * seen[1].loss[0]);
            assert_memory_equal(predicted[0], predicted[1], sizeof predicted[0]);
            cop_genome_clear(&g);
        }
        cop_free(x);
        world_close(&w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ramp_has_the_published_widths),
        cmocka_unit_test(the_least_units_go_and_weights_stay),
        cmocka_unit_test(blocks_come_from_the_second_parent),
        cmocka_unit_test(noise_keeps_signs_and_biases),
        cmocka_unit_test(steps_keep_genomes_dense),
        cmocka_unit_test(units_are_matched_by_where_they_come_from),
        cmocka_unit_test(genomes_travel_whole),
        cmocka_unit_test(names_follow_the_weights),
        cmocka_unit_test(searches_breed_pairs_and_copies),
        cmocka_unit_test(units_are_measured_from_edges),
        cmocka_unit_test(narrow_networks_agree_with_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
