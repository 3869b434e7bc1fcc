/* The digest that users compare: a function of what was searched and found, not of how, where or
 * when. */
#include "coppice/run.h"

#include <string.h>

/* Floats as little-endian words, on any machine. */
static void add_floats(cop_hash *hash, const float *values, size_t count) {
    unsigned char block[4096];
    size_t used = 0;
    cop_hash_add_u64(hash, count);
    for (size_t k = 0; k < count; k++) {
        uint32_t word;
        memcpy(&word, &values[k], sizeof word);
        for (int byte = 0; byte < 4; byte++) block[used++] = (unsigned char)(word >> 8 * byte);
        if (used == sizeof block || k + 1 == count) {
            cop_hash_add(hash, block, used);
            used = 0;
        }
    }
}

void cop_checkpoint_digest(const cop_checkpoint *checkpoint, char hex[COP_HASH_HEX]) {
    const cop_network *base = checkpoint->base;
    cop_hash *hash = cop_hash_create();
    cop_hash_add_text(hash, "coppice run 1");
    cop_hash_add_text(hash, checkpoint->science_hash);
    cop_hash_add_text(hash, base->model->spec);
    add_floats(hash, base->params.w, base->params.weights);
    add_floats(hash, base->params.b, base->params.biases);
    cop_hash_add_u64(hash, checkpoint->history.measures);
    for (size_t k = 0; k < checkpoint->history.measures; k++)
        cop_hash_add_text(hash, checkpoint->measure_names[k]);
    cop_hash_add_u64(hash, checkpoint->tasks);
    for (size_t k = 0; k < checkpoint->tasks; k++)
        cop_hash_add_text(hash, checkpoint->task_names[k]);
    cop_history_hash(&checkpoint->history, hash);
    cop_hash_add_u64(hash, checkpoint->genomes);
    for (size_t k = 0; k < checkpoint->genomes; k++) {
        const cop_genome *genome = &checkpoint->genome[k];
        const cop_mask *mask = &genome->mask;
        cop_hash_add_u64(hash, checkpoint->genome_id[k]);
        cop_hash_add_u64(hash, mask->bits);
        for (size_t word = 0; word < cop_mask_words(mask->bits); word++)
            cop_hash_add_u64(hash, mask->words[word]);
        if (!genome->w) continue;
        add_floats(hash, genome->w, cop_mask_count(mask));
        add_floats(hash, genome->b, base->params.biases);
    }
    cop_hash_hex(hash, hex);
    cop_hash_destroy(hash);
}
