/* Sums at the very edge of every number type that `sign` may choose, all terms of one sign so that
 * the proved bound is met exactly, in every kernel variant: nothing wraps. */
#include "../support/support.h"

#include <stdlib.h>

#include "../support/differential.h"
#include "coppice/la.h"

/* One network whose samples are constant and whose sums are as large as the bound says. */
typedef struct edge_case {
    const char *input, *layers;
    double x;      /* inputs, in grid steps */
    float bias[6]; /* of the weighted layers, in grid steps, with the outputs' signs */
} edge_case;

/* Outputs take turns in their sign, and the next layer's weights make terms of one sign of them. */
static float sign_of(bool alternate, size_t output) {
    return alternate && output % 2 ? -1 : 1;
}

static bool followed_by_relu(const cop_model *m, size_t i) {
    for (i++; i < m->count && !m->layers[i].weights; i++)
        if (m->layers[i].kind == COP_LAYER_ACTIVATION) return true;
    return false;
}

/* Output channel of the layer before that edge @p e of a layer comes from. */
static size_t channel(const cop_layer *l, const cop_layer *before, size_t e) {
    size_t input = e % l->fan_in;
    if (l->kind == COP_LAYER_CONV2D) return input / (l->kernel * l->kernel);
    return before ? input * before->out.channels / l->fan_in : 0;
}

/* The case with an individual of all edges, one that lacks a few, one of half of them, and the
 * first again; samples at both ends; under the shared value 1, and @p half under 1/2. */
static void edge_create(test_case *t, const edge_case *edge, bool mirrored, bool half) {
    *t = (test_case){.count = 4};
    assert_ok(cop_model_create(&t->net.model, edge->input, edge->layers));
    const cop_model *m = t->net.model;
    size_t inputs = cop_shape_size(m->input), layer = 0;
    t->net.n = 17;
    t->net.x = cop_alloc(t->net.n * inputs, sizeof(float));
    t->net.label = COP_NEW_ARRAY(int32_t, t->net.n);
    /* the loss of who is in the wrong class tells its logits apart, that of the right one is 0 */
    for (size_t i = 0; i < t->net.n; i++) t->net.label[i] = (int32_t)(i % m->classes);
    cop_params_init(&t->net.params, m);
    const cop_layer *before = NULL;
    for (size_t i = 0; i < m->count; i++) {
        const cop_layer *l = &m->layers[i];
        if (!l->weights) continue;
        bool alternate = !followed_by_relu(m, i);
        for (size_t e = 0; e < l->weights; e++)
            t->net.params.w[l->weight_begin + e] =
                sign_of(alternate, e / l->fan_in) * sign_of(before != NULL, channel(l, before, e));
        for (size_t o = 0; o < l->biases; o++)
            t->net.params.b[l->bias_begin + o] =
                (float)((double)(edge->bias[layer] * sign_of(alternate, o)) / fabs(edge->x));
        layer++;
        before = alternate ? l : NULL;
    }
    /* the scale is |x|, so that inputs of one make integers that no float holds */
    for (size_t i = 0; i < t->net.n * inputs; i++) /* one sample of the other sign */
        t->net.x[i] = (edge->x < 0) == (i / inputs == 5 && mirrored) ? 1 : -1;
    t->setup = (cop_eval_setup){.model = m,
                                .base = &t->net.params,
                                .scale = fabs(edge->x),
                                .batch = 5,
                                .weighting = {COP_WEIGHTS_SIGNED, 1, {1}},
                                .hidden_value = 1};
    if (half) t->setup.weighting = (cop_weighting){COP_WEIGHTS_SIGNED, 2, {0.5, 1}};
    for (size_t i = 0; i < m->count && t->setup.hidden < 8; i++)
        if (m->layers[i].weights) t->setup.hidden_layer[t->setup.hidden++] = i;
    for (size_t i = 0; i < t->count; i++) {
        cop_mask_init(&t->mask[i], m->weights);
        cop_mask_fill(&t->mask[i]);
        for (size_t e = 0; e < m->weights; e++)
            if ((i == 1 && e % 97 == 3) || (i == 2 && e % 2)) cop_mask_unset(&t->mask[i], e);
    }
}

