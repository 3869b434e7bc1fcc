/* Rank 0 before the others hear anything: what to run, and where. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "composition.h"
#include "coppice/io.h"
#include "session.h"
#include "training.h"

char *cop_session_default_directory(const cop_conf *conf, bool with_time) {
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
    return cop_conf_check(conf);
}

cop_status cop_session_same_science(const cop_conf *now, const cop_conf *then, const char *dir) {
    cop_buf a = {0}, b = {0};
    cop_list lines_a = {0}, lines_b = {0};
    cop_status status = COP_OK;
    cop_conf_write(now, &a, 1u << COP_SCIENCE);
    cop_conf_write(then, &b, 1u << COP_SCIENCE);
    if (strcmp(cop_buf_text(&a), cop_buf_text(&b)) != 0) {
        cop_list_split(&lines_a, cop_buf_text(&a), "\n");
        cop_list_split(&lines_b, cop_buf_text(&b), "\n");
        size_t i = 0, head = 0;
        while (i < lines_a.count && i < lines_b.count &&
               strcmp(lines_a.items[i], lines_b.items[i]) == 0)
            if (lines_a.items[i++][0] == '[') head = i - 1;
        const char *section = i && lines_a.items[head][0] == '[' ? lines_a.items[head] : "";
        status =
            cop_fail(COP_E_CONFIG,
                     "%s is another experiment: it was run with %s '%s', now '%s' is asked for; "
                     "only [stop], [checkpoint] and [parallel] may change on resume",
                     dir, section, i < lines_b.count ? lines_b.items[i] : "(nothing)",
                     i < lines_a.count ? lines_a.items[i] : "(nothing)");
    }
    cop_list_clear(&lines_a);
    cop_list_clear(&lines_b);
    cop_buf_clear(&a);
    cop_buf_clear(&b);
    return status;
}

void cop_session_new_run_id(char id[40]) {
    unsigned char bytes[16] = {0};
    FILE *random = fopen("/dev/urandom", "rb");
    if (!random || fread(bytes, 1, sizeof bytes, random) != sizeof bytes) {
        uint64_t fallback[2] = {(uint64_t)time(NULL), (uint64_t)getpid()};
        memcpy(bytes, fallback, sizeof bytes);
    }
    if (random) fclose(random);
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

static void recorded_data_dir(cop_session_state *s, const char *dir) {
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

/* config.ini as the last session entered it in the ledger: it knows of an extension that was killed
 * before its first checkpoint. NULL when it is gone, edited, or of another experiment. */
static cop_conf *recorded_conf(const char *dir, const cop_conf *then) {
    cop_ledger ledger = {0};
    cop_conf *conf = NULL;
    cop_buf text = {0};
    char *path = cop_sprintf("%s/config.ini", dir), hex[COP_HASH_HEX];
    bool entered = false, same = false;
    if (cop_ledger_read(&ledger, dir) == COP_OK && cop_hash_file(path, hex) == COP_OK)
        for (size_t i = 0; i < ledger.count; i++)
            entered |= strcmp(ledger.entries[i].kind, "config") == 0 &&
                       strcmp(ledger.entries[i].sha256, hex) == 0;
    if (entered && cop_read_file(path, (size_t)1 << 26, &text) == COP_OK &&
        cop_conf_parse(&conf, cop_run_schema(), cop_buf_text(&text), path) == COP_OK)
        same = cop_session_same_science(conf, then, dir) == COP_OK;
    if (!same) {
        cop_conf_destroy(conf);
        conf = NULL;
        cop_log(COP_LOG_WARNING, "%s is not what this run entered; the checkpoint's copy is taken",
                path);
        cop_error_clear();
    }
    cop_ledger_clear(&ledger);
    cop_buf_clear(&text);
    cop_free(path);
    return conf;
}

