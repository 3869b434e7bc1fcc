/* Crossover and pruning do what their papers say: counts exactly, frequencies against theory. */
#include "../support/chance.h"
#include "../support/evo_world.h"

/* ------------------------------------------------------------------ cross */

static void random_mask(cop_mask *mask, size_t bits, uint32_t run) {
    cop_rng rng = chance_stream(run);
    cop_mask_init(mask, bits);
    cop_rng_sample(&rng, bits / 2, mask);
}

static void one_point_carries_both_parents_and_cuts_everywhere(void **state) {
    (void)state;
    world w;
    assert_ok(
        world_open(&w, "7", "dense(3) relu dense(6) relu dense(2)", "", 3)); /* 21 + 18 + 12 */
    const size_t e = w.model->weights;
    assert_int_equal(e, 51);
    const cop_op *op = cop_plan_op(w.plan, COP_ROLE_CROSS, 0);
    size_t seen[51] = {0};
    double chance[51] = {0};
    for (size_t i = 1; i < e; i++) chance[i] = 1.0 / (double)(e - 1);
    cop_mask a, b, child;
    random_mask(&a, e, 1);
    random_mask(&b, e, 2);
    cop_mask_init(&child, e);
    for (uint32_t i = 0; i < DRAWS; i++) {
        cop_recipe recipe = {.id = i, .born = 1, .crossed = 1};
        cop_rng rng = chance_stream(i);
        op->as.cross.decide(w.plan, &recipe, &rng);
        assert_in_range(recipe.cut, 1, e - 1);
        seen[recipe.cut]++;
        if (i >= 2000) continue;
        cop_plan_breed(w.plan, &recipe, &a, &b, &child);
        for (size_t k = 0; k < e; k++)
            assert_int_equal(cop_mask_get(&child, k), cop_mask_get(k < recipe.cut ? &a : &b, k));
    }
    assert_true(chance_chi2_of(seen, chance, e, DRAWS) < chance_chi2_limit(49));
    cop_mask_clear(&a);
    cop_mask_clear(&b);
    cop_mask_clear(&child);
    world_close(&w);
}

static void one_point_over_layers_cuts_between_layers(void **state) {
    (void)state;
    world w = world_of("[cross]\nover = layers\n"); /* 600 + 200 + 50 */
    const cop_op *op = cop_plan_op(w.plan, COP_ROLE_CROSS, 0);
    size_t seen[3] = {0};
    cop_mask a, child;
    cop_mask_init(&a, 850);
    cop_mask_init(&child, 850); /* parent 1: nothing; parent 2: the base network */
    for (uint32_t i = 0; i < DRAWS; i++) {
        cop_recipe recipe = {.id = i, .born = 1, .crossed = 1};
        cop_rng rng = chance_stream(i);
        op->as.cross.decide(w.plan, &recipe, &rng);
        assert_in_range(recipe.cut, 1, 2);
        seen[recipe.cut]++;
        if (i >= 50) continue;
        cop_plan_breed(w.plan, &recipe, &a, NULL, &child);
        size_t border = recipe.cut == 1 ? 600 : 800;
        assert_int_equal(cop_mask_count_range(&child, 0, border), 0);
        assert_int_equal(cop_mask_count_range(&child, border, 850), 850 - border);
    }
    assert_true(chance_chi2_of(seen, (double[]){0, .5, .5}, 3, DRAWS) < chance_chi2_limit(1));
    cop_mask_clear(&a);
    cop_mask_clear(&child);
    world_close(&w);
}

