/* Checkpoints of training: one sealed HDF5 file, complete in itself. */
#include <math.h>
#include <string.h>

#include "coppice/io.h"
#include "training.h"

#define FORMAT "coppice training"
#define VERSION 1
#define COLUMNS 7

void cop_training_file_clear(cop_training_file *file) {
    cop_free(file->config);
    cop_free(file->science);
    cop_free(file->samples);
    cop_free(file->run_id);
    cop_free(file->digest);
    *file = (cop_training_file){0};
}

/* ------------------------------------------------------------------ writing */

static cop_status put_layer(cop_h5 *file, const cop_live_net *net, size_t index) {
    const cop_live_layer *l = &net->layer[index];
    const size_t edges[1] = {l->edges}, rows[1] = {l->outputs + 1},
                 units[2] = {l->numbers, l->outputs};
    uint32_t *input = COP_NEW_ARRAY(uint32_t, l->edges);
    float *weight = COP_NEW_ARRAY(float, l->edges);
    char path[64];
    cop_status status = COP_OK;
#define AT(name) (snprintf(path, sizeof path, "/layers/%zu/" name, index + 1), path)
    for (size_t k = 0; k < l->edges; k++) {
        input[k] = (uint32_t)cop_live_input(net, l, k);
        weight[k] = l->edge[k].weight;
    }
    COP_GO(cop_h5_write(file, AT("begin"), COP_H5_U32, 1, rows, l->begin));
    COP_GO(cop_h5_describe(file, path, "first edge of each output, then the number of edges", "1"));
    COP_GO(cop_h5_write(file, AT("input"), COP_H5_U32, 1, edges, input));
    COP_GO(cop_h5_describe(file, path, "input of each edge", "1"));
    COP_GO(cop_h5_write(file, AT("weight"), COP_H5_F32, 1, edges, weight));
    COP_GO(cop_h5_describe(file, path, "weight of each edge", "1"));
    COP_GO(cop_h5_write(file, AT("edge_memory"), COP_H5_F32, 1, edges, l->m));
    COP_GO(cop_h5_write(file, AT("unit"), COP_H5_F32, 2, units, l->unit));
    COP_GO(cop_h5_describe(file, path, "bias, then tl, al, tr, ar of SReLU", "1"));
    COP_GO(cop_h5_write(file, AT("unit_memory"), COP_H5_F32, 2, units, l->unit_m));
    if (l->v) COP_GO(cop_h5_write(file, AT("edge_square"), COP_H5_F32, 1, edges, l->v));
    if (l->v) COP_GO(cop_h5_write(file, AT("unit_square"), COP_H5_F32, 2, units, l->unit_v));
done:
    cop_free(input);
    cop_free(weight);
    return status;
}

/* One kind of number of the front's parameters: themselves, or what the optimiser remembers. */
static cop_status put_params(cop_h5 *file, const cop_params *p, const char *weight,
                             const char *bias) {
    if (p->weights) COP_TRY(cop_h5_write(file, weight, COP_H5_F32, 1, &p->weights, p->w));
    if (p->biases) COP_TRY(cop_h5_write(file, bias, COP_H5_F32, 1, &p->biases, p->b));
    return COP_OK;
}

static cop_status put_front(cop_h5 *file, const cop_front *f) {
    const uint64_t shape[3] = {f->model->input.channels, f->model->input.height,
                               f->model->input.width};
    const size_t three[1] = {3};
    COP_TRY(cop_h5_write(file, "/front/input", COP_H5_U64, 1, three, shape));
    COP_TRY(
        cop_h5_describe(file, "/front/input", "shape of a sample: channels, height, width", "1"));
    COP_TRY(cop_h5_write_text(file, "/front/layers", f->model->spec));
    COP_TRY(put_params(file, &f->params, "/front/weight", "/front/bias"));
    COP_TRY(put_params(file, &f->m, "/front/weight_memory", "/front/bias_memory"));
    return put_params(file, &f->v, "/front/weight_square", "/front/bias_square");
}

