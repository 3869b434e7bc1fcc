/* Making a network of live edges: which there are, and what they weigh. */
#include "live.h"

#include <math.h>
#include <string.h>

#include "net/exact_math.h"
#include "positions.h"

/* generation of the keyed numbers of a layer's start */
enum { START_WEIGHTS, START_EDGES, START_UNITS, START_FRONT };

/* ------------------------------------------------------------------ which edges */

static double share(const cop_live_settings *s, size_t layer) {
    const double a = (double)s->width[layer], b = (double)s->width[layer + 1];
    if (s->topology == COP_LIVE_DENSE || (layer + 1 == s->layers && !s->sparse_output)) return 1;
    const double p = s->epsilon * (a + b) / (a * b);
    return p < 1 ? p : 1;
}

/* The next possible edge at or behind @p at that lives when each does with probability p, by the
 * length of the gap: geometric. log_q is log(1 - p). */
static uint64_t next_edge(cop_rng *rng, uint64_t at, double log_q) {
    const double gap = floor(cop_exact_log(1.0 - cop_rng_uniform(rng)) / log_q);
    return gap >= 0x1p62 ? UINT64_MAX : at + (uint64_t)gap;
}

/* Ascending positions (output * inputs + input). */
static uint64_t *draw_bernoulli(cop_rng *rng, uint64_t possible, double p, size_t *count) {
    const double log_q = cop_exact_log(1.0 - p);
    size_t room = (size_t)(p * (double)possible * 1.1) + 64;
    uint64_t *list = COP_NEW_ARRAY(uint64_t, room);
    *count = 0;
    for (uint64_t at = next_edge(rng, 0, log_q); at < possible;
         at = next_edge(rng, at + 1, log_q)) {
        if (*count == room) {
            list = cop_realloc(list, room, 2 * room, sizeof *list);
            room *= 2;
        }
        list[(*count)++] = at;
    }
    return list;
}

static uint64_t *draw_exact(cop_rng *rng, uint64_t possible, double p, size_t *count) {
    *count = (size_t)(p * (double)possible + 0.5);
    uint64_t *list = COP_NEW_ARRAY(uint64_t, *count);
    cop_positions_draw(rng, possible, NULL, 0, list, *count);
    return list;
}

static uint64_t *draw_all(uint64_t possible, size_t *count) {
    uint64_t *list = COP_NEW_ARRAY(uint64_t, possible);
    for (uint64_t i = 0; i < possible; i++) list[i] = i;
    *count = (size_t)possible;
    return list;
}

/* ------------------------------------------------------------------ what they weigh */

/* @p in, @p out: edges of an output, and of an input, of the layer with all its edges. */
static float first_weight(const cop_live_settings *s, size_t in, size_t out, cop_rng *rng) {
    const double fan = (double)in;
    if (s->start == COP_LIVE_NORMAL) return (float)(s->deviation * cop_rng_normal(rng));
    const double limit = s->start == COP_LIVE_HE ? sqrt(6 / fan) : sqrt(6 / (fan + (double)out));
    return (float)(limit * (2 * cop_rng_uniform(rng) - 1));
}

float cop_live_first_weight(const cop_live_settings *s, const cop_live_layer *l, cop_rng *rng) {
    return first_weight(s, l->inputs, l->outputs, rng);
}

/* An input of a convolution goes to kernel x kernel pixels of each output channel; biases are 0. */
static void draw_front(cop_live_net *net) {
    const cop_live_settings *s = &net->settings;
    for (size_t i = 0; i < s->front->count; i++) {
        const cop_layer *l = &s->front->layers[i];
        const size_t area = l->kind == COP_LAYER_CONV2D ? l->kernel * l->kernel : 1;
        cop_rng rng = cop_rng_at(s->seed, START_FRONT, (uint32_t)i, COP_FOR_INIT_WEIGHTS);
        for (size_t k = 0; k < l->weights; k++)
            net->front->params.w[l->weight_begin + k] =
                first_weight(s, l->fan_in, l->biases * area, &rng);
    }
}

static void draw_layer(cop_live_net *net, size_t index) {
    const cop_live_settings *s = &net->settings;
    cop_live_layer *l = &net->layer[index];
    const uint64_t possible = (uint64_t)l->inputs * l->outputs;
    const double p = share(s, index);
    cop_rng which = cop_rng_at(s->seed, START_EDGES, (uint32_t)index, COP_FOR_INIT_WEIGHTS);
    cop_rng weight = cop_rng_at(s->seed, START_WEIGHTS, (uint32_t)index, COP_FOR_INIT_WEIGHTS);
    uint64_t *list = p >= 1 ? draw_all(possible, &l->edges)
                     : s->topology == COP_LIVE_BERNOULLI
                         ? draw_bernoulli(&which, possible, p, &l->edges)
                         : draw_exact(&which, possible, p, &l->edges);
    l->initial = l->edges;
    l->rewired = p < 1;
    l->begin = COP_NEW_ARRAY(uint32_t, l->outputs + 1);
    l->edge = COP_NEW_ARRAY(cop_sparse_edge, l->edges);
    for (size_t k = 0; k < l->edges; k++) {
        l->begin[list[k] / l->inputs + 1]++;
        l->edge[k] = (cop_sparse_edge){(int32_t)(list[k] % l->inputs * net->stride),
                                       cop_live_first_weight(s, l, &weight)};
    }
    for (size_t o = 0; o < l->outputs; o++) l->begin[o + 1] += l->begin[o];
    cop_free(list);
}

