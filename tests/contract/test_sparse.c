/* What every variant of the sparse kernels promises: the sums of its definition, the same bits as
 * every other variant, whatever the shape; and what `sparse` promises above them: the same bits
 * for every kernel and every cut into batches. */
#include "../support/support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../support/random_net.h"
#include "coppice/la.h"

#define LANES COP_SPARSE_LANES

/* Lists, inputs and outputs of one layer. */
typedef struct layer {
    uint32_t *begin;
    cop_sparse_edge *edge;
    float *bias, *in;
    cop_sparse_edges edges;
    cop_sparse_grid grid;
    size_t in_floats, out_floats;
} layer;

/* A number of any size that float has, denormal ones too; rarely not finite. */
static float any_float(cop_rng *rng) {
    switch (cop_rng_below(rng, 8)) {
    case 0:
        return ldexpf((float)cop_rng_normal(rng), (int)cop_rng_below(rng, 250) - 140);
    case 1:
        return cop_rng_below(rng, 2) ? 0.0f : -0.0f;
    case 2: /* few bits: sums cancel, and lie halfway between floats */
        return ldexpf((float)cop_rng_below(rng, 9) - 4, (int)cop_rng_below(rng, 5) * 12 - 24);
    case 3:
        if (cop_rng_below(rng, 4000) == 0) return INFINITY;
        return FLT_MAX * (float)(cop_rng_below(rng, 3)) * 0.5f;
    default:
        return (float)cop_rng_normal(rng);
    }
}

/* A convolution of random shape, or a dense layer (one position, `cols` vectors of samples). */
static void layer_create(layer *l, cop_rng *rng, bool dense, bool wild) {
    size_t outputs = test_draw(rng, 1, 9), channels = test_draw(rng, 1, dense ? 40 : 4);
    size_t kernel = dense ? 1 : test_draw(rng, 1, 3), stride = dense ? 1 : test_draw(rng, 1, 2);
    size_t groups = test_draw(rng, 1, dense ? 11 : 2), vector = groups * LANES;
    size_t rows = dense ? 1 : test_draw(rng, 1, 5), cols = dense ? 1 : test_draw(rng, 1, 27);
    size_t height = (rows - 1) * stride + kernel, width = (cols - 1) * stride + kernel;
    size_t taps = channels * kernel * kernel, at = 0, dead = cop_rng_below(rng, 3);
    double density = (double)cop_rng_below(rng, 5) / 4; /* all dead and all live among them */
    *l = (layer){.in_floats = channels * height * width * vector,
                 .out_floats = outputs * rows * cols * vector};
    size_t blocks = test_draw(rng, 1, 3), part = (taps + blocks - 1) / blocks, list = 0;
    l->begin = COP_NEW_ARRAY(uint32_t, blocks * outputs + 1);
    l->edge = COP_NEW_ARRAY(cop_sparse_edge, outputs * taps);
    l->bias = COP_NEW_ARRAY(float, outputs);
    l->in = COP_NEW_ARRAY(float, l->in_floats);
    for (size_t o = 0; o < outputs; o++)
        l->bias[o] = wild ? any_float(rng) : (float)cop_rng_normal(rng);
    for (size_t b = 0; b < blocks; b++) /* the last ones may be empty */
        for (size_t o = 0; o < outputs; o++) {
            l->begin[list++] = (uint32_t)at;
            for (size_t t = b * part; t < taps && t < (b + 1) * part; t++)
                if ((!dead || o % (dead + 1)) && cop_rng_uniform(rng) < density) {
                    size_t c = t / (kernel * kernel), y = t / kernel % kernel, x = t % kernel;
                    l->edge[at++] =
                        (cop_sparse_edge){(int32_t)(((c * height + y) * width + x) * vector),
                                          wild ? any_float(rng) : (float)cop_rng_normal(rng)};
                }
        }
    l->begin[list] = (uint32_t)at;
    for (size_t i = 0; i < l->in_floats; i++)
        l->in[i] = wild ? any_float(rng) : (float)cop_rng_normal(rng);
    l->edges = (cop_sparse_edges){blocks, outputs, l->begin, l->edge, l->bias};
    l->grid = (cop_sparse_grid){.rows = rows,
                                .cols = cols,
                                .in_row = stride * width * vector,
                                .in_col = stride * vector,
                                .out_plane = rows * cols * vector,
                                .out_row = cols * vector,
                                .out_col = vector,
                                .relu = cop_rng_below(rng, 2)};
    if (dense) {
        l->grid.cols = groups;
        l->grid.in_col = l->grid.out_col = LANES;
    }
}

