/* Layers in front of live edges: gradients of all parameters against a plain reference in double,
 * dropout of their own, counts of the paper's network, memory of the optimiser. */
#include "../support/live_samples.h"

#include "train/rewire.h"
#include "train/training.h"

#include <math.h>
#include <string.h>

#define N 9
#define BATCH 12
#define LAYERS "conv2d(3,3,1,1) relu maxpool(2) conv2d(4,3,1,1) relu conv2d(5,2,2) relu"
#define PAPER                                                                                      \
    "conv2d(32,3,1,1) relu dropout(0.3) conv2d(32,3,1,1) relu maxpool(2) conv2d(64,3,1,1) relu "   \
    "dropout(0.3) conv2d(64,3,1,1) relu maxpool(2) conv2d(128,3,1,1) relu dropout(0.3) "           \
    "conv2d(128,3,1,1) relu maxpool(2)"

static cop_model *front_of(cop_shape shape, const char *layers) {
    cop_model *model = NULL;
    assert_ok(cop_model_create_front(&model, shape, layers));
    return model;
}

/* 2x8x6 -> 5x2x1 = 10 -> 7 -> 3 */
static cop_live_net *make(cop_model *front, double dropout, bool adam) {
    const cop_live_settings s = {.layers = 2,
                                 .width = {front->classes, 7, 3},
                                 .front = front,
                                 .batch = BATCH,
                                 .epsilon = 2,
                                 .activation = COP_LIVE_RELU,
                                 .dropout = dropout,
                                 .adam = adam,
                                 .seed = 5};
    cop_live_net *net;
    assert_ok(cop_live_create(&net, &s));
    cop_rng rng = cop_rng_at(4, 0, 0, COP_FOR_TEST); /* biases that are not 0 */
    for (size_t i = 0; i < front->biases; i++)
        net->front->params.b[i] = (float)(0.2 * cop_rng_normal(&rng));
    return net;
}

/* ------------------------------------------------------------------ the reference */

static double pixel(const double *x, cop_shape s, size_t c, long y, long at) {
    const bool inside = y >= 0 && at >= 0 && y < (long)s.height && at < (long)s.width;
    return inside ? x[(c * s.height + (size_t)y) * s.width + (size_t)at] : 0;
}

static void layer(const cop_layer *l, const cop_params *p, const double *x, double *y) {
    const long stride = (long)l->stride, pad = (long)l->padding;
    for (size_t o = 0, to = 0; o < l->out.channels; o++)
        for (long r = 0; r < (long)l->out.height; r++)
            for (long c = 0; c < (long)l->out.width; c++, to++) {
                if (l->kind == COP_LAYER_ACTIVATION || l->kind == COP_LAYER_DROPOUT) {
                    y[to] = l->kind == COP_LAYER_DROPOUT ? x[to] : fmax(x[to], 0);
                    continue;
                }
                double sum = l->weights ? (double)p->b[l->bias_begin + o] : 0, most = -INFINITY;
                size_t w = l->weight_begin + o * l->fan_in;
                for (size_t i = 0; i < l->in.channels; i++)
                    for (long u = 0; u < (long)l->kernel; u++)
                        for (long v = 0; v < (long)l->kernel; v++) {
                            const double in =
                                pixel(x, l->in, i, r * stride + u - pad, c * stride + v - pad);
                            if (l->weights)
                                sum += in * (double)p->w[w++];
                            else if (i == o)
                                most = fmax(most, in);
                        }
                y[to] = l->weights ? sum : most;
            }
}

