/* The engine: sizes, elites, best ever, failures, stop rules, and going on from a history. */
#include "../support/evo_world.h"

static void evaluations_are_those_of_the_paper(void **state) {
    (void)state;
    world w = world_of("");
    cop_engine *engine = cop_engine_create(w.plan);
    size_t count;
    for (int g = 0; !cop_engine_finished(engine, NULL); g++) {
        const cop_recipe *recipes = cop_engine_ask(engine, &count);
        assert_int_equal(count, g == 0 ? 20 : 14);
        assert_ptr_equal(recipes,
                         cop_engine_ask(engine, &count)); /* asking twice changes nothing */
        world_step(&w, engine);
    }
    const cop_history *h = cop_engine_history(engine);
    assert_int_equal(h->individuals, 720);
    assert_int_equal(h->generations, 51);
    assert_int_equal(h->generation[50].evaluations, 720);
    assert_int_equal(h->population, 20);
    /* the first is the base network, the other 19 are it varied once */
    for (size_t i = 0; i < 20; i++) {
        assert_true(h->individual[i].recipe.parent[0] == COP_FOUNDER);
        assert_int_equal(h->individual[i].recipe.varied, i > 0);
        assert_int_equal(cop_mask_count(&w.genome[i]), i > 0 ? 850 - 21 : 850);
    }
    for (size_t i = 20; i < 720; i++) {
        assert_true(h->individual[i].recipe.parent[0] < i);
        assert_int_equal(h->individual[i].recipe.varied, 1);
        assert_near(h->individual[i].recipe.amount[0], 0.025, 0);
    }
    /* the search does find something */
    assert_true(h->generation[50].best_ever > 1.2 * h->generation[0].best);
    cop_engine_destroy(engine);
    world_close(&w);
}

/* One generation by hand: who passes, who breeds, who dies. */
static void elites_pass_and_the_culled_do_not_breed(void **state) {
    (void)state;
    /* tournaments of one: any of the pool may win, so one of the culled would show */
    world w = world_of("[select]\nsize = 1\n");
    size_t bred[2][14] = {{0}}, crossed = 0, selfed = 0;
    cop_engine *engine = cop_engine_create(w.plan);
    world_step(&w, engine);
    for (uint32_t g = 1; g <= 30; g++) {
        cop_history before = world_copy(cop_engine_history(engine));
        size_t count;
        const cop_recipe *recipes = cop_engine_ask(engine, &count);
        for (size_t i = 0; i < count; i++)
            for (size_t p = 0; p < 2; p++) {
                if (recipes[i].parent[p] == COP_FOUNDER) continue;
                size_t rank = 0;
                while (before.live[rank] != recipes[i].parent[p]) rank++;
                assert_true(rank < 14);
                bred[p][rank]++;
                crossed += p;
                selfed += p && recipes[i].parent[0] == recipes[i].parent[1];
            }
        world_step(&w, engine);
        const cop_history *h = cop_engine_history(engine);
        size_t elites = 0;
        for (size_t k = 0; k < 20; k++) {
            const cop_individual *i = &h->individual[before.live[k]];
            bool elite = k < 6;
            elites += elite;
            assert_int_equal(i->died, elite ? UINT32_MAX : g);
            assert_int_equal(i->elite - before.individual[before.live[k]].elite, elite);
            /* not evaluated again: the row is as it was */
            assert_near(i->fitness, before.individual[before.live[k]].fitness, 0);
        }
        assert_int_equal(elites, 6);
        assert_int_equal(h->individuals, before.individuals + 14);
        for (size_t k = 0; k + 1 < 20; k++) {
            double a = h->individual[h->live[k]].fitness, b = h->individual[h->live[k + 1]].fitness;
            /* ties: elites first, then the older */
            assert_true(a > b || (a == b && h->live[k] < h->live[k + 1]) ||
                        (a == b && h->individual[h->live[k]].elite));
        }
        cop_history_clear(&before);
    }
    for (size_t rank = 0; rank < 14; rank++) assert_true(bred[0][rank] && bred[1][rank]);
    /* the second parent is drawn anew: the first again with chance 1/14 */
    assert_near((double)selfed, (double)crossed / 14, 4 * sqrt((double)crossed / 14));
    cop_engine_destroy(engine);
    world_close(&w);
}

