#include <string.h>
#include <sys/stat.h>

#include "coppice/io.h"
#include "coppice/op.h"
#include "coppice/report.h"
#include "run/training.h"

static bool is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* The model again from its canonical text "input: layers". */
static cop_status copy_model(const cop_model *from, cop_model **to) {
    const char *colon = strchr(from->spec, ':');
    COP_ASSERT(colon);
    char *input = cop_strdup(from->spec);
    input[colon - from->spec] = '\0';
    cop_status status = cop_model_create(to, input, colon + 1);
    cop_free(input);
    return status;
}

static cop_status weighting_of(const cop_checkpoint *checkpoint, cop_weighting *weighting) {
    cop_conf *conf = NULL;
    cop_plan *plan = NULL;
    cop_eval_setup setup = {0};
    cop_status status = COP_OK;
    COP_GO(cop_conf_parse(&conf, cop_run_schema(), checkpoint->config, "configuration of the run"));
    COP_GO(cop_plan_create(
        &plan, &(cop_plan_setup){.conf = conf,
                                 .model = checkpoint->base->model,
                                 .base = &checkpoint->base->params,
                                 .seed = (uint64_t)cop_conf_int(conf, "run", "seed"),
                                 .tasks = checkpoint->tasks,
                                 .task_names = (const char *const *)checkpoint->task_names}));
    cop_plan_eval_setup(plan, &setup);
    *weighting = setup.weighting;
done:
    cop_plan_destroy(plan);
    cop_conf_destroy(conf);
    return status;
}

cop_status cop_checkpoint_network(const cop_checkpoint *checkpoint, uint64_t id,
                                  cop_network **network) {
    const cop_history *history = &checkpoint->history;
    const cop_network *base = checkpoint->base;
    cop_network *made = COP_NEW(cop_network);
    size_t at = 0;
    cop_status status = COP_OK;
    if (id == COP_SUBJECT_BEST && history->generations)
        id = history->generation[history->generations - 1].best_ever_id;
    while (at < checkpoint->genomes && checkpoint->genome_id[at] != id) at++;
    if (at == checkpoint->genomes) {
        status =
            cop_fail(COP_E_USAGE,
                     "individual %llu is not alive in this checkpoint, which has the genomes of "
                     "%zu individuals; 'coppice inspect' lists them",
                     (unsigned long long)id, checkpoint->genomes);
        goto done;
    }
    COP_GO(weighting_of(checkpoint, &made->weighting));
    COP_GO(copy_model(base->model, &made->model));
    cop_params_init(&made->params, made->model);
    cop_genome_params(&checkpoint->genome[at], base->model, &base->params, &made->params);
    cop_mask_init(&made->mask, made->model->weights);
    cop_mask_copy(&made->mask, &checkpoint->genome[at].mask);
    made->config = cop_strdup(checkpoint->config);
    made->id = id;
    *network = made;
    made = NULL;
done:
    cop_network_destroy(made);
    return status;
}

static cop_status open_checkpoint(cop_subject *subject, const char *file, uint64_t individual) {
    COP_TRY(cop_checkpoint_read(&subject->checkpoint, file));
    subject->checkpoint_file = cop_strdup(file);
    COP_TRY(cop_checkpoint_network(subject->checkpoint, individual, &subject->network));
    subject->network_file = cop_strdup(file);
    return COP_OK;
}

/* The newest good checkpoint; none is no failure, as there may be other things to see. */
static void newest_checkpoint(cop_subject *subject) {
    char *file = NULL;
    if (cop_run_newest_checkpoint(subject->path, &subject->checkpoint, &file) == COP_OK)
        subject->checkpoint_file = cop_sprintf("%s/%s", subject->path, file);
    else
        cop_log(COP_LOG_WARNING, "%s", cop_error_message());
    cop_error_clear();
    cop_free(file);
}

static cop_status open_trained(cop_subject *subject, const char *file, uint64_t individual) {
    if (individual != COP_SUBJECT_BEST)
        return cop_fail(COP_E_USAGE, "%s trains one network: there are no individuals to name",
                        subject->path);
    COP_TRY(cop_trained_read(&subject->trained, file));
    subject->checkpoint_file = cop_strdup(file);
    subject->network_file = cop_strdup(file);
    return COP_OK;
}

/* The newest good checkpoint of a run of training, if there is one. */
static cop_status open_training(cop_subject *subject, uint64_t individual, bool whole) {
    char *name = NULL, *file = NULL;
    cop_status status = COP_OK;
    COP_GO(cop_ledger_read(&subject->ledger, subject->path));
    COP_GO(cop_training_newest(subject->path, &name));
    if (name) {
        file = cop_sprintf("%s/%s", subject->path, name);
        status = open_trained(subject, file, individual);
    } else if (!whole) {
        status = cop_fail(COP_E_IO, "%s holds no network yet: no checkpoint that can be read",
                          subject->path);
    }
done:
    cop_free(name);
    cop_free(file);
    return status;
}

