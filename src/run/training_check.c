/* What is said about a run of training before and after it: check, explain, verify. */
#include <string.h>

#include "coppice/io.h"
#include "training.h"

bool cop_training_wanted(const cop_conf *conf) {
    return cop_conf_has_section(conf, "train");
}

bool cop_training_is_run(const char *directory) {
    char *path = cop_sprintf("%s/config.ini", directory);
    cop_conf *conf = NULL;
    const bool is = cop_file_exists(path) &&
                    cop_conf_load(&conf, cop_run_schema(), path) == COP_OK &&
                    cop_training_wanted(conf);
    cop_error_clear();
    cop_conf_destroy(conf);
    cop_free(path);
    return is;
}

cop_status cop_training_precheck(const cop_conf *conf, const char *data_dir) {
    char *task = NULL;
    if (cop_conf_given(conf, "parallel", "memory"))
        return cop_conf_fail(conf, "parallel", "memory",
                             "a limit is for searches; a run with [train] takes what 'coppice "
                             "check' says: leave it out, or take fewer samples or edges");
    if (cop_conf_given(conf, "run", "history"))
        return cop_conf_fail(conf, "run", "history",
                             "it bounds the individuals of a search; a run with [train] has none: "
                             "leave it out");
    COP_TRY(cop_training_check(conf));
    COP_TRY(cop_training_task(conf, &task));
    cop_status status = data_dir ? cop_task_check(conf, task, data_dir) : COP_OK;
    cop_free(task);
    return status;
}

void cop_training_explain(const cop_conf *conf, cop_buf *out) {
    const char *word = cop_conf_text(conf, "train", "algorithm");
    const cop_rewire_algorithm *named = cop_rewire_algorithm_find(word);
    const char *remove = named ? named->remove : cop_conf_text(conf, "train", "remove");
    const char *add = named ? named->add : cop_conf_text(conf, "train", "add");
    const double zeta = cop_conf_real(conf, "train", "zeta");
    double hidden[COP_LIVE_LAYERS_MAX];
    const size_t layers = cop_conf_reals(conf, "train", "hidden", hidden, COP_LIVE_LAYERS_MAX);
    cop_buf_printf(out, "algorithm   %s%s%s\n", word, named ? ": " : "",
                   named ? named->summary : "");
    if (cop_training_wants_rbm(conf)) {
        cop_buf_printf(out, "machine     inputs <-> %.0f hidden units, CD-%lld\n", hidden[0],
                       (long long)cop_conf_int(conf, "train", "cd"));
    } else {
        const char *front = cop_conf_text(conf, "train", "front");
        if (*front) cop_buf_printf(out, "front       %s, all edges\n", front);
        cop_buf_printf(out, "network     %s", *front ? "front" : "inputs");
        for (size_t i = 0; i < layers; i++) cop_buf_printf(out, " -> %.0f", hidden[i]);
        cop_buf_printf(out, " -> classes, %s, dropout %g\n",
                       cop_conf_text(conf, "train", "activation"),
                       cop_conf_real(conf, "train", "dropout"));
    }
    if (named && named->dense)
        cop_buf_printf(out, "edges       all\n");
    else
        cop_buf_printf(out, "edges       %s, epsilon %g; last layer %s\n",
                       cop_conf_text(conf, "train", "topology"),
                       cop_conf_real(conf, "train", "epsilon"),
                       cop_conf_text(conf, "train", "output"));
    cop_buf_printf(out, "repeat for epoch = 1 to %lld\n",
                   (long long)cop_conf_int(conf, "train", "epochs"));
    if (remove) {
        const cop_remove_rule *r = cop_remove_rule_find(remove);
        const cop_add_rule *a = cop_add_rule_find(add);
        cop_buf_printf(out,
                       "    if epoch > 1 and (epoch - 1) %% %lld = 0, in each sparse layer\n"
                       "        remove %g of each sign: %s (%s)\n"
                       "        add as many: %s (%s), weights %s\n",
                       (long long)cop_conf_int(conf, "train", "every"), zeta, r->summary, r->paper,
                       a->summary, a->paper, cop_conf_text(conf, "train", "new_weights"));
    }
    cop_buf_printf(out, "    for batches of %lld shuffled samples\n        %s, rate %g\n",
                   (long long)cop_conf_int(conf, "train", "batch"),
                   cop_conf_text(conf, "train", "optimiser"), cop_conf_real(conf, "train", "rate"));
    if (remove) cop_buf_printf(out, "remove once more and report what is left\n");
}

