/* Checkpoints: all of a run comes back; damage and hostile contents are errors; the digest covers
 * the science and nothing else. With --sample FOLDER it writes files for the test of the Python
 * reader. */
#include "../support/bounded.h"
#include "../support/support.h"
#include "coppice/io.h"
#include "coppice/run.h"
#include "io/h5_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { INDIVIDUALS = 6, GENERATIONS = 3, MEASURES = 3, POPULATION = 2, GENOMES = 3 };
#define NONE COP_FOUNDER

static cop_network *base_network(void) {
    cop_network *base = COP_NEW(cop_network);
    assert_ok(cop_model_create(&base->model, "1x6x6",
                               "conv2d(2,3) relu maxpool(2) first=dense(5) relu dense(3)"));
    cop_params_init(&base->params, base->model);
    for (size_t e = 0; e < base->params.weights; e++)
        base->params.w[e] = (float)((int)(e % 13) - 6) * 0.25f;
    for (size_t k = 0; k < base->params.biases; k++) base->params.b[k] = (float)k * 0.5f - 1;
    cop_mask_init(&base->mask, base->model->weights);
    cop_mask_fill(&base->mask);
    base->weighting = (cop_weighting){COP_WEIGHTS_TRAINED, 1, {1.0}};
    base->config = cop_strdup("[run]\nname = \"é\"\n");
    return base;
}

/* Three generations of two; the best ever (1) is dead at the end, one evaluation (3) failed. */
static void fill_history(cop_history *h) {
    static const cop_individual individuals[INDIVIDUALS] = {
        {{0, 0, 0, 0, {NONE, NONE}, 0, {0, 0, 0, 0}}, 1, 1, 1},
        {{1, 0, 0, 1, {NONE, NONE}, 0, {0.025, 0, 0, 0}}, 5, 2, 1},
        {{2, 1, 1, 1, {0, 1}, 7, {0.025, 0, 0, 0}}, 2, 2, 0},
        {{3, 1, 0, 3, {1, NONE}, 0, {0.025, 0.5, 0, 0}}, -INFINITY, 1, 0},
        {{4, 2, 0, 9, {1, NONE}, 0, {0.03, 0, 0, 0.125}}, 3, UINT32_MAX, 0},
        {{5, 2, 1, 1, {2, 1}, 12, {0.03, 0, 0, 0}}, 4, UINT32_MAX, 0}};
    static const cop_generation generations[GENERATIONS] = {
        {0, 2, 5, 3, 3, 1, 1, 1, 5, 0.75, 2},
        {1, 4, 5, 3.5, 3.5, 2, 1, 1, 5, 0.5, 2},
        {2, 6, 4, 3.5, 3.5, 3, 5, 1, 5, 0.25, 2}};
    *h = (cop_history){.individuals = INDIVIDUALS,
                       .measures = MEASURES,
                       .generations = GENERATIONS,
                       .population = POPULATION};
    h->individual = COP_NEW_ARRAY(cop_individual, INDIVIDUALS);
    h->generation = COP_NEW_ARRAY(cop_generation, GENERATIONS);
    h->measure = COP_NEW_ARRAY(double, INDIVIDUALS *MEASURES);
    h->live = COP_NEW_ARRAY(uint64_t, POPULATION);
    memcpy(h->individual, individuals, sizeof individuals);
    memcpy(h->generation, generations, sizeof generations);
    for (size_t k = 0; k < INDIVIDUALS * MEASURES; k++) h->measure[k] = (double)k / 4;
    h->measure[3 * MEASURES] = NAN;
    h->live[0] = 5;
    h->live[1] = 4;
}

