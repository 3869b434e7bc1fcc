/* Boltzmann machines of live edges against sums over all states. */
#include "../support/support.h"

#include <math.h>
#include <string.h>

#include "train/rbm.h"
#include "train/rewire.h"

enum { VISIBLE = 9, HIDDEN = 7, SAMPLES = 20 };

static float x[SAMPLES][VISIBLE];
static const float *rows[SAMPLES];

/* Two kinds of pattern with some noise. */
static void draw_samples(void) {
    cop_rng rng = cop_rng_at(5, 0, 0, COP_FOR_TEST);
    for (size_t s = 0; s < SAMPLES; s++) {
        for (size_t i = 0; i < VISIBLE; i++)
            x[s][i] = (float)(((i < 4) == (s % 2 == 1)) != (cop_rng_uniform(&rng) < 0.05));
        rows[s] = x[s];
    }
}

static cop_live_net *network(double epsilon, double deviation, bool adam) {
    const cop_live_settings settings = {.layers = 1,
                                        .width = {VISIBLE, HIDDEN},
                                        .batch = 20,
                                        .epsilon = epsilon,
                                        .topology = COP_LIVE_EXACT,
                                        .sparse_output = true,
                                        .both_ways = true,
                                        .start = COP_LIVE_NORMAL,
                                        .deviation = deviation,
                                        .activation = COP_LIVE_RELU,
                                        .adam = adam,
                                        .seed = 3};
    cop_live_net *net;
    assert_ok(cop_live_create(&net, &settings));
    return net;
}

static double weight(const cop_live_net *net, size_t i, size_t o) {
    const cop_live_layer *l = &net->layer[0];
    for (uint32_t k = l->begin[o]; k < l->begin[o + 1]; k++)
        if (cop_live_input(net, l, k) == i) return (double)l->edge[k].weight;
    return 0;
}

/* ln of the sum over hidden states of exp(-energy). */
static double free_by_hand(const cop_rbm *r, const float *v) {
    double visible = 0, in[HIDDEN], sum = 0;
    for (size_t i = 0; i < VISIBLE; i++) visible += (double)r->bias[i] * (double)v[i];
    for (size_t o = 0; o < HIDDEN; o++) {
        in[o] = (double)r->net->layer[0].unit[o];
        for (size_t i = 0; i < VISIBLE; i++) in[o] += weight(r->net, i, o) * (double)v[i];
    }
    for (unsigned h = 0; h < 1u << HIDDEN; h++) {
        double energy = visible;
        for (size_t o = 0; o < HIDDEN; o++)
            if (h >> o & 1) energy += in[o];
        sum += exp(energy);
    }
    return log(sum);
}

static double log_z_by_hand(const cop_rbm *r) {
    double sum = 0;
    for (unsigned state = 0; state < 1u << VISIBLE; state++) {
        float v[VISIBLE];
        for (size_t i = 0; i < VISIBLE; i++) v[i] = (float)(state >> i & 1);
        sum += exp(free_by_hand(r, v));
    }
    return log(sum);
}

static double likelihood(cop_rbm *r) {
    double p[SAMPLES], sum = 0;
    cop_rbm_free(r, rows, SAMPLES, p);
    for (size_t s = 0; s < SAMPLES; s++) sum += p[s];
    return sum / SAMPLES - log_z_by_hand(r);
}

static void shift_biases(cop_rbm *r) {
    for (size_t i = 0; i < VISIBLE; i++) r->bias[i] = 0.3f * (float)i - 1;
    for (size_t o = 0; o < HIDDEN; o++) r->net->layer[0].unit[o] = 0.5f - 0.2f * (float)o;
}

static void free_energies_are_sums_over_states(void **state) {
    (void)state;
    draw_samples();
    cop_live_net *net = network(2, 1, false);
    cop_rbm *r = cop_rbm_create(net);
    double p[SAMPLES];
    shift_biases(r);
    assert_true(cop_live_edges(net) < VISIBLE * HIDDEN);
    cop_rbm_free(r, rows, SAMPLES, p);
    for (size_t s = 0; s < SAMPLES; s++) assert_near(p[s], free_by_hand(r, x[s]), 1e-5);
    cop_rbm_destroy(r);
    cop_live_destroy(net);
}

static void annealing_finds_the_partition_function(void **state) {
    (void)state;
    for (int k = 0; k < 3; k++) {
        cop_live_net *net = network(3, k == 2 ? 2 : 0.8, false);
        cop_rbm *r = cop_rbm_create(net);
        double means[VISIBLE];
        for (size_t i = 0; i < VISIBLE; i++) means[i] = k == 1 ? 0.1 + 0.08 * (double)i : 0.5;
        shift_biases(r);
        const cop_rbm_log_z found = cop_rbm_anneal(r, means, 50, 20, 7),
                            again = cop_rbm_anneal(r, means, 50, 20, 7),
                            other = cop_rbm_anneal(r, means, 50, 20, 8);
        assert_true(found.error > 0 && found.error < 0.2);
        assert_near(found.log_z, log_z_by_hand(r), 6 * found.error + 1e-3);
        assert_true(found.log_z == again.log_z && found.log_z != other.log_z);
        cop_rbm_destroy(r);
        cop_live_destroy(net);
    }
}

