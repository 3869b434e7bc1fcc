/* Networks of live edges: gradients against a plain reference in double, all kernels the same bits,
 * lists that stay valid through rewiring, rules that take and give what they say. */
#include "../support/live_samples.h"

#include "train/positions.h"
#include "train/rewire.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N 19
#define BATCH 21

static cop_live_settings small(cop_live_activation activation) {
    return (cop_live_settings){.layers = 3,
                               .width = {13, 17, 11, 4},
                               .batch = BATCH,
                               .epsilon = 2.5,
                               .activation = activation,
                               .alpha = 0.6,
                               .seed = 5};
}

/* Weights and unit numbers that are not at their start, so that every gradient matters. */
static void stir(cop_live_net *net) {
    cop_rng rng = cop_rng_at(4, 0, 0, COP_FOR_TEST);
    for (size_t i = 0; i < net->settings.layers; i++) {
        cop_live_layer *l = &net->layer[i];
        for (size_t k = 0; k < l->numbers * l->outputs; k++)
            l->unit[k] += (float)(0.3 * cop_rng_normal(&rng));
    }
}

/* ------------------------------------------------------------------ the reference */

static double f(const cop_live_net *net, size_t i, size_t u, double x) {
    const cop_live_layer *l = &net->layer[i];
    const size_t n = l->outputs;
    if (net->settings.activation == COP_LIVE_SRELU) {
        const double tl = (double)l->unit[COP_LIVE_TL * n + u],
                     al = (double)l->unit[COP_LIVE_AL * n + u],
                     t = tl + fabs((double)l->unit[COP_LIVE_TR * n + u]),
                     ar = (double)l->unit[COP_LIVE_AR * n + u];
        return x <= tl ? tl + al * (x - tl) : x >= t ? t + ar * (x - t) : x;
    }
    double slope = 0;
    if (net->settings.activation == COP_LIVE_ALL_RELU) slope = i % 2 ? 0.6 : -0.6;
    return x > 0 ? x : slope * x;
}

/* Mean loss of the first N samples, in double, edge by edge. */
static double reference(const cop_live_net *net) {
    double total = 0;
    for (size_t s = 0; s < N; s++) {
        double in[64], out[64];
        for (size_t j = 0; j < net->layer[0].inputs; j++) in[j] = (double)samples[s][j];
        for (size_t i = 0; i < net->settings.layers; i++) {
            const cop_live_layer *l = &net->layer[i];
            for (size_t o = 0; o < l->outputs; o++) {
                double z = (double)l->unit[o];
                for (uint32_t k = l->begin[o]; k < l->begin[o + 1]; k++)
                    z += (double)l->edge[k].weight * in[cop_live_input(net, l, k)];
                out[o] = i + 1 < net->settings.layers ? f(net, i, o, z) : z;
            }
            memcpy(in, out, sizeof in);
        }
        double largest = -INFINITY, sum = 0;
        const size_t classes = net->settings.width[net->settings.layers];
        for (size_t c = 0; c < classes; c++) largest = fmax(largest, in[c]);
        for (size_t c = 0; c < classes; c++) sum += exp(in[c] - largest);
        total += log(sum) - (in[labels[s]] - largest);
    }
    return total / N;
}

static double by_difference(cop_live_net *net, float *number) {
    const float old = *number, step = 1e-3f;
    *number = old + step;
    const double up = reference(net), high = (double)*number;
    *number = old - step;
    const double down = reference(net), low = (double)*number;
    *number = old;
    return (up - down) / (high - low);
}

static void gradients_are_those_of_the_loss(void **state) {
    (void)state;
    draw_samples(13, 4);
    for (int a = 0; a < 3; a++) {
        const cop_live_settings s = small((cop_live_activation)a);
        cop_live_net *net;
        size_t checked = 0, off = 0;
        assert_ok(cop_live_create(&net, &s));
        stir(net);
        cop_live_forward(net, rows, N, NULL);
        const double loss = cop_live_loss(net, labels, 1.0 / N, NULL, NULL) / N;
        assert_near(loss, reference(net), 1e-5);
        cop_live_backward(net, NULL, NULL);
        for (size_t i = 0; i < s.layers; i++) {
            cop_live_layer *l = &net->layer[i];
            for (size_t k = 0; k < l->edges; k++, checked++)
                off += fabs(by_difference(net, &l->edge[k].weight) - (double)l->slope[k]) > 1e-3;
            for (size_t k = 0; k < l->numbers * l->outputs; k++, checked++)
                off += fabs(by_difference(net, &l->unit[k]) - (double)l->unit_slope[k]) > 1e-3;
        }
        /* a knee between the two points of a difference is no mistake, and rare */
        assert_true(checked > 150 && off * 50 < checked);
        cop_live_destroy(net);
    }
}