/* Where the draws of a birth come from is part of what a run is: a digest rests on it. */
static void draws_are_where_they_are_addressed(void **state) {
    (void)state;
    world w = world_of("[cross]\nop = uniform\n[vary]\nops = prune.channels, prune.random\n");
    const cop_recipe cross = {.id = 40, .born = 3, .crossed = 1, .parent = {1, 2}};
    const cop_recipe vary = {.id = 40, .born = 3, .varied = 2, .amount = {0, 0.5}};
    cop_mask none, child, wanted;
    cop_mask_init(&none, 850);
    cop_mask_init(&child, 850);
    cop_mask_init(&wanted, 850);
    cop_rng rng = cop_rng_at(11, 3, 40, COP_FOR_CROSS_GENES);
    for (size_t i = 0; i < 850; i += 64) wanted.words[i / 64] = cop_rng_u64(&rng);
    wanted.words[13] &= (UINT64_C(1) << 850 % 64) - 1;
    cop_plan_breed(w.plan, &cross, &none, NULL, &child); /* parent 2: all edges */
    assert_true(cop_mask_equal(&child, &wanted));
    rng = cop_rng_at(11, 3, 40, COP_FOR_VARY + 16);
    cop_rng_sample(&rng, 425, &wanted);
    cop_plan_breed(w.plan, &vary, NULL, NULL, &child);
    assert_int_equal(cop_mask_distance(&child, &wanted), 850);
    cop_mask_clear(&none);
    cop_mask_clear(&child);
    cop_mask_clear(&wanted);
    world_close(&w);
}

static void generations_can_replace_everybody(void **state) {
    (void)state;
    world w = world_of("[pool]\nelite = 0\n[survive]\nop = generational\n");
    cop_engine *engine = cop_engine_create(w.plan);
    for (size_t g = 0; g < 5; g++) {
        world_step(&w, engine);
        const cop_history *h = cop_engine_history(engine);
        for (size_t k = 0; k < 20; k++) assert_in_range(h->live[k], 20 * g, 20 * g + 19);
    }
    cop_engine_destroy(engine);
    world_close(&w);
}

static size_t count_crossed(const char *ini) {
    world w = world_of(ini);
    cop_engine *engine = cop_engine_create(w.plan);
    while (!cop_engine_finished(engine, NULL)) world_step(&w, engine);
    const cop_history *h = cop_engine_history(engine);
    size_t crossed = 0;
    for (size_t i = 20; i < h->individuals; i++) crossed += h->individual[i].recipe.crossed;
    cop_engine_destroy(engine);
    world_close(&w);
    return crossed;
}

static void crossover_has_its_probability(void **state) {
    (void)state;
    assert_int_equal(count_crossed("[cross]\nop = none\n"), 0);
    assert_int_equal(count_crossed("[cross]\nprobability = 0\n"), 0);
    assert_int_equal(count_crossed("[cross]\nprobability = 1\nop = uniform\n"), 700);
    double crossed = (double)count_crossed("[cross]\nprobability = 0.3\n");
    assert_near(crossed, 0.3 * 700, 4 * sqrt(0.3 * 0.7 * 700));
}

/* Feed an engine with one made-up accuracy per birth, the same for both tasks. */
static void tell(const world *w, cop_engine *engine, const double *accuracy) {
    size_t count, m = cop_plan_measures(w->plan)->count;
    cop_engine_ask(engine, &count);
    double *measures = COP_NEW_ARRAY(double, count *m);
    for (size_t i = 0; i < count; i++) {
        measures[i * m] = measures[i * m + 1] = accuracy[i];
        measures[i * m + (size_t)cop_plan_measure(w->plan, "density")] = 0.5;
    }
    cop_engine_tell(engine, measures);
    cop_free(measures);
}