static double reference(const cop_live_net *net) {
    const cop_model *front = net->settings.front;
    double total = 0;
    for (size_t s = 0; s < N; s++) {
        double in[512], out[512];
        for (size_t f = 0; f < cop_shape_size(front->input); f++) in[f] = (double)samples[s][f];
        for (size_t i = 0; i < front->count; i++) {
            layer(&front->layers[i], &net->front->params, in, out);
            memcpy(in, out, sizeof in);
        }
        for (size_t i = 0; i < net->settings.layers; i++) {
            const cop_live_layer *l = &net->layer[i];
            for (size_t o = 0; o < l->outputs; o++) {
                out[o] = (double)l->unit[o];
                for (uint32_t k = l->begin[o]; k < l->begin[o + 1]; k++)
                    out[o] += (double)l->edge[k].weight * in[cop_live_input(net, l, k)];
                if (i + 1 < net->settings.layers) out[o] = fmax(out[o], 0);
            }
            memcpy(in, out, sizeof in);
        }
        double sum = 0;
        for (size_t c = 0; c < 3; c++) sum += exp(in[c]);
        total += log(sum) - in[labels[s]];
    }
    return total / N;
}

static double by_difference(const cop_live_net *net, float *number) {
    const float old = *number, step = 1e-5f; /* what it really moves is taken */
    *number = old + step;
    const double up = reference(net), high = (double)*number;
    *number = old - step;
    const double down = reference(net), low = (double)*number;
    *number = old;
    return (up - down) / (high - low);
}

static void compare(const cop_live_net *net, float *number, const float *slope, size_t count,
                    size_t *off, double *largest) {
    for (size_t k = 0; k < count; k++) {
        *off += fabs(by_difference(net, &number[k]) - (double)slope[k]) > 1e-3;
        *largest = fmax(*largest, fabs((double)slope[k]));
    }
}

static void gradients_are_those_of_the_loss(void **state) {
    (void)state;
    cop_model *front = front_of((cop_shape){2, 8, 6}, LAYERS);
    assert_int_equal(front->classes, 10);
    draw_samples(96, 3);
    cop_live_net *net = make(front, 0, false);
    cop_live_forward(net, rows, N, NULL);
    assert_near(cop_live_loss(net, labels, 1.0 / N, NULL, NULL) / N, reference(net), 1e-5);
    cop_live_backward(net, NULL, NULL);
    size_t off = 0;
    double largest = 0;
    cop_front *f = net->front;
    compare(net, f->params.w, f->slope.w, front->weights, &off, &largest);
    compare(net, f->params.b, f->slope.b, front->biases, &off, &largest);
    assert_true(largest > 0.05);
    for (size_t i = 0; i < 2; i++) {
        const cop_live_layer *l = &net->layer[i];
        for (size_t k = 0; k < l->edges; k++)
            compare(net, &l->edge[k].weight, &l->slope[k], 1, &off, &largest);
    }
    /* a knee between the two points of a difference is no mistake, and rare */
    assert_true(off * 50 < front->weights + front->biases);
    cop_live_destroy(net);
    cop_model_destroy(front);
}

/* A batch in two parts has the gradient of the whole, and gradients go where they are told to. */
static void parts_add_up(void **state) {
    (void)state;
    cop_model *front = front_of((cop_shape){2, 8, 6}, LAYERS);
    draw_samples(96, 3);
    cop_live_net *net = make(front, 0, false);
    const size_t count = net->slope_count;
    float *own = net->slopes, *part = COP_NEW_ARRAY(float, 3 * count);
    const size_t from[] = {0, 0, 5}, end[] = {N, 5, N};
    for (size_t i = 0; i < 3; i++) {
        cop_live_slopes(net, part + i * count);
        cop_live_forward(net, rows + from[i], end[i] - from[i], NULL);
        cop_live_loss(net, labels + from[i], 1.0 / N, NULL, NULL);
        cop_live_backward(net, NULL, NULL);
    }
    cop_live_slopes(net, own);
    double most = 0;
    for (size_t k = 0; k < count; k++) {
        assert_near((double)part[k], (double)(part[count + k] + part[2 * count + k]), 1e-5);
        if (k >= count - cop_front_slopes(front)) most = fmax(most, fabs((double)part[k]));
    }
    assert_true(most > 0.05);
    cop_free(part);
    cop_live_destroy(net);
    cop_model_destroy(front);
}

