/* From a configuration with [train], or from a checkpoint, to a result: what `run`, `resume` and
 * `sweep` do with it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coppice/io.h"
#include "session.h"
#include "training.h"

typedef struct session {
    const cop_session_options *options;
    cop_par *par;
    const char *data_dir;
    cop_conf *conf;
    cop_directory directory;
    char *task, *from; /* from: checkpoint to go on from, inside the directory; NULL: begin */
    cop_dataset *train, *test;
    cop_training *training;
    cop_training_file facts;
    double before, start, written_at;
    uint32_t written; /* epoch of the last checkpoint */
    bool begun;
    cop_team *team;     /* NULL: one rank */
    char *told, *given; /* on other ranks: data folder and checkpoint of rank 0 */
} session;

/* ------------------------------------------------------------------ getting ready */

static cop_status load(session *s) {
    cop_hash *hash = cop_hash_create(), *samples = cop_hash_create();
    cop_buf text = {0};
    char hex[COP_HASH_HEX];
    cop_status status = COP_OK;
    COP_GO(cop_training_task(s->conf, &s->task));
    cop_activity_set("loading task %s", s->task);
    COP_GO(cop_task_load(&s->train, s->conf, s->task, COP_SPLIT_TRAIN, s->data_dir));
    COP_GO(cop_task_load(&s->test, s->conf, s->task, COP_SPLIT_TEST, s->data_dir));
    if (s->train->classes > 65535)
        COP_GO(cop_fail(COP_E_CONFIG, "[task.%s] has more than 65535 classes", s->task));
    COP_GO(cop_training_create(&s->training, s->conf, s->train, s->test));
    /* what the result is a function of: options of science, and samples */
    cop_conf_write(s->conf, &text, COP_CONF_SCIENCE);
    cop_dataset_digest(s->train, hex);
    cop_hash_add_text(samples, hex);
    cop_dataset_digest(s->test, hex);
    cop_hash_add_text(samples, hex);
    cop_hash_hex(samples, hex);
    s->facts.samples = cop_strdup(hex);
    cop_hash_add_text(hash, cop_buf_text(&text));
    cop_hash_add_text(hash, hex);
    cop_hash_hex(hash, hex);
    s->facts.science = cop_strdup(hex);
    cop_buf_reset(&text);
    cop_conf_write(s->conf, &text, COP_CONF_ALL);
    s->facts.config = cop_strdup(cop_buf_text(&text));
done:
    cop_activity_set("%s", "");
    cop_hash_destroy(hash);
    cop_hash_destroy(samples);
    cop_buf_clear(&text);
    return status;
}

/* Options that a later version has added have their defaults in a run of an earlier one, so what is
 * compared is what both say under the options of now; the run keeps the hash that it began with. */
static cop_status go_on(session *s) {
    char *path = cop_sprintf("%s/%s", s->directory.path, s->from);
    cop_training_file then = {0};
    cop_conf *conf = NULL;
    char digest[COP_HASH_HEX];
    cop_status status = COP_OK;
    COP_GO(cop_training_read_facts(&then, path));
    COP_GO(cop_conf_parse(&conf, cop_run_schema(), then.config, path));
    COP_GO(cop_session_same_science(s->conf, conf, s->directory.path));
    if (strcmp(then.samples, s->facts.samples) != 0)
        COP_GO(cop_fail(COP_E_CONFIG, "%s: the samples read now are not those that it began with",
                        s->directory.path));
    cop_free(s->facts.science);
    s->facts.science = cop_strdup(then.science);
    COP_GO(cop_training_read(s->training, path));
    cop_training_digest(s->training, s->facts.science, digest);
    if (strcmp(digest, then.digest) != 0)
        COP_GO(cop_fail(COP_E_FORMAT, "%s does not have the digest that it states", path));
    s->facts.run_id = cop_strdup(then.run_id);
    s->facts.digest = cop_strdup(then.digest);
    s->before = then.elapsed;
    s->written = s->training->epoch;
    COP_GO(cop_run_set_aside(s->directory.path, s->from));
    COP_GO(cop_metrics_cut(&s->directory, s->training->epoch));
    cop_log(COP_LOG_INFO, "going on after epoch %u", s->training->epoch);
done:
    cop_training_file_clear(&then);
    cop_conf_destroy(conf);
    cop_free(path);
    return status;
}

