/* What this machine can do at best, measured beside what is compared with it. */
#include "bench.h"

#include "coppice/la.h"

#include <string.h>

enum { TRIES = 12 };

double cop_bench_sgemm_peak(void) {
    enum { N = 512 };
    float *a = COP_NEW_ARRAY(float, N *N), *b = COP_NEW_ARRAY(float, N *N),
          *c = COP_NEW_ARRAY(float, N *N);
    double best = 0;
    for (size_t i = 0; i < (size_t)N * N; i++) a[i] = b[i] = (float)(i % 7) * 0.25f;
    cop_blas_one_thread();
    for (int i = 0; i < TRIES; i++) {
        double start = cop_bench_clock();
        cop_sgemm(false, false, N, N, N, a, N, b, N, 0, c, N);
        double rate = (double)N * N * N / (cop_bench_clock() - start);
        if (rate > best) best = rate;
    }
    cop_free(a);
    cop_free(b);
    cop_free(c);
    return best;
}

static double copy_peak(void) {
    const size_t bytes = (size_t)64 << 20;
    unsigned char *from = cop_alloc(bytes, 1), *to = cop_alloc(bytes, 1);
    double best = 0;
    for (int i = 0; i < TRIES / 2; i++) {
        memset(from, i, 64); /* something new, or the copy could be left out */
        double start = cop_bench_clock();
        memcpy(to, from, bytes);
        double rate = 2 * (double)bytes / (cop_bench_clock() - start);
        COP_ASSERT(to[63] == i);
        if (i && rate > best) best = rate; /* the first one meets fresh pages */
    }
    cop_free(from);
    cop_free(to);
    return best;
}

static double dot_peak(const char *kernel, bool memory, const char **name) {
    double best = 0;
    for (int i = 0; i < 2 * TRIES; i++) {
        uint64_t macs = 0, burst;
        double start = cop_bench_clock(), spent;
        do {
            *name = cop_dot_burst(kernel, memory, &burst);
            macs += burst;
            spent = cop_bench_clock() - start;
        } while (spent < 1e-3);
        if ((double)macs / spent > best) best = (double)macs / spent;
    }
    return best;
}

void cop_bench_measure_dot(const char *kernel, cop_bench_bounds *bounds) {
    bounds->dot = dot_peak(kernel, false, &bounds->dot_kernel);
    bounds->dot_memory = dot_peak(kernel, true, &bounds->dot_kernel);
}

void cop_bench_measure_bounds(const char *kernel, cop_bench_bounds *bounds) {
    bounds->sgemm = cop_bench_sgemm_peak();
    bounds->copy = copy_peak();
    cop_bench_measure_dot(kernel, bounds);
}

double cop_bench_kernel_peak(const cop_sparse_ops *ops) {
    enum { INPUTS = 48, OUTPUTS = 4, EDGES = 20 * INPUTS, GROUPS = 8 };
    const size_t chunk = GROUPS * COP_SPARSE_LANES;
    uint32_t begin[OUTPUTS + 1];
    float bias[OUTPUTS] = {0};
    cop_sparse_edge *edge = COP_NEW_ARRAY(cop_sparse_edge, OUTPUTS * EDGES);
    float *x = COP_NEW_ARRAY(float, INPUTS *chunk), *y = COP_NEW_ARRAY(float, OUTPUTS *chunk);
    const cop_sparse_edges edges = {1, OUTPUTS, begin, edge, bias};
    const cop_sparse_grid grid = {.rows = 1,
                                  .cols = GROUPS,
                                  .in_col = COP_SPARSE_LANES,
                                  .out_plane = chunk,
                                  .out_col = COP_SPARSE_LANES};
    double best = 0;
    for (size_t o = 0; o <= OUTPUTS; o++) begin[o] = (uint32_t)(o * EDGES);
    for (size_t i = 0; i < (size_t)OUTPUTS * EDGES; i++)
        edge[i] = (cop_sparse_edge){(int32_t)(i * 7 % INPUTS * chunk), 0.5f};
    for (int i = 0; i < 24; i++) {
        double start = cop_bench_clock(), spent, macs = 0;
        do {
            ops->sum(&edges, &grid, x, y);
            macs += (double)OUTPUTS * EDGES * (double)chunk;
            spent = cop_bench_clock() - start;
        } while (spent < 4e-3);
        if (macs / spent > best) best = macs / spent;
    }
    cop_free(edge);
    cop_free(x);
    cop_free(y);
    return best;
}
