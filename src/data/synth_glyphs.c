/* Sources of drawn characters: images that need no download, in the shape of MNIST. */
#include "glyph.h"
#include "source.h"

enum { STREAM_DIGITS, STREAM_LETTERS };

typedef struct state {
    const cop_glyph *glyphs;
    size_t classes;
    uint64_t seed;
    uint32_t stream;
    cop_split split;
    double distortion, noise;
} state;

static cop_status read_glyphs(cop_raw *raw, const size_t *keep, size_t count, float *x) {
    const state *s = raw->state;
    for (size_t i = 0; i < count; i++) {
        cop_rng rng = cop_synth_rng(s->seed, s->stream, s->split, keep[i]);
        cop_glyph_draw(&s->glyphs[keep[i] % s->classes], &rng, s->distortion, s->noise,
                       x + i * COP_GLYPH_SIDE * COP_GLYPH_SIDE);
    }
    return COP_OK;
}

static cop_status open_glyphs(cop_raw *raw, const cop_conf *conf, const char *section,
                              cop_split split, const cop_glyph *glyphs, size_t classes,
                              uint32_t stream) {
    state *s = COP_NEW(state);
    *s = (state){.glyphs = glyphs,
                 .classes = classes,
                 .seed = (uint64_t)cop_conf_int(conf, section, "seed"),
                 .stream = stream,
                 .split = split,
                 .distortion = cop_conf_real(conf, section, "distortion"),
                 .noise = cop_conf_real(conf, section, "noise")};
    raw->state = s;
    raw->close = cop_free;
    raw->read = read_glyphs;
    raw->channels = 1;
    raw->height = raw->width = COP_GLYPH_SIDE;
    for (size_t c = 0; c < classes; c++) cop_list_add(&raw->names, glyphs[c].name);
    cop_synth_labels(raw, conf, section, split, stream, classes);
    return COP_OK;
}

static cop_status open_digits(cop_raw *raw, const cop_conf *conf, const char *section,
                              cop_split split, const char *data_dir) {
    (void)data_dir;
    return open_glyphs(raw, conf, section, split, cop_glyph_digits, 10, STREAM_DIGITS);
}

static cop_status open_letters(cop_raw *raw, const cop_conf *conf, const char *section,
                               cop_split split, const char *data_dir) {
    (void)data_dir;
    return open_glyphs(raw, conf, section, split, cop_glyph_letters, 26, STREAM_LETTERS);
}

static cop_status check(const cop_conf *conf, const char *section, const char *data_dir) {
    (void)conf, (void)section, (void)data_dir;
    return COP_OK;
}

static const char *const uses[] = {
    "train_samples", "evolve_samples", "test_samples", "label_noise", "distortion", "noise", NULL};

const cop_source cop_source_glyphs_digits = {
    .name = "glyphs-digits",
    .summary = "Digits 0 to 9 drawn from strokes: 28 x 28 grey images, distorted and noisy.",
    .paper = "elastic distortion after Simard, Steinkraus and Platt 2003",
    .built_in = true,
    .uses = uses,
    .check = check,
    .open = open_digits,
};

const cop_source cop_source_glyphs_letters = {
    .name = "glyphs-letters",
    .summary = "Letters a to z drawn from strokes: 28 x 28 grey images, distorted and noisy.",
    .paper = "elastic distortion after Simard, Steinkraus and Platt 2003",
    .built_in = true,
    .uses = uses,
    .check = check,
    .open = open_letters,
};
