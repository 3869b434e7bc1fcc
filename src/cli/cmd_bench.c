/* coppice bench: how fast things run on this machine, beside what its processor could do. */
#include "bench.h"
#include "commands.h"

#include <math.h>
#include <string.h>

static const cop_bench *const benches[] = {
#define COP_BENCH(name) &cop_bench_##name,
#include "bench_list.h"
#undef COP_BENCH
};
#define COUNT (sizeof benches / sizeof *benches)

static const cop_flag flags[] = {
    {"net", 0, "NAME", false, "padawann-cnn (default) or padawann-ff."},
    {"density", 0, "FRACTION", false,
     "Fraction of edges that are live (0.6; sparse: 0.05; kernels: a list, 1,0.6,0.1)."},
    {"values", 0, "LIST", false, "Shared weights, ascending (0.5,1,2)."},
    {"samples", 0, "N", false,
     "Samples to evaluate (eval: 1000, generation: 14000; kernels: as many as the clock wants) or, "
     "train, to learn from in a pass (6000)."},
    {"images", 0, "KIND", false,
     "glyphs (default): drawn digits, normalised like MNIST; random: pixels of noise."},
    {"individuals", 0, "K", false,
     "Relatives to evaluate as one block (1), pruned from a parent of that density."},
    {"distance", 0, "FRACTION", false,
     "Fraction of the parent's live edges that each relative has lost (0.025; of one individual "
     "alone: 0)."},
    {"alone", 0, NULL, false,
     "eval: compute every individual by itself, taking nothing from relatives or twins."},
    {"population", 0, "N", false,
     "generation, ecomp: individuals of the population (20; ecomp: 100)."},
    {"generation", 0, "G", false,
     "generation: whose children are evaluated (10); ecomp: how many are timed (10)."},
    {"data", 'd', "DIR", false,
     "ecomp: folder with the data sets, to take Fashion-MNIST instead of drawn digits."},
    {"fitness-samples", 0, "N", false,
     "generation: samples that the generations before it are judged on (500)."},
    {"evaluator", 0, "NAME", false, "sign (default), sparse, blas or reference."},
    {"kernel", 0, "NAME", false,
     "Integer kernel to use instead of the fastest; COPPICE_KERNEL does the same."},
    {"repeat", 0, "N", false,
     "Measure so often and take the median (5; generation and kernels: 3; sparse: 21; train: 5)."},
    {"rows", 0, "N", false, "sparse: outputs of the layer (1000)."},
    {"cols", 0, "N", false, "sparse: inputs of the layer (1000)."},
    {"batch", 0, "N", false, "sparse: samples of a product (128); train: of a step (100)."},
    {"layers", 0, "LIST", false, "train: inputs, hidden units, classes (784,1000,1000,1000,10)."},
    {"epsilon", 0, "E", false, "train: E (inputs + outputs) edges in a layer (20)."},
    {"front", 0, "LAYERS", false,
     "train: layers before the sparse ones, as in [network] layers; none if not given."},
    {"input", 0, "SHAPE", false, "train: shape of a sample of --front (3x32x32)."},
    {"activation", 0, "NAME", false, "train: relu (default), srelu or all-relu."},
    {"dropout", 0, "FRACTION", false, "train: dropped after each hidden layer (0)."},
    {"sweep", 0, NULL, false,
     "sparse: measure densities from 0.01 to 1, and where the dense product is as fast."},
    {"compare-with", 0, "COMMAND", false,
     "Also time this program on the same work, in turns with our own passes. It is started without "
     "a shell (docs/benchmarks.md)."},
    {"json", 0, NULL, false, "Print one JSON object (keys: docs/benchmarks.md)."},
    {"csv", 0, NULL, false, "Print CSV: a line of names, then a line per measurement."},
    {0}};

/* ------------------------------------------------------------------ which benchmark */

static cop_status find(const char *name, const cop_bench **bench) {
    const char *names[COUNT];
    cop_buf known = {0};
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(benches[i]->name, name) == 0) {
            *bench = benches[i];
            cop_buf_clear(&known);
            return COP_OK;
        }
        names[i] = benches[i]->name;
        cop_buf_printf(&known, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = cop_nearest(name, names, COUNT);
    cop_status status =
        near ? cop_fail(COP_E_USAGE, "bench: there is no benchmark '%s'; did you mean '%s'?", name,
                        near)
             : cop_fail(COP_E_USAGE, "bench: there is no benchmark '%s'; there are %s", name,
                        cop_buf_text(&known));
    cop_buf_clear(&known);
    return status;
}

static cop_status check_flags(const cop_bench *bench, const cop_args *args) {
    cop_list uses = {0};
    cop_status status = COP_OK;
    cop_list_split(&uses, bench->uses, " ");
    cop_list_add(&uses, "json");
    cop_list_add(&uses, "csv");
    for (size_t i = 0; i < args->given_count && status == COP_OK; i++) {
        bool known = false;
        for (size_t k = 0; k < uses.count; k++)
            known |= strcmp(uses.items[k], args->given[i].flag->name) == 0;
        if (!known)
            status = cop_fail(COP_E_USAGE, "bench %s: --%s is not one of its options: %s",
                              bench->name, args->given[i].flag->name, bench->uses);
    }
    if (status == COP_OK && cop_args_has(args, "json") && cop_args_has(args, "csv"))
        status = cop_fail(COP_E_USAGE, "bench: give one of --json and --csv");
    cop_list_clear(&uses);
    return status;
}

