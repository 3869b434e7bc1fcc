/* The neighbourhood similarity of EComp (van den Beemt, Schroeder, de Valk 2021), which follows the
 * input distribution of t-SNE (van der Maaten, Hinton 2008). docs/similarity.md has formulas,
 * bounds and what it was checked against. */
#include "coppice/net.h"
#include "net/exact_math.h"
#include "net/similarity_kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* features packed at a time: with 104 columns 213 kB, which stays in the second-level cache */
enum { DEPTH = 256 };
enum { SEARCH_STEPS = 100 };
static const double SEARCH_TOLERANCE = 1e-5;
enum { ROUGH_STEPS = 12 };
static const float ROUGH_START = 3;    /* mean distances */
static const float ROUGH_FAR = 1e4f;   /* in mean distances: has no weight */
static const double HINT_ERROR = 5e-6; /* of an entropy foreseen near the end; seen: below 1e-6 */
static const double SUBNORMAL = 600, ALL_ZERO = 750; /* exponents of the nearest neighbour */
static const double EMPTY_ROW = 1e-8;
static const double FLOOR = DBL_EPSILON; /* 2.22e-16 */

static const cop_similarity_kernel *kernel(void) {
    size_t count;
    const cop_similarity_kernel *const *all = cop_similarity_kernels(&count);
    return all[count - 1];
}

/* Append to @p columns those of the features [first, first + count), count <= 8, that differ
 * between samples; constant ones add nothing to a distance (dead units, image borders). Returns how
 * many. */
static size_t pack(const double *rows, size_t n, size_t width, size_t first, size_t count,
                   double *columns, size_t stride) {
    bool varies[8] = {false};
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < count; k++)
            varies[k] |= rows[i * width + first + k] != rows[first + k];
    size_t packed = 0;
    for (size_t k = 0; k < count; k++) {
        if (!varies[k]) continue;
        for (size_t i = 0; i < n; i++) columns[packed * stride + i] = rows[i * width + first + k];
        packed++;
    }
    return packed;
}