static cop_status open_run(cop_subject *subject, uint64_t individual, bool whole) {
    char *run = cop_sprintf("%s/run.json", subject->path);
    char *best = cop_sprintf("%s/best.h5", subject->path);
    char *ledger = cop_sprintf("%s/ledger.jsonl", subject->path);
    cop_status status = COP_OK;
    if (!cop_file_exists(run) && !cop_file_exists(ledger)) {
        status =
            cop_fail(COP_E_IO,
                     "%s is not a run directory: it has neither run.json nor ledger.jsonl; give "
                     "a run directory, a checkpoint or a network file",
                     subject->path);
        goto done;
    }
    json_error_t error;
    subject->run = json_load_file(run, JSON_REJECT_DUPLICATES, &error);
    if (!subject->run && whole) cop_log(COP_LOG_WARNING, "%s: %s", run, error.text);
    if (cop_training_is_run(subject->path)) {
        if (cop_file_exists(ledger)) status = open_training(subject, individual, whole);
        goto done;
    }
    bool use_best = individual == COP_SUBJECT_BEST && cop_file_exists(best);
    if (use_best) {
        status = cop_network_read(&subject->network, best);
        if (status == COP_OK)
            subject->network_file = cop_strdup(best);
        else if (whole) { /* the checkpoint has it too */
            cop_log(COP_LOG_WARNING, "%s", cop_error_message());
            status = COP_OK;
        } else
            goto done;
    }
    if (whole || !subject->network) {
        if (cop_file_exists(ledger)) {
            COP_GO(cop_ledger_read(&subject->ledger, subject->path));
            newest_checkpoint(subject);
        }
    }
    if (!subject->network && subject->checkpoint) {
        COP_GO(cop_checkpoint_network(subject->checkpoint, individual, &subject->network));
        subject->network_file = cop_strdup(subject->checkpoint_file);
    } else if (!subject->network && (!whole || individual != COP_SUBJECT_BEST))
        status = cop_fail(
            COP_E_IO, "%s holds no network yet: neither best.h5 nor a checkpoint that can be read",
            subject->path);
done:
    cop_free(run);
    cop_free(best);
    cop_free(ledger);
    return status;
}

static cop_status open_file(cop_subject *subject, uint64_t individual) {
    cop_h5 *file = NULL;
    char *format = NULL;
    cop_status status = COP_OK;
    COP_GO(cop_h5_open(&file, subject->path));
    if (cop_h5_get_text(file, "/", "format", &format) != COP_OK)
        format = cop_strdup("HDF5 without a format attribute");
    cop_error_clear();
    cop_h5_discard(file);
    file = NULL;
    if (strstr(format, "checkpoint")) {
        subject->kind = COP_SUBJECT_CHECKPOINT;
        COP_GO(open_checkpoint(subject, subject->path, individual));
    } else if (strcmp(format, "coppice training") == 0) {
        subject->kind = COP_SUBJECT_CHECKPOINT;
        COP_GO(open_trained(subject, subject->path, individual));
    } else if (strstr(format, "network")) {
        subject->kind = COP_SUBJECT_NETWORK;
        COP_GO(cop_network_read(&subject->network, subject->path));
        subject->network_file = cop_strdup(subject->path);
        if (individual != COP_SUBJECT_BEST && individual != subject->network->id)
            status =
                cop_fail(COP_E_USAGE,
                         "%s is a network file with individual %llu alone; for individual %llu "
                         "give the run directory or a checkpoint",
                         subject->path, (unsigned long long)subject->network->id,
                         (unsigned long long)individual);
    } else
        status = cop_fail(COP_E_FORMAT,
                          "%s: format is '%s', wanted a checkpoint or a network file of coppice",
                          subject->path, format);
done:
    cop_h5_discard(file);
    cop_free(format);
    return status;
}

cop_status cop_subject_open(cop_subject *subject, const char *path, uint64_t individual,
                            bool whole) {
    *subject = (cop_subject){.kind = COP_SUBJECT_RUN, .path = cop_strdup(path)};
    for (size_t end = strlen(path); end > 1 && subject->path[end - 1] == '/';)
        subject->path[--end] = '\0';
    if (is_folder(path)) return open_run(subject, individual, whole);
    if (!cop_file_exists(path))
        return cop_fail(COP_E_IO,
                        "%s: no such file or directory; give a run directory, a checkpoint or "
                        "a network file",
                        path);
    return open_file(subject, individual);
}

cop_status cop_subject_no_training(const cop_subject *subject) {
    if (!subject->trained) return COP_OK;
    return cop_fail(COP_E_USAGE,
                    "%s was trained by [train]: this command knows networks of [network] alone; "
                    "inspect, evaluate, compare and report know both",
                    subject->path);
}

cop_subject_facts cop_subject_facts_of(const cop_subject *subject) {
    const cop_network *network = subject->network;
    if (network)
        return (cop_subject_facts){network->id, cop_mask_count(&network->mask), network->mask.bits,
                                   network->weighting.kind};
    COP_ASSERT(subject->trained);
    const cop_live_net *net = subject->trained->training.net;
    return (cop_subject_facts){0, cop_live_edges(net), (uint64_t)cop_live_possible(net),
                               COP_WEIGHTS_TRAINED};
}

void cop_subject_close(cop_subject *subject) {
    cop_trained_destroy(subject->trained);
    cop_network_destroy(subject->network);
    cop_checkpoint_destroy(subject->checkpoint);
    cop_ledger_clear(&subject->ledger);
    json_decref(subject->run);
    cop_free(subject->path);
    cop_free(subject->network_file);
    cop_free(subject->checkpoint_file);
    *subject = (cop_subject){0};
}
