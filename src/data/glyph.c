/* From strokes to grey pixels. The path is distorted, not the picture: strokes stay sharp and even.
 */
#include "glyph.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIDE COP_GLYPH_SIDE
#define CURVE_STEPS 10
#define TWO_PI 6.283185307179586476925

static void add_point(cop_glyph_path *path, double x, double y, bool begins) {
    COP_ASSERT(path->count < COP_GLYPH_POINTS);
    path->x[path->count] = x;
    path->y[path->count] = y;
    path->begins[path->count++] = begins;
}

/* Bezier curve of n control points behind the first one, by de Casteljau. */
static void add_curve(cop_glyph_path *path, const double *x, const double *y, size_t n) {
    for (int step = 1; step <= CURVE_STEPS; step++) {
        double t = (double)step / CURVE_STEPS, u[4], v[4];
        memcpy(u, x, (n + 1) * sizeof *x);
        memcpy(v, y, (n + 1) * sizeof *y);
        for (size_t level = n; level > 0; level--)
            for (size_t i = 0; i < level; i++) {
                u[i] += t * (u[i + 1] - u[i]);
                v[i] += t * (v[i + 1] - v[i]);
            }
        add_point(path, u[0], v[0], false);
    }
}

void cop_glyph_trace(cop_glyph_path *path, const char *text) {
    path->count = 0;
    while (*text) {
        while (isspace((unsigned char)*text)) text++;
        char command = *text++;
        size_t points = command == 'C' ? 3 : command == 'Q' ? 2 : 1;
        COP_ASSERT(strchr("MLQC", command) && (command == 'M' || path->count));
        double x[4], y[4];
        if (path->count) {
            x[0] = path->x[path->count - 1];
            y[0] = path->y[path->count - 1];
        }
        for (size_t i = 1; i <= points; i++) {
            char *end;
            x[i] = (double)strtol(text, &end, 10);
            y[i] = (double)strtol(end, &end, 10);
            COP_ASSERT(end != text);
            text = end;
        }
        if (command == 'M')
            add_point(path, x[1], y[1], true);
        else if (points > 1)
            add_curve(path, x, y, points);
        else /* lines are cut up, so that distortion bends them */
            for (int step = 1; step <= CURVE_STEPS / 2; step++) {
                double t = (double)step / (CURVE_STEPS / 2);
                add_point(path, x[0] + t * (x[1] - x[0]), y[0] + t * (y[1] - y[0]), false);
            }
        while (isspace((unsigned char)*text)) text++;
    }
}

static double between(cop_rng *rng, double low, double high) {
    return low + (high - low) * cop_rng_uniform(rng);
}

/* Elastic displacement: a sum of random plane waves, smooth like that of Simard et al. 2003 (Best
 * practices for convolutional neural networks), but defined at every point. */
enum { WAVES = 4 };
typedef struct waves {
    double kx[WAVES], ky[WAVES], phase[WAVES], ax[WAVES], ay[WAVES];
} waves;

static waves draw_waves(cop_rng *rng, double amplitude) {
    waves w;
    for (int i = 0; i < WAVES; i++) {
        w.kx[i] = between(rng, -1.3, 1.3) * TWO_PI / 100;
        w.ky[i] = between(rng, -1.3, 1.3) * TWO_PI / 100;
        w.phase[i] = between(rng, 0, TWO_PI);
        w.ax[i] = amplitude * cop_rng_normal(rng);
        w.ay[i] = amplitude * cop_rng_normal(rng);
    }
    return w;
}

