/* One individual: bounds that decide the number types, and lists of live edges for the kernels.
 *
 * The bounds. Let every input of a layer lie in [low, high] with low <= 0 <= high (0 is included
 * for padding). An output with P live edges of sign +1 and M of -1 lies in [P*low - M*high, P*high
 * - M*low], and so does every partial sum in any order, since a missing term is a term 0. Then the
 * bias is added, ReLU cuts at 0, max-pool changes nothing. The first layer's range comes from the
 * samples themselves. So no sum can overflow, whatever the samples of later batches' activations
 * turn out to be. */
#include "net/eval_sign.h"

#include <string.h>

#define CACHE_BYTES 24576 /* of inputs per block: most of a first-level cache of 32 KiB */

size_t cop_sign_taps(const sign_stage *s, cop_sign_mode mode) {
    size_t units = mode == COP_SIGN_PAIRS ? (s->in.channels + 1) / 2 : s->in.channels;
    return units * s->kernel_h * s->kernel_w;
}

static int64_t magnitude(sign_range r) {
    return -r.low > r.high ? -r.low : r.high;
}

/* P*high - M*low and P*low - M*high; false when 62 bits do not suffice. */
static bool spread(sign_range in, size_t plus, size_t minus, sign_range *out) {
    int64_t a, b, c, d;
    if (__builtin_mul_overflow(in.high, (int64_t)plus, &a) ||
        __builtin_mul_overflow(in.low, (int64_t)minus, &b) ||
        __builtin_mul_overflow(in.low, (int64_t)plus, &c) ||
        __builtin_mul_overflow(in.high, (int64_t)minus, &d) ||
        __builtin_sub_overflow(a, b, &out->high) || __builtin_sub_overflow(c, d, &out->low))
        return false;
    return out->high < INT64_MAX / 4 && out->low > -INT64_MAX / 4;
}

/* Range of the sums before (*sums) and after (*out) bias over all outputs and variants. Biases are
 * below 2^61, sums below 2^61: nothing here overflows. */
static cop_status stage_range(const sign_eval *e, const sign_stage *s, sign_range in,
                              sign_range *sums, sign_range *out) {
    size_t fan = s->layer->fan_in, outputs = s->sums.channels;
    *sums = *out = (sign_range){0, 0};
    for (size_t o = 0; o < outputs; o++) {
        size_t begin = s->layer->weight_begin + o * fan;
        sign_range one;
        if (!spread(in, cop_mask_count_range(&e->live_plus, begin, begin + fan),
                    cop_mask_count_range(&e->live_minus, begin, begin + fan), &one))
            return cop_fail(
                COP_E_EVALUATE,
                "sums of layer %s may leave 64-bit integers; use arithmetic = blas or a "
                "smaller [evaluate] steps",
                s->layer->name);
        if (one.high > sums->high) sums->high = one.high;
        if (one.low < sums->low) sums->low = one.low;
        for (size_t v = 0; v < e->variants; v++) {
            int64_t b = s->bias[v * outputs + o];
            if (one.high + b > out->high) out->high = one.high + b;
            if (one.low + b < out->low) out->low = one.low + b;
        }
    }
    return COP_OK;
}

/* All edges live, all signs at their worst. */
cop_sign_mode cop_sign_input_mode(const sign_eval *e) {
    const sign_stage *s = &e->plan.stages[0];
    int64_t most = magnitude(e->range), sum;
    if (most > INT16_MAX) return COP_SIGN_32;
    if (__builtin_mul_overflow(most, (int64_t)s->layer->fan_in, &sum)) return COP_SIGN_32;
    for (size_t i = 0; i < s->sums.channels * e->variants; i++) {
        int64_t b = s->bias[i] < 0 ? -s->bias[i] : s->bias[i];
        if (sum > INT32_MAX || b > INT32_MAX - sum) return COP_SIGN_32;
    }
    return COP_SIGN_PAIRS;
}

static cop_sign_mode choose_mode(sign_range in, sign_range sums, sign_range out) {
    int64_t most = magnitude(sums) > magnitude(out) ? magnitude(sums) : magnitude(out);
    if (most <= INT32_MAX && magnitude(in) <= INT16_MAX) return COP_SIGN_PAIRS;
    if (most <= INT32_MAX && magnitude(in) <= INT32_MAX) return COP_SIGN_32;
    return magnitude(in) <= INT32_MAX ? COP_SIGN_WIDE : COP_SIGN_64;
}

