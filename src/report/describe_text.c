/* Text from the JSON description, so that both always say the same. */
#include <string.h>

#include "coppice/report.h"

enum { ROWS_SHOWN = 20 };

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static double number_of(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

static long long whole_of(const json_t *object, const char *key) {
    return (long long)json_integer_value(json_object_get(object, key));
}

/* A cell with a number, or a dash for null. */
static void add_number(cop_table *table, const json_t *row, const char *key, const char *format) {
    const json_t *value = json_object_get(row, key);
    char cell[64];
    if (json_is_integer(value))
        snprintf(cell, sizeof cell, "%lld", (long long)json_integer_value(value));
    else if (!json_is_number(value))
        snprintf(cell, sizeof cell, "-");
    else if (strcmp(format, "%.4f") == 0)
        snprintf(cell, sizeof cell, "%.4f", json_number_value(value));
    else
        snprintf(cell, sizeof cell, "%.6g", json_number_value(value));
    cop_table_add(table, "%s", cell);
}

static void add_shape(cop_table *table, const json_t *shape) {
    long long size[3] = {0};
    for (size_t i = 0; i < 3; i++)
        size[i] = (long long)json_integer_value(json_array_get(shape, i));
    if (size[1] == 1 && size[2] == 1)
        cop_table_add(table, "%lld", size[0]);
    else
        cop_table_add(table, "%lldx%lldx%lld", size[0], size[1], size[2]);
}

static void write_network(const json_t *network, cop_buf *out) {
    const json_t *layers = json_object_get(network, "layers"), *layer, *value;
    char bytes[2][32];
    size_t i;
    cop_buf_printf(out, "network %s\n", text_of(network, "file"));
    cop_buf_printf(out, "  individual %lld, weighting %s", whole_of(network, "id"),
                   text_of(network, "weighting"));
    json_array_foreach(json_object_get(network, "values"), i, value)
        cop_buf_printf(out, "%s%g", i ? ", " : ", shared values ", json_number_value(value));
    cop_buf_printf(out, "\n  %lld of %lld edges live (density %.4f), %lld biases\n",
                   whole_of(network, "edges"), whole_of(network, "weights"),
                   number_of(network, "density"), whole_of(network, "biases"));
    if (whole_of(network, "front_parameters"))
        cop_buf_printf(out,
                       "  %lld parameters of the layers in front, which have all their edges\n",
                       whole_of(network, "front_parameters"));
    cop_buf_printf(out, "  %lld multiply-adds per sample, %lld when dense\n",
                   whole_of(network, "macs"), whole_of(network, "macs_dense"));
    cop_buf_printf(out, "  %s as dense floats, %s as compressed rows\n\n",
                   cop_format_bytes(number_of(network, "bytes_dense"), bytes[0]),
                   cop_format_bytes(number_of(network, "bytes_sparse"), bytes[1]));
    cop_table table;
    cop_table_init(&table, "<name|<layer|output|weights|live edges|density|multiply-adds");
    json_array_foreach(layers, i, layer) {
        cop_table_add(&table, "%s", text_of(layer, "name"));
        cop_table_add(&table, "%s", text_of(layer, "layer"));
        add_shape(&table, json_object_get(layer, "out"));
        add_number(&table, layer, "weights", "");
        add_number(&table, layer, "edges", "");
        add_number(&table, layer, "density", "%.4f");
        add_number(&table, layer, "macs", "");
    }
    cop_table_write(&table, out);
    cop_table_clear(&table);
}

static void write_generations(const json_t *rows, bool all, cop_buf *out) {
    size_t count = json_array_size(rows);
    size_t every = all || count <= ROWS_SHOWN ? 1 : (count + ROWS_SHOWN - 1) / ROWS_SHOWN;
    cop_table table;
    cop_table_init(&table,
                   "generation|evaluations|best|median|mean|worst|best ever|best id|density");
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        if (i % every && i + 1 < count) continue;
        add_number(&table, row, "generation", "");
        add_number(&table, row, "evaluations", "");
        add_number(&table, row, "best", "");
        add_number(&table, row, "median", "");
        add_number(&table, row, "mean", "");
        add_number(&table, row, "worst", "");
        add_number(&table, row, "best_ever", "");
        add_number(&table, row, "best_ever_id", "");
        add_number(&table, row, "density_mean", "%.4f");
    }
    cop_buf_printf(out, "\ngenerations%s\n", every > 1 ? " (all of them: --all)" : "");
    cop_table_write(&table, out);
    cop_table_clear(&table);
}

