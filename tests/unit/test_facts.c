/* How far off similarities on few samples are: what a measurement says of itself against what many
 * of them show. */
#include "../support/support.h"

#include "run/training.h"

#include <math.h>
#include <string.h>

enum { FEATURES = 13, BATCH = 16, MOST = 6 * BATCH, TIMES = 60, SAMPLES = MOST * TIMES };

static cop_dataset *dataset(void) {
    cop_rng rng = cop_rng_at(8, 0, 0, COP_FOR_TEST);
    cop_dataset *set = cop_dataset_create("noise", SAMPLES, 1, 1, FEATURES, 4);
    for (size_t i = 0; i < SAMPLES; i++) {
        const double common = cop_rng_normal(&rng); /* so that inputs are alike, some more */
        for (size_t f = 0; f < FEATURES; f++)
            set->x[i * FEATURES + f] =
                (float)(common * (double)f / FEATURES + cop_rng_normal(&rng));
    }
    return set;
}

static void assert_between(double value, double least, double most) {
    if (!(value >= least && value <= most))
        fail_msg("%g is not between %g and %g", value, least, most);
}

static cop_live_net *network(size_t batch) {
    const cop_live_settings s = {.layers = 3,
                                 .width = {FEATURES, 17, 11, 4},
                                 .batch = batch,
                                 .epsilon = 2.5,
                                 .activation = COP_LIVE_SRELU,
                                 .seed = 5};
    cop_live_net *net;
    assert_ok(cop_live_create(&net, &s));
    return net;
}

static cop_rewire_plan plan_of(const char *remove, const char *add) {
    return (cop_rewire_plan){.remove = cop_remove_rule_find(remove),
                             .add = cop_add_rule_find(add),
                             .zeta = 0.3,
                             .error = true};
}

/* What measurements on @p each samples say of themselves over what their spread is. */
static double said_by_shown(const cop_dataset *set, size_t batch, size_t each) {
    const cop_rewire_plan plan = plan_of("cosine", "random");
    cop_live_net *net = network(batch);
    const size_t first = net->layer[0].edges, edges = first + net->layer[1].edges;
    double *sum = COP_NEW_ARRAY(double, edges), *squares = COP_NEW_ARRAY(double, edges);
    double said = 0, shown = 0;
    uint32_t which[MOST];
    for (size_t t = 0; t < TIMES; t++) {
        cop_rewire_facts facts;
        for (size_t i = 0; i < each; i++) which[i] = (uint32_t)(t * each + i);
        cop_rewire_collect(&facts, net, &plan, set, which, each);
        said += facts.error * facts.error / TIMES;
        for (size_t k = 0; k < edges; k++) {
            const double c = k < first ? (double)facts.edge_similarity[0][k]
                                       : (double)facts.edge_similarity[1][k - first];
            sum[k] += c;
            squares[k] += c * c;
        }
        cop_rewire_facts_clear(&facts);
    }
    for (size_t k = 0; k < edges; k++)
        shown += (squares[k] - sum[k] * sum[k] / TIMES) / (TIMES - 1) / (double)edges;
    cop_free(sum);
    cop_free(squares);
    cop_live_destroy(net);
    return sqrt(said / shown);
}

/* Halves near 0 lose their sign and so differ less; those of few samples are far from normal. */
static void an_error_is_what_the_spread_shows(void **state) {
    (void)state;
    cop_dataset *set = dataset();
    for (size_t each = 2 * BATCH; each <= MOST; each += 7)
        assert_between(said_by_shown(set, BATCH, each), 0.85, 1.1);
    for (size_t each = 15; each < 20; each++) /* a batch, more, less */
        assert_between(said_by_shown(set, BATCH, each), 0.8, 1.2);
    assert_between(said_by_shown(set, 1, 31), 0.85, 1.1);
    cop_dataset_destroy(set);
}

static double error_of(const cop_dataset *set, const cop_rewire_plan *plan, size_t count) {
    cop_live_net *net = network(BATCH);
    cop_rewire_facts facts;
    cop_rewire_collect(&facts, net, plan, set, NULL, count);
    const double error = facts.error;
    cop_rewire_facts_clear(&facts);
    cop_live_destroy(net);
    return error;
}

/* It is of the live edges, whatever the rules look at. */
static void rules_of_places_have_the_same(void **state) {
    (void)state;
    cop_dataset *set = dataset();
    cop_rewire_plan edges = plan_of("cosine", "random"),
                    places = plan_of("magnitude", "cosine-top"),
                    both = plan_of("cosine", "cosine-sampled"),
                    neither = plan_of("magnitude", "gradient-top");
    const double error = error_of(set, &edges, 50);
    assert_true(error > 0);
    assert_true(error_of(set, &places, 50) == error && error_of(set, &both, 50) == error);
    assert_true(isnan(error_of(set, &neither, 50)));
    assert_true(isnan(error_of(set, &edges, 1)));
    edges.error = false;
    assert_true(isnan(error_of(set, &edges, 50)));
    cop_dataset_destroy(set);
}

/* Where only the first samples are all alike, those drawn are not; and of a network that stays as
 * it is, others say something else. */
static void a_training_draws_its_samples(void **state) {
    (void)state;
    cop_conf *conf = NULL;
    cop_training *t = NULL;
    assert_ok(cop_conf_parse(&conf, cop_run_schema(),
                             "[task.t]\nsource = blobs\n[train]\nhidden = 17, 11\nepsilon = 2.5\n"
                             "batch = 16\nepochs = 3\nalgorithm = corset\n"
                             "similarity_samples = 20\nrate = 0\nzeta = 0\n",
                             "test"));
    cop_dataset *set = dataset();
    memset(set->x, 0, 40 * FEATURES * sizeof *set->x);
    assert_ok(cop_training_create(&t, conf, set, NULL));
    double seen[3];
    for (size_t e = 0; e < 3; e++) {
        assert_ok(cop_training_epoch(t));
        seen[e] = t->similarity_error;
    }
    assert_true(isnan(seen[0])); /* it begins without a rewiring */
    assert_true(seen[1] > 0 && seen[2] > 0 && seen[1] != seen[2]);
    cop_training_destroy(t);
    cop_conf_destroy(conf);
    cop_dataset_destroy(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_what_the_spread_shows),
        cmocka_unit_test(rules_of_places_have_the_same),
        cmocka_unit_test(a_training_draws_its_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
