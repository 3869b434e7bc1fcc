/* Writing checkpoints: one sealed HDF5 file, complete in itself. */
#include "checkpoint.h"

#include <jansson.h>
#include <string.h>

#include "net/network_store.h"

/* Facts of the provenance that also stand at the root, under the names that other tools look for.
 */
static const struct {
    const char *member, *attribute;
} facts[] = {{"version", "software_version"},
             {"revision", "git_revision"},
             {"build", "build_flags"},
             {"compiler", "compiler"},
             {"host", "machine"},
             {"command_line", "command_line"},
             {"parent_run_id", "parent_run_id"}};

static bool own_weights(const cop_checkpoint *checkpoint) {
    return checkpoint->genomes > 0 && checkpoint->genome[0].w != NULL;
}

static cop_status put_root(cop_h5 *file, const cop_checkpoint *checkpoint) {
    char digest[COP_HASH_HEX], now[32];
    json_t *provenance = json_loads(checkpoint->provenance, 0, NULL);
    cop_status status = COP_OK;
    cop_checkpoint_digest(checkpoint, digest);
    COP_GO(cop_h5_attr_text(file, "/", "format", COP_CHECKPOINT_FORMAT));
    COP_GO(cop_h5_attr_i64(file, "/", "format_version",
                           1 + own_weights(checkpoint) + 2 * (checkpoint->history.window > 0)));
    COP_GO(cop_h5_attr_text(file, "/", "software", "coppice"));
    COP_GO(cop_h5_attr_text(file, "/", "date", cop_time_now(now)));
    COP_GO(cop_h5_attr_text(file, "/", "run_id", checkpoint->run_id));
    COP_GO(cop_h5_attr_text(file, "/", "science_hash", checkpoint->science_hash));
    COP_GO(cop_h5_attr_text(file, "/", "digest", digest));
    COP_GO(cop_h5_attr_i64(file, "/", "complete", checkpoint->complete));
    COP_GO(cop_h5_attr_f64(file, "/", "elapsed_seconds", checkpoint->elapsed));
    for (size_t k = 0; k < sizeof facts / sizeof *facts; k++) {
        const char *text = json_string_value(json_object_get(provenance, facts[k].member));
        if (text) COP_GO(cop_h5_attr_text(file, "/", facts[k].attribute, text));
    }
    COP_GO(cop_h5_write_text(file, "/config", checkpoint->config));
    COP_GO(cop_h5_write_text(file, "/provenance", checkpoint->provenance));
done:
    json_decref(provenance);
    return status;
}

static cop_status put_genomes(cop_h5 *file, const cop_checkpoint *checkpoint) {
    size_t edges = checkpoint->base->model->weights, bytes = cop_mask_bytes(edges);
    size_t dims[2] = {checkpoint->genomes, bytes};
    int64_t *ids = cop_alloc(checkpoint->genomes, sizeof *ids);
    unsigned char *bits = cop_alloc(checkpoint->genomes, bytes);
    cop_status status = COP_OK;
    for (size_t k = 0; k < checkpoint->genomes; k++) {
        COP_ASSERT(checkpoint->genome[k].mask.bits == edges);
        COP_ASSERT((checkpoint->genome[k].w != NULL) == own_weights(checkpoint));
        ids[k] = (int64_t)checkpoint->genome_id[k];
        cop_mask_to_bytes(&checkpoint->genome[k].mask, bits + k * bytes);
    }
    COP_GO(cop_h5_write(file, "/genomes/id", COP_H5_I64, 1, dims, ids));
    COP_GO(cop_h5_describe(file, "/genomes/id", "number of the individual", "1"));
    COP_GO(cop_h5_write(file, "/genomes/bits", COP_H5_U8, 2, dims, bits));
    COP_GO(
        cop_h5_describe(file, "/genomes/bits", "live edges, one bit each, lowest bit first", "1"));
    COP_GO(cop_h5_attach_scale(file, "/genomes/bits", 0, "/genomes/id", "individual"));
    COP_GO(cop_h5_label_axis(file, "/genomes/bits", 1, "edge_byte"));
    COP_GO(cop_h5_attr_i64(file, "/genomes", "edges", (int64_t)edges));
    COP_GO(
        cop_h5_attr_i64(file, "/genomes", "population", (int64_t)checkpoint->history.population));
done:
    cop_free(ids);
    cop_free(bits);
    return status;
}

