/** @file replay.h  The driver of a fuzz target without libFuzzer; see fuzz.h. With --write FOLDER
 * it writes seeds and findings there, which libFuzzer begins with; with FILE... it runs these. */
#ifndef COPPICE_TEST_REPLAY_H
#define COPPICE_TEST_REPLAY_H

#include <dirent.h>

#include "coppice/io.h"

enum { REPLAY_INPUTS = 512, REPLAY_MAX = 1 << 16 };

static struct {
    uint8_t *bytes;
    size_t count;
} replay_inputs[REPLAY_INPUTS];
static size_t replay_count;

static void replay_add(const void *bytes, size_t count) {
    FUZZ_REQUIRE(replay_count < REPLAY_INPUTS);
    replay_inputs[replay_count].bytes = cop_alloc(count, 1);
    if (count) memcpy(replay_inputs[replay_count].bytes, bytes, count);
    replay_inputs[replay_count++].count = count;
}

/* Findings are kept as text, two hexadecimal digits a byte, blanks ignored. */
static void replay_add_hex(const char *path) {
    cop_buf text = {0};
    assert_ok(cop_read_file(path, REPLAY_MAX * 4, &text));
    uint8_t *bytes = cop_alloc(text.length, 1);
    size_t count = 0;
    const char *at = cop_buf_text(&text);
    for (char pair[3] = {0}; *at;) {
        if (strchr(" \n", *at)) {
            at++;
            continue;
        }
        pair[0] = at[0];
        pair[1] = at[1];
        char *end;
        bytes[count++] = (uint8_t)strtoul(pair, &end, 16);
        FUZZ_REQUIRE(*end == 0 && end == pair + 2);
        at += 2;
    }
    replay_add(bytes, count);
    cop_free(bytes);
    cop_buf_clear(&text);
}

static void replay_corpus(void) {
    const char *root = getenv("COPPICE_ROOT");
    char *folder = cop_sprintf("%s/tests/fuzz/corpus/%s", root ? root : ".", fuzz_this.name);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t length = strlen(entry->d_name);
        if (length < 4 || strcmp(entry->d_name + length - 4, ".hex") != 0) continue;
        char *path = cop_sprintf("%s/%s", folder, entry->d_name);
        replay_add_hex(path);
        cop_free(path);
    }
    if (dir) closedir(dir);
    cop_free(folder);
}

static void replay_prepare(void) {
    if (replay_count) return;
    fuzz_this.seeds(replay_add);
    replay_corpus();
}

/* One change to @p bytes, which have room for REPLAY_MAX; returns the new count. */
static size_t replay_change(cop_rng *rng, uint8_t *bytes, size_t count) {
    static const uint64_t numbers[] = {0,          1,          0x7f,       0x80,
                                       0xff,       0x7fff,     0xffff,     0x7fffffff,
                                       0x80000000, 0xffffffff, 0x10000000, UINT64_MAX,
                                       1ull << 63, 1ull << 32, 1ull << 40, 255u << 24};
    size_t at = count ? cop_rng_below(rng, (uint32_t)count) : 0;
    size_t some = count > at ? 1 + cop_rng_below(rng, (uint32_t)(count - at)) : 0;
    if (some > 64) some = 1 + some % 64;
    switch (cop_rng_below(rng, 8)) {
    case 0:
        if (count) bytes[at] ^= (uint8_t)(1u << cop_rng_below(rng, 8));
        return count;
    case 1:
        if (count) bytes[at] = (uint8_t)cop_rng_below(rng, 256);
        return count;
    case 2:
    case 3: { /* a number of 1 to 8 bytes, either end first */
        uint64_t n = numbers[cop_rng_below(rng, sizeof numbers / sizeof *numbers)];
        size_t width = (size_t)1 << cop_rng_below(rng, 4);
        bool big = cop_rng_below(rng, 2);
        for (size_t i = 0; i < width && at + i < count; i++)
            bytes[at + i] = (uint8_t)(n >> (8 * (big ? width - 1 - i : i)));
        return count;
    }
    case 4: /* cut out */
        memmove(bytes + at, bytes + at + some, count - at - some);
        return count - some;
    case 5: /* twice */
        if (count + some > REPLAY_MAX) return count;
        memmove(bytes + at + some, bytes + at, count - at);
        return count + some;
    case 6: /* the end is missing */
        return at;
    default: { /* a piece of another input */
        size_t which = cop_rng_below(rng, (uint32_t)replay_count);
        const uint8_t *other = replay_inputs[which].bytes;
        size_t length = replay_inputs[which].count;
        if (!length) return count;
        size_t from = cop_rng_below(rng, (uint32_t)length);
        for (size_t i = 0; from + i < length && at + i < count && i < 64; i++)
            bytes[at + i] = other[from + i];
        return count;
    }
    }
}

static void replay_seeds(void **state) {
    (void)state;
    replay_prepare();
    for (size_t i = 0; i < replay_count; i++)
        fuzz_this.run(replay_inputs[i].bytes, replay_inputs[i].count);
}

static void replay_mutations(void **state) {
    (void)state;
    replay_prepare();
    const char *wanted = getenv("COPPICE_FUZZ_RUNS");
    uint64_t runs = wanted ? strtoull(wanted, NULL, 10) : 400;
    uint8_t *bytes = cop_alloc(REPLAY_MAX, 1);
    for (uint64_t i = 0; i < runs; i++) {
        cop_rng rng = cop_rng_at(1, (uint32_t)i, 0, COP_FOR_TEST);
        size_t which = (size_t)cop_rng_below(&rng, (uint32_t)replay_count);
        size_t count = replay_inputs[which].count;
        if (count > REPLAY_MAX) count = REPLAY_MAX;
        memcpy(bytes, replay_inputs[which].bytes, count);
        for (uint64_t n = 1 + cop_rng_below(&rng, 6); n; n--)
            count = replay_change(&rng, bytes, count);
        uint8_t *exact = cop_alloc(count, 1); /* so that sanitizers see its end */
        memcpy(exact, bytes, count);
        fuzz_this.run(exact, count);
        cop_free(exact);
    }
    cop_free(bytes);
}

static void replay_write(const char *folder) {
    replay_prepare();
    assert_ok(cop_make_dirs(folder));
    for (size_t i = 0; i < replay_count; i++) {
        char *path = cop_sprintf("%s/seed-%03zu", folder, i);
        assert_ok(cop_write_file(path, replay_inputs[i].bytes, replay_inputs[i].count));
        cop_free(path);
    }
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        replay_write(argv[2]);
        return 0;
    }
    for (int i = 1; i < argc; i++) {
        cop_buf bytes = {0};
        assert_ok(cop_read_file(argv[i], (size_t)64 << 20, &bytes));
        fuzz_this.run((const uint8_t *)bytes.data, bytes.length);
        cop_buf_clear(&bytes);
    }
    if (argc > 1) return 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test(replay_seeds),
                                       cmocka_unit_test(replay_mutations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
