/* Genes: live edges, and own weights where there are some. */
#include "coppice/net.h"

#include <string.h>

void cop_genome_clear(cop_genome *genome) {
    cop_mask_clear(&genome->mask);
    cop_free(genome->w);
    cop_free(genome->b);
    cop_free(genome->name);
    *genome = (cop_genome){0};
}

/* Memory that is filled at once need not be zeroed first. */
static float *copy_of(const float *values, size_t count) {
    float *copy = cop_realloc(NULL, 0, count, sizeof *copy);
    if (count) memcpy(copy, values, count * sizeof *copy);
    return copy;
}

void cop_genome_copy(cop_genome *to, const cop_genome *from, const cop_model *model) {
    *to = (cop_genome){0};
    cop_mask_init(&to->mask, from->mask.bits);
    cop_mask_copy(&to->mask, &from->mask);
    if (!from->w) return;
    to->w = copy_of(from->w, cop_mask_count(&from->mask));
    to->b = copy_of(from->b, model->biases);
    if (!from->name) return;
    to->names = from->names;
    to->name = cop_realloc(NULL, 0, to->names, sizeof *to->name);
    memcpy(to->name, from->name, to->names * sizeof *to->name);
}

bool cop_genome_equal(const cop_genome *a, const cop_genome *b, const cop_model *model) {
    if (!cop_mask_equal(&a->mask, &b->mask) || !a->w != !b->w) return false;
    return !a->w || (memcmp(a->w, b->w, cop_mask_count(&a->mask) * sizeof *a->w) == 0 &&
                     memcmp(a->b, b->b, model->biases * sizeof *a->b) == 0);
}

void cop_genome_params(const cop_genome *genome, const cop_model *model, const cop_params *base,
                       cop_params *params) {
    COP_ASSERT(params->weights == model->weights && params->biases == model->biases);
    if (!genome->w) {
        cop_params_copy(params, base);
        return;
    }
    size_t at = 0;
    for (size_t edge = 0; edge < model->weights; edge++)
        params->w[edge] = cop_mask_get(&genome->mask, edge) ? genome->w[at++] : 0;
    if (model->biases) memcpy(params->b, genome->b, model->biases * sizeof *params->b);
}

/* ------------------------------------------------------------------ messages: words of the mask,
 * number of own weights, the weights, the biases */

void cop_genome_pack(const cop_genome *genome, const cop_model *model, cop_buf *out) {
    uint64_t own = genome->w ? cop_mask_count(&genome->mask) : 0;
    cop_buf_add(out, genome->mask.words, cop_mask_words(model->weights) * sizeof(uint64_t));
    cop_buf_add(out, &own, sizeof own);
    if (!own) return;
    cop_buf_add(out, genome->w, (size_t)own * sizeof *genome->w);
    cop_buf_add(out, genome->b, model->biases * sizeof *genome->b);
}

size_t cop_genome_unpack(cop_genome *genome, const cop_model *model, const unsigned char *bytes,
                         size_t length) {
    size_t words = cop_mask_words(model->weights) * sizeof(uint64_t), used = words + 8;
    uint64_t own;
    *genome = (cop_genome){0};
    if (length < used) return 0;
    cop_mask_init(&genome->mask, model->weights);
    memcpy(genome->mask.words, bytes, words);
    memcpy(&own, bytes + words, sizeof own);
    size_t tail = model->weights % 64;
    bool good = !tail || !(genome->mask.words[words / 8 - 1] >> tail);
    if (good && own) {
        size_t biases = model->biases * sizeof(float);
        good = own == cop_mask_count(&genome->mask) &&
               length - used >= (size_t)own * sizeof(float) + biases;
        if (good) {
            genome->w = cop_realloc(NULL, 0, (size_t)own, sizeof(float));
            genome->b = cop_realloc(NULL, 0, model->biases, sizeof(float));
            memcpy(genome->w, bytes + used, (size_t)own * sizeof(float));
            used += (size_t)own * sizeof(float);
            if (biases) memcpy(genome->b, bytes + used, biases);
            used += biases;
        }
    }
    if (good) return used;
    cop_genome_clear(genome);
    return 0;
}
