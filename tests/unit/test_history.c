/* History as bytes: the way there and back, and what damage and lies are found. */
#include "../support/evo_world.h"

static cop_history searched(world *w, const char *ini, int generations) {
    *w = world_of(ini);
    cop_engine *engine = cop_engine_create(w->plan);
    for (int g = 0; g < generations; g++) world_step(w, engine);
    cop_history copy = world_copy(cop_engine_history(engine));
    char a[COP_HASH_HEX], b[COP_HASH_HEX];
    world_digest(cop_engine_history(engine), a);
    world_digest(&copy, b);
    assert_string_equal(a, b);
    cop_engine_destroy(engine);
    return copy;
}

#define TINY                                                                                       \
    "[population]\nsize = 4\n[select]\nsize = 2\n[vary]\nops = prune.random, prune.channels\n"     \
    "[prune.channels]\namount = 1\n"

static void bytes_give_the_original(void **state) {
    (void)state;
    world w;
    cop_history h = searched(&w, TINY, 6), again;
    cop_buf first = {0}, second = {0};
    cop_history_pack(&h, &first);
    assert_ok(cop_history_unpack(&again, first.data, first.length));
    assert_int_equal(again.individuals, h.individuals);
    assert_int_equal(again.individual[9].recipe.parent[0], h.individual[9].recipe.parent[0]);
    assert_near(again.measure[7], h.measure[7], 0);
    assert_near(again.generation[5].median, h.generation[5].median, 0);
    assert_memory_equal(again.live, h.live, h.population * sizeof *h.live);
    cop_history_pack(&again, &second);
    assert_int_equal(first.length, second.length);
    assert_memory_equal(first.data, second.data, first.length);
    cop_history_clear(&again);
    cop_history empty = {.measures = 3};
    cop_buf_reset(&first);
    cop_history_pack(&empty, &first);
    assert_ok(cop_history_unpack(&again, first.data, first.length));
    assert_int_equal(again.measures, 3);
    assert_int_equal(again.individuals, 0);
    cop_history_clear(&again);
    cop_history_clear(&h);
    cop_buf_clear(&first);
    cop_buf_clear(&second);
    world_close(&w);
}

/* A damaged pack is refused, or it is another consistent history that packs to the bytes given; and
 * then an engine refuses it unless only a measure that fitness does not read was hit. */
static void probe(const world *w, const void *whole, const unsigned char *bytes, size_t length) {
    const cop_history *honest = whole;
    cop_history h, seen;
    char wanted[COP_HASH_HEX], digest[COP_HASH_HEX];
    cop_status status = cop_history_unpack(&h, bytes, length);
    if (status != COP_OK) {
        assert_int_equal(status, COP_E_FORMAT);
        assert_null(h.individual);
        return;
    }
    assert_ok(cop_history_check(&h));
    cop_buf again = {0};
    cop_history_pack(&h, &again);
    assert_int_equal(again.length, length);
    assert_memory_equal(again.data, bytes, length);
    cop_buf_clear(&again);
    cop_engine *engine;
    seen = world_copy(&h);
    status = cop_engine_resume(&engine, w->plan, &h);
    assert_true(status == COP_OK || status == COP_E_FORMAT);
    if (status == COP_OK) { /* all else is as it was */
        assert_int_equal(seen.individuals, honest->individuals);
        assert_int_equal(seen.measures, honest->measures);
        for (size_t i = 0; i < seen.individuals; i++)
            for (size_t k = 0; k < COP_VARY_MAX; k++) {
                double *amount = &seen.individual[i].recipe.amount[k],
                       was = honest->individual[i].recipe.amount[k];
                assert_near(*amount, was, 1e-12 * was); /* roundings of pow() */
                *amount = was;
            }
        memcpy(seen.measure, honest->measure,
               seen.individuals * seen.measures * sizeof *seen.measure);
        world_digest(honest, wanted);
        world_digest(&seen, digest);
        assert_string_equal(digest, wanted);
    }
    cop_history_clear(&seen);
    cop_engine_destroy(engine);
}

static void damaged_bytes_are_refused_or_consistent(void **state) {
    (void)state;
    world w;
    cop_history h = searched(&w, TINY, 3);
    cop_buf bytes = {0};
    cop_history_pack(&h, &bytes);
    world_damage(&w, &h, &bytes, probe);
    cop_buf_add(&bytes, "", 1); /* a byte too many */
    cop_history longer;
    assert_fails(cop_history_unpack(&longer, bytes.data, bytes.length), COP_E_FORMAT,
                 "do not hold");
    bytes.length--;
    /* counts that overflow when multiplied */
    for (size_t count = 0; count < 4; count++) {
        unsigned char kept[8];
        memcpy(kept, bytes.data + 8 + 8 * count, 8);
        memset(bytes.data + 8 + 8 * count, 0xff, 8);
        probe(&w, &h, bytes.data, bytes.length);
        for (int shift = 40; shift < 64; shift++) {
            uint64_t huge = UINT64_C(1) << shift;
            memcpy(bytes.data + 8 + 8 * count, &huge, 8);
            probe(&w, &h, bytes.data, bytes.length);
        }
        memcpy(bytes.data + 8 + 8 * count, kept, 8);
    }
    probe(&w, &h, bytes.data, bytes.length);
    cop_buf_clear(&bytes);
    cop_history_clear(&h);
    world_close(&w);
}

