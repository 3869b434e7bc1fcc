/* From a model to stages of integer arithmetic; refuses what integers cannot do. */
#include "net/eval_sign.h"

#include <math.h>

static void step_add(sign_steps *steps, sign_step step) {
    steps->items = cop_realloc(steps->items, steps->count, steps->count + 1, sizeof *steps->items);
    steps->items[steps->count++] = step;
}

static cop_status refuse(const cop_layer *layer, const char *why) {
    return cop_fail(
        COP_E_CONFIG,
        "[evaluate] arithmetic = sign cannot compute layer %s (%s): only dense, conv2d, relu, "
        "maxpool, dropout and flatten are exact in integers; use arithmetic = blas",
        layer->name, why);
}

/* A layer without weights becomes steps on the planes of *shape. */
static cop_status follow(sign_steps *steps, const cop_layer *layer, cop_shape *shape) {
    switch (layer->kind) {
    case COP_LAYER_ACTIVATION:
        if (layer->activation == COP_ACT_IDENTITY) return COP_OK;
        if (layer->activation != COP_ACT_RELU) return refuse(layer, "its activation is not relu");
        step_add(steps, (sign_step){.kind = SIGN_RELU, .in = *shape, .out = *shape});
        return COP_OK;
    case COP_LAYER_MAXPOOL2D: {
        if (layer->in.height * layer->in.width == 1) return COP_OK; /* a window of one */
        cop_shape out = layer->out;
        step_add(steps, (sign_step){.kind = SIGN_POOL,
                                    .kernel = layer->kernel,
                                    .stride = layer->stride,
                                    .in = *shape,
                                    .out = out});
        *shape = out;
        return COP_OK;
    }
    case COP_LAYER_DROPOUT:
    case COP_LAYER_FLATTEN:
        return COP_OK;
    case COP_LAYER_DENSE:
    case COP_LAYER_CONV2D:
        break;
    }
    return refuse(layer, "unknown to it");
}

static void begin_stage(sign_plan *plan, const cop_layer *layer, cop_shape *shape) {
    sign_stage *before = plan->count ? &plan->stages[plan->count - 1] : NULL;
    sign_stage *s = &plan->stages[plan->count++];
    s->layer = layer;
    s->in = *shape;
    s->stride = 1;
    if (layer->kind == COP_LAYER_DENSE) {
        s->kernel_h = shape->height;
        s->kernel_w = shape->width;
    } else {
        s->kernel_h = s->kernel_w = layer->kernel;
        s->stride = layer->stride;
        s->padding = layer->padding;
        if (layer->in.channels != shape->channels) { /* behind a flatten */
            s->in = layer->in;
            if (before) before->spread = true;
        }
    }
    s->sums = layer->out;
    /* Once flat always flat: a slot's plane of such a stage is scattered. */
    s->flat = (before && before->flat) || s->sums.height * s->sums.width < SIGN_CHUNK;
    *shape = s->sums;
}

/* Biases on the grid: round(b / v^L * scale), halves to even. */
static cop_status grid_biases(sign_plan *plan, const cop_eval_setup *setup) {
    for (size_t i = 0; i < plan->count; i++) {
        sign_stage *s = &plan->stages[i];
        size_t outputs = s->sums.channels;
        s->bias = cop_alloc(plan->variants.count * outputs, sizeof(int64_t));
        for (size_t v = 0; v < plan->variants.count; v++) {
            double power = 1;
            for (size_t l = 0; l <= i; l++) power *= plan->variants.value[v];
            s->factor[v] = power / setup->scale;
            for (size_t o = 0; o < outputs; o++) {
                double b = (double)setup->base->b[s->layer->bias_begin + o] / power * setup->scale;
                if (!(fabs(b) < 0x1p61))
                    return cop_fail(
                        COP_E_CONFIG,
                        "shared weight %g makes bias %zu of layer %s %g grid steps large, "
                        "beyond 64-bit integers; use larger [evaluate] values or "
                        "arithmetic = blas",
                        plan->variants.value[v], o, s->layer->name, b);
                s->bias[v * outputs + o] = llrint(b);
            }
        }
    }
    return COP_OK;
}

cop_status cop_sign_plan_init(sign_plan *plan, const cop_eval_setup *setup) {
    const cop_model *m = setup->model;
    cop_shape shape = m->input;
    *plan = (sign_plan){.stages = COP_NEW_ARRAY(sign_stage, m->count ? m->count : 1),
                        .variants = cop_eval_variants(setup)};
    for (size_t i = 0; i < m->count; i++) {
        const cop_layer *layer = &m->layers[i];
        if (layer->kind == COP_LAYER_DENSE || layer->kind == COP_LAYER_CONV2D)
            begin_stage(plan, layer, &shape);
        else
            COP_TRY(follow(plan->count ? &plan->stages[plan->count - 1].steps : &plan->lead, layer,
                           &shape));
        if (plan->count) plan->stages[plan->count - 1].out = shape;
        for (size_t h = 0; h < setup->hidden; h++)
            if (setup->hidden_layer[h] == i) {
                if (!plan->count)
                    return cop_fail(
                        COP_E_CONFIG,
                        "[similarity] layers: %s lies before the first weighted layer; name "
                        "weighted layers",
                        layer->name);
                step_add(&plan->stages[plan->count - 1].steps,
                         (sign_step){.kind = SIGN_SHOW, .which = h, .in = shape, .out = shape});
            }
    }
    COP_ASSERT(plan->count > 0);
    for (size_t i = 0; i < plan->count; i++) {
        const sign_stage *s = &plan->stages[i];
        size_t vectors =
            s->in.channels * (s->in.height + 2 * s->padding) * (s->in.width + 2 * s->padding);
        if (vectors > INT32_MAX / (SIGN_CHUNK * SIGN_LANES)) /* offsets of edges are 32-bit */
            return refuse(s->layer, "its input is too large");
    }
    return grid_biases(plan, setup);
}

void cop_sign_plan_clear(sign_plan *plan) {
    for (size_t i = 0; i < plan->count; i++) {
        cop_free(plan->stages[i].steps.items);
        cop_free(plan->stages[i].bias);
    }
    cop_free(plan->lead.items);
    cop_free(plan->stages);
    *plan = (sign_plan){0};
}