static void uniform_tosses_a_coin_per_edge(void **state) {
    (void)state;
    world w = world_of("[cross]\nop = uniform\n");
    cop_mask a, b, child;
    random_mask(&a, 850, 1);
    random_mask(&b, 850, 2);
    cop_mask_init(&child, 850);
    enum { RUNS = 2000 };
    size_t from_b[850] = {0}, pairs = 0, together = 0;
    for (uint32_t run = 0; run < RUNS; run++) {
        cop_recipe recipe = {.id = run, .born = 1, .crossed = 1};
        cop_plan_breed(w.plan, &recipe, &a, &b, &child);
        bool last = false;
        for (size_t k = 0; k < 850; k++) {
            bool bit = cop_mask_get(&child, k), of_b = bit == cop_mask_get(&b, k);
            if (cop_mask_get(&a, k) == cop_mask_get(&b, k)) {
                assert_int_equal(bit, cop_mask_get(&a, k));
                continue;
            }
            from_b[k] += of_b;
            together += of_b == last; /* neighbours are independent */
            pairs++;
            last = of_b;
        }
    }
    for (size_t k = 0; k < 850; k++)
        if (cop_mask_get(&a, k) != cop_mask_get(&b, k))
            assert_near((double)from_b[k], RUNS / 2.0, 4.5 * sqrt(RUNS / 4.0));
    assert_near((double)together, (double)pairs / 2, 4.5 * sqrt((double)pairs / 4));
    cop_mask_clear(&a);
    cop_mask_clear(&b);
    cop_mask_clear(&child);
    world_close(&w);
}

/* ------------------------------------------------------------------ vary */

static void vary(const world *w, uint32_t run, double amount, cop_mask *child) {
    cop_rng rng = chance_stream(run);
    cop_plan_op(w->plan, COP_ROLE_VARY, 0)->as.vary(w->plan, amount, child, &rng);
}

static void the_first_step_removes_29991_edges_of_the_thesis_network(void **state) {
    (void)state;
    world w;
    assert_ok(world_open(&w, CNN_INPUT, CNN_LAYERS, "", 1));
    const double n = 1199648;
    assert_near((double)w.model->weights, n, 0);
    cop_mask child;
    cop_mask_init(&child, w.model->weights);
    cop_mask_fill(&child);
    double mean = n, variance = 0;
    for (uint32_t k = 1; k <= 30; k++) {
        size_t before = cop_mask_count(&child);
        vary(&w, k, 0.025, &child);
        double live = (double)cop_mask_count(&child);
        if (k == 1) assert_near(live, n - 29991, 0);
        /* every step hits 29,991 positions, dead ones too: hypergeometric given what was live */
        double m = (double)before, hits = 29991;
        double hyper = hits * (m / n) * (1 - m / n) * (n - hits) / (n - 1);
        assert_near(live, m * (1 - hits / n), k == 1 ? 0.5 : 4 * sqrt(hyper));
        mean *= 1 - hits / n;
        variance = pow(1 - hits / n, 2) * variance +
                   hits * (mean / n) * (1 - mean / n) * (n - hits) / (n - 1);
        assert_near(live, n * pow(0.975, k), 4 * sqrt(variance) + 1);
    }
    cop_mask_clear(&child);
    world_close(&w);
}

/* The scatter over lineages is that of overlapping draws, and every position is hit alike. */
static void pruning_scatters_as_overlapping_draws_do(void **state) {
    (void)state;
    world w = world_of("[prune.random]\namount = 0.1\n");
    enum { LINEAGES = 2000, STEPS = 6 };
    const double n = 850, hits = 85;
    size_t alive[850] = {0};
    double mean = n, variance = 0, sum = 0, squares = 0;
    for (int k = 1; k <= STEPS; k++) {
        double spread = hits * (mean / n) * (1 - mean / n) * (n - hits) / (n - 1);
        /* the mean of m (n - m) over lineages is below that at the mean by the variance of m */
        spread -= hits * (n - hits) / (n - 1) * variance / (n * n);
        variance = pow(1 - hits / n, 2) * variance + spread;
        mean *= 1 - hits / n;
    }
    cop_mask child;
    cop_mask_init(&child, 850);
    for (uint32_t run = 0; run < LINEAGES; run++) {
        cop_mask_fill(&child);
        for (uint32_t k = 0; k < STEPS; k++) vary(&w, run * STEPS + k, 0.1, &child);
        double live = (double)cop_mask_count(&child);
        sum += live;
        squares += live * live;
        for (size_t i = 0; i < 850; i++) alive[i] += cop_mask_get(&child, i);
    }
    double seen_mean = sum / LINEAGES, seen = squares / LINEAGES - seen_mean * seen_mean;
    assert_near(seen_mean, mean, 4 * sqrt(variance / LINEAGES));
    assert_near(seen / variance, 1, 4 * sqrt(2.0 / LINEAGES));
    double share = mean / n, chi2 = 0;
    for (size_t i = 0; i < 850; i++)
        chi2 += pow((double)alive[i] - LINEAGES * share, 2) / (LINEAGES * share * (1 - share));
    assert_near(chi2, 850, 4.5 * sqrt(2 * 850.0));
    cop_mask_clear(&child);
    world_close(&w);
}

