/* From a configuration, or from a checkpoint, to a result table: what `run` and `resume` do on all
 * ranks. */
#include "session.h"
#include "training.h"

#include "generation.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An absolute path, so that workers and later sessions find it wherever they start. */
static char *absolute(const char *path) {
    char *real = realpath(path, NULL);
    char *own = cop_strdup(real ? real : path);
    free(real);
    return own;
}

static cop_status record_start(cop_session_state *s, const char *config_text) {
    json_t *run = s->directory.run;
    char now[32];
    uint32_t generation = 0;
    if (s->resuming) {
        const cop_history *history = &s->checkpoint->history;
        generation = history->generation[history->generations - 1].generation;
        cop_fault_point("resume.begin");
        COP_TRY(cop_run_set_aside(s->directory.path, s->taken));
        cop_fault_point("resume.aside");
        COP_TRY(cop_metrics_cut(&s->directory, generation));
    } else {
        /* --resume auto in a folder where nothing was completed: begin with clean files */
        char *metrics = cop_sprintf("%s/metrics.jsonl", s->directory.path);
        unlink(metrics);
        cop_free(metrics);
    }
    json_object_set_new(run, "format", json_string("coppice run"));
    json_object_set_new(run, "format_version", json_integer(1));
    json_object_set_new(run, "run_id", json_string(s->run_id));
    json_object_set_new(run, "name", json_string(cop_conf_text(s->experiment.conf, "run", "name")));
    json_object_set_new(run, "data", json_string(s->data_dir ? s->data_dir : ""));
    json_object_set_new(run, "started", json_string(cop_time_now(now)));
    json_object_set_new(run, "resumed_from", s->resuming ? json_integer(generation) : json_null());
    json_object_set_new(run, "science", json_string(s->experiment.science));
    json_object_set_new(run, "provenance", cop_provenance(s->par, s->options->command_line));
    COP_TRY(cop_directory_save_config(&s->directory, config_text, generation));
    cop_fault_point("resume.config");
    return cop_directory_save(&s->directory, "running", NULL);
}

/* ------------------------------------------------------------------ all ranks */

/* Configuration, data folder and the kind of start, from rank 0 to all. */
static cop_status distribute(cop_session_state *s, cop_conf *conf, cop_buf *text) {
    uint32_t resuming = s->resuming;
    cop_buf data = {0};
    if (s->par->rank == 0) {
        cop_conf_write(conf, text, COP_CONF_ALL);
        cop_buf_add(&data, &resuming, sizeof resuming);
        cop_buf_printf(&data, "%s", s->data_dir ? s->data_dir : "");
    }
    cop_par_broadcast(s->par, text);
    cop_par_broadcast(s->par, &data);
    memcpy(&resuming, data.data, sizeof resuming);
    s->resuming = resuming;
    if (s->par->rank != 0) {
        /* a node may keep its copy of the data elsewhere: its own COPPICE_DATA goes first */
        const char *own = getenv("COPPICE_DATA"), *told = (const char *)data.data + sizeof resuming;
        cop_free(s->data_dir);
        s->data_dir = s->options->data_dir ? cop_strdup(s->options->data_dir)
                      : own && *own        ? cop_strdup(own)
                      : *told              ? cop_strdup(told)
                                           : NULL;
    }
    cop_buf_clear(&data);
    s->experiment.data_dir = s->data_dir;
    return cop_par_agree(s->par, cop_conf_parse(&s->experiment.conf, cop_run_schema(),
                                                cop_buf_text(text), "config.ini of the run"));
}

static cop_status adopt_base(cop_session_state *s) {
    cop_experiment *e = &s->experiment;
    cop_status status = COP_OK;
    if (s->par->rank == 0 && strcmp(s->checkpoint->base->model->spec, e->model->spec) != 0)
        status =
            cop_fail(COP_E_FORMAT, "the checkpoint's network is not the one of its configuration");
    if (s->par->rank == 0 && status == COP_OK &&
        strcmp(s->checkpoint->science_hash, e->science) != 0)
        status = cop_fail(COP_E_CONFIG,
                          "the samples read now are not those that the run began with: give the "
                          "same files (--data), or start a new run");
    COP_TRY(cop_par_agree(s->par, status));
    if (s->par->rank == 0) {
        cop_params_init(&e->base, e->model);
        e->base_ready = true;
        cop_params_copy(&e->base, &s->checkpoint->base->params);
    }
    cop_experiment_share_base(e, s->par);
    return COP_OK;
}