static void layer_clear(layer *l) {
    cop_free(l->begin);
    cop_free(l->edge);
    cop_free(l->bias);
    cop_free(l->in);
}

/* In double; a float result may differ by half a unit of each partial sum, whose sizes are below
 * the sum of absolute values: (terms + 1) * 2^-24 of that. */
static void check_against_double(const layer *l, const float *out) {
    for (size_t o = 0; o < l->edges.outputs; o++)
        for (size_t r = 0; r < l->grid.rows; r++)
            for (size_t c = 0; c < l->grid.cols; c++)
                for (size_t s = 0; s < LANES; s++) {
                    const float *x = l->in + r * l->grid.in_row + c * l->grid.in_col + s;
                    double sum = (double)l->bias[o], size = fabs(sum);
                    size_t terms = 0;
                    for (size_t b = 0; b < l->edges.blocks; b++) {
                        const uint32_t *begin = l->begin + b * l->edges.outputs + o;
                        for (uint32_t k = begin[0]; k < begin[1]; k++, terms++) {
                            double term = (double)l->edge[k].weight * (double)x[l->edge[k].offset];
                            sum += term;
                            size += fabs(term);
                        }
                    }
                    if (l->grid.relu && sum < 0) sum = 0;
                    assert_near(
                        out[o * l->grid.out_plane + r * l->grid.out_row + c * l->grid.out_col + s],
                        sum, (double)(terms + 1) * 0x1p-24 * size);
                }
}

static void assert_same_bits(const float *a, const float *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (isnan(a[i]) && isnan(b[i])) continue;
        assert_memory_equal(&a[i], &b[i], sizeof a[i]);
    }
}

static void sums_are_the_same_bits_in_all_variants(void **state) {
    (void)state;
    size_t count, ran = 0;
    const cop_sparse_ops *const *ops = cop_sparse_variants(&count);
    assert_string_equal(ops[count - 1]->name, "plain");
    for (uint32_t i = 0; i < 600; i++) {
        cop_rng rng = cop_rng_at(31, i, 0, COP_FOR_TEST);
        layer l;
        bool wild = i % 2;
        layer_create(&l, &rng, i % 4 < 2, wild);
        float *plain = COP_NEW_ARRAY(float, l.out_floats),
              *out = COP_NEW_ARRAY(float, l.out_floats);
        ops[count - 1]->sum(&l.edges, &l.grid, l.in, plain);
        if (!wild) check_against_double(&l, plain);
        for (size_t k = 0; k + 1 < count; k++) {
            if (!ops[k]->supported()) continue;
            for (size_t f = 0; f < l.out_floats; f++) out[f] = NAN;
            ops[k]->sum(&l.edges, &l.grid, l.in, out);
            ran++;
            for (size_t o = 0; o < l.edges.outputs; o++)
                for (size_t r = 0; r < l.grid.rows; r++)
                    for (size_t c = 0; c < l.grid.cols; c++) {
                        size_t at = o * l.grid.out_plane + r * l.grid.out_row + c * l.grid.out_col;
                        assert_same_bits(plain + at, out + at, LANES);
                        for (size_t f = LANES; l.grid.out_col > LANES && f < l.grid.out_col; f++)
                            assert_true(isnan(out[at + f])); /* not asked for: not written */
                    }
        }
        cop_free(plain);
        cop_free(out);
        layer_clear(&l);
    }
#if defined(__x86_64__)
    assert_true(ran >= 600); /* sse2 at least */
#endif
}

