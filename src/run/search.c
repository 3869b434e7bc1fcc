#include "search.h"

#include "generation.h"
#include "samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Requests by signal, time limit or file; a stop abandons the generation under way. */
static cop_status poll(void *user) {
    cop_search *search = user;
    double now = cop_clock();
    if (now - search->polled >= 1) {
        search->polled = now;
        cop_halt_request(cop_directory_requests(search->directory));
    }
    if (cop_halt_requests() & COP_HALT_STOP) return cop_fail(COP_E_STOPPED, "stopped on request");
    return COP_OK;
}

static cop_status evaluate(cop_search *search, const cop_recipe *recipes, size_t count) {
    const cop_experiment *e = search->experiment;
    size_t workers = search->par->size > 1 ? (size_t)search->par->size - 1 : 1;
    double *measures = COP_NEW_ARRAY(double, count *cop_plan_measures(e->plan)->count);
    search->polled = 0;
    cop_status status =
        cop_generation_evaluate(e, search->farm, workers, recipes, count, poll, search, measures);
    if (status == COP_OK) {
        cop_engine_tell(search->engine, measures);
        search->evaluated += count;
    }
    cop_free(measures);
    return status;
}

/* ------------------------------------------------------------------ checkpoints */

static uint32_t generation(const cop_search *search) {
    const cop_history *history = cop_engine_history(search->engine);
    return history->generations ? history->generation[history->generations - 1].generation : 0;
}

/* Remove what is older than the newest `keep`, after the ledger says so. */
static cop_status drop_old(const cop_search *search) {
    const cop_conf *conf = search->experiment->conf;
    size_t keep = (size_t)cop_conf_int(conf, "checkpoint", "keep");
    uint32_t every = (uint32_t)cop_conf_int(conf, "checkpoint", "keep_every");
    cop_ledger ledger = {0};
    cop_status status = cop_ledger_read(&ledger, search->directory->path);
    size_t newer = 0;
    for (size_t i = ledger.count; i-- > 0 && status == COP_OK;) {
        cop_ledger_entry *entry = &ledger.entries[i];
        if (strcmp(entry->kind, "checkpoint") != 0 || !cop_ledger_counts(&ledger, i)) continue;
        if (newer++ < keep) continue;
        if (every && entry->generation % every == 0) continue;
        char *path = cop_sprintf("%s/%s", search->directory->path, entry->file);
        entry->dropped = true;
        status = cop_ledger_append(search->directory->path, entry);
        cop_fault_point("drop");
        unlink(path);
        cop_free(path);
    }
    cop_ledger_clear(&ledger);
    return status;
}

static cop_status written(void *user, const void *result, size_t length) {
    cop_search *search = user;
    cop_write_answer answer;
    if (!result) { /* its writer was lost: another one writes the next, under another name */
        search->writing = false;
        search->lost_writes++;
        search->asked_generation = search->written_generation;
        return COP_OK;
    }
    if (length != sizeof answer)
        return cop_fail(COP_E_PEER, "a worker's answer about a checkpoint has %zu bytes", length);
    memcpy(&answer, result, length);
    answer.sha256[COP_HASH_HEX - 1] = answer.digest[COP_HASH_HEX - 1] = '\0';
    search->writing = false;
    search->writes++;
    search->write_seconds += answer.seconds;
    search->written_generation = search->asked_generation;
    search->written_complete = search->asked_complete;
    memcpy(search->digest, answer.digest, sizeof search->digest);
    cop_ledger_entry entry = {
        .kind = cop_strdup("checkpoint"),
        .file = cop_strdup(search->asked_file),
        .bytes = answer.bytes,
        .generation = search->asked_generation,
    };
    memcpy(entry.sha256, answer.sha256, sizeof entry.sha256);
    cop_fault_point("ledger.before");
    cop_status status = cop_ledger_append(search->directory->path, &entry);
    cop_fault_point("ledger.after");
    cop_free(entry.kind);
    cop_free(entry.file);
    return status == COP_OK ? drop_old(search) : status;
}

/* A name that no file of the ledger has. What counts is never written over: a kill between the
 * renaming and the entry would leave a file that does not fit its entry. Nor is a name used twice
 * after a writer was lost: it may wake up and finish. */
static cop_status choose_name(cop_search *search, uint32_t now) {
    cop_ledger ledger = {0};
    bool taken = true;
    COP_TRY(cop_ledger_read(&ledger, search->directory->path));
    for (unsigned k = search->lost_writes; taken; k++) {
        char again[16] = "";
        if (k) snprintf(again, sizeof again, "-%u", k);
        snprintf(search->asked_file, sizeof search->asked_file, "checkpoints/gen-%06u%s.h5", now,
                 again);
        taken = false;
        for (size_t i = 0; i < ledger.count && !taken; i++)
            taken = strcmp(ledger.entries[i].file, search->asked_file) == 0 &&
                    cop_ledger_counts(&ledger, i);
    }
    cop_ledger_clear(&ledger);
    return COP_OK;
}