static cop_checkpoint *made(void) {
    static const char *const measures[MEASURES] = {"accuracy.mnist", "edges", "similarity"};
    static const uint64_t ids[GENOMES] = {5, 4, 1};
    cop_checkpoint *c = COP_NEW(cop_checkpoint);
    c->config = cop_strdup("[run]\nname = \"é\"\n");
    c->run_id = cop_strdup("0123456789abcdef");
    c->provenance = cop_strdup("{\"version\": \"1.2.3\", \"host\": \"node7\", \"ranks\": 4}");
    c->science_hash = cop_strdup("5c1e9ce");
    c->base = base_network();
    fill_history(&c->history);
    c->measure_names = COP_NEW_ARRAY(char *, MEASURES);
    for (size_t k = 0; k < MEASURES; k++) c->measure_names[k] = cop_strdup(measures[k]);
    c->tasks = 1;
    c->task_names = COP_NEW_ARRAY(char *, 1);
    c->task_names[0] = cop_strdup("mnist");
    c->genomes = GENOMES;
    c->genome_id = COP_NEW_ARRAY(uint64_t, GENOMES);
    c->genome = COP_NEW_ARRAY(cop_genome, GENOMES);
    for (size_t k = 0; k < GENOMES; k++) {
        c->genome_id[k] = ids[k];
        cop_mask_init(&c->genome[k].mask, c->base->model->weights);
        for (size_t e = 0; e < c->base->model->weights; e++)
            if (e * (ids[k] + 3) % 7 < 3) cop_mask_set(&c->genome[k].mask, e);
    }
    c->elapsed = 12.5;
    c->complete = true;
    return c;
}

/* With a window of one generation: rows of 1 and 2, who lived after generation 1, and of 4 and 5.
 */
static cop_checkpoint *made_bounded(void) {
    cop_checkpoint *c = made();
    cop_history h = bounded_of(&c->history, 1);
    cop_history_clear(&c->history);
    c->history = h;
    return c;
}

static void digest_of(const cop_checkpoint *c, char hex[COP_HASH_HEX]) {
    cop_checkpoint_digest(c, hex);
}

static void round_trip(void **state) {
    (void)state;
    cop_checkpoint *c = made(), *seen;
    char before[COP_HASH_HEX], after[COP_HASH_HEX];
    const char *path = test_path("c.h5");
    assert_ok(cop_checkpoint_write(c, path));
    assert_ok(cop_checkpoint_read(&seen, path));
    assert_string_equal(seen->config, c->config);
    assert_string_equal(seen->run_id, c->run_id);
    assert_string_equal(seen->provenance, c->provenance);
    assert_string_equal(seen->science_hash, c->science_hash);
    assert_true(seen->elapsed == c->elapsed && seen->complete);
    assert_string_equal(seen->base->model->spec, c->base->model->spec);
    assert_memory_equal(seen->base->params.w, c->base->params.w,
                        c->base->params.weights * sizeof(float));
    assert_memory_equal(seen->base->params.b, c->base->params.b,
                        c->base->params.biases * sizeof(float));
    assert_int_equal(cop_mask_count(&seen->base->mask), c->base->model->weights);
    assert_int_equal(seen->tasks, 1);
    assert_string_equal(seen->task_names[0], "mnist");
    assert_int_equal(seen->history.measures, MEASURES);
    for (size_t k = 0; k < MEASURES; k++)
        assert_string_equal(seen->measure_names[k], c->measure_names[k]);
    assert_int_equal(seen->genomes, GENOMES);
    for (size_t k = 0; k < GENOMES; k++) {
        assert_int_equal(seen->genome_id[k], c->genome_id[k]);
        assert_true(cop_genome_equal(&seen->genome[k], &c->genome[k], c->base->model));
    }
    assert_int_equal(seen->history.individuals, INDIVIDUALS);
    assert_int_equal(seen->history.generations, GENERATIONS);
    assert_int_equal(seen->history.population, POPULATION);
    cop_buf a = {0}, b = {0};
    cop_history_pack(&c->history, &a);
    cop_history_pack(&seen->history, &b);
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.data, b.data, a.length); /* every field of every row */
    cop_buf_clear(&a);
    cop_buf_clear(&b);
    digest_of(c, before);
    digest_of(seen, after);
    assert_string_equal(before, after);
    cop_checkpoint_destroy(seen);
    cop_checkpoint_destroy(c);
    cop_checkpoint_destroy(NULL);
}