static void pruning_of_live_edges_removes_exactly_that_many(void **state) {
    (void)state;
    world w = world_of("[prune.random]\nof = live\n");
    cop_mask child, before;
    cop_mask_init(&child, 850);
    cop_mask_init(&before, 850);
    cop_mask_fill(&child);
    for (uint32_t k = 0; k < 40; k++) {
        size_t live = cop_mask_count(&child);
        cop_mask_copy(&before, &child);
        vary(&w, k, 0.025, &child);
        assert_int_equal(cop_mask_count(&child), live - (size_t)floor(0.025 * (double)live + 0.5));
        for (size_t i = 0; i < 850; i++)
            assert_true(cop_mask_get(&before, i) >= cop_mask_get(&child, i));
    }
    size_t hit[850] = {0}, runs = 4000;
    cop_mask_copy(&before, &child);
    double live = (double)cop_mask_count(&before), share = 0;
    for (uint32_t run = 0; run < runs; run++) {
        cop_mask_copy(&child, &before);
        vary(&w, run, 0.2, &child);
        share = (live - (double)cop_mask_count(&child)) / live;
        for (size_t i = 0; i < 850; i++)
            hit[i] += cop_mask_get(&before, i) && !cop_mask_get(&child, i);
    }
    double chi2 = 0, expected = share * (double)runs;
    for (size_t i = 0; i < 850; i++)
        if (cop_mask_get(&before, i))
            chi2 += pow((double)hit[i] - expected, 2) / (expected * (1 - share));
    assert_near(chi2, live, 4.5 * sqrt(2 * live));
    vary(&w, 1, 1, &child);
    assert_int_equal(cop_mask_count(&child), 0);
    vary(&w, 1, 1, &child); /* nothing left to cut */
    assert_int_equal(cop_mask_count(&child), 0);
    cop_mask_clear(&child);
    cop_mask_clear(&before);
    world_close(&w);
}

/* Position i is among the `count` smallest live magnitudes, ties from the lowest index. */
static bool among_smallest(const float *w, const cop_mask *live, size_t i, size_t count) {
    size_t smaller = 0;
    for (size_t k = 0; k < live->bits; k++)
        if (cop_mask_get(live, k) &&
            (fabsf(w[k]) < fabsf(w[i]) || (fabsf(w[k]) == fabsf(w[i]) && k < i)))
            smaller++;
    return smaller < count;
}

