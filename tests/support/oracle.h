/** @file oracle.h
 *  What `sign` computes, written from its definition in docs/evaluation.md, in 128-bit integers: no
 *  cleverness, no order, no number types to choose. And how far a floating-point network may be
 * from it: a bound on the difference of every output, from the two roundings to the grid and the
 * unit roundoff of the arithmetic.
 */
#ifndef COPPICE_TEST_ORACLE_H
#define COPPICE_TEST_ORACLE_H

#include "coppice/net.h"
#include "support.h"

#include <math.h>

__extension__ typedef __int128 test_wide;

/** Live edges of one weighted layer, output by output (channel, row, column): terms
 *  [begin[o], begin[o+1]) of output o have input in[] and weight w[] (signs unless TRAINED). */
typedef struct test_wires {
    uint32_t *begin, *in;
    float *w;
} test_wires;

/** One individual, wired; results of the last sample. */
typedef struct test_oracle {
    const cop_eval_setup *setup;
    test_wires *wires; /* per layer; empty for layers without weights */
    test_wide *first, **out;
    double *power; /* v^L behind each layer */
} test_oracle;

static inline float test_weight(const cop_eval_setup *s, size_t e) {
    float w = s->base->w[e];
    if (s->weighting.kind == COP_WEIGHTS_TRAINED) return w;
    if (s->weighting.kind == COP_WEIGHTS_POSITIVE) return 1;
    return (float)((w > 0) - (w < 0));
}

static inline test_wires test_wire(const cop_eval_setup *s, const cop_mask *mask,
                                   const cop_layer *l) {
    bool dense = l->kind == COP_LAYER_DENSE;
    cop_shape a = dense ? (cop_shape){cop_shape_size(l->in), 1, 1} : l->in, b = l->out;
    size_t k = dense ? 1 : l->kernel, stride = dense ? 1 : l->stride, n = 0, outputs = 0;
    size_t most = cop_shape_size(b) * l->fan_in;
    test_wires t = {COP_NEW_ARRAY(uint32_t, cop_shape_size(b) + 1), COP_NEW_ARRAY(uint32_t, most),
                    COP_NEW_ARRAY(float, most)};
    for (size_t o = 0; o < b.channels; o++)
        for (size_t y = 0; y < b.height; y++)
            for (size_t x = 0; x < b.width; x++) {
                t.begin[outputs++] = (uint32_t)n;
                for (size_t c = 0; c < a.channels; c++)
                    for (size_t i = 0; i < k; i++)
                        for (size_t j = 0; j < k; j++) {
                            size_t e = l->weight_begin + ((o * a.channels + c) * k + i) * k + j;
                            long r = dense ? 0 : (long)(y * stride + i) - (long)l->padding;
                            long q = dense ? 0 : (long)(x * stride + j) - (long)l->padding;
                            if (r < 0 || q < 0 || r >= (long)a.height || q >= (long)a.width)
                                continue;
                            float w = test_weight(s, e);
                            if (!cop_mask_get(mask, e) || w == 0) continue;
                            t.in[n] = (uint32_t)((c * a.height + (size_t)r) * a.width + (size_t)q);
                            t.w[n++] = w;
                        }
            }
    t.begin[outputs] = (uint32_t)n;
    return t;
}

static inline test_oracle test_oracle_create(const cop_eval_setup *setup, const cop_mask *mask) {
    const cop_model *m = setup->model;
    test_oracle o = {setup, COP_NEW_ARRAY(test_wires, m->count),
                     cop_alloc(cop_shape_size(m->input), sizeof(test_wide)),
                     COP_NEW_ARRAY(test_wide *, m->count), COP_NEW_ARRAY(double, m->count)};
    for (size_t i = 0; i < m->count; i++) {
        o.out[i] = cop_alloc(cop_shape_size(m->layers[i].out), sizeof(test_wide));
        if (m->layers[i].weights) o.wires[i] = test_wire(setup, mask, &m->layers[i]);
    }
    return o;
}

static inline void test_oracle_clear(test_oracle *o) {
    for (size_t i = 0; i < o->setup->model->count; i++) {
        cop_free(o->out[i]);
        cop_free(o->wires[i].begin);
        cop_free(o->wires[i].in);
        cop_free(o->wires[i].w);
    }
    cop_free(o->wires);
    cop_free(o->first);
    cop_free(o->out);
    cop_free(o->power);
}

