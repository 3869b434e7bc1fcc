/* Hostile ledgers. */
#include "fuzz.h"

#include "coppice/io.h"
#include "coppice/run.h"

static void run(const uint8_t *bytes, size_t count) {
    cop_ledger ledger = {0};
    fuzz_file("ledger.jsonl", bytes, count);
    cop_status status = cop_ledger_read(&ledger, test_scratch());
    for (size_t i = 0; status == COP_OK && i < ledger.count; i++) {
        /* no name leaves the run directory */
        FUZZ_REQUIRE(ledger.entries[i].file[0] != '/' && !strstr(ledger.entries[i].file, ".."));
        cop_ledger_counts(&ledger, i);
    }
    fuzz_judge(status);
    cop_ledger_clear(&ledger);
}

static void seeds(fuzz_add add) {
    char zeros[COP_HASH_HEX];
    memset(zeros, '0', COP_HASH_HEX - 1);
    zeros[COP_HASH_HEX - 1] = 0;
    remove(test_path("ledger.jsonl"));
    for (int i = 0; i < 2; i++) {
        char *name = cop_sprintf("checkpoints/gen-%06d.h5", i);
        cop_ledger_entry entry = {
            .kind = cop_strdup("checkpoint"), .file = name, .bytes = 12, .generation = (uint32_t)i};
        memcpy(entry.sha256, zeros, COP_HASH_HEX);
        assert_ok(cop_ledger_append(test_scratch(), &entry));
        cop_free(entry.kind);
        cop_free(name);
    }
    cop_buf text = {0};
    assert_ok(cop_read_file(test_path("ledger.jsonl"), 1 << 16, &text));
    add(text.data, text.length);
    add(text.data, text.length - 20);
    cop_buf_clear(&text);
}

const fuzz_target fuzz_this = {"ledger", run, seeds};
