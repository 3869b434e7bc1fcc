/* Where a run's base network comes from: a file named in [base], the cache, or training. */
#include "coppice/io.h"
#include "experiment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char *cache_path(const char *key) {
    const char *own = getenv("COPPICE_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    if (own && *own) return cop_sprintf("%s/base-%s.h5", own, key);
    if (xdg && *xdg) return cop_sprintf("%s/coppice/base-%s.h5", xdg, key);
    if (home && *home) return cop_sprintf("%s/.cache/coppice/base-%s.h5", home, key);
    return NULL;
}

static bool on_epoch(void *user, const cop_train_report *report) {
    double *line_at = user, now = cop_clock();
    bool halt = cop_halt_requests() & COP_HALT_STOP;
    /* the last one, and of the others at most two a second */
    if (report->epoch < report->epochs && now - *line_at < 0.5) return !halt;
    *line_at = now;
    char validation[64] = "";
    if (!isnan(report->validation_accuracy))
        snprintf(validation, sizeof validation, ", validation accuracy %.2f %%",
                 100 * report->validation_accuracy);
    cop_log(COP_LOG_INFO, "base network: epoch %zu of %zu: loss %.4f, accuracy %.2f %%%s (%.1f s)",
            report->epoch, report->epochs, report->loss, 100 * report->accuracy, validation,
            report->seconds);
    return !halt;
}

static bool is_safetensors(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot && strcmp(dot, ".safetensors") == 0;
}

static cop_status import(cop_network **network, const cop_model *model, const char *path) {
    cop_network *made = COP_NEW(cop_network);
    *network = made;
    char *input = cop_strdup(model->spec), *colon = strchr(input, ':'); /* "1x28x28: layers" */
    COP_ASSERT(colon);
    *colon = '\0';
    cop_status status = cop_model_create(&made->model, input, colon + 1);
    cop_free(input);
    COP_TRY(status);
    cop_params_init(&made->params, made->model);
    cop_network_keep_all(made);
    made->config = cop_strdup("");
    return cop_network_import(&made->params, made->model, path);
}

cop_status cop_base_read(cop_network **network, const cop_model *model, const char *path) {
    *network = NULL;
    cop_status status =
        is_safetensors(path) ? import(network, model, path) : cop_network_read(network, path);
    if (status == COP_OK && strcmp((*network)->model->spec, model->spec) != 0)
        status =
            cop_fail(COP_E_CONFIG, "%s holds another network (%s) than [network] asks for (%s)",
                     path, (*network)->model->spec, model->spec);
    if (status == COP_OK) {
        size_t live = cop_mask_count(&(*network)->mask), all = (*network)->mask.bits;
        if (live < all) /* a base network has no mask: they would all come back */
            status = cop_fail(COP_E_CONFIG,
                              "%s holds a pruned network, %zu of %zu edges; a base network has all "
                              "of them: give the network that this one was pruned from",
                              path, live, all);
    }
    if (status != COP_OK) {
        cop_network_destroy(*network);
        *network = NULL;
    }
    return status;
}

static cop_status adopt(cop_experiment *e, const char *path) {
    cop_network *network = NULL;
    cop_status status = cop_base_read(&network, e->model, path);
    if (status == COP_OK) cop_params_copy(&e->base, &network->params);
    cop_network_destroy(network);
    return status;
}

static cop_status store(const cop_experiment *e, const char *path) {
    cop_network network = {.model = e->model, .params = e->base, .config = NULL};
    cop_buf text = {0};
    char *folder = cop_strdup(path), *slash = strrchr(folder, '/');
    cop_status status = COP_OK;
    if (slash && slash != folder) {
        *slash = '\0';
        status = cop_make_dirs(folder);
    }
    cop_conf_write(e->conf, &text, COP_CONF_ALL);
    network.config = (char *)text.data;
    cop_network_keep_all(&network);
    if (status == COP_OK) status = cop_network_write(&network, path);
    cop_mask_clear(&network.mask);
    cop_buf_clear(&text);
    cop_free(folder);
    return status;
}

static cop_status train(cop_experiment *e, const cop_dataset *set, const char *task) {
    double start = cop_clock(), line_at = -1;
    char seconds[32];
    cop_log(COP_LOG_INFO, "base network: training %zu weights on %zu samples of task %s",
            e->model->weights, set->samples, task);
    cop_activity_set("training the base network");
    COP_TRY(cop_train_base(e->conf, e->model, set, &e->base, on_epoch, &line_at));
    cop_activity_set("%s", "");
    double accuracy, loss;
    cop_net_score(e->model, &e->base, set, &accuracy, &loss);
    cop_log(COP_LOG_INFO, "base network: trained in %s; %.2f %% of its training samples are right",
            cop_format_seconds(cop_clock() - start, seconds), 100 * accuracy);
    return COP_OK;
}

/* Runs that start together (seeds of a sweep, tasks of an array) want the same base network: one
 * trains it, the others wait asleep and then find it. The lock saves time and nothing hangs on it:
 * where it cannot be had, the network is trained once more. */
