/* What the small networks of `differential` never reach, each against an evaluator that takes
 * nothing from relatives: shards of several portions, blocks of more individuals than are planned
 * together, up to 16 shared values, samples that leave the range a plan was made for and come back,
 * sums behind the front beyond 32 bits.
 * COPPICE_TEST_CASES=N: that many cases; COPPICE_TEST_CASE=K: that one alone. */
#include "../support/support.h"

#include <math.h>
#include <stdlib.h>

#include "../support/random_net.h"
#include "coppice/la.h"

enum { BLOCK_MOST = 45, SAMPLES_MOST = 600, SHARDS = 5, USUAL = 160 };
#define WORK_MOST 6e7 /* multiply-adds of a call */

typedef struct front_case {
    uint32_t number;
    cop_model *model;
    cop_params base;
    cop_eval_setup setup;
    cop_mask mask[BLOCK_MOST];
    size_t count, n;
    float *x;
    int32_t *label;
} front_case;

static struct { size_t cases, fronts, calls, refused; } met;

static size_t one_of(cop_rng *rng, const size_t *from, size_t count) {
    return from[cop_rng_below(rng, count)];
}
#define ONE_OF(rng, ...)                                                                           \
    one_of((rng), (const size_t[]){__VA_ARGS__}, sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t))

/* Words of a network with a front of any kind; they may not fit together. */
static void architecture(cop_rng *rng, char input[64], cop_buf *layers) {
    const char *relu = cop_rng_below(rng, 8) ? "relu " : "";
    const char *pool = cop_rng_below(rng, 3) ? "maxpool(2) " : "";
    size_t kind = (size_t)cop_rng_below(rng, 3), channels = ONE_OF(rng, 1, 1, 2, 3);
    snprintf(input, 64, "%zux%zux%zu", channels, test_draw(rng, 3, 15), test_draw(rng, 3, 15));
    if (cop_rng_below(rng, 6) == 0) cop_buf_printf(layers, "relu ");
    if (kind == 0)
        cop_buf_printf(layers, "conv2d(%zu,%zu,%zu) %sconv2d(%zu,%zu) relu %s",
                       ONE_OF(rng, 1, 2, 3, 5, 8, 11), ONE_OF(rng, 1, 2, 3, 3, 4),
                       ONE_OF(rng, 1, 1, 2, 3), relu, ONE_OF(rng, 4, 9, 16, 17, 33, 40),
                       ONE_OF(rng, 1, 2, 3, 3, 4, 5), pool);
    else if (kind == 1)
        cop_buf_printf(layers, "conv2d(%zu,%zu,%zu) relu %s", ONE_OF(rng, 1, 3, 16, 31, 255),
                       test_draw(rng, 1, 5), *pool ? 1 : ONE_OF(rng, 1, 2, 3), pool);
    else
        cop_buf_printf(layers, "dense(%zu) %s", ONE_OF(rng, 1, 7, 64, 130), relu);
    if (cop_rng_below(rng, 2))
        cop_buf_printf(layers, "dense(%zu) %s", ONE_OF(rng, 1, 15, 16, 17, 129), relu);
    cop_buf_printf(layers, "dense(%zu)", ONE_OF(rng, 2, 10, 17));
}

static void make_model(front_case *t, cop_rng *rng) {
    for (t->model = NULL; !t->model;) {
        char input[64];
        cop_buf layers = {0};
        architecture(rng, input, &layers);
        if (cop_model_create(&t->model, input, cop_buf_text(&layers)) != COP_OK) t->model = NULL;
        cop_buf_clear(&layers);
        if (t->model && cop_model_macs(t->model, NULL) > 300000) {
            cop_model_destroy(t->model);
            t->model = NULL;
        }
    }
    cop_error_clear();
}

/* Steps on the grid: small ones that fit 16 bits everywhere, and what brings a sum of the front
 * near the limits of 16, 23 and 32 bits. */
