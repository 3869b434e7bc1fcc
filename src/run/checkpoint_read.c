/* Reading checkpoints. The seal tells damage; everything else is checked for files that were made
 * to harm: dimensions against the network's spec and each other, ids against the history, then the
 * digest. */
#include "checkpoint.h"

#include <string.h>

#include "net/network_store.h"

#define GENOMES_MAX ((size_t)1 << 24)

void cop_checkpoint_destroy(cop_checkpoint *checkpoint) {
    if (!checkpoint) return;
    for (size_t k = 0; checkpoint->genome && k < checkpoint->genomes; k++)
        cop_genome_clear(&checkpoint->genome[k]);
    for (size_t k = 0; checkpoint->measure_names && k < checkpoint->history.measures; k++)
        cop_free(checkpoint->measure_names[k]);
    for (size_t k = 0; checkpoint->task_names && k < checkpoint->tasks; k++)
        cop_free(checkpoint->task_names[k]);
    cop_free(checkpoint->measure_names);
    cop_free(checkpoint->task_names);
    cop_free(checkpoint->genome);
    cop_free(checkpoint->genome_id);
    cop_history_clear(&checkpoint->history);
    cop_network_destroy(checkpoint->base);
    cop_free(checkpoint->config);
    cop_free(checkpoint->run_id);
    cop_free(checkpoint->provenance);
    cop_free(checkpoint->science_hash);
    cop_free(checkpoint);
}

static cop_status take_root(cop_h5 *file, cop_checkpoint *checkpoint, bool *own, bool *bounded) {
    char *format = NULL;
    int64_t version, complete;
    cop_status status = COP_OK;
    COP_GO(cop_h5_get_text(file, "/", "format", &format));
    COP_GO(cop_h5_get_i64(file, "/", "format_version", &version));
    if (strcmp(format, COP_CHECKPOINT_FORMAT) != 0)
        COP_GO(
            cop_fail(COP_E_FORMAT, "holds a \"%.40s\"; wanted a " COP_CHECKPOINT_FORMAT, format));
    if (version < 1 || version > COP_CHECKPOINT_VERSION)
        COP_GO(cop_fail(COP_E_FORMAT,
                        "version %lld of the format; this coppice reads 1 to %d: use a newer one",
                        (long long)version, COP_CHECKPOINT_VERSION));
    *own = (version - 1) & 1;
    *bounded = version >= 3;
    if (!cop_h5_sealed(file))
        COP_GO(cop_fail(COP_E_FORMAT,
                        "a checkpoint without its seal: other software has rewritten it"));
    COP_GO(cop_h5_get_text(file, "/", "run_id", &checkpoint->run_id));
    COP_GO(cop_h5_get_text(file, "/", "science_hash", &checkpoint->science_hash));
    COP_GO(cop_h5_get_i64(file, "/", "complete", &complete));
    COP_GO(cop_h5_get_f64(file, "/", "elapsed_seconds", &checkpoint->elapsed));
    if (!(checkpoint->elapsed >= 0) || complete < 0 || complete > 1)
        COP_GO(cop_fail(COP_E_FORMAT, "elapsed_seconds %g and complete %lld cannot be",
                        checkpoint->elapsed, (long long)complete));
    checkpoint->complete = complete == 1;
    COP_GO(cop_h5_read_text(file, "/config", &checkpoint->config));
    COP_GO(cop_h5_read_text(file, "/provenance", &checkpoint->provenance));
done:
    cop_free(format);
    return status;
}

static cop_status take_base(cop_h5 *file, cop_checkpoint *checkpoint) {
    cop_network *base = checkpoint->base = COP_NEW(cop_network);
    COP_TRY(cop_network_take(file, "/base", &base->model, &base->params));
    cop_network_keep_all(base);
    base->config = cop_strdup(checkpoint->config);
    return COP_OK;
}

static cop_status take_names(cop_h5 *file, const char *path, size_t most, char ***names,
                             size_t *count) {
    cop_list list = {0};
    cop_status status = cop_h5_read_strings(file, path, most, &list);
    if (status != COP_OK) {
        cop_list_clear(&list);
        return status;
    }
    *names = list.items ? list.items : COP_NEW_ARRAY(char *, 0);
    *count = list.count;
    return COP_OK;
}

static cop_status take_snapshot(cop_h5 *file, const char *path, cop_snapshot *snapshot) {
    void *ids = NULL; /* as they are: what is no id is found by looking it up */
    COP_TRY(cop_h5_read(file, path, COP_H5_I64, 1, &snapshot->population, GENOMES_MAX, &ids));
    snapshot->live = ids;
    return COP_OK;
}