/* ------------------------------------------------------------------ kernels */

static void hash_net(const cop_live_net *net, char hex[COP_HASH_HEX]) {
    cop_hash *hash = cop_hash_create();
    for (size_t i = 0; i < net->settings.layers; i++) {
        const cop_live_layer *l = &net->layer[i];
        cop_hash_add(hash, l->begin, (l->outputs + 1) * sizeof *l->begin);
        cop_hash_add(hash, l->edge, l->edges * sizeof *l->edge);
        cop_hash_add(hash, l->m, l->edges * sizeof *l->m);
        cop_hash_add(hash, l->unit, l->numbers * l->outputs * sizeof *l->unit);
    }
    cop_hash_hex(hash, hex);
    cop_hash_destroy(hash);
}

static void train_some(cop_live_net *net, bool adam) {
    for (uint32_t batch = 0; batch < 12; batch++) {
        const cop_step step = step_with_decay(adam);
        const cop_rewire_plan plan = {.remove = cop_remove_rule_find("magnitude"),
                                      .add = cop_add_rule_find("random"),
                                      .zeta = 0.3,
                                      .draw_weights = true,
                                      .seed = 1,
                                      .epoch = batch};
        find_slopes(net, batch, N, batch);
        cop_live_step(net, &step, 0, net->slope_count);
        if (batch % 4 == 3) cop_rewire(net, &plan, NULL, NULL);
    }
}

static void every_kernel_gives_the_same_bits(void **state) {
    (void)state;
    size_t count;
    const cop_train_ops *const *all = cop_train_variants(&count);
    draw_samples(13, 4);
    for (int a = 0; a < 3; a++)
        for (size_t batch = BATCH; batch < 200; batch += 60) { /* 2 to 12 vectors */
            char plain[COP_HASH_HEX], hex[COP_HASH_HEX];
            for (size_t v = count; v-- > 0;) { /* the last one is plain C */
                cop_live_settings s = small((cop_live_activation)a);
                cop_live_net *net;
                s.batch = batch;
                s.dropout = 0.3;
                s.adam = a == 1;
                if (!all[v]->supported()) continue;
                assert_ok(cop_live_create(&net, &s));
                net->ops = all[v];
                train_some(net, s.adam);
                hash_net(net, v + 1 == count ? plain : hex);
                if (v + 1 < count) assert_string_equal(hex, plain);
                cop_live_destroy(net);
            }
        }
}

static void dropout_is_the_keyed_numbers(void **state) {
    (void)state;
    size_t count, dropped = 0;
    const cop_train_ops *const *all = cop_train_variants(&count);
    float *a = COP_NEW_ARRAY(float, 4096);
    float *kept = COP_NEW_ARRAY(float, 4096);
    for (size_t i = 0; i < 4096; i++) a[i] = 1;
    all[count - 1]->drop(4096, 0.3, 77, 5, 2, a, kept);
    cop_rng rng = cop_rng_at(77, 5, 2, COP_FOR_DROPOUT);
    for (size_t i = 0; i < 4096; i++) {
        assert_near((double)a[i], kept[i] > 0 ? 1 / 0.7 : 0, 1e-6);
        dropped += !(kept[i] > 0);
    }
    assert_in_range(dropped, 4096 * 25 / 100, 4096 * 35 / 100);
    /* the first counter is place 0 of the first eight vectors */
    for (size_t w = 0; w < 4; w++) {
        const uint32_t word = cop_rng_u32(&rng);
        assert_int_equal(kept[2 * w * 16] > 0, (word & 0xffff) >= 19660);
        assert_int_equal(kept[(2 * w + 1) * 16] > 0, word >> 16 >= 19660);
    }
    cop_free(a);
    cop_free(kept);
}