static double draw_steps(const front_case *t, cop_rng *rng) {
    static const double limits[] = {0x1p15, 0x1p23, 0x1p23, 0x1p31};
    if (cop_rng_below(rng, 2)) return 2047;
    double steps = limits[cop_rng_below(rng, 4)] * (0.3 + cop_rng_uniform(rng));
    for (size_t i = 0, layers = 1 + (size_t)cop_rng_below(rng, 2); layers; i++)
        if (t->model->layers[i].weights) {
            steps /= fmax(1, 0.5 * (double)t->model->layers[i].fan_in);
            layers--;
        }
    return fmin(fmax(nearbyint(steps), 1), 32767);
}

static void make_numbers(front_case *t, cop_rng *rng) {
    static const double biases[] = {0, 1, 50, 50, 2000, 1e6, 3e9};
    const cop_model *m = t->model;
    cop_eval_setup *s = &t->setup;
    double steps = draw_steps(t, rng), bias = biases[cop_rng_below(rng, 7)];
    *s = (cop_eval_setup){.model = m, .base = &t->base, .scale = 700};
    s->batch = test_draw(rng, 1, 100);
    s->weighting.kind = cop_rng_below(rng, 4) ? COP_WEIGHTS_SIGNED : COP_WEIGHTS_POSITIVE;
    s->weighting.values = cop_rng_below(rng, 4) ? test_draw(rng, 1, 4) : test_draw(rng, 5, 16);
    for (size_t v = 0; v < s->weighting.values; v++)
        s->weighting.value[v] = 0.5 + 0.25 * (double)v * (1 + cop_rng_uniform(rng));
    cop_params_init(&t->base, m);
    for (size_t e = 0; e < m->weights; e++)
        t->base.w[e] = cop_rng_below(rng, 20) ? (float)cop_rng_normal(rng) : 0;
    for (size_t b = 0; b < m->biases; b++)
        t->base.b[b] = (float)(cop_rng_normal(rng) * bias / s->scale);
    size_t inputs = cop_shape_size(m->input), blank = (size_t)cop_rng_below(rng, 3);
    t->n = ONE_OF(rng, 1, 2, 31, 33, 127, 129, 255, 256, 257, 300, SAMPLES_MOST);
    t->x = cop_alloc(t->n, inputs * sizeof(float));
    t->label = COP_NEW_ARRAY(int32_t, t->n);
    for (size_t i = 0; i < t->n; i++) {
        size_t from = (size_t)cop_rng_below(rng, inputs), to = from + inputs / 3;
        t->label[i] = (int32_t)cop_rng_below(rng, m->classes);
        for (size_t j = 0; j < inputs; j++) {
            bool inside = blank == 0 || (j >= from && j < to);
            double u = inside ? 2 * cop_rng_uniform(rng) - 1 : blank == 1 ? 0 : -0.3;
            if (inside && cop_rng_below(rng, 4) == 0) u = u < 0 ? -1 : 1;
            t->x[i * inputs + j] = (float)(nearbyint(u * steps) / s->scale);
        }
    }
}

/* Individuals [0, count): children of two parents, some twice, some strangers, some all dead. */
static void breed(front_case *t, cop_rng *rng) {
    static const double densities[] = {0.05, 0.3, 0.6, 1}, losses[] = {0, 0.001, 0.02, 0.3};
    size_t edges = t->model->weights;
    double density = densities[cop_rng_below(rng, 4)], loss = losses[cop_rng_below(rng, 4)];
    for (size_t i = 0; i < t->count; i++) {
        cop_mask *mask = &t->mask[i];
        if (!mask->words) cop_mask_init(mask, edges);
        bool stranger = i < 2 || cop_rng_below(rng, 12) == 0;
        if (stranger)
            cop_rng_sample(rng, (size_t)((double)edges * density), mask);
        else
            cop_mask_copy(mask, &t->mask[cop_rng_below(rng, cop_rng_below(rng, 3) ? 2 : i)]);
        if (!stranger && cop_rng_below(rng, 2))
            cop_mask_copy_range(mask, &t->mask[cop_rng_below(rng, i)],
                                (size_t)cop_rng_below(rng, edges + 1), edges);
        for (size_t e = 0; e < edges && !stranger; e++)
            if (cop_rng_uniform(rng) < loss) cop_mask_unset(mask, e);
        if (cop_rng_below(rng, 30) == 0) cop_rng_sample(rng, 0, mask);
    }
}