/* The configuration, the folder, and whether to go on. */
static cop_status prepare(session *s) {
    const cop_session_options *o = s->options;
    char *dir = NULL, *file = NULL;
    cop_status status = COP_OK;
    if (o->resume) {
        file = cop_sprintf("%s/config.ini", o->directory);
        dir = cop_strdup(o->directory);
    } else {
        file = cop_strdup(o->config);
    }
    COP_GO(cop_conf_load(&s->conf, cop_run_schema(), file));
    for (size_t i = 0; i < o->set_count; i++) COP_GO(cop_conf_set(s->conf, o->sets[i]));
    COP_GO(cop_conf_check(s->conf));
    COP_GO(cop_training_precheck(s->conf, s->data_dir));
    if (!dir)
        dir = o->directory ? cop_strdup(o->directory)
                           : cop_session_default_directory(s->conf, !o->resume_auto);
    const bool fresh = !o->resume && !o->resume_auto;
    COP_GO(cop_directory_open(&s->directory, dir, fresh));
    if (!fresh && cop_directory_holds_run(dir)) COP_GO(cop_training_newest(dir, &s->from));
    if (o->resume && !s->from)
        COP_GO(cop_fail(COP_E_IO, "%s: no checkpoint was completed: start the run again", dir));
    s->begun = !s->from;
done:
    cop_free(dir);
    cop_free(file);
    return status;
}

static cop_status record_start(session *s) {
    json_t *run = s->directory.run;
    char now[32];
    json_object_set_new(run, "format", json_string("coppice run"));
    json_object_set_new(run, "format_version", json_integer(1));
    json_object_set_new(run, "kind", json_string("training"));
    json_object_set_new(run, "run_id", json_string(s->facts.run_id));
    json_object_set_new(run, "name", json_string(cop_conf_text(s->conf, "run", "name")));
    json_object_set_new(run, "data", json_string(s->data_dir ? s->data_dir : ""));
    json_object_set_new(run, "started", json_string(cop_time_now(now)));
    json_object_set_new(run, "resumed_from",
                        s->from ? json_integer(s->training->epoch) : json_null());
    json_object_set_new(run, "science", json_string(s->facts.science));
    json_object_set_new(run, "provenance", cop_provenance(s->par, s->options->command_line));
    if (!s->from) COP_TRY(cop_metrics_cut(&s->directory, 0));
    COP_TRY(cop_directory_save_config(&s->directory, s->facts.config, s->training->epoch));
    return cop_directory_save(&s->directory, "running", NULL);
}

/* ------------------------------------------------------------------ checkpoints */

static cop_status checkpoint(session *s) {
    cop_training *t = s->training;
    cop_ledger_entry entry = {.kind = cop_strdup("checkpoint"), .generation = t->epoch};
    char digest[COP_HASH_HEX], *path, *temporary;
    cop_buf bytes = {0};
    cop_status status = COP_OK;
    cop_training_digest(t, s->facts.science, digest);
    cop_free(s->facts.digest);
    s->facts.digest = cop_strdup(digest);
    s->facts.elapsed = s->before + cop_clock() - s->start;
    entry.file = cop_sprintf("checkpoints/epoch-%06u.h5", t->epoch);
    path = cop_sprintf("%s/%s", s->directory.path, entry.file);
    temporary = cop_publish_name(path);
    COP_GO(cop_training_write(t, &s->facts, temporary));
    COP_GO(cop_hash_file(temporary, entry.sha256));
    COP_GO(cop_read_file(temporary, (size_t)1 << 40, &bytes)); /* readable, and how long */
    entry.bytes = bytes.length;
    COP_GO(cop_publish(temporary, path));
    COP_GO(cop_ledger_append(s->directory.path, &entry));
    s->written = t->epoch;
    s->written_at = cop_clock();
    status = cop_training_thin_out(s->directory.path, cop_conf_int(s->conf, "checkpoint", "keep"),
                                   cop_conf_int(s->conf, "checkpoint", "keep_every"));
done:
    cop_buf_clear(&bytes);
    cop_free(path);
    cop_free(temporary);
    cop_free(entry.kind);
    cop_free(entry.file);
    return status;
}

/* ------------------------------------------------------------------ training */

static double percent(double share) {
    return 100 * share;
}