/** A bias on the grid; its true value in grid steps to @p exact. */
static inline int64_t test_bias(const cop_eval_setup *s, const cop_layer *l, size_t o, double power,
                                double *exact) {
    *exact = (double)s->base->b[l->bias_begin + o] / power * s->scale;
    return fabs(*exact) < 0x1p62 ? llrint(*exact) : 0;
}

/** The largest of each window. */
#define TEST_POOL(name, type)                                                                      \
    static inline void name(const cop_layer *l, const type *in, type *to) {                        \
        for (size_t c = 0; c < l->out.channels; c++)                                               \
            for (size_t y = 0; y < l->out.height; y++)                                             \
                for (size_t x = 0; x < l->out.width; x++) {                                        \
                    const type *corner =                                                           \
                        in + (c * l->in.height + y * l->stride) * l->in.width + x * l->stride;     \
                    type best = corner[0];                                                         \
                    for (size_t i = 0; i < l->kernel; i++)                                         \
                        for (size_t j = 0; j < l->kernel; j++)                                     \
                            if (corner[i * l->in.width + j] > best)                                \
                                best = corner[i * l->in.width + j];                                \
                    *to++ = best;                                                                  \
                }                                                                                  \
    }
TEST_POOL(test_pool_wide, test_wide)
TEST_POOL(test_pool_double, double)
#undef TEST_POOL

/** Integer outputs of all layers (o->out) for one sample at shared value @p value. */
static inline void test_oracle_run(test_oracle *o, double value, const float *sample) {
    const cop_model *m = o->setup->model;
    const test_wide *in = o->first;
    double power = 1, exact;
    for (size_t j = 0; j < cop_shape_size(m->input); j++)
        o->first[j] = llrint((double)sample[j] * o->setup->scale);
    for (size_t i = 0; i < m->count; i++) {
        const cop_layer *l = &m->layers[i];
        size_t size = cop_shape_size(l->out), positions = l->out.height * l->out.width;
        test_wide *to = o->out[i];
        if (l->weights) {
            const test_wires *t = &o->wires[i];
            power *= value;
            for (size_t k = 0; k < size; k++) {
                test_wide sum = test_bias(o->setup, l, k / positions, power, &exact);
                for (size_t e = t->begin[k]; e < t->begin[k + 1]; e++)
                    sum += t->w[e] > 0 ? in[t->in[e]] : -in[t->in[e]];
                to[k] = sum;
            }
        } else if (l->kind == COP_LAYER_MAXPOOL2D) {
            test_pool_wide(l, in, to);
        } else
            for (size_t j = 0; j < size; j++)
                to[j] =
                    l->kind == COP_LAYER_ACTIVATION && l->activation == COP_ACT_RELU && in[j] < 0
                        ? 0
                        : in[j];
        o->power[i] = power;
        in = to;
    }
}

/** True when the interval rule of docs/evaluation.md keeps all sums and biases of every layer below
 * 2^60 for inputs in [low, high]: then `sign` has no reason to refuse. */
static inline bool test_oracle_fits(const test_oracle *o, const double *value, size_t values,
                                    int64_t low, int64_t high) {
    const cop_model *m = o->setup->model;
    test_wide limit = (test_wide)1 << 60, a = low < 0 ? low : 0, b = high > 0 ? high : 0;
    for (size_t i = 0, depth = 0; i < m->count; i++) {
        const cop_layer *l = &m->layers[i];
        if (l->kind == COP_LAYER_ACTIVATION && l->activation == COP_ACT_RELU) a = 0;
        if (!l->weights) continue;
        test_wide least = 0, most = 0;
        depth++;
        for (size_t k = 0; k < cop_shape_size(l->out); k++) {
            test_wide p = 0, q = 0;
            const test_wires *t = &o->wires[i];
            for (size_t e = t->begin[k]; e < t->begin[k + 1]; e++) *(t->w[e] > 0 ? &p : &q) += 1;
            /* at the border a convolution has fewer terms than the rule counts */
            p += l->padding ? (test_wide)l->fan_in : 0;
            q += l->padding ? (test_wide)l->fan_in : 0;
            for (size_t v = 0; v < values; v++) {
                double exact;
                test_bias(o->setup, l, k / (l->out.height * l->out.width),
                          pow(value[v], (double)depth), &exact);
                if (!(fabs(exact) < 0x1p60)) return false;
                test_wide bias = (test_wide)exact, c = p * a - q * b + bias,
                          d = p * b - q * a + bias;
                if (c < least) least = c;
                if (d > most) most = d;
                if (p * b - q * a >= limit || p * a - q * b <= -limit) return false;
            }
        }
        a = least;
        b = most;
    }
    return true;
}

