/** @file directory.h
 *  A run directory: run.json, config.ini, metrics.jsonl, log, ledger.jsonl, checkpoints/, best.h5
 *  (docs/formats/run-directory.md). Held by one process at a time.
 */
#ifndef COPPICE_RUN_DIRECTORY_H
#define COPPICE_RUN_DIRECTORY_H

#include <jansson.h>

#include "coppice/run.h"

typedef struct cop_directory {
    char *path;
    int lock;    /* descriptor of the lock file; -1: none */
    bool locked; /* false where the file system has no locks */
    FILE *log;
    json_t *run; /* what run.json holds */
} cop_directory;

/** Make (or, for a resumed run, open) and lock. @p must_be_new refuses one that holds a run. */
cop_status cop_directory_open(cop_directory *directory, const char *path, bool must_be_new);
void cop_directory_close(cop_directory *directory);
/** Write run.json from directory->run with the given status word ("running", "finished", "stopped",
 *  "failed") and, for failures, the message. */
cop_status cop_directory_save(cop_directory *directory, const char *state, const char *message);
/** config.ini: the resolved configuration, entered in the ledger. */
cop_status cop_directory_save_config(const cop_directory *directory, const char *text,
                                     uint32_t generation);
/** Has a search begun there? run.json alone is the record of a failed attempt. */
bool cop_directory_holds_run(const char *path);
/** Requests made by files: COP_HALT_STOP for "stop", COP_HALT_CHECKPOINT for "checkpoint"; the
 * files are removed. */
unsigned cop_directory_requests(const cop_directory *directory);

/** JSON objects that carry a checksum of themselves ("check"): a flipped bit in a text file is
 * found. */
char *cop_json_seal(json_t *object);  /**< compact text, owned; @p object gains "check" */
bool cop_json_sealed(json_t *object); /**< true when the checksum is right */

/** Text from outside, such as a path: bytes that are no UTF-8, which JSON cannot hold, become
 * U+FFFD. NULL for NULL. */
json_t *cop_json_text(const char *text);

/** Append a sealed line to metrics.jsonl; cut lines of generations after @p generation (resume). */
cop_status cop_metrics_append(const cop_directory *directory, json_t *line);
cop_status cop_metrics_cut(const cop_directory *directory, uint32_t generation);

/** Version, compiler, libraries, host, ranks, command line, as a new JSON object. */
json_t *cop_provenance(const cop_par *par, const char *command_line);

#endif