/* Tell one lie about a history and say what it must be found out by. */
#define LIE(statement, message)                                                                    \
    do {                                                                                           \
        cop_history h = world_copy(&honest);                                                       \
        cop_individual *i = &h.individual[9];                                                      \
        cop_generation *g = &h.generation[2];                                                      \
        (void)i, (void)g;                                                                          \
        statement;                                                                                 \
        assert_fails(cop_history_check(&h), COP_E_FORMAT, message);                                \
        cop_history_clear(&h);                                                                     \
    } while (0)

static void lies_are_found(void **state) {
    (void)state;
    world w;
    cop_history honest = searched(&w, TINY "[cross]\nprobability = 0\n", 5);
    assert_ok(cop_history_check(&honest));
    LIE(i->recipe.id = 8, "individual 9: its id is another");
    LIE(i->recipe.born = 77, "individual 9: born after the last generation");
    LIE(i->recipe.born = 0, "individual 9: born before the one in front of it");
    LIE(i->recipe.parent[0] = 9, "individual 9: a parent is not older");
    LIE(i->recipe.parent[0] = 8, "individual 9: a parent is of the same generation");
    LIE(i->recipe.crossed = 2, "unknown operator flags");
    LIE(i->recipe.varied = 16, "unknown operator flags");
    LIE(i->recipe.cut = 1, "not crossed, yet");
    LIE(i->recipe.parent[1] = 0, "not crossed, yet");
    LIE(i->recipe.amount[0] = NAN, "impossible amount");
    LIE(i->recipe.amount[1] = -1, "impossible amount");
    LIE(i->recipe.amount[3] = 1, "impossible amount");
    LIE(i->fitness = NAN, "neither finite nor");
    LIE(i->fitness = INFINITY, "neither finite nor");
    LIE(i->died = 0, "died outside of its time");
    LIE(i->died = 5, "died outside of its time");
    LIE(i->elite = 50, "an elite for longer than it lived");
    LIE(g->generation = 3, "generation 2: its number");
    LIE(g->births = 1, "its births");
    LIE(g->evaluations++, "its births");
    LIE(g->best_id = 30, "not born yet");
    LIE(g->best += 1, "has another fitness");
    LIE(g->best_ever = 0, "has another fitness");
    LIE(g->worst = NAN, "summary is impossible");
    LIE(g->median = INFINITY, "summary is impossible");
    LIE(g->density_mean = 1.5, "density");
    LIE(h.live[1] = h.live[0], "live id 1: unknown, dead or named twice");
    LIE(h.live[1] = 1000, "live id 1: unknown, dead or named twice");
    LIE(h.individual[h.live[2]].died = 4, "4 live ids, but 3 individuals never died");
    LIE(h.generations--, "history: individual 8");
    LIE(h.population = 0, "do not fit together");
    /* a parent that died at generation 1 cannot breed at 4 */
    cop_history h = world_copy(&honest);
    uint64_t dead = 0;
    while (h.individual[dead].died != 1) dead++;
    h.individual[h.individuals - 1].recipe.parent[0] = dead;
    assert_fails(cop_history_check(&h), COP_E_FORMAT, "a parent was dead before the birth");
    cop_history_clear(&h);
    cop_history_clear(&honest);
    world_close(&w);
}

static void every_field_is_in_the_digest(void **state) {
    (void)state;
    world w;
    cop_history h = searched(&w, TINY, 3);
    char before[COP_HASH_HEX], after[COP_HASH_HEX];
    world_digest(&h, before);
    uint64_t *whole[] = {&h.individual[5].recipe.id,        &h.individual[5].recipe.parent[0],
                         &h.individual[5].recipe.parent[1], &h.individual[5].recipe.cut,
                         &h.generation[1].evaluations,      &h.generation[1].best_id,
                         &h.generation[1].best_ever_id,     &h.live[2]};
    uint32_t *small[] = {&h.individual[5].recipe.born,   &h.individual[5].recipe.crossed,
                         &h.individual[5].recipe.varied, &h.individual[5].died,
                         &h.individual[5].elite,         &h.generation[1].generation,
                         &h.generation[1].births};
    double *real[] = {&h.individual[5].recipe.amount[0],
                      &h.individual[5].recipe.amount[3],
                      &h.individual[5].fitness,
                      &h.measure[17],
                      &h.generation[1].best,
                      &h.generation[1].median,
                      &h.generation[1].mean,
                      &h.generation[1].worst,
                      &h.generation[1].best_ever,
                      &h.generation[1].density_mean};
    for (size_t k = 0; k < sizeof whole / sizeof *whole; k++) {
        *whole[k] ^= 1;
        world_digest(&h, after);
        assert_string_not_equal(before, after);
        *whole[k] ^= 1;
    }
    for (size_t k = 0; k < sizeof small / sizeof *small; k++) {
        *small[k] ^= 1;
        world_digest(&h, after);
        assert_string_not_equal(before, after);
        *small[k] ^= 1;
    }
    for (size_t k = 0; k < sizeof real / sizeof *real; k++) {
        double kept = *real[k];
        *real[k] += 0.125;
        world_digest(&h, after);
        assert_string_not_equal(before, after);
        *real[k] = kept;
    }
    world_digest(&h, after);
    assert_string_equal(before, after);
    cop_history_clear(&h);
    world_close(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_give_the_original),
        cmocka_unit_test(damaged_bytes_are_refused_or_consistent),
        cmocka_unit_test(lies_are_found),
        cmocka_unit_test(every_field_is_in_the_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
