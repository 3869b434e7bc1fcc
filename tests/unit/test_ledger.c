/* The ledger: what was entered comes back; a torn tail is tolerated, any other damage is named. */
#include "../support/support.h"
#include "coppice/io.h"
#include "coppice/run.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *fresh(const char *name) {
    const char *dir = test_path(name);
    assert_ok(cop_make_dirs(dir));
    return dir;
}

static cop_ledger_entry entry(const char *kind, const char *file, uint32_t generation) {
    cop_ledger_entry e = {.kind = (char *)(uintptr_t)kind,
                          .file = (char *)(uintptr_t)file,
                          .bytes = (uint64_t)generation << 31,
                          .generation = generation,
                          .dropped = generation == 3};
    memset(e.sha256, "0123456789abcdef"[generation % 16], COP_HASH_HEX - 1);
    return e;
}

static void fill(const char *dir, uint32_t count) {
    for (uint32_t k = 0; k < count; k++) {
        char *file = cop_sprintf("checkpoints/gen-%06u \"é\".h5", k);
        cop_ledger_entry e = entry("checkpoint", file, k);
        assert_ok(cop_ledger_append(dir, &e));
        cop_free(file);
    }
}

static void text_of(const char *dir, cop_buf *text) {
    char *path = cop_sprintf("%s/ledger.jsonl", dir);
    cop_buf_reset(text);
    assert_ok(cop_read_file(path, 1 << 20, text));
    cop_free(path);
}

static void put_text(const char *dir, const void *text, size_t length) {
    char *path = cop_sprintf("%s/ledger.jsonl", dir);
    FILE *file = fopen(path, "wb"); /* not cop_write_file: hundreds of files need no fsync each */
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    cop_free(path);
}

static void round_trip(void **state) {
    (void)state;
    const char *dir = fresh("round");
    cop_ledger ledger;
    assert_fails(cop_ledger_read(&ledger, dir), COP_E_IO, "ledger.jsonl");
    fill(dir, 20);
    assert_ok(cop_ledger_read(&ledger, dir));
    assert_int_equal(ledger.count, 20);
    for (uint32_t k = 0; k < 20; k++) {
        const cop_ledger_entry *e = &ledger.entries[k];
        cop_ledger_entry wanted = entry("checkpoint", "", k);
        assert_string_equal(e->kind, "checkpoint");
        assert_non_null(strstr(e->file, "checkpoints/gen-0000"));
        assert_string_equal(e->sha256, wanted.sha256);
        assert_int_equal(e->bytes, wanted.bytes);
        assert_int_equal(e->generation, k);
        assert_int_equal(e->dropped, k == 3);
    }
    cop_ledger_clear(&ledger);
    cop_ledger_clear(&ledger);
}

/* Cut at every byte: the lines that are whole count, nothing else, and the next entry is good. */
static void torn_tail(void **state) {
    (void)state;
    const char *dir = fresh("torn");
    cop_buf text = {0};
    cop_ledger ledger;
    fill(dir, 2);
    text_of(dir, &text);
    const char *all = cop_buf_text(&text);
    size_t first = (size_t)(strchr(all, '\n') - all) + 1;
    for (size_t cut = 0; cut <= text.length; cut++) {
        bool edge = cut < 3 || (cut + 3 > first && cut < first + 3) || cut + 3 > text.length;
        if (!edge && cut % 29 != 0) continue;
        size_t whole = cut >= text.length - 1 ? 2 : cut >= first - 1 ? 1 : 0;
        put_text(dir, text.data, cut);
        assert_ok(cop_ledger_read(&ledger, dir));
        assert_int_equal(ledger.count, whole);
        cop_ledger_clear(&ledger);
        cop_ledger_entry e = entry("network", "best.h5", 9);
        assert_ok(cop_ledger_append(dir, &e));
        assert_ok(cop_ledger_read(&ledger, dir));
        assert_int_equal(ledger.count, whole + 1);
        assert_string_equal(ledger.entries[whole].file, "best.h5");
        cop_ledger_clear(&ledger);
    }
    cop_buf_clear(&text);
}

/* Every bit of a line counts. */
static void damage(void **state) {
    (void)state;
    const char *dir = fresh("damage");
    cop_buf text = {0};
    cop_ledger ledger;
    fill(dir, 3);
    text_of(dir, &text);
    for (size_t at = 0; at + 1 < text.length; at++) {
        text.data[at] ^= (unsigned char)(1u << (at % 8));
        put_text(dir, text.data, text.length);
        cop_status status = cop_ledger_read(&ledger, dir);
        text.data[at] ^= (unsigned char)(1u << (at % 8));
        assert_int_equal(status, COP_E_FORMAT);
        assert_non_null(strstr(cop_error_message(), "ledger.jsonl: line "));
        assert_int_equal(ledger.count, 0);
    }
    cop_buf_clear(&text);
}

static void names(void **state) {
    (void)state;
    const char *dir = fresh("names");
    const char *bad[] = {"/etc/passwd", "../x", "a/../../x", "",     "a//b",
                         "a/",          "./a",  "a/..",      "a\nb", "a\\b"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        cop_ledger_entry e = entry("checkpoint", bad[k], 1);
        assert_fails(cop_ledger_append(dir, &e), COP_E_FORMAT, "relative");
    }
    cop_ledger_entry good = entry("checkpoint", "..a/b..c", 1),
                     not_utf8 = entry("network", "\xff", 1);
    assert_ok(cop_ledger_append(dir, &good));
    assert_fails(cop_ledger_append(dir, &not_utf8), COP_E_FORMAT, "UTF-8");
    good.sha256[5] = 'X';
    assert_fails(cop_ledger_append(dir, &good), COP_E_FORMAT, "SHA-256");
    /* a forged line with a right checksum is refused as well: made from a good one of the same
     * length */
    cop_ledger ledger;
    assert_ok(cop_ledger_read(&ledger, dir));
    assert_int_equal(ledger.count, 1);
    cop_ledger_clear(&ledger);
    const char *body = "{\"bytes\":1,\"dropped\":false,\"file\":\"../x\",\"generation\":1,\"kind\":"
                       "\"checkpoint\",\"sha256\":\"%s\"";
    char *object = cop_sprintf(body, good.sha256), hex[COP_HASH_HEX];
    char *whole = cop_sprintf("%s}", object);
    cop_hash *hash = cop_hash_create();
    cop_hash_add_text(hash, whole);
    cop_hash_hex(hash, hex);
    cop_hash_destroy(hash);
    char *line = cop_sprintf("%s,\"check\":\"%.16s\"}\n", object, hex);
    put_text(dir, line, strlen(line));
    assert_fails(cop_ledger_read(&ledger, dir), COP_E_FORMAT, "names no file of this run");
    cop_free(object);
    cop_free(whole);
    cop_free(line);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip), cmocka_unit_test(torn_tail),
                                       cmocka_unit_test(damage), cmocka_unit_test(names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
