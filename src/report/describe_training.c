/* A network of [train] and how it was trained: as JSON, and as text from it. */
#include <string.h>

#include "coppice/report.h"
#include "run/training.h"

enum { ROWS_SHOWN = 20 };

static json_t *epoch_json(uint32_t epoch, const cop_training_row *r) {
    json_t *row = json_object();
    json_object_set_new(row, "epoch", cop_json_id(epoch));
    json_object_set_new(row, "loss", cop_json_real(r->loss));
    json_object_set_new(row, "accuracy", cop_json_real(100 * r->accuracy));
    json_object_set_new(row, "validation_accuracy", cop_json_real(100 * r->validation));
    json_object_set_new(row, "test_loss", cop_json_real(r->test_loss));
    json_object_set_new(row, "test_accuracy", cop_json_real(100 * r->test));
    json_object_set_new(row, "edges", cop_json_real(r->edges));
    json_object_set_new(row, "seconds", cop_json_real(r->seconds));
    return row;
}

static json_t *shape_json(cop_shape s) {
    json_t *out = json_array();
    const size_t sizes[] = {s.channels, s.height, s.width};
    for (size_t i = 0; i < 3; i++) json_array_append_new(out, cop_json_id(sizes[i]));
    return out;
}

static json_t *shape(size_t units) {
    return shape_json((cop_shape){units, 1, 1});
}

static uint32_t largest(const uint32_t *numbers, size_t count) {
    uint32_t most = 0;
    for (size_t i = 0; i < count; i++)
        if (numbers[i] > most) most = numbers[i];
    return most;
}

static json_t *layer_json(const cop_live_net *net, size_t index) {
    static const char *const activations[] = {"srelu", "relu", "all-relu"};
    const cop_live_layer *l = &net->layer[index];
    const bool last = index + 1 == net->settings.layers;
    const uint64_t possible = (uint64_t)l->inputs * l->outputs;
    json_t *out = json_object();
    char name[32];
    snprintf(name, sizeof name, last ? "output" : "hidden%zu", index + 1);
    json_object_set_new(out, "name", json_string(name));
    char *word =
        last ? cop_sprintf("dense(%zu)", l->outputs)
             : cop_sprintf("dense(%zu) %s", l->outputs, activations[net->settings.activation]);
    json_object_set_new(out, "layer", json_string(word));
    cop_free(word);
    json_object_set_new(out, "in", shape(l->inputs));
    json_object_set_new(out, "out", shape(l->outputs));
    json_object_set_new(out, "weights", cop_json_id(possible));
    json_object_set_new(out, "biases", cop_json_id(l->outputs));
    json_object_set_new(out, "edges", cop_json_id(l->edges));
    json_object_set_new(out, "density", cop_json_real((double)l->edges / (double)possible));
    json_object_set_new(out, "density_asked", json_null());
    json_object_set_new(out, "macs", cop_json_id(l->edges));
    json_object_set_new(out, "macs_dense", cop_json_id(possible));
    json_object_set_new(out, "rewired", json_boolean(l->rewired));
    uint32_t *from = COP_NEW_ARRAY(uint32_t, l->inputs),
             *into = COP_NEW_ARRAY(uint32_t, l->outputs);
    for (size_t k = 0; k < l->edges; k++) from[cop_live_input(net, l, k)]++;
    for (size_t o = 0; o < l->outputs; o++) into[o] = l->begin[o + 1] - l->begin[o];
    json_object_set_new(out, "largest_input_degree", cop_json_id(largest(from, l->inputs)));
    json_object_set_new(out, "largest_output_degree", cop_json_id(largest(into, l->outputs)));
    cop_free(from);
    cop_free(into);
    return out;
}

/* Layers of the front, which have all their edges. */
static void add_front(const cop_model *front, json_t *layers) {
    cop_list words = {0};
    cop_list_split(&words, strchr(front->spec, ':') + 1, " ");
    for (size_t i = 0; i < front->count; i++) {
        const cop_layer *l = &front->layers[i];
        const uint64_t macs = (uint64_t)l->weights * cop_layer_uses(l);
        json_t *out = json_object();
        json_object_set_new(out, "name", json_string(l->name));
        json_object_set_new(out, "layer", json_string(strchr(words.items[i], '=') + 1));
        json_object_set_new(out, "in", shape_json(l->in));
        json_object_set_new(out, "out", shape_json(l->out));
        json_object_set_new(out, "front", json_true());
        json_array_append_new(layers, out);
        if (!l->weights) continue;
        json_object_set_new(out, "weights", cop_json_id(l->weights));
        json_object_set_new(out, "biases", cop_json_id(l->biases));
        json_object_set_new(out, "edges", cop_json_id(l->weights));
        json_object_set_new(out, "density", cop_json_real(1));
        json_object_set_new(out, "density_asked", json_null());
        json_object_set_new(out, "macs", cop_json_id(macs));
        json_object_set_new(out, "macs_dense", cop_json_id(macs));
        json_object_set_new(out, "rewired", json_false());
    }
    cop_list_clear(&words);
}

