/* The ledger of a run directory: one JSON line per file that is complete
 * (docs/formats/run-directory.md). A line ends with a checksum of what stands before it; the last
 * line may be torn by a crash. */
#include "coppice/io.h"
#include "coppice/run.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEDGER_MAX ((size_t)256 << 20)
#define CHECK_DIGITS 16
#define FILE_NAME_MAX 4096

void cop_ledger_clear(cop_ledger *ledger) {
    for (size_t k = 0; k < ledger->count; k++) {
        cop_free(ledger->entries[k].kind);
        cop_free(ledger->entries[k].file);
    }
    cop_free(ledger->entries);
    *ledger = (cop_ledger){0};
}

bool cop_ledger_name_good(const char *file) {
    size_t length = strlen(file);
    if (length == 0 || length > FILE_NAME_MAX || file[0] == '/') return false;
    for (const char *part = file;; part++) {
        size_t size = strcspn(part, "/");
        if (size == 0 || (size == 1 && part[0] == '.') || (size == 2 && !memcmp(part, "..", 2)))
            return false;
        part += size;
        if (!*part) break;
    }
    for (const char *p = file; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '\\') return false;
    return true;
}

static bool is_hex(const char *text, size_t digits) {
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

/* The line of @p object (which has no member "check"): sorted, compact, the checksum last. */
static char *make_line(const json_t *object) {
    char hex[COP_HASH_HEX], *line = NULL;
    char *body = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    if (!body) return NULL; /* text that is not UTF-8 */
    cop_hash *hash = cop_hash_create();
    cop_hash_add_text(hash, body);
    cop_hash_hex(hash, hex);
    cop_hash_destroy(hash);
    line = cop_sprintf("%.*s,\"check\":\"%.*s\"}", (int)strlen(body) - 1, body, CHECK_DIGITS, hex);
    free(body);
    return line;
}

/* Text of a member; NULL when it is missing or no text. */
static const char *member_text(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

static bool member_count(const json_t *object, const char *name, uint64_t limit, uint64_t *value) {
    const json_t *member = json_object_get(object, name);
    if (!json_is_integer(member) || json_integer_value(member) < 0) return false;
    *value = (uint64_t)json_integer_value(member);
    return *value <= limit;
}

/* One line (no newline) into @p entry: NULL, or what is wrong with it. */
static const char *parse_line(const char *line, size_t length, cop_ledger_entry *entry) {
    const char *problem = NULL;
    char *again = NULL;
    json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object) || !member_text(object, "check")) {
        problem = "is not a line of a ledger";
        goto done;
    }
    json_object_del(object, "check");
    again = make_line(object);
    if (!again || strlen(again) != length || memcmp(again, line, length) != 0) {
        problem = "does not fit its checksum";
        goto done;
    }
    const char *kind = member_text(object, "kind"), *file = member_text(object, "file"),
               *sha256 = member_text(object, "sha256");
    const json_t *dropped = json_object_get(object, "dropped");
    uint64_t bytes, generation;
    if (!kind || !file || !cop_ledger_name_good(file) || !sha256 ||
        !is_hex(sha256, COP_HASH_HEX - 1) || !member_count(object, "bytes", INT64_MAX, &bytes) ||
        !member_count(object, "generation", UINT32_MAX, &generation) || !json_is_boolean(dropped)) {
        problem = "names no file of this run";
        goto done;
    }
    *entry = (cop_ledger_entry){.kind = cop_strdup(kind),
                                .file = cop_strdup(file),
                                .bytes = bytes,
                                .generation = (uint32_t)generation,
                                .dropped = json_is_true(dropped)};
    memcpy(entry->sha256, sha256, COP_HASH_HEX);
done:
    json_decref(object);
    cop_free(again);
    return problem;
}

cop_status cop_ledger_read(cop_ledger *ledger, const char *dir) {
    *ledger = (cop_ledger){0};
    char *path = cop_sprintf("%s/ledger.jsonl", dir);
    cop_buf text = {0};
    size_t number = 0, room = 0;
    cop_status status = cop_read_file(path, LEDGER_MAX, &text);
    const char *at = cop_buf_text(&text), *end = at + text.length;
    while (status == COP_OK && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        cop_ledger_entry entry = {0};
        const char *problem = parse_line(at, length, &entry);
        number++;
        if (!problem) {
            if (ledger->count == room) {
                ledger->entries = cop_realloc(ledger->entries, ledger->count, 2 * room + 16,
                                              sizeof *ledger->entries);
                room = 2 * room + 16;
            }
            ledger->entries[ledger->count++] = entry;
        } else if (stop) {
            status = cop_fail(COP_E_FORMAT,
                              "%s: line %zu %s; the file is damaged: restore it from a copy", path,
                              number, problem);
        } /* else torn by a crash while it was written: the file it names does not count yet */
        at = stop ? stop + 1 : end;
    }
    cop_buf_clear(&text);
    cop_free(path);
    if (status != COP_OK) cop_ledger_clear(ledger);
    return status;
}

bool cop_ledger_counts(const cop_ledger *ledger, size_t i) {
    if (ledger->entries[i].dropped) return false;
    for (size_t k = i + 1; k < ledger->count; k++)
        if (strcmp(ledger->entries[k].file, ledger->entries[i].file) == 0) return false;
    return true;
}

/* A torn last line is cut off (it never counted); a whole one that lacks its newline gets it. */
static cop_status mend_tail(const char *path) {
    cop_buf text = {0};
    cop_status status = COP_OK;
    int fd = -1;
    if (!cop_file_exists(path)) return COP_OK;
    COP_GO(cop_read_file(path, LEDGER_MAX, &text));
    const char *all = cop_buf_text(&text);
    size_t whole = text.length;
    while (whole > 0 && all[whole - 1] != '\n') whole--;
    if (whole == text.length) goto done;
    cop_ledger_entry entry = {0};
    bool torn = parse_line(all + whole, text.length - whole, &entry) != NULL;
    cop_free(entry.kind);
    cop_free(entry.file);
    fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0 || (torn ? ftruncate(fd, (off_t)whole) != 0 : write(fd, "\n", 1) != 1))
        status = cop_fail(COP_E_IO, "%s: cannot mend its last line: %s", path, strerror(errno));
done:
    if (fd >= 0) close(fd);
    cop_buf_clear(&text);
    return status;
}

cop_status cop_ledger_append(const char *dir, const cop_ledger_entry *entry) {
    char *path = cop_sprintf("%s/ledger.jsonl", dir), *line = NULL;
    json_t *object = NULL;
    cop_status status = COP_OK;
    if (!cop_ledger_name_good(entry->file) || !is_hex(entry->sha256, COP_HASH_HEX - 1) ||
        entry->bytes > INT64_MAX)
        COP_GO(cop_fail(
            COP_E_FORMAT,
            "%s: will not enter '%s': names must be relative, without '..', with a SHA-256", path,
            entry->file));
    object = json_pack("{s:s, s:s, s:s, s:I, s:I, s:b}", "kind", entry->kind, "file", entry->file,
                       "sha256", entry->sha256, "bytes", (json_int_t)entry->bytes, "generation",
                       (json_int_t)entry->generation, "dropped", (int)entry->dropped);
    line = object ? make_line(object) : NULL;
    if (!line)
        COP_GO(cop_fail(COP_E_FORMAT, "%s: will not enter '%s': its name is not UTF-8", path,
                        entry->file));
    COP_GO(mend_tail(path));
    COP_GO(cop_append_line(path, line));
done:
    json_decref(object);
    cop_free(line);
    cop_free(path);
    return status;
}
