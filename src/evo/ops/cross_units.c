#include "coppice/op.h"

#include <string.h>

static uint64_t cuts(const cop_plan *plan) {
    (void)plan;
    return 0;
}

static void decide(const cop_plan *plan, cop_recipe *recipe, cop_rng *rng) {
    (void)plan, (void)rng;
    recipe->cut = 0;
}

/* Row @p r of the child takes what row @p s of the other has of inputs that both keep. */
static void take_row(const cop_dense_layer *to, size_t r, float *w, const cop_dense_layer *from,
                     size_t s, const float *v) {
    for (size_t c = 0, at = 0; c < to->columns; c++) {
        while (at < from->columns && from->column[at] < to->column[c]) at++;
        if (at == from->columns) return;
        if (from->column[at] != to->column[c]) continue;
        memcpy(w + to->begin + (r * to->columns + c) * to->per,
               v + from->begin + (s * from->columns + at) * from->per, to->per * sizeof *w);
    }
}

static void apply(const cop_plan *plan, const cop_recipe *recipe, const cop_genome *b,
                  cop_genome *child, cop_rng *rng) {
    const cop_model *model = cop_plan_model(plan);
    cop_dense to, from;
    (void)recipe;
    cop_dense_of_mask(&to, model, &child->mask);
    cop_dense_of_mask(&from, model, &b->mask);
    for (size_t k = 0; k < to.count; k++) {
        const cop_dense_layer *d = &to.layer[k], *f = &from.layer[k];
        size_t bias = model->layers[d->layer].bias_begin;
        for (size_t r = 0, s = 0; r < d->rows; r++) {
            while (s < f->rows && f->row[s] < d->row[r]) s++;
            if (s == f->rows || f->row[s] != d->row[r] || cop_rng_below(rng, 2)) continue;
            take_row(d, r, child->w, f, s, b->w);
            child->b[bias + d->row[r]] = b->b[bias + f->row[s]];
        }
    }
    cop_dense_clear(&to);
    cop_dense_clear(&from);
}

const cop_op cop_cross_units = {
    .role = COP_ROLE_CROSS,
    .name = "units",
    .paper = "",
    .summary =
        "A unit that both parents keep comes, with its bias and its weights from inputs that "
        "both keep, from either by the toss of a coin; the widths are the first parent's.",
    .section = "cross",
    .as.cross = {.cuts = cuts, .decide = decide},
    .dense = {.apply = apply},
};
