/* coppice verify: is every file of a run what it was when it was completed? */
#include <math.h>
#include <string.h>

#include "coppice/io.h"
#include "directory.h"
#include "training.h"

#define TEXT_LIMIT ((size_t)1 << 31)

/* The newest word of the ledger about each file; config.ini may be any of its versions, since it is
 * entered before it is renamed into place. */
static cop_status verify_ledger_files(const char *dir, const cop_ledger *ledger, cop_buf *report) {
    for (size_t i = 0; i < ledger->count; i++) {
        const cop_ledger_entry *entry = &ledger->entries[i];
        bool config = strcmp(entry->kind, "config") == 0;
        if (!cop_ledger_counts(ledger, i)) continue;
        char *path = cop_sprintf("%s/%s", dir, entry->file), hex[COP_HASH_HEX];
        cop_status status = cop_hash_file(path, hex);
        bool match = false;
        for (size_t k = 0; k <= i && status == COP_OK; k++)
            if (k == i || (config && strcmp(ledger->entries[k].file, entry->file) == 0))
                match |= strcmp(hex, ledger->entries[k].sha256) == 0;
        if (status == COP_OK && !match)
            status = cop_fail(COP_E_FORMAT,
                              "%s is damaged: its checksum is not the one in the ledger", path);
        if (status == COP_OK && strcmp(entry->kind, "checkpoint") == 0) {
            cop_checkpoint *checkpoint = NULL;
            status = cop_checkpoint_read(&checkpoint, path);
            cop_checkpoint_destroy(checkpoint);
        }
        cop_free(path);
        COP_TRY(status);
        cop_buf_printf(report, "ok %s\n", entry->file);
    }
    return COP_OK;
}

static cop_status verify_status(const char *dir, cop_buf *report) {
    char *path = cop_sprintf("%s/run.json", dir);
    cop_buf text = {0};
    cop_status status = cop_read_file(path, TEXT_LIMIT, &text);
    if (status == COP_OK) {
        json_t *run = json_loadb(cop_buf_text(&text), text.length, 0, NULL);
        if (!run || !cop_json_sealed(run))
            status =
                cop_fail(COP_E_FORMAT, "%s is damaged: it does not carry its own checksum", path);
        json_decref(run);
    }
    if (status == COP_OK) cop_buf_printf(report, "ok run.json\n");
    cop_buf_clear(&text);
    cop_free(path);
    return status;
}

static bool same(json_t *number, double wanted) {
    return isfinite(wanted) ? json_is_number(number) && json_number_value(number) == wanted
                            : json_is_null(number);
}

/* Every line whole, generations 0, 1, 2 ... and equal to the history; a torn last line is what a
 * kill leaves and is cut on resume. */
static cop_status verify_metrics(const char *dir, const cop_history *history, cop_buf *report) {
    char *path = cop_sprintf("%s/metrics.jsonl", dir);
    cop_buf text = {0};
    cop_list lines = {0};
    cop_status status = cop_read_file(path, TEXT_LIMIT, &text);
    if (status == COP_OK) cop_list_split(&lines, cop_buf_text(&text), "\n");
    bool torn = text.length && text.data[text.length - 1] != '\n';
    for (size_t i = 0; i < lines.count && status == COP_OK; i++) {
        json_t *line = json_loads(lines.items[i], 0, NULL);
        bool sealed = line && cop_json_sealed(line);
        json_int_t generation = json_integer_value(json_object_get(line, "generation"));
        if (!sealed && !(torn && i + 1 == lines.count))
            status = cop_fail(COP_E_FORMAT, "%s is damaged in line %zu", path, i + 1);
        else if (sealed && i < history->generations &&
                 (generation != (json_int_t)history->generation[i].generation ||
                  !same(json_object_get(line, "best"), history->generation[i].best) ||
                  !same(json_object_get(line, "median"), history->generation[i].median)))
            status = cop_fail(COP_E_FORMAT, "%s: line %zu contradicts the checkpoint", path, i + 1);
        json_decref(line);
    }
    if (status == COP_OK && lines.count < history->generations)
        status = cop_fail(COP_E_FORMAT, "%s has %zu lines, the checkpoint %zu generations", path,
                          lines.count, history->generations);
    if (status == COP_OK) cop_buf_printf(report, "ok metrics.jsonl\n");
    cop_list_clear(&lines);
    cop_buf_clear(&text);
    cop_free(path);
    return status;
}

/* best.h5 is renewed with each checkpoint: it is read whole, and compared when it is of the same
 * one. */
static cop_status verify_best(const char *dir, const cop_checkpoint *checkpoint, cop_buf *report) {
    char *path = cop_sprintf("%s/best.h5", dir);
    cop_network *best = NULL;
    cop_status status = cop_network_read(&best, path);
    if (status == COP_OK) {
        bool equal = strcmp(best->model->spec, checkpoint->base->model->spec) == 0;
        cop_params params;
        cop_params_init(&params, checkpoint->base->model);
        cop_params_copy(&params, &checkpoint->base->params);
        for (size_t i = 0; i < checkpoint->genomes && equal; i++) {
            if (checkpoint->genome_id[i] != best->id) continue;
            equal = cop_mask_equal(&checkpoint->genome[i].mask, &best->mask);
            cop_genome_params(&checkpoint->genome[i], checkpoint->base->model,
                              &checkpoint->base->params, &params);
        }
        /* one that owns its weights and is not stored any more cannot be compared */
        bool known = checkpoint->genomes == 0 || !checkpoint->genome[0].w;
        for (size_t i = 0; i < checkpoint->genomes; i++)
            known |= checkpoint->genome_id[i] == best->id;
        if (equal && known)
            equal = memcmp(best->params.w, params.w, params.weights * sizeof(float)) == 0 &&
                    memcmp(best->params.b, params.b, params.biases * sizeof(float)) == 0;
        cop_params_clear(&params);
        if (!equal)
            status = cop_fail(COP_E_FORMAT,
                              "%s is damaged: it is not the network of the checkpoint", path);
    }
    if (status == COP_OK) cop_buf_printf(report, "ok best.h5\n");
    cop_network_destroy(best);
    cop_free(path);
    return status;
}

cop_status cop_run_verify(const char *dir, cop_buf *report, char digest[COP_HASH_HEX]) {
    cop_ledger ledger = {0};
    cop_checkpoint *checkpoint = NULL;
    char *ledger_path = cop_sprintf("%s/ledger.jsonl", dir);
    bool there = cop_file_exists(ledger_path);
    cop_free(ledger_path);
    if (!there) return cop_fail(COP_E_IO, "%s holds no run (there is no ledger.jsonl)", dir);
    if (cop_training_is_run(dir)) {
        COP_TRY(verify_status(dir, report));
        return cop_training_verify(dir, report, digest);
    }
    cop_status status = cop_ledger_read(&ledger, dir);
    if (status == COP_OK) status = verify_ledger_files(dir, &ledger, report);
    if (status == COP_OK) status = verify_status(dir, report);
    if (status == COP_OK) status = cop_run_newest_checkpoint(dir, &checkpoint, NULL);
    if (status == COP_OK) status = verify_metrics(dir, &checkpoint->history, report);
    if (status == COP_OK) status = verify_best(dir, checkpoint, report);
    if (status == COP_OK) cop_checkpoint_digest(checkpoint, digest);
    cop_checkpoint_destroy(checkpoint);
    cop_ledger_clear(&ledger);
    return status;
}