cop_status cop_training_estimate(const cop_conf *conf, const char *data_dir, bool read,
                                 cop_buf *out) {
    char *task = NULL, bytes[32], data[32];
    cop_dataset *train = NULL;
    cop_training *training = NULL;
    cop_status status = COP_OK;
    COP_GO(cop_training_precheck(conf, data_dir));
    if (!read) goto done;
    COP_GO(cop_training_task(conf, &task));
    COP_GO(cop_task_load(&train, conf, task, COP_SPLIT_TRAIN, data_dir));
    COP_GO(cop_training_create(&training, conf, train, NULL));
    const cop_live_net *net = training->net;
    cop_buf_printf(
        out,
        "%zu samples (%s); %zu edges of %.0f (%.2f %%); %zu parameters; network and workspace %s\n",
        train->samples,
        cop_format_bytes((double)train->samples * (double)cop_dataset_features(train) * 4, data),
        cop_live_edges(net), cop_live_possible(net),
        100 * (double)cop_live_edges(net) / cop_live_possible(net), cop_live_parameters(net),
        cop_format_bytes((double)cop_live_bytes(net) + cop_training_parts_bytes(training), bytes));
done:
    cop_training_destroy(training);
    cop_dataset_destroy(train);
    cop_free(task);
    return status;
}

/* ------------------------------------------------------------------ verify */

static cop_status verify_lines(const char *dir, cop_buf *report) {
    char *path = cop_sprintf("%s/metrics.jsonl", dir);
    cop_buf text = {0};
    cop_list lines = {0};
    cop_status status = cop_read_file(path, (size_t)1 << 31, &text);
    if (status == COP_OK) cop_list_split(&lines, cop_buf_text(&text), "\n");
    const bool torn = text.length && text.data[text.length - 1] != '\n';
    for (size_t i = 0; i < lines.count && status == COP_OK; i++) {
        json_t *line = json_loads(lines.items[i], 0, NULL);
        if (!(line && cop_json_sealed(line)) && !(torn && i + 1 == lines.count))
            status = cop_fail(COP_E_FORMAT, "%s is damaged in line %zu", path, i + 1);
        json_decref(line);
    }
    if (status == COP_OK) cop_buf_printf(report, "ok metrics.jsonl\n");
    cop_list_clear(&lines);
    cop_buf_clear(&text);
    cop_free(path);
    return status;
}

cop_status cop_training_verify(const char *dir, cop_buf *report, char digest[COP_HASH_HEX]) {
    cop_ledger ledger = {0};
    char *newest = NULL;
    cop_status status = cop_ledger_read(&ledger, dir);
    for (size_t i = 0; i < ledger.count && status == COP_OK; i++) {
        const cop_ledger_entry *entry = &ledger.entries[i];
        char hex[COP_HASH_HEX];
        if (!cop_ledger_counts(&ledger, i) || strcmp(entry->kind, "checkpoint") != 0) continue;
        char *path = cop_sprintf("%s/%s", dir, entry->file);
        status = cop_hash_file(path, hex);
        if (status == COP_OK && strcmp(hex, entry->sha256) != 0)
            status = cop_fail(COP_E_FORMAT,
                              "%s is damaged: its checksum is not the one in the ledger", path);
        cop_trained *trained = NULL;
        if (status == COP_OK) status = cop_trained_read(&trained, path);
        if (status == COP_OK) memcpy(digest, trained->facts.digest, COP_HASH_HEX);
        cop_trained_destroy(trained);
        if (status == COP_OK) cop_buf_printf(report, "ok %s\n", entry->file);
        cop_free(path);
    }
    if (status == COP_OK) status = verify_lines(dir, report);
    if (status == COP_OK) status = cop_training_newest(dir, &newest);
    if (status == COP_OK && !newest)
        status = cop_fail(COP_E_IO, "%s: no checkpoint was completed", dir);
    cop_free(newest);
    cop_ledger_clear(&ledger);
    return status;
}
