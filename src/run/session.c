/* From a configuration, or from a checkpoint, to a result table: what `run` and `resume` do on all
 * ranks. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "coppice/io.h"
#include "search.h"

struct session {
    const cop_session_options *options;
    cop_par *par;
    cop_experiment experiment;
    cop_directory directory;    /* rank 0 */
    cop_checkpoint *checkpoint; /* rank 0, when resuming */
    char *data_dir;
    bool resuming;
    char run_id[40];
    cop_worker *worker;
    cop_farm *farm;
};

/* ------------------------------------------------------------------ rank 0: what to run, and where
 */

static char *default_directory(const cop_conf *conf, bool with_time) {
    char stamp[32] = "";
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    if (with_time) strftime(stamp, sizeof stamp, "-%Y%m%d-%H%M%S", &local);
    return cop_sprintf("runs/%s-seed%lld%s", cop_conf_text(conf, "run", "name"),
                       (long long)cop_conf_int(conf, "run", "seed"), stamp);
}

static cop_status apply_sets(cop_conf *conf, const cop_session_options *options) {
    for (size_t i = 0; i < options->set_count; i++) COP_TRY(cop_conf_set(conf, options->sets[i]));
    return COP_OK;
}

/* Resume is the same experiment: only how long and in what manner may change. */
static cop_status same_science(const cop_conf *now, const cop_conf *then, const char *dir) {
    cop_buf a = {0}, b = {0};
    cop_list lines_a = {0}, lines_b = {0};
    cop_status status = COP_OK;
    cop_conf_write(now, &a, COP_CONF_SCIENCE);
    cop_conf_write(then, &b, COP_CONF_SCIENCE);
    if (strcmp(cop_buf_text(&a), cop_buf_text(&b)) != 0) {
        cop_list_split(&lines_a, cop_buf_text(&a), "\n");
        cop_list_split(&lines_b, cop_buf_text(&b), "\n");
        size_t i = 0;
        while (i < lines_a.count && i < lines_b.count &&
               strcmp(lines_a.items[i], lines_b.items[i]) == 0)
            i++;
        status =
            cop_fail(COP_E_CONFIG,
                     "%s is another experiment: it was run with '%s', now '%s' is asked for; only "
                     "[stop], [checkpoint] and [parallel] may change on resume",
                     dir, i < lines_b.count ? lines_b.items[i] : "(nothing)",
                     i < lines_a.count ? lines_a.items[i] : "(nothing)");
    }
    cop_list_clear(&lines_a);
    cop_list_clear(&lines_b);
    cop_buf_clear(&a);
    cop_buf_clear(&b);
    return status;
}

