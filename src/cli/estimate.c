/* What a search will need: memory of a rank, multiply-adds, size of a checkpoint. Bounds, not
 * measurements: every edge live, nothing compressed, every generation born. */
#include "compose.h"

#include "run/samples.h"

static void add_bytes(cop_buf *out, const char *label, double bytes, const char *what) {
    char text[32];
    if (bytes > 0)
        cop_buf_printf(out, "  %-12s %10s  %s\n", label, cop_format_bytes(bytes, text), what);
}

/* Samples of all tasks that a generation is judged on, and the last population at the end (0: not
 * again). */
static void judged_on(const cop_composition *c, const cop_data_facts *facts, double *generation,
                      double *last) {
    const size_t draw = cop_plan_draw(c->plan), batch = c->setup.batch;
    *generation = draw ? 0 : (double)facts->total;
    *last = 0;
    for (size_t t = 0; draw && t < c->tasks.count; t++) {
        const size_t of = facts->samples[t], final = cop_samples_last(c->conf);
        *generation += (double)(cop_samples_batches(c->conf, of, batch, draw) * batch);
        *last += (double)(cop_samples_batches(c->conf, of, batch, final) * batch);
    }
}

static void add_work(const cop_composition *c, const cop_data_facts *facts, const cop_memory *n,
                     cop_buf *out) {
    double samples, last;
    if (!facts->known) {
        cop_buf_printf(out, "work           not known without the data\n");
        return;
    }
    judged_on(c, facts, &samples, &last);
    const size_t values = c->setup.weighting.values, population = cop_plan_population(c->plan);
    const double each = (double)values * (double)cop_model_macs(c->model, NULL);
    cop_buf_printf(out,
                   "work           at most %.3g multiply-adds: %.0f evaluations x %.0f samples x "
                   "%zu shared value%s, every edge live\n",
                   (n->evaluations * samples + (double)population * last) * each, n->evaluations,
                   samples, values, values == 1 ? "" : "s");
    if (last > 0)
        cop_buf_printf(out, "               and the last population again: %zu x %.0f samples\n",
                       population, last);
}

cop_status cop_composed_estimate(const cop_composition *c, const cop_data_facts *facts,
                                 cop_buf *out) {
    cop_memory n;
    cop_memory_facts known = facts->memory;
    char text[32];
    known.ranks = 2;
    known.node_ranks = 1;
    cop_memory_estimate(&n, c, &known);
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
    add_work(c, facts, &n, out);
    const char *file = cop_conf_text(c->conf, "base", "file");
    if (facts->memory.training && *file)
        cop_buf_printf(out, "base network   trained on %zu samples: %s is not there, and is made\n",
                       facts->memory.training, file);
    else if (facts->memory.training)
        cop_buf_printf(out, "base network   trained on %zu samples unless one is in the cache\n",
                       facts->memory.training);
    else if (facts->known)
        cop_buf_printf(out, "base network   read from %s\n", file);
    cop_buf_printf(out, "memory of a worker rank\n");
    add_bytes(out, "program", n.program, "with MPI, HDF5 and BLAS");
    add_bytes(out, "samples", n.samples, "once per node");
    add_bytes(out, "base", n.base, "the base network's parameters");
    add_bytes(out, "genomes", n.genomes,
              "population, best ever and newborn: one bit per edge, and weights of their own");
    add_bytes(out, "evaluator", n.evaluator, cop_conf_text(c->conf, "evaluate", "arithmetic"));
    add_bytes(out, "similarity", n.similarity, "neighbourhoods in the base network, at most");
    add_bytes(out, "checkpoint", n.writing, "while one is written");
    add_bytes(out, "in all", n.worker, "at most");
    cop_buf_printf(out, "memory of rank 0 (beside program, samples and base; not at one time)\n");
    add_bytes(out, "training", n.training, "of the base network, before the search");
    add_bytes(out, "history", n.history,
              "of the individuals held, at most, and copies on their way");
    add_bytes(out, "summary", n.summary, "the largest test set and an evaluator, at the end");
    add_bytes(out, "in all", n.master, "at most");
    if (n.budget) add_bytes(out, "limit", (double)n.budget, "[parallel] memory, of any rank");
    cop_buf_printf(out, "checkpoint     at most %s\n", cop_format_bytes(n.checkpoint, text));
    return cop_memory_check(&n, c->conf, known.ranks, true);
}
