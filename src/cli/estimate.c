/* What a search will need: memory of a rank, multiply-adds, size of a checkpoint. Bounds, not
 * measurements: every edge live, nothing compressed, every generation born. */
#include "compose.h"

#include <math.h>

typedef struct need {
    double samples;    /* once per node */
    double base;       /* base network */
    double genomes;    /* population, best ever, newborn */
    double evaluator;  /* workspace */
    double similarity; /* neighbourhoods of the base network, all batches met */
    double history;    /* rank 0 */
    double training;   /* rank 0, before the search: samples, workspace, gradients and moments */
    double checkpoint;
    double evaluations, children, macs;
    double generations;
} need;

static double mask_bytes(const cop_model *model) {
    return 8.0 * (double)cop_mask_words(model->weights);
}

/* Stop rules that are not a count of births (target, stagnation, time) can only make it less. */
static void count_births(const cop_composition *c, need *n) {
    cop_pool pool = {0};
    double population = (double)cop_plan_population(c->plan);
    cop_plan_op(c->plan, COP_ROLE_POOL, 0)->as.pool(c->plan, cop_plan_population(c->plan), &pool);
    n->children = (double)pool.children;
    n->generations = (double)cop_conf_int(c->conf, "stop", "generations");
    n->evaluations = population + n->generations * n->children;
    double limit = (double)cop_conf_int(c->conf, "stop", "evaluations");
    if (limit > 0 && n->evaluations > limit) {
        n->generations =
            n->children > 0 && limit > population ? floor((limit - population) / n->children) : 0;
        n->evaluations = population + n->generations * n->children;
    }
}

static void add_similarity(const cop_composition *c, const cop_data_facts *facts, need *n) {
    double batches = 0, first = (double)cop_conf_int(c->conf, "similarity", "batches"),
           pairs = 0.5 * (double)c->setup.batch * ((double)c->setup.batch - 1);
    for (size_t t = 0; t < c->tasks.count; t++) {
        double all = floor((double)facts->samples[t] / (double)c->setup.batch);
        batches += first > 0 && first < all ? first : all;
    }
    if (c->setup.hidden)
        n->similarity = 8 * pairs * (batches * (double)c->setup.hidden + 1) +
                        (double)cop_net_work_bytes(c->model, c->setup.batch, false);
}

static void estimate(const cop_composition *c, const cop_data_facts *facts, need *n) {
    const cop_model *m = c->model;
    double measures = (double)cop_plan_measures(c->plan)->count;
    n->evaluator = (double)c->evaluator->bytes(&c->setup);
    double population = (double)cop_plan_population(c->plan);
    count_births(c, n);
    n->samples = (double)facts->total * (4.0 * (double)cop_shape_size(m->input) + 4);
    n->base = 4.0 * (double)(m->weights + m->biases);
    n->genomes = (population + 1 + fmax(n->children, population)) * mask_bytes(m);
    n->history = n->evaluations * ((double)sizeof(cop_individual) + 8 * measures) +
                 (n->generations + 1) * (double)sizeof(cop_generation);
    if (facts->training)
        n->training =
            (double)facts->training * (4.0 * (double)cop_shape_size(m->input) + 4) +
            (double)cop_net_work_bytes(m, (size_t)cop_conf_int(c->conf, "base", "batch"), true) +
            4 * n->base;
    n->macs = n->evaluations * (double)facts->total * (double)c->setup.weighting.values *
              (double)cop_model_macs(m, NULL);
    add_similarity(c, facts, n);
    /* columns of the history, genomes as bits, base network; HDF5 takes up to 1 KiB per dataset,
     * and the texts inside (configuration, provenance) stay below 64 KiB */
    n->checkpoint =
        n->history + (population + 1) * mask_bytes(m) + n->base + 65536 + 1024 * measures;
}

static void add_bytes(cop_buf *out, const char *label, double bytes, const char *what) {
    char text[32];
    if (bytes > 0)
        cop_buf_printf(out, "  %-12s %10s  %s\n", label, cop_format_bytes(bytes, text), what);
}

void cop_composed_estimate(const cop_composition *c, const cop_data_facts *facts, cop_buf *out) {
    need n = {0};
    char text[32];
    estimate(c, facts, &n);
    cop_buf_printf(out, "network        %zu edges, %zu biases, %llu multiply-adds per sample\n",
                   c->model->weights, c->model->biases,
                   (unsigned long long)cop_model_macs(c->model, NULL));
    for (size_t t = 0; t < c->tasks.count; t++) {
        cop_buf_printf(out, "%-14s %s", t ? "" : "tasks", c->tasks.items[t]);
        if (facts->known)
            cop_buf_printf(out, ": %zu samples, %zu classes", facts->samples[t], facts->classes[t]);
        cop_buf_printf(out, "\n");
    }
    cop_buf_printf(out,
                   "search         %zu individuals, %.0f generations, at most %.0f evaluations\n",
                   cop_plan_population(c->plan), n.generations, n.evaluations);
    if (facts->known)
        cop_buf_printf(
            out,
            "work           at most %.3g multiply-adds: %.0f evaluations x %llu samples x "
            "%zu shared value%s, every edge live\n",
            n.macs, n.evaluations, (unsigned long long)facts->total, c->setup.weighting.values,
            c->setup.weighting.values == 1 ? "" : "s");
    else
        cop_buf_printf(out, "work           not known without the data\n");
    const char *file = cop_conf_text(c->conf, "base", "file");
    if (facts->training && *file)
        cop_buf_printf(out, "base network   trained on %zu samples: %s is not there, and is made\n",
                       facts->training, file);
    else if (facts->training)
        cop_buf_printf(out, "base network   trained on %zu samples unless one is in the cache\n",
                       facts->training);
    else if (facts->known)
        cop_buf_printf(out, "base network   read from %s\n", file);
    cop_buf_printf(out, "memory of a worker rank\n");
    add_bytes(out, "samples", n.samples, "once per node");
    add_bytes(out, "base", n.base, "the base network's parameters");
    add_bytes(out, "genomes", n.genomes, "population, best ever and newborn, one bit per edge");
    add_bytes(out, "evaluator", n.evaluator, cop_conf_text(c->conf, "evaluate", "arithmetic"));
    add_bytes(out, "similarity", n.similarity, "neighbourhoods in the base network, at most");
    add_bytes(out, "in all", n.samples + n.base + n.genomes + n.evaluator + n.similarity,
              "and some 50 MiB for MPI, HDF5 and BLAS");
    cop_buf_printf(out, "memory of rank 0\n");
    add_bytes(out, "history", n.history, "of every individual, at most");
    add_bytes(out, "training", n.training, "of the base network, before the search");
    cop_buf_printf(out, "checkpoint     at most %s\n", cop_format_bytes(n.checkpoint, text));
}