/* Each change of science moves the digest, no change of manner does. */
static void digest(void **state) {
    (void)state;
    char first[COP_HASH_HEX], now[COP_HASH_HEX];
    cop_checkpoint *c = made();
    digest_of(c, first);
    c->elapsed = 99;
    c->complete = false;
    c->config[0] = c->run_id[0] = c->provenance[2] = c->base->config[0] = 'X';
    digest_of(c, now);
    assert_string_equal(first, now);
#define MOVES(change, undo)                                                                        \
    do {                                                                                           \
        change;                                                                                    \
        digest_of(c, now);                                                                         \
        assert_string_not_equal(first, now);                                                       \
        undo;                                                                                      \
        digest_of(c, now);                                                                         \
        assert_string_equal(first, now);                                                           \
    } while (0)
    MOVES(c->science_hash[0] = '6', c->science_hash[0] = '5');
    MOVES(c->base->params.w[0] = 0.5f, c->base->params.w[0] = -1.5f);
    MOVES(c->base->params.b[1] = 0.5f, c->base->params.b[1] = -0.5f);
    MOVES(c->base->model->spec[0] = '2', c->base->model->spec[0] = '1');
    MOVES(c->genome_id[2] = 0, c->genome_id[2] = 1);
    MOVES(cop_mask_unset(&c->genome[0].mask, 0), cop_mask_set(&c->genome[0].mask, 0));
    MOVES(c->genomes = 2, c->genomes = 3);
    MOVES(c->measure_names[1][0] = 'E', c->measure_names[1][0] = 'e');
    MOVES(c->task_names[0][0] = 'M', c->task_names[0][0] = 'm');
    MOVES(c->history.measure[5] = 3, c->history.measure[5] = 1.25);
    MOVES(c->history.individual[2].recipe.cut = 8, c->history.individual[2].recipe.cut = 7);
    MOVES(c->history.generation[1].mean = 3, c->history.generation[1].mean = 3.5);
    cop_checkpoint_destroy(c);
}

static void not_written(void **state) {
    (void)state;
    cop_checkpoint *c = made(), *seen;
    assert_fails(cop_checkpoint_write(c, test_path("no/c.h5")), COP_E_IO, "no/c.h5");
    assert_fails(cop_checkpoint_write(c, "/dev/full"), COP_E_IO, "No space left");
    assert_fails(cop_checkpoint_read(&seen, test_path("none.h5")), COP_E_IO, "none.h5");
    const char *names[] = {"a/b", "", ".", "id", "fitness", "accuracy.mnist"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        cop_free(c->measure_names[1]);
        c->measure_names[1] = cop_strdup(names[k]);
        assert_fails(cop_checkpoint_write(c, test_path("c.h5")), COP_E_FORMAT, "measure");
        assert_false(cop_file_exists(test_path("c.h5")));
    }
    cop_checkpoint_destroy(c);
}

/* ------------------------------------------------------------------ damage */

/* Not cop_write_file: hundreds of files need no fsync each. */
static void put_file(const char *path, const void *bytes, size_t count) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static void damaged(void **state) {
    (void)state;
    cop_checkpoint *c = made(), *seen;
    const char *path = test_path("good.h5"), *bad = test_path("bad.h5");
    cop_buf bytes = {0};
    assert_ok(cop_checkpoint_write(c, path));
    assert_ok(cop_read_file(path, SIZE_MAX, &bytes));
    for (size_t at = 0; at < bytes.length; at += at < 600 ? 29 : 1501) {
        put_file(bad, bytes.data, at);
        assert_fails(cop_checkpoint_read(&seen, bad), COP_E_FORMAT, "bad.h5: ");
        bytes.data[at] ^= (unsigned char)(1u << at % 8);
        put_file(bad, bytes.data, bytes.length);
        assert_fails(cop_checkpoint_read(&seen, bad), COP_E_FORMAT, "bad.h5: ");
        bytes.data[at] ^= (unsigned char)(1u << at % 8);
        assert_null(seen);
    }
    cop_buf_clear(&bytes);
    cop_checkpoint_destroy(c);
}