/* The live genomes of a checkpoint, to every rank that breeds. */
static cop_status distribute_genomes(cop_session_state *s) {
    const cop_model *model = s->experiment.model;
    cop_status status = COP_OK;
    cop_buf bytes = {0};
    if (s->par->rank == 0)
        for (size_t i = 0; i < s->checkpoint->genomes; i++) {
            cop_buf_add(&bytes, &s->checkpoint->genome_id[i], sizeof(uint64_t));
            cop_genome_pack(&s->checkpoint->genome[i], model, &bytes);
        }
    cop_fault_point("genomes");
    cop_par_broadcast(s->par, &bytes);
    for (size_t at = 0; at < bytes.length && s->worker && status == COP_OK;) {
        uint64_t id;
        cop_genome genes;
        size_t used = 0;
        if (bytes.length - at > sizeof id) {
            memcpy(&id, bytes.data + at, sizeof id);
            at += sizeof id;
            used = cop_genome_unpack(&genes, model, bytes.data + at, bytes.length - at);
        }
        if (used == 0) {
            status = cop_fail(COP_E_PEER, "the live genomes came in pieces");
        } else {
            cop_worker_adopt(s->worker, id, &genes);
            at += used;
        }
    }
    cop_buf_clear(&bytes);
    return status;
}

static void banner(const cop_session_state *s) {
    const cop_experiment *e = &s->experiment;
    cop_log(COP_LOG_INFO, "%s: %d rank%s on %d node%s, kernel %s, run directory %s",
            cop_conf_text(e->conf, "run", "name"), s->par->size, s->par->size == 1 ? "" : "s",
            s->par->nodes, s->par->nodes == 1 ? "" : "s", cop_sign_kernel(), s->directory.path);
    for (size_t t = 0; t < e->tasks; t++)
        cop_log(COP_LOG_INFO, "task %s: %zu samples, %d classes", e->task_names.items[t],
                e->evolve[t]->samples, (int)e->evolve[t]->classes);
}

static cop_status search(cop_session_state *s) {
    cop_search search = {.options = s->options,
                         .experiment = &s->experiment,
                         .par = s->par,
                         .directory = &s->directory,
                         .farm = s->farm,
                         .run_id = s->run_id};
    const char *reason = NULL;
    cop_status status = COP_OK;
    if (s->resuming) {
        search.elapsed_before = s->checkpoint->elapsed;
        search.written_complete = s->checkpoint->complete;
        cop_checkpoint_digest(s->checkpoint, search.digest);
        const cop_history *history = &s->checkpoint->history;
        cop_log(COP_LOG_INFO, "going on after generation %u",
                history->generation[history->generations - 1].generation);
        cop_history taken = s->checkpoint->history;
        /* the rows move to the engine; their number still counts the checkpoint's column names */
        s->checkpoint->history = (cop_history){.measures = taken.measures};
        status = cop_engine_resume(&search.engine, s->experiment.plan, &taken);
    } else {
        search.engine = cop_engine_create(s->experiment.plan);
    }
    if (status == COP_OK) status = cop_search_run(&search, &reason);
    if (status == COP_OK && s->resuming && search.evaluated == 0)
        cop_log(COP_LOG_INFO, "nothing was left to do; to search longer, raise what ended it, for "
                              "example --set stop.generations=100");
    cop_farm_rest(s->farm);
    if (status == COP_E_LOST) cop_par_broken(s->par);
    if (status == COP_E_LOST && *search.digest) {
        char *why = cop_strdup(cop_error_message());
        status =
            cop_fail(COP_E_STOPPED, "%s; a good checkpoint stands: go on with: coppice resume %s",
                     why, s->directory.path);
        cop_free(why);
    } else if (status == COP_OK || (status == COP_E_STOPPED && *search.digest)) {
        cop_status printed = cop_summary_print(
            &search, status == COP_OK ? reason : "a signal, file or time limit asked for it",
            status == COP_OK);
        if (printed != COP_OK)
            status = printed;
        else if (status == COP_E_STOPPED)
            cop_fail(COP_E_STOPPED,
                     "stopped on request with a good checkpoint; go on with: coppice resume %s",
                     s->directory.path);
    }
    cop_peaks_record(&search);
    /* the files say how it ended before the workers hear of it: whoever dies now, the record stands
     */
    cop_fault_point("end.before");
    cop_status saved = cop_directory_save(&s->directory,
                                          status == COP_OK          ? "finished"
                                          : status == COP_E_STOPPED ? "stopped"
                                                                    : "failed",
                                          status == COP_OK ? NULL : cop_error_message());
    if (status == COP_OK) status = saved;
    cop_engine_destroy(search.engine);
    return status;
}