/* tl = 0, al uniform in [0, 1), tr in [0, 5), ar = 1: keras-contrib's, as the published code used
 */
static void draw_units(const cop_live_settings *s, cop_live_layer *l, size_t index) {
    cop_rng rng = cop_rng_at(s->seed, START_UNITS, (uint32_t)index, COP_FOR_INIT_WEIGHTS);
    if (l->numbers == 1) return;
    for (size_t u = 0; u < l->outputs; u++) {
        l->unit[COP_LIVE_AL * l->outputs + u] = (float)cop_rng_uniform(&rng);
        l->unit[COP_LIVE_TR * l->outputs + u] = (float)(5 * cop_rng_uniform(&rng));
        l->unit[COP_LIVE_AR * l->outputs + u] = 1;
    }
}

/* ------------------------------------------------------------------ all of it */

static cop_status check(const cop_live_settings *s, size_t stride) {
    COP_ASSERT(s->layers >= 1 && s->layers <= COP_LIVE_LAYERS_MAX && s->batch >= 1);
    COP_ASSERT(!s->front || s->front->classes == s->width[0]);
    for (size_t i = 0; i <= s->layers; i++) {
        if (s->width[i] < 1 || s->width[i] > 100000000)
            return cop_fail(COP_E_CONFIG, "a layer of %zu units; wanted 1 to 100000000",
                            s->width[i]);
        if (s->width[i] * stride > INT32_MAX)
            return cop_fail(COP_E_CONFIG,
                            "%zu units times %zu samples of a batch are more than 2^31: take "
                            "smaller batches",
                            s->width[i], stride);
        if (i == s->layers) break;
        const double edges = cop_live_expected(s, i);
        if (edges > 0x1p31 * 0.9)
            return cop_fail(COP_E_CONFIG,
                            "layer %zu (%zu x %zu) would have %.3g edges; 2^31 are too many", i + 1,
                            s->width[i], s->width[i + 1], edges);
    }
    return COP_OK;
}

/* Each list on a boundary of 64 bytes. */
static size_t lay_out_slopes(cop_live_net *net, float *where) {
    size_t at = 0;
    for (size_t i = 0; i < net->settings.layers; i++) {
        cop_live_layer *l = &net->layer[i];
        const size_t edges = (l->initial + 15) / 16 * 16;
        if (where) {
            l->slope = where + at;
            l->unit_slope = where + at + edges;
        }
        at += edges + (l->numbers * l->outputs + 15) / 16 * 16;
    }
    if (!net->settings.front) return at;
    if (where) cop_front_slopes_at(net->front, where + at);
    return at + cop_front_slopes(net->settings.front);
}

void cop_live_slopes(cop_live_net *net, float *where) {
    net->slopes = where;
    lay_out_slopes(net, where);
}

static void make_layer(cop_live_net *net, size_t i) {
    const cop_live_settings *s = &net->settings;
    cop_live_layer *l = &net->layer[i];
    const bool hidden = i + 1 < s->layers;
    *l = (cop_live_layer){.inputs = s->width[i], .outputs = s->width[i + 1], .numbers = 1};
    if (hidden && s->activation == COP_LIVE_SRELU) l->numbers = COP_LIVE_NUMBERS;
    draw_layer(net, i);
    const size_t units = l->numbers * l->outputs, values = l->outputs * net->stride;
    l->m = COP_NEW_ARRAY(float, l->edges);
    l->unit = COP_NEW_ARRAY(float, units);
    l->unit_m = COP_NEW_ARRAY(float, units);
    if (s->adam) {
        l->v = COP_NEW_ARRAY(float, l->edges);
        l->unit_v = COP_NEW_ARRAY(float, units);
    }
    draw_units(s, l, i);
    l->z = COP_NEW_ARRAY(float, values);
    if (hidden) l->a = COP_NEW_ARRAY(float, values);
    if (hidden && s->dropout > 0) l->kept = COP_NEW_ARRAY(float, values);
    const bool back = i || s->both_ways || (s->front && s->front->weights);
    if (back && l->rewired) {
        l->from = COP_NEW_ARRAY(uint32_t, l->inputs + 1);
        l->way = COP_NEW_ARRAY(cop_sparse_way, l->edges);
        cop_live_index(net, l);
    }
}

double cop_live_expected(const cop_live_settings *s, size_t layer) {
    return share(s, layer) * (double)s->width[layer] * (double)s->width[layer + 1];
}

