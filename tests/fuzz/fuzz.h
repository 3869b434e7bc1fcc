/** @file fuzz.h
 *  A fuzz target is one function that gets bytes from a stranger and must neither crash, leak, hang
 * nor take memory by what a header says; what it refuses it must refuse in words.
 *
 *  Two drivers run a target. `make fuzz` links it with libFuzzer (clang), which looks for new ways
 *  through the code. The test program, which `make check` runs, needs no clang: it replays the
 *  target's seeds, the findings kept in tests/fuzz/corpus/NAME/ (*.hex), and some hundreds of
 *  mutations of both that are the same on every machine (COPPICE_FUZZ_RUNS for more).
 */
#ifndef COPPICE_TEST_FUZZ_H
#define COPPICE_TEST_FUZZ_H

#include "../support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Hands a seed to the driver. */
typedef void (*fuzz_add)(const void *bytes, size_t count);

typedef struct fuzz_target {
    const char *name;
    /** One input. */
    void (*run)(const uint8_t *bytes, size_t count);
    /** Valid inputs to begin with. */
    void (*seeds)(fuzz_add add);
} fuzz_target;

/** Each test program defines one. */
extern const fuzz_target fuzz_this;

/** End at once, also in a build without assertions. */
#define FUZZ_REQUIRE(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/** A refusal must say something, in one line, and success must not. */
static inline void fuzz_judge(cop_status status) {
    if (status != COP_OK) {
        FUZZ_REQUIRE(cop_error_message()[0]);
        FUZZ_REQUIRE(!strchr(cop_error_message(), '\n'));
    }
    cop_error_clear();
}

/** A file of these bytes in the scratch folder; borrowed path. */
static inline const char *fuzz_file(const char *name, const void *bytes, size_t count) {
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    FUZZ_REQUIRE(file && fwrite(bytes, 1, count, file) == count);
    FUZZ_REQUIRE(fclose(file) == 0);
    return path;
}

#ifdef COPPICE_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    fuzz_this.run(bytes, count);
    return 0;
}
#else
#include "replay.h"
#endif

#endif