/* Whose network best.h5 holds. */
static uint64_t best_network(const cop_search *search, bool complete) {
    return complete && search->judged ? search->judged_best : cop_engine_best_ever(search->engine);
}

static cop_status checkpoint(cop_search *search, bool complete) {
    COP_TRY(choose_name(search, generation(search)));
    cop_write_request request = {
        .elapsed = search->elapsed_before + cop_clock() - search->start,
        .best = cop_engine_best_ever(search->engine),
        .shown = best_network(search, complete),
        .generation = generation(search),
        .complete = complete,
    };
    char *provenance =
        json_dumps(json_object_get(search->directory->run, "provenance"), JSON_COMPACT);
    COP_ASSERT(provenance && strlen(search->directory->path) < sizeof request.directory);
    request.provenance_length = (uint32_t)strlen(provenance);
    snprintf(request.directory, sizeof request.directory, "%s", search->directory->path);
    snprintf(request.file, sizeof request.file, "%s", search->asked_file);
    snprintf(request.run_id, sizeof request.run_id, "%s", search->run_id);
    cop_time_now(request.date);
    cop_buf bytes = {0};
    cop_buf_add(&bytes, &request, sizeof request);
    cop_buf_add(&bytes, provenance, request.provenance_length);
    cop_history_pack(cop_engine_history(search->engine), &bytes);
    search->writing = true;
    search->asked_generation = request.generation;
    search->asked_complete = complete;
    search->written_at = cop_clock();
    cop_status status = cop_farm_write(search->farm, bytes.data, bytes.length, written, search);
    cop_buf_clear(&bytes);
    free(provenance);
    return status;
}

/* Is the last state in the ledger already, as finished if it is, and its best network beside it? */
static bool stored(const cop_search *search, bool complete) {
    if (!*search->digest || search->written_generation != generation(search) ||
        (complete && !search->written_complete))
        return false;
    cop_network *best = NULL;
    char *path = cop_sprintf("%s/best.h5", search->directory->path);
    bool there =
        cop_network_read(&best, path) == COP_OK && best->id == cop_engine_best_ever(search->engine);
    cop_network_destroy(best);
    cop_free(path);
    if (!there) cop_error_clear();
    return there;
}

static bool checkpoint_due(const cop_search *search) {
    const cop_conf *conf = search->experiment->conf;
    int64_t every = cop_conf_int(conf, "checkpoint", "every");
    double seconds = cop_conf_real(conf, "checkpoint", "seconds");
    uint32_t now = generation(search);
    if (search->writing || cop_engine_finished(search->engine, NULL)) return false;
    if (cop_halt_requests() & COP_HALT_CHECKPOINT) return true;
    if (every && now >= search->asked_generation + every) return true;
    return seconds > 0 && now > search->asked_generation &&
           cop_clock() - search->written_at >= seconds;
}

/* ------------------------------------------------------------------ metrics */

static cop_status record(const cop_search *search) {
    const cop_history *history = cop_engine_history(search->engine);
    const cop_generation *row = &history->generation[history->generations - 1];
    const cop_measure_list *measures = cop_plan_measures(search->experiment->plan);
    double session = cop_clock() - search->start;
    char now[32];
    cop_farm_stats stats;
    cop_farm_get_stats(search->farm, &stats);
    double workers = search->par->size > 1 ? search->par->size - 1 : 1;
    json_t *best = json_object();
    const double *values = cop_history_measures(history, row->best_id);
    for (size_t m = 0; m < measures->count; m++)
        json_object_set_new(best, measures->names[m],
                            isfinite(values[m]) ? json_real(values[m]) : json_null());
    json_t *line = json_pack("{s:I,s:I,s:I,s:I,s:I,s:o}", "generation", (json_int_t)row->generation,
                             "evaluations", (json_int_t)row->evaluations, "births",
                             (json_int_t)row->births, "best_id", (json_int_t)row->best_id,
                             "best_ever_id", (json_int_t)row->best_ever_id, "best_measures", best);
    struct {
        const char *name;
        double value;
    } reals[] = {{"best", row->best},
                 {"median", row->median},
                 {"mean", row->mean},
                 {"worst", row->worst},
                 {"best_ever", row->best_ever},
                 {"density_mean", row->density_mean},
                 {"seconds", search->elapsed_before + session},
                 {"evaluations_per_second", (double)search->evaluated / session},
                 {"utilisation", stats.worker_seconds / (session * workers)}};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        json_object_set_new(line, reals[i].name,
                            isfinite(reals[i].value) ? json_real(reals[i].value) : json_null());
    json_object_set_new(line, "time", json_string(cop_time_now(now)));
    cop_status status = cop_metrics_append(search->directory, line);
    json_decref(line);
    return status;
}