static void the_best_ever_is_replaced_by_better_ones_only(void **state) {
    (void)state;
    world w = world_of("[population]\nsize = 4\n[pool]\nelite = 0\ncull = 0\n[select]\nsize = 2\n");
    cop_engine *engine = cop_engine_create(w.plan);
    tell(&w, engine, (const double[]){10, 60, 60, 20});
    assert_int_equal(cop_engine_best_ever(engine), 1);
    tell(&w, engine, (const double[]){60, 50, 50, 50}); /* as good: the older one stays */
    assert_int_equal(cop_engine_best_ever(engine), 1);
    size_t kept;
    const uint64_t *keep = cop_engine_keep(engine, &kept);
    assert_int_equal(kept, 5); /* it died, but its genome is wanted */
    assert_int_equal(keep[4], 1);
    tell(&w, engine, (const double[]){0, 61, 0, 0});
    assert_int_equal(cop_engine_best_ever(engine), 9);
    cop_engine_keep(engine, &kept);
    assert_int_equal(kept, 4);
    const cop_generation *row = &cop_engine_history(engine)->generation[1];
    assert_near(row->best, 1.5, 1e-15);
    assert_near(row->median, 1, 1e-15);
    assert_near(row->mean, 1.125, 1e-15);
    assert_near(row->worst, 1, 1e-15);
    assert_near(row->density_mean, 0.5, 0);
    cop_engine_destroy(engine);
    world_close(&w);
}

static void failures_never_win_and_never_stop_the_run(void **state) {
    (void)state;
    static const char *const selects[] = {"tournament\nsize = 3", "roulette", "softmax"};
    for (size_t s = 0; s < 3; s++) {
        char ini[128];
        snprintf(ini, sizeof ini,
                 "[population]\nsize = 4\n[pool]\nelite = 0.25\ncull = 0\n[select]\nop = %s\n",
                 selects[s]);
        world w = world_of(ini);
        cop_engine *engine = cop_engine_create(w.plan);
        tell(&w, engine, (const double[]){NAN, INFINITY, 40, -INFINITY});
        const cop_history *h = cop_engine_history(engine);
        assert_int_equal(h->live[0], 2);
        assert_int_equal(cop_engine_best_ever(engine), 2);
        for (size_t i = 0; i < 4; i++)
            if (i != 2) assert_true(h->individual[i].fitness == -INFINITY);
        assert_near(h->generation[0].mean, h->individual[2].fitness, 0);
        tell(&w, engine, (const double[]){NAN, NAN, NAN});
        assert_int_equal(h->live[0], 2);
        tell(&w, engine, (const double[]){NAN, 30, NAN});
        assert_int_equal(h->live[0], 2);
        assert_ok(cop_history_check(h));
        cop_engine_destroy(engine);
        engine = cop_engine_create(w.plan); /* all fail: the run goes on, and recovers */
        tell(&w, engine, (const double[]){NAN, NAN, NAN, NAN});
        h = cop_engine_history(engine);
        assert_true(h->generation[0].best_ever == -INFINITY);
        tell(&w, engine, (const double[]){NAN, NAN, NAN});
        tell(&w, engine, (const double[]){NAN, 5, NAN});
        assert_int_equal(cop_engine_best_ever(engine), 8);
        assert_ok(cop_history_check(h));
        cop_engine_destroy(engine);
        world_close(&w);
    }
}

static void stops(const char *ini, const double *accuracy, const char *wanted, size_t generations) {
    char text[256];
    snprintf(
        text, sizeof text,
        "[population]\nsize = 4\n[pool]\nelite = 0.5\ncull = 0\n[select]\nsize = 1\n[stop]\n%s",
        ini);
    world w = world_of(text);
    cop_engine *engine = cop_engine_create(w.plan);
    const char *reason = NULL;
    for (size_t g = 0; !cop_engine_finished(engine, &reason); g++) {
        assert_null(reason);
        double a = accuracy[g];
        tell(&w, engine, (const double[]){a, a, a, a});
    }
    assert_string_equal(reason, wanted);
    assert_int_equal(cop_engine_history(engine)->generations, generations + 1);
    cop_engine_destroy(engine);
    world_close(&w);
}