static json_t *real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static void say_epoch(const cop_training *t) {
    const cop_training_row *r = &t->history[t->epoch - 1];
    fprintf(stderr, "epoch %5u  loss %8.4f", t->epoch, r->loss);
    if (isfinite(r->accuracy))
        fprintf(stderr, "  learning %6.2f %%", percent(r->accuracy));
    else if (isfinite(r->test_loss))
        fprintf(stderr, "  test %8.4f", r->test_loss);
    if (isfinite(r->validation)) fprintf(stderr, "  validation %6.2f %%", percent(r->validation));
    if (isfinite(r->test)) fprintf(stderr, "  test %6.2f %%", percent(r->test));
    if (isfinite(t->similarity_error))
        fprintf(stderr, "  similarities +-%.4f", t->similarity_error);
    fprintf(stderr, "  %8.0f edges  %6.2f s\n", r->edges, r->seconds);
}

static cop_status tell(session *s) {
    const cop_training *t = s->training;
    const cop_training_row *r = &t->history[t->epoch - 1];
    if (!s->options->quiet && !s->options->background) say_epoch(t);
    json_t *line = json_object();
    json_object_set_new(line, "generation", json_integer(t->epoch));
    json_object_set_new(line, "loss", real(r->loss));
    json_object_set_new(line, "accuracy", real(r->accuracy));
    json_object_set_new(line, "validation_accuracy", real(r->validation));
    json_object_set_new(line, "test_loss", real(r->test_loss));
    json_object_set_new(line, "test_accuracy", real(r->test));
    json_object_set_new(line, "edges", real(r->edges));
    if (isfinite(t->similarity_error))
        json_object_set_new(line, "similarity_error", real(t->similarity_error));
    json_object_set_new(line, "seconds", real(r->seconds));
    cop_status status = cop_metrics_append(&s->directory, line);
    json_decref(line);
    return status;
}

static bool due(const session *s) {
    const int64_t every = cop_conf_int(s->conf, "checkpoint", "every");
    const double seconds = cop_conf_real(s->conf, "checkpoint", "seconds");
    return (every && s->training->epoch % every == 0) ||
           (seconds > 0 && cop_clock() - s->written_at > seconds);
}

/* What rank 0 tells the others before each epoch. */
enum { NO_MORE, ONE_MORE };

static unsigned tell_others(const session *s, unsigned word) {
    cop_buf bytes = {0};
    if (s->par->size == 1) return word;
    if (s->par->rank == 0) cop_buf_add(&bytes, &word, sizeof word);
    cop_par_broadcast(s->par, &bytes);
    COP_ASSERT(bytes.length == sizeof word);
    memcpy(&word, bytes.data, sizeof word);
    cop_buf_clear(&bytes);
    return word;
}

static cop_status stop(session *s) {
    const cop_training *t = s->training;
    if (!t->epoch) return cop_fail(COP_E_STOPPED, "stopped on request before the first epoch");
    if (s->written != t->epoch) COP_TRY(checkpoint(s));
    return cop_fail(COP_E_STOPPED,
                    "stopped on request with a good checkpoint; go on with: coppice resume %s",
                    s->directory.path);
}

/* Rank 0. Between two calls of tell_others all ranks do the same epoch, and fail in it alike. */
static cop_status train(session *s) {
    cop_training *t = s->training;
    cop_status status = COP_OK;
    bool failed = false;
    while (t->epoch < t->epochs) {
        const unsigned asked = cop_halt_requests() | cop_directory_requests(&s->directory);
        if (asked & COP_HALT_STOP) {
            status = stop(s);
            break;
        }
        cop_activity_set("training, epoch %u of %zu", t->epoch + 1, t->epochs);
        tell_others(s, ONE_MORE);
        status = cop_training_epoch(t);
        failed = status != COP_OK;
        if (failed) break;
        COP_GO(tell(s));
        if (due(s) || (asked & COP_HALT_CHECKPOINT)) COP_GO(checkpoint(s));
        cop_halt_forget(COP_HALT_CHECKPOINT);
    }
    if (status == COP_OK && s->written != t->epoch) status = checkpoint(s);
done:
    if (!failed) tell_others(s, NO_MORE);
    t->team = (cop_training_team){.size = 1}; /* what follows is done alone */
    return status;
}

static void help(session *s) {
    while (tell_others(s, ONE_MORE) == ONE_MORE)
        if (cop_training_epoch(s->training) != COP_OK) return;
}

