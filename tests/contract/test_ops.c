/* What every registered operator promises; ranking, pool and selection against theory. */
#include "../support/chance.h"
#include "../support/evo_world.h"

/* ------------------------------------------------------------------ the registry */

static void every_operator_tells_who_it_is(void **state) {
    (void)state;
    size_t count, sections;
    const cop_op *const *ops = cop_ops(&count);
    const cop_section *section = cop_evo_sections(&sections);
    for (size_t i = 0; i < count; i++) {
        const cop_op *op = ops[i];
        assert_true(op->role < COP_ROLES && op->name[0] && op->summary[0] && op->paper);
        assert_ptr_equal(cop_op_find(op->role, op->name), op);
        const cop_section *home = NULL;
        for (size_t s = 0; s < sections; s++)
            if (strcmp(section[s].name, op->section) == 0) home = &section[s];
        assert_non_null(home);
        for (const cop_option *row = op->options; row && row->key; row++) {
            bool found = false;
            for (const cop_option *r = home->options; r->key; r++)
                found |= strcmp(r->key, row->key) == 0;
            assert_true(found && row->help[0] && row->unit);
        }
    }
    for (size_t s = 0; s < sections; s++)
        for (const cop_option *a = section[s].options; a->key; a++)
            for (const cop_option *b = a + 1; b->key; b++) assert_string_not_equal(a->key, b->key);
}

/* docs/operators.md has a heading for every operator and names each of its options. */
static void every_operator_is_documented(void **state) {
    (void)state;
    FILE *file = fopen("docs/operators.md", "r");
    if (!file) {
        printf("# SKIP: docs/operators.md is not there: run from the top of the source tree\n");
        skip();
    }
    cop_buf text = {0};
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;) cop_buf_add(&text, part, n);
    fclose(file);
    size_t count;
    const cop_op *const *ops = cop_ops(&count);
    for (size_t i = 0; i < count; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "\n### %s\n", ops[i]->name);
        if (!strstr(cop_buf_text(&text), wanted)) fail_msg("no heading for %s", ops[i]->name);
        for (const cop_option *row = ops[i]->options; row && row->key; row++) {
            snprintf(wanted, sizeof wanted, "`%s", row->key);
            if (!strstr(cop_buf_text(&text), wanted)) fail_msg("%s is not named", row->key);
        }
    }
    cop_buf_clear(&text);
}

/* Each operator, with its defaults, in a plan: a short search keeps a history without
 * contradiction, breeds the same bits twice, and resumes from bytes. */
static void every_operator_searches(void **state) {
    (void)state;
    size_t count;
    const cop_op *const *ops = cop_ops(&count);
    for (size_t i = 0; i < count; i++) {
        char ini[256];
        const char *role = cop_role_name(ops[i]->role), *name = ops[i]->name;
        if (ops[i]->dense.found || ops[i]->dense.apply || ops[i]->dense.vary ||
            strcmp(name, "ecomp") == 0 || strcmp(name, "reborn") == 0)
            continue; /* test_ops_dense.c */
        snprintf(ini, sizeof ini, "[evaluate]\narithmetic = blas\n%s[%s]\n%s = %s\n",
                 strcmp(name, "generational") == 0 ? "[pool]\nelite = 0\n" : "", role,
                 ops[i]->role == COP_ROLE_VARY ? "ops" : "op", name);
        world w = world_of(ini);
        assert_ptr_equal(cop_plan_op(w.plan, ops[i]->role, 0), ops[i]);
        cop_engine *engine = cop_engine_create(w.plan), *resumed;
        for (int g = 0; g < 8; g++) {
            world_step(&w, engine);
            assert_ok(cop_history_check(cop_engine_history(engine)));
        }
        const cop_history *h = cop_engine_history(engine);
        cop_recipe *all = COP_NEW_ARRAY(cop_recipe, h->individuals);
        for (size_t k = 0; k < h->individuals; k++) all[k] = h->individual[k].recipe;
        world_breed(&w, all, h->individuals);       /* asserts equal bits */
        for (size_t k = 0; k < h->individuals; k++) /* pruning never adds what no parent has */
            if (!all[k].crossed && all[k].parent[0] != COP_FOUNDER)
                for (size_t word = 0; word < cop_mask_words(850); word++)
                    assert_true(
                        (w.genome[k].words[word] & ~w.genome[all[k].parent[0]].words[word]) == 0);
        cop_free(all);
        cop_history copy = world_copy(h);
        assert_ok(cop_engine_resume(&resumed, w.plan, &copy));
        cop_engine_destroy(resumed);
        cop_engine_destroy(engine);
        world_close(&w);
    }
}

