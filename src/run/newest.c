/* Which checkpoint to go on from. */
#include <stdio.h>
#include <string.h>

#include "coppice/io.h"
#include "coppice/run.h"

cop_status cop_run_newest_checkpoint(const char *dir, cop_checkpoint **checkpoint, char **file) {
    cop_ledger ledger = {0};
    *checkpoint = NULL;
    if (file) *file = NULL;
    char *list = cop_sprintf("%s/ledger.jsonl", dir);
    /* no ledger: the run ended before its search began */
    cop_status status = cop_file_exists(list) ? cop_ledger_read(&ledger, dir) : COP_OK;
    bool any = false;
    cop_free(list);
    for (size_t i = ledger.count; i-- > 0 && status == COP_OK && !*checkpoint;) {
        const cop_ledger_entry *entry = &ledger.entries[i];
        if (strcmp(entry->kind, "checkpoint") != 0 || !cop_ledger_counts(&ledger, i)) continue;
        any = true;
        char *path = cop_sprintf("%s/%s", dir, entry->file), hex[COP_HASH_HEX];
        cop_status good = cop_hash_file(path, hex);
        if (good == COP_OK && strcmp(hex, entry->sha256) != 0)
            good = cop_fail(COP_E_FORMAT, "%s: its checksum is not the one in the ledger", path);
        if (good == COP_OK) good = cop_checkpoint_read(checkpoint, path);
        if (good == COP_E_MEMORY) { /* nothing is wrong with it: an older one is as large */
            status = good;
        } else if (good != COP_OK) {
            cop_log(COP_LOG_WARNING, "passed over: %s", cop_error_message());
            cop_error_clear();
        } else if (file) {
            *file = cop_strdup(entry->file);
        }
        cop_free(path);
    }
    if (status == COP_OK && !*checkpoint)
        status = any ? cop_fail(COP_E_FORMAT, "%s: every checkpoint is damaged or gone", dir)
                     : cop_fail(COP_E_IO,
                                "%s: no checkpoint was completed: start the run again with another "
                                "--out, or with --resume auto",
                                dir);
    cop_ledger_clear(&ledger);
    return status;
}

cop_status cop_run_set_aside(const char *dir, const char *file) {
    cop_ledger ledger = {0};
    cop_status status = cop_ledger_read(&ledger, dir);
    for (size_t i = ledger.count; i-- > 0 && status == COP_OK;) {
        cop_ledger_entry *entry = &ledger.entries[i];
        if (strcmp(entry->kind, "checkpoint") != 0 || !cop_ledger_counts(&ledger, i)) continue;
        if (strcmp(entry->file, file) == 0) break;
        char *path = cop_sprintf("%s/%s", dir, entry->file),
             *aside = cop_sprintf("%s.damaged", path);
        entry->dropped = true;
        status = cop_ledger_append(dir, entry);
        if (status == COP_OK && rename(path, aside) == 0)
            cop_log(COP_LOG_WARNING, "kept as %s", aside);
        cop_free(path);
        cop_free(aside);
    }
    cop_ledger_clear(&ledger);
    return status;
}
