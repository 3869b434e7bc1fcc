/* The step of the optimiser, and parameters in the order of their gradients, so that several ranks
 * can share the work. Bounded by memory: sgd reads 16 bytes an edge (8 of them input and weight, 4
 * its gradient) and writes 12; adam 4 more of each. */
#include "live.h"

/* Parameters that lie in one array, and what belongs to them. */
typedef struct array {
    float *p;
    size_t stride, count; /* p is so many floats apart; the others are contiguous */
    float *slope, *m, *v; /* v: adam only */
    bool decays;
} array;

enum { ARRAYS_MAX = 3 * COP_LIVE_LAYERS_MAX + 2 };

/* All of them in the order of slopes. */
static size_t list_arrays(const cop_live_net *net, array list[ARRAYS_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < net->settings.layers; i++) {
        const cop_live_layer *l = &net->layer[i];
        const size_t n = l->outputs;
        if (l->edges)
            list[count++] = (array){&l->edge[0].weight,
                                    sizeof *l->edge / sizeof(float),
                                    l->edges,
                                    l->slope,
                                    l->m,
                                    l->v,
                                    true};
        list[count++] = (array){l->unit, 1, n, l->unit_slope, l->unit_m, l->unit_v, true};
        if (l->numbers > 1)
            list[count++] = (array){l->unit + n,
                                    1,
                                    (l->numbers - 1) * n,
                                    l->unit_slope + n,
                                    l->unit_m + n,
                                    l->unit_v ? l->unit_v + n : NULL,
                                    false};
    }
    const cop_front *f = net->front;
    if (!f || !f->model->weights) return count;
    list[count++] = (array){f->params.w, 1, f->params.weights, f->slope.w, f->m.w, f->v.w, true};
    if (f->params.biases)
        list[count++] = (array){f->params.b, 1, f->params.biases, f->slope.b, f->m.b, f->v.b, true};
    return count;
}

/* What of @p a is in [first, end) of slopes; @p at: where that begins there. false: nothing. */
static bool cut(array *a, const cop_live_net *net, size_t first, size_t end, size_t *at) {
    const size_t begin = (size_t)(a->slope - net->slopes), last = begin + a->count;
    const size_t from = first > begin ? first : begin, to = end < last ? end : last;
    if (from >= to) return false;
    const size_t skip = from - begin;
    *at = from;
    a->p += skip * a->stride;
    a->slope += skip;
    a->m += skip;
    if (a->v) a->v += skip;
    a->count = to - from;
    return true;
}

void cop_live_step(cop_live_net *net, const cop_step *how, size_t first, size_t end) {
    array list[ARRAYS_MAX];
    const size_t count = list_arrays(net, list);
    cop_step plain = *how;
    plain.l2 = plain.shrink = 0;
    for (size_t i = 0; i < count; i++) {
        array *a = &list[i];
        size_t at;
        if (cut(a, net, first, end, &at))
            net->ops->step(a->decays ? how : &plain, a->count, a->stride, a->p, a->slope, a->m,
                           a->v);
    }
}

static float *of(const array *a, cop_live_list what, size_t *stride) {
    *stride = what == COP_LIVE_PARAMETERS ? a->stride : 1;
    return what == COP_LIVE_PARAMETERS ? a->p : what == COP_LIVE_M ? a->m : a->v;
}

void cop_live_copy(const cop_live_net *net, cop_live_list what, size_t first, size_t end,
                   float *to) {
    array list[ARRAYS_MAX];
    const size_t count = list_arrays(net, list);
    for (size_t i = 0; i < count; i++) {
        size_t at, stride;
        if (!cut(&list[i], net, first, end, &at)) continue;
        const float *from = of(&list[i], what, &stride);
        for (size_t k = 0; k < list[i].count; k++) to[at + k] = from[k * stride];
    }
}

void cop_live_put(cop_live_net *net, cop_live_list what, size_t first, size_t end,
                  const float *from) {
    array list[ARRAYS_MAX];
    const size_t count = list_arrays(net, list);
    for (size_t i = 0; i < count; i++) {
        size_t at, stride;
        if (!cut(&list[i], net, first, end, &at)) continue;
        float *to = of(&list[i], what, &stride);
        for (size_t k = 0; k < list[i].count; k++) to[k * stride] = from[at + k];
    }
}
