#include "coppice/op.h"

#include <string.h>

/* Where the layers are cut depends on the parents' widths, which only those who hold their genomes
 * know: the recipe carries a number that the cuts are a function of. */
#define KEYS ((uint64_t)1 << 53)

static uint64_t cuts(const cop_plan *plan) {
    (void)plan;
    return KEYS;
}

static void decide(const cop_plan *plan, cop_recipe *recipe, cop_rng *rng) {
    (void)plan;
    recipe->cut = 1 + cop_rng_below(rng, KEYS);
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static void cross_layer(const cop_dense_layer *to, const cop_dense_layer *from, float *w,
                        const float *v, size_t cut) {
    for (size_t r = 0; r < cut; r++)
        memcpy(w + to->begin + r * to->columns * to->per,
               v + from->begin + r * from->columns * from->per, cut * to->per * sizeof *w);
}

static void apply(const cop_plan *plan, const cop_recipe *recipe, const cop_genome *b,
                  cop_genome *child, cop_rng *rng) {
    const cop_model *model = cop_plan_model(plan);
    cop_dense to, from;
    cop_rng cut_rng = cop_rng_at(recipe->cut, 0, 0, COP_FOR_CROSS_GENES);
    (void)rng; /* twins share their cuts, so these do not depend on the child */
    cop_dense_of_mask(&to, model, &child->mask);
    cop_dense_of_mask(&from, model, &b->mask);
    for (size_t k = 0; k < to.count; k++) {
        const cop_dense_layer *d = &to.layer[k], *f = &from.layer[k];
        size_t most = least(least(d->rows, f->rows), least(d->columns, f->columns));
        size_t cut = 1 + (size_t)cop_rng_below(&cut_rng, most);
        size_t bias = model->layers[d->layer].bias_begin;
        cross_layer(d, f, child->w, b->w, cut);
        if (k == 0) cop_genome_touch(child, model, cut, cut);
        for (size_t r = 0; r < cut; r++) child->b[bias + d->row[r]] = b->b[bias + f->row[r]];
    }
    cop_dense_clear(&to);
    cop_dense_clear(&from);
}

const cop_op cop_cross_layer_block = {
    .role = COP_ROLE_CROSS,
    .name = "layer_block",
    .paper = "van den Beemt, Schroeder and de Valk 2021 (EComp)",
    .summary = "In every layer the leading square block of the weights and the first biases, up to "
               "a cut drawn between 1 and what both parents have, come from the second parent; the "
               "widths are the first one's.",
    .section = "cross",
    .as.cross = {.cuts = cuts, .decide = decide},
    .dense = {.apply = apply, .names = true},
};