static void magnitude_cuts_the_smallest(void **state) {
    (void)state;
    for (int all = 0; all < 2; all++) {
        world w = world_of(all ? "[vary]\nops = prune.magnitude\n[prune.magnitude]\nof = all\n"
                               : "[vary]\nops = prune.magnitude\n");
        for (size_t i = 0; i < 850; i++) { /* many ties, zeros of both signs */
            if (i % 3) w.base->w[i] = rintf(w.base->w[i] * 20) / 20;
            if (i % 50 == 7) w.base->w[i] = -0.0f;
        }
        cop_mask child, before;
        cop_mask_init(&child, 850);
        cop_mask_init(&before, 850);
        for (uint32_t run = 0; run < 20; run++) {
            cop_rng rng = chance_stream(run);
            cop_rng_sample(&rng, 850 - 20 * run, &before);
            cop_mask_copy(&child, &before);
            double amount = 0.03 * run + 0.01;
            vary(&w, run, amount, &child);
            size_t live = cop_mask_count(&before), dead = 850 - live;
            size_t count = (size_t)floor(amount * (double)(all ? 850 : live) + 0.5);
            if (all) count = count > dead ? count - dead : 0;
            assert_int_equal(cop_mask_count(&child), live - count);
            for (size_t i = 0; i < 850; i++)
                if (cop_mask_get(&before, i))
                    assert_int_equal(cop_mask_get(&child, i),
                                     !among_smallest(w.base->w, &before, i, count));
            cop_mask_copy(&before, &child);
            vary(&w, run, amount, &child);
            if (all) assert_true(cop_mask_equal(&before, &child)); /* one shot */
        }
        vary(&w, 1, 1, &child);
        assert_int_equal(cop_mask_count(&child), 0);
        cop_mask_clear(&child);
        cop_mask_clear(&before);
        world_close(&w);
    }
}

static void channels_go_whole_and_from_one_layer(void **state) {
    (void)state;
    world w;
    assert_ok(world_open(&w, "1x9x9", "conv2d(4,3) relu conv2d(6,3) relu dense(5)",
                         "[vary]\nops = prune.channels\n", 1));
    static const char *const names[] = {"conv1", "conv2", "dense1"};
    enum { RUNS = 20000 };
    size_t hit[3] = {0}, channel[3][6] = {{0}};
    cop_mask child;
    cop_mask_init(&child, w.model->weights);
    for (uint32_t run = 0; run < RUNS; run++) {
        cop_mask_fill(&child);
        vary(&w, run, 3, &child);
        size_t layers = 0;
        for (size_t l = 0; l < 3; l++) {
            const cop_layer *layer = &w.model->layers[cop_model_find(w.model, names[l])];
            size_t channels = 0;
            for (size_t c = 0; c < layer->biases; c++) {
                size_t begin = layer->weight_begin + c * layer->fan_in;
                size_t live = cop_mask_count_range(&child, begin, begin + layer->fan_in);
                assert_true(live == 0 || live == layer->fan_in);
                channels += live == 0;
                channel[l][c] += live == 0;
            }
            assert_true(channels == 0 || channels == 3);
            layers += channels > 0;
            hit[l] += channels > 0;
        }
        assert_int_equal(layers, 1);
    }
    assert_true(chance_chi2_of(hit, (double[]){1. / 3, 1. / 3, 1. / 3}, 3, RUNS) <
                chance_chi2_limit(2));
    static const double outputs[] = {4, 6, 5};
    for (size_t l = 0; l < 3; l++)
        for (size_t c = 0; c < (size_t)outputs[l]; c++) {
            double share = 3 / outputs[l], expected = share * (double)hit[l];
            assert_near((double)channel[l][c], expected, 4.5 * sqrt(expected * (1 - share)));
        }
    /* channels cut before are drawn again: with 3 of 4 dead, a hit on conv1 mostly changes little
     */
    cop_mask_clear(&child);
    world_close(&w);
}

/* Channels cut before are drawn again: of 3 out of 6 with 3 dead, k are new with chance 1, 9, 9, 1
 * / 20. */
static void channels_are_drawn_from_the_dead_too(void **state) {
    (void)state;
    world w;
    assert_ok(world_open(&w, "4", "dense(6)", "[vary]\nops = prune.channels\n", 1));
    enum { RUNS = 20000 };
    size_t fresh[4] = {0};
    cop_mask child;
    cop_mask_init(&child, 24);
    for (uint32_t run = 0; run < RUNS; run++) {
        for (size_t i = 0; i < 12; i++) cop_mask_unset(&child, i);
        for (size_t i = 12; i < 24; i++) cop_mask_set(&child, i);
        vary(&w, run, 3, &child);
        fresh[3 - cop_mask_count(&child) / 4]++;
    }
    assert_true(chance_chi2_of(fresh, (double[]){.05, .45, .45, .05}, 4, RUNS) <
                chance_chi2_limit(3));
    cop_mask_clear(&child);
    world_close(&w);
}