/* Box of 100 units to pixels: waves, then scale, shear, turn, shift. */
static void distort(cop_glyph_path *path, cop_rng *rng, double d) {
    waves w = draw_waves(rng, 2.4 * d);
    double size = 0.205 * (1 - d * between(rng, 0, 0.2)),
           aspect = 1 + d * between(rng, -0.28, 0.28), shear = d * between(rng, -0.38, 0.38),
           turn = d * between(rng, -0.28, 0.28), shift_x = d * between(rng, -2.4, 2.4),
           shift_y = d * between(rng, -2.4, 2.4), c = cos(turn), s = sin(turn);
    for (size_t i = 0; i < path->count; i++) {
        double x = path->x[i] - 50, y = path->y[i] - 50, dx = 0, dy = 0;
        for (int k = 0; k < WAVES; k++) {
            double wave = sin(w.kx[k] * x + w.ky[k] * y + w.phase[k]);
            dx += w.ax[k] * wave;
            dy += w.ay[k] * wave;
        }
        x = (x + dx) * size * aspect;
        y = (y + dy) * size;
        x -= shear * y;
        path->x[i] = SIDE / 2.0 + c * x - s * y + shift_x;
        path->y[i] = SIDE / 2.0 + s * x + c * y + shift_y;
    }
}

/* Ink of a round pen of radius @p r along one line, one pixel of anti-aliasing. */
static void ink(double *page, double x0, double y0, double x1, double y1, double r) {
    double reach = r + 1, dx = x1 - x0, dy = y1 - y0, length2 = dx * dx + dy * dy;
    int left = (int)floor(fmin(x0, x1) - reach), right = (int)ceil(fmax(x0, x1) + reach),
        top = (int)floor(fmin(y0, y1) - reach), bottom = (int)ceil(fmax(y0, y1) + reach);
    for (int row = top < 0 ? 0 : top; row < bottom && row < SIDE; row++)
        for (int column = left < 0 ? 0 : left; column < right && column < SIDE; column++) {
            double px = column + 0.5 - x0, py = row + 0.5 - y0;
            double t = length2 > 0 ? (px * dx + py * dy) / length2 : 0;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            double ex = px - t * dx, ey = py - t * dy, value = r + 0.5 - sqrt(ex * ex + ey * ey);
            double *to = &page[row * SIDE + column];
            value = value < 0 ? 0 : value > 1 ? 1 : value;
            if (value > *to) *to = value;
        }
}

/* Weights 1 2 1 along rows and columns, mixed with the picture itself. */
static void blur(double *page, double strength) {
    double soft[SIDE * SIDE];
    for (int pass = 0; pass < 2; pass++) {
        int step = pass ? SIDE : 1;
        for (int i = 0; i < SIDE * SIDE; i++) {
            int at = pass ? i / SIDE : i % SIDE;
            double before = at > 0 ? page[i - step] : 0, after = at < SIDE - 1 ? page[i + step] : 0;
            soft[i] = page[i] + strength * (0.25 * before + 0.25 * after - 0.5 * page[i]);
        }
        memcpy(page, soft, sizeof soft);
    }
}

void cop_glyph_draw(const cop_glyph *glyph, cop_rng *rng, double distortion, double noise,
                    float *pixels) {
    cop_glyph_path path;
    double page[SIDE * SIDE] = {0};
    size_t variants = 0;
    while (variants < COP_GLYPH_VARIANTS && glyph->variant[variants]) variants++;
    cop_glyph_trace(&path, glyph->variant[cop_rng_below(rng, variants)]);
    distort(&path, rng, distortion);
    double radius = 1.25 + fmin(distortion, 1) * between(rng, -0.5, 0.75),
           contrast = 1 - fmin(distortion, 1) * between(rng, 0, 0.35);
    for (size_t i = 0; i + 1 < path.count; i++)
        if (!path.begins[i + 1])
            ink(page, path.x[i], path.y[i], path.x[i + 1], path.y[i + 1], radius);
    bool soft = cop_rng_uniform(rng) < 0.25;
    double strength = between(rng, 0.5, 1), sd = noise * cop_rng_uniform(rng);
    if (soft && distortion > 0) blur(page, strength);
    for (int i = 0; i < SIDE * SIDE; i++) {
        double value = contrast * page[i] + (sd > 0 ? sd * cop_rng_normal(rng) : 0);
        pixels[i] = (float)floor(255 * (value < 0 ? 0 : value > 1 ? 1 : value) + 0.5);
    }
}