/* ------------------------------------------------------------------ lists */

static void check_lists(const cop_live_net *net) {
    for (size_t i = 0; i < net->settings.layers; i++) {
        const cop_live_layer *l = &net->layer[i];
        assert_int_equal(l->begin[0], 0);
        assert_int_equal(l->begin[l->outputs], l->edges);
        for (size_t o = 0; o < l->outputs; o++)
            for (uint32_t k = l->begin[o]; k < l->begin[o + 1]; k++) {
                assert_true(cop_live_input(net, l, k) < l->inputs);
                assert_true(k == l->begin[o] || l->edge[k - 1].offset < l->edge[k].offset);
            }
        if (!l->way) continue; /* all edges live and stay, or there is no way back */
        assert_int_equal(l->from[0], 0);
        assert_int_equal(l->from[l->inputs], l->edges);
        for (size_t j = 0; j < l->inputs; j++)
            for (uint32_t k = l->from[j]; k < l->from[j + 1]; k++) {
                const size_t o = (size_t)l->way[k].offset / net->stride;
                assert_int_equal(cop_live_input(net, l, l->way[k].edge), j);
                assert_true(l->way[k].edge >= l->begin[o] && l->way[k].edge < l->begin[o + 1]);
            }
    }
}

static void first_edges_are_as_many_as_epsilon_says(void **state) {
    (void)state;
    cop_live_settings s = {
        .layers = 2, .width = {800, 600, 10}, .batch = 1, .epsilon = 20, .seed = 2};
    cop_live_net *net;
    assert_ok(cop_live_create(&net, &s));
    const double wanted = 20 * 1400; /* standard deviation 162 */
    assert_near((double)net->layer[0].edges, wanted, 650);
    assert_int_equal(net->layer[1].edges, 6000);
    assert_true(net->layer[0].rewired && !net->layer[1].rewired);
    check_lists(net);
    cop_live_destroy(net);
    s.topology = COP_LIVE_EXACT;
    assert_ok(cop_live_create(&net, &s));
    assert_int_equal(net->layer[0].edges, 28000);
    check_lists(net);
    cop_live_destroy(net);
    s.topology = COP_LIVE_DENSE;
    assert_ok(cop_live_create(&net, &s));
    assert_int_equal(cop_live_edges(net), 486000);
    cop_live_destroy(net);
    s.width[1] = 100000000;
    s.width[0] = 100000000;
    assert_fails(cop_live_create(&net, &s), COP_E_CONFIG, "2^31");
}

static size_t of_sign(const cop_live_layer *l, bool negative) {
    size_t n = 0;
    for (size_t k = 0; k < l->edges; k++)
        n += negative ? l->edge[k].weight < 0 : l->edge[k].weight > 0;
    return n;
}

static void set_takes_the_smallest_of_each_sign(void **state) {
    (void)state;
    cop_live_settings s = {.layers = 2, .width = {60, 50, 10}, .batch = 8, .epsilon = 5, .seed = 2};
    cop_live_net *net;
    assert_ok(cop_live_create(&net, &s));
    cop_live_layer *l = &net->layer[0];
    l->edge[7].weight = 0; /* goes whatever zeta says */
    for (size_t k = 0; k < l->edges; k++) l->m[k] = l->edge[k].weight * 3;
    const size_t edges = l->edges, down = of_sign(l, true), up = of_sign(l, false);
    cop_rewire_plan plan = {.remove = cop_remove_rule_find("magnitude"), .zeta = 0.3, .seed = 9};
    uint32_t core[60];
    cop_rewire(net, &plan, NULL, core);
    assert_int_equal(l->edges,
                     edges - 1 - (size_t)(0.3 * (double)down) - (size_t)(0.3 * (double)up));
    check_lists(net);
    float least = 1;
    size_t degrees = 0;
    for (size_t k = 0; k < l->edges; k++) {
        least = fminf(least, fabsf(l->edge[k].weight));
        assert_true(l->m[k] == l->edge[k].weight * 3);
    }
    for (size_t j = 0; j < 60; j++) degrees += core[j];
    assert_int_equal(degrees, l->edges);
    assert_true(least > 0.02f); /* limit 0.23: 0.3 of each side is about 0.07 */
    plan.add = cop_add_rule_find("random");
    cop_rewire(net, &plan, NULL, NULL);
    assert_int_equal(l->edges, edges);
    check_lists(net);
    for (size_t k = 0; k < l->edges; k++) assert_true(l->edge[k].weight != 0 || l->m[k] == 0);
    plan.forget = true;
    cop_rewire(net, &plan, NULL, NULL);
    for (size_t k = 0; k < l->edges; k++) assert_true(l->m[k] == 0);
    cop_live_destroy(net);
}