cop_status cop_training_write(const cop_training *t, const cop_training_file *facts,
                              const char *path) {
    const cop_live_settings *s = &t->net->settings;
    const size_t rows[2] = {t->epoch, COLUMNS}, widths[1] = {s->layers + 1},
                 inputs[1] = {s->width[0]};
    uint64_t width[COP_LIVE_LAYERS_MAX + 1];
    cop_h5 *file = NULL;
    cop_status status = COP_OK;
    for (size_t i = 0; i <= s->layers; i++) width[i] = s->width[i];
    COP_TRY(cop_h5_create(&file, path));
    COP_GO(cop_h5_attr_text(file, "/", "format", FORMAT));
    COP_GO(cop_h5_attr_i64(file, "/", "format_version", VERSION));
    COP_GO(cop_h5_attr_text(file, "/", "software", "coppice"));
    COP_GO(cop_h5_attr_text(file, "/", "run_id", facts->run_id));
    COP_GO(cop_h5_attr_text(file, "/", "science_hash", facts->science));
    COP_GO(cop_h5_attr_text(file, "/", "samples_hash", facts->samples));
    COP_GO(cop_h5_attr_text(file, "/", "digest", facts->digest));
    COP_GO(cop_h5_attr_f64(file, "/", "elapsed_seconds", facts->elapsed));
    COP_GO(cop_h5_attr_i64(file, "/", "batches", (int64_t)t->batches));
    COP_GO(cop_h5_attr_i64(file, "/", "steps", (int64_t)t->steps));
    COP_GO(cop_h5_write_text(file, "/config", facts->config));
    COP_GO(cop_h5_write(file, "/width", COP_H5_U64, 1, widths, width));
    COP_GO(cop_h5_describe(file, "/width", "inputs, units of the layers", "1"));
    COP_GO(cop_h5_write(file, "/history", COP_H5_F64, 2, rows, t->history));
    COP_GO(cop_h5_describe(file, "/history",
                           "by epoch: loss and accuracy while learning, validation accuracy, test "
                           "loss, test accuracy, live edges, seconds",
                           "1"));
    COP_GO(cop_h5_write(file, "/core_degree", COP_H5_U32, 1, inputs, t->core));
    COP_GO(cop_h5_describe(file, "/core_degree", "edges of each input that the last removal left",
                           "1"));
    if (t->net->front) COP_GO(put_front(file, t->net->front));
    for (size_t i = 0; i < s->layers; i++) COP_GO(put_layer(file, t->net, i));
    if (t->rbm) {
        COP_GO(cop_h5_write(file, "/visible/bias", COP_H5_F32, 1, inputs, t->rbm->bias));
        COP_GO(cop_h5_write(file, "/visible/memory", COP_H5_F32, 1, inputs, t->rbm->bias_m));
        if (t->rbm->bias_v)
            COP_GO(cop_h5_write(file, "/visible/square", COP_H5_F32, 1, inputs, t->rbm->bias_v));
    }
    return cop_h5_close(file);
done:
    cop_h5_discard(file);
    return status;
}

/* ------------------------------------------------------------------ reading */

static cop_status open_file(cop_h5 **file, const char *path) {
    char *format = NULL;
    int64_t version = 0;
    cop_status status = COP_OK;
    COP_TRY(cop_h5_open(file, path));
    COP_GO(cop_h5_get_text(*file, "/", "format", &format));
    COP_GO(cop_h5_get_i64(*file, "/", "format_version", &version));
    if (strcmp(format, FORMAT) != 0 || version != VERSION)
        status = cop_fail(COP_E_FORMAT, "%s: '%.40s' version %lld, wanted '%s' version %d", path,
                          format, (long long)version, FORMAT, VERSION);
    if (status == COP_OK && !cop_h5_sealed(*file))
        status = cop_fail(COP_E_FORMAT, "%s carries no seal", path);
done:
    cop_free(format);
    if (status != COP_OK) {
        cop_h5_discard(*file);
        *file = NULL;
    }
    return status;
}

cop_status cop_training_read_facts(cop_training_file *facts, const char *path) {
    cop_h5 *file = NULL;
    cop_status status = COP_OK;
    *facts = (cop_training_file){0};
    COP_TRY(open_file(&file, path));
    COP_GO(cop_h5_read_text(file, "/config", &facts->config));
    COP_GO(cop_h5_get_text(file, "/", "science_hash", &facts->science));
    COP_GO(cop_h5_get_text(file, "/", "samples_hash", &facts->samples));
    COP_GO(cop_h5_get_text(file, "/", "run_id", &facts->run_id));
    COP_GO(cop_h5_get_text(file, "/", "digest", &facts->digest));
    COP_GO(cop_h5_get_f64(file, "/", "elapsed_seconds", &facts->elapsed));
done:
    cop_h5_discard(file);
    if (status != COP_OK) cop_training_file_clear(facts);
    return status;
}

