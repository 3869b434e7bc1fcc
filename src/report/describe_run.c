#include <string.h>
#include <sys/stat.h>

#include "coppice/report.h"
#include "run/directory.h"

/* "[section]" and "key = value" lines, as cop_conf_write makes them, as nested objects of text. */
json_t *cop_describe_config(const char *text) {
    json_t *out = json_object(), *section = NULL;
    cop_list lines = {0};
    cop_list_split(&lines, text, "\n");
    for (size_t i = 0; i < lines.count; i++) {
        char *line = lines.items[i], *equals = strchr(line, '=');
        size_t length = strlen(line);
        if (line[0] == '[' && line[length - 1] == ']') {
            line[length - 1] = '\0';
            section = json_object();
            json_object_set_new(out, line + 1, section);
        } else if (equals && section && line[0] != ';' && line[0] != '#') {
            char *end = equals;
            while (end > line && end[-1] == ' ') end--;
            *end = '\0';
            const char *value = equals + 1 + strspn(equals + 1, " ");
            json_object_set_new(section, line, json_string(value));
        }
    }
    cop_list_clear(&lines);
    return out;
}

static json_t *names_json(char *const *names, size_t count) {
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(out, json_string(names[i]));
    return out;
}

static json_t *generation_json(const cop_generation *g) {
    json_t *row = json_object();
    json_object_set_new(row, "generation", cop_json_id(g->generation));
    json_object_set_new(row, "evaluations", cop_json_id(g->evaluations));
    json_object_set_new(row, "births", cop_json_id(g->births));
    json_object_set_new(row, "best", cop_json_real(g->best));
    json_object_set_new(row, "median", cop_json_real(g->median));
    json_object_set_new(row, "mean", cop_json_real(g->mean));
    json_object_set_new(row, "worst", cop_json_real(g->worst));
    json_object_set_new(row, "best_id", cop_json_id(g->best_id));
    json_object_set_new(row, "best_ever", cop_json_real(g->best_ever));
    json_object_set_new(row, "best_ever_id", cop_json_id(g->best_ever_id));
    json_object_set_new(row, "density_mean", cop_json_real(g->density_mean));
    return row;
}

static json_t *individual_json(const cop_checkpoint *checkpoint, uint64_t id) {
    const cop_history *history = &checkpoint->history;
    const cop_individual *individual = cop_history_individual(history, id);
    const double *values = cop_history_measures(history, id);
    json_t *out = json_object(), *measures = json_object(), *accuracy = json_object();
    json_object_set_new(out, "id", cop_json_id(id));
    json_object_set_new(out, "born", cop_json_id(individual->recipe.born));
    json_object_set_new(out, "crossed", json_boolean(individual->recipe.crossed));
    json_t *parents = json_array();
    for (size_t p = 0; p < 1 + (size_t)(individual->recipe.crossed != 0); p++)
        json_array_append_new(parents, cop_json_id(individual->recipe.parent[p]));
    json_object_set_new(out, "parents", parents);
    json_object_set_new(out, "fitness", cop_json_real(individual->fitness));
    for (size_t m = 0; m < history->measures; m++) {
        const char *name = checkpoint->measure_names[m];
        json_object_set_new(measures, name, cop_json_real(values[m]));
        if (strncmp(name, "accuracy.", 9) == 0)
            json_object_set_new(accuracy, name + 9, cop_json_real(values[m]));
    }
    json_object_set_new(out, "accuracy", accuracy);
    json_object_set_new(out, "measures", measures);
    return out;
}

