/* The forward pass of `sign`. Leading stages with many positions go depth first, slot by slot, so
 * that their activations stay in cache; the first stage's sums are shared by all variants. From the
 * first flat stage on, all slots of a superblock lie side by side and each list of edges is read
 * once for SIGN_CHUNK of them. */
#include "net/eval_sign.h"

#include <math.h>
#include <string.h>

void cop_sign_reserve(void **data, size_t *have, size_t want) {
    if (want <= *have) return;
    cop_free(*data);
    *data = cop_alloc(want, 1);
    *have = want;
}

void cop_sign_tensor_shape(sign_tensor *t, const sign_stage *s, cop_sign_mode mode, size_t slots) {
    size_t pad = 2 * s->padding;
    size_t units = mode == COP_SIGN_PAIRS ? (s->in.channels + 1) / 2 : s->in.channels;
    bool changed = t->data && t->mode != mode;
    t->mode = mode;
    t->group = s->flat ? SIGN_CHUNK : 1;
    t->col = t->group * SIGN_LANES;
    t->row = (s->in.width + pad) * t->col;
    t->unit = (s->in.height + pad) * t->row;
    t->chunk = units * t->unit;
    size_t bytes = (slots + t->group - 1) / t->group * t->chunk * cop_sign_element(mode);
    /* only the inside of a padded plane is ever written */
    if (changed && s->padding) memset(t->data, 0, t->bytes);
    cop_sign_reserve(&t->data, &t->bytes, bytes);
}

/* Planes of a channel for the hidden sink: rows are samples. */
static void show(sign_eval *e, const sign_step *step, double factor, bool wide, const void *plane,
                 size_t channel, size_t group, size_t samples) {
    size_t positions = step->in.height * step->in.width;
    size_t width = step->in.channels * positions;
    for (size_t lane = 0; lane < SIGN_LANES && group * SIGN_LANES + lane < samples; lane++) {
        size_t row = e->batch_row + group * SIGN_LANES + lane;
        double *out = e->rows[step->which] + row * width + channel * positions;
        for (size_t p = 0; p < positions; p++)
            out[p] = factor * (wide ? (double)((const int64_t *)plane)[p * SIGN_LANES + lane]
                                    : (double)((const int32_t *)plane)[p * SIGN_LANES + lane]);
    }
}

/* Where results of one channel go: into the tensor before stage @p next of the plan. */
static void put(const sign_eval *e, size_t next, bool spread, size_t slot, size_t channel,
                cop_shape shape, bool wide, const void *plane) {
    const sign_stage *s = &e->plan.stages[next];
    const sign_tensor *t = &e->in[next];
    size_t size = cop_sign_element(t->mode);
    char *base = (char *)t->data + (slot / t->group * t->chunk + slot % t->group * SIGN_LANES +
                                    s->padding * (t->row + t->col)) *
                                       size;
    size_t copies = spread ? shape.height * shape.width : 1; /* spread: a channel per position */
    cop_sign_plane place = {
        .rows = shape.height, .cols = shape.width, .row = t->row, .col = t->col};
    if (spread) place.rows = place.cols = 1;
    for (size_t k = 0; k < copies; k++) {
        size_t c = channel * copies + k, unit = t->mode == COP_SIGN_PAIRS ? c / 2 : c;
        cop_sign_store as = t->mode == COP_SIGN_64      ? COP_SIGN_STORE_64
                            : t->mode != COP_SIGN_PAIRS ? COP_SIGN_STORE_32
                            : c % 2                     ? COP_SIGN_STORE_PAIR_ODD
                                                        : COP_SIGN_STORE_PAIR_EVEN;
        e->ops->store(wide, (const char *)plane + k * SIGN_LANES * (wide ? 8 : 4), as, &place,
                      base + unit * t->unit * size);
    }
}

/* From a plane in e->plane[0] through steps [first..); returns the plane that holds the result. */
static const void *walk(sign_eval *e, const sign_steps *steps, size_t first, bool wide,
                        double factor, bool visible, size_t channel, size_t group, size_t samples) {
    size_t now = 0;
    for (size_t k = first; k < steps->count; k++) {
        const sign_step *step = &steps->items[k];
        size_t count = step->in.height * step->in.width;
        switch (step->kind) {
        case SIGN_RELU:
            e->ops->bias(wide, e->plane[now], SIGN_LANES, count, 0, true, e->plane[now]);
            break;
        case SIGN_POOL:
            e->ops->pool(wide, e->plane[now], step->in.height, step->in.width, step->kernel,
                         step->stride, e->plane[!now]);
            now = !now;
            break;
        case SIGN_SHOW:
            if (visible) show(e, step, factor, wide, e->plane[now], channel, group, samples);
            break;
        }
    }
    return e->plane[now];
}