/* ------------------------------------------------------------------ rank and pool */

static void rank_is_stable_and_failures_are_last(void **state) {
    (void)state;
    world w = world_of("");
    const double fitness[] = {2, -INFINITY, 3, 2, -1, 3, -INFINITY, 2};
    const uint32_t wanted[] = {2, 5, 0, 3, 7, 4, 1, 6};
    cop_pop_view pop = {.count = 8, .fitness = fitness};
    uint32_t order[8];
    cop_plan_op(w.plan, COP_ROLE_RANK, 0)->as.rank(w.plan, &pop, order);
    assert_memory_equal(order, wanted, sizeof wanted);
    world_close(&w);
}

static void pool(const char *ini, size_t p, size_t elites, size_t parents, size_t children) {
    char text[128];
    snprintf(text, sizeof text, "[population]\nsize = %zu\n[select]\nsize = 1\n[pool]\n%s", p, ini);
    world w = world_of(text);
    cop_pool sizes;
    cop_plan_op(w.plan, COP_ROLE_POOL, 0)->as.pool(w.plan, p, &sizes);
    assert_int_equal(sizes.elites, elites);
    assert_int_equal(sizes.parents, parents);
    assert_int_equal(sizes.children, children);
    world_close(&w);
}

static void pool_sizes_are_those_of_exact_arithmetic(void **state) {
    (void)state;
    pool("", 20, 6, 14, 14);
    pool("", 10, 3, 7, 7);
    pool("elite = 0.7\ncull = 0.7\n", 20, 14, 6, 6);
    pool("elite = 0\ncull = 0\n", 20, 0, 20, 20);
    pool("elite = 0.3\ncull = 0.9\n", 10, 3, 1, 7); /* 10 * (1 - 0.9) is below 1 in binary */
    pool("elite = 0.2\ncull = 0.2\n", 960, 192, 768, 768);
    static const size_t sizes[] = {7, 10, 20, 100, 960, 12345, 9999999};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t percent = 1; percent < 80; percent += 3) {
            char ini[64];
            size_t p = sizes[s], elites = p * percent / 100;
            snprintf(ini, sizeof ini, "elite = 0.%02zu\ncull = 0.%02zu\n", percent, percent);
            pool(ini, p, elites, p * (100 - percent) / 100, p - elites);
        }
}

/* ------------------------------------------------------------------ select */

static void select_many(const char *ini, const double *fitness, size_t parents,
                        const double *chance) {
    world w = world_of(ini);
    cop_pop_view pop = {.count = 20, .fitness = fitness};
    size_t seen[20] = {0}, possible = 0;
    for (uint32_t i = 0; i < DRAWS; i++) {
        cop_rng rng = chance_stream(i);
        size_t winner =
            cop_plan_op(w.plan, COP_ROLE_SELECT, 0)->as.select(w.plan, &pop, parents, &rng);
        assert_true(winner < parents);
        seen[winner]++;
    }
    for (size_t i = 0; i < parents; i++) possible += chance[i] > 0;
    double chi2 = chance_chi2_of(seen, chance, parents, DRAWS);
    if (possible > 1 && !(chi2 < chance_chi2_limit((double)possible - 1)))
        fail_msg("%s: chi-square %g of %zu outcomes", ini, chi2, possible);
    world_close(&w);
}

static void tournaments_are_won_as_often_as_theory_says(void **state) {
    (void)state;
    static const int sizes[] = {1, 2, 4, 8, 20};
    for (size_t k = 0; k < 5; k++) {
        double fitness[20], chance[20] = {0};
        const double n = 14, s = sizes[k];
        for (int i = 0; i < 20; i++) fitness[i] = 20 - i;
        for (int i = 0; i < 14; i++) chance[i] = (pow(n - i, s) - pow(n - i - 1, s)) / pow(n, s);
        char ini[64];
        snprintf(ini, sizeof ini, "[select]\nsize = %d\n", sizes[k]);
        select_many(ini, fitness, 14, chance);
    }
    /* two that are equal win equally often */
    double fitness[20] = {5, 5, 1, 0}, chance[20];
    double both = 1 - pow(2.0 / 4, 3), third = pow(2.0 / 4, 3) - pow(1.0 / 4, 3);
    chance[0] = chance[1] = both / 2;
    chance[2] = third;
    chance[3] = pow(1.0 / 4, 3);
    select_many("[select]\nsize = 3\n", fitness, 4, chance);
}

