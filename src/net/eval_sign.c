/* Evaluator `sign`: weight-agnostic networks in exact integers; see eval_sign.h. */
#include "net/eval_sign.h"
#include "net/eval_sign_sizes.h"
#include "net/evaluators.h"
#include "net/score_kernels.h"

#include <math.h>
#include <string.h>

#define INPUT_MAX 0x1p30 /* grid steps of an input */

static void destroy(void *self) {
    sign_eval *e = self;
    if (!e) return;
    cop_cells_destroy(e->cells);
    for (size_t i = 0; e->own && i < e->plan.count; i++) {
        cop_free(e->own[i].edges.begin);
        cop_free(e->own[i].edges.offset);
        cop_free(e->in[i].data);
    }
    for (size_t i = 0; i < 2; i++) {
        cop_free(e->sums[i]);
        cop_free(e->plane[i]);
    }
    for (size_t h = 0; h < e->setup.hidden; h++) cop_free(e->rows[h]);
    cop_free(e->own);
    cop_free(e->in);
    cop_free(e->logits);
    cop_mask_clear(&e->plus);
    cop_mask_clear(&e->minus);
    cop_mask_clear(&e->live_plus);
    cop_mask_clear(&e->live_minus);
    cop_sign_plan_clear(&e->plan);
    cop_free(e);
}

static cop_status check(const cop_eval_setup *setup) {
    COP_TRY(cop_eval_check(setup));
    if (setup->weighting.kind == COP_WEIGHTS_TRAINED)
        return cop_fail(COP_E_CONFIG,
                        "[evaluate] arithmetic = sign computes shared weights only; for "
                        "trained weights use arithmetic = blas");
    if (!isfinite(setup->scale) || setup->scale <= 0)
        return cop_fail(COP_E_CONFIG,
                        "[evaluate] steps give a scale of %g steps per unit; it must be "
                        "above 0 and finite",
                        setup->scale);
    return COP_OK;
}

static cop_status create(void **self, const cop_eval_setup *setup) {
    cop_status status = COP_OK;
    *self = NULL;
    COP_TRY(check(setup));
    sign_eval *e = COP_NEW(sign_eval);
    e->setup = *setup;
    size_t edges = setup->model->weights;
    cop_mask_init(&e->plus, edges);
    cop_mask_init(&e->minus, edges);
    cop_mask_init(&e->live_plus, edges);
    cop_mask_init(&e->live_minus, edges);
    COP_GO(cop_sign_choose(&e->ops));
    COP_GO(cop_sign_plan_init(&e->plan, setup));
    e->own = e->layers = COP_NEW_ARRAY(sign_layer, e->plan.count);
    e->in = COP_NEW_ARRAY(sign_tensor, e->plan.count);
    for (size_t i = 0; i < edges; i++) {
        if (setup->weighting.kind == COP_WEIGHTS_POSITIVE || setup->base->w[i] > 0)
            cop_mask_set(&e->plus, i);
        else if (setup->base->w[i] < 0)
            cop_mask_set(&e->minus, i);
    }
    cop_sign_sizes_choose(&e->sizes, setup, &e->plan);
    for (size_t i = 0; i < 2; i++)
        e->plane[i] = cop_alloc(cop_sign_largest_plane(&e->plan, setup->model->input),
                                SIGN_LANES * sizeof(int64_t));
    e->logits = cop_alloc(SIGN_CHUNK * e->plan.variants.count,
                          setup->model->classes * SIGN_LANES * sizeof(int64_t));
    if (e->sizes.block) e->cells = cop_cells_create(e);
    for (size_t h = 0; h < setup->hidden; h++)
        e->rows[h] = cop_alloc(
            setup->batch,
            sizeof(double) * cop_shape_size(setup->model->layers[setup->hidden_layer[h]].out));
    *self = e;
    e = NULL;
done:
    destroy(e);
    return status;
}

static size_t bytes(const cop_eval_setup *setup) {
    sign_plan plan = {0};
    sign_sizes sizes;
    size_t total = 0;
    if (check(setup) == COP_OK && cop_sign_plan_init(&plan, setup) == COP_OK)
        total = cop_sign_sizes_choose(&sizes, setup, &plan);
    cop_sign_plan_clear(&plan);
    return total;
}

/* Range of the samples on the grid; of the leading steps ReLU cuts it at 0, pooling can only narrow
 * it. What is refused is decided by the rounded numbers, as where a plan is used again. */
