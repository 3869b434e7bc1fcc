/* What ranks need; see memory.h. A rank is estimated phase by phase: blocks as large as those that
 * matter go back to the system when they are freed (cop_memory_begin), so phases do not add up. */
#include "memory.h"

#include <math.h>

#include "coppice/io.h"

#define PROGRAM ((double)(24u << 20)) /* program, MPI, HDF5 and BLAS, measured with two ranks */
#define LATER                                                                                      \
    ((double)(16u << 20))          /* of them, what is first touched in the search; small blocks   \
                                    */
#define TEXTS ((double)(1u << 20)) /* configuration and provenance in a checkpoint, HDF5's own */
#define HISTORY_COPIES 4           /* rows with room to grow, packed, and on their way */
#define FILE_COPIES 3              /* image in memory, as HDF5 keeps it, and what is read back */

static double larger(double a, double b) {
    return a > b ? a : b;
}

static double sample_bytes(const cop_model *model, double samples) {
    return samples * (sizeof(float) * (double)cop_shape_size(model->input) + sizeof(int32_t));
}

static size_t children_of(const cop_plan *plan) {
    cop_pool pool = {0};
    cop_plan_op(plan, COP_ROLE_POOL, 0)->as.pool(plan, cop_plan_population(plan), &pool);
    return pool.children;
}

size_t cop_unit_block(const cop_conf *conf, size_t workers, size_t individuals, size_t shards) {
    size_t block = (size_t)cop_conf_int(conf, "parallel", "block");
    if (block) return block < individuals ? block : individuals;
    size_t wanted = 4 * workers, cuts = (wanted + shards - 1) / shards;
    if (cuts > individuals) cuts = individuals;
    return (individuals + cuts - 1) / cuts;
}

/* The largest unit of any generation; drawn batches are more in the last one than before. */
static size_t largest_block(const cop_composition *c, const cop_memory_facts *facts,
                            double shards) {
    size_t population = cop_plan_population(c->plan), children = children_of(c->plan);
    size_t most = children > population ? children : population;
    size_t workers = facts->ranks > 1 ? (size_t)facts->ranks - 1 : 1;
    if (cop_plan_draw(c->plan) || shards < 1) shards = 1e9;
    return cop_unit_block(c->conf, workers, most, (size_t)shards);
}

/* Stop rules that are not a count of births (target, stagnation, time) can only make it less. */
static void count_births(const cop_composition *c, cop_memory *m) {
    double population = (double)cop_plan_population(c->plan);
    m->children = (double)children_of(c->plan);
    m->generations = (double)cop_conf_int(c->conf, "stop", "generations");
    m->evaluations = population + m->generations * m->children;
    double limit = (double)cop_conf_int(c->conf, "stop", "evaluations");
    if (limit > 0 && m->evaluations > limit) {
        m->generations =
            m->children > 0 && limit > population ? floor((limit - population) / m->children) : 0;
        m->evaluations = population + m->generations * m->children;
    }
}

/* Individuals that were the best of their time, at most as far as a search is known to go: of g
 * draws alike about ln g are records, and a search of 3,000 generations had 24. */
static double champions(double generations) {
    return generations < 1000 ? generations : 1000;
}

/* Individuals that a history holds at most. Bounded: those of two windows, the generation under
 * way, the population of a snapshot, and whoever was the best of its time. */
static double rows_held(const cop_composition *c, const cop_memory *m) {
    double window = (double)cop_conf_int(c->conf, "run", "history"),
           population = (double)cop_plan_population(c->plan);
    if (window == 0) return m->evaluations;
    double bounded = population + (2 * window + 1) * m->children + champions(m->generations) + 1;
    return bounded < m->evaluations ? bounded : m->evaluations;
}

static double similarity_bytes(const cop_composition *c, const cop_memory_facts *facts) {
    double batches = 0, first = (double)cop_conf_int(c->conf, "similarity", "batches"),
           pairs = 0.5 * (double)c->setup.batch * ((double)c->setup.batch - 1);
    if (!c->setup.hidden) return 0;
    for (size_t t = 0; t < c->tasks.count; t++) {
        double all = floor((double)facts->samples[t] / (double)c->setup.batch);
        if (cop_plan_draw(c->plan)) all = 1; /* the batch at hand */
        batches += first > 0 && first < all ? first : all;
    }
    /* the base network's activations come from an evaluator of their own */
    const cop_evaluator *reference = cop_evaluator_find("reference");
    cop_eval_setup setup = c->setup;
    setup.memory = 0;
    setup.alone = true;
    double own = cop_plan_is_dense(c->plan) ? (double)c->evaluator->bytes(&setup) : 0;
    return 8 * pairs * (batches * (double)c->setup.hidden + 1) +
           larger((double)reference->bytes(&setup),
                  larger(own, (double)cop_net_work_bytes(c->model, c->setup.batch, false)));
}