static json_t *network_json(const cop_live_net *net) {
    const cop_live_settings *s = &net->settings;
    json_t *out = json_object(), *layers = json_array();
    uint64_t biases = 0, numbers = 0, rows = 0;
    const uint64_t edges = cop_live_edges(net), possible = (uint64_t)cop_live_possible(net);
    const uint64_t parameters = cop_live_parameters(net);
    const uint64_t front = s->front ? s->front->weights + s->front->biases : 0;
    const uint64_t before = s->front ? cop_model_macs(s->front, NULL) : 0;
    if (s->front) add_front(s->front, layers);
    for (size_t i = 0; i < s->layers; i++) {
        biases += net->layer[i].outputs;
        numbers += net->layer[i].numbers * net->layer[i].outputs;
        rows += net->layer[i].outputs + 1;
        json_array_append_new(layers, layer_json(net, i));
    }
    json_object_set_new(out, "id", json_integer(0));
    json_object_set_new(out, "input", s->front ? shape_json(s->front->input) : shape(s->width[0]));
    json_object_set_new(out, "classes", cop_json_id(s->width[s->layers]));
    json_object_set_new(out, "weighting", json_string(cop_weighting_name(COP_WEIGHTS_TRAINED)));
    json_object_set_new(out, "values", json_array());
    json_object_set_new(out, "weights", cop_json_id(possible));
    json_object_set_new(out, "biases", cop_json_id(biases + (s->front ? s->front->biases : 0)));
    json_object_set_new(out, "parameters", cop_json_id(parameters));
    json_object_set_new(out, "front_parameters", cop_json_id(front));
    json_object_set_new(out, "edges", cop_json_id(edges));
    json_object_set_new(out, "density", cop_json_real((double)edges / (double)possible));
    json_object_set_new(out, "density_asked", json_null());
    json_object_set_new(out, "macs", cop_json_id(before + edges));
    json_object_set_new(out, "macs_dense", cop_json_id(before + possible));
    json_object_set_new(out, "bytes_dense", cop_json_id(4 * (front + possible + numbers)));
    json_object_set_new(out, "bytes_sparse", cop_json_id(8 * edges + 4 * (front + rows + numbers)));
    json_object_set_new(out, "layers", layers);
    return out;
}

void cop_describe_training(const struct cop_trained *trained, const char *file, json_t *out) {
    const cop_training *t = &trained->training;
    json_t *summary = json_object(), *epochs = json_array();
    json_object_set_new(summary, "file", json_string(file));
    json_object_set_new(summary, "run_id", json_string(trained->facts.run_id));
    json_object_set_new(summary, "digest", json_string(trained->facts.digest));
    json_object_set_new(summary, "science_hash", json_string(trained->facts.science));
    json_object_set_new(summary, "elapsed", cop_json_real(trained->facts.elapsed));
    json_object_set_new(summary, "epoch", cop_json_id(t->epoch));
    json_object_set_new(summary, "task", json_string(trained->task));
    for (uint32_t e = 0; e < t->epoch; e++)
        json_array_append_new(epochs, epoch_json(e + 1, &t->history[e]));
    json_object_set_new(out, "checkpoint", summary);
    json_object_set_new(out, "epochs", epochs);
    json_object_set_new(out, "network", network_json(t->net));
    json_object_set_new(out, "config", cop_describe_config(trained->facts.config));
}

/* ------------------------------------------------------------------ text */

static void add(cop_table *table, const json_t *row, const char *key, const char *form) {
    const json_t *value = json_object_get(row, key);
    if (!json_is_number(value))
        cop_table_add(table, "-");
    else if (strcmp(form, "accuracy") == 0)
        cop_table_add(table, "%.2f", json_number_value(value));
    else if (strcmp(form, "loss") == 0)
        cop_table_add(table, "%.4f", json_number_value(value));
    else
        cop_table_add(table, "%.0f", json_number_value(value));
}

void cop_describe_write_training(const json_t *description, bool all, cop_buf *out) {
    const json_t *summary = json_object_get(description, "checkpoint"),
                 *rows = json_object_get(description, "epochs");
    const size_t count = json_array_size(rows),
                 every = all || count <= ROWS_SHOWN ? 1 : (count + ROWS_SHOWN - 1) / ROWS_SHOWN;
    const char *file = json_string_value(json_object_get(summary, "file")),
               *id = json_string_value(json_object_get(summary, "run_id")),
               *digest = json_string_value(json_object_get(summary, "digest")),
               *task = json_string_value(json_object_get(summary, "task"));
    char seconds[32];
    cop_buf_printf(
        out, "checkpoint %s\n  run %s, task %s, %zu epochs of training in %s\n", file, id ? id : "",
        task ? task : "", count,
        cop_format_seconds(json_number_value(json_object_get(summary, "elapsed")), seconds));
    cop_buf_printf(out, "  digest %s\n\nepochs%s\n", digest ? digest : "",
                   every > 1 ? " (all of them: --all)" : "");
    cop_table table;
    cop_table_init(&table, "epoch|loss|learning %|validation %|test loss|test %|edges");
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        if (i % every && i + 1 < count) continue;
        add(&table, row, "epoch", "");
        add(&table, row, "loss", "loss");
        add(&table, row, "accuracy", "accuracy");
        add(&table, row, "validation_accuracy", "accuracy");
        add(&table, row, "test_loss", "loss");
        add(&table, row, "test_accuracy", "accuracy");
        add(&table, row, "edges", "");
    }
    cop_table_write(&table, out);
    cop_table_clear(&table);
    cop_buf_printf(out, "\n");
}