/* Taps per block, so that the inputs under a register tile stay in the first-level cache while all
 * outputs pass over them, and in mode WIDE so that a block's sum fits 32 bits: block * |in| < 2^31.
 */
static size_t block_taps(const sign_eval *e, const sign_stage *s, cop_sign_mode mode,
                         sign_range range) {
    size_t kernel = s->kernel_h * s->kernel_w, taps;
    if (s->flat) {
        taps = CACHE_BYTES / (SIGN_CHUNK * SIGN_LANES * cop_sign_element(mode));
    } else {
        cop_sign_grid grid = {.rows = s->sums.height, .cols = s->sums.width};
        size_t rows = 1, cols = 1;
        e->ops->tile(&grid, &rows, &cols);
        size_t vectors =
            ((rows - 1) * s->stride + s->kernel_h) * ((cols - 1) * s->stride + s->kernel_w);
        size_t units = CACHE_BYTES / (vectors * SIGN_LANES * cop_sign_element(mode));
        taps = (units ? units : 1) * kernel;
    }
    if (mode == COP_SIGN_WIDE) {
        size_t safe = (size_t)(INT32_MAX / (magnitude(range) ? magnitude(range) : 1));
        if (taps > safe) taps = safe; /* at least 1, since |in| <= INT32_MAX */
    }
    return taps;
}

static bool bit(const cop_mask *mask, size_t i) {
    return cop_mask_get(mask, i);
}

static void list_pairs(const sign_eval *e, const sign_stage *s, const sign_tensor *in,
                       sign_layer *l, size_t taps) {
    size_t kernel = s->kernel_h * s->kernel_w, at = 0, list = 0;
    for (size_t b = 0; b < l->edges.blocks; b++) {
        size_t first = b * l->block, last = first + l->block < taps ? first + l->block : taps;
        for (size_t o = 0; o < l->edges.outputs; o++) {
            size_t unit = first / kernel, tap = first % kernel;
            l->edges.begin[list++] = (uint32_t)at;
            for (size_t t = first; t < last; t++) {
                size_t w = s->layer->weight_begin + (o * s->in.channels + 2 * unit) * kernel + tap;
                uint32_t signs = bit(&e->live_plus, w) ? 1u : bit(&e->live_minus, w) ? 0xffffu : 0;
                if (2 * unit + 1 < s->in.channels) {
                    w += kernel;
                    signs |= bit(&e->live_plus, w)    ? 1u << 16
                             : bit(&e->live_minus, w) ? 0xffffu << 16
                                                      : 0;
                }
                if (signs)
                    l->edges.pair[at++] =
                        (cop_sign_pair){(int32_t)(unit * in->unit + tap / s->kernel_w * in->row +
                                                  tap % s->kernel_w * in->col),
                                        signs};
                if (++tap == kernel) {
                    tap = 0;
                    unit++;
                }
            }
        }
    }
    l->edges.begin[list] = (uint32_t)at;
}

/* Offsets of the taps whose bits are set in [begin, begin + count). */
static size_t list_bits(const cop_mask *mask, size_t begin, size_t count, const int32_t *offset,
                        int32_t *out) {
    size_t n = 0, end = begin + count;
    for (size_t word = begin / 64; word * 64 < end; word++) {
        uint64_t bits = mask->words[word];
        if (word == begin / 64) bits &= ~(uint64_t)0 << (begin % 64);
        if (word == end / 64) bits &= ((uint64_t)1 << (end % 64)) - 1;
        for (; bits; bits &= bits - 1)
            out[n++] = offset[word * 64 + (size_t)__builtin_ctzll(bits) - begin];
    }
    return n;
}