/* Frequencies cannot tell the first drawn of equals from the last: the draws themselves can. */
static void ties_in_a_tournament_go_to_the_first_drawn(void **state) {
    (void)state;
    world w = world_of("[select]\nsize = 3\n");
    const double fitness[20] = {7, 7, 7, 1, 1, 1};
    cop_pop_view pop = {.count = 20, .fitness = fitness};
    size_t told_apart = 0;
    for (uint32_t i = 0; i < 500; i++) {
        cop_rng rng = chance_stream(i), same = chance_stream(i);
        size_t draw[3], wanted = 6;
        for (size_t k = 0; k < 3; k++) draw[k] = (size_t)cop_rng_below(&same, 6);
        for (size_t k = 3; k-- > 0;)
            if (wanted == 6 || fitness[draw[k]] >= fitness[wanted]) wanted = draw[k];
        told_apart += draw[0] != draw[2] && fitness[draw[0]] == fitness[draw[2]];
        assert_int_equal(cop_plan_op(w.plan, COP_ROLE_SELECT, 0)->as.select(w.plan, &pop, 6, &rng),
                         wanted);
    }
    assert_true(told_apart > 100);
    world_close(&w);
}

static void roulette_is_proportional_to_fitness(void **state) {
    (void)state;
    select_many("[select]\nop = roulette\n", (double[20]){4, 3, 2, 1}, 4,
                (double[]){.4, .3, .2, .1});
    select_many("[select]\nop = roulette\n", (double[20]){3, 1, 0}, 3, (double[]){.75, .25, 0});
    /* shifted by the smallest: 5, 2, 0 */
    select_many("[select]\nop = roulette\n", (double[20]){3, 0, -2}, 3,
                (double[]){5. / 7, 2. / 7, 0});
    select_many("[select]\nop = roulette\n", (double[20]){1, 1, -INFINITY}, 3,
                (double[]){.5, .5, 0});
    select_many("[select]\nop = roulette\n", (double[20]){-3, -3, -INFINITY}, 3,
                (double[]){.5, .5, 0});
    select_many("[select]\nop = roulette\n", (double[20]){0, 0}, 2, (double[]){.5, .5});
    select_many("[select]\nop = roulette\n", (double[20]){1.5e308, -1.5e308, 0}, 3,
                (double[]){2. / 3, 0, 1. / 3});
    double failed[20];
    for (int i = 0; i < 20; i++) failed[i] = -INFINITY;
    select_many("[select]\nop = roulette\n", failed, 4, (double[]){.25, .25, .25, .25});
    select_many("[select]\nop = softmax\n", failed, 4, (double[]){.25, .25, .25, .25});
}

static void softmax_is_boltzmann(void **state) {
    (void)state;
    for (int t = 1; t <= 4; t *= 2) {
        double fitness[20] = {1000, 999, 997.5, -INFINITY}, chance[4] = {0}, sum = 0;
        for (int i = 0; i < 3; i++) sum += chance[i] = exp((fitness[i] - 1000) / t);
        for (int i = 0; i < 3; i++) chance[i] /= sum;
        char ini[64];
        snprintf(ini, sizeof ini, "[select]\nop = softmax\ntemperature = %d\n", t);
        select_many(ini, fitness, 4, chance);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_tells_who_it_is),
        cmocka_unit_test(every_operator_is_documented),
        cmocka_unit_test(every_operator_searches),
        cmocka_unit_test(rank_is_stable_and_failures_are_last),
        cmocka_unit_test(pool_sizes_are_those_of_exact_arithmetic),
        cmocka_unit_test(tournaments_are_won_as_often_as_theory_says),
        cmocka_unit_test(ties_in_a_tournament_go_to_the_first_drawn),
        cmocka_unit_test(roulette_is_proportional_to_fitness),
        cmocka_unit_test(softmax_is_boltzmann),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
