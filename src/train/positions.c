#include "positions.h"

#include <math.h>
#include <string.h>

/* Least significant digits first, 11 bits at a time, as many as the largest needs. */
void cop_positions_sort(uint64_t *list, size_t count) {
    enum { BITS = 11, DIGITS = 1 << BITS };
    uint64_t largest = 0;
    for (size_t i = 0; i < count; i++) largest = list[i] > largest ? list[i] : largest;
    uint64_t *other = COP_NEW_ARRAY(uint64_t, count), *from = list, *to = other;
    for (int shift = 0; shift < 64 && largest >> shift; shift += BITS) {
        size_t at[DIGITS] = {0}, sum = 0;
        for (size_t i = 0; i < count; i++) at[(from[i] >> shift) & (DIGITS - 1)]++;
        for (size_t d = 0; d < DIGITS; d++) {
            const size_t here = at[d];
            at[d] = sum;
            sum += here;
        }
        for (size_t i = 0; i < count; i++) to[at[(from[i] >> shift) & (DIGITS - 1)]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != list) memcpy(list, from, count * sizeof *list);
    cop_free(other);
}

static void exchange(uint64_t *a, uint64_t *b) {
    const uint64_t t = *a;
    *a = *b;
    *b = t;
}

/* Hoare's quickselect, the middle of three as pivot. */
uint64_t cop_positions_nth(uint64_t *keys, size_t count, size_t rank) {
    COP_ASSERT(rank < count);
    size_t low = 0, high = count - 1;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (keys[middle] < keys[low]) exchange(&keys[middle], &keys[low]);
        if (keys[high] < keys[low]) exchange(&keys[high], &keys[low]);
        if (keys[high] < keys[middle]) exchange(&keys[high], &keys[middle]);
        const uint64_t pivot = keys[middle];
        size_t i = low, j = high;
        for (;;) {
            while (keys[i] < pivot) i++;
            while (keys[j] > pivot) j--;
            if (i >= j) break;
            exchange(&keys[i++], &keys[j--]);
        }
        /* all keys differ: low..j are at most the pivot, j+1..high at least */
        if (rank <= j)
            high = j;
        else
            low = j + 1;
    }
    return keys[rank];
}

/* Both ascending, none in common. */
static void join(const uint64_t *a, size_t n, const uint64_t *b, size_t m, uint64_t *out) {
    size_t i = 0, k = 0;
    while (i < n || k < m) {
        const bool first = k == m || (i < n && a[i] < b[k]);
        *out++ = first ? a[i++] : b[k++];
    }
}

/* When more than half of all are taken: list the free ones and take so many of them. */
static void draw_free(cop_rng *rng, uint64_t possible, const uint64_t *taken, size_t taken_count,
                      uint64_t *out, size_t count) {
    size_t left = count, t = 0;
    uint64_t open = possible - taken_count;
    for (uint64_t at = 0; left; at++) {
        if (t < taken_count && taken[t] == at) {
            t++;
            continue;
        }
        if (cop_rng_below(rng, open--) < left) out[count - left--] = at;
    }
}

/* Rounds: draw as many as are missing, drop what is taken or was drawn before. That is the same as
 * drawing one after the other and rejecting. */
void cop_positions_draw(cop_rng *rng, uint64_t possible, const uint64_t *taken, size_t taken_count,
                        uint64_t *out, size_t count) {
    COP_ASSERT(taken_count <= possible && count <= possible - taken_count);
    if ((taken_count + count) > possible / 2) {
        draw_free(rng, possible, taken, taken_count, out, count);
        return;
    }
    uint64_t *fresh = COP_NEW_ARRAY(uint64_t, count), *joined = COP_NEW_ARRAY(uint64_t, count);
    size_t have = 0;
    while (have < count) {
        const size_t missing = count - have;
        size_t good = 0, t = 0, d = 0;
        for (size_t i = 0; i < missing; i++) fresh[i] = cop_rng_below(rng, possible);
        cop_positions_sort(fresh, missing);
        for (size_t i = 0; i < missing; i++) {
            while (t < taken_count && taken[t] < fresh[i]) t++;
            while (d < have && out[d] < fresh[i]) d++;
            if ((t < taken_count && taken[t] == fresh[i]) || (d < have && out[d] == fresh[i]) ||
                (good && fresh[good - 1] == fresh[i]))
                continue;
            fresh[good++] = fresh[i];
        }
        join(out, have, fresh, good, joined);
        have += good;
        memcpy(out, joined, have * sizeof *out);
    }
    cop_free(fresh);
    cop_free(joined);
}

void cop_positions_top(const float *value, uint64_t possible, const uint64_t *taken,
                       size_t taken_count, uint64_t *out, size_t count) {
    COP_ASSERT(possible <= UINT32_MAX && count <= possible - taken_count);
    if (!count) return;
    uint64_t *keys = COP_NEW_ARRAY(uint64_t, possible);
    size_t open = 0, t = 0, kept = 0;
    for (uint64_t at = 0; at < possible; at++) {
        uint32_t bits;
        if (t < taken_count && taken[t] == at) {
            t++;
            continue;
        }
        /* floats that are not negative are ordered like their bits */
        memcpy(&bits, value + at, sizeof bits);
        keys[open++] = (uint64_t)bits << 32 | (UINT32_MAX - at);
    }
    const uint64_t least = cop_positions_nth(keys, open, open - count);
    for (size_t i = 0; i < open; i++)
        if (keys[i] >= least) out[kept++] = UINT32_MAX - (keys[i] & UINT32_MAX);
    COP_ASSERT(kept == count);
    cop_positions_sort(out, count);
    cop_free(keys);
}
