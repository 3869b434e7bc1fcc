/* Optimisers and schedules against steps computed by hand from the published formulas. */
#include "../support/support.h"
#include "train/optimiser.h"

#include <math.h>
#include <string.h>

static const cop_hyper hyper = {
    .momentum = 0.9, .weight_decay = 0.01, .rho = 0.9, .beta1 = 0.9, .beta2 = 0.999};

/* Three steps from (1, -0.5) with these gradients; worked out in double from the formulas that
 * PyTorch documents for SGD, Adam and Adadelta, weight decay 0.01 in each. */
static void steps_are_those_of_the_papers(void **state) {
    (void)state;
    static const float g[3][2] = {{0.5f, -2.0f}, {0.25f, 1.0f}, {-1.0f, 0.0f}};
    static const struct {
        const char *name;
        double rate, w[3][2];
    } wanted[] = {
        {"sgd", 0.1, {{0.949, -0.2995}, {0.877151, -0.2187505}, {0.9116097490, -0.1458571995}}},
        {"adam",
         0.1,
         {{0.9000000020, -0.4000000005},
          {0.8065550410, -0.3731156377},
          {0.8258477699, -0.3522274145}}},
        {"adadelta",
         1.0,
         {{0.9968377831, -0.4968377263},
          {0.9947211016, -0.4989106804},
          {0.9990090902, -0.4988988558}}},
    };
    size_t count;
    cop_optimiser_infos(&count);
    assert_int_equal(count, sizeof wanted / sizeof *wanted); /* a new one needs a row here */
    for (size_t i = 0; i < count; i++) {
        const cop_optimiser *optimiser = cop_optimiser_find(wanted[i].name);
        assert_non_null(optimiser);
        float w[2] = {1.0f, -0.5f}, a[2] = {0}, b[2] = {0};
        float *memory[COP_OPTIMISER_ARRAYS] = {a, b};
        cop_hyper h = hyper;
        h.rate = wanted[i].rate;
        h.epsilon = optimiser->epsilon;
        for (size_t step = 0; step < 3; step++) {
            h.step = step + 1;
            optimiser->step(&h, 2, w, g[step], memory);
            for (size_t k = 0; k < 2; k++) assert_near(w[k], wanted[i].w[step][k], 2e-7);
        }
    }
}

/* The vector loops do the same to every parameter, whatever the count. */
static void parameters_do_not_see_each_other(void **state) {
    (void)state;
    size_t count;
    const cop_optimiser_info *infos = cop_optimiser_infos(&count);
    for (size_t i = 0; i < count; i++) {
        enum { N = 37 };
        const cop_optimiser *optimiser = cop_optimiser_find(infos[i].name);
        float w[N], g[N], a[N] = {0}, b[N] = {0};
        cop_rng rng = cop_rng_at(1, 0, 0, COP_FOR_TEST);
        for (size_t k = 0; k < N; k++) w[k] = (float)cop_rng_normal(&rng);
        float alone[N], a1[N] = {0}, b1[N] = {0};
        memcpy(alone, w, sizeof w);
        cop_hyper h = hyper;
        h.rate = optimiser->rate;
        h.epsilon = optimiser->epsilon;
        for (h.step = 1; h.step <= 5; h.step++) {
            for (size_t k = 0; k < N; k++) g[k] = (float)cop_rng_normal(&rng);
            optimiser->step(&h, N, w, g, (float *[]){a, b});
            for (size_t k = 0; k < N; k++)
                optimiser->step(&h, 1, &alone[k], &g[k], (float *[]){&a1[k], &b1[k]});
        }
        assert_memory_equal(w, alone, sizeof w);
    }
}

static void averages_of_still_parameters_become_zero(void **state) {
    (void)state;
    size_t count;
    const cop_optimiser_info *infos = cop_optimiser_infos(&count);
    for (size_t i = 0; i < count; i++) {
        const cop_optimiser *optimiser = cop_optimiser_find(infos[i].name);
        float w = 1.0f, g = 1.0f, a = 0, b = 0;
        cop_hyper h = {.rate = optimiser->rate,
                       .epsilon = optimiser->epsilon,
                       .momentum = 0.9,
                       .rho = 0.9,
                       .beta1 = 0.9,
                       .beta2 = 0.9,
                       .step = 1};
        optimiser->step(&h, 1, &w, &g, (float *[]){&a, &b});
        assert_true(w < 1.0f && a != 0.0f);
        g = 0.0f;
        for (h.step = 2; h.step < 2000; h.step++)
            optimiser->step(&h, 1, &w, &g, (float *[]){&a, &b});
        assert_true(a == 0.0f && b == 0.0f && isfinite(w));
    }
}

static void schedules_fall_as_documented(void **state) {
    (void)state;
    assert_near(cop_schedule_rate("constant", 2, 0.5, 3, 7, 10), 2.0, 0);
    assert_near(cop_schedule_rate("exponential", 1, 0.7, 3, 0, 3), 1.0, 0);
    assert_near(cop_schedule_rate("exponential", 1, 0.7, 3, 2, 3), 0.49, 1e-15);
    assert_near(cop_schedule_rate("step", 1, 0.1, 3, 2, 9), 1.0, 0);
    assert_near(cop_schedule_rate("step", 1, 0.1, 3, 3, 9), 0.1, 1e-15);
    assert_near(cop_schedule_rate("step", 1, 0.1, 3, 8, 9), 0.01, 1e-15);
    assert_near(cop_schedule_rate("cosine", 2, 0.1, 3, 0, 8), 2.0, 1e-15);
    assert_near(cop_schedule_rate("cosine", 2, 0.1, 3, 4, 8), 1.0, 1e-15);
    assert_near(cop_schedule_rate("cosine", 2, 0.1, 3, 6, 8), 0.29289321881, 1e-10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_those_of_the_papers),
        cmocka_unit_test(parameters_do_not_see_each_other),
        cmocka_unit_test(averages_of_still_parameters_become_zero),
        cmocka_unit_test(schedules_fall_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
