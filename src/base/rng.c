#include "coppice/base.h"

#include <math.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

cop_rng cop_rng_at(uint64_t seed, uint32_t generation, uint32_t item, uint32_t purpose) {
    return (cop_rng){.key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
                     .counter = {0, purpose, item, generation},
                     .used = 4};
}

uint32_t cop_rng_u32(cop_rng *rng) {
    if (rng->used == 4) {
        philox4x32_ctr_t counter = {
            {rng->counter[0], rng->counter[1], rng->counter[2], rng->counter[3]}};
        philox4x32_key_t key = {{rng->key[0], rng->key[1]}};
        philox4x32_ctr_t block = philox4x32(counter, key);
        for (int i = 0; i < 4; i++) rng->block[i] = block.v[i];
        rng->counter[0]++;
        COP_ASSERT(rng->counter[0] != 0); /* 2^34 words: a longer stream would repeat itself */
        rng->used = 0;
    }
    return rng->block[rng->used++];
}

uint64_t cop_rng_u64(cop_rng *rng) {
    uint64_t high = cop_rng_u32(rng);
    return high << 32 | cop_rng_u32(rng);
}

double cop_rng_uniform(cop_rng *rng) {
    return (double)(cop_rng_u64(rng) >> 11) * 0x1p-53;
}

enum { SIDE = 4 };

/* Several blocks side by side, the last one given being used up. */
static inline void next_blocks(cop_rng *rng, philox4x32_ctr_t block[SIDE]) {
    const philox4x32_key_t key = {{rng->key[0], rng->key[1]}};
    COP_ASSERT(rng->counter[0] < UINT32_MAX - SIDE);
    for (uint32_t k = 0; k < SIDE; k++) {
        const philox4x32_ctr_t counter = {
            {rng->counter[0] + k, rng->counter[1], rng->counter[2], rng->counter[3]}};
        block[k] = philox4x32(counter, key);
    }
    rng->counter[0] += SIDE;
}

void cop_rng_words(cop_rng *rng, uint32_t *to, size_t count) {
    size_t i = 0;
    for (; i < count && rng->used != 4; i++) to[i] = cop_rng_u32(rng);
    for (; i + 4 * SIDE <= count; i += 4 * SIDE) {
        philox4x32_ctr_t block[SIDE];
        next_blocks(rng, block);
        for (size_t k = 0; k < 4 * SIDE; k++) to[i + k] = block[k / 4].v[k % 4];
    }
    for (; i < count; i++) to[i] = cop_rng_u32(rng);
}

/* Block by block without looking whether one is left. */
void cop_rng_uniforms(cop_rng *rng, double *to, size_t count) {
    size_t i = 0;
    for (; i < count && rng->used != 4; i++) to[i] = cop_rng_uniform(rng);
    for (; i + 2 * SIDE <= count; i += 2 * SIDE) {
        philox4x32_ctr_t block[SIDE];
        next_blocks(rng, block);
        for (size_t k = 0; k < 2 * SIDE; k++) {
            const uint32_t *word = &block[k / 2].v[k % 2 * 2];
            to[i + k] = (double)(((uint64_t)word[0] << 32 | word[1]) >> 11) * 0x1p-53;
        }
    }
    for (; i < count; i++) to[i] = cop_rng_uniform(rng);
}

uint64_t cop_rng_below(cop_rng *rng, uint64_t n) {
    COP_ASSERT(n > 0);
    if (n <= UINT32_MAX) {
        /* Lemire 2019: the high word of a product, rejecting the draws that would favour some */
        uint32_t bound = (uint32_t)n, floor = (uint32_t)(-bound) % bound;
        for (;;) {
            uint64_t product = (uint64_t)cop_rng_u32(rng) * bound;
            if ((uint32_t)product >= floor) return product >> 32;
        }
    }
    uint64_t limit = UINT64_MAX - UINT64_MAX % n; /* a multiple of n */
    for (;;) {
        uint64_t draw = cop_rng_u64(rng);
        if (draw < limit) return draw % n;
    }
}

double cop_rng_normal(cop_rng *rng) {
    double u = 1.0 - cop_rng_uniform(rng), v = cop_rng_uniform(rng);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586476925 * v);
}

void cop_rng_shuffle(cop_rng *rng, uint32_t *items, size_t count) {
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)cop_rng_below(rng, i);
        uint32_t swap = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swap;
    }
}

void cop_rng_sample(cop_rng *rng, size_t count, cop_mask *out) {
    COP_ASSERT(count <= out->bits);
    for (size_t i = 0; i < cop_mask_words(out->bits); i++) out->words[i] = 0;
    /* Floyd: every subset of the wanted size is equally likely, with exactly `count` draws */
    for (size_t j = out->bits - count; j < out->bits; j++) {
        size_t draw = (size_t)cop_rng_below(rng, (uint64_t)j + 1);
        cop_mask_set(out, cop_mask_get(out, draw) ? j : draw);
    }
}
