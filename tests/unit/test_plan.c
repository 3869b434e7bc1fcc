/* Composing plans: what is refused and how, measures, fitness, schedules, the explanation. */
#include "../support/evo_world.h"

static void refuses(const char *ini, const char *message) {
    world w;
    assert_fails(world_open(&w, SMALL_INPUT, SMALL_LAYERS, ini, 1), COP_E_CONFIG, message);
    assert_null(w.plan);
    world_close(&w);
}

static void impossible_compositions_are_refused(void **state) {
    (void)state;
    refuses("[select]\nop = tournment\n", "test.ini:2: [select] op = tournment: there is no select "
                                          "operator 'tournment'; did you mean "
                                          "tournament?");
    refuses("[fitness]\nop = best\n",
            "there is no fitness operator 'best'; known are padawann, weighted");
    refuses("[vary]\nops = prune.random, prune.chanels\n", "did you mean prune.channels?");
    refuses("[vary]\nops = prune.random, prune.random\n", "prune.random is named twice");
    refuses("[vary]\nops =\n", "0 operators, there must be 1 to 4");
    refuses("[select]\nsize = 21\n",
            "test.ini:2: [select] size = 21: a tournament of 21 in a population "
            "of 20: give 1 to 20");
    refuses("[evaluate]\nop = trained_weights\n", "set arithmetic = sparse, blas or reference");
    refuses("[evaluate]\nvalues = 1, 2, 1\n", "the shared value 1 is given twice");
    refuses("[evaluate]\nvalues = 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\n",
            "17 shared values, there must be 1 to 16");
    refuses("[evaluate]\nshard = 250\n",
            "must be a multiple of [evaluate] batch = 100, for example 300");
    refuses(
        "[fitness]\nop = weighted\nw_similarity = 1\n",
        "test.ini:3: [fitness] w_similarity = 1: similarity needs layers to compare: name some in "
        "[similarity], for example layers = dense1");
    refuses("[fitness]\nop = weighted\nw_accuracy = 0\n", "all weights are 0");
    refuses("[similarity]\nlayers = dense1, dens2\n",
            "'dens2' is not a layer with weights (did you mean dense2?); these are dense1, dense2, "
            "dense3");
    refuses("[similarity]\nlayers = relu1\n", "'relu1' is not a layer with weights");
    refuses("[similarity]\nlayers = dense1, dense1\n", "dense1 is named twice");
    refuses("[similarity]\nlayers = dense1\nperplexity = 99\n",
            "must be below the number of neighbours in a batch, [evaluate] batch - 1 = 99");
    refuses("[pool]\nelite = 1\n", "all 20 individuals would be elites");
    refuses("[pool]\ncull = 0.96\n", "nobody of 20 individuals would be left");
    refuses("[survive]\nop = generational\n", "the pool keeps 6 elites: set [pool] elite = 0");
    refuses("[prune.random]\nschedule = exponential\namount_end = 0\n",
            "an exponential schedule cannot begin or end at 0: give a positive amount_end");
    refuses("[vary]\nops = prune.channels\n[prune.channels]\namount = 6\n",
            "up to 6 channels a step, but layer dense3 has only 5");
    world w;
    assert_fails(world_open(&w, "9", "dense(3)", "[cross]\nover = layers\n", 1), COP_E_CONFIG,
                 "a single layer with weights, so there is no place to cut: set over = edges");
    world_close(&w);
}

/* Without a whole batch similarity is nowhere measured, and every individual would have failed. */
static void similarity_needs_a_whole_batch(void **state) {
    (void)state;
    world w = world_of("[similarity]\nlayers = dense1\n");
    assert_ok(cop_plan_check_samples(w.plan, (size_t[]){99, 100}));
    assert_ok(cop_plan_check_samples(w.plan, (size_t[]){250, 1}));
    assert_fails(
        cop_plan_check_samples(w.plan, (size_t[]){99, 60}), COP_E_CONFIG,
        "[evaluate] batch = 100 (default): no task fills a batch (the largest has 99 samples");
    world_close(&w);
    w = world_of("");
    assert_ok(cop_plan_check_samples(w.plan, (size_t[]){1, 1}));
    world_close(&w);
}