static const char *wrong_lists(const cop_live_layer *l, const uint32_t *begin,
                               const uint32_t *input, size_t edges) {
    if (begin[0] != 0 || begin[l->outputs] != edges) return "its lists do not hold its edges";
    if (!l->rewired && edges != l->initial) return "of its edges, which all stay, some are gone";
    for (size_t o = 0; o < l->outputs; o++) {
        if (begin[o] > begin[o + 1] || begin[o + 1] > edges) return "its lists are not in order";
        for (uint32_t k = begin[o]; k < begin[o + 1]; k++)
            if (input[k] >= l->inputs || (k > begin[o] && input[k] <= input[k - 1]))
                return "its inputs are not in order";
    }
    return NULL;
}

static cop_status take_layer(cop_h5 *file, cop_live_net *net, size_t index, const char *name) {
    cop_live_layer *l = &net->layer[index];
    const size_t rows[1] = {l->outputs + 1}, units[2] = {l->numbers, l->outputs};
    uint32_t *begin = COP_NEW_ARRAY(uint32_t, l->outputs + 1);
    void *input = NULL;
    float *weight = NULL;
    size_t edges = 0;
    char path[64];
    cop_status status = COP_OK;
    COP_GO(cop_h5_read_into(file, AT("begin"), COP_H5_U32, 1, rows, begin));
    COP_GO(cop_h5_read(file, AT("input"), COP_H5_U32, 1, &edges, l->initial, &input));
    const char *wrong = wrong_lists(l, begin, input, edges);
    if (wrong) COP_GO(cop_fail(COP_E_FORMAT, "%s: layer %zu: %s", name, index + 1, wrong));
    weight = COP_NEW_ARRAY(float, edges);
    COP_GO(cop_h5_read_into(file, AT("weight"), COP_H5_F32, 1, &edges, weight));
    COP_GO(cop_h5_read_into(file, AT("edge_memory"), COP_H5_F32, 1, &edges, l->m));
    COP_GO(cop_h5_read_into(file, AT("unit"), COP_H5_F32, 2, units, l->unit));
    COP_GO(cop_h5_read_into(file, AT("unit_memory"), COP_H5_F32, 2, units, l->unit_m));
    if (l->v) COP_GO(cop_h5_read_into(file, AT("edge_square"), COP_H5_F32, 1, &edges, l->v));
    if (l->v) COP_GO(cop_h5_read_into(file, AT("unit_square"), COP_H5_F32, 2, units, l->unit_v));
    memcpy(l->begin, begin, (l->outputs + 1) * sizeof *begin);
    for (size_t k = 0; k < edges; k++)
        l->edge[k] = (cop_sparse_edge){(int32_t)(((uint32_t *)input)[k] * net->stride), weight[k]};
    l->edges = edges;
    cop_live_index(net, l);
done:
    cop_free(begin);
    cop_free(input);
    cop_free(weight);
    return status;
}

static cop_status take_params(cop_h5 *file, cop_params *p, const char *weight, const char *bias) {
    if (p->weights) COP_TRY(cop_h5_read_into(file, weight, COP_H5_F32, 1, &p->weights, p->w));
    if (p->biases) COP_TRY(cop_h5_read_into(file, bias, COP_H5_F32, 1, &p->biases, p->b));
    return COP_OK;
}

static cop_status take_front(cop_h5 *file, cop_front *f, const char *name) {
    const size_t three[1] = {3};
    uint64_t shape[3];
    COP_TRY(cop_h5_read_into(file, "/front/input", COP_H5_U64, 1, three, shape));
    const cop_shape in = f->model->input;
    if (shape[0] != in.channels || shape[1] != in.height || shape[2] != in.width)
        return cop_fail(COP_E_FORMAT, "%s: its samples are not of %zux%zux%zu numbers", name,
                        in.channels, in.height, in.width);
    char *layers = NULL;
    COP_TRY(cop_h5_read_text(file, "/front/layers", &layers));
    const cop_status status =
        strcmp(layers, f->model->spec) == 0
            ? COP_OK
            : cop_fail(COP_E_FORMAT, "%s: its front is %s, its configuration says %s", name, layers,
                       f->model->spec);
    cop_free(layers);
    COP_TRY(status);
    COP_TRY(take_params(file, &f->params, "/front/weight", "/front/bias"));
    COP_TRY(take_params(file, &f->m, "/front/weight_memory", "/front/bias_memory"));
    return take_params(file, &f->v, "/front/weight_square", "/front/bias_square");
}