static cop_dataset *dataset(size_t n, size_t features) {
    cop_dataset *set = cop_dataset_create("test", n, 1, 1, features, 4);
    for (size_t i = 0; i < n; i++) {
        memcpy(set->x + i * features, samples[i], features * sizeof(float));
        set->label[i] = labels[i];
    }
    return set;
}

static double cosine_by_hand(cop_live_net *net, size_t layer, size_t input, size_t output) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t s = 0; s < 50; s++) {
        cop_live_forward(net, rows + s, 1, NULL);
        const float *from = layer ? net->layer[layer - 1].z : net->x;
        const double a = (double)from[input * net->stride],
                     b = (double)net->layer[layer].z[output * net->stride];
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    return aa > 0 && bb > 0 ? fabs(ab) / sqrt(aa * bb) : 0;
}

static void similarities_are_cosines(void **state) {
    (void)state;
    draw_samples(13, 4);
    const cop_live_settings s = small(COP_LIVE_SRELU);
    const cop_rewire_plan plan = {.remove = cop_remove_rule_find("cosine"),
                                  .add = cop_add_rule_find("cosine-top"),
                                  .zeta = 0.3};
    cop_live_net *net;
    cop_rewire_facts facts;
    cop_dataset *set = dataset(50, 13);
    assert_ok(cop_live_create(&net, &s));
    assert_ok(cop_rewire_check(net, &plan));
    cop_rewire_collect(&facts, net, &plan, set, NULL, set->samples);
    assert_null(facts.matrix[2]); /* the output layer is not rewired */
    for (size_t i = 0; i < 2; i++) {
        const cop_live_layer *l = &net->layer[i];
        for (size_t o = 0; o < l->outputs; o++) {
            for (size_t j = 0; j < l->inputs; j++)
                assert_near((double)facts.matrix[i][o * l->inputs + j],
                            cosine_by_hand(net, i, j, o), 1e-5);
            for (uint32_t k = l->begin[o]; k < l->begin[o + 1]; k++)
                assert_near((double)facts.edge_similarity[i][k],
                            cosine_by_hand(net, i, cop_live_input(net, l, k), o), 1e-5);
        }
    }
    cop_rewire_facts_clear(&facts);
    cop_dataset_destroy(set);
    cop_live_destroy(net);
}

static double largest_difference(const cop_rewire_facts *a, const cop_rewire_facts *b,
                                 const cop_live_net *net, size_t layer) {
    double most = 0;
    for (size_t i = 0; i < net->layer[layer].inputs * net->layer[layer].outputs; i++)
        most = fmax(most, fabs((double)a->matrix[layer][i] - (double)b->matrix[layer][i]));
    return most;
}