/* Weights of all genomes one after the other, each as many as it has live edges. */
static cop_status put_weights(cop_h5 *file, const cop_checkpoint *checkpoint) {
    size_t total = 0, at = 0, biases = checkpoint->base->model->biases;
    size_t dims[2] = {checkpoint->genomes, biases};
    for (size_t k = 0; k < checkpoint->genomes; k++)
        total += cop_mask_count(&checkpoint->genome[k].mask);
    float *w = cop_alloc(total, sizeof *w), *b = cop_alloc(checkpoint->genomes * biases, sizeof *b);
    cop_status status = COP_OK;
    for (size_t k = 0; k < checkpoint->genomes; k++) {
        size_t count = cop_mask_count(&checkpoint->genome[k].mask);
        memcpy(w + at, checkpoint->genome[k].w, count * sizeof *w);
        memcpy(b + k * biases, checkpoint->genome[k].b, biases * sizeof *b);
        at += count;
    }
    COP_GO(cop_h5_write(file, "/genomes/weights", COP_H5_F32, 1, &total, w));
    COP_GO(cop_h5_describe(file, "/genomes/weights",
                           "own weights of the live edges in edge order, genome by genome", "1"));
    COP_GO(cop_h5_label_axis(file, "/genomes/weights", 0, "live_edge"));
    COP_GO(cop_h5_write(file, "/genomes/biases", COP_H5_F32, 2, dims, b));
    COP_GO(cop_h5_describe(file, "/genomes/biases", "own biases; 0 where a unit is gone", "1"));
    COP_GO(cop_h5_attach_scale(file, "/genomes/biases", 0, "/genomes/id", "individual"));
    COP_GO(cop_h5_label_axis(file, "/genomes/biases", 1, "unit"));
done:
    cop_free(w);
    cop_free(b);
    return status;
}

static cop_status put_snapshot(cop_h5 *file, const char *path, const cop_snapshot *snapshot,
                               const char *what) {
    int64_t *ids = cop_alloc(snapshot->population, sizeof *ids);
    for (size_t k = 0; k < snapshot->population; k++) ids[k] = (int64_t)snapshot->live[k];
    cop_status status = cop_h5_write(file, path, COP_H5_I64, 1, &snapshot->population, ids);
    if (status == COP_OK) status = cop_h5_describe(file, path, what, "1");
    cop_free(ids);
    return status;
}

/* Which rows a bounded history holds, and what stands for the others. */
static cop_status put_window(cop_h5 *file, const cop_history *history) {
    COP_TRY(put_snapshot(file, "/window/begin", &history->begin,
                         "population where the window begins, best first"));
    COP_TRY(put_snapshot(file, "/window/next", &history->next,
                         "population where the next window begins, best first"));
    COP_TRY(cop_h5_attr_i64(file, "/window", "generations", history->window));
    COP_TRY(cop_h5_attr_i64(file, "/window", "individuals", (int64_t)history->individuals));
    COP_TRY(cop_h5_attr_i64(file, "/window", "elders", (int64_t)history->elders));
    return cop_h5_attr_text(file, "/window", "chain", history->chain);
}

static cop_status put_all(cop_h5 *file, const cop_checkpoint *checkpoint) {
    const cop_history *history = &checkpoint->history;
    COP_TRY(put_root(file, checkpoint));
    COP_TRY(cop_network_put(file, "/base", checkpoint->base->model, &checkpoint->base->params));
    COP_TRY(put_genomes(file, checkpoint));
    if (own_weights(checkpoint)) COP_TRY(put_weights(file, checkpoint));
    COP_TRY(cop_h5_write_strings(file, "/tasks", (const char *const *)checkpoint->task_names,
                                 checkpoint->tasks));
    COP_TRY(cop_h5_write_strings(file, "/measures", (const char *const *)checkpoint->measure_names,
                                 history->measures));
    size_t rows = cop_history_rows(history);
    COP_TRY(cop_table_put(file, &cop_individual_table, history->individual, rows));
    COP_TRY(cop_measures_put(file, checkpoint->measure_names, history->measures, history->measure,
                             rows));
    if (history->window) COP_TRY(put_window(file, history));
    return cop_table_put(file, &cop_generation_table, history->generation, history->generations);
}

cop_status cop_checkpoint_write(const cop_checkpoint *checkpoint, const char *path) {
    const cop_history *history = &checkpoint->history;
    /* the population's genomes come first, in rank order: the reader takes the order from them */
    COP_ASSERT(checkpoint->genomes >= history->population);
    for (size_t k = 0; k < history->population; k++)
        COP_ASSERT(checkpoint->genome_id[k] == history->live[k]);
    cop_h5 *file = NULL;
    COP_TRY(cop_h5_create(&file, path));
    cop_status status = put_all(file, checkpoint);
    if (status == COP_OK) return cop_h5_close(file);
    if (strncmp(cop_error_message(), path, strlen(path)) != 0) cop_fail_prefix(status, "%s", path);
    cop_h5_discard(file);
    return status;
}
