#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coppice/io.h"

static char *join(const char *dir, const char *file) {
    return cop_sprintf("%s/%s", dir, file);
}

bool cop_directory_holds_run(const char *path) {
    char *ledger = join(path, "ledger.jsonl");
    bool holds = cop_file_exists(ledger);
    cop_free(ledger);
    return holds;
}

static cop_status take_lock(cop_directory *directory) {
    char *path = join(directory->path, "lock");
    cop_lock_state state;
    cop_status status = cop_lock_take(path, &directory->lock, &state);
    if (status != COP_OK)
        status = cop_fail(status, "%s; choose another folder with --out", cop_error_message());
    else if (state == COP_LOCK_OTHERS)
        status = cop_fail(COP_E_USAGE,
                          "%s is in use by another coppice: wait for it, or choose "
                          "another folder with --out",
                          directory->path);
    else if (state == COP_LOCK_NONE)
        cop_log(COP_LOG_WARNING, "%s: no file locks here; make sure that only one run uses it",
                path);
    directory->locked = state == COP_LOCK_HELD;
    cop_free(path);
    return status;
}

/* Files that a killed session was writing aside (cop_publish_name): nobody else writes here now. */
static void remove_leftovers(const char *folder) {
    DIR *listing = opendir(folder);
    const struct dirent *item;
    while (listing && (item = readdir(listing))) {
        const char *mark = strstr(item->d_name, ".tmp."), *number = mark ? mark + 5 : "";
        if (!*number || number[strspn(number, "0123456789")]) continue;
        char *path = join(folder, item->d_name);
        unlink(path);
        cop_free(path);
    }
    if (listing) closedir(listing);
}

/* run.json, best.h5 and config.ini are renewed by renaming over the old one, so that there is a
 * whole one at any moment. */
static cop_status check_renaming(const char *path) {
    char *from = cop_sprintf("%s/probe.tmp.%ld", path, (long)getpid()),
         *to = cop_sprintf("%s/probe-to.tmp.%ld", path, (long)getpid());
    cop_status status = COP_OK;
    int a = open(from, O_CREAT | O_WRONLY | O_CLOEXEC, 0666),
        b = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    if (a < 0 || b < 0)
        status = cop_fail(COP_E_IO, "%s: cannot be written: %s", path, strerror(errno));
    else if (rename(from, to) != 0)
        status = cop_fail(COP_E_IO,
                          "%s: files cannot be replaced by renaming here (%s), which a run needs: "
                          "choose another folder with --out",
                          path, strerror(errno));
    if (a >= 0) close(a);
    if (b >= 0) close(b);
    unlink(from);
    unlink(to);
    cop_free(from);
    cop_free(to);
    return status;
}

cop_status cop_directory_open(cop_directory *directory, const char *path, bool must_be_new) {
    *directory = (cop_directory){.lock = -1};
    directory->path = cop_strdup(path);
    char *checkpoints = join(path, "checkpoints"), *log = join(path, "log");
    cop_status status = cop_make_dirs(checkpoints);
    if (status == COP_OK) status = take_lock(directory);
    /* looked for under the lock: another session may have ended just now */
    if (status == COP_OK && must_be_new && cop_directory_holds_run(path))
        status = cop_fail(COP_E_USAGE,
                          "%s already holds a run: go on with 'coppice resume %s' or "
                          "'--resume auto', or choose another folder with --out",
                          path, path);
    if (status == COP_OK) status = check_renaming(path);
    if (status == COP_OK && directory->locked) {
        remove_leftovers(path);
        remove_leftovers(checkpoints);
    }
    if (status == COP_OK && !(directory->log = fopen(log, "a")))
        status = cop_fail(COP_E_IO, "%s: cannot be written: %s", log, strerror(errno));
    if (status == COP_OK) {
        cop_log_set_file(directory->log);
        directory->run = json_object();
    }
    cop_free(checkpoints);
    cop_free(log);
    return status;
}

void cop_directory_close(cop_directory *directory) {
    cop_log_set_file(NULL);
    if (directory->log) fclose(directory->log);
    cop_lock_release(&directory->lock);
    json_decref(directory->run);
    cop_free(directory->path);
    *directory = (cop_directory){.lock = -1};
}

/* ------------------------------------------------------------------ sealed JSON */

static void checksum(json_t *object, char out[17]) {
    char hex[COP_HASH_HEX];
    json_t *bare = json_copy(object);
    json_object_del(bare, "check");
    char *text = json_dumps(bare, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    cop_hash *hash = cop_hash_create();
    COP_ASSERT(text);
    cop_hash_add(hash, text, strlen(text));
    cop_hash_hex(hash, hex);
    cop_hash_destroy(hash);
    free(text);
    json_decref(bare);
    memcpy(out, hex, 16);
    out[16] = '\0';
}

char *cop_json_seal(json_t *object) {
    char check[17];
    checksum(object, check);
    json_object_set_new(object, "check", json_string(check));
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17));
    COP_ASSERT(text);
    char *own = cop_strdup(text);
    free(text);
    return own;
}

