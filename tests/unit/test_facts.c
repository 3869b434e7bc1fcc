/* How far off similarities on few samples are: what a measurement says of itself against what many
 * of them show. */
#include "../support/support.h"

#include "train/rewire.h"

#include <math.h>
#include <string.h>

enum { FEATURES = 13, BATCH = 16, EACH = 6 * BATCH, TIMES = 60, SAMPLES = EACH * TIMES };

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

/* Errors of edges by what the edges of so many samples are in all measurements. */
static void an_error_is_what_it_says(const char *remove, const char *add, bool known) {
    const cop_live_settings s = {.layers = 3,
                                 .width = {FEATURES, 17, 11, 4},
                                 .batch = BATCH,
                                 .epsilon = 2.5,
                                 .activation = COP_LIVE_SRELU,
                                 .seed = 5};
    cop_rewire_plan plan = {.remove = cop_remove_rule_find(remove),
                            .add = cop_add_rule_find(add),
                            .zeta = 0.3,
                            .error = true};
    cop_live_net *net;
    cop_rewire_facts facts;
    cop_dataset *set = dataset();
    assert_ok(cop_live_create(&net, &s));
    const size_t first = net->layer[0].edges, edges = first + net->layer[1].edges;
    double *sum = COP_NEW_ARRAY(double, edges), *squares = COP_NEW_ARRAY(double, edges);
    double said = 0, shown = 0;
    uint32_t which[EACH];
    for (size_t t = 0; t < TIMES; t++) {
        for (size_t i = 0; i < EACH; i++) which[i] = (uint32_t)(t * EACH + i);
        cop_rewire_collect(&facts, net, &plan, set, which, EACH);
        said += facts.error * facts.error / TIMES;
        for (size_t k = 0; known && k < edges; k++) {
            const double c = k < first ? (double)facts.edge_similarity[0][k]
                                       : (double)facts.edge_similarity[1][k - first];
            sum[k] += c;
            squares[k] += c * c;
        }
        cop_rewire_facts_clear(&facts);
    }
    assert_true(said > 0);
    for (size_t k = 0; k < edges; k++)
        shown += (squares[k] - sum[k] * sum[k] / TIMES) / (TIMES - 1) / (double)edges;
    /* halves near 0 lose their sign and so differ less */
    if (known) assert_true(sqrt(said / shown) > 0.85 && sqrt(said / shown) < 1.1);
    plan.error = false;
    cop_rewire_collect(&facts, net, &plan, set, NULL, EACH);
    assert_true(isnan(facts.error));
    cop_rewire_facts_clear(&facts);
    plan.error = true;
    cop_rewire_collect(&facts, net, &plan, set, NULL, BATCH); /* there are no halves */
    assert_true(isnan(facts.error));
    cop_rewire_facts_clear(&facts);
    cop_free(sum);
    cop_free(squares);
    cop_dataset_destroy(set);
    cop_live_destroy(net);
}

static void the_error_of_live_edges(void **state) {
    (void)state;
    an_error_is_what_it_says("cosine", "cosine-top", true);
    an_error_is_what_it_says("cosine", "random", true);
}

/* Rules that do not look at live edges have it too. */
static void the_error_where_places_are_looked_at(void **state) {
    (void)state;
    an_error_is_what_it_says("magnitude", "cosine-top", false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_error_of_live_edges),
        cmocka_unit_test(the_error_where_places_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