static bool has_front(const cop_evaluator *sign, const cop_eval_setup *setup) {
    cop_buf text = {0};
    assert_ok(sign->explain(setup, &text));
    bool found = strstr(cop_buf_text(&text), "spanning tree") != NULL;
    cop_buf_clear(&text);
    return found;
}

/* The same call of both evaluators. */
static void ask_both(const front_case *t, const cop_evaluator *sign, void *const self[2],
                     const float *x, size_t first, size_t n) {
    size_t inputs = cop_shape_size(t->model->input), values = t->setup.weighting.values;
    const cop_mask *block[BLOCK_MOST];
    const cop_shard shard = {.x = x + first * inputs, .label = t->label + first, .n = n};
    cop_evidence evidence[2][BLOCK_MOST];
    uint16_t *class[2];
    cop_status status[2];
    for (size_t i = 0; i < t->count; i++) block[i] = &t->mask[i];
    for (int a = 0; a < 2; a++) {
        class[a] = cop_alloc(t->count * values * n, sizeof(uint16_t));
        memset(class[a], 0xcc, t -> count *values *n * sizeof(uint16_t));
        status[a] =
            sign->evaluate(self[a], block, t->count, &shard, NULL, NULL, evidence[a], class[a]);
    }
    met.calls++;
    met.refused += status[0] != COP_OK;
    if (status[0] != status[1])
        fail_msg("case %u, %s: refused only %s: %s", t->number, t->model->spec,
                 status[0] ? "with relatives" : "alone", cop_error_message());
    for (size_t i = 0; i < t->count && status[0] == COP_OK; i++) {
        size_t each = values * n;
        if (memcmp(&evidence[0][i], &evidence[1][i], sizeof evidence[0][i]) != 0 ||
            memcmp(class[0] + i * each, class[1] + i * each, each * sizeof(uint16_t)) != 0)
            fail_msg("case %u, %s, %s: individual %zu of %zu differs on samples %zu to %zu, %zu "
                     "values; again: run this program with COPPICE_TEST_CASE=%u",
                     t->number, t->model->spec, cop_sign_kernel(), i, t->count, first, first + n,
                     values, t->number);
    }
    cop_error_clear();
    for (int a = 0; a < 2; a++) cop_free(class[a]);
}

/* Samples that a plan made for @p t->x was not made for: @p factor times as loud, or one that is
 * beyond every grid, which is refused. */
static void ask_with_others(const front_case *t, const cop_evaluator *sign, void *const self[2],
                            double factor, size_t n) {
    size_t size = n * cop_shape_size(t->model->input);
    float *x = COP_NEW_ARRAY(float, size);
    for (size_t i = 0; i < size; i++) x[i] = (float)((double)t->x[i] * factor);
    if (factor == 0) x[size / 2] = NAN;
    ask_both(t, sign, self, x, 0, n);
    cop_free(x);
}

static void run_case(uint32_t number) {
    const cop_evaluator *sign = cop_evaluator_find("sign");
    const char *names[16];
    size_t kernels = cop_sign_names(names, 16);
    front_case t = {.number = number};
    cop_rng rng = cop_rng_at(37, number, 0, COP_FOR_TEST);
    void *self[2];
    make_model(&t, &rng);
    make_numbers(&t, &rng);
    double work = (double)cop_model_macs(t.model, NULL) * (double)t.setup.weighting.values;
    setenv("COPPICE_KERNEL", names[number % kernels], 1);
    met.cases++;
    met.fronts += has_front(sign, &t.setup);
    for (int a = 0; a < 2; a++) {
        t.setup.alone = a;
        assert_ok(sign->create(&self[a], &t.setup));
    }
    for (size_t generation = 0; generation < 3; generation++) {
        t.count = ONE_OF(&rng, 1, 2, 3, 7, 14, 40, 41, BLOCK_MOST);
        while (t.count > 1 && work * (double)t.count * (double)t.n > 4 * WORK_MOST) t.count /= 2;
        size_t n = (size_t)fmin((double)t.n, fmax(1, 4 * WORK_MOST / (work * (double)t.count)));
        breed(&t, &rng);
        ask_both(&t, sign, self, t.x, 0, n);
        for (size_t k = 0, first = 0; k < SHARDS && first < t.n; k++) {
            size_t most = t.n - first < n ? t.n - first : n, each = test_draw(&rng, 1, most);
            switch (cop_rng_below(&rng, 6)) {
            case 0:
                ask_with_others(&t, sign, self, 2 * cop_rng_uniform(&rng), each);
                break;
            case 1:
                ask_with_others(&t, sign, self, cop_rng_below(&rng, 2) ? -1 : 0, each);
                break;
            default:
                ask_both(&t, sign, self, t.x, first, each);
                first += each;
            }
        }
    }
    for (int a = 0; a < 2; a++) sign->destroy(self[a]);
    for (size_t i = 0; i < BLOCK_MOST; i++) cop_mask_clear(&t.mask[i]);
    unsetenv("COPPICE_KERNEL");
    cop_free(t.x);
    cop_free(t.label);
    cop_params_clear(&t.base);
    cop_model_destroy(t.model);
}

