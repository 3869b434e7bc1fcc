#include <math.h>

#include "coppice/report.h"

/* Two sets of a and b positions out of n, drawn blindly, share a number that is hypergeometric. */
static void expect(double a, double b, double n, double *mean, double *variance) {
    if (n < 2) {
        *mean += n > 0 ? a * b / n : 0;
        return;
    }
    *mean += a * b / n;
    *variance += a * b / n * ((n - a) / n) * ((n - b) / (n - 1));
}

cop_overlap cop_overlap_of(const cop_model *model, const cop_mask *a, const cop_mask *b) {
    COP_ASSERT(a->bits == model->weights && b->bits == model->weights);
    cop_overlap o = {.a = a->bits - cop_mask_count(a), .b = b->bits - cop_mask_count(b)};
    double variance = 0, layer_variance = 0;
    for (size_t i = 0; i < cop_mask_words(a->bits); i++) {
        uint64_t dead = ~(a->words[i] | b->words[i]); /* unused bits of the last word too */
        for (; dead; dead &= dead - 1) o.both++;
    }
    o.both -= 64 * cop_mask_words(a->bits) - a->bits;
    expect((double)o.a, (double)o.b, (double)a->bits, &o.chance, &variance);
    for (size_t l = 0; l < model->count; l++) {
        size_t begin = model->layers[l].weight_begin, n = model->layers[l].weights;
        expect((double)(n - cop_mask_count_range(a, begin, begin + n)),
               (double)(n - cop_mask_count_range(b, begin, begin + n)), (double)n,
               &o.chance_by_layer, &layer_variance);
    }
    o.sd = sqrt(variance);
    o.sd_by_layer = sqrt(layer_variance);
    return o;
}