static cop_status measure(sign_eval *e, const float *x, size_t n, size_t first) {
    size_t inputs = cop_shape_size(e->setup.model->input), bad = 0;
    double scale = e->setup.scale;
    float low, high;
    if (!e->ops->cells->extent(x, n * inputs, &low, &high) ||
        rint(-(double)low * scale) > INPUT_MAX || rint((double)high * scale) > INPUT_MAX) {
        while (fabs(rint((double)x[bad] * scale)) <= INPUT_MAX) bad++;
        return cop_fail(COP_E_EVALUATE,
                        "sample %zu of the shard, feature %zu is %g, which is %g grid steps; at "
                        "most 2^30 are possible: check the data or lower [evaluate] steps",
                        first + bad / inputs, bad % inputs, (double)x[bad], (double)x[bad] * scale);
    }
    e->range = (sign_range){llrint((double)low * scale), llrint((double)high * scale)};
    for (size_t k = 0; k < e->plan.lead.count; k++)
        if (e->plan.lead.items[k].kind == SIGN_RELU) e->range.low = 0;
    return COP_OK;
}

void cop_sign_score(sign_eval *e, const cop_shard *shard, size_t first, size_t samples,
                    size_t groups, const size_t *value, size_t count, cop_evidence *evidence,
                    uint16_t *predictions) {
    size_t classes = e->setup.model->classes, kernels;
    const cop_head head = cop_shard_head(&e->setup, shard);
    const cop_score_kernel *const *kernel = cop_score_kernels(&kernels);
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < samples; i += SIGN_LANES) {
            size_t v = value[k], n = samples - i < SIGN_LANES ? samples - i : SIGN_LANES;
            size_t slot = k * groups + i / SIGN_LANES;
            kernel[kernels - 1]->lanes(e->logits + (slot * classes + head.first) * SIGN_LANES,
                                       head.count, e->plan.stages[e->plan.count - 1].factor[v],
                                       shard->label + first + i, n,
                                       predictions ? predictions + v * shard->n + first + i : NULL,
                                       &evidence->correct[v], &evidence->loss[v]);
        }
}

/* What one piece of a shard needs: where its superblocks begin. They do not cross batches when
 * hidden activations are wanted batch by batch. */
typedef struct piece {
    size_t first, samples, segment;
} piece;

static size_t superblock_slots(const sign_eval *e) {
    return e->plan.stages[0].flat ? SIGN_CHUNK : e->sizes.groups;
}

static void load(sign_eval *e, const cop_shard *shard, piece p) {
    size_t inputs = cop_shape_size(e->setup.model->input), step = e->sizes.groups * SIGN_LANES,
           block = 0;
    size_t blocks = ((p.samples + p.segment - 1) / p.segment) * ((p.segment + step - 1) / step);
    cop_sign_tensor_shape(&e->in[0], &e->plan.stages[0], cop_sign_input_mode(e),
                          blocks * superblock_slots(e));
    for (size_t s = 0; s < p.samples; s += p.segment)
        for (size_t i = s; i < s + p.segment && i < p.samples; i += step) {
            size_t end = s + p.segment < p.samples ? s + p.segment : p.samples;
            size_t n = end - i < step ? end - i : step;
            cop_sign_quantise(e, shard->x + (p.first + i) * inputs, n,
                              block++ * superblock_slots(e));
        }
}

/* One individual on one piece. @p individual counts in the block. */
static cop_status compute(sign_eval *e, const cop_shard *shard, piece p, size_t individual,
                          cop_hidden_sink sink, void *user, cop_evidence *evidence,
                          uint16_t *predictions) {
    size_t step = e->sizes.groups * SIGN_LANES, block = 0;
    for (size_t s = 0; s < p.samples; s += p.segment) {
        size_t end = s + p.segment < p.samples ? s + p.segment : p.samples;
        for (size_t i = s; i < end; i += step) {
            size_t n = end - i < step ? end - i : step;
            e->batch_row = i - s;
            cop_sign_run(e, block++ * superblock_slots(e), n);
            cop_sign_score(e, shard, p.first + i, n, (n + SIGN_LANES - 1) / SIGN_LANES,
                           cop_sign_all_values, e->setup.weighting.values, evidence, predictions);
        }
        for (size_t h = 0; sink && h < e->setup.hidden; h++) {
            size_t layer = e->setup.hidden_layer[h];
            COP_TRY(sink(user, individual, h, e->rows[h], end - s,
                         cop_shape_size(e->setup.model->layers[layer].out), shard->task,
                         shard->batch_base + (p.first + s) / e->setup.batch, evidence));
        }
    }
    return COP_OK;
}