static void fronts_of_any_size(void **state) {
    const char *one = getenv("COPPICE_TEST_CASE"), *many = getenv("COPPICE_TEST_CASES");
    uint64_t first = 0, end = USUAL;
    (void)state;
    if (one) {
        assert_true(cop_parse_u64(one, &first));
        end = first + 1;
    } else if (many)
        assert_true(cop_parse_u64(many, &end));
    for (; first < end; first++) run_case((uint32_t)first);
    print_message("# %zu networks, %zu of them with a front; %zu calls, %zu refused by both\n",
                  met.cases, met.fronts, met.calls, met.refused);
    if (!one) assert_true(met.fronts > met.cases / 2 && met.refused < met.calls / 4);
}

/* Without a relu a channel of one individual may be far below 0 and that of its relative far above:
 * either fits 16 bits, the difference does not. */
static void a_channel_changes_by_more_than_16_bits(void **state) {
    enum { KERNEL = 9, N = 33 };
    const cop_evaluator *sign = cop_evaluator_find("sign");
    const char *names[16];
    front_case t = {.count = 2, .n = N};
    (void)state;
    assert_ok(cop_model_create(&t.model, "1x8x8",
                               "conv2d(5,3) conv2d(16,3) relu maxpool(2) dense(7) relu dense(3)"));
    cop_params_init(&t.base, t.model);
    cop_params_randomise(&t.base, t.model, 5);
    t.setup = (cop_eval_setup){.model = t.model,
                               .base = &t.base,
                               .scale = 1,
                               .batch = N,
                               .weighting = {COP_WEIGHTS_SIGNED, 1, {1}}};
    for (size_t i = 0; i < 2; i++) {
        cop_mask_init(&t.mask[i], t.model->weights);
        cop_mask_fill(&t.mask[i]);
    }
    for (size_t e = 0; e < 5 * KERNEL; e++) t.base.w[e] = e % KERNEL < 5 ? 1 : -1;
    /* of channel 0 one has the edges with +, the other those with - */
    for (size_t e = 0; e < KERNEL; e++) cop_mask_unset(&t.mask[e < 5], e);
    size_t size = N * cop_shape_size(t.model->input);
    t.x = COP_NEW_ARRAY(float, size);
    t.label = COP_NEW_ARRAY(int32_t, N);
    for (size_t i = 0; i < size; i++) t.x[i] = i / 64 % 3 ? 6000 : 6000 - (float)(i % 7);
    for (size_t k = 0, kernels = cop_sign_names(names, 16); k < kernels; k++) {
        void *self[2];
        setenv("COPPICE_KERNEL", names[k], 1);
        for (int a = 0; a < 2; a++) {
            t.setup.alone = a;
            assert_ok(sign->create(&self[a], &t.setup));
        }
        ask_both(&t, sign, self, t.x, 0, N);
        for (int a = 0; a < 2; a++) sign->destroy(self[a]);
    }
    unsetenv("COPPICE_KERNEL");
    for (size_t i = 0; i < 2; i++) cop_mask_clear(&t.mask[i]);
    cop_free(t.x);
    cop_free(t.label);
    cop_params_clear(&t.base);
    cop_model_destroy(t.model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fronts_of_any_size),
        cmocka_unit_test(a_channel_changes_by_more_than_16_bits),
    };
    return cmocka_run_group_tests_name("fronts", tests, NULL, NULL);
}