cop_status cop_training_read(cop_training *t, const char *path) {
    const cop_live_settings *s = &t->net->settings;
    const size_t widths[1] = {s->layers + 1}, inputs[1] = {s->width[0]};
    uint64_t width[COP_LIVE_LAYERS_MAX + 1];
    size_t rows[2];
    void *history = NULL;
    int64_t batches = 0, steps = 0;
    cop_h5 *file = NULL;
    cop_status status = COP_OK;
    COP_ASSERT(t->epoch == 0);
    COP_TRY(open_file(&file, path));
    COP_GO(cop_h5_read_into(file, "/width", COP_H5_U64, 1, widths, width));
    for (size_t i = 0; i <= s->layers; i++)
        if (width[i] != s->width[i])
            COP_GO(cop_fail(COP_E_FORMAT,
                            "%s: layer %zu has %llu units, its configuration says %zu", path, i,
                            (unsigned long long)width[i], s->width[i]));
    COP_GO(cop_h5_read(file, "/history", COP_H5_F64, 2, rows, (size_t)COLUMNS << 20, &history));
    if (rows[1] != COLUMNS || rows[0] < 1)
        COP_GO(
            cop_fail(COP_E_FORMAT, "%s: a history of %zu x %zu numbers", path, rows[0], rows[1]));
    COP_GO(cop_h5_get_i64(file, "/", "batches", &batches));
    COP_GO(cop_h5_get_i64(file, "/", "steps", &steps));
    if (batches < 0 || steps < 0) COP_GO(cop_fail(COP_E_FORMAT, "%s: negative counts", path));
    COP_GO(cop_h5_read_into(file, "/core_degree", COP_H5_U32, 1, inputs, t->core));
    if (t->net->front) COP_GO(take_front(file, t->net->front, path));
    for (size_t i = 0; i < s->layers; i++) COP_GO(take_layer(file, t->net, i, path));
    if (t->rbm) {
        COP_GO(cop_h5_read_into(file, "/visible/bias", COP_H5_F32, 1, inputs, t->rbm->bias));
        COP_GO(cop_h5_read_into(file, "/visible/memory", COP_H5_F32, 1, inputs, t->rbm->bias_m));
        if (t->rbm->bias_v)
            COP_GO(
                cop_h5_read_into(file, "/visible/square", COP_H5_F32, 1, inputs, t->rbm->bias_v));
    }
    t->epoch = (uint32_t)rows[0];
    t->batches = (uint64_t)batches;
    t->steps = (uint64_t)steps;
    t->history = history;
    history = NULL;
done:
    cop_free(history);
    cop_h5_discard(file);
    return status;
}

/* ------------------------------------------------------------------ which */

cop_status cop_training_newest(const char *dir, char **file) {
    cop_ledger ledger = {0};
    *file = NULL;
    COP_TRY(cop_ledger_read(&ledger, dir));
    for (size_t i = ledger.count; i-- > 0 && !*file;) {
        const cop_ledger_entry *entry = &ledger.entries[i];
        char hex[COP_HASH_HEX];
        if (strcmp(entry->kind, "checkpoint") != 0 || !cop_ledger_counts(&ledger, i)) continue;
        char *path = cop_sprintf("%s/%s", dir, entry->file);
        if (cop_hash_file(path, hex) == COP_OK && strcmp(hex, entry->sha256) == 0)
            *file = cop_strdup(entry->file);
        else
            cop_log(COP_LOG_WARNING, "passed over: %s is damaged or gone", path);
        cop_error_clear();
        cop_free(path);
    }
    cop_ledger_clear(&ledger);
    return COP_OK;
}

cop_status cop_training_thin_out(const char *dir, int64_t keep, int64_t every) {
    cop_ledger ledger = {0};
    int64_t kept = 0;
    cop_status status = cop_ledger_read(&ledger, dir);
    for (size_t i = ledger.count; i-- > 0 && status == COP_OK;) {
        cop_ledger_entry *entry = &ledger.entries[i];
        if (strcmp(entry->kind, "checkpoint") != 0 || !cop_ledger_counts(&ledger, i)) continue;
        if (++kept <= keep || (every && entry->generation % every == 0)) continue;
        char *path = cop_sprintf("%s/%s", dir, entry->file);
        entry->dropped = true;
        status = cop_ledger_append(dir, entry);
        if (status == COP_OK) remove(path);
        cop_free(path);
    }
    cop_ledger_clear(&ledger);
    return status;
}