static cop_status compile_own(sign_eval *e, const cop_mask *mask) {
    e->layers = e->own;
    return cop_sign_compile(e, e->own, mask, 0, SIZE_MAX, e->sizes.groups * e->variants);
}

/* All individuals piece by piece, each by itself. */
static cop_status one_by_one(sign_eval *e, const cop_mask *const *masks, size_t count,
                             const cop_shard *shard, cop_hidden_sink sink, void *user,
                             cop_evidence *evidence, uint16_t *predictions) {
    size_t inputs = cop_shape_size(e->setup.model->input), values = e->setup.weighting.values;
    size_t most = e->sizes.piece;
    for (size_t s = 0; s < shard->n; s += most) {
        size_t n = shard->n - s < most ? shard->n - s : most;
        piece p = {.first = s, .samples = n, .segment = sink ? e->setup.batch : n};
        COP_TRY(measure(e, shard->x + s * inputs, n, s));
        load(e, shard, p);
        for (size_t i = 0; i < count; i++) {
            COP_TRY(compile_own(e, masks[i]));
            COP_TRY(compute(e, shard, p, i, sink, user, &evidence[i],
                            predictions ? predictions + i * values * shard->n : NULL));
        }
    }
    return COP_OK;
}

cop_status cop_sign_plain(sign_eval *e, const cop_shard *shard, const cop_mask *mask,
                          cop_evidence *evidence, uint16_t *predictions) {
    sign_range range = e->range;
    cop_status status = one_by_one(e, &mask, 1, shard, NULL, NULL, evidence, predictions);
    e->range = range;
    return status;
}

cop_status cop_sign_plain_piece(sign_eval *e, const cop_shard *shard, size_t first, size_t samples,
                                const size_t *value, size_t count, const cop_mask *mask,
                                cop_evidence *evidence, uint16_t *predictions) {
    size_t inputs = cop_shape_size(e->setup.model->input);
    piece p = {.first = first, .samples = samples, .segment = samples};
    cop_evidence all = *evidence; /* sums go on in sample order; other values are thrown away */
    sign_range range = e->range;
    COP_TRY(measure(e, shard->x + first * inputs, samples, first));
    load(e, shard, p);
    COP_TRY(compile_own(e, mask));
    COP_TRY(compute(e, shard, p, 0, NULL, NULL, &all, predictions));
    for (size_t k = 0; k < count; k++) {
        evidence->correct[value[k]] = all.correct[value[k]];
        evidence->loss[value[k]] = all.loss[value[k]];
    }
    e->range = range;
    return COP_OK;
}

static cop_status evaluate(void *self, const cop_mask *const *masks, size_t count,
                           const cop_shard *shard, cop_hidden_sink sink, void *user,
                           cop_evidence *evidence, uint16_t *predictions) {
    sign_eval *e = self;
    bool done = false;
    COP_TRY(cop_shard_check(&e->setup, shard));
    if (!e->setup.hidden) sink = NULL;
    e->listening = sink != NULL;
    e->variants = sink ? e->plan.variants.count : e->setup.weighting.values;
    for (size_t i = 0; i < count; i++) evidence[i] = (cop_evidence){.samples = shard->n};
    if (e->cells && !sink)
        COP_TRY(cop_cells_again(e, masks, count, shard, evidence, predictions, &done));
    if (e->cells && !sink && !done) {
        for (size_t i = 0; i < count; i++) evidence[i] = (cop_evidence){.samples = shard->n};
        COP_TRY(measure(e, shard->x, shard->n, 0));
        COP_TRY(cop_cells_evaluate(e, masks, count, shard, evidence, predictions, &done));
    }
    return done ? COP_OK : one_by_one(e, masks, count, shard, sink, user, evidence, predictions);
}

static cop_status explain(const cop_eval_setup *setup, cop_buf *out) {
    COP_TRY(check(setup));
    return cop_sign_explain(setup, out);
}

const cop_evaluator cop_evaluator_sign = {
    "sign",   "exact integers: shared weights, relu and max-pool only; the fastest",
    create,   destroy,
    evaluate, bytes,
    explain,  NULL};