/* In every kernel variant as a block with the hidden rows, one individual and the block without. */
static void meet(const edge_case *edge, uint32_t number, bool mirrored, bool half) {
    size_t variants;
    const cop_sign_ops *const *ops = cop_sign_variants(&variants);
    const cop_evaluator *sign = cop_evaluator_find("sign");
    test_case t;
    test_wanted wanted[4] = {{0}};
    edge_create(&t, edge, mirrored, half);
    t.number = number;
    test_now = &t;
    if (cop_shape_size(t.net.model->input) > 1000 && (mirrored || edge->x < 0)) {
        /* outputs of both signs are in the first already, and this takes long */
        test_case_clear(&t);
        return;
    }
    for (size_t i = 0; i < t.count; i++) {
        test_want(&t, i, &wanted[i]);
        CHECK(wanted[i].fits, "beyond 64 bits");
    }
    for (size_t k = 0; k < variants; k++) {
        void *self;
        if (!ops[k]->supported()) continue;
        setenv("COPPICE_KERNEL", ops[k]->name, 1);
        test_who = ops[k]->name;
        assert_ok(sign->create(&self, &t.setup));
        for (size_t i = 0; i < 3; i++) {
            test_call call = test_call_all(&t);
            test_answer a;
            call.listen = i == 0;
            if (i == 1) {
                call.count = 1;
                call.who[0] = number % t.count;
            }
            assert_ok(test_ask(sign, self, &t, &call, &a));
            test_check_exact(&a, wanted);
            test_answer_clear(&a);
        }
        sign->destroy(self);
    }
    unsetenv("COPPICE_KERNEL");
    for (size_t i = 0; i < t.count; i++) test_wanted_clear(&wanted[i], t.setup.hidden);
    test_case_clear(&t);
}

/* 2^31 - 1 = 65538 * 32767 + 1 = 65535 * 32768 + 32767 = 3 * 715827882 + 1 = 18 * 119304647 + 1
 *          = 46340 * 46341 + 41707 = 289 * 7430739 + 76 = 27 * 79536431 + 10 */
