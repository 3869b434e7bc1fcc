#include "front.h"

#include <string.h>

static size_t whole(size_t count) {
    return (count + COP_SPARSE_LANES - 1) / COP_SPARSE_LANES * COP_SPARSE_LANES;
}

cop_status cop_front_create(cop_front **out, const cop_model *model, size_t batch, bool adam) {
    /* the gradients are the network's */
    COP_TRY(cop_memory_ask("the layers of [train] front and their workspace", 1,
                           cop_front_bytes(model, batch, adam) +
                               cop_front_slopes(model) * sizeof(float)));
    cop_front *f = COP_NEW(cop_front);
    *f = (cop_front){.model = model, .batch = batch};
    cop_params_init(&f->params, model);
    cop_params_init(&f->m, model);
    if (adam) cop_params_init(&f->v, model);
    f->slope = (cop_params){.weights = model->weights, .biases = model->biases};
    f->work = cop_net_work_create(model, batch, true);
    f->x = COP_NEW_ARRAY(float, batch *cop_shape_size(model->input));
    f->of = cop_alloc(batch, sizeof *f->of);
    *out = f;
    return COP_OK;
}

void cop_front_destroy(cop_front *f) {
    if (!f) return;
    cop_params_clear(&f->params);
    cop_params_clear(&f->m);
    cop_params_clear(&f->v);
    cop_net_work_destroy(f->work);
    cop_free(f->x);
    cop_free(f->of);
    cop_free(f);
}

size_t cop_front_slopes(const cop_model *model) {
    return whole(model->weights) + whole(model->biases);
}

void cop_front_slopes_at(cop_front *f, float *where) {
    f->slope.w = where;
    f->slope.b = where + whole(f->model->weights);
}

size_t cop_front_bytes(const cop_model *model, size_t batch, bool adam) {
    const size_t numbers = model->weights + model->biases;
    return sizeof(cop_front) + numbers * sizeof(float) * (adam ? 3 : 2) +
           cop_net_work_bytes(model, batch, true) +
           batch * (cop_shape_size(model->input) * sizeof(float) + sizeof(float *));
}

const float *const *cop_front_forward(cop_front *f, const float *const *rows, size_t n,
                                      const cop_dropout_key *key) {
    const size_t inputs = cop_shape_size(f->model->input), outputs = f->model->classes;
    for (size_t i = 0; i < n; i++) memcpy(f->x + i * inputs, rows[i], inputs * sizeof *f->x);
    const float *out = cop_net_forward(f->work, &f->params, f->x, n, key);
    for (size_t i = 0; i < n; i++) f->of[i] = out + i * outputs;
    return f->of;
}

/* (outputs, stride) to (n, outputs), in squares that fit the first-level cache. */
static void turn_back(const float *from, size_t outputs, size_t n, size_t stride, float *to) {
    enum { SIDE = 16 };
    for (size_t u = 0; u < outputs; u += SIDE)
        for (size_t s = 0; s < n; s += SIDE)
            for (size_t i = u; i < u + SIDE && i < outputs; i++)
                for (size_t k = s; k < s + SIDE && k < n; k++)
                    to[k * outputs + i] = from[i * stride + k];
}

void cop_front_backward(cop_front *f, const float *gradient, size_t n, size_t stride) {
    if (!f->model->weights) return; /* nothing learns */
    turn_back(gradient, f->model->classes, n, stride, cop_net_gradient(f->work));
    cop_net_backward(f->work, &f->params, &f->slope);
}

static void zero(cop_params *p) {
    if (p->weights) memset(p->w, 0, p->weights * sizeof *p->w);
    if (p->biases) memset(p->b, 0, p->biases * sizeof *p->b);
}

void cop_front_forget(cop_front *f) {
    zero(&f->m);
    zero(&f->v);
}

static void hash_params(const cop_params *p, cop_hash *hash) {
    cop_hash_add(hash, p->w, p->weights * sizeof *p->w);
    cop_hash_add(hash, p->b, p->biases * sizeof *p->b);
}

void cop_front_hash(const cop_front *f, cop_hash *hash) {
    cop_hash_add_text(hash, f->model->spec);
    hash_params(&f->params, hash);
    hash_params(&f->m, hash);
    hash_params(&f->v, hash);
}
