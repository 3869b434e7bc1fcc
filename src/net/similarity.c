/* The neighbourhood similarity of EComp (van den Beemt, Schroeder, de Valk 2021), which follows the
 * input distribution of t-SNE (van der Maaten, Hinton 2008). docs/similarity.md has formulas,
 * bounds and what it was checked against. */
#include "coppice/net.h"
#include "net/exact_math.h"
#include "net/similarity_kernels.h"

#include <float.h>
#include <math.h>

/* features packed at a time: with 104 columns 213 kB, which stays in the second-level cache */
enum { DEPTH = 256 };
enum { SEARCH_STEPS = 100 };
static const double SEARCH_TOLERANCE = 1e-5;
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

/* d (stride, stride) := squared Euclidean distances of the n samples; DBL_MAX on the diagonal and
 * in the padding, where it gets weight 0. |a|^2 + |b|^2 - 2ab loses digits when samples nearly
 * coincide; where more than 20 bits would go the differences are summed instead, so every distance
 * is good to width * 2^-32 of its value. */
static void distances(const double *rows, size_t n, size_t width, double *d, size_t stride) {
    double *columns = cop_alloc(DEPTH * stride, sizeof(double));
    size_t depth = 0;
    for (size_t first = 0; first < width; first += 8) {
        size_t count = width - first < 8 ? width - first : 8;
        if (depth + count > DEPTH) {
            kernel()->products(columns, depth, stride, d);
            depth = 0;
        }
        depth += pack(rows, n, width, first, count, columns + depth * stride, stride);
    }
    kernel()->products(columns, depth, stride, d);
    cop_free(columns);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            double norms = d[i * stride + i] + d[j * stride + j];
            double apart = norms - 2 * d[i * stride + j];
            if (apart < norms * 0x1p-20)
                apart = direct_distance(rows + i * width, rows + j * width, width);
            d[i * stride + j] = apart;
        }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) d[i * stride + j] = d[j * stride + i];
        d[i * stride + i] = DBL_MAX;
        for (size_t j = n; j < stride; j++) d[i * stride + j] = DBL_MAX;
    }
}

/* Weights of the neighbours of one sample, @p d in place: exp(-beta d) / sum with beta such that
 * their entropy is @p wanted. The search is the reference's step by step (so is the result to the
 * tolerance): from 1, doubled or halved until bracketed, then bisected. With coinciding samples it
 * never ends by itself; 100 halvings or doublings stay far inside the range of double. */
static void neighbours_of(double *d, size_t stride, double wanted, double *weight) {
    double low = -INFINITY, high = INFINITY, beta = 1, sum = 0, moment;
    for (int step = 0; step < SEARCH_STEPS; step++) {
        kernel()->weights(d, stride, beta, weight, &sum, &moment);
        if (sum == 0) sum = EMPTY_ROW;
        double above = cop_exact_log(sum) + beta * (moment / sum) - wanted;
        if (isnan(above))
            sum = above; /* infinite distances weigh 0: keep them from being overlooked */
        if (!(fabs(above) > SEARCH_TOLERANCE)) break;
        if (above > 0) {
            low = beta;
            beta = high < INFINITY ? (beta + high) / 2 : beta * 2;
        } else {
            high = beta;
            beta = low > -INFINITY ? (beta + low) / 2 : beta / 2;
        }
    }
    for (size_t j = 0; j < stride; j++) d[j] = weight[j] / sum;
}

void cop_similarity_neighbours(const double *rows, size_t n, size_t width, double perplexity,
                               double *p) {
    COP_ASSERT(n >= 2 && n < SIZE_MAX / 16 / n);
    COP_ASSERT(perplexity > 0);
    size_t stride = (n + COP_SIM_LANES - 1) / COP_SIM_LANES * COP_SIM_LANES;
    double *d = cop_alloc(stride * stride, sizeof(double));
    double *weight = cop_alloc(stride, sizeof(double));
    distances(rows, n, width, d, stride);
    double wanted = cop_exact_log(perplexity);
    for (size_t i = 0; i < n; i++) neighbours_of(d + i * stride, stride, wanted, weight);
    double total = 0, *out = p;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            *out = d[i * stride + j] + d[j * stride + i];
            total += *out++;
        }
    total *= 2;
    /* comparisons this way round let NaN (activations that are not finite) reach the caller */
    if (total < FLOOR) total = FLOOR;
    for (double *entry = p; entry < out; entry++) {
        *entry /= total;
        if (*entry < FLOOR) *entry = FLOOR;
    }
    cop_free(weight);
    cop_free(d);
}

double cop_similarity_loss(const double *p, const double *q, size_t n) {
    COP_ASSERT(n >= 2);
    return 2 * kernel()->divergence(p, q, n * (n - 1) / 2);
}