/* Squared distance in eight partial sums. */
static double direct_distance(const double *a, const double *b, size_t width) {
    double sum[8] = {0};
    for (size_t k = 0; k < width; k++) sum[k % 8] += (a[k] - b[k]) * (a[k] - b[k]);
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/* Activations, sample by sample or unit by unit. */
typedef struct activations {
    const double *rows, *units; /* (n, width), or NULL and (width, stride) */
    size_t n, width, stride;
} activations;

/* Squared distance of samples i and j that nearly coincide. */
static double near_distance(const activations *a, size_t i, size_t j) {
    if (a->rows) return direct_distance(a->rows + i * a->width, a->rows + j * a->width, a->width);
    double *pair = cop_alloc(2 * a->width, sizeof *pair), apart;
    for (size_t k = 0; k < a->width; k++) {
        pair[k] = a->units[k * a->stride + i];
        pair[a->width + k] = a->units[k * a->stride + j];
    }
    apart = direct_distance(pair, pair + a->width, a->width);
    cop_free(pair);
    return apart;
}

/* d (stride, stride) := squared Euclidean distances of the n samples; DBL_MAX on the diagonal and
 * in the padding, where it gets weight 0. |a|^2 + |b|^2 - 2ab loses digits when samples nearly
 * coincide; where more than 20 bits would go the differences are summed instead, so every distance
 * is good to width * 2^-32 of its value. */
static void distances(const activations *a, double *d) {
    const size_t n = a->n, stride = a->stride;
    double *columns = cop_realloc(NULL, 0, DEPTH * stride, sizeof *columns);
    double *norm = cop_alloc(stride, sizeof *norm);
    size_t depth = 0;
    for (size_t first = 0; first < a->width; first += 8) {
        size_t count = a->width - first < 8 ? a->width - first : 8;
        if (depth + count > DEPTH) {
            kernel()->products(columns, depth, stride, d);
            depth = 0;
        }
        double *to = columns + depth * stride;
        depth += a->rows ? pack(a->rows, n, a->width, first, count, to, stride)
                         : kernel()->varied(a->units + first * stride, count, n, stride, to);
    }
    kernel()->products(columns, depth, stride, d);
    cop_free(columns);
    size_t near = kernel()->apart(d, n, stride, norm);
    for (size_t i = 0; i < n && near; i++)
        for (size_t j = i + 1; j < n && near; j++)
            if (d[i * stride + j] < (norm[i] + norm[j]) * 0x1p-20) {
                d[i * stride + j] = near_distance(a, i, j);
                near--;
            }
    kernel()->mirror(d, n, stride);
    cop_free(norm);
}

/* Where the search for one sample will end: the precision at which the entropy is what is wanted,
 * and how fast it falls there with the logarithm of the precision. Found by Newton's method in
 * single precision, in a few cheap steps. */
typedef struct hint {
    double beta, slope;
    double least; /* distance of the nearest neighbour */
    bool known;
} hint;

/* @p d as of neighbours_of, @p rough (count) for its single precision copy; @p start: a guess of
 * beta times the mean distance (from the nearest), moved to where it was found (neighbouring rows
 * are alike). */
static hint foresee(const double *d, size_t stride, double wanted, float *rough, size_t count,
                    float *start) {
    double mean, least; /* a distance common to all changes no entropy */
    kernel()->scaled(d, stride, ROUGH_FAR, rough, count, &least, &mean);
    if (!(mean > DBL_MIN && mean < DBL_MAX)) return (hint){.known = false};
    float beta = *start, moment[3];
    for (int step = 0; step < ROUGH_STEPS; step++) {
        kernel()->rough(rough, count, beta, moment);
        if (!(moment[0] > 0)) break;
        float first = moment[1] / moment[0];
        float slope = beta * beta * (moment[2] / moment[0] - first * first);
        float above = logf(moment[0]) + beta * first - (float)wanted;
        if (!(slope > 1e-3f) || !(beta > 0.02f && beta < 1e6f)) break;
        float move = above / slope;
        move = move > 1 ? 1 : move < -1 ? -1 : move;
        beta *= 1 + move + move * move / 2; /* exp, nearly */
        if (fabsf(move) < 2e-4f) {          /* the next would be 4e-8 of about that slope */
            *start = beta;
            return (hint){(double)beta / mean, (double)slope, least, true};
        }
    }
    return (hint){.known = false};
}

/* Bisect from 2^k to 2^(k+1), which doubling and halving lead to, as long as that is only about
 * sides: until the middle is as near as @p near to the end. After m steps it is the middle of that
 * 2^m-th part of the bracket which has the end inside, so no step waits for the one before. All
 * numbers are exact. Returns the steps taken, at most @p steps; 0 for any other bracket. */
static int halve(const hint *end, double near, int steps, double *low, double *high, double *beta) {
    const double part = end->beta / *low - 1; /* of the bracket, a whole number of 2^-52 */
    if (!(*high == 2 * *low && part >= 0 && part < 1)) return 0;
    const uint64_t place = (uint64_t)(part * 0x1p52);
    double close = near / *low * 0x1p52;
    int step = 0;
    for (; step < steps && step < 50; step++) {
        int64_t from_middle = (int64_t)(place << step & 0xfffffffffffffu) - (INT64_C(1) << 51);
        if (fabs((double)from_middle) <= close) break;
        close *= 2;
    }
    double width = ldexp(*low, -step);
    *low += width * (double)(place >> (52 - step));
    *high = *low + width;
    *beta = (*low + *high) / 2;
    return step;
}

/* Weights of the neighbours of one sample, @p d in place: exp(-beta d) / sum with beta such that
 * their entropy is @p wanted. The search is the reference's step by step (so is the result to the
 * tolerance): from 1, doubled or halved until bracketed, then bisected. With coinciding samples it
 * never ends by itself; 100 halvings or doublings stay far inside the range of double. Steps that
 * cannot be the last (@p end tells how far off they are) only need the side that they are on, so
 * they are not computed: the same path, a quarter of the work or less. */
static void neighbours_of(double *d, size_t stride, double wanted, const hint *end,
                          double *weight) {
    double low = -INFINITY, high = INFINITY, beta = 1, sum = 0, moment;
    const double near =
        end->known ? (SEARCH_TOLERANCE + HINT_ERROR) * end->beta / end->slope : INFINITY;
    for (int step = 0; step < SEARCH_STEPS; step++) {
        if (low > 0 && high < INFINITY && high * end->least < SUBNORMAL && end->known)
            step += halve(end, near, SEARCH_STEPS - 1 - step, &low, &high, &beta);
        double above = 0, deepest = beta * end->least;
        if (end->known && deepest > ALL_ZERO)
            above = -1; /* all weights are 0, which counts as too precise */
        else if (end->known && deepest < SUBNORMAL) /* else by what is left of the weights */
            above = fabs(end->beta - beta) > near ? end->beta - beta : 0;
        if (above == 0 || step + 1 == SEARCH_STEPS) {
            kernel()->weights(d, stride, beta, weight, &sum, &moment);
            if (sum == 0) sum = EMPTY_ROW;
            above = cop_exact_log(sum) + beta * (moment / sum) - wanted;
            if (isnan(above))
                sum = above; /* infinite distances weigh 0: keep them from being overlooked */
            if (!(fabs(above) > SEARCH_TOLERANCE)) break;
        }
        if (above > 0) {
            low = beta;
            beta = high < INFINITY ? (beta + high) / 2 : beta * 2;
        } else {
            high = beta;
            beta = low > -INFINITY ? (beta + low) / 2 : beta / 2;
        }
    }
    kernel()->share(d, weight, stride, sum);
}

static void neighbours(const activations *a, double perplexity, double *p) {
    const size_t n = a->n, stride = a->stride;
    double *d = cop_alloc(stride * stride, sizeof(double));
    double *weight = cop_alloc(stride, sizeof(double));
    distances(a, d);
    double wanted = cop_exact_log(perplexity);
    size_t count = (n + COP_SIM_ROUGH_LANES - 1) / COP_SIM_ROUGH_LANES * COP_SIM_ROUGH_LANES;
    float *rough = cop_alloc(count, sizeof(float)), start = ROUGH_START;
    for (size_t i = 0; i < n; i++) {
        hint end = foresee(d + i * stride, stride, wanted, rough, count, &start);
        neighbours_of(d + i * stride, stride, wanted, &end, weight);
    }
    cop_free(rough);
    double total = 0, *out = p;
    for (size_t i = 0; i < n; i++) {
        kernel()->pairs(d, i, n, stride, out);
        for (double *end = out + (n - i - 1); out < end; out++) total += *out;
    }
    total *= 2;
    /* comparisons this way round let NaN (activations that are not finite) reach the caller */
    if (total < FLOOR) total = FLOOR;
    kernel()->floored(p, (size_t)(out - p), total, FLOOR);
    cop_free(weight);
    cop_free(d);
}

static void check(size_t n, double perplexity) {
    COP_ASSERT(n >= 2 && n < SIZE_MAX / 16 / n);
    COP_ASSERT(perplexity > 0);
}

void cop_similarity_neighbours(const double *rows, size_t n, size_t width, double perplexity,
                               double *p) {
    check(n, perplexity);
    neighbours(&(activations){rows, NULL, n, width, COP_UNIT_STRIDE(n)}, perplexity, p);
}

void cop_similarity_neighbours_by_unit(const double *units, size_t n, size_t width,
                                       double perplexity, double *p) {
    check(n, perplexity);
    neighbours(&(activations){NULL, units, n, width, COP_UNIT_STRIDE(n)}, perplexity, p);
}

double cop_similarity_loss(const double *p, const double *q, size_t n) {
    COP_ASSERT(n >= 2);
    return 2 * kernel()->divergence(p, q, n * (n - 1) / 2);
}