static double training_bytes(const cop_composition *c, const cop_memory_facts *facts, double base) {
    if (!facts->training) return 0;
    double samples = (double)facts->training;
    return sample_bytes(c->model, samples) + (double)facts->reading +
           2 * sizeof(uint32_t) * samples +
           (double)cop_net_work_bytes(c->model, (size_t)cop_conf_int(c->conf, "base", "batch"),
                                      true) +
           4 * base; /* gradients, best so far, at most two moments */
}

/* Sizes that do not depend on the limit. */
static void parts(cop_memory *m, const cop_composition *c, const cop_memory_facts *facts) {
    const cop_model *model = c->model;
    double population = (double)cop_plan_population(c->plan), total = 0, largest = 0;
    double genome = 8.0 * (double)cop_mask_words(model->weights);
    double measures = (double)cop_plan_measures(c->plan)->count, shards = 0;
    double shard = (double)cop_conf_int(c->conf, "evaluate", "shard");
    for (size_t t = 0; t < c->tasks.count; t++) {
        total += (double)facts->samples[t];
        largest = larger(largest, (double)facts->samples[t]);
        shards += ceil((double)facts->samples[t] / shard);
    }
    m->block = largest_block(c, facts, shards);
    count_births(c, m);
    m->program = (facts->program ? (double)facts->program : PROGRAM) + LATER;
    m->samples = sample_bytes(model, total);
    m->share = m->samples / facts->node_ranks;
    m->base = sizeof(float) * (double)(model->weights + model->biases);
    if (cop_plan_is_dense(c->plan)) /* weights of its own, and what names of them there are */
        genome += m->base + (double)(sizeof(cop_name) * cop_names_pieces(model) * model->widest);
    m->genomes = (population + 1 + larger(m->children, population)) * genome;
    if (cop_plan_draw(c->plan)) /* orders of a pass, and a batch */
        m->genomes += 2 * sizeof(uint32_t) * total + sample_bytes(model, (double)c->setup.batch);
    m->similarity = similarity_bytes(c, facts);
    double rows = rows_held(c, m) * ((double)sizeof(cop_individual) + 8 * measures) +
                  (m->generations + 1) * (double)sizeof(cop_generation);
    double gathered = larger(m->children, population) *
                      (shards * ((double)sizeof(cop_evidence) + (double)sizeof(cop_unit)) +
                       8 * (double)model->count);
    m->rows = rows;
    m->history = HISTORY_COPIES * rows + gathered;
    /* columns of the history, genomes as bits, base network; HDF5 takes up to 1 KiB per dataset,
     * and the texts inside (configuration, provenance) stay below 64 KiB */
    m->checkpoint = rows + (population + 1) * genome + m->base + 65536 + 1024 * measures;
    m->writing = HISTORY_COPIES * rows + FILE_COPIES * m->checkpoint + TEXTS;
    m->loading = sample_bytes(model, largest) + (double)facts->reading;
    m->training = training_bytes(c, facts, m->base);
    m->summary =
        sample_bytes(model, (double)facts->test) + (double)facts->reading + m->base + genome;
}

/* Most of a rank, without the program, samples and base network. @p own: the evaluator of the
 * search; @p table: that of the table at the end. */
static double worker_needs(const cop_memory *m, double own) {
    return larger(m->loading, m->genomes + own + m->similarity + m->writing);
}
static double master_needs(const cop_memory *m, double table) {
    return larger(larger(m->loading, m->training), m->history + m->summary + table);
}
static double alone_needs(const cop_memory *m, double own, double table) {
    double search = m->genomes + own + m->similarity + m->history;
    return larger(larger(m->loading, m->training), search + larger(m->writing, m->summary + table));
}

/* Bytes that an evaluator takes when it may take @p memory, with blocks of @p block; for the table
 * it measures no similarity. */
static double evaluator_bytes(const cop_composition *c, size_t memory, size_t block, bool table) {
    cop_eval_setup setup = c->setup;
    setup.memory = memory;
    setup.block = block;
    if (table) setup.hidden = 0;
    return (double)c->evaluator->bytes(&setup);
}