static cop_status prepare_resume(cop_session_state *s, const cop_conf *asked, cop_conf **conf) {
    const char *dir = s->directory.path;
    COP_TRY(cop_run_newest_checkpoint(dir, &s->checkpoint, &s->taken));
    cop_conf *then = NULL;
    COP_TRY(cop_conf_parse(&then, cop_run_schema(), s->checkpoint->config,
                           "configuration in the checkpoint"));
    cop_status status = COP_OK;
    if (asked) {
        *conf = cop_conf_copy(asked);
    } else {
        *conf = recorded_conf(dir, then);
        if (!*conf) *conf = cop_conf_copy(then);
        status = apply_sets(*conf, s->options);
    }
    if (status == COP_OK) status = cop_session_same_science(*conf, then, dir);
    cop_conf_destroy(then);
    COP_TRY(status);
    snprintf(s->run_id, sizeof s->run_id, "%.39s", s->checkpoint->run_id);
    recorded_data_dir(s, dir);
    s->resuming = true;
    return COP_OK;
}

/* A ledger that cannot be read is an error: to begin anew would write over the run it is of. */
static cop_status find_checkpoint(const char *dir, bool *any) {
    cop_ledger ledger = {0};
    cop_status status = cop_directory_holds_run(dir) ? cop_ledger_read(&ledger, dir) : COP_OK;
    *any = false;
    for (size_t i = 0; i < ledger.count; i++)
        *any |= strcmp(ledger.entries[i].kind, "checkpoint") == 0;
    cop_ledger_clear(&ledger);
    return status;
}

cop_status cop_session_check(const cop_conf *conf, const char *data_dir) {
    if (cop_training_wanted(conf)) return cop_training_precheck(conf, data_dir);
    cop_composition composition;
    COP_TRY(cop_composition_create(&composition, conf));
    cop_status status = COP_OK;
    for (size_t t = 0; t < composition.tasks.count && status == COP_OK; t++)
        status = cop_task_check(conf, composition.tasks.items[t], data_dir);
    if (status == COP_OK) status = cop_composition_try(&composition);
    cop_composition_clear(&composition);
    return status;
}

cop_status cop_session_prepare(cop_session_state *s, cop_conf **conf) {
    const cop_session_options *options = s->options;
    if (options->resume) {
        if (!cop_directory_holds_run(options->directory))
            return cop_fail(COP_E_IO, "%s holds no run to resume: it has no ledger.jsonl",
                            options->directory);
        COP_TRY(cop_directory_open(&s->directory, options->directory, false));
        return prepare_resume(s, NULL, conf);
    }
    COP_TRY(cop_conf_load(conf, cop_run_schema(), options->config));
    COP_TRY(apply_sets(*conf, options));
    COP_TRY(cop_session_check(*conf, s->data_dir));
    char *dir = options->directory ? cop_strdup(options->directory)
                                   : cop_session_default_directory(*conf, !options->resume_auto);
    cop_status status = cop_directory_open(&s->directory, dir, !options->resume_auto);
    bool found = false;
    cop_free(dir);
    COP_TRY(status);
    if (options->resume_auto) COP_TRY(find_checkpoint(s->directory.path, &found));
    if (found) {
        cop_conf *asked = *conf;
        *conf = NULL;
        status = prepare_resume(s, asked, conf);
        cop_conf_destroy(asked);
    } else {
        cop_session_new_run_id(s->run_id);
        s->begun = true;
    }
    return status;
}

cop_status cop_session_directory(const cop_session_options *options, char **directory) {
    cop_conf *conf = NULL;
    const char *data = options->data_dir ? options->data_dir : getenv("COPPICE_DATA");
    cop_status status = COP_OK;
    COP_GO(cop_conf_load(&conf, cop_run_schema(), options->config));
    COP_GO(apply_sets(conf, options));
    COP_GO(cop_session_check(conf, data && *data ? data : NULL));
    *directory = options->directory ? cop_strdup(options->directory)
                                    : cop_session_default_directory(conf, false);
done:
    cop_conf_destroy(conf);
    return status;
}