cop_status cop_live_create(cop_live_net **out, const cop_live_settings *settings) {
    const size_t vectors = (settings->batch + COP_SPARSE_LANES - 1) / COP_SPARSE_LANES;
    const cop_train_ops *ops;
    size_t widest = 1;
    COP_TRY(cop_train_choose(&ops));
    COP_TRY(check(settings, vectors * COP_SPARSE_LANES));
    cop_front *front = NULL;
    if (settings->front)
        COP_TRY(cop_front_create(&front, settings->front, settings->batch, settings->adam));
    cop_live_net *net = COP_NEW(cop_live_net);
    net->settings = *settings;
    net->ops = ops;
    net->front = front;
    net->vectors = vectors;
    net->stride = vectors * COP_SPARSE_LANES;
    for (size_t i = 0; i < settings->layers; i++) {
        make_layer(net, i);
        if (settings->width[i + 1] > widest) widest = settings->width[i + 1];
    }
    net->row =
        cop_alloc(widest > settings->width[0] ? widest : settings->width[0], sizeof *net->row);
    if (front) draw_front(net);
    if (front && settings->width[0] > widest) widest = settings->width[0];
    net->slope_count = lay_out_slopes(net, NULL);
    cop_live_slopes(net, COP_NEW_ARRAY(float, net->slope_count));
    net->x = COP_NEW_ARRAY(float, settings->width[0] * net->stride);
    for (size_t i = 0; i < 2; i++) net->gradient[i] = COP_NEW_ARRAY(float, widest * net->stride);
    *out = net;
    return COP_OK;
}

void cop_live_destroy(cop_live_net *net) {
    if (!net) return;
    for (size_t i = 0; i < net->settings.layers; i++) {
        cop_live_layer *l = &net->layer[i];
        void *own[] = {l->begin, l->edge,   l->m,      l->v, l->from, l->way,
                       l->unit,  l->unit_m, l->unit_v, l->z, l->a,    l->kept};
        for (size_t k = 0; k < sizeof own / sizeof *own; k++) cop_free(own[k]);
    }
    cop_front_destroy(net->front);
    cop_free(net->x);
    cop_free(net->row);
    cop_free(net->gradient[0]);
    cop_free(net->gradient[1]);
    cop_free(net->slopes);
    cop_free(net);
}

size_t cop_live_features(const cop_live_net *net) {
    const cop_model *front = net->settings.front;
    return front ? cop_shape_size(front->input) : net->settings.width[0];
}

size_t cop_live_parameters(const cop_live_net *net) {
    const cop_model *front = net->settings.front;
    size_t sum = cop_live_edges(net) + (front ? front->weights + front->biases : 0);
    for (size_t i = 0; i < net->settings.layers; i++)
        sum += net->layer[i].numbers * net->layer[i].outputs;
    return sum;
}

double cop_live_possible(const cop_live_net *net) {
    double sum = 0;
    for (size_t i = 0; i < net->settings.layers; i++)
        sum += (double)net->layer[i].inputs * (double)net->layer[i].outputs;
    return sum;
}

size_t cop_live_edges(const cop_live_net *net) {
    size_t sum = 0;
    for (size_t i = 0; i < net->settings.layers; i++) sum += net->layer[i].edges;
    return sum;
}

size_t cop_live_bytes(const cop_live_net *net) {
    const bool adam = net->settings.adam;
    size_t bytes = sizeof *net + (net->slope_count + net->settings.width[0] * net->stride) * 4,
           widest = net->front ? net->settings.width[0] : 0;
    if (net->front) bytes += cop_front_bytes(net->settings.front, net->settings.batch, adam);
    for (size_t i = 0; i < net->settings.layers; i++) {
        const cop_live_layer *l = &net->layer[i];
        bytes += l->initial * (sizeof *l->edge + (adam ? 8 : 4) + (l->way ? sizeof *l->way : 0));
        bytes += (l->outputs + 1) * 4 + (l->from ? (l->inputs + 1) * 4 : 0);
        bytes += l->numbers * l->outputs * (adam ? 12 : 8);
        bytes += l->outputs * net->stride * (size_t)(4 + (l->a ? 4 : 0) + (l->kept ? 4 : 0));
        if (l->outputs > widest) widest = l->outputs;
    }
    const size_t rows = widest > net->settings.width[0] ? widest : net->settings.width[0];
    return bytes + 2 * widest * net->stride * 4 + rows * sizeof *net->row;
}

void cop_live_index(const cop_live_net *net, cop_live_layer *l) {
    if (!l->way) return;
    memset(l->from, 0, (l->inputs + 1) * sizeof *l->from);
    /* counts two places on, so that filling moves each start to where it belongs */
    uint32_t *at = l->from + 1;
    for (size_t k = 0; k < l->edges; k++) {
        const size_t i = cop_live_input(net, l, k);
        if (i + 1 < l->inputs) at[i + 1]++;
    }
    for (size_t i = 1; i < l->inputs; i++) at[i] += at[i - 1];
    for (size_t o = 0; o < l->outputs; o++)
        for (uint32_t k = l->begin[o]; k < l->begin[o + 1]; k++)
            l->way[at[cop_live_input(net, l, k)]++] =
                (cop_sparse_way){(int32_t)(o * net->stride), k};
}