/* ------------------------------------------------------------------ dropout */

static void masks_are_its_own(void **state) {
    (void)state;
    /* layer 0 of the front and hidden layer 0 have as many numbers */
    cop_model *front = front_of((cop_shape){7, 1, 1}, "dropout(0.5)");
    const cop_live_settings s = {.layers = 2,
                                 .width = {7, 7, 3},
                                 .front = front,
                                 .batch = 256,
                                 .topology = COP_LIVE_DENSE,
                                 .activation = COP_LIVE_RELU,
                                 .dropout = 0.5,
                                 .seed = 5};
    const float ones[7] = {1, 1, 1, 1, 1, 1, 1};
    const float *same[256];
    const uint32_t batch = 3, other = 4;
    cop_live_net *net;
    float before[7 * 256];
    size_t dropped = 0, changed = 0;
    for (size_t i = 0; i < 256; i++) same[i] = ones;
    assert_ok(cop_live_create(&net, &s));
    assert_null(net->layer[0].from); /* nothing before it learns */
    cop_live_forward(net, same, 256, &batch);
    for (size_t k = 0; k < 7 * 256; k++) {
        before[k] = net->x[k];
        assert_true(before[k] == 0 || before[k] == 2);
        dropped += before[k] == 0;
    }
    assert_in_range(dropped, 7 * 256 * 45 / 100, 7 * 256 * 55 / 100);
    cop_live_forward(net, same, 256, &batch);
    assert_memory_equal(net->x, before, sizeof before);
    cop_live_forward(net, same, 256, &other);
    for (size_t k = 0; k < 7 * 256; k++) changed += net->x[k] != before[k];
    assert_true(changed > 7 * 256 / 3);
    /* drawn behind the numbers of all layers that may stand behind it */
    for (uint32_t first = 0; first <= COP_LIVE_LAYERS_MAX; first += COP_LIVE_LAYERS_MAX) {
        const cop_dropout_key key = {.seed = 5, .batch = batch, .first = first};
        const float *const *of = cop_front_forward(net->front, same, 256, &key);
        for (size_t k = changed = 0; k < 7 * 256; k++) changed += of[k % 256][k / 256] != before[k];
        assert_true(first ? changed == 0 : changed > 7 * 256 / 3);
    }
    cop_live_loss(net, labels, 0, NULL, NULL); /* a front without weights learns nothing */
    cop_live_forward(net, same, 2, NULL);
    assert_true(net->x[0] == 1);
    cop_live_destroy(net);
    cop_model_destroy(front);
}

/* ------------------------------------------------------------------ steps */

static void learn(cop_live_net *net, uint32_t batch) {
    const cop_step step = {.adam = net->settings.adam,
                           .rate = 0.01f,
                           .momentum = 0.9f,
                           .beta1 = 0.9f,
                           .beta2 = 0.999f,
                           .epsilon = 1e-8f,
                           .correct1 = 1.5f,
                           .correct2 = 2};
    find_slopes(net, 0, N, batch);
    cop_live_step(net, &step, 0, net->slope_count);
}

static bool any(const cop_params *p) {
    bool found = false;
    for (size_t i = 0; i < p->weights; i++) found |= p->w[i] != 0;
    return found;
}

static void steps_lower_the_loss_and_can_be_forgotten(void **state) {
    (void)state;
    draw_samples(96, 3);
    for (int adam = 0; adam < 2; adam++) {
        cop_model *front = front_of((cop_shape){2, 8, 6}, LAYERS " dropout(0.1)");
        cop_live_net *net = make(front, 0.1, adam);
        const double before = reference(net);
        for (uint32_t i = 0; i < 60; i++) learn(net, i);
        assert_true(reference(net) < before - 0.1);
        assert_true(any(&net->front->m));
        assert_int_equal(any(&net->front->v), adam);
        cop_rewire_plan plan = {.remove = cop_remove_rule_find("magnitude"),
                                .add = cop_add_rule_find("random"),
                                .zeta = 0.3};
        cop_rewire(net, &plan, NULL, NULL);
        assert_true(any(&net->front->m));
        plan.forget = true;
        cop_rewire(net, &plan, NULL, NULL);
        assert_false(any(&net->front->m) || any(&net->front->v));
        cop_live_destroy(net);
        cop_model_destroy(front);
    }
}