static cop_status carry_out(cop_session_state *s, cop_conf **conf, cop_buf *text) {
    cop_experiment *e = &s->experiment;
    cop_par *par = s->par;
    COP_TRY(cop_par_agree(par, par->rank == 0 ? cop_session_prepare(s, conf) : COP_OK));
    COP_TRY(distribute(s, *conf, text));
    COP_TRY(cop_experiment_load(e, par));
    if (par->rank == 0) banner(s);
    COP_TRY(cop_experiment_memory(e, par, s->program));
    COP_TRY(s->resuming ? adopt_base(s) : cop_experiment_base(e, par));
    COP_TRY(cop_par_agree(par, cop_experiment_compose(e)));
    if (par->rank != 0 || par->size == 1)
        COP_TRY(cop_par_agree(par, cop_worker_create(&s->worker, e, par)));
    else
        COP_TRY(cop_par_agree(par, COP_OK));
    if (s->resuming) COP_TRY(cop_par_agree(par, distribute_genomes(s)));
    COP_TRY(cop_par_agree(par, par->rank == 0 ? record_start(s, cop_buf_text(text)) : COP_OK));
    /* from here on only messages between master and workers: no collective call */
    cop_farm_work work = {0};
    if (s->worker) work = cop_worker_work(s->worker);
    work.describe = cop_generation_describe;
    s->farm = cop_farm_create(par, &work);
    cop_farm_patience(s->farm, cop_conf_real(e->conf, "parallel", "patience"));
    if (par->rank != 0) return cop_farm_serve(s->farm);
    cop_status status = search(s);
    cop_farm_stop(s->farm, status);
    return status;
}

/* Rank 0 looks, all know. What cannot be read is left to the search to complain about. */
static bool is_training(const cop_session_options *options, cop_par *par) {
    cop_buf answer = {0};
    if (par->rank == 0) {
        cop_conf *conf = NULL;
        bool is = options->resume
                      ? cop_training_is_run(options->directory)
                      : cop_conf_load(&conf, cop_run_schema(), options->config) == COP_OK &&
                            cop_training_wanted(conf);
        cop_conf_destroy(conf);
        cop_error_clear();
        cop_buf_add(&answer, &is, sizeof is);
    }
    cop_par_broadcast(par, &answer);
    const bool is = answer.data[0] != 0;
    cop_buf_clear(&answer);
    return is;
}

cop_status cop_session(const cop_session_options *options, cop_par *par) {
    cop_session_state s = {.options = options, .par = par, .directory = {.lock = -1}};
    cop_conf *conf = NULL;
    cop_buf text = {0};
    const char *data = options->data_dir ? options->data_dir : getenv("COPPICE_DATA");
    if (data && *data) s.data_dir = absolute(data);
    cop_halt_install();
    cop_memory_reset_peak(); /* a sweep has one session after the other */
    s.program = cop_memory_resident();
    if (par->rank == 0 && options->time_limit > 0)
        cop_halt_deadline(cop_clock() + options->time_limit);
    if (is_training(options, par)) {
        cop_status trained = cop_training_session(options, par, s.data_dir);
        cop_free(s.data_dir);
        return trained;
    }
    cop_status status = carry_out(&s, &conf, &text);
    if (s.begun && !s.farm && status != COP_OK && status != COP_E_STOPPED) {
        /* a new run failed before its search began; the message must survive the saving of it */
        char *message = cop_strdup(cop_error_message());
        if (cop_directory_save(&s.directory, "failed", message) != COP_OK) cop_error_clear();
        cop_fail(status, "%s", message);
        cop_free(message);
    }
    cop_farm_destroy(s.farm);
    cop_worker_destroy(s.worker);
    cop_checkpoint_destroy(s.checkpoint);
    cop_experiment_clear(&s.experiment);
    cop_directory_close(&s.directory);
    cop_conf_destroy(conf);
    cop_buf_clear(&text);
    cop_free(s.data_dir);
    cop_free(s.taken);
    return status;
}