static void measures_are_listed_by_name(void **state) {
    (void)state;
    world w = world_of("[similarity]\nlayers = dense2, dense1\n");
    static const char *const wanted[] = {
        "accuracy.left",    "accuracy.right", "loss.left",    "loss.right",  "value.left",
        "value.right",      "edges",          "density",      "compression", "macs",
        "edges.dense1",     "edges.dense2",   "edges.dense3", "similarity",  "similarity.dense2",
        "similarity.dense1"};
    const cop_measure_list *list = cop_plan_measures(w.plan);
    assert_int_equal(list->count, sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < list->count; i++) {
        assert_string_equal(list->names[i], wanted[i]);
        assert_int_equal(cop_plan_measure(w.plan, wanted[i]), i);
    }
    assert_int_equal(cop_plan_measure(w.plan, "accuracy.top"), -1);
    assert_true(cop_plan_needs_similarity(w.plan));
    world_close(&w);
    w = world_of("[evaluate]\nop = trained_weights\narithmetic = blas\n");
    assert_int_equal(cop_plan_measure(w.plan, "value.left"), -1);
    assert_int_equal(cop_plan_measure(w.plan, "similarity"), -1);
    assert_int_equal(cop_plan_measures(w.plan)->count, 11);
    world_close(&w);
}

static void evaluation_is_set_up_from_the_configuration(void **state) {
    (void)state;
    world w = world_of("[evaluate]\nvalues = 2, 0.5, 1\nsigns = discard\nbatch = 50\n"
                       "[similarity]\nlayers = dense2\nvalue = 0.75\n");
    cop_eval_setup setup = {0};
    cop_plan_eval_setup(w.plan, &setup);
    assert_ptr_equal(setup.model, w.model);
    assert_int_equal(setup.weighting.kind, COP_WEIGHTS_POSITIVE);
    assert_int_equal(setup.weighting.values, 3);
    const double ascending[] = {0.5, 1, 2};
    for (size_t v = 0; v < 3; v++) assert_near(setup.weighting.value[v], ascending[v], 0);
    assert_int_equal(setup.batch, 50);
    assert_int_equal(setup.hidden, 1);
    assert_int_equal(setup.hidden_layer[0], cop_model_find(w.model, "relu2"));
    assert_near(setup.hidden_value, 0.75, 0);
    world_close(&w);
}

static void measure(const world *w, const cop_evidence *e, const char *name, double wanted) {
    double measures[32];
    uint64_t edges[8] = {300, 0, 100, 0, 25};
    assert_in_range(cop_plan_measures(w->plan)->count, 1, 32);
    cop_plan_measure_individual(w->plan, e, edges, measures);
    double seen = measures[cop_plan_measure(w->plan, name)];
    if (isnan(wanted))
        assert_true(isnan(seen));
    else
        assert_near(seen, wanted, 1e-12);
}

static void measures_come_from_evidence(void **state) {
    (void)state;
    world w = world_of("[similarity]\nlayers = dense1, dense2\n");
    cop_evidence e[2] = {{.samples = 200,
                          .correct = {30, 50, 50},
                          .loss = {1, 300, 4},
                          .similarity = {3, 1},
                          .batches = 4},
                         {.samples = 400,
                          .correct = {100, 100, 99},
                          .loss = {800, 1, 1},
                          .similarity = {2, 1},
                          .batches = 6}};
    measure(&w, e, "accuracy.left", 25);
    measure(&w, e, "value.left", 1); /* ties: the smallest of the best */
    measure(&w, e, "loss.left", 1.5);
    measure(&w, e, "accuracy.right", 25);
    measure(&w, e, "value.right", 0.5);
    measure(&w, e, "loss.right", 2);
    measure(&w, e, "edges", 425);
    measure(&w, e, "density", 0.5);
    measure(&w, e, "compression", 0.5);
    measure(&w, e, "macs", 425);
    measure(&w, e, "edges.dense2", 100);
    measure(&w, e, "similarity.dense1", 0.5); /* over all batches of all tasks */
    measure(&w, e, "similarity.dense2", 0.2);
    measure(&w, e, "similarity", 0.7);
    cop_evidence sum = {0};
    cop_evidence_add(&sum, &e[0], 3, 2);
    cop_evidence_add(&sum, &e[1], 3, 2);
    assert_int_equal(sum.samples, 600);
    assert_int_equal(sum.correct[1], 150);
    assert_int_equal(sum.batches, 10);
    assert_near(sum.loss[1], 301, 0);
    assert_near(sum.similarity[0], 5, 0);
    e[0].samples = 0;
    measure(&w, e, "accuracy.left", NAN); /* nothing seen: failed */
    world_close(&w);
    assert_ok(world_open(&w, CNN_INPUT, CNN_LAYERS, "", 1));
    double measures[32];
    uint64_t edges[16] = {0};
    edges[cop_model_find(w.model, "conv1")] = 288;
    edges[cop_model_find(w.model, "conv2")] = 18432;
    edges[cop_model_find(w.model, "dense1")] = 1179648;
    edges[cop_model_find(w.model, "dense2")] = 1280;
    cop_plan_measure_individual(w.plan, e, edges, measures);
    assert_near(measures[cop_plan_measure(w.plan, "edges")], 1199648, 0);
    assert_near(measures[cop_plan_measure(w.plan, "macs")], 11992448, 0);
    world_close(&w);
}