/* ------------------------------------------------------------------ the loop */

static bool out_of_time(const cop_search *search) {
    double budget = cop_conf_real(search->experiment->conf, "stop", "time");
    return budget > 0 && search->elapsed_before + cop_clock() - search->start >= budget;
}

static cop_status generations(cop_search *search, const char **reason) {
    while (!cop_engine_finished(search->engine, reason)) {
        size_t count;
        if (generation(search) && out_of_time(search)) {
            *reason = "its time is used up ([stop] time)";
            return COP_OK;
        }
        search->polled = 0; /* a file put there between generations is seen at once */
        COP_TRY(poll(search));
        const cop_recipe *recipes = cop_engine_ask(search->engine, &count);
        COP_TRY(evaluate(search, recipes, count));
        const uint64_t *ids = cop_engine_keep(search->engine, &count);
        COP_TRY(cop_farm_keep(search->farm, ids, count));
        COP_TRY(record(search));
        if (!search->options->quiet)
            cop_progress_line(search, cop_engine_finished(search->engine, NULL));
        if (checkpoint_due(search)) {
            COP_TRY(checkpoint(search, false));
            cop_halt_forget(COP_HALT_CHECKPOINT);
        }
    }
    return COP_OK;
}

/* Fitness on other samples each generation names no best network: the last population is judged
 * once more, as copies that history does not know, on many batches. */
static cop_status judge_last(cop_search *search) {
    const cop_experiment *e = search->experiment;
    const cop_history *history = cop_engine_history(search->engine);
    size_t count = history->population, width = history->measures, kept;
    size_t workers = search->par->size > 1 ? (size_t)search->par->size - 1 : 1;
    const cop_op *fitness = cop_plan_op(e->plan, COP_ROLE_FITNESS, 0);
    cop_recipe *recipes = COP_NEW_ARRAY(cop_recipe, count);
    double *measures = COP_NEW_ARRAY(double, count *width);
    cop_status status = COP_OK;
    for (size_t i = 0; i < count; i++)
        recipes[i] = (cop_recipe){.id = history->individuals + i,
                                  .born = COP_BORN_FINAL,
                                  .parent = {history->live[i], COP_FOUNDER}};
    search->polled = 0;
    COP_GO(
        cop_generation_evaluate(e, search->farm, workers, recipes, count, poll, search, measures));
    search->judged_best = history->live[0];
    search->judged_fitness = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        double value = fitness->as.fitness(e->plan, &measures[i * width]);
        if (!(value > search->judged_fitness)) continue; /* ties: the better ranked */
        search->judged_fitness = value;
        search->judged_best = history->live[i];
    }
    search->judged = true;
    const uint64_t *ids = cop_engine_keep(search->engine, &kept);
    status = cop_farm_keep(search->farm, ids, kept);
done:
    cop_free(recipes);
    cop_free(measures);
    return status;
}

/* The last complete generation, written and entered, whoever is lost on the way. */
static cop_status save_last(cop_search *search, bool complete) {
    unsigned lost;
    do {
        lost = search->lost_writes;
        COP_TRY(cop_farm_drain(search->farm));
        if (!stored(search, complete)) COP_TRY(checkpoint(search, complete));
        COP_TRY(cop_farm_drain(search->farm));
    } while (search->lost_writes != lost);
    return COP_OK;
}

cop_status cop_search_run(cop_search *search, const char **reason) {
    const cop_history *history = cop_engine_history(search->engine);
    search->start = search->written_at = cop_clock();
    search->asked_generation = search->written_generation = generation(search);
    if (!search->options->quiet) cop_progress_head(search);
    cop_status status = generations(search, reason);
    if (status != COP_OK && status != COP_E_STOPPED && status != COP_E_LOST) return status;
    if (history->generations == 0)
        return status == COP_E_LOST
                   ? status
                   : cop_fail(COP_E_STOPPED,
                              "stopped before the initial population was evaluated: nothing to "
                              "go on from; start it again");
    if (status == COP_OK && search->experiment->draw) {
        status = judge_last(search);
        if (status != COP_OK && status != COP_E_STOPPED && status != COP_E_LOST) return status;
    }
    char *message = cop_strdup(cop_error_message());
    cop_status kept = save_last(search, status == COP_OK);
    if (status == COP_E_LOST) kept = COP_OK; /* what was lost first is what to say */
    if (kept == COP_OK && status != COP_OK) cop_fail(status, "%s", message);
    cop_free(message);
    return kept == COP_OK ? status : kept;
}
