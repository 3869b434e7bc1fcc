/** @file glyph.h
 *  Drawn digits and letters. A glyph is a path in a box of 100 x 100 (y downwards), in a language
 * of M x y (begin a stroke), L x y (line), Q x y x y (quadratic) and C x y x y x y (cubic Bezier
 * curve).
 */
#ifndef COPPICE_DATA_GLYPH_H
#define COPPICE_DATA_GLYPH_H

#include "coppice/base.h"

#define COP_GLYPH_SIDE 28
#define COP_GLYPH_VARIANTS 3
#define COP_GLYPH_POINTS 512

/** One class: its name and the ways in which it is written (NULL-terminated unless full). */
typedef struct cop_glyph {
    const char *name;
    const char *variant[COP_GLYPH_VARIANTS];
} cop_glyph;

extern const cop_glyph cop_glyph_digits[10], cop_glyph_letters[26];

/** A path as points; a stroke ends where `begins` is set again. */
typedef struct cop_glyph_path {
    size_t count;
    double x[COP_GLYPH_POINTS], y[COP_GLYPH_POINTS];
    bool begins[COP_GLYPH_POINTS];
} cop_glyph_path;

/** Curves become short lines. The text is ours: a mistake in it is asserted. */
void cop_glyph_trace(cop_glyph_path *path, const char *text);

/** One sample as COP_GLYPH_SIDE^2 grey values 0..255 (whole numbers).
 *  @param distortion  0: as drawn, upright and centred; 1: as people write
 *  @param noise       largest standard deviation of the pixel noise, as a fraction of white */
void cop_glyph_draw(const cop_glyph *glyph, cop_rng *rng, double distortion, double noise,
                    float *pixels);

#endif