/* Only the samples named are looked at, whatever stands beside them. */
static void facts_are_of_the_samples_named(void **state) {
    (void)state;
    draw_samples(13, 4);
    cop_dataset *all = dataset(40, 13), *some = dataset(40, 13);
    uint32_t which[17];
    const size_t row = 13 * sizeof(float);
    for (uint32_t i = 0; i < 17; i++) which[i] = 5 + (i * 7) % 31;
    for (size_t i = 0; i < 17; i++) {
        memcpy(some->x + 13 * i, all->x + 13 * which[i], row);
        some->label[i] = all->label[which[i]];
    }
    for (int gradient = 0; gradient < 2; gradient++) {
        const cop_live_settings s = small(COP_LIVE_RELU);
        const cop_rewire_plan plan = {
            .remove = cop_remove_rule_find("magnitude"),
            .add = cop_add_rule_find(gradient ? "gradient-top" : "cosine-top"),
            .zeta = 0.3};
        cop_rewire_facts a, b;
        cop_live_net *net;
        assert_ok(cop_live_create(&net, &s));
        cop_rewire_collect(&a, net, &plan, all, which, 17);
        cop_rewire_collect(&b, net, &plan, some, NULL, 17);
        assert_near(largest_difference(&a, &b, net, 0), 0, 0);
        cop_rewire_facts_clear(&b);
        cop_rewire_collect(&b, net, &plan, all, NULL, 40);
        assert_true(largest_difference(&a, &b, net, 0) > 1e-6);
        cop_rewire_facts_clear(&a);
        cop_rewire_facts_clear(&b);
        cop_live_destroy(net);
    }
    cop_dataset_destroy(all);
    cop_dataset_destroy(some);
}

/* With dropout what goes into the first layer is as it was, what comes behind is not; the masks of
 * two epochs differ. */
static void similarities_may_be_measured_with_dropout(void **state) {
    (void)state;
    draw_samples(13, 4);
    cop_live_settings s = small(COP_LIVE_SRELU);
    s.dropout = 0.4;
    cop_live_net *net;
    cop_dataset *set = dataset(40, 13);
    cop_rewire_facts facts[4];
    assert_ok(cop_live_create(&net, &s));
    for (size_t i = 0; i < 4; i++) { /* without; epoch 1, 1 and 2 */
        const cop_rewire_plan plan = {.remove = cop_remove_rule_find("magnitude"),
                                      .add = cop_add_rule_find("cosine-top"),
                                      .zeta = 0.3,
                                      .epoch = i == 3 ? 2 : 1,
                                      .dropping = i > 0};
        cop_rewire_collect(&facts[i], net, &plan, set, NULL, 40);
    }
    assert_near(largest_difference(&facts[0], &facts[1], net, 0), 0, 0);
    assert_true(largest_difference(&facts[0], &facts[1], net, 1) > 1e-3);
    assert_near(largest_difference(&facts[1], &facts[2], net, 1), 0, 0);
    assert_true(largest_difference(&facts[1], &facts[3], net, 1) > 1e-3);
    for (size_t i = 0; i < 4; i++) cop_rewire_facts_clear(&facts[i]);
    cop_dataset_destroy(set);
    cop_live_destroy(net);
}

/* The matrix of gradients holds, where an edge lives, the size of that edge's gradient. */
static void gradients_of_places_contain_those_of_edges(void **state) {
    (void)state;
    draw_samples(13, 4);
    const cop_live_settings s = small(COP_LIVE_RELU);
    const cop_rewire_plan plan = {.remove = cop_remove_rule_find("magnitude"),
                                  .add = cop_add_rule_find("gradient-top"),
                                  .zeta = 0.3};
    cop_live_net *net;
    cop_rewire_facts facts;
    cop_dataset *set = dataset(BATCH, 13);
    assert_ok(cop_live_create(&net, &s));
    cop_rewire_collect(&facts, net, &plan, set, NULL, set->samples);
    cop_live_forward(net, rows, BATCH, NULL);
    cop_live_loss(net, labels, 1.0 / BATCH, NULL, NULL);
    cop_live_backward(net, NULL, NULL);
    for (size_t i = 0; i < 2; i++) {
        const cop_live_layer *l = &net->layer[i];
        for (size_t o = 0; o < l->outputs; o++)
            for (uint32_t k = l->begin[o]; k < l->begin[o + 1]; k++)
                assert_near((double)facts.matrix[i][o * l->inputs + cop_live_input(net, l, k)],
                            fabs((double)l->slope[k]), 1e-6);
    }
    cop_rewire_facts_clear(&facts);
    cop_dataset_destroy(set);
    cop_live_destroy(net);
}