/* What is too large for the limit is not damaged: nothing may be set aside for it. */
static void no_more_than_the_limit(void **state) {
    (void)state;
    cop_checkpoint *c = made(), *seen = NULL;
    assert_ok(cop_checkpoint_write(c, test_path("good.h5")));
    for (uint64_t bytes = 8; bytes < 64; bytes *= 2) {
        cop_memory_limit(bytes);
        assert_fails(cop_checkpoint_read(&seen, test_path("good.h5")), COP_E_MEMORY,
                     "of memory are asked for");
    }
    cop_memory_limit(0);
    cop_checkpoint_destroy(c);
}

static void seal_again(cop_buf *bytes) {
    cop_seal_make(bytes->data + COP_SEAL_BYTES, bytes->length - COP_SEAL_BYTES,
                  (char *)bytes->data);
}

/* Changed and sealed again, as an attacker would: what counts is refused. */
static void resealed(void **state) {
    (void)state;
    cop_checkpoint *c = made(), *seen;
    char wanted[COP_HASH_HEX];
    const char *path = test_path("good.h5"), *bad = test_path("bad.h5");
    cop_buf bytes = {0};
    digest_of(c, wanted);
    assert_ok(cop_checkpoint_write(c, path));
    assert_ok(cop_read_file(path, SIZE_MAX, &bytes));
    unsigned char *stated = memmem(bytes.data, bytes.length, wanted, COP_HASH_HEX - 1);
    assert_non_null(stated);
    stated[3] ^= 1;
    seal_again(&bytes);
    put_file(bad, bytes.data, bytes.length);
    assert_fails(cop_checkpoint_read(&seen, bad), COP_E_FORMAT, "its contents have digest");
    stated[3] ^= 1;
    /* without the seal: stripped to plain HDF5 */
    put_file(bad, bytes.data + COP_SEAL_BYTES, bytes.length - COP_SEAL_BYTES);
    assert_int_equal(cop_checkpoint_read(&seen, bad), COP_E_FORMAT);
    /* a bit of the numbers themselves, as they lie in the file. (Bits of HDF5's own structures,
     * sealed again, are left out: see docs/formats/network.md, "Seal".) */
    double fitness[INDIVIDUALS];
    for (size_t k = 0; k < INDIVIDUALS; k++) fitness[k] = c->history.individual[k].fitness;
    const struct {
        const void *bytes;
        size_t count;
    } places[] = {{c->base->params.w, 64}, {fitness, sizeof fitness}, {c->genome[0].mask.words, 9}};
    for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
        unsigned char *at = memmem(bytes.data, bytes.length, places[k].bytes, places[k].count);
        assert_non_null(at);
        for (size_t byte = 0; byte < places[k].count; byte++) {
            at[byte] ^= 0x10;
            seal_again(&bytes);
            put_file(bad, bytes.data, bytes.length);
            assert_int_equal(cop_checkpoint_read(&seen, bad), COP_E_FORMAT);
            assert_null(seen);
            at[byte] ^= 0x10;
        }
    }
    cop_buf_clear(&bytes);
    cop_checkpoint_destroy(c);
}

/* Contents that no run writes, with seal and digest as they should be. */
/* Weights for whatever lives. */
static void give_weights(cop_checkpoint *c) {
    for (size_t k = 0; k < c->genomes; k++) {
        size_t count = cop_mask_count(&c->genome[k].mask);
        c->genome[k].w = COP_NEW_ARRAY(float, count);
        c->genome[k].b = COP_NEW_ARRAY(float, c->base->model->biases);
        for (size_t i = 0; i < count; i++) c->genome[k].w[i] = (float)(i + k);
        for (size_t i = 0; i < c->base->model->biases; i++) c->genome[k].b[i] = (float)(i * k);
    }
}