/* Learning makes the samples likelier, by sums over all states, with every optimiser and through
 * rewiring; and reconstructs them better. */
static void learning_makes_samples_likelier(void **state) {
    (void)state;
    draw_samples();
    for (int adam = 0; adam < 2; adam++) {
        cop_live_net *net = network(2, 0.05, adam);
        cop_rbm *r = cop_rbm_create(net);
        cop_step how = {.adam = adam,
                        .rate = adam ? 0.02f : 0.1f,
                        .momentum = 0.5f,
                        .beta1 = 0.9f,
                        .beta2 = 0.999f,
                        .epsilon = 1e-8f};
        const double before = likelihood(r), error = cop_rbm_error(r, rows, SAMPLES) / SAMPLES;
        const size_t edges = cop_live_edges(net);
        for (uint32_t step = 0; step < 400; step++) {
            how.correct1 = (float)(1 / (1 - pow(0.9, step + 1)));
            how.correct2 = (float)(1 / (1 - pow(0.999, step + 1)));
            assert_true(isfinite(cop_rbm_learn(r, rows, SAMPLES, 2, step, &how)));
            if (step % 50 == 49 && step < 300) {
                const cop_rewire_plan plan = {.remove = cop_remove_rule_find("magnitude"),
                                              .add = cop_add_rule_find("random"),
                                              .zeta = 0.2,
                                              .seed = 2,
                                              .epoch = step};
                cop_rewire_facts facts = {0};
                cop_rewire(net, &plan, &facts, NULL);
                assert_int_equal(cop_live_edges(net), edges);
            }
        }
        const double after = likelihood(r), now = cop_rbm_error(r, rows, SAMPLES) / SAMPLES;
        assert_near(before, -VISIBLE * log(2), 0.2);
        assert_true(after > before + 2); /* of 6.2 nats; two patterns and noise leave some 2.5 */
        assert_true(now < 0.6 * error);
        cop_rbm_destroy(r);
        cop_live_destroy(net);
    }
}

/* With one sample the statistics of the data are its own: one step of the biases by hand. */
static void the_first_step_is_what_the_rule_says(void **state) {
    (void)state;
    draw_samples();
    cop_live_net *net = network(2, 0.05, false);
    cop_rbm *r = cop_rbm_create(net);
    const cop_step how = {.rate = 1, .momentum = 0};
    cop_rbm_learn(r, rows, 1, 1, 0, &how);
    for (size_t i = 0; i < VISIBLE; i++)
        assert_near((double)r->bias[i], (double)x[0][i] - (double)r->v[i * net->stride], 1e-6);
    for (size_t i = 0; i < VISIBLE; i++)
        for (size_t s = 1; s < net->stride; s++)
            assert_near((double)r->v[i * net->stride + s], 0, 0);
    cop_rbm_destroy(r);
    cop_live_destroy(net);
}

/* Every variant gives the bits of the first, which are those of the formulas to the last places:
 * far from 0, at 0, where nothing is left, and of what is no number. */
static void kernels_agree(void **state) {
    (void)state;
    enum { N = 160 };
    static const float odd[] = {0,     -0.0f, INFINITY, -INFINITY, NAN,    -746, -740,   -36.8f,
                                36.8f, 746,   1e30f,    -1e30f,    1e-30f, 88,   -1e-8f, 710};
    size_t count;
    const cop_unit_kernel *const *all = cop_unit_kernels(&count);
    float in[N];
    double first[2][N], to[2][N];
    cop_rng rng = cop_rng_at(11, 0, 0, COP_FOR_TEST);
    for (size_t i = 0; i < N; i++)
        in[i] = i < 16 ? odd[i] : (float)(40 * (cop_rng_uniform(&rng) - 0.5));
    for (size_t k = 0; k < count; k++) {
        for (size_t i = 0; i < N; i++) to[1][i] = 0.25;
        all[k]->sigmoid(in, N, 0.75, -0.5, to[0]);
        all[k]->softplus(in, N, 0.75, to[1]);
        if (k == 0) memcpy(first, to, sizeof to);
        for (size_t i = 0; i < N; i++)
            for (size_t f = 0; f < 2; f++)
                assert_true(to[f][i] == first[f][i] || (isnan(to[f][i]) && isnan(first[f][i])));
    }
    for (size_t i = 0; i < N; i++) {
        const double at = 0.75 * (double)in[i], p = 1 / (1 + exp(-(at - 0.5)));
        const double plus = 0.25 + (at > 30 ? at : log1p(exp(at)));
        if (isnan(in[i])) {
            assert_true(isnan(first[0][i]) && isnan(first[1][i]));
            continue;
        }
        assert_true(fabs(first[0][i] - p) <= 1e-15);
        assert_true(first[1][i] == plus || fabs(first[1][i] - plus) <= 1e-12 * fabs(plus));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree),
        cmocka_unit_test(free_energies_are_sums_over_states),
        cmocka_unit_test(annealing_finds_the_partition_function),
        cmocka_unit_test(learning_makes_samples_likelier),
        cmocka_unit_test(the_first_step_is_what_the_rule_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