static void write_best(const json_t *best, cop_buf *out) {
    const char *name;
    const json_t *value;
    cop_buf_printf(out, "\nbest individual %lld, born in generation %lld, fitness %.6g\n",
                   whole_of(best, "id"), whole_of(best, "born"), number_of(best, "fitness"));
    cop_table table;
    cop_table_init(&table, "<measure|value");
    /* jansson's macro wants a pointer to non-const; nothing is changed */
    json_t *measures = json_object_get(best, "measures");
    json_object_foreach(measures, name, value) {
        cop_table_add(&table, "%s", name);
        if (json_is_number(value))
            cop_table_add(&table, "%.10g", json_number_value(value));
        else
            cop_table_add(&table, "-");
    }
    cop_table_write(&table, out);
    cop_table_clear(&table);
}

static void write_config(const json_t *config, cop_buf *out) {
    static const char *const of_search[][2] = {
        {"run", "name"},          {"run", "seed"},
        {"network", "input"},     {"network", "layers"},
        {"evaluate", "op"},       {"evaluate", "tasks"},
        {"evaluate", "values"},   {"evaluate", "arithmetic"},
        {"population", "size"},   {"fitness", "op"},
        {"similarity", "layers"}, {"select", "op"},
        {"cross", "op"},          {"vary", "ops"},
        {"stop", "generations"},  {NULL, NULL},
    };
    static const char *const of_training[][2] = {
        {"run", "name"},         {"run", "seed"},      {"train", "front"},  {"train", "algorithm"},
        {"train", "activation"}, {"train", "epsilon"}, {"train", "zeta"},   {"train", "optimiser"},
        {"train", "rate"},       {"train", "batch"},   {"train", "epochs"}, {NULL, NULL},
    };
    const char *const(*shown)[2] = json_object_get(config, "train") ? of_training : of_search;
    bool any = false;
    for (; (*shown)[0]; shown++) {
        const char *value = text_of(json_object_get(config, (*shown)[0]), (*shown)[1]);
        if (!*value) continue;
        if (!any) cop_buf_printf(out, "\nconfiguration (in full: --json, or config.ini)\n");
        any = true;
        cop_buf_printf(out, "  %s.%s = %s\n", (*shown)[0], (*shown)[1], value);
    }
}

static void write_checkpoint(const json_t *description, bool all, cop_buf *out) {
    const json_t *summary = json_object_get(description, "checkpoint");
    char seconds[32];
    cop_buf_printf(out, "checkpoint %s\n", text_of(summary, "file"));
    cop_buf_printf(out, "  run %s, %s, generation %lld, %lld evaluations, %s of search\n",
                   text_of(summary, "run_id"),
                   json_is_true(json_object_get(summary, "complete")) ? "complete" : "not complete",
                   whole_of(summary, "generation"), whole_of(summary, "evaluations"),
                   cop_format_seconds(number_of(summary, "elapsed"), seconds));
    cop_buf_printf(out, "  %lld individuals born, %lld alive, %lld genomes stored",
                   whole_of(summary, "individuals"), whole_of(summary, "population"),
                   whole_of(summary, "genomes"));
    if (whole_of(summary, "held") < whole_of(summary, "individuals"))
        cop_buf_printf(out, "; rows of %lld are held ([run] history)", whole_of(summary, "held"));
    cop_buf_printf(out, "\n");
    cop_buf_printf(out, "  digest %s\n", text_of(summary, "digest"));
    write_generations(json_object_get(description, "generations"), all, out);
    const json_t *best = json_object_get(description, "best");
    if (json_is_object(best)) write_best(best, out);
    cop_buf_printf(out, "\n");
}