/* 27, 864 or 27,648 edges in the first steps of the thesis' structured runs, or 384. */
static void three_channels_of_the_thesis_network(void **state) {
    (void)state;
    world w;
    assert_ok(world_open(&w, CNN_INPUT, CNN_LAYERS, "[vary]\nops = prune.channels\n", 1));
    size_t seen[4] = {0};
    static const size_t sizes[] = {27, 864, 27648, 384};
    cop_mask child;
    cop_mask_init(&child, w.model->weights);
    for (uint32_t run = 0; run < 60; run++) {
        cop_mask_fill(&child);
        vary(&w, run, 3, &child);
        size_t removed = w.model->weights - cop_mask_count(&child), k = 0;
        while (k < 4 && sizes[k] != removed) k++;
        assert_true(k < 4);
        seen[k]++;
    }
    for (size_t k = 0; k < 4; k++) assert_true(seen[k] > 0);
    cop_mask_clear(&child);
    world_close(&w);
}

/* Draws of different operators of one list, and of different children, are not the same draws. */
static void streams_of_children_and_operators_differ(void **state) {
    (void)state;
    world w =
        world_of("[vary]\nops = prune.random, prune.channels\n[prune.channels]\namount = 0\n");
    cop_mask a, b;
    cop_mask_init(&a, 850);
    cop_mask_init(&b, 850);
    cop_recipe recipe = {.id = 3, .born = 2, .varied = 1, .amount = {0.5}};
    cop_plan_breed(w.plan, &recipe, NULL, NULL, &a);
    const cop_recipe others[] = {{.id = 4, .born = 2, .varied = 1, .amount = {0.5}},
                                 {.id = 3, .born = 3, .varied = 1, .amount = {0.5}}};
    for (size_t i = 0; i < 2; i++) {
        cop_plan_breed(w.plan, &others[i], NULL, NULL, &b);
        size_t differ = cop_mask_distance(&a, &b);
        assert_true(differ > 350 && differ < 500); /* half of 850, sd 15 */
    }
    recipe.varied = 3;
    cop_plan_breed(w.plan, &recipe, NULL, NULL, &b);
    assert_true(cop_mask_equal(&a, &b));
    world_close(&w);
    /* the same operator further down the list */
    w = world_of("[vary]\nops = prune.channels, prune.random\n");
    const cop_recipe second = {.id = 3, .born = 2, .varied = 2, .amount = {0, 0.5}};
    cop_plan_breed(w.plan, &second, NULL, NULL, &b);
    size_t differ = cop_mask_distance(&a, &b);
    assert_true(differ > 350 && differ < 500);
    cop_mask_clear(&a);
    cop_mask_clear(&b);
    world_close(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_point_carries_both_parents_and_cuts_everywhere),
        cmocka_unit_test(one_point_over_layers_cuts_between_layers),
        cmocka_unit_test(uniform_tosses_a_coin_per_edge),
        cmocka_unit_test(the_first_step_removes_29991_edges_of_the_thesis_network),
        cmocka_unit_test(pruning_scatters_as_overlapping_draws_do),
        cmocka_unit_test(pruning_of_live_edges_removes_exactly_that_many),
        cmocka_unit_test(magnitude_cuts_the_smallest),
        cmocka_unit_test(channels_go_whole_and_from_one_layer),
        cmocka_unit_test(channels_are_drawn_from_the_dead_too),
        cmocka_unit_test(three_channels_of_the_thesis_network),
        cmocka_unit_test(streams_of_children_and_operators_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