/* What a bounded history has beside its @p rows, which it must account for. */
static cop_status take_window(cop_h5 *file, cop_history *history, size_t rows) {
    int64_t generations, individuals, elders;
    char *chain = NULL;
    cop_status status = COP_OK;
    COP_GO(cop_h5_get_i64(file, "/window", "generations", &generations));
    COP_GO(cop_h5_get_i64(file, "/window", "individuals", &individuals));
    COP_GO(cop_h5_get_i64(file, "/window", "elders", &elders));
    COP_GO(cop_h5_get_text(file, "/window", "chain", &chain));
    if (generations < 1 || generations > UINT32_MAX || individuals < 0 ||
        individuals > UINT32_MAX || elders < 0 || (uint64_t)elders > rows ||
        (uint64_t)individuals < rows || strlen(chain) != sizeof history->chain - 1)
        COP_GO(cop_fail(COP_E_FORMAT,
                        "a window of %lld generations, %lld elders and %zu rows of %lld "
                        "individuals cannot be",
                        (long long)generations, (long long)elders, rows, (long long)individuals));
    COP_GO(take_snapshot(file, "/window/begin", &history->begin));
    COP_GO(take_snapshot(file, "/window/next", &history->next));
    history->window = (uint32_t)generations;
    history->individuals = (size_t)individuals;
    history->elders = (size_t)elders;
    history->first = (uint64_t)individuals - (rows - (uint64_t)elders);
    memcpy(history->chain, chain, sizeof history->chain);
done:
    cop_free(chain);
    return status;
}

static cop_status take_history(cop_h5 *file, cop_checkpoint *checkpoint, bool bounded) {
    cop_history *history = &checkpoint->history;
    void *rows;
    COP_TRY(take_names(file, "/tasks", COP_TASKS_MAX, &checkpoint->task_names, &checkpoint->tasks));
    COP_TRY(take_names(file, "/measures", COP_MEASURES_MAX, &checkpoint->measure_names,
                       &history->measures));
    COP_TRY(cop_table_take(file, &cop_individual_table, &rows, &history->individuals));
    history->individual = rows;
    COP_TRY(cop_measures_take(file, checkpoint->measure_names, history->measures, &history->measure,
                              history->individuals));
    if (bounded) COP_TRY(take_window(file, history, history->individuals));
    COP_TRY(cop_table_take(file, &cop_generation_table, &rows, &history->generations));
    history->generation = rows;
    return COP_OK;
}

/* Each id once, each an individual that was born, and is held. */
static cop_status check_ids(const uint64_t *ids, size_t count, const cop_history *history) {
    cop_status status = COP_OK;
    cop_mask seen;
    cop_mask_init(&seen, cop_history_rows(history));
    for (size_t k = 0; k < count && status == COP_OK; k++) {
        size_t row = cop_history_row(history, ids[k]);
        if (row == SIZE_MAX || cop_mask_get(&seen, row))
            status = cop_fail(COP_E_FORMAT, "'/genomes/id': row %zu is %lld, which %s", k,
                              (long long)ids[k],
                              row != SIZE_MAX                  ? "is there twice"
                              : ids[k] >= history->individuals ? "was never born"
                                                               : "is not held");
        else
            cop_mask_set(&seen, row);
    }
    cop_mask_clear(&seen);
    return status;
}

static cop_status take_genomes(cop_h5 *file, cop_checkpoint *checkpoint) {
    cop_history *history = &checkpoint->history;
    size_t edges = checkpoint->base->model->weights, bytes = cop_mask_bytes(edges), count = 0;
    int64_t population;
    void *ids = NULL, *bits = NULL;
    cop_status status = COP_OK;
    COP_GO(cop_h5_read(file, "/genomes/id", COP_H5_I64, 1, &count, GENOMES_MAX, &ids));
    COP_GO(check_ids(ids, count, history));
    COP_GO(cop_h5_get_i64(file, "/genomes", "population", &population));
    if (population < 0 || (uint64_t)population > count)
        COP_GO(cop_fail(COP_E_FORMAT, "a population of %lld with %zu genomes cannot be",
                        (long long)population, count));
    COP_GO(cop_h5_expect(file, "/genomes/bits", COP_H5_U8, 2, (size_t[]){count, bytes}));
    /* read as bytes, then made masks */
    COP_GO(cop_memory_ask("'/genomes/bits'", count, 2 * bytes));
    bits = cop_alloc(count, bytes);
    COP_GO(cop_h5_read_into(file, "/genomes/bits", COP_H5_U8, 2, (size_t[]){count, bytes}, bits));
    checkpoint->genome_id = ids;
    ids = NULL;
    checkpoint->genome = COP_NEW_ARRAY(cop_genome, count);
    checkpoint->genomes = count;
    for (size_t k = 0; k < count; k++) {
        cop_mask_init(&checkpoint->genome[k].mask, edges);
        if (!cop_mask_from_bytes(&checkpoint->genome[k].mask, (unsigned char *)bits + k * bytes))
            COP_GO(cop_fail(COP_E_FORMAT, "'/genomes/bits': row %zu has bits beyond the last edge",
                            k));
    }
    history->population = (size_t)population;
    history->live = COP_NEW_ARRAY(uint64_t, history->population);
    for (size_t k = 0; k < history->population; k++) history->live[k] = checkpoint->genome_id[k];
done:
    cop_free(ids);
    cop_free(bits);
    return status;
}