/* ------------------------------------------------------------------ printing */

/* @p digits significant ones; text as it is. */
static void add_scalar(cop_buf *out, const json_t *value, int digits) {
    double number = json_number_value(value);
    if (json_is_string(value))
        cop_buf_printf(out, "%s", json_string_value(value));
    else if (json_is_integer(value))
        cop_buf_printf(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_null(value))
        cop_buf_printf(out, "-");
    else if (digits < 17 && fabs(number) >= 1000 && fabs(number) < 1e7)
        cop_buf_printf(out, "%.0f", number);
    else
        cop_buf_printf(out, "%.*g", digits, number);
}

static void print_text(json_t *result) {
    const char *key;
    json_t *value, *rows = json_object_get(result, "rows"), *row;
    size_t i;
    cop_buf out = {0};
    json_object_foreach(result, key, value) {
        if (value == rows) continue;
        cop_buf_printf(&out, "%-32s", key);
        add_scalar(&out, value, 4);
        cop_buf_printf(&out, "\n");
    }
    if (json_array_size(rows)) {
        cop_buf head = {0}, cell = {0};
        cop_table table;
        json_object_foreach(json_array_get(rows, 0), key, value) cop_buf_printf(
            &head, "%s%s%s", head.length ? "|" : "", json_is_string(value) ? "<" : "", key);
        cop_table_init(&table, cop_buf_text(&head));
        json_array_foreach(rows, i, row) json_object_foreach(row, key, value) {
            cop_buf_reset(&cell);
            add_scalar(&cell, value, 3);
            cop_table_add(&table, "%s", cop_buf_text(&cell));
        }
        cop_buf_printf(&out, "\n");
        cop_table_write(&table, &out);
        cop_table_clear(&table);
        cop_buf_clear(&head);
        cop_buf_clear(&cell);
    }
    fputs(cop_buf_text(&out), stdout);
    cop_buf_clear(&out);
}

/* A text with a comma, quotation mark or line end is quoted (RFC 4180). */
static void add_csv(cop_buf *out, const json_t *value) {
    bool quoted = json_is_string(value) && strpbrk(json_string_value(value), ",\"\n");
    if (out->length && out->data[out->length - 1] != '\n') cop_buf_printf(out, ",");
    if (!quoted) {
        add_scalar(out, value, 17);
        return;
    }
    cop_buf_printf(out, "\"");
    for (const char *c = json_string_value(value); *c; c++)
        cop_buf_printf(out, *c == '"' ? "\"\"" : "%c", *c);
    cop_buf_printf(out, "\"");
}

/* What is common to all rows stands on every line, so that lines of several runs can be put
 * together. */
static void print_csv(json_t *result) {
    json_t *rows = json_object_get(result, "rows"), *row, *value;
    const char *key;
    cop_buf out = {0};
    size_t count = rows ? json_array_size(rows) : 1;
    for (size_t line = 0; line <= count; line++) {
        json_object_foreach(result, key, value) {
            json_t *name = json_string(key);
            if (value != rows || !rows) add_csv(&out, line ? value : name);
            json_decref(name);
        }
        row = rows ? json_array_get(rows, line ? line - 1 : 0) : NULL;
        if (row) json_object_foreach(row, key, value) {
                json_t *name = json_string(key);
                add_csv(&out, line ? value : name);
                json_decref(name);
            }
        cop_buf_printf(&out, "\n");
    }
    fputs(cop_buf_text(&out), stdout);
    cop_buf_clear(&out);
}

static cop_status run(const cop_args *args, cop_par *par) {
    const cop_bench *bench = NULL;
    COP_TRY(find(args->words[0], &bench));
    COP_TRY(check_flags(bench, args));
    json_t *result = json_object();
    cop_bench_text(result, "benchmark", bench->name);
    cop_status status = bench->run(args, par, result);
    if (status == COP_OK && cop_args_has(args, "json")) {
        cop_json_print(result, stdout);
        return status;
    }
    if (status == COP_OK && cop_args_has(args, "csv"))
        print_csv(result);
    else if (status == COP_OK)
        print_text(result);
    json_decref(result);
    return status;
}

const cop_command cop_cmd_bench = {
    .name = "bench",
    .synopsis = "BENCHMARK [options]",
    .summary = "Measure how fast this machine evaluates networks",
    .details =
        "BENCHMARK is one of\n"
        "  ecomp  generations of EComp's search: dense networks with weights of their own and "
        "similarity, as one worker breeds and judges them\n"
        "  eval  a network with random signed weights and a random mask, or a block of "
        "relatives\n"
        "  generation  the children of a generation of PADAWANN's genetic algorithm, as one worker "
        "breeds and evaluates them\n"
        "  kernels  every integer kernel of this machine on each layer of the two networks\n"
        "  sparse  one dense layer of floats with few live edges, against the dense product\n"
        "  train  steps of training, and rewiring, of a network of live edges\n"
        "Beside what was achieved stand the bounds of the machine, measured in the same run: a "
        "float product (sgemm), copying, and integer dot products. All times are "
        "processor time of one core. docs/benchmarks.md explains every number.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .ranks = COP_RANKS_ONE,
    .run = run};
