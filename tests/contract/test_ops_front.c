/* Several objectives at once: fronts and crowding against a definition written down plainly, the
 * survivors of parents and children, tournaments by rank; starts and layer genes. */
#include "../support/chance.h"
#include "../support/evo_world.h"

/* ------------------------------------------------------------------ rank pareto */

enum { MANY = 60 };

typedef struct crowd {
    double fitness[MANY], *measures;
    uint64_t id[MANY];
    cop_pop_view view;
} crowd;

static crowd *crowd_of(const world *w, size_t count) {
    crowd *c = COP_NEW(crowd);
    size_t columns = cop_plan_measures(w->plan)->count;
    c->measures = COP_NEW_ARRAY(double, count *columns);
    for (size_t i = 0; i < count; i++) c->id[i] = i;
    c->view = (cop_pop_view){count, c->id, c->fitness, c->measures, columns};
    return c;
}

static void crowd_put(const world *w, crowd *c, size_t i, const char *name, double value) {
    long column = cop_plan_measure(w->plan, name);
    assert_true(column >= 0);
    c->measures[i * c->view.measure_count + (size_t)column] = value;
}

static void crowd_free(crowd *c) {
    cop_free(c->measures);
    cop_free(c);
}

static void a_front_by_hand(void **state) {
    (void)state;
    world w = world_of("[rank]\nop = pareto\nobjectives = accuracy.left, edges\n");
    static const double accuracy[] = {90, 50, 70, 60, 40, 99, 80, 70};
    static const double edges[] = {500, 100, 300, 400, 100, 90, 310, 300};
    crowd *c = crowd_of(&w, 8);
    for (size_t i = 0; i < 8; i++) {
        crowd_put(&w, c, i, "accuracy.left", accuracy[i]);
        crowd_put(&w, c, i, "edges", edges[i]);
    }
    c->fitness[5] = -INFINITY; /* best in both, but failed */
    uint32_t order[8];
    cop_plan_op(w.plan, COP_ROLE_RANK, 0)->as.rank(w.plan, &c->view, order);
    /* front 0: 0 and 1 are its ends; 6 has the gap (90-70)/40 + (500-300)/400 = 1; 2 and 7 are the
     * same point: 2 (first of them) has (70-50)/40 + (300-100)/400 = 1 on its left, 7 on its right
     * (80-70)/40 + (310-300)/400. Sorted by accuracy: 1 2 7 6 0; by -edges: 0 6 2 7 1, where 2 has
     * (310-300)/400 and 7 (300-100)/400. So 2: 20/40 + 10/400, 7: 10/40 + 200/400.
     * Front 1: 3 (beaten by 2), 4 (beaten by 1). */
    static const uint32_t wanted[] = {0, 1, 6, 7, 2, 3, 4, 5};
    assert_memory_equal(order, wanted, sizeof wanted);
    crowd_free(c);
    world_close(&w);
}

static bool beats(const double *a, const double *b) {
    bool better = false;
    for (int k = 0; k < 3; k++) {
        if (a[k] < b[k]) return false;
        if (a[k] > b[k]) better = true;
    }
    return better;
}

/* The front of an individual is the length of the longest chain of others that beat each other. */
static int front_of(double value[MANY][3], size_t i, int *known) {
    if (known[i] >= 0) return known[i];
    int front = 0;
    for (size_t j = 0; j < MANY; j++)
        if (beats(value[j], value[i])) {
            int behind = front_of(value, j, known) + 1;
            if (behind > front) front = behind;
        }
    return known[i] = front;
}

/* How far the neighbours of an individual are apart within its front, as shares of the front's
 * extent and summed over the objectives; the ends of an objective are alone. Of equal values the
 * first individual comes first. */
static double distance_of(double value[MANY][3], const int *front, size_t i) {
    double sum = 0;
    for (int k = 0; k < 3; k++) {
        double low = INFINITY, high = -INFINITY, below = -INFINITY, above = INFINITY;
        for (size_t j = 0; j < MANY; j++) {
            if (front[j] != front[i]) continue;
            double v = value[j][k], mine = value[i][k];
            low = fmin(low, v);
            high = fmax(high, v);
            if (j == i) continue;
            if (v < mine || (v == mine && j < i))
                below = fmax(below, v);
            else
                above = fmin(above, v);
        }
        if (high > low) sum += (above - below) / (high - low);
    }
    return sum;
}