static cop_status report(session *s) {
    json_t *result = NULL;
    const cop_training_end end = {.training = s->training,
                                  .task = s->task,
                                  .directory = s->directory.path,
                                  .digest = s->facts.digest,
                                  .seconds = s->before + cop_clock() - s->start,
                                  .out = s->options->background ? s->directory.log : stdout};
    cop_status status = cop_training_report(&end, &result);
    json_object_set_new(s->directory.run, "result", result);
    return status;
}

/* Configuration, data folder and checkpoint from rank 0 to all; then all hold the same. */
static cop_status join(session *s) {
    cop_buf text = {0}, data = {0};
    cop_status status = COP_OK;
    if (s->par->rank == 0) {
        cop_conf_write(s->conf, &text, COP_CONF_ALL);
        cop_buf_printf(&data, "%s", s->data_dir ? s->data_dir : "");
        if (s->from) cop_buf_printf(&data, "\n%s/%s", s->directory.path, s->from);
    }
    cop_par_broadcast(s->par, &text);
    cop_par_broadcast(s->par, &data);
    if (s->par->rank != 0) {
        char *line = strchr((char *)data.data, '\n');
        if (line) s->given = cop_strdup(line + 1);
        if (line) *line = '\0';
        s->told = cop_strdup((char *)data.data);
        if (!s->data_dir && *s->told) s->data_dir = s->told;
        status = cop_conf_parse(&s->conf, cop_run_schema(), cop_buf_text(&text), "config.ini");
        if (status == COP_OK) status = load(s);
        if (status == COP_OK && s->given) status = cop_training_read(s->training, s->given);
    }
    cop_buf_clear(&text);
    cop_buf_clear(&data);
    return cop_par_agree(s->par, status);
}

static cop_status begin(session *s) {
    char id[40];
    COP_TRY(prepare(s));
    COP_TRY(load(s));
    if (s->from) {
        COP_TRY(go_on(s));
    } else {
        cop_session_new_run_id(id);
        s->facts.run_id = cop_strdup(id);
    }
    cop_log(COP_LOG_INFO,
            "%s: task %s, %zu samples, %d classes; %zu edges of %.0f (%.2f %%), kernel %s, run "
            "directory %s",
            cop_conf_text(s->conf, "run", "name"), s->task, s->train->samples,
            (int)s->train->classes, cop_live_edges(s->training->net),
            cop_live_possible(s->training->net),
            100 * (double)cop_live_edges(s->training->net) / cop_live_possible(s->training->net),
            s->training->net->ops->name, s->directory.path);
    COP_TRY(record_start(s));
    return COP_OK;
}

static cop_status carry_out(session *s) {
    COP_TRY(cop_par_agree(s->par, s->par->rank == 0 ? begin(s) : COP_OK));
    if (s->par->size > 1) COP_TRY(join(s));
    if (s->par->size > 1) s->team = cop_team_make(s->training, s->par);
    if (s->par->rank != 0) {
        help(s);
        return COP_OK;
    }
    s->start = s->written_at = cop_clock();
    cop_status status = train(s);
    if (status == COP_OK) status = report(s);
    cop_status saved = cop_directory_save(&s->directory,
                                          status == COP_OK          ? "finished"
                                          : status == COP_E_STOPPED ? "stopped"
                                                                    : "failed",
                                          status == COP_OK ? NULL : cop_error_message());
    s->begun = false;
    return status == COP_OK ? saved : status;
}

cop_status cop_training_session(const cop_session_options *options, cop_par *par,
                                const char *data_dir) {
    session s = {.options = options, .par = par, .data_dir = data_dir, .directory = {.lock = -1}};
    cop_status status = carry_out(&s);
    if (s.begun && s.directory.run && status != COP_OK && status != COP_E_STOPPED) {
        char *message = cop_strdup(cop_error_message());
        if (cop_directory_save(&s.directory, "failed", message) != COP_OK) cop_error_clear();
        cop_fail(status, "%s", message);
        cop_free(message);
    }
    cop_team_end(s.team);
    cop_training_destroy(s.training);
    cop_dataset_destroy(s.train);
    cop_dataset_destroy(s.test);
    cop_training_file_clear(&s.facts);
    if (par->rank == 0) cop_directory_close(&s.directory);
    cop_conf_destroy(s.conf);
    cop_free(s.task);
    cop_free(s.from);
    cop_free(s.told);
    cop_free(s.given);
    return cop_par_agree(par, status);
}
