#include "coppice/base.h"

#include <string.h>

size_t cop_mask_words(size_t bits) {
    return bits / 64 + (bits % 64 != 0);
}

void cop_mask_init(cop_mask *mask, size_t bits) {
    mask->bits = bits;
    mask->words = COP_NEW_ARRAY(uint64_t, cop_mask_words(bits));
}

void cop_mask_clear(cop_mask *mask) {
    cop_free(mask->words);
    *mask = (cop_mask){0};
}

void cop_mask_copy(cop_mask *to, const cop_mask *from) {
    COP_ASSERT(to->bits == from->bits);
    size_t bytes = cop_mask_words(to->bits) * sizeof(uint64_t);
    if (bytes) memcpy(to->words, from->words, bytes);
}

void cop_mask_fill(cop_mask *mask) {
    size_t words = cop_mask_words(mask->bits);
    if (!words) return;
    memset(mask->words, 0xff, words * sizeof(uint64_t));
    if (mask->bits % 64) mask->words[words - 1] = ((uint64_t)1 << (mask->bits % 64)) - 1;
}

/* Bits of whole words: with the processor's instruction where there is one. */
static size_t count_plain(const uint64_t *words, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += (size_t)__builtin_popcountll(words[i]);
    return count;
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) static size_t count_fast(const uint64_t *words, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += (size_t)__builtin_popcountll(words[i]);
    return count;
}
static size_t count_words(const uint64_t *words, size_t n) {
    return __builtin_cpu_supports("popcnt") ? count_fast(words, n) : count_plain(words, n);
}
#else
static size_t count_words(const uint64_t *words, size_t n) {
    return count_plain(words, n);
}
#endif

size_t cop_mask_count(const cop_mask *mask) {
    return count_words(mask->words, cop_mask_words(mask->bits));
}

/* The bits of word @p word that lie in [begin, end). */
static uint64_t window(size_t word, size_t begin, size_t end) {
    uint64_t bits = ~(uint64_t)0;
    if (word == begin / 64) bits &= ~(uint64_t)0 << (begin % 64);
    if (word == end / 64) bits &= ((uint64_t)1 << (end % 64)) - 1;
    return bits;
}

size_t cop_mask_count_range(const cop_mask *mask, size_t begin, size_t end) {
    COP_ASSERT(begin <= end && end <= mask->bits);
    const size_t first = begin / 64, last = end / 64; /* words that may be cut */
    if (begin == end) return 0;
    size_t count = (size_t)__builtin_popcountll(mask->words[first] & window(first, begin, end));
    if (last > first + 1) count += count_words(mask->words + first + 1, last - first - 1);
    if (last > first && end % 64)
        count += (size_t)__builtin_popcountll(mask->words[last] & window(last, begin, end));
    return count;
}

bool cop_mask_equal(const cop_mask *a, const cop_mask *b) {
    size_t bytes = cop_mask_words(a->bits) * sizeof(uint64_t);
    return a->bits == b->bits && (!bytes || memcmp(a->words, b->words, bytes) == 0);
}

size_t cop_mask_distance(const cop_mask *a, const cop_mask *b) {
    COP_ASSERT(a->bits == b->bits);
    size_t count = 0, words = cop_mask_words(a->bits);
    for (size_t i = 0; i < words; i++)
        count += (size_t)__builtin_popcountll(a->words[i] ^ b->words[i]);
    return count;
}

void cop_mask_copy_range(cop_mask *to, const cop_mask *from, size_t begin, size_t end) {
    COP_ASSERT(to->bits == from->bits && begin <= end && end <= to->bits);
    for (size_t i = begin / 64; i * 64 < end; i++) {
        uint64_t bits = window(i, begin, end);
        to->words[i] = (to->words[i] & ~bits) | (from->words[i] & bits);
    }
}