static void fronts_are_those_of_the_definition(void **state) {
    (void)state;
    world w = world_of("[rank]\nop = pareto\n"); /* both accuracies and edges */
    for (uint32_t run = 0; run < 200; run++) {
        double value[MANY][3];
        int known[MANY];
        crowd *c = crowd_of(&w, MANY);
        cop_rng rng = chance_stream(run);
        for (size_t i = 0; i < MANY; i++) {
            known[i] = -1;
            for (int k = 0; k < 3; k++)
                value[i][k] = (double)cop_rng_below(&rng, run % 2 ? 5 : 1000) * (k == 2 ? 64 : 1);
            crowd_put(&w, c, i, "accuracy.left", value[i][0]);
            crowd_put(&w, c, i, "accuracy.right", value[i][1]);
            crowd_put(&w, c, i, "edges", -value[i][2]);
        }
        uint32_t order[MANY];
        cop_mask seen;
        cop_mask_init(&seen, MANY);
        cop_plan_op(w.plan, COP_ROLE_RANK, 0)->as.rank(w.plan, &c->view, order);
        for (size_t i = 0; i < MANY; i++) {
            cop_mask_set(&seen, order[i]);
            front_of(value, i, known);
        }
        for (size_t i = 1; i < MANY; i++) {
            size_t a = order[i - 1], b = order[i];
            assert_true(known[a] <= known[b]);
            if (known[a] != known[b]) continue;
            double mine = distance_of(value, known, a), next = distance_of(value, known, b);
            if (isinf(mine) && isinf(next)) continue; /* both ends: by number */
            assert_true(mine > next - 1e-9);
        }
        assert_int_equal(cop_mask_count(&seen), MANY);
        cop_mask_clear(&seen);
        crowd_free(c);
    }
    world_close(&w);
}

static void objectives_are_checked(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"accuracy.lift", "did you mean accuracy.left?"},
        {"edges, edges", "edges is named twice"},
        {"value.left", "no measure that could be better or worse"},
        {"fitness, fitness", "named twice"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char ini[128];
        world w;
        snprintf(ini, sizeof ini, "[rank]\nop = pareto\nobjectives = %s\n", wrong[i][0]);
        assert_int_equal(world_open(&w, SMALL_INPUT, SMALL_LAYERS, ini, 1), COP_E_CONFIG);
        if (!strstr(cop_error_message(), wrong[i][1]))
            fail_msg("%s: %s", wrong[i][0], cop_error_message());
        cop_error_clear();
        world_close(&w);
    }
}

/* ------------------------------------------------------------------ the whole search */

/* Under NSGA-II's composition the first front of the population never loses ground: whoever leaves
 * it was beaten, or is one of too many equals of a front larger than the population. */
static void the_front_is_kept(void **state) {
    (void)state;
    world w = world_of("[rank]\nop = pareto\n[pool]\nelite = 0\ncull = 0\n[select]\nsize = 2\n"
                       "by = rank\n[survive]\nop = best\n[vary]\nops = prune.random\n");
    cop_engine *engine = cop_engine_create(w.plan);
    const cop_history *h = cop_engine_history(engine);
    size_t columns = cop_plan_measures(w.plan)->count, left = 0;
    const size_t of[3] = {(size_t)cop_plan_measure(w.plan, "accuracy.left"),
                          (size_t)cop_plan_measure(w.plan, "accuracy.right"),
                          (size_t)cop_plan_measure(w.plan, "edges")};
    for (int g = 0; g < 30; g++) {
        uint64_t before[20];
        for (size_t i = 0; i < h->population; i++) before[i] = h->live[i];
        size_t old = h->population;
        world_step(&w, engine);
        assert_ok(cop_history_check(h));
        assert_int_equal(h->population, 20);
        double value[40][3];
        for (size_t i = 0; i < h->population; i++)
            for (int k = 0; k < 3; k++)
                value[i][k] = (k == 2 ? -1 : 1) * h->measure[h->live[i] * columns + of[k]];
        size_t front = 0; /* of the new population */
        for (size_t i = 0; i < 20; i++) {
            bool beaten = false;
            for (size_t j = 0; j < 20; j++) beaten |= beats(value[j], value[i]);
            front += !beaten;
            if (beaten) break; /* ranked first */
        }
        for (size_t i = 0; i < old && front < 20; i++) {
            double mine[3];
            bool alive = h->individual[before[i]].died == UINT32_MAX, beaten = false;
            for (int k = 0; k < 3; k++)
                mine[k] = (k == 2 ? -1 : 1) * h->measure[before[i] * columns + of[k]];
            for (size_t j = 0; j < 20; j++) beaten |= beats(value[j], mine);
            assert_true(alive || beaten);
            left += !alive;
        }
        /* the summary goes by fitness, whoever ranks first */
        const cop_generation *row = &h->generation[h->generations - 1];
        for (size_t i = 0; i < 20; i++) {
            double fitness = h->individual[h->live[i]].fitness;
            assert_true(row->worst <= fitness && fitness <= row->best);
        }
        assert_true(row->worst <= row->median && row->median <= row->best);
    }
    assert_true(left > 20);
    cop_history copy = world_copy(h);
    cop_engine *again;
    assert_ok(cop_engine_resume(&again, w.plan, &copy));
    cop_engine_destroy(again);
    cop_engine_destroy(engine);
    world_close(&w);
}