bool cop_json_sealed(json_t *object) {
    char check[17];
    const char *stored = json_string_value(json_object_get(object, "check"));
    if (!json_is_object(object) || !stored) return false;
    checksum(object, check);
    return strcmp(check, stored) == 0;
}

json_t *cop_json_text(const char *text) {
    cop_buf clean = {0};
    while (text && *text) {
        size_t length = cop_utf8_length(text);
        cop_buf_add(&clean, length ? text : "\xef\xbf\xbd", length ? length : 3);
        text += length ? length : 1;
    }
    json_t *out = text ? json_string(cop_buf_text(&clean)) : NULL;
    cop_buf_clear(&clean);
    return out;
}

/* ------------------------------------------------------------------ files */

cop_status cop_directory_save(cop_directory *directory, const char *state, const char *message) {
    char now[32];
    json_object_set_new(directory->run, "status", json_string(state));
    json_object_set_new(directory->run, "updated", json_string(cop_time_now(now)));
    if (message && *message)
        json_object_set_new(directory->run, "message", cop_json_text(message));
    else
        json_object_del(directory->run, "message");
    char *sealed = cop_json_seal(directory->run);
    char *text = json_dumps(directory->run, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    char *path = join(directory->path, "run.json"), *lines = cop_sprintf("%s\n", text);
    cop_status status = cop_write_file(path, lines, strlen(lines));
    cop_free(path);
    cop_free(lines);
    cop_free(sealed);
    free(text);
    return status;
}

cop_status cop_directory_save_config(const cop_directory *directory, const char *text,
                                     uint32_t generation) {
    cop_ledger_entry entry = {.kind = cop_strdup("config"),
                              .file = cop_strdup("config.ini"),
                              .bytes = strlen(text),
                              .generation = generation};
    cop_hash *hash = cop_hash_create();
    cop_hash_add(hash, text, strlen(text));
    cop_hash_hex(hash, entry.sha256);
    cop_hash_destroy(hash);
    char *path = join(directory->path, "config.ini");
    /* entered first: whichever of old and new is there after a kill, the ledger knows it */
    cop_status status = cop_ledger_append(directory->path, &entry);
    if (status == COP_OK) status = cop_write_file(path, text, strlen(text));
    cop_free(path);
    cop_free(entry.kind);
    cop_free(entry.file);
    return status;
}

unsigned cop_directory_requests(const cop_directory *directory) {
    static const struct {
        const char *file;
        unsigned flag;
    } wishes[] = {{"stop", COP_HALT_STOP}, {"checkpoint", COP_HALT_CHECKPOINT}};
    unsigned flags = 0;
    for (size_t i = 0; i < 2; i++) {
        char *path = join(directory->path, wishes[i].file);
        if (cop_file_exists(path)) {
            flags |= wishes[i].flag;
            unlink(path);
        }
        cop_free(path);
    }
    return flags;
}

cop_status cop_metrics_append(const cop_directory *directory, json_t *line) {
    char *path = join(directory->path, "metrics.jsonl"), *text = cop_json_seal(line);
    cop_status status = cop_append_line(path, text);
    cop_free(path);
    cop_free(text);
    return status;
}

cop_status cop_metrics_cut(const cop_directory *directory, uint32_t generation) {
    char *path = join(directory->path, "metrics.jsonl");
    cop_buf all = {0}, kept = {0};
    cop_status status = COP_OK;
    if (cop_file_exists(path)) {
        status = cop_read_file(path, (size_t)1 << 31, &all);
        cop_list lines = {0};
        cop_list_split(&lines, cop_buf_text(&all), "\n");
        for (size_t i = 0; i < lines.count; i++) {
            json_t *line = json_loads(lines.items[i], 0, NULL);
            /* a torn or damaged line is dropped with what is newer than the checkpoint */
            if (line && cop_json_sealed(line) &&
                json_integer_value(json_object_get(line, "generation")) <= (json_int_t)generation)
                cop_buf_printf(&kept, "%s\n", lines.items[i]);
            json_decref(line);
        }
        cop_list_clear(&lines);
        if (status == COP_OK)
            status = cop_write_file(path, kept.data ? kept.data : (void *)"", kept.length);
    }
    cop_buf_clear(&all);
    cop_buf_clear(&kept);
    cop_free(path);
    return status;
}