static void stop_rules_stop(void **state) {
    (void)state;
    const double rising[] = {10, 20, 30, 40, 50, 60, 70, 80, 90, 95};
    const double flat[] = {10, 20, 20, 20, 30, 30, 30, 30, 30, 30};
    stops("generations = 3\n", rising, "all generations done", 3);
    stops("generations = 0\n", rising, "all generations done", 0);
    stops("evaluations = 10\n", rising, "all evaluations used", 3); /* 4 + 3 x 2 */
    stops("evaluations = 9\n", rising, "all evaluations used", 2);  /* never more than allowed */
    stops("evaluations = 1\n", rising, "all evaluations used", 0);
    stops("target = 1\n", rising, "target fitness reached", 4);
    stops("stagnation = 3\n", flat, "no improvement for long enough", 7);
    stops("stagnation = 2\n", flat, "no improvement for long enough", 3);
}

static const char *const compositions[] = {
    "",
    "[select]\nop = roulette\n[cross]\nop = uniform\nprobability = 0.7\n[prune.random]\nof = "
    "live\n",
    "[select]\nop = softmax\ntemperature = 0.1\n[cross]\nover = layers\n[vary]\nops = "
    "prune.random, "
    "prune.channels\n[prune.channels]\namount = 1\n[prune.random]\nschedule = exponential\n"
    "amount_end = 0.001\nover = 9\n",
    "[pool]\nelite = 0\ncull = 0.5\n[survive]\nop = generational\n[cross]\nop = none\n[vary]\nops "
    "= "
    "prune.magnitude\n",
};

/* After every generation the history goes through bytes into a new engine; nothing changes. */
static void a_resumed_search_goes_on_as_if_nothing_had_happened(void **state) {
    (void)state;
    for (size_t c = 0; c < sizeof compositions / sizeof *compositions; c++) {
        char ini[512], whole[COP_HASH_HEX], parts[COP_HASH_HEX];
        snprintf(ini, sizeof ini, "%s[stop]\ngenerations = 15\n", compositions[c]);
        world w = world_of(ini);
        cop_engine *engine = cop_engine_create(w.plan);
        while (!cop_engine_finished(engine, NULL)) world_step(&w, engine);
        world_digest(cop_engine_history(engine), whole);
        cop_engine_destroy(engine);
        engine = cop_engine_create(w.plan);
        for (;;) {
            cop_history copy = world_copy(cop_engine_history(engine));
            size_t kept;
            const uint64_t *keep = cop_engine_keep(engine, &kept);
            uint64_t *wanted = COP_NEW_ARRAY(uint64_t, kept);
            for (size_t k = 0; k < kept; k++) wanted[k] = keep[k];
            cop_engine_destroy(engine);
            assert_ok(cop_engine_resume(&engine, w.plan, &copy));
            assert_null(copy.individual);
            size_t again;
            keep = cop_engine_keep(engine, &again);
            assert_int_equal(again, kept);
            for (size_t k = 0; k < kept; k++) assert_int_equal(keep[k], wanted[k]);
            cop_free(wanted);
            if (cop_engine_finished(engine, NULL)) break;
            world_step(&w, engine); /* breeds again what was bred before: the same bits */
        }
        world_digest(cop_engine_history(engine), parts);
        assert_string_equal(whole, parts);
        cop_engine_destroy(engine);
        world_close(&w);
    }
}