static void own_weights_round_trip(void **state) {
    (void)state;
    cop_checkpoint *c = made(), *seen;
    char before[COP_HASH_HEX], after[COP_HASH_HEX];
    const char *path = test_path("own.h5");
    for (size_t k = 0; k < c->genomes; k++) cop_mask_fill(&c->genome[k].mask);
    digest_of(c, before);
    give_weights(c);
    digest_of(c, after);
    assert_string_not_equal(before, after);
    assert_ok(cop_checkpoint_write(c, path));
    assert_ok(cop_checkpoint_read(&seen, path));
    for (size_t k = 0; k < c->genomes; k++)
        assert_true(cop_genome_equal(&seen->genome[k], &c->genome[k], c->base->model));
    digest_of(seen, before);
    assert_string_equal(before, after);
    cop_checkpoint_destroy(seen);
    cop_checkpoint_destroy(c);
}

static int version_of(const char *path) {
    cop_h5 *file;
    int64_t version;
    assert_ok(cop_h5_open(&file, path));
    assert_ok(cop_h5_get_i64(file, "/", "format_version", &version));
    cop_h5_discard(file);
    return (int)version;
}

static void bounded_round_trip(void **state) {
    (void)state;
    const char *path = test_path("bounded.h5");
    for (int own = 0; own < 2; own++) {
        cop_checkpoint *c = made_bounded(), *seen;
        char before[COP_HASH_HEX], after[COP_HASH_HEX];
        for (size_t k = 0; k < c->genomes && own; k++) cop_mask_fill(&c->genome[k].mask);
        if (own) give_weights(c);
        assert_ok(cop_checkpoint_write(c, path));
        assert_int_equal(version_of(path), 3 + own); /* older programs refuse it by that */
        assert_ok(cop_checkpoint_read(&seen, path));
        assert_int_equal(seen->history.individuals, INDIVIDUALS);
        assert_int_equal(seen->history.elders, 2);
        assert_int_equal(seen->history.first, 4);
        assert_int_equal(cop_history_rows(&seen->history), 4);
        assert_null(cop_history_individual(&seen->history, 3));
        assert_near(cop_history_individual(&seen->history, 2)->fitness, 2, 0);
        assert_near(cop_history_measures(&seen->history, 5)[1], 4, 0);
        cop_buf a = {0}, b = {0};
        cop_history_pack(&c->history, &a);
        cop_history_pack(&seen->history, &b);
        assert_int_equal(a.length, b.length);
        assert_memory_equal(a.data, b.data, a.length); /* every field of all of it */
        cop_buf_clear(&a);
        cop_buf_clear(&b);
        digest_of(c, before);
        digest_of(seen, after);
        assert_string_equal(before, after);
        c->history.chain[7] ^= 1;
        digest_of(c, after);
        assert_string_not_equal(before, after);
        cop_checkpoint_destroy(seen);
        cop_checkpoint_destroy(c);
    }
    cop_checkpoint *c = made();
    assert_ok(cop_checkpoint_write(c, path));
    assert_int_equal(version_of(path), 1);
    cop_checkpoint_destroy(c);
}