static void logits(sign_eval *e, const sign_stage *s, size_t slot, size_t channel, bool wide,
                   const void *plane) {
    size_t count = s->out.height * s->out.width * SIGN_LANES;
    int64_t *out = e->logits + slot * e->setup.model->classes * SIGN_LANES + channel * count;
    for (size_t i = 0; i < count; i++)
        out[i] = wide ? ((const int64_t *)plane)[i] : ((const int32_t *)plane)[i];
}

void cop_sign_finish(sign_eval *e, size_t i, size_t v, size_t group, size_t samples,
                     const void *sums, size_t step, size_t to) {
    const sign_stage *s = &e->plan.stages[i];
    bool wide = cop_sign_is_wide(e->layers[i].mode);
    bool visible = e->listening && v == e->plan.variants.hidden;
    bool relu = s->steps.count && s->steps.items[0].kind == SIGN_RELU;
    size_t positions = s->sums.height * s->sums.width;
    for (size_t o = 0; o < s->sums.channels; o++) {
        const char *from = (const char *)sums + o * positions * step * (wide ? 8 : 4);
        e->ops->bias(wide, from, step, positions, s->bias[v * s->sums.channels + o], relu,
                     e->plane[0]);
        const void *plane =
            walk(e, &s->steps, relu ? 1 : 0, wide, s->factor[v], visible, o, group, samples);
        if (i + 1 == e->plan.count)
            logits(e, s, to, o, wide, plane);
        else
            put(e, i + 1, s->spread, to, o, s->out, wide, plane);
    }
}

/* Sums of a grid stage for the slot @p slot of its input. */
static void sum_grid(sign_eval *e, size_t i, size_t slot, void *sums) {
    const sign_stage *s = &e->plan.stages[i];
    const sign_tensor *t = &e->in[i];
    cop_sign_grid grid = {.rows = s->sums.height,
                          .cols = s->sums.width,
                          .in_row = s->stride * t->row,
                          .in_col = s->stride * t->col,
                          .out_plane = s->sums.height * s->sums.width * SIGN_LANES,
                          .out_row = s->sums.width * SIGN_LANES};
    e->ops->sum(e->layers[i].mode, &e->layers[i].edges, &grid,
                (const char *)t->data + slot * t->chunk * cop_sign_element(t->mode), sums);
}

/* Sums of a flat stage for slots [first..first + slots); first begins a chunk of the input. The
 * sums of a chunk are (output, position, SIGN_CHUNK) vectors. */
static void sum_flat(sign_eval *e, size_t i, size_t first, size_t slots, void *sums) {
    const sign_stage *s = &e->plan.stages[i];
    const sign_tensor *t = &e->in[i];
    size_t size = cop_sign_element(t->mode), out_size = cop_sign_is_wide(e->layers[i].mode) ? 8 : 4;
    size_t positions = s->sums.height * s->sums.width, vectors = SIGN_CHUNK * SIGN_LANES;
    for (size_t slot = 0; slot < slots; slot += SIGN_CHUNK) {
        cop_sign_grid grid = {.rows = 1,
                              .cols = slots - slot < SIGN_CHUNK ? slots - slot : SIGN_CHUNK,
                              .in_col = SIGN_LANES,
                              .out_plane = positions * vectors};
        const char *in = (const char *)t->data + (first + slot) / SIGN_CHUNK * t->chunk * size;
        char *out =
            (char *)sums + slot / SIGN_CHUNK * s->sums.channels * positions * vectors * out_size;
        for (size_t p = 0; p < positions; p++)
            e->ops->sum(e->layers[i].mode, &e->layers[i].edges, &grid,
                        in + (p / s->sums.width * s->stride * t->row +
                              p % s->sums.width * s->stride * t->col) *
                                 size,
                        out + p * vectors * out_size);
    }
}

