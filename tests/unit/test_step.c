/* Steps that are taken slice by slice, as ranks that train together take them, are the step of one.
 */
#include "../support/live_samples.h"

#include <string.h>

#define RANKS 3
#define N 19

static void assert_floats(const float *a, const float *b, size_t count) {
    assert_true(!a == !b);
    if (a) assert_memory_equal(a, b, count * sizeof *a);
}

static void assert_same(const cop_live_net *a, const cop_live_net *b) {
    for (size_t i = 0; i < a->settings.layers; i++) {
        const cop_live_layer *l = &a->layer[i], *k = &b->layer[i];
        const size_t units = l->numbers * l->outputs;
        assert_int_equal(l->edges, k->edges);
        assert_memory_equal(l->edge, k->edge, l->edges * sizeof *l->edge);
        assert_floats(l->m, k->m, l->edges);
        assert_floats(l->v, k->v, l->edges);
        assert_floats(l->unit, k->unit, units);
        assert_floats(l->unit_m, k->unit_m, units);
        assert_floats(l->unit_v, k->unit_v, units);
    }
    if (!a->front) return;
    const cop_params *of[][2] = {{&a->front->params, &b->front->params},
                                 {&a->front->m, &b->front->m},
                                 {&a->front->v, &b->front->v}};
    for (size_t i = 0; i < 3; i++) {
        assert_floats(of[i][0]->w, of[i][1]->w, of[i][0]->weights);
        assert_floats(of[i][0]->b, of[i][1]->b, of[i][0]->biases);
    }
}

static void exchange(cop_live_net *rank[RANKS], const size_t bound[RANKS + 1], cop_live_list what,
                     float *whole) {
    for (size_t r = 0; r < RANKS; r++) cop_live_copy(rank[r], what, bound[r], bound[r + 1], whole);
    for (size_t r = 0; r < RANKS; r++) {
        cop_live_put(rank[r], what, 0, bound[r], whole);
        cop_live_put(rank[r], what, bound[r + 1], rank[r]->slope_count, whole);
    }
}

static void slices(const cop_live_settings *s) {
    cop_live_net *alone, *rank[RANKS];
    assert_ok(cop_live_create(&alone, s));
    for (size_t r = 0; r < RANKS; r++) assert_ok(cop_live_create(&rank[r], s));
    size_t bound[RANKS + 1];
    for (size_t r = 0; r <= RANKS; r++) bound[r] = alone->slope_count / 16 * r / RANKS * 16;
    float *whole = COP_NEW_ARRAY(float, alone->slope_count);
    for (uint32_t batch = 0; batch < 12; batch++) {
        const cop_step step = step_with_decay(s->adam);
        find_slopes(alone, batch, N, batch);
        cop_live_step(alone, &step, 0, alone->slope_count);
        for (size_t r = 0; r < RANKS; r++) {
            find_slopes(rank[r], batch, N, batch);
            /* in two goes, as windows are */
            const size_t middle = (bound[r] + bound[r + 1]) / 32 * 16;
            cop_live_step(rank[r], &step, bound[r], middle);
            cop_live_step(rank[r], &step, middle, bound[r + 1]);
        }
        exchange(rank, bound, COP_LIVE_PARAMETERS, whole);
    }
    exchange(rank, bound, COP_LIVE_M, whole);
    if (s->adam) exchange(rank, bound, COP_LIVE_V, whole);
    for (size_t r = 0; r < RANKS; r++) {
        assert_same(rank[r], alone);
        cop_live_destroy(rank[r]);
    }
    cop_live_destroy(alone);
    cop_free(whole);
}

static void slices_make_the_whole_step(void **state) {
    (void)state;
    draw_samples(13, 4);
    for (int activation = 0; activation < 3; activation++)
        for (int adam = 0; adam < 2; adam++)
            slices(&(cop_live_settings){.layers = 3,
                                        .width = {13, 17, 11, 4},
                                        .batch = N,
                                        .epsilon = 2.5,
                                        .activation = (cop_live_activation)activation,
                                        .alpha = 0.6,
                                        .dropout = 0.2,
                                        .adam = adam,
                                        .seed = 5});
}

static void slices_of_a_front_too(void **state) {
    (void)state;
    cop_model *front;
    const cop_shape image = {3, 8, 8};
    assert_ok(cop_model_create_front(&front, image, "conv2d(5,3) relu maxpool(2)"));
    draw_samples(3 * 8 * 8, 4);
    for (int adam = 0; adam < 2; adam++)
        slices(&(cop_live_settings){.layers = 2,
                                    .width = {front->classes, 17, 4},
                                    .front = front,
                                    .batch = N,
                                    .epsilon = 2.5,
                                    .activation = COP_LIVE_SRELU,
                                    .adam = adam,
                                    .seed = 5});
    cop_model_destroy(front);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_make_the_whole_step),
        cmocka_unit_test(slices_of_a_front_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