static double fitness(const world *w, double left, double right) {
    double measures[32] = {left, right};
    long compression = cop_plan_measure(w->plan, "compression");
    measures[compression] = 0.25;
    if (cop_plan_needs_similarity(w->plan))
        measures[cop_plan_measure(w->plan, "similarity")] = 0.125;
    return cop_plan_op(w->plan, COP_ROLE_FITNESS, 0)->as.fitness(w->plan, measures);
}

static void fitness_is_what_the_papers_say(void **state) {
    (void)state;
    world w = world_of("");
    /* mean of the published runs: 93.59 % and 23.01 % give 1.399 */
    assert_near(fitness(&w, 93.59, 23.01), 1.399, 0.001);
    assert_near(fitness(&w, 100, 0), 1, 0);
    assert_near(fitness(&w, 0, 0), 0, 0);
    assert_true(isnan(fitness(&w, NAN, 50)));
    double last = -1; /* rises up to a perfect score, which is finite */
    for (int wrong = 1000; wrong >= 0; wrong--) {
        double now = fitness(&w, 100, 100 - 1e-5 * wrong);
        assert_true(now > last && isfinite(now));
        last = now;
    }
    assert_near(last, 200000, 1e-6);
    world_close(&w);
    w = world_of("[fitness]\nop = weighted\nw_accuracy = 2\nw_similarity = 4\nw_compression = 8\n"
                 "[similarity]\nlayers = dense1\n");
    assert_near(fitness(&w, 50, 100), 2 * 0.75 - 4 * 0.125 + 8 * 0.75, 1e-12);
    world_close(&w);
    w = world_of("[fitness]\nop = weighted\nw_compression = 1\n");
    assert_near(fitness(&w, 50, 100), 0.75 + 0.75, 1e-12);
    world_close(&w);
}

static void schedules_move_and_end(void **state) {
    (void)state;
    world w = world_of(
        "[prune.random]\namount = 0.08\n[prune.magnitude]\nschedule = linear\namount = 0.1\n"
        "amount_end = 0.2\nover = 10\n[prune.channels]\nschedule = exponential\n"
        "amount = 4\namount_end = 1\nover = 4\n");
    for (uint32_t g = 0; g < 100; g += 9)
        assert_near(cop_schedule_at(w.plan, "prune.random", g), 0.08, 0);
    assert_near(cop_schedule_at(w.plan, "prune.magnitude", 0), 0.1, 0);
    assert_near(cop_schedule_at(w.plan, "prune.magnitude", 5), 0.15, 1e-15);
    assert_near(cop_schedule_at(w.plan, "prune.magnitude", 10), 0.2, 0);
    assert_near(cop_schedule_at(w.plan, "prune.magnitude", 11), 0.2, 0);
    assert_near(cop_schedule_at(w.plan, "prune.channels", 2), 2, 1e-12);
    assert_near(cop_schedule_at(w.plan, "prune.channels", 4), 1, 0);
    world_close(&w);
}

static void the_explanation_names_what_was_composed(void **state) {
    (void)state;
    world w = world_of("[vary]\nops = prune.random, prune.channels\n[similarity]\nlayers = dense1\n"
                       "[stop]\nstagnation = 7\ntarget = 3\n");
    cop_buf out = {0};
    cop_plan_explain(w.plan, &out);
    static const char *const parts[] = {
        "850 edges in dense1 dense2 dense3",
        "tasks       left right",
        "of 20: 6 elites, parents from the best 14, 14 children",
        "values = 0.5 1 2, signs = keep",
        "tournament  (size = 8, by = fitness)",
        "with probability 0.5 a second parent",
        "(amount = 0.025, schedule = constant, of = all)",
        "prune.channels",
        "similarity  of dense1",
        "until       50 generations are done, or the best fitness is at least 3, or there",
        "was no improvement for 7 generations",
        "at most 720 individuals"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(cop_buf_text(&out), parts[i]))
            fail_msg("\"%s\" is not in:\n%s", parts[i], cop_buf_text(&out));
    cop_buf_clear(&out);
    world_close(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible_compositions_are_refused),
        cmocka_unit_test(similarity_needs_a_whole_batch),
        cmocka_unit_test(measures_are_listed_by_name),
        cmocka_unit_test(evaluation_is_set_up_from_the_configuration),
        cmocka_unit_test(measures_come_from_evidence),
        cmocka_unit_test(fitness_is_what_the_papers_say),
        cmocka_unit_test(schedules_move_and_end),
        cmocka_unit_test(the_explanation_names_what_was_composed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