static void write_ledger(const json_t *ledger, cop_buf *out) {
    if (json_array_size(ledger) == 0) return;
    cop_table table;
    const json_t *row;
    size_t i;
    cop_table_init(&table, "<file|<kind|generation|size|<state");
    json_array_foreach(ledger, i, row) {
        bool dropped = json_is_true(json_object_get(row, "dropped"));
        bool present = json_is_true(json_object_get(row, "present"));
        char bytes[32];
        cop_table_add(&table, "%s", text_of(row, "file"));
        cop_table_add(&table, "%s", text_of(row, "kind"));
        add_number(&table, row, "generation", "");
        cop_table_add(&table, "%s", cop_format_bytes(number_of(row, "bytes"), bytes));
        cop_table_add(&table, "%s", dropped ? "dropped" : present ? "there" : "MISSING");
    }
    cop_buf_printf(out, "\nledger\n");
    cop_table_write(&table, out);
    cop_table_clear(&table);
}

static bool lists_checkpoint(const json_t *ledger) {
    const json_t *row;
    size_t i;
    json_array_foreach(ledger, i,
                       row) if (strcmp(text_of(row, "kind"), "checkpoint") == 0 &&
                                !json_is_true(json_object_get(row, "dropped"))) return true;
    return false;
}

static void add_megabytes(cop_buf *out, const char *label, const json_t *bytes) {
    char text[32];
    if (json_is_integer(bytes) && json_integer_value(bytes) > 0)
        cop_buf_printf(out, "%s%s", label,
                       cop_format_bytes((double)json_integer_value(bytes), text));
}

/* Most memory of rank 0 and of a worker in the newest session, as run.json has it. */
static void write_memory(const json_t *memory, cop_buf *out) {
    const json_t *peaks = json_object_get(memory, "peak"), *most = NULL;
    if (!json_is_array(peaks)) return;
    for (size_t rank = 1; rank < json_array_size(peaks); rank++)
        if (!most || json_integer_value(json_array_get(peaks, rank)) > json_integer_value(most))
            most = json_array_get(peaks, rank);
    cop_buf_printf(out, "  memory of rank 0 at most");
    add_megabytes(out, " ", json_array_get(peaks, 0));
    add_megabytes(out, " (estimate ", json_object_get(memory, "estimate_master"));
    cop_buf_printf(out, ")");
    if (json_integer_value(most) > 0) {
        add_megabytes(out, ", of a worker ", most);
        add_megabytes(out, " (estimate ", json_object_get(memory, "estimate_worker"));
        cop_buf_printf(out, ")");
    }
    add_megabytes(out, "; limit ", json_object_get(memory, "budget"));
    cop_buf_printf(out, "\n");
}

void cop_describe_write(const json_t *description, bool all, cop_buf *out) {
    const json_t *run = json_object_get(description, "run");
    if (strcmp(text_of(description, "kind"), "run") == 0) {
        const char *status = text_of(description, "status");
        cop_buf_printf(out, "run %s\n  status %s", text_of(description, "path"),
                       *status ? status : "unknown (run.json cannot be read)");
        if (*text_of(run, "updated")) cop_buf_printf(out, " (%s)", text_of(run, "updated"));
        if (*text_of(run, "message")) cop_buf_printf(out, ": %s", text_of(run, "message"));
        cop_buf_printf(out, "\n");
        write_memory(json_object_get(run, "memory"), out);
        cop_buf_printf(out, "\n");
    }
    if (json_object_get(description, "epochs"))
        cop_describe_write_training(description, all, out);
    else if (json_object_get(description, "checkpoint"))
        write_checkpoint(description, all, out);
    else if (run)
        cop_buf_printf(out, "%s\n",
                       lists_checkpoint(json_object_get(description, "ledger"))
                           ? "no checkpoint is undamaged"
                           : "no checkpoint yet");
    if (json_object_get(description, "network"))
        write_network(json_object_get(description, "network"), out);
    write_config(json_object_get(description, "config"), out);
    if (json_object_get(description, "ledger"))
        write_ledger(json_object_get(description, "ledger"), out);
}
