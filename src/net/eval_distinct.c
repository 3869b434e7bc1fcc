/* Equal individuals of a block are evaluated once. */
#include "coppice/net.h"

#include <string.h>

/* FNV-1a, 64 bits at a time: only equal masks must collide, and few others should. */
static uint64_t hash_of(const cop_mask *mask) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < cop_mask_words(mask->bits); i++) {
        hash = (hash ^ mask->words[i]) * 0x100000001b3u;
        hash ^= hash >> 32; /* a product alone never moves high bits down */
    }
    return hash;
}

/* Which of a block differ: distinct ones are numbered in the block's order. */
typedef struct distinct {
    const cop_mask **mask; /* (count) */
    size_t *first;         /* (count) number in the block of the first one like it */
    size_t *of;            /* (N) number among the distinct ones, at most the number in the block */
    size_t count;
    cop_hidden_sink sink; /* the caller's */
    void *user;
} distinct;

static void find_distinct(distinct *d, const cop_mask *const *masks, size_t count) {
    size_t slots = 4;
    while (slots < 2 * count) slots *= 2;
    size_t *table = COP_NEW_ARRAY(size_t, slots); /* number among the distinct ones, plus 1 */
    uint64_t *hash = COP_NEW_ARRAY(uint64_t, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t h = hash_of(masks[i]);
        size_t at = (size_t)h & (slots - 1);
        while (table[at] &&
               !(hash[table[at] - 1] == h && cop_mask_equal(d->mask[table[at] - 1], masks[i])))
            at = (at + 1) & (slots - 1);
        if (!table[at]) {
            d->mask[d->count] = masks[i];
            d->first[d->count] = i;
            hash[d->count] = h;
            table[at] = ++d->count;
        }
        d->of[i] = table[at] - 1;
    }
    cop_free(hash);
    cop_free(table);
}

static cop_status pass_on(void *user, size_t individual, size_t which, const double *rows, size_t n,
                          size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    const distinct *d = user;
    return d->sink(d->user, d->first[individual], which, rows, n, width, task, batch, evidence);
}

cop_status cop_evaluate_distinct(const cop_evaluator *evaluator, void *self,
                                 const cop_eval_setup *setup, const cop_mask *const *masks,
                                 size_t count, const cop_shard *shard, cop_hidden_sink sink,
                                 void *user, cop_evidence *evidence, uint16_t *predictions) {
    distinct d = {.sink = sink, .user = user};
    if (count < 2 || setup->alone)
        return evaluator->evaluate(self, masks, count, shard, sink, user, evidence, predictions);
    d.mask = COP_NEW_ARRAY(const cop_mask *, count);
    d.first = COP_NEW_ARRAY(size_t, count);
    d.of = COP_NEW_ARRAY(size_t, count);
    find_distinct(&d, masks, count);
    cop_status status = evaluator->evaluate(self, d.mask, d.count, shard, sink ? pass_on : NULL, &d,
                                            evidence, predictions);
    /* The distinct ones' results lie in front. From the back on, nothing that is still needed is
     * overwritten: of[i] <= i. */
    size_t each = setup->weighting.values * shard->n;
    for (size_t i = count; status == COP_OK && d.count < count && i-- > 0;) {
        if (d.of[i] == i) break; /* and so are all before it */
        evidence[i] = evidence[d.of[i]];
        if (predictions && each)
            memcpy(predictions + i * each, predictions + d.of[i] * each,
                   each * sizeof *predictions);
    }
    cop_free(d.of);
    cop_free(d.first);
    cop_free(d.mask);
    return status;
}
