/* What the generators share: every number of sample k is a function of (seed, generator, split, k).
 */
#include "source.h"

/* Streams of one generator: its splits, then what all samples share. */
#define STREAMS_PER_GENERATOR 16
#define SHARED 15

cop_rng cop_synth_shared(uint64_t seed, uint32_t stream, uint32_t item) {
    return cop_rng_at(seed, stream * STREAMS_PER_GENERATOR + SHARED, item, COP_FOR_SYNTH);
}

/* The label is drawn first, and always with two draws of fixed size, so what follows does not
 * depend on label_noise. */
static size_t draw_label(cop_rng *rng, size_t class, size_t classes, double noise) {
    double u = cop_rng_uniform(rng), v = cop_rng_uniform(rng);
    size_t shift = 1 + (size_t)(v * (double)(classes - 1));
    return u < noise ? (class + shift) % classes : class;
}

cop_rng cop_synth_rng(uint64_t seed, uint32_t stream, cop_split split, size_t item) {
    cop_rng rng = cop_rng_at(seed, stream * STREAMS_PER_GENERATOR + (uint32_t)split, (uint32_t)item,
                             COP_FOR_SYNTH);
    draw_label(&rng, 0, 2, 0);
    return rng;
}

size_t cop_synth_samples(const cop_conf *conf, const char *section, cop_split split) {
    char key[32];
    return (size_t)cop_conf_int(conf, section, cop_split_key(key, split, "samples"));
}

void cop_synth_labels(cop_raw *raw, const cop_conf *conf, const char *section, cop_split split,
                      uint32_t stream, size_t classes) {
    uint64_t seed = (uint64_t)cop_conf_int(conf, section, "seed");
    double noise = cop_conf_real(conf, section, "label_noise");
    raw->samples = cop_synth_samples(conf, section, split);
    raw->label = COP_NEW_ARRAY(int32_t, raw->samples);
    for (size_t i = 0; i < raw->samples; i++) {
        cop_rng rng = cop_rng_at(seed, stream * STREAMS_PER_GENERATOR + (uint32_t)split,
                                 (uint32_t)i, COP_FOR_SYNTH);
        raw->label[i] = (int32_t)draw_label(&rng, i % classes, classes, noise);
    }
}