static void a_finished_search_can_be_extended(void **state) {
    (void)state;
    char whole[COP_HASH_HEX], parts[COP_HASH_HEX];
    world w = world_of("[stop]\ngenerations = 12\n"), first = world_of("[stop]\ngenerations = 5\n");
    cop_engine *engine = cop_engine_create(w.plan), *begin = cop_engine_create(first.plan);
    while (!cop_engine_finished(engine, NULL)) world_step(&w, engine);
    while (!cop_engine_finished(begin, NULL)) world_step(&first, begin);
    world_digest(cop_engine_history(engine), whole);
    cop_engine_destroy(engine);
    cop_history copy = world_copy(cop_engine_history(begin));
    assert_ok(cop_engine_resume(&engine, w.plan, &copy));
    while (!cop_engine_finished(engine, NULL)) world_step(&w, engine);
    world_digest(cop_engine_history(engine), parts);
    assert_string_equal(whole, parts);
    cop_engine_destroy(engine);
    cop_engine_destroy(begin);
    world_close(&w);
    world_close(&first);
}

/* pow() may round otherwise on another machine: what was applied at birth is what counts. */
static void amounts_of_another_rounding_are_kept(void **state) {
    (void)state;
    world w = world_of("[prune.random]\nschedule = exponential\namount_end = 0.01\n");
    cop_engine *engine = cop_engine_create(w.plan), *resumed;
    for (int g = 0; g < 3; g++) world_step(&w, engine);
    cop_history copy = world_copy(cop_engine_history(engine));
    double other = nextafter(copy.individual[30].recipe.amount[0], 1);
    copy.individual[30].recipe.amount[0] = other;
    assert_ok(cop_engine_resume(&resumed, w.plan, &copy));
    assert_true(cop_engine_history(resumed)->individual[30].recipe.amount[0] == other);
    cop_engine_destroy(resumed);
    copy = world_copy(cop_engine_history(engine));
    copy.individual[30].recipe.amount[0] *= 1.0001;
    assert_fails(cop_engine_resume(&resumed, w.plan, &copy), COP_E_FORMAT,
                 "individual 30: another birth");
    cop_engine_destroy(engine);
    world_close(&w);
}

static void foreign_histories_are_refused(void **state) {
    (void)state;
    world w = world_of(""), other;
    cop_engine *engine = cop_engine_create(w.plan), *resumed;
    for (int g = 0; g < 4; g++) world_step(&w, engine);
    const struct {
        const char *ini;
        uint64_t seed;
        const char *message;
    } cases[] = {{"", 12, "another birth"},
                 {"[fitness]\nop = weighted\n", 11, "individual 0: another fitness"},
                 {"[pool]\nelite = 0.4\n", 11, "generation 1: other births"},
                 {"[population]\nsize = 22\n", 11, "generation 0: other births"},
                 {"[select]\nop = softmax\n", 11, "another birth"},
                 {"[prune.random]\namount = 0.02\n", 11, "individual 1: another birth"},
                 {"[similarity]\nlayers = dense1\n", 11, "measures per individual"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(world_open(&other, SMALL_INPUT, SMALL_LAYERS, cases[i].ini, cases[i].seed));
        cop_history copy = world_copy(cop_engine_history(engine));
        cop_status status = cop_engine_resume(&resumed, other.plan, &copy);
        assert_fails(status, COP_E_FORMAT, cases[i].message);
        assert_null(resumed);
        assert_null(copy.individual);
        world_close(&other);
    }
    cop_engine_destroy(engine);
    world_close(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluations_are_those_of_the_paper),
        cmocka_unit_test(elites_pass_and_the_culled_do_not_breed),
        cmocka_unit_test(draws_are_where_they_are_addressed),
        cmocka_unit_test(generations_can_replace_everybody),
        cmocka_unit_test(crossover_has_its_probability),
        cmocka_unit_test(the_best_ever_is_replaced_by_better_ones_only),
        cmocka_unit_test(failures_never_win_and_never_stop_the_run),
        cmocka_unit_test(stop_rules_stop),
        cmocka_unit_test(a_resumed_search_goes_on_as_if_nothing_had_happened),
        cmocka_unit_test(a_finished_search_can_be_extended),
        cmocka_unit_test(amounts_of_another_rounding_are_kept),
        cmocka_unit_test(foreign_histories_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