static void hostile(void **state) {
    (void)state;
    cop_checkpoint *seen;
    const char *path = test_path("hostile.h5");
#define REFUSED_OF(make, text, ...)                                                                \
    do {                                                                                           \
        cop_checkpoint *c = make();                                                                \
        cop_history *h = &c->history;                                                              \
        (void)h;                                                                                   \
        __VA_ARGS__;                                                                               \
        assert_ok(cop_checkpoint_write(c, path));                                                  \
        assert_fails(cop_checkpoint_read(&seen, path), COP_E_FORMAT, text);                        \
        assert_null(seen);                                                                         \
        cop_checkpoint_destroy(c);                                                                 \
    } while (0)
#define REFUSED(text, ...) REFUSED_OF(made, text, __VA_ARGS__)
#define BOUNDED(text, ...) REFUSED_OF(made_bounded, text, __VA_ARGS__)
    BOUNDED("is not held", c->genome_id[2] = 3);
    BOUNDED("was never born", c->genome_id[2] = 6);
    BOUNDED("a window of 1 generations, 2 elders and 4 rows of 3 individuals", h->individuals = 3,
            h->first = 1);
    BOUNDED("a window of 1 generations", h->individuals = (size_t)1 << 40,
            h->first = ((size_t)1 << 40) - 2);
    BOUNDED("generation 0: its births", h->window = 2);
    BOUNDED("its births", h->individuals += 4, h->first += 4,
            h->individual[2].recipe.id = c->genome_id[1] = h->live[1] = h->next.live[1] = 8,
            h->individual[3].recipe.id = c->genome_id[0] = h->live[0] = h->next.live[0] = 9);
    BOUNDED("a window of 1 generations", h->chain[20] = 0);
    BOUNDED("chain", h->chain[20] = 'G');
    BOUNDED("snapshot id 1", h->begin.live[1] = COP_FOUNDER);
    BOUNDED("snapshot id 0", h->begin.live[0] = 0);
    BOUNDED("snapshot ids", h->begin.population = 1);
    BOUNDED("without the snapshots", h->next.population = 0);
    BOUNDED("out of order", h->individual[1].recipe.id = 1);
    REFUSED("is there twice", c->genome_id[2] = 4);
    REFUSED("keeps parts of units", give_weights(c));
    REFUSED("was never born", c->genome_id[2] = 6);
    REFUSED("was never born", c->genome_id[2] = COP_FOUNDER);
    REFUSED("its id is another", c->history.individual[3].recipe.id = 4);
    REFUSED("not older", c->history.individual[3].recipe.parent[0] = 5);
    REFUSED("'/individuals/parent1'", c->history.individual[3].recipe.parent[0] = COP_FOUNDER - 1);
    REFUSED("'/individuals/born'", c->history.individual[3].recipe.born = UINT32_MAX);
    REFUSED("live", c->history.individual[0].died = UINT32_MAX);
    REFUSED("fitness", c->history.individual[0].fitness = NAN);
    REFUSED("births", c->history.generation[1].births = 3);
    REFUSED("fit together", c->history.generations = 0);
    REFUSED("'/genomes/bits'", c->base->model->weights -= 8, c->base->params.weights -= 8,
            c->genome[0].mask.bits -= 8, c->genome[1].mask.bits -= 8, c->genome[2].mask.bits -= 8);
    REFUSED("elapsed_seconds", c->elapsed = -1);
    REFUSED("elapsed_seconds", c->elapsed = NAN);
    REFUSED("spec", c->base->model->spec[0] = 'x');
    REFUSED("axis", memcpy(strstr(c->base->model->spec, "dense(3)"), "dense(4)", 8));
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "--sample")) {
        cop_checkpoint *c = made();
        char *file = cop_sprintf("%s/checkpoint.h5", argv[2]),
             *net = cop_sprintf("%s/network.h5", argv[2]);
        cop_network best = *c->base;
        best.mask = c->genome[0].mask;
        best.weighting = (cop_weighting){COP_WEIGHTS_SIGNED, 3, {0.5, 1, 2}};
        best.id = c->genome_id[0];
        cop_checkpoint *b = made_bounded();
        char *window = cop_sprintf("%s/bounded.h5", argv[2]);
        bool good = cop_checkpoint_write(b, window) == COP_OK;
        cop_checkpoint_destroy(b);
        cop_free(window);
        good = good && cop_checkpoint_write(c, file) == COP_OK &&
               cop_network_write(&best, net) == COP_OK;
        if (!good) fprintf(stderr, "%s\n", cop_error_message());
        cop_checkpoint_destroy(c);
        cop_free(file);
        cop_free(net);
        return good ? 0 : 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip),
                                       cmocka_unit_test(digest),
                                       cmocka_unit_test(not_written),
                                       cmocka_unit_test(damaged),
                                       cmocka_unit_test(no_more_than_the_limit),
                                       cmocka_unit_test(resealed),
                                       cmocka_unit_test(hostile),
                                       cmocka_unit_test(own_weights_round_trip),
                                       cmocka_unit_test(bounded_round_trip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