static size_t sums_bytes(const sign_eval *e, size_t i, size_t slots) {
    const sign_stage *s = &e->plan.stages[i];
    size_t vectors = s->flat ? (slots + SIGN_CHUNK - 1) / SIGN_CHUNK * SIGN_CHUNK : 1;
    return cop_shape_size(s->sums) * vectors * SIGN_LANES *
           (cop_sign_is_wide(e->layers[i].mode) ? 8 : 4);
}

const size_t cop_sign_all_values[COP_VALUES_MAX + 1] = {0, 1,  2,  3,  4,  5,  6,  7, 8,
                                                        9, 10, 11, 12, 13, 14, 15, 16};

void cop_sign_tail(sign_eval *e, size_t from, size_t groups, const size_t *variant, size_t count,
                   size_t samples) {
    size_t slots = groups * count;
    for (size_t i = from; i < e->plan.count; i++) {
        const sign_stage *s = &e->plan.stages[i];
        size_t vectors = SIGN_CHUNK * SIGN_LANES;
        size_t chunk =
            cop_shape_size(s->sums) * vectors * (cop_sign_is_wide(e->layers[i].mode) ? 8 : 4);
        size_t vector = SIGN_LANES * (cop_sign_is_wide(e->layers[i].mode) ? 8u : 4u);
        if (i > 0) {
            cop_sign_reserve(&e->sums[1], &e->sums_bytes[1], sums_bytes(e, i, slots));
            sum_flat(e, i, 0, slots, e->sums[1]);
        }
        const char *sums = e->sums[i > 0];
        for (size_t slot = 0; slot < slots; slot++) {
            size_t sum = i ? slot : slot % groups; /* the first stage's sums serve all variants */
            cop_sign_finish(e, i, variant[slot / groups], slot % groups, samples,
                            sums + sum / SIGN_CHUNK * chunk + sum % SIGN_CHUNK * vector, vectors,
                            slot);
        }
    }
}

void cop_sign_run(sign_eval *e, size_t first_slot, size_t samples) {
    size_t groups = (samples + SIGN_LANES - 1) / SIGN_LANES, flat = 0, stages = e->plan.count;
    while (flat < stages && !e->plan.stages[flat].flat) flat++;
    for (size_t i = 0; i < stages; i++)
        cop_sign_reserve(&e->sums[i > 0], &e->sums_bytes[i > 0],
                         sums_bytes(e, i, i ? groups * e->variants : groups));
    for (size_t g = 0; g < groups && flat > 0; g++) {
        sum_grid(e, 0, first_slot + g, e->sums[0]);
        for (size_t v = 0; v < e->variants; v++) {
            size_t slot = v * groups + g;
            cop_sign_finish(e, 0, v, g, samples, e->sums[0], SIGN_LANES, flat > 1 ? 0 : slot);
            for (size_t i = 1; i < flat; i++) {
                sum_grid(e, i, 0, e->sums[1]);
                cop_sign_finish(e, i, v, g, samples, e->sums[1], SIGN_LANES,
                                i + 1 < flat ? 0 : slot);
            }
        }
    }
    if (flat == 0) sum_flat(e, 0, first_slot, groups, e->sums[0]);
    cop_sign_tail(e, flat, groups, cop_sign_all_values, e->variants, samples);
}

void cop_sign_quantise(sign_eval *e, const float *x, size_t n, size_t first_slot) {
    cop_shape shape = e->setup.model->input;
    size_t positions = shape.height * shape.width, inputs = cop_shape_size(shape);
    for (size_t s = 0; s < n; s += SIGN_LANES)
        for (size_t c = 0; c < shape.channels; c++) {
            int32_t *plane = e->plane[0];
            for (size_t lane = 0; lane < SIGN_LANES; lane++) {
                const float *row = x + (s + lane) * inputs + c * positions;
                for (size_t p = 0; p < positions; p++)
                    plane[p * SIGN_LANES + lane] =
                        s + lane < n ? (int32_t)lrint((double)row[p] * e->setup.scale) : 0;
            }
            const void *result = walk(e, &e->plan.lead, 0, false, 1, false, c, 0, 0);
            cop_shape out =
                e->plan.lead.count ? e->plan.lead.items[e->plan.lead.count - 1].out : shape;
            put(e, 0, e->plan.stages[0].in.channels != out.channels, first_slot + s / SIGN_LANES, c,
                out, false, result);
        }
}