/* Every pair of rules keeps the number of edges and the lists valid. */
static void every_pair_of_rules_keeps_the_lists(void **state) {
    (void)state;
    size_t removes, adds;
    const cop_remove_rule *const *remove = cop_remove_rules(&removes);
    const cop_add_rule *const *add = cop_add_rules(&adds);
    draw_samples(13, 4);
    cop_dataset *set = dataset(40, 13);
    for (size_t r = 0; r < removes; r++)
        for (size_t a = 0; a < adds; a++) {
            const cop_live_settings s = small(COP_LIVE_SRELU);
            cop_live_net *net;
            assert_ok(cop_live_create(&net, &s));
            const size_t edges = cop_live_edges(net);
            for (uint32_t epoch = 0; epoch < 4; epoch++) {
                cop_rewire_plan plan = {
                    .remove = remove[r], .add = add[a], .zeta = 0.4, .seed = 3, .epoch = epoch};
                cop_rewire_facts facts;
                cop_rewire_collect(&facts, net, &plan, set, NULL, set->samples);
                cop_rewire(net, &plan, &facts, NULL);
                cop_rewire_facts_clear(&facts);
                check_lists(net);
                assert_int_equal(cop_live_edges(net), edges);
            }
            cop_live_destroy(net);
        }
    cop_dataset_destroy(set);
}

/* ------------------------------------------------------------------ positions */

static void drawn_positions_are_new_and_even(void **state) {
    (void)state;
    const uint64_t taken[] = {0, 3, 4, 9};
    size_t hits[12] = {0};
    for (uint32_t turn = 0; turn < 6000; turn++)
        for (uint64_t possible = 12; possible <= 40; possible += 28) { /* free ones, then rounds */
            uint64_t out[3];
            cop_rng rng = cop_rng_at(1, turn, (uint32_t)possible, COP_FOR_TEST);
            cop_positions_draw(&rng, possible, taken, 4, out, 3);
            assert_true(out[0] < out[1] && out[1] < out[2] && out[2] < possible);
            for (size_t i = 0; i < 3; i++) {
                assert_true(out[i] != 0 && out[i] != 3 && out[i] != 4 && out[i] != 9);
                if (possible == 12) hits[out[i]]++;
            }
        }
    for (size_t i = 0; i < 12; i++) /* 2250 +- 37 */
        assert_true(hits[i] == 0 || (hits[i] > 2050 && hits[i] < 2450));
}

static void the_largest_and_the_sorted(void **state) {
    (void)state;
    const float value[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 0};
    const uint64_t taken[] = {5};
    uint64_t out[4];
    cop_positions_top(value, 10, taken, 1, out, 3);
    assert_true(out[0] == 4 && out[1] == 7 && out[2] == 8);
    cop_positions_top(value, 10, taken, 1, out, 2); /* the tie goes to the lower place */
    assert_true(out[0] == 4 && out[1] == 7);
    cop_rng rng = cop_rng_at(8, 0, 0, COP_FOR_TEST);
    uint64_t list[1000], copy[1000];
    for (size_t i = 0; i < 1000; i++) list[i] = copy[i] = cop_rng_u64(&rng) >> (i % 60);
    cop_positions_sort(list, 1000);
    for (size_t i = 1; i < 1000; i++) assert_true(list[i - 1] <= list[i]);
    for (size_t i = 0; i < 1000; i++) copy[i] = copy[i] << 10 | i;
    memcpy(list, copy, sizeof list);
    cop_positions_sort(list, 1000);
    for (size_t rank = 0; rank < 1000; rank += 37)
        assert_true(cop_positions_nth(copy, 1000, rank) == list[rank]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_the_loss),
        cmocka_unit_test(every_kernel_gives_the_same_bits),
        cmocka_unit_test(dropout_is_the_keyed_numbers),
        cmocka_unit_test(first_edges_are_as_many_as_epsilon_says),
        cmocka_unit_test(set_takes_the_smallest_of_each_sign),
        cmocka_unit_test(similarities_are_cosines),
        cmocka_unit_test(facts_are_of_the_samples_named),
        cmocka_unit_test(similarities_may_be_measured_with_dropout),
        cmocka_unit_test(gradients_of_places_contain_those_of_edges),
        cmocka_unit_test(every_pair_of_rules_keeps_the_lists),
        cmocka_unit_test(drawn_positions_are_new_and_even),
        cmocka_unit_test(the_largest_and_the_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
