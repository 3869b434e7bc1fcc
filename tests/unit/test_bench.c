/* What the benchmarks are made of: the search they breed from, the bursts that measure a bound, the
 * median. Times are not judged. */
#include "../support/support.h"

#include "cli/bench_world.h"
#include "coppice/la.h"

#include <stdlib.h>
#include <string.h>

/* The composition of configs/base/ga.ini, option by option. */
static void the_search_is_the_one_of_the_configurations(void **state) {
    (void)state;
    const char *root = getenv("COPPICE_ROOT");
    char *path = cop_sprintf("%s/configs/base/ga.ini", root ? root : ".");
    cop_conf *shipped = NULL, *ours = NULL;
    cop_buf wanted = {0}, seen = {0};
    assert_ok(cop_conf_load(&shipped, cop_run_schema(), path));
    assert_ok(cop_conf_parse(&ours, cop_run_schema(), cop_bench_ga, "bench"));
    cop_conf_write(shipped, &wanted, COP_CONF_ALL);
    cop_conf_write(ours, &seen, COP_CONF_ALL);
    assert_string_equal(cop_buf_text(&seen), cop_buf_text(&wanted));
    cop_buf_clear(&wanted);
    cop_buf_clear(&seen);
    cop_conf_destroy(shipped);
    cop_conf_destroy(ours);
    cop_free(path);
}

static void bursts_run_with_the_instructions_asked_for(void **state) {
    (void)state;
    const char *names[16];
    size_t count = cop_sign_names(names, 16);
    uint64_t macs = 0;
    assert_in_range(count, 1, 16);
    assert_string_equal(names[count - 1], "plain");
    assert_int_equal(cop_sign_names(names, 1), 1);
    for (size_t i = 0; i < cop_sign_names(names, 16); i++)
        for (int memory = 0; memory < 2; memory++) {
            cop_dot_burst(names[i], memory, &macs);
            assert_true(macs >= 100000 && macs <= 100000000);
        }
    assert_string_equal(cop_dot_burst("plain", false, &macs), "plain");
    const char *fastest = cop_dot_burst(NULL, false, &macs);
    assert_string_equal(cop_dot_burst("no such kernel", false, &macs), fastest);
}

static void the_median_is_in_the_middle(void **state) {
    (void)state;
    double one[] = {3}, odd[] = {9, 1, 2}, even[] = {8, 1, 2, 4};
    assert_near(cop_bench_median(one, 1), 3, 0);
    assert_near(cop_bench_median(odd, 3), 2, 0);
    assert_near(cop_bench_median(even, 4), 3, 0);
}

/* The benchmark's worker, which evaluates nobody on its way, ends with the genomes that the search
 * bred from, and a second one with the same. */
static void a_worker_lives_through_the_generations(void **state) {
    (void)state;
    static const cop_bench_net net = {"small", "1x28x28", "relu dense(4) relu dense(10)"};
    cop_par par;
    assert_ok(cop_par_start(&par, &(int){0}, &(char **){NULL}, false));
    cop_bench_world w = {.net = &net,
                         .population = 10,
                         .generation = 3,
                         .samples = 30,
                         .fitness_samples = 20,
                         .values = "1",
                         .evaluator = "sign"};
    cop_worker *one = NULL, *two = NULL;
    setenv("COPPICE_CACHE", test_scratch(), 1);
    cop_log_set_level(COP_LOG_ERROR);
    assert_ok(cop_bench_world_create(&w, &par));
    assert_int_equal(w.births[0], 10);
    assert_int_equal(w.births[3], 7);
    assert_int_equal(w.timed.evolve[0]->samples + w.timed.evolve[1]->samples, 30);
    assert_int_equal(w.breeding.evolve[0]->samples + w.breeding.evolve[1]->samples, 20);
    assert_ok(cop_bench_world_worker(&w, &par, &one));
    assert_ok(cop_bench_world_worker(&w, &par, &two));
    size_t dead = 0;
    assert_true(w.kept[2] >= 10);
    for (size_t i = 0; i < w.kept[2]; i++) {
        const cop_mask *a = cop_worker_genome(one, w.keep[2][i]);
        assert_non_null(a);
        assert_true(cop_mask_equal(a, cop_worker_genome(two, w.keep[2][i])));
        dead += a->bits - cop_mask_count(a);
    }
    assert_true(dead > 0);
    for (size_t i = 0; i < w.births[3]; i++) {
        assert_int_equal(w.recipes[3][i].born, 3);
        assert_null(cop_worker_genome(one, w.recipes[3][i].id));
        if (w.recipes[3][i].parent[0] != COP_FOUNDER)
            assert_non_null(cop_worker_genome(one, w.recipes[3][i].parent[0]));
    }
    cop_worker_destroy(one);
    cop_worker_destroy(two);
    cop_bench_world_clear(&w);
    cop_par_end(&par);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_is_the_one_of_the_configurations),
        cmocka_unit_test(bursts_run_with_the_instructions_asked_for),
        cmocka_unit_test(the_median_is_in_the_middle),
        cmocka_unit_test(a_worker_lives_through_the_generations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