/** Bound of |float output / factor - integer output| for every output of every layer, where factor
 * is v^L / scale (TRAINED: |float output - true output|, scale 1, no rounding to a grid). */
typedef struct test_bound {
    double **error, **most; /* per layer: (size); largest |output| in the same unit */
} test_bound;

static inline void test_bound_clear(test_bound *b, const cop_model *m) {
    for (size_t i = 0; i < m->count; i++) {
        cop_free(b->error[i]);
        cop_free(b->most[i]);
    }
    cop_free(b->error);
    cop_free(b->most);
}

/** Over the samples @p x (n, D); @p unit is the roundoff of the arithmetic, 2^-24 for float. Each
 * sum of N terms errs by at most (N + 8) units of the sum of magnitudes (shared values rounded to
 * float, products, sums in any order, the bias); activations are at most 1.1-Lipschitz. */
static inline test_bound test_bound_create(const test_oracle *o, double value, const float *x,
                                           size_t n, double unit) {
    const cop_model *m = o->setup->model;
    bool trained = o->setup->weighting.kind == COP_WEIGHTS_TRAINED;
    size_t inputs = cop_shape_size(m->input);
    test_bound b = {COP_NEW_ARRAY(double *, m->count), COP_NEW_ARRAY(double *, m->count)};
    double *error = COP_NEW_ARRAY(double, inputs), *most = COP_NEW_ARRAY(double, inputs);
    double power = 1;
    for (size_t s = 0; s < n * inputs; s++) {
        double at = (double)x[s] * (trained ? 1 : o->setup->scale);
        double off = (trained ? 0 : fabs(at - nearbyint(at))) + 8 * 0x1p-53 * fabs(at);
        error[s % inputs] = fmax(error[s % inputs], off);
        most[s % inputs] = fmax(most[s % inputs], fabs(at));
    }
    const double *e = error, *a = most;
    for (size_t i = 0; i < m->count; i++) {
        const cop_layer *l = &m->layers[i];
        size_t size = cop_shape_size(l->out), positions = l->out.height * l->out.width;
        double *to = b.error[i] = COP_NEW_ARRAY(double, size);
        double *top = b.most[i] = COP_NEW_ARRAY(double, size);
        if (l->weights) {
            const test_wires *t = &o->wires[i];
            power *= trained ? 1 : value;
            for (size_t k = 0; k < size; k++) {
                double bias = (double)o->setup->base->b[l->bias_begin + k / positions], off = 0;
                if (!trained) {
                    int64_t grid = test_bias(o->setup, l, k / positions, power, &bias);
                    off = fabs(bias - (double)grid) + 8 * 0x1p-53 * fabs(bias);
                }
                top[k] = fabs(bias);
                for (size_t j = t->begin[k]; j < t->begin[k + 1]; j++) {
                    double w = fabs((double)t->w[j]);
                    off += w * e[t->in[j]];
                    top[k] += w * a[t->in[j]];
                }
                to[k] = off * 1.001 + (double)(t->begin[k + 1] - t->begin[k] + 8) * unit * top[k];
            }
        } else if (l->kind == COP_LAYER_MAXPOOL2D) {
            test_pool_double(l, e, to);
            test_pool_double(l, a, top);
        } else {
            bool smooth = l->kind == COP_LAYER_ACTIVATION && l->activation != COP_ACT_RELU &&
                          l->activation != COP_ACT_IDENTITY;
            for (size_t k = 0; k < size; k++) {
                to[k] = smooth ? 1.1 * e[k] + 16 * unit * (a[k] + 1) : e[k];
                top[k] = a[k] + (smooth ? 1 : 0);
            }
        }
        e = to;
        a = top;
    }
    cop_free(error);
    cop_free(most);
    return b;
}

#endif