static void sums_meet_the_edges(void **state) {
    (void)state;
    static const edge_case edges[] = {
        /* 16-bit inputs at their ends, 32-bit sums at theirs and one beyond; odd and even counts */
        {"65538", "dense(2)", 32767, {1}},
        {"65538", "dense(2)", 32767, {2}},
        {"65535", "dense(2)", 32768, {32767}},
        {"65535", "dense(2)", 32768, {32768}},
        {"65536", "dense(2)", 32768, {0}},
        {"46340", "dense(2)", 46341, {41707}},
        {"46340", "dense(2)", 46341, {41708}},
        /* inputs of 2^30: sums of two and three cross 32 bits */
        {"1", "dense(2)", 0x1p30, {0}},
        {"2", "dense(2)", 0x1p30, {-1}},
        {"2", "dense(2)", 0x1p30, {0}},
        {"3", "dense(2)", 0x1p30, {-1}},
        {"7001", "dense(2)", 0x1p30, {0x1p31f}},
        /* the second layer's inputs are 32766 .. 32769, 2^31 - 1 .. 2^31 + 1, and the negatives */
        {"3", "dense(5) dense(4)", 10922, {0, 0}},
        {"3", "dense(5) dense(4)", 10922, {1, 5}},
        {"3", "dense(5) dense(4)", 10922, {2, 5}},
        {"3", "dense(5) relu dense(4)", 10922, {3, -5}},
        /* biases below 32 bits, which the ReLU hides: the range behind it is 0 */
        {"3", "dense(5) relu dense(4)", 10922, {-0x1.2p31f, -5}},
        {"1x6x6", "conv2d(3,3) relu maxpool(2) dense(4)", 100, {-0x1.2p31f, 7}},
        {"1x8x8", "conv2d(3,3) relu conv2d(9,3) relu maxpool(2) dense(4)", 50, {3, -0x1.2p31f, 7}},
        {"3", "dense(5) dense(4)", 715827882, {0, 0}},
        {"3", "dense(5) relu dense(4)", 715827882, {1, 3}},
        {"3", "dense(5) dense(4)", 715827882, {2, -1}},
        {"3", "dense(5) dense(4)", 715827882, {3, 0}},
        /* blocks of one edge, of two, of four that may add up in 32 bits */
        {"8", "dense(301) dense(3)", 0x1p28 - 1, {7, 0}},
        {"8", "dense(301) dense(3)", 0x1p27 - 1, {7, 1}},
        {"8", "dense(301) dense(3)", 0x1p26 - 1, {7, 1}},
        {"8", "dense(301) relu dense(67) relu dense(3)", 0x1p26, {-1, 1, 7}},
        /* 64-bit inputs whose sums come near 2^60 */
        {"64", "dense(64) dense(64) dense(64) dense(63) dense(3)", 0x1p30 - 1, {0}},
        {"63", "dense(64) dense(64) relu dense(64) dense(63) relu dense(2)", 0x1p30, {9, 0x1p36f}},
        {"5", "dense(7) dense(3)", 1, {0x1p57f, 0x1p58f}},
        /* convolutions: borders have fewer terms; 2^31 - 1 in the middle, then beyond */
        {"2x5x9", "conv2d(3,3,1,1) relu maxpool(2) dense(3)", 119304647, {0, 0}},
        {"2x5x9", "conv2d(3,3,1,1) relu maxpool(2) dense(3)", 119304647, {1, 0}},
        {"2x5x9", "conv2d(3,3,1,1) relu maxpool(2) dense(3)", 119304647, {2, 0}},
        {"2x5x9", "conv2d(3,3,1,1) conv2d(5,3) dense(3)", 1820, {7, 0, 0}},
        {"2x5x9", "conv2d(3,3,1,1) conv2d(5,3) dense(3)", 1820, {8, 0, 0}},
        {"3x7x20", "conv2d(4,3) maxpool(2,1) conv2d(3,2,1,1) dense(3)", 79536431, {10, 1, 1}},
        {"3x7x20", "conv2d(4,3) maxpool(2,1) conv2d(3,2,1,1) dense(3)", 79536431, {11, 1, 1}},
        {"1x17x17", "conv2d(1,17) dense(2)", 7430739, {76, 0}},
        {"1x17x17", "conv2d(1,17) dense(2)", 7430739, {77, 0}},
        /* a convolution of one weight to 65,538 values of 32767, and to 65,535 of 32768 */
        {"1x2x32769", "conv2d(1,1) dense(2)", 32766, {1, 2}},
        {"1x255x257", "conv2d(1,1) dense(2)", 32767, {1, 32768}},
        /* behind pooled cells, whose results stay below 2^23: sums of 2 * 231 of 331 * 14043 and
         * the bias are 2^31 - 1, then 2^31; those of 3 * 255 of 250 * 32767 would wrap twice */
        {"331x2x4", "conv2d(231,1) relu maxpool(2) dense(2)", 14043, {0, 1}},
        {"331x2x4", "conv2d(231,1) relu maxpool(2) dense(2)", 14043, {0, 2}},
        {"10x6x10", "conv2d(255,5) relu maxpool(2) dense(4)", 32767, {0, 0}},
        /* results that are just below 2^23, and 2^23 */
        {"255x2x2", "conv2d(9,1) relu maxpool(2) dense(2)", 32767, {33022, 0}},
        {"255x2x2", "conv2d(9,1) relu maxpool(2) dense(2)", 32767, {33023, 0}},
        /* activations of the first of two layers that Winograd's products can just take, then not,
         * and the last that 16 bits can */
        {"1x8x8", "conv2d(4,3) relu conv2d(16,3) relu maxpool(2) dense(2)", 1820, {3, 1, 1}},
        {"1x8x8", "conv2d(4,3) relu conv2d(16,3) relu maxpool(2) dense(2)", 1820, {4, 1, 1}},
        {"1x8x8", "conv2d(4,3) relu conv2d(16,3) relu maxpool(2) dense(2)", 3640, {7, 1, 1}},
        {"1x8x8", "conv2d(4,3) relu conv2d(16,3) relu maxpool(2) dense(2)", 3640, {8, 1, 1}},
    };
    for (uint32_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (int k = 0; k < 4; k++) {
            edge_case edge = edges[i];
            if (k & 1) edge.x = -edge.x;
            meet(&edge, i, k & 2, false);
        }
}

/* Biases are larger under the shared value 1/2, too. */
static void two_values_meet_the_edges(void **state) {
    (void)state;
    static const edge_case edges[] = {
        /* behind pooled cells the sums leave 32 bits only under the second value */
        {"331x2x4", "conv2d(231,1) relu maxpool(2) dense(2)", 14047, {-1000, 0}},
        /* Winograd's products can take the activations of one value, not those of the other */
        {"1x8x8", "conv2d(4,3) relu conv2d(16,3) relu maxpool(2) dense(2)", 1700, {700, 1, 1}},
        {"1x8x8", "conv2d(4,3) relu conv2d(16,3) relu maxpool(2) dense(2)", 1900, {-500, 1, 1}},
        /* the values' sums differ by the most that 16 bits hold, then by more */
        {"1x8x8", "conv2d(7,3) relu conv2d(8,3) relu maxpool(2) dense(2)", 300, {520, 1, 1}},
        {"1x8x8", "conv2d(7,3) relu conv2d(8,3) relu maxpool(2) dense(2)", 300, {521, 1, 1}},
    };
    for (uint32_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (int mirrored = 0; mirrored < 2; mirrored++) meet(&edges[i], i, mirrored, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_meet_the_edges),
        cmocka_unit_test(two_values_meet_the_edges),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