static float *slice(const float *values, size_t count) {
    float *own = cop_alloc(count, sizeof *own);
    if (count) memcpy(own, values, count * sizeof *own);
    return own;
}

/* Version 2: every genome owns its weights and keeps or loses units as a whole. */
static cop_status take_weights(cop_h5 *file, cop_checkpoint *checkpoint) {
    const cop_model *model = checkpoint->base->model;
    size_t total = 0, at = 0, biases = model->biases;
    size_t dims[2] = {checkpoint->genomes, biases};
    float *w = NULL, *b = NULL;
    cop_status status = COP_OK;
    for (size_t k = 0; k < checkpoint->genomes; k++) {
        /* counts of stored bits: their sum is below 8 times the size of what was read */
        total += cop_mask_count(&checkpoint->genome[k].mask);
        if (!cop_dense_is(model, &checkpoint->genome[k].mask))
            COP_GO(cop_fail(COP_E_FORMAT,
                            "'/genomes/bits': row %zu has weights of its own, but keeps parts of "
                            "units",
                            k));
    }
    COP_GO(cop_h5_expect(file, "/genomes/weights", COP_H5_F32, 1, &total));
    COP_GO(cop_h5_expect(file, "/genomes/biases", COP_H5_F32, 2, dims));
    COP_GO(
        cop_memory_ask("'/genomes/weights'", total + checkpoint->genomes * biases, 2 * sizeof *w));
    w = cop_alloc(total, sizeof *w);
    b = cop_alloc(checkpoint->genomes * biases, sizeof *b);
    COP_GO(cop_h5_read_into(file, "/genomes/weights", COP_H5_F32, 1, &total, w));
    COP_GO(cop_h5_read_into(file, "/genomes/biases", COP_H5_F32, 2, dims, b));
    for (size_t k = 0; k < checkpoint->genomes; k++) {
        size_t count = cop_mask_count(&checkpoint->genome[k].mask);
        checkpoint->genome[k].w = slice(w + at, count);
        checkpoint->genome[k].b = slice(b + k * biases, biases);
        at += count;
    }
done:
    cop_free(w);
    cop_free(b);
    return status;
}

static cop_status check_digest(cop_h5 *file, const cop_checkpoint *checkpoint) {
    char *stored = NULL, digest[COP_HASH_HEX];
    COP_TRY(cop_h5_get_text(file, "/", "digest", &stored));
    cop_checkpoint_digest(checkpoint, digest);
    cop_status status =
        strcmp(stored, digest) == 0
            ? COP_OK
            : cop_fail(COP_E_FORMAT, "its contents have digest %.16s..., stated is %.16s...",
                       digest, stored);
    cop_free(stored);
    return status;
}

static cop_status take_all(cop_h5 *file, cop_checkpoint *checkpoint) {
    bool own, bounded;
    COP_TRY(take_root(file, checkpoint, &own, &bounded));
    COP_TRY(take_base(file, checkpoint));
    COP_TRY(take_history(file, checkpoint, bounded));
    COP_TRY(take_genomes(file, checkpoint));
    if (own) COP_TRY(take_weights(file, checkpoint));
    COP_TRY(cop_history_check(&checkpoint->history));
    return check_digest(file, checkpoint);
}

cop_status cop_checkpoint_read(cop_checkpoint **out, const char *path) {
    cop_h5 *file = NULL;
    *out = NULL;
    COP_TRY(cop_h5_open(&file, path));
    cop_checkpoint *checkpoint = COP_NEW(cop_checkpoint);
    cop_status status = take_all(file, checkpoint);
    if (status == COP_OK) {
        *out = checkpoint;
    } else {
        if (strncmp(cop_error_message(), path, strlen(path)) != 0)
            cop_fail_prefix(status, "%s", path);
        cop_checkpoint_destroy(checkpoint);
    }
    cop_h5_discard(file);
    return status;
}