void cop_describe_checkpoint(const cop_checkpoint *checkpoint, const char *file, json_t *out) {
    const cop_history *history = &checkpoint->history;
    const cop_generation *last =
        history->generations ? &history->generation[history->generations - 1] : NULL;
    json_t *summary = json_object(), *generations = json_array(), *population = json_array();
    char digest[COP_HASH_HEX];
    cop_checkpoint_digest(checkpoint, digest);
    json_object_set_new(summary, "file", cop_json_text(file));
    json_object_set_new(summary, "run_id", json_string(checkpoint->run_id));
    json_object_set_new(summary, "complete", json_boolean(checkpoint->complete));
    json_object_set_new(summary, "digest", json_string(digest));
    json_object_set_new(summary, "science_hash", json_string(checkpoint->science_hash));
    json_object_set_new(summary, "elapsed", cop_json_real(checkpoint->elapsed));
    json_object_set_new(summary, "generation", last ? cop_json_id(last->generation) : json_null());
    json_object_set_new(summary, "evaluations", cop_json_id(last ? last->evaluations : 0));
    json_object_set_new(summary, "individuals", cop_json_id(history->individuals));
    json_object_set_new(summary, "held", cop_json_id(cop_history_rows(history)));
    json_object_set_new(summary, "population", cop_json_id(history->population));
    json_object_set_new(summary, "genomes", cop_json_id(checkpoint->genomes));
    json_object_set_new(summary, "tasks", names_json(checkpoint->task_names, checkpoint->tasks));
    json_object_set_new(summary, "measures",
                        names_json(checkpoint->measure_names, history->measures));
    json_error_t error;
    json_t *provenance = json_loads(checkpoint->provenance, 0, &error);
    json_object_set_new(summary, "provenance", provenance ? provenance : json_null());
    for (size_t g = 0; g < history->generations; g++)
        json_array_append_new(generations, generation_json(&history->generation[g]));
    for (size_t i = 0; i < history->population; i++)
        json_array_append_new(population, individual_json(checkpoint, history->live[i]));
    json_object_set_new(out, "checkpoint", summary);
    json_object_set_new(out, "best",
                        last ? individual_json(checkpoint, last->best_ever_id) : json_null());
    json_object_set_new(out, "generations", generations);
    json_object_set_new(out, "population", population);
    json_object_set_new(out, "config", cop_describe_config(checkpoint->config));
}

static json_t *ledger_json(const cop_subject *subject) {
    json_t *out = json_array();
    for (size_t i = 0; i < subject->ledger.count; i++) {
        const cop_ledger_entry *entry = &subject->ledger.entries[i];
        bool superseded = false;
        for (size_t k = i + 1; k < subject->ledger.count; k++)
            superseded |= strcmp(subject->ledger.entries[k].file, entry->file) == 0;
        if (superseded) continue; /* a file written again, or dropped */
        char *path = cop_sprintf("%s/%s", subject->path, entry->file);
        struct stat info;
        bool present = stat(path, &info) == 0 && S_ISREG(info.st_mode);
        cop_free(path);
        json_t *row = json_object();
        json_object_set_new(row, "kind", json_string(entry->kind));
        json_object_set_new(row, "file", json_string(entry->file));
        json_object_set_new(row, "generation", cop_json_id(entry->generation));
        json_object_set_new(row, "bytes", cop_json_id(entry->bytes));
        json_object_set_new(row, "sha256", json_string(entry->sha256));
        json_object_set_new(row, "dropped", json_boolean(entry->dropped));
        json_object_set_new(row, "present", json_boolean(present));
        json_array_append_new(out, row);
    }
    return out;
}

json_t *cop_describe_subject(const cop_subject *subject) {
    static const char *const kinds[] = {"run", "checkpoint", "network"};
    json_t *out = json_object();
    json_object_set_new(out, "kind", json_string(kinds[subject->kind]));
    json_object_set_new(out, "path", cop_json_text(subject->path));
    if (subject->kind == COP_SUBJECT_RUN) {
        json_t *status = subject->run ? json_object_get(subject->run, "status") : NULL;
        json_object_set_new(out, "status",
                            json_is_string(status) ? json_incref(status) : json_null());
        json_object_set_new(out, "run", subject->run ? json_incref(subject->run) : json_null());
    }
    if (subject->trained)
        cop_describe_training(subject->trained, subject->checkpoint_file, out);
    else if (subject->checkpoint)
        cop_describe_checkpoint(subject->checkpoint, subject->checkpoint_file, out);
    else if (subject->network)
        json_object_set_new(out, "config", cop_describe_config(subject->network->config));
    json_t *network =
        subject->network ? cop_describe_network(subject->network) : json_object_get(out, "network");
    if (network) {
        struct stat info;
        json_object_set_new(network, "file", cop_json_text(subject->network_file));
        if (stat(subject->network_file, &info) == 0)
            json_object_set_new(network, "bytes_file", cop_json_id((uint64_t)info.st_size));
        if (subject->network) json_object_set_new(out, "network", network);
    }
    if (subject->kind == COP_SUBJECT_RUN) json_object_set_new(out, "ledger", ledger_json(subject));
    return out;
}
