/* Names of pieces of the first layer's rows, so that equal pieces of different individuals are
 * found without looking at the weights again. */
#include "coppice/net.h"

#include <string.h>

/* layer_block only moves columns that are as few as the units, so those behind are one long piece,
 * of which there are no more than founders' rows and mutations. */
enum { PIECE = 64 };

static const cop_layer *first_of(const cop_model *model) {
    for (size_t i = 0; i < model->count; i++)
        if (model->layers[i].weights)
            return model->layers[i].kind == COP_LAYER_DENSE ? &model->layers[i] : NULL;
    return NULL;
}

size_t cop_names_pieces(const cop_model *model) {
    const cop_layer *first = first_of(model);
    if (!first) return 0;
    size_t head = first->biases < first->fan_in ? first->biases : first->fan_in;
    size_t pieces = (head + PIECE - 1) / PIECE;
    return pieces * PIECE < first->fan_in ? pieces + 1 : pieces;
}

size_t cop_names_cut(const cop_model *model, size_t piece) {
    return piece < cop_names_pieces(model) ? piece * PIECE : first_of(model)->fan_in;
}

__extension__ typedef unsigned __int128 wide;

static inline uint64_t fold(uint64_t a, uint64_t b) {
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* 64 bytes at a time, in four chains so that the processor has something to do. */
static inline void mix(uint64_t chain[4], const uint64_t word[8]) {
    for (int c = 0; c < 4; c++)
        chain[c] = fold(chain[c] ^ word[2 * c], word[2 * c + 1] ^ 0xa0761d6478bd642fu);
}

void cop_name_piece(const float *w, size_t count, size_t piece, cop_name *name) {
    uint64_t chain[4] = {0x9e3779b97f4a7c15u + piece, 0xbf58476d1ce4e5b9u + count,
                         0x94d049bb133111ebu, 0xd6e8feb86659fd93u};
    uint64_t word[8];
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        memcpy(word, w + i, sizeof word);
        mix(chain, word);
    }
    if (i < count) {
        memset(word, 0, sizeof word);
        memcpy(word, w + i, (count - i) * sizeof *w);
        mix(chain, word);
    }
    name->part[0] = fold(chain[0] ^ 0xe7037ed1a0b428dbu, chain[1]) + fold(chain[2], ~chain[3]);
    name->part[1] = fold(chain[0] + chain[2], chain[1] ^ 0x8ebc6af09c88c6e3u) ^ chain[3];
    if (!name->part[0]) name->part[0] = 1; /* 0 is no name */
}

static size_t rows_of(const cop_genome *genome, const cop_model *model) {
    cop_dense dense;
    cop_dense_of_mask(&dense, model, &genome->mask);
    size_t rows = dense.layer[0].rows;
    cop_dense_clear(&dense);
    return rows;
}

void cop_genome_name(cop_genome *genome, const cop_model *model) {
    const size_t pieces = cop_names_pieces(model);
    if (!pieces || !genome->w) return;
    if (!genome->name) {
        genome->names = rows_of(genome, model) * pieces;
        genome->name = COP_NEW_ARRAY(cop_name, genome->names);
    }
    const float *w = genome->w;
    for (size_t n = 0; n < genome->names; n++) {
        const size_t begin = cop_names_cut(model, n % pieces),
                     end = cop_names_cut(model, n % pieces + 1);
        if (!genome->name[n].part[0])
            cop_name_piece(w + begin, end - begin, n % pieces, &genome->name[n]);
        if (end == cop_names_cut(model, pieces)) w += end;
    }
}

void cop_genome_touch(cop_genome *genome, const cop_model *model, size_t rows, size_t columns) {
    const size_t pieces = cop_names_pieces(model);
    if (!genome->name) return;
    for (size_t r = 0; r < rows; r++)
        for (size_t p = 0; p < pieces && cop_names_cut(model, p) < columns; p++)
            genome->name[r * pieces + p].part[0] = 0;
}

void cop_genome_unname(cop_genome *genome) {
    cop_free(genome->name);
    genome->name = NULL;
    genome->names = 0;
}
