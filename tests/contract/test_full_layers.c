/* Layers with all their edges go another way than lists of edges, in every variant of the kernels,
 * to the same bits. */
#include "../support/support.h"

#include "train/live.h"

#include <string.h>

static void draw(float *x, size_t count, uint32_t number) {
    cop_rng rng = cop_rng_at(6, number, 0, COP_FOR_TEST);
    for (size_t i = 0; i < count; i++) x[i] = (float)cop_rng_normal(&rng);
}

/* The index by input that layers with all their edges do without. */
static cop_sparse_way *make_way(const cop_live_net *net, uint32_t *from) {
    const cop_live_layer *l = &net->layer[0];
    cop_sparse_way *way = COP_NEW_ARRAY(cop_sparse_way, l->edges);
    for (size_t i = 0; i < l->inputs; i++) {
        from[i] = (uint32_t)(i * l->outputs);
        for (size_t o = 0; o < l->outputs; o++)
            way[i * l->outputs + o] =
                (cop_sparse_way){(int32_t)(o * net->stride), (uint32_t)(o * l->inputs + i)};
    }
    from[l->inputs] = (uint32_t)l->edges;
    return way;
}

static void same_bits(const cop_train_ops *ops, size_t inputs, size_t outputs, size_t batch) {
    const cop_live_settings s = {.layers = 1,
                                 .width = {inputs, outputs},
                                 .batch = batch,
                                 .epsilon = 1,
                                 .both_ways = true,
                                 .topology = COP_LIVE_DENSE,
                                 .activation = COP_LIVE_RELU,
                                 .seed = 5};
    cop_live_net *net;
    assert_ok(cop_live_create(&net, &s));
    net->ops = ops;
    cop_live_layer *l = &net->layer[0];
    assert_int_equal(l->edges, inputs * outputs);
    assert_null(l->way);
    const size_t in = inputs * net->stride, out = outputs * net->stride;
    float *x = COP_NEW_ARRAY(float, in), *gradient = COP_NEW_ARRAY(float, out);
    float *back = COP_NEW_ARRAY(float, in), *back_list = COP_NEW_ARRAY(float, in);
    float *slope = COP_NEW_ARRAY(float, l->edges), *slope_list = COP_NEW_ARRAY(float, l->edges);
    float *z = COP_NEW_ARRAY(float, out);
    uint32_t *from = COP_NEW_ARRAY(uint32_t, inputs + 1);
    cop_sparse_way *way = make_way(net, from);
    draw(x, in, 1);
    draw(gradient, out, 2);
    draw(l->unit, outputs, 3);

    cop_live_sum(net, 0, x);
    const cop_sparse_edges edges = {
        .blocks = 1, .outputs = outputs, .begin = l->begin, .edge = l->edge, .bias = l->unit};
    const cop_sparse_grid grid = {.rows = 1,
                                  .cols = net->vectors,
                                  .in_col = COP_SPARSE_LANES,
                                  .out_plane = net->stride,
                                  .out_col = COP_SPARSE_LANES};
    ops->sparse->sum(&edges, &grid, x, z);
    assert_memory_equal(l->z, z, out * sizeof *z);

    cop_live_back(net, 0, gradient, back);
    ops->back(inputs, from, way, l->edge, net->vectors, gradient, back_list);
    assert_memory_equal(back, back_list, in * sizeof *back);

    cop_live_slope(net, 0, x, gradient, slope);
    ops->slope(outputs, l->begin, l->edge, net->vectors, x, gradient, slope_list);
    assert_memory_equal(slope, slope_list, l->edges * sizeof *slope);

    void *own[] = {x, gradient, back, back_list, slope, slope_list, z, from, way};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) cop_free(own[i]);
    cop_live_destroy(net);
}

static void full_layers_give_the_bits_of_lists(void **state) {
    (void)state;
    size_t count;
    const cop_train_ops *const *all = cop_train_variants(&count);
    for (size_t v = 0; v < count; v++) {
        if (!all[v]->supported()) continue;
        for (size_t batch = 16; batch <= 16 * 11; batch += 16)
            for (size_t inputs = 1; inputs < 70; inputs += 11)
                for (size_t outputs = 1; outputs < 30; outputs += 7)
                    same_bits(all[v], inputs, outputs, batch);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(full_layers_give_the_bits_of_lists)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