static size_t left_for(double budget, double others) {
    return budget - others >= 1 ? (size_t)(budget - others) : 1;
}

void cop_memory_estimate(cop_memory *m, const cop_composition *c, const cop_memory_facts *facts) {
    *m = (cop_memory){.budget = cop_conf_bytes(c->conf, "parallel", "memory")};
    parts(m, c, facts);
    double fixed = m->program + m->base, budget = (double)m->budget;
    bool alone = facts->ranks == 1;
    double least = evaluator_bytes(c, 1, m->block, false),
           least_table = evaluator_bytes(c, 1, 2, true);
    if (m->budget) {
        /* where one rank does both, the table gets what it needs at the least */
        double others = m->genomes + m->similarity + fixed + m->share;
        others += alone ? m->history + larger(m->writing, m->summary + least_table) : m->writing;
        m->limit = left_for(budget, others);
        others = fixed + m->share + m->history + m->summary;
        m->limit_master = alone ? (size_t)least_table : left_for(budget, others);
    }
    double table = evaluator_bytes(c, m->limit_master, 2, true);
    m->evaluator = evaluator_bytes(c, m->limit, m->block, false);
    if (alone) {
        m->least_worker = m->least_master = fixed + m->share + alone_needs(m, least, least_table);
        m->worker = m->master = fixed + m->samples + alone_needs(m, m->evaluator, table);
    } else {
        m->least_worker = fixed + m->share + worker_needs(m, least);
        m->least_master = fixed + m->share + master_needs(m, least_table);
        m->worker = fixed + m->samples + worker_needs(m, m->evaluator);
        m->master = fixed + m->samples + master_needs(m, table);
    }
    m->summary += table;
}

static cop_status too_little(const cop_memory *m, const cop_conf *conf, const char *who,
                             double least, const char *advice) {
    char needed[32];
    unsigned long long mib = (unsigned long long)ceil(least / (1 << 20));
    return cop_fail(COP_E_CONFIG,
                    "[parallel] memory = %s: %s needs at least %s (%.1f MiB of them samples): give "
                    "--memory %lluM or more%s",
                    cop_conf_text(conf, "parallel", "memory"), who, cop_format_bytes(least, needed),
                    m->share / (1 << 20), mib, advice);
}

/* What helps where the rows of the history are most of @p least. */
static const char *shorter(const cop_conf *conf) {
    return cop_conf_int(conf, "run", "history") ? ", a smaller [run] history or fewer generations"
                                                : ", [run] history = N or fewer generations";
}

cop_status cop_memory_check(const cop_memory *m, const cop_conf *conf, int ranks, bool master) {
    double budget = (double)m->budget;
    if (!m->budget) return COP_OK;
    if (m->least_worker > budget)
        return too_little(m, conf, ranks == 1 ? "one rank alone" : "a worker", m->least_worker,
                          (HISTORY_COPIES + FILE_COPIES) * m->rows > m->least_worker / 2
                              ? shorter(conf)
                          : ranks == 1 ? ", or more ranks"
                                       : ", a smaller network or fewer samples");
    if (master && m->least_master > budget)
        return too_little(m, conf, "rank 0", m->least_master,
                          m->training > m->history + m->summary
                              ? ", or train the base network before ([base] file)"
                              : shorter(conf));
    return COP_OK;
}

/* ------------------------------------------------------------------ what is not loaded yet */

static size_t count(const cop_composition *c, const char *task, cop_split split,
                    const char *data_dir, cop_memory_facts *facts) {
    cop_task_size size = {0};
    if (cop_task_count(&size, c->conf, task, split, data_dir) != COP_OK) cop_error_clear();
    if (size.reading > facts->reading) facts->reading = size.reading;
    return size.samples;
}

void cop_memory_count(const cop_composition *c, const char *data_dir, cop_memory_facts *facts) {
    const char *file = cop_conf_text(c->conf, "base", "file"),
               *task = cop_conf_text(c->conf, "base", "task");
    if (!*file || !cop_file_exists(file))
        facts->training =
            count(c, *task ? task : c->tasks.items[0], COP_SPLIT_TRAIN, data_dir, facts);
    for (size_t t = 0; t < c->tasks.count; t++) {
        size_t test = count(c, c->tasks.items[t], COP_SPLIT_TEST, data_dir, facts);
        if (test > facts->test) facts->test = test;
    }
}