static void new_run_id(char id[40]) {
    unsigned char bytes[16] = {0};
    FILE *random = fopen("/dev/urandom", "rb");
    if (!random || fread(bytes, 1, sizeof bytes, random) != sizeof bytes) {
        uint64_t fallback[2] = {(uint64_t)time(NULL), (uint64_t)getpid()};
        memcpy(bytes, fallback, sizeof bytes);
    }
    if (random) fclose(random);
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

/* An absolute path, so that workers and later sessions find it wherever they start. */
static char *absolute(const char *path) {
    char *real = realpath(path, NULL);
    char *own = cop_strdup(real ? real : path);
    free(real);
    return own;
}

static void recorded_data_dir(struct session *s, const char *dir) {
    char *path = cop_sprintf("%s/run.json", dir);
    cop_buf text = {0};
    if (cop_read_file(path, (size_t)1 << 26, &text) == COP_OK) {
        json_t *run = json_loadb(cop_buf_text(&text), text.length, 0, NULL);
        const char *data = json_string_value(json_object_get(run, "data"));
        if (data && *data && !s->data_dir) s->data_dir = cop_strdup(data);
        json_decref(run);
    }
    cop_error_clear();
    cop_buf_clear(&text);
    cop_free(path);
}

static cop_status prepare_resume(struct session *s, const char *dir, const cop_conf *asked,
                                 cop_conf **conf) {
    COP_TRY(cop_directory_open(&s->directory, dir, false));
    COP_TRY(cop_run_newest_checkpoint(dir, &s->checkpoint, NULL));
    COP_TRY(cop_conf_parse(conf, cop_run_schema(), s->checkpoint->config,
                           "configuration in the checkpoint"));
    cop_conf *then = cop_conf_copy(*conf);
    cop_status status = COP_OK;
    if (asked) {
        cop_conf_destroy(*conf);
        *conf = cop_conf_copy(asked);
    } else {
        status = apply_sets(*conf, s->options);
    }
    if (status == COP_OK) status = same_science(*conf, then, dir);
    cop_conf_destroy(then);
    COP_TRY(status);
    snprintf(s->run_id, sizeof s->run_id, "%.39s", s->checkpoint->run_id);
    recorded_data_dir(s, dir);
    s->resuming = true;
    return COP_OK;
}

static bool has_checkpoint(const char *dir) {
    cop_ledger ledger = {0};
    bool any = false;
    if (cop_ledger_read(&ledger, dir) == COP_OK)
        for (size_t i = 0; i < ledger.count; i++)
            any |= strcmp(ledger.entries[i].kind, "checkpoint") == 0;
    cop_ledger_clear(&ledger);
    cop_error_clear();
    return any;
}

/* Everything that can be wrong with a configuration, before anything is made or trained. */
static cop_status check_configuration(const struct session *s, const cop_conf *conf) {
    cop_model *model = NULL;
    cop_plan *plan = NULL;
    cop_list tasks = {0};
    cop_status status = COP_OK;
    COP_GO(cop_model_create(&model, cop_conf_text(conf, "network", "input"),
                            cop_conf_text(conf, "network", "layers")));
    COP_GO(cop_experiment_task_names(conf, &tasks));
    for (size_t t = 0; t < tasks.count; t++)
        COP_GO(cop_task_check(conf, tasks.items[t], s->data_dir));
    cop_plan_setup setup = {.conf = conf,
                            .model = model,
                            .seed = (uint64_t)cop_conf_int(conf, "run", "seed"),
                            .tasks = tasks.count,
                            .task_names = (const char *const *)tasks.items};
    COP_GO(cop_plan_create(&plan, &setup));
done:
    cop_plan_destroy(plan);
    cop_list_clear(&tasks);
    cop_model_destroy(model);
    return status;
}

static cop_status prepare(struct session *s, cop_conf **conf) {
    const cop_session_options *options = s->options;
    if (options->resume) {
        if (!cop_directory_holds_run(options->directory))
            return cop_fail(COP_E_USAGE, "%s holds no run to resume", options->directory);
        return prepare_resume(s, options->directory, NULL, conf);
    }
    COP_TRY(cop_conf_load(conf, cop_run_schema(), options->config));
    COP_TRY(apply_sets(*conf, options));
    COP_TRY(check_configuration(s, *conf));
    char *dir = options->directory ? cop_strdup(options->directory)
                                   : default_directory(*conf, !options->resume_auto);
    cop_status status;
    if (options->resume_auto && has_checkpoint(dir)) {
        cop_conf *asked = *conf;
        *conf = NULL;
        status = prepare_resume(s, dir, asked, conf);
        cop_conf_destroy(asked);
    } else {
        new_run_id(s->run_id);
        status = cop_directory_open(&s->directory, dir, !options->resume_auto);
    }
    cop_free(dir);
    return status;
}

static cop_status record_start(struct session *s, const char *config_text) {
    json_t *run = s->directory.run;
    char now[32];
    uint32_t generation = 0;
    if (s->resuming) {
        const cop_history *history = &s->checkpoint->history;
        generation = history->generation[history->generations - 1].generation;
        COP_TRY(cop_metrics_cut(&s->directory, generation));
    } else {
        /* --resume auto in a folder where nothing was completed: begin with clean files */
        COP_TRY(cop_metrics_cut(&s->directory, 0));
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
    return cop_directory_save(&s->directory, "running", NULL);
}

/* ------------------------------------------------------------------ all ranks */

/* Configuration, data folder and the kind of start, from rank 0 to all. */
static cop_status distribute(struct session *s, cop_conf *conf, cop_buf *text) {
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

static cop_status adopt_base(struct session *s) {
    cop_experiment *e = &s->experiment;
    cop_buf bytes = {0};
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
    cop_params_init(&e->base, e->model);
    e->base_ready = true;
    size_t w = e->base.weights * sizeof(float), b = e->base.biases * sizeof(float);
    if (s->par->rank == 0) {
        cop_buf_add(&bytes, s->checkpoint->base->params.w, w);
        cop_buf_add(&bytes, s->checkpoint->base->params.b, b);
    }
    cop_par_broadcast(s->par, &bytes);
    COP_ASSERT(bytes.length == w + b);
    memcpy(e->base.w, bytes.data, w);
    memcpy(e->base.b, bytes.data + w, b);
    cop_buf_clear(&bytes);
    return COP_OK;
}

/* The live genomes of a checkpoint, to every rank that breeds. */
static void distribute_genomes(struct session *s) {
    size_t edges = s->experiment.model->weights;
    size_t item = sizeof(uint64_t) * (1 + cop_mask_words(edges));
    cop_buf bytes = {0};
    if (s->par->rank == 0)
        for (size_t i = 0; i < s->checkpoint->genomes; i++) {
            cop_buf_add(&bytes, &s->checkpoint->genome_id[i], sizeof(uint64_t));
            cop_buf_add(&bytes, s->checkpoint->genome[i].words, item - sizeof(uint64_t));
        }
    cop_par_broadcast(s->par, &bytes);
    for (size_t at = 0; at < bytes.length && s->worker; at += item) {
        uint64_t id;
        cop_mask mask;
        cop_mask_init(&mask, edges);
        memcpy(&id, bytes.data + at, sizeof id);
        memcpy(mask.words, bytes.data + at + sizeof id, item - sizeof id);
        cop_worker_adopt(s->worker, id, &mask);
        cop_mask_clear(&mask);
    }
    cop_buf_clear(&bytes);
}

static void banner(const struct session *s) {
    const cop_experiment *e = &s->experiment;
    cop_log(COP_LOG_INFO, "%s: %d rank%s on %d node%s, kernel %s, run directory %s",
            cop_conf_text(e->conf, "run", "name"), s->par->size, s->par->size == 1 ? "" : "s",
            s->par->nodes, s->par->nodes == 1 ? "" : "s", cop_sign_kernel(), s->directory.path);
    for (size_t t = 0; t < e->tasks; t++)
        cop_log(COP_LOG_INFO, "task %s: %zu samples, %d classes", e->task_names.items[t],
                e->evolve[t]->samples, (int)e->evolve[t]->classes);
}

static cop_status search(struct session *s) {
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
        cop_checkpoint_digest(s->checkpoint, search.digest);
        const cop_history *history = &s->checkpoint->history;
        cop_log(COP_LOG_INFO, "going on after generation %u",
                history->generation[history->generations - 1].generation);
        cop_history taken = s->checkpoint->history;
        s->checkpoint->history = (cop_history){0};
        status = cop_engine_resume(&search.engine, s->experiment.plan, &taken);
    } else {
        search.engine = cop_engine_create(s->experiment.plan);
    }
    if (status == COP_OK) status = cop_search_run(&search, &reason);
    if (status == COP_OK || (status == COP_E_STOPPED && search.checkpoints)) {
        cop_status printed = cop_summary_print(
            &search, status == COP_OK ? reason : "a signal, file or time limit asked for it");
        if (printed != COP_OK)
            status = printed;
        else if (status == COP_E_STOPPED)
            cop_fail(COP_E_STOPPED,
                     "stopped on request with a good checkpoint; go on with: coppice resume %s",
                     s->directory.path);
    }
    /* the files say how it ended before the workers hear of it: whoever dies now, the record stands
     */
    cop_status saved = cop_directory_save(&s->directory,
                                          status == COP_OK          ? "finished"
                                          : status == COP_E_STOPPED ? "stopped"
                                                                    : "failed",
                                          status == COP_OK ? NULL : cop_error_message());
    if (status == COP_OK) status = saved;
    cop_engine_destroy(search.engine);
    return status;
}

static cop_status carry_out(struct session *s, cop_conf **conf, cop_buf *text) {
    cop_experiment *e = &s->experiment;
    cop_par *par = s->par;
    COP_TRY(cop_par_agree(par, par->rank == 0 ? prepare(s, conf) : COP_OK));
    COP_TRY(distribute(s, *conf, text));
    COP_TRY(cop_experiment_load(e, par));
    if (par->rank == 0) banner(s);
    COP_TRY(s->resuming ? adopt_base(s) : cop_experiment_base(e, par));
    COP_TRY(cop_par_agree(par, cop_experiment_compose(e)));
    if (par->rank != 0 || par->size == 1)
        COP_TRY(cop_par_agree(par, cop_worker_create(&s->worker, e, par)));
    else
        COP_TRY(cop_par_agree(par, COP_OK));
    if (s->resuming) distribute_genomes(s);
    COP_TRY(cop_par_agree(par, par->rank == 0 ? record_start(s, cop_buf_text(text)) : COP_OK));
    /* from here on only messages between master and workers: no collective call */
    cop_farm_work work = {0};
    if (s->worker) work = cop_worker_work(s->worker);
    s->farm = cop_farm_create(par, &work);
    if (par->rank != 0) return cop_farm_serve(s->farm);
    cop_status status = search(s);
    cop_farm_stop(s->farm, status);
    return status;
}

cop_status cop_session(const cop_session_options *options, cop_par *par) {
    struct session s = {.options = options, .par = par, .directory = {.lock = -1}};
    cop_conf *conf = NULL;
    cop_buf text = {0};
    const char *data = options->data_dir ? options->data_dir : getenv("COPPICE_DATA");
    if (data && *data) s.data_dir = absolute(data);
    cop_halt_install();
    cop_status status = carry_out(&s, &conf, &text);
    if (par->rank == 0 && status != COP_OK && status != COP_E_STOPPED && s.directory.run &&
        !s.farm) {
        /* failed before the search began; the message must survive the saving of it */
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
    return status;
}