static void list_singles(const sign_eval *e, const sign_stage *s, const sign_tensor *in,
                         sign_layer *l, size_t taps) {
    size_t kernel = s->kernel_h * s->kernel_w, at = 0, list = 0;
    int32_t *offset = COP_NEW_ARRAY(int32_t, taps);
    for (size_t t = 0; t < taps; t++)
        offset[t] = (int32_t)(t / kernel * in->unit + t % kernel / s->kernel_w * in->row +
                              t % s->kernel_w * in->col);
    for (size_t b = 0; b < l->edges.blocks; b++) {
        size_t first = b * l->block, count = first + l->block < taps ? l->block : taps - first;
        for (size_t o = 0; o < l->edges.outputs; o++) {
            size_t begin = s->layer->weight_begin + o * taps + first;
            l->edges.begin[list++] = (uint32_t)at;
            at += list_bits(&e->live_plus, begin, count, offset + first, l->edges.offset + at);
            l->edges.begin[list++] = (uint32_t)at;
            at += list_bits(&e->live_minus, begin, count, offset + first, l->edges.offset + at);
        }
    }
    l->edges.begin[list] = (uint32_t)at;
    cop_free(offset);
}

/* Room for every edge, in either form: pairs are twice as large and at most as many. */
static void reserve(sign_layer *l, size_t lists, size_t edges) {
    if (lists + 1 > l->list_capacity) {
        cop_free(l->edges.begin);
        l->edges.begin = COP_NEW_ARRAY(uint32_t, lists + 1);
        l->list_capacity = lists + 1;
    }
    size_t bytes = edges * (l->mode == COP_SIGN_PAIRS ? sizeof(cop_sign_pair) : sizeof(int32_t));
    if (bytes > l->edge_capacity) {
        cop_free(l->edges.offset);
        l->edges.offset = cop_alloc(bytes, 1);
        l->edge_capacity = bytes;
    }
    l->edges.pair = (cop_sign_pair *)(void *)l->edges.offset;
}

/* Live edges of a stage as the kernels want them. */
static void list(sign_eval *e, size_t i, sign_layer *l, sign_range in) {
    const sign_stage *s = &e->plan.stages[i];
    size_t taps = cop_sign_taps(s, l->mode), begin = s->layer->weight_begin;
    size_t end = begin + s->layer->weights;
    l->block = block_taps(e, s, l->mode, in);
    l->edges.blocks = (taps + l->block - 1) / l->block;
    l->edges.outputs = s->sums.channels;
    reserve(l, 2 * l->edges.blocks * s->sums.channels,
            cop_mask_count_range(&e->live_plus, begin, end) +
                cop_mask_count_range(&e->live_minus, begin, end));
    if (l->mode == COP_SIGN_PAIRS)
        list_pairs(e, s, &e->in[i], l, taps);
    else
        list_singles(e, s, &e->in[i], l, taps);
}

cop_status cop_sign_compile(sign_eval *e, sign_layer *layers, const cop_mask *mask, size_t from,
                            size_t narrow, size_t slots) {
    COP_ASSERT(mask->bits == e->plus.bits);
    for (size_t i = 0; i < cop_mask_words(mask->bits); i++) {
        e->live_plus.words[i] = mask->words[i] & e->plus.words[i];
        e->live_minus.words[i] = mask->words[i] & e->minus.words[i];
    }
    sign_range in = e->range;
    for (size_t i = 0; i < e->plan.count; i++) {
        const sign_stage *s = &e->plan.stages[i];
        sign_layer *l = &layers[i];
        COP_TRY(stage_range(e, s, in, &l->sums, &l->out));
        l->mode = choose_mode(in, l->sums, l->out);
        if (i == 0 && from == 0 && e->in[0].mode == COP_SIGN_PAIRS) l->mode = COP_SIGN_PAIRS;
        if (i == 0 && from == 0 && e->in[0].mode == COP_SIGN_32 && l->mode == COP_SIGN_PAIRS)
            l->mode = COP_SIGN_32;
        if (i == narrow && l->mode == COP_SIGN_PAIRS) l->mode = COP_SIGN_32;
        if (i >= from && i > 0) cop_sign_tensor_shape(&e->in[i], s, l->mode, s->flat ? slots : 1);
        if (i >= from) list(e, i, l, in);
        for (size_t k = 0; k < s->steps.count; k++)
            if (s->steps.items[k].kind == SIGN_RELU) l->out.low = 0;
        in = l->out;
    }
    return COP_OK;
}