static void the_best_of_both_survive_by_fitness_too(void **state) {
    (void)state;
    world w = world_of("[survive]\nop = best\n[pool]\nelite = 0\n");
    cop_engine *engine = cop_engine_create(w.plan);
    const cop_history *h = cop_engine_history(engine);
    for (int g = 0; g < 10; g++) {
        double before = h->generations ? h->generation[h->generations - 1].worst : -INFINITY;
        world_step(&w, engine);
        double worst = h->generation[h->generations - 1].worst;
        assert_true(worst >= before);
        size_t better = 0; /* of the newborn, those that are out are no better than who is in */
        for (size_t i = h->individuals - 20; g && i < h->individuals; i++)
            better += h->individual[i].died != UINT32_MAX && h->individual[i].fitness > worst;
        assert_int_equal(better, 0);
    }
    cop_engine_destroy(engine);
    world_close(&w);
}

static void a_tournament_by_rank_is_won_by_the_first(void **state) {
    (void)state;
    world w = world_of("[select]\nsize = 3\nby = rank\n");
    const double fitness[20] = {1, 7, 7, 9, 2, 3};
    cop_pop_view pop = {.count = 20, .fitness = fitness};
    for (uint32_t i = 0; i < 500; i++) {
        cop_rng rng = chance_stream(i), same = chance_stream(i);
        size_t wanted = 6;
        for (size_t k = 0; k < 3; k++) {
            size_t draw = (size_t)cop_rng_below(&same, 6);
            if (draw < wanted) wanted = draw;
        }
        assert_int_equal(cop_plan_op(w.plan, COP_ROLE_SELECT, 0)->as.select(w.plan, &pop, 6, &rng),
                         wanted);
    }
    world_close(&w);
}

/* ------------------------------------------------------------------ starts, layer genes */

/* One-shot pruning by magnitude at birth of the first population only, random steps later on. */
static void all_begin_pruned(void **state) {
    (void)state;
    world w = world_of("[initialise]\nop = pruned\n[vary]\nops = prune.magnitude, prune.random\n"
                       "[prune.magnitude]\nof = all\nschedule = linear\namount = 0.5\n"
                       "amount_end = 0\nover = 1\n[prune.random]\nof = live\namount = 0.1\n");
    cop_engine *engine = cop_engine_create(w.plan);
    size_t count;
    const cop_recipe *recipes = cop_engine_ask(engine, &count);
    assert_int_equal(count, 20);
    for (size_t i = 0; i < count; i++)
        assert_true(recipes[i].varied == 3 && recipes[i].parent[0] == COP_FOUNDER);
    world_step(&w, engine);
    cop_mask kept; /* what magnitude leaves */
    cop_mask_init(&kept, 850);
    cop_plan_breed(w.plan, &(cop_recipe){.varied = 1, .amount = {0.5}, .parent = {COP_FOUNDER}},
                   NULL, NULL, &kept);
    assert_int_equal(cop_mask_count(&kept), 425);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(cop_mask_count(&w.genome[i]), 425 - 43);
        for (size_t k = 0; k < cop_mask_words(850); k++)
            assert_true((w.genome[i].words[k] & ~kept.words[k]) == 0);
    }
    world_step(&w, engine); /* from generation 1 on magnitude cuts nothing any more */
    const cop_history *h = cop_engine_history(engine);
    for (size_t i = 20; i < h->individuals; i++)
        assert_true(h->individual[i].recipe.amount[0] == 0 && cop_mask_count(&w.genome[i]) > 300);
    cop_mask_clear(&kept);
    cop_engine_destroy(engine);
    world_close(&w);
}

static void uniform_over_layers_takes_layers_whole(void **state) {
    (void)state;
    world w = world_of("[cross]\nop = uniform\nover = layers\n"); /* 600 + 200 + 50 */
    static const size_t border[] = {0, 600, 800, 850};
    size_t seen[8] = {0};
    double chance[8];
    for (int i = 0; i < 8; i++) chance[i] = 1.0 / 8;
    cop_mask none, child;
    cop_mask_init(&none, 850);
    cop_mask_init(&child, 850); /* parent 1: nothing; parent 2: the base network */
    enum { RUNS = 8000 };
    for (uint32_t run = 0; run < RUNS; run++) {
        cop_recipe recipe = {.id = run, .born = 1, .crossed = 1};
        cop_plan_breed(w.plan, &recipe, &none, NULL, &child);
        size_t which = 0;
        for (size_t l = 0; l < 3; l++) {
            size_t live = cop_mask_count_range(&child, border[l], border[l + 1]);
            assert_true(live == 0 || live == border[l + 1] - border[l]);
            which |= (size_t)(live > 0) << l;
        }
        seen[which]++;
    }
    assert_true(chance_chi2_of(seen, chance, 8, RUNS) < chance_chi2_limit(7));
    cop_mask_clear(&none);
    cop_mask_clear(&child);
    world_close(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_front_by_hand),
        cmocka_unit_test(fronts_are_those_of_the_definition),
        cmocka_unit_test(objectives_are_checked),
        cmocka_unit_test(the_front_is_kept),
        cmocka_unit_test(the_best_of_both_survive_by_fitness_too),
        cmocka_unit_test(a_tournament_by_rank_is_won_by_the_first),
        cmocka_unit_test(all_begin_pruned),
        cmocka_unit_test(uniform_over_layers_takes_layers_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