static cop_status wait_for_turn(const char *path, int *lock) {
    char *file = cop_sprintf("%s.lock", path), *folder = cop_strdup(path),
         *slash = strrchr(folder, '/');
    cop_lock_state state = COP_LOCK_OTHERS;
    cop_status status = COP_OK;
    bool told = false;
    if (slash && slash != folder) {
        *slash = '\0';
        if (cop_make_dirs(folder) != COP_OK) cop_error_clear();
    }
    while (state == COP_LOCK_OTHERS && status == COP_OK && !cop_file_exists(path)) {
        if (cop_lock_take(file, lock, &state) != COP_OK) {
            cop_error_clear();
            break;
        }
        if (state != COP_LOCK_OTHERS) break;
        if (!told)
            cop_log(COP_LOG_INFO, "base network: another coppice is training it; waiting for that");
        told = true;
        nanosleep(&(struct timespec){0, 100000000}, NULL);
        if (cop_halt_requests() & COP_HALT_STOP)
            status = cop_fail(COP_E_STOPPED, "stopped on request before the base network was "
                                             "there; start it again");
    }
    cop_free(file);
    cop_free(folder);
    return status;
}

static void end_turn(const char *path, int *lock) {
    if (*lock < 0) return;
    char *file = cop_sprintf("%s.lock", path);
    unlink(file); /* still held: who waits for it gets it, and finds the network */
    cop_lock_release(lock);
    cop_free(file);
}

/* On rank 0 only. */
static cop_status obtain(cop_experiment *e) {
    const char *file = cop_conf_text(e->conf, "base", "file");
    if (*file && cop_file_exists(file)) {
        COP_TRY(adopt(e, file));
        cop_log(COP_LOG_INFO, "base network: read from %s", file);
        return COP_OK;
    }
    if (is_safetensors(file))
        return cop_fail(COP_E_IO,
                        "[base] file: %s is not there, and what is trained is stored as HDF5: give "
                        "the right path, or a name that ends with .h5",
                        file);
    const char *task = cop_conf_text(e->conf, "base", "task");
    cop_dataset *set = NULL;
    if (!*task) task = e->task_names.items[0];
    char section[128];
    snprintf(section, sizeof section, "task.%s", task);
    if (!cop_conf_has_section(e->conf, section))
        return cop_experiment_no_task(e->conf, "base", "task", task);
    COP_TRY(cop_task_load(&set, e->conf, task, COP_SPLIT_TRAIN, e->data_dir));
    char key[COP_HASH_HEX];
    cop_base_key(e->conf, e->model, set, key);
    char *path = *file ? cop_strdup(file) : cache_path(key);
    if (*file)
        cop_log(COP_LOG_INFO, "base network: %s is not there; it is trained and stored there",
                file);
    cop_status status = COP_OK;
    int lock = -1;
    if (path) COP_GO(wait_for_turn(path, &lock));
    if (path && cop_file_exists(path)) {
        status = adopt(e, path);
        if (status == COP_OK) cop_log(COP_LOG_INFO, "base network: found in the cache, %s", path);
        if (status == COP_OK || *file) goto done;
        cop_log(COP_LOG_WARNING, "base network: the cached one is of no use (%s); training anew",
                cop_error_message());
        cop_error_clear();
    }
    COP_GO(cop_experiment_fits(e->model, set, task));
    COP_GO(train(e, set, task));
    if (path && store(e, path) != COP_OK) {
        /* a cache is a convenience; a file asked for by name is not */
        if (*file) {
            status = cop_fail_prefix(COP_E_IO, "the base network was trained but cannot be stored");
            goto done;
        }
        cop_log(COP_LOG_WARNING, "base network: not cached: %s", cop_error_message());
        cop_error_clear();
    }
done:
    if (path) end_turn(path, &lock);
    cop_free(path);
    cop_dataset_destroy(set);
    return status;
}

void cop_experiment_share_base(cop_experiment *e, const cop_par *par) {
    cop_buf bytes = {0};
    size_t w = e->model->weights * sizeof(float), b = e->model->biases * sizeof(float);
    if (!e->base_ready) cop_params_init(&e->base, e->model);
    e->base_ready = true;
    if (par->rank == 0) {
        cop_buf_add(&bytes, e->base.w, w);
        cop_buf_add(&bytes, e->base.b, b);
    }
    cop_par_broadcast(par, &bytes);
    COP_ASSERT(bytes.length == w + b);
    memcpy(e->base.w, bytes.data, w);
    memcpy(e->base.b, bytes.data + w, b);
    cop_buf_clear(&bytes);
}

cop_status cop_experiment_base(cop_experiment *e, const cop_par *par) {
    if (par->rank == 0) {
        cop_params_init(&e->base, e->model);
        e->base_ready = true;
    }
    COP_TRY(cop_par_agree(par, par->rank == 0 ? obtain(e) : COP_OK));
    if (par->rank == 0 && strcmp(cop_conf_text(e->conf, "base", "biases"), "zero") == 0)
        memset(e->base.b, 0, e->base.biases * sizeof *e->base.b);
    cop_experiment_share_base(e, par);
    return COP_OK;
}