/* x * w + a where rounding twice, to double and then to float, would go wrong. */
static void fused_sums_are_rounded_once(void **state) {
    (void)state;
    size_t count;
    const cop_sparse_ops *const *ops = cop_sparse_variants(&count);
    const float cases[][3] = {
        /* just below halfway between floats, by a part that double loses: 2^-24 - 2^-60 */
        {0x1.00004p-24f, 0x1.ffff8p-1f, 0x1.000002p0f},
        {-0x1.00004p-24f, 0x1.ffff8p-1f, -0x1.000002p0f},
        /* just above it, toward 0: -(2^-24 - 2^-60) */
        {-0x1.00004p-24f, 0x1.ffff8p-1f, 0x1.000002p0f},
        {0x1.00004p-24f, 0x1.ffff8p-1f, -0x1.000002p0f},
        {0x1p-40f, 0x1p-40f, 0x1.000002p0f},
        {-0x1p-40f, 0x1p-40f, 0x1.000002p0f},
        {0x1.000002p-100f, 0x1.000002p-48f, 0x1p-126f},
        {-0x1.000002p-100f, 0x1.000002p-48f, 0x1p-126f},
        {0x1.8p-75f, 0x1p-75f, 0x1p-149f},
        {FLT_MAX, 2.0f, -FLT_MAX},
        {FLT_MAX, 2.0f, -INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t k = 0; k < count; k++) {
            if (!ops[k]->supported()) continue;
            uint32_t begin[] = {0, 1};
            cop_sparse_edge edge = {0, cases[i][1]};
            float *x = COP_NEW_ARRAY(float, LANES), *out = COP_NEW_ARRAY(float, LANES);
            for (size_t s = 0; s < LANES; s++) x[s] = cases[i][0];
            cop_sparse_edges edges = {1, 1, begin, &edge, &cases[i][2]};
            cop_sparse_grid grid = {.rows = 1, .cols = 1, .in_col = LANES, .out_col = LANES};
            ops[k]->sum(&edges, &grid, x, out);
            float wanted = fmaf(cases[i][0], cases[i][1], cases[i][2]);
            for (size_t s = 0; s < LANES; s++) assert_same_bits(&wanted, &out[s], 1);
            cop_free(x);
            cop_free(out);
        }
}

static void pools_are_the_same_in_all_variants(void **state) {
    (void)state;
    size_t count;
    const cop_sparse_ops *const *ops = cop_sparse_variants(&count);
    for (uint32_t i = 0; i < 100; i++) {
        cop_rng rng = cop_rng_at(32, i, 0, COP_FOR_TEST);
        cop_sparse_pool p = {.planes = test_draw(&rng, 1, 3),
                             .kernel = test_draw(&rng, 1, 3),
                             .stride = test_draw(&rng, 1, 3),
                             .vector = LANES * test_draw(&rng, 1, 3)};
        p.height = p.kernel + test_draw(&rng, 0, 5);
        p.width = p.kernel + test_draw(&rng, 0, 5);
        size_t rows = (p.height - p.kernel) / p.stride + 1,
               cols = (p.width - p.kernel) / p.stride + 1;
        size_t gap = LANES * test_draw(&rng, 0, 1);
        p.out_plane = rows * cols * p.vector + gap;
        size_t inputs = p.planes * p.height * p.width * p.vector,
               outputs = p.planes * rows * cols * p.vector;
        float *in = COP_NEW_ARRAY(float, inputs),
              *out = COP_NEW_ARRAY(float, p.planes *p.out_plane);
        for (size_t f = 0; f < inputs; f++) /* zeros of both signs among them */
            in[f] = cop_rng_below(&rng, 50) ? any_float(&rng) : NAN;
        for (size_t k = 0; k < count; k++) {
            if (!ops[k]->supported()) continue;
            ops[k]->pool(&p, in, out);
            for (size_t f = 0; f < outputs; f++) {
                size_t s = f % p.vector, at = f / p.vector, x = at % cols, y = at / cols % rows;
                const float *corner =
                    in +
                    ((at / cols / rows * p.height + y * p.stride) * p.width + x * p.stride) *
                        p.vector +
                    s;
                float best = corner[0];
                for (size_t a = 0; a < p.kernel * p.kernel; a++) {
                    float v = corner[(a / p.kernel * p.width + a % p.kernel) * p.vector];
                    if (v > best || isnan(v)) best = v;
                }
                assert_same_bits(&best, &out[f + f / (rows * cols * p.vector) * gap], 1);
            }
        }
        cop_free(in);
        cop_free(out);
    }
}

/* ---------------------------------------------------------------- the evaluator */

enum { SAMPLES = 75 };

static void evaluate_with(const char *kernel, const cop_eval_setup *setup, const test_net *net,
                          cop_evidence *evidence, uint16_t *predictions) {
    cop_shard shard = test_net_shard(net);
    setenv("COPPICE_KERNEL", kernel, 1);
    test_evaluate("sparse", setup, &net->mask, &shard, NULL, NULL, evidence, predictions);
    unsetenv("COPPICE_KERNEL");
}

/* Random networks thin enough for no layer to go to BLAS: the sums of losses are equal as bits,
 * whatever the kernel and the batch. */
static void evidence_is_the_same_for_all_kernels_and_batches(void **state) {
    (void)state;
    size_t count;
    const cop_sparse_ops *const *ops = cop_sparse_variants(&count);
    for (uint32_t i = 0; i < 60; i++) {
        cop_rng rng = cop_rng_at(33, i, 0, COP_FOR_TEST);
        test_net net;
        test_net_create(&net, &rng, SAMPLES, 64, 127);
        for (size_t e = 0; e < net.model->weights; e++) /* half of every layer at most */
            if (e % 2) cop_mask_unset(&net.mask, e);
        cop_eval_setup setup = {.model = net.model,
                                .base = &net.params,
                                .batch = 30,
                                .weighting = {COP_WEIGHTS_SIGNED, 2, {0.3, 1.7}}};
        if (i % 3 == 0) setup.weighting = (cop_weighting){COP_WEIGHTS_TRAINED, 1, {0}};
        cop_evidence first, seen;
        uint16_t p[2 * SAMPLES] = {0}, q[2 * SAMPLES] = {0};
        evaluate_with("plain", &setup, &net, &first, p);
        for (size_t k = 0; k + 1 < count; k++) {
            if (!ops[k]->supported()) continue;
            setup.batch = test_draw(&rng, 1, SAMPLES);
            evaluate_with(ops[k]->name, &setup, &net, &seen, q);
            assert_memory_equal(&first, &seen, sizeof seen);
            assert_memory_equal(p, q, sizeof p);
        }
        test_net_clear(&net);
    }
}

/* A dead edge carries nothing, not even what is not a number. */
static void dead_edges_carry_nothing(void **state) {
    (void)state;
    test_net net = {.n = 3};
    assert_ok(cop_model_create(&net.model, "2", "dense(2)"));
    cop_params_init(&net.params, net.model);
    cop_mask_init(&net.mask, 4);
    cop_mask_set(&net.mask, 2); /* the first input to the second class */
    for (size_t e = 0; e < 4; e++) net.params.w[e] = 1;
    net.x = COP_NEW_ARRAY(float, 6);
    net.label = COP_NEW_ARRAY(int32_t, 3);
    for (size_t s = 0; s < 3; s++) {
        net.x[2 * s] = 1;
        net.x[2 * s + 1] = NAN;
        net.label[s] = 1;
    }
    cop_eval_setup setup = {.model = net.model,
                            .base = &net.params,
                            .batch = 2,
                            .weighting = {COP_WEIGHTS_TRAINED, 1, {0}}};
    cop_evidence evidence;
    cop_shard shard = test_net_shard(&net);
    test_evaluate("sparse", &setup, &net.mask, &shard, NULL, NULL, &evidence, NULL);
    assert_int_equal(evidence.correct[0], 3);
    assert_near(evidence.loss[0], 3 * log(1 + exp(-1)), 1e-12);
    test_net_clear(&net);
}

/* Rows by themselves, beside others and in pieces that are joined: one definition for all. */
static void whole_rows_are_the_same_bits_in_all_variants(void **state) {
    (void)state;
    size_t count, ran = 0;
    const cop_sparse_ops *const *ops = cop_sparse_variants(&count);
    for (uint32_t i = 0; i < 300; i++) {
        cop_rng rng = cop_rng_at(33, i, 0, COP_FOR_TEST);
        size_t outputs = test_draw(&rng, 1, 23), inputs = test_draw(&rng, 1, 40);
        size_t vectors = test_draw(&rng, 1, 11), s = vectors * LANES, stride = 1 + i % 3;
        float *w = COP_NEW_ARRAY(float, outputs *inputs *stride),
              *x = COP_NEW_ARRAY(float, inputs *s);
        float *bias = COP_NEW_ARRAY(float, outputs), *out = COP_NEW_ARRAY(float, outputs *s);
        float *plain = COP_NEW_ARRAY(float, outputs *s);
        const float **row = COP_NEW_ARRAY(const float *, 2 * outputs);
        for (size_t k = 0; k < outputs * inputs * stride; k++) w[k] = any_float(&rng);
        for (size_t k = 0; k < inputs * s; k++) x[k] = any_float(&rng);
        for (size_t o = 0; o < outputs; o++) {
            bias[o] = any_float(&rng);
            row[o] = w + (outputs - 1 - o) * inputs * stride; /* in any order */
        }
        cop_full f = {outputs, inputs, vectors, row, stride, i % 3 ? bias : NULL, x, i % 2, plain};
        ops[count - 1]->full(&f);
        for (size_t o = 0; o < outputs; o++)
            for (size_t l = 0; l < s; l++) {
                float sum = f.bias ? bias[o] : 0;
                for (size_t k = 0; k < inputs; k++)
                    sum = fmaf(x[k * s + l], row[o][k * stride], sum);
                if (f.relu && sum < 0) sum = 0;
                assert_same_bits(&plain[o * s + l], &sum, 1);
            }
        for (size_t k = 0; k < count; k++) {
            if (!ops[k]->supported()) continue;
            f.y = out;
            ops[k]->full(&f);
            assert_same_bits(plain, out, outputs * s);
            /* the same sums as pieces */
            const float **piece = row + outputs;
            cop_full j = {outputs, 0, vectors, NULL, 1, bias, NULL, i % 2, out};
            for (size_t o = 0; o < outputs; o++) piece[o] = plain + o * s;
            ops[k]->join(&j, piece, 1);
            for (size_t o = 0; o < outputs; o++)
                for (size_t l = 0; l < s; l++) {
                    float sum = bias[o] + plain[o * s + l];
                    if (j.relu && sum < 0) sum = 0;
                    assert_same_bits(&out[o * s + l], &sum, 1);
                }
            ran++;
        }
        cop_free(w);
        cop_free(x);
        cop_free(bias);
        cop_free(out);
        cop_free(plain);
        cop_free(row);
    }
    assert_true(ran >= 300);
}

static void the_kernel_follows_the_environment(void **state) {
    (void)state;
    const cop_sparse_ops *ops;
    size_t count;
    const cop_sign_ops *const *sign = cop_sign_variants(&count);
    for (size_t k = 0; k < count; k++) {
        if (!sign[k]->supported()) continue;
        setenv("COPPICE_KERNEL", sign[k]->name, 1);
        assert_ok(cop_sparse_choose(&ops));
        assert_true(ops->supported());
        if (strncmp(sign[k]->name, "avx512", 6) == 0) assert_string_equal(ops->name, "avx512");
        if (strcmp(sign[k]->name, "sse2") == 0 || strcmp(sign[k]->name, "plain") == 0)
            assert_string_equal(ops->name, sign[k]->name);
    }
    setenv("COPPICE_KERNEL", "mmx", 1);
    assert_fails(cop_sparse_choose(&ops), COP_E_CONFIG, "COPPICE_KERNEL=mmx is not one of");
    unsetenv("COPPICE_KERNEL");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_the_same_bits_in_all_variants),
        cmocka_unit_test(fused_sums_are_rounded_once),
        cmocka_unit_test(pools_are_the_same_in_all_variants),
        cmocka_unit_test(evidence_is_the_same_for_all_kernels_and_batches),
        cmocka_unit_test(dead_edges_carry_nothing),
        cmocka_unit_test(whole_rows_are_the_same_bits_in_all_variants),
        cmocka_unit_test(the_kernel_follows_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