/* ------------------------------------------------------------------ the paper's network */

static void counts_are_those_of_the_paper(void **state) {
    (void)state;
    cop_model *front = front_of((cop_shape){3, 32, 32}, PAPER);
    assert_int_equal(front->weights + front->biases, 287008);
    assert_int_equal(front->classes, 2048);
    cop_live_settings s = {.layers = 3,
                           .width = {2048, 2048, 2048, 10},
                           .front = front,
                           .batch = 2,
                           .epsilon = 20,
                           .activation = COP_LIVE_RELU,
                           .seed = 1};
    cop_live_net *net;
    assert_ok(cop_live_create(&net, &s));
    /* 2 * 20 * 4096 + 20480 edges and 4106 biases; standard deviation of the drawn ones 400 */
    const double sparse = (double)cop_live_parameters(net) - 287008;
    assert_near(sparse, 188426, 1600);
    assert_int_equal(cop_live_features(net), 3072);
    double most = 0;
    for (size_t k = 0; k < front->layers[3].weights; k++) /* 6 / (9 * 32 + 9 * 32) */
        most = fmax(most, fabs((double)net->front->params.w[front->layers[3].weight_begin + k]));
    assert_near(most, sqrt(6.0 / 576), 1e-3);
    for (size_t k = 0; k < front->biases; k++) assert_true(net->front->params.b[k] == 0);
    cop_live_destroy(net);
    s.topology = COP_LIVE_DENSE;
    assert_ok(cop_live_create(&net, &s));
    assert_int_equal(cop_live_parameters(net), 287008 + 8413194);
    assert_true(cop_live_bytes(net) > cop_front_bytes(front, 2, false));
    cop_live_destroy(net);
    cop_model_destroy(front);
}

static void what_cannot_be_a_front_is_refused(void **state) {
    (void)state;
    cop_model *model = NULL;
    const cop_shape image = {1, 8, 8};
    assert_fails(cop_model_create_front(&model, image, " "), COP_E_CONFIG, "no layer");
    assert_fails(cop_model_create_front(&model, image, "relu maxpool(9)"), COP_E_CONFIG, "layer 2");
    assert_fails(cop_model_create_front(&model, image, "conv(3)"), COP_E_CONFIG,
                 "there is no layer");
    assert_fails(cop_model_create_front(&model, (cop_shape){1, 0, 8}, "relu"), COP_E_CONFIG,
                 "1x0x8");
    assert_fails(cop_model_create_front(&model, (cop_shape){1 << 20, 1 << 20, 1 << 30}, "relu"),
                 COP_E_CONFIG, "wanted 1 to");
    assert_null(model);
    assert_ok(cop_model_check_words("relu maxpool(9999) dense(1)"));
    assert_ok(cop_model_check_words(""));
    assert_fails(cop_model_check_words("relu conv2d(6)"), COP_E_CONFIG, "1 argument");
    assert_fails(cop_model_check_words("relu rellu"), COP_E_CONFIG, "layer 2 \"rellu\"");
    assert_fails(cop_model_check_words("relu x(1"), COP_E_CONFIG, "')' is missing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_the_loss),
        cmocka_unit_test(parts_add_up),
        cmocka_unit_test(masks_are_its_own),
        cmocka_unit_test(steps_lower_the_loss_and_can_be_forgotten),
        cmocka_unit_test(counts_are_those_of_the_paper),
        cmocka_unit_test(what_cannot_be_a_front_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
