/* Bounded histories: the same search, the last generations held, the rest in a chain of hashes. */
#include "../support/evo_world.h"

static const char *const compositions[] = {
    "", /* elites */
    "[pool]\nelite = 0\ncull = 0.5\n[survive]\nop = generational\n[cross]\nop = none\n",
    "[population]\nsize = 12\n[initialise]\nop = pruned\n[rank]\nop = pareto\nobjectives = "
    "accuracy.left, accuracy.right\n[pool]\nelite = 0\ncull = 0\n[select]\nsize = 2\nby = rank\n"
    "[cross]\nop = uniform\nover = layers\n[survive]\nop = best\n",
};
enum { COMPOSITIONS = sizeof compositions / sizeof *compositions, GENERATIONS = 17 };

static void same_row(const cop_history *a, const cop_history *b, uint64_t id) {
    const cop_individual *x = cop_history_individual(a, id), *y = cop_history_individual(b, id);
    assert_non_null(x);
    assert_non_null(y);
    const cop_recipe *p = &x->recipe, *q = &y->recipe;
    assert_true(p->id == id && q->id == id && p->born == q->born && p->crossed == q->crossed);
    assert_true(p->varied == q->varied && p->cut == q->cut && p->parent[0] == q->parent[0]);
    assert_true(p->parent[1] == q->parent[1] && x->fitness == y->fitness);
    assert_memory_equal(p->amount, q->amount, sizeof p->amount);
    assert_true(x->died == y->died && x->elite == y->elite);
    assert_memory_equal(cop_history_measures(a, id), cop_history_measures(b, id),
                        a->measures * sizeof(double));
}

/* What is held is what the unbounded search has, and exactly what should be. */
static void compare_with_all(const cop_history *h, const cop_history *all, uint32_t window) {
    size_t g = h->generations - 1, windows = g / window, held = 0;
    assert_int_equal(h->individuals, all->individuals);
    assert_int_equal(h->generations, all->generations);
    for (size_t k = 0; k <= g; k++) {
        const cop_generation *x = &h->generation[k], *y = &all->generation[k];
        assert_true(x->generation == y->generation && x->evaluations == y->evaluations);
        assert_true(x->best_id == y->best_id && x->best_ever_id == y->best_ever_id);
        assert_true(x->best == y->best && x->median == y->median && x->worst == y->worst);
    }
    assert_memory_equal(h->live, all->live, h->population * sizeof *h->live);
    uint32_t begin = windows ? (uint32_t)(windows - 1) * window : 0;
    for (uint64_t id = 0; id < all->individuals; id++) {
        const cop_individual *i = &all->individual[id];
        bool best = false;
        for (uint32_t k = 0; k <= begin; k++) best |= all->generation[k].best_ever_id == id;
        bool wanted = windows == 0 || i->recipe.born > begin || i->died > begin || best;
        held += wanted;
        assert_true(wanted == (cop_history_row(h, id) != SIZE_MAX));
        if (wanted) same_row(h, all, id);
    }
    assert_int_equal(cop_history_rows(h), held);
    assert_null(cop_history_individual(h, all->individuals));
    assert_null(cop_history_individual(h, COP_FOUNDER));
    assert_int_equal(h->begin.population > 0, windows > 0);
    if (windows) assert_int_equal(cop_history_begin(h), begin);
}

static void the_search_is_the_same_and_the_last_generations_are_held(void **state) {
    (void)state;
    static const uint32_t windows[] = {1, 2, 3, 5, 16, 40};
    for (size_t c = 0; c < COMPOSITIONS; c++)
        for (size_t k = 0; k < sizeof windows / sizeof *windows; k++) {
            world whole = world_of(compositions[c]), w = world_bounded(compositions[c], windows[k]);
            cop_engine *a = cop_engine_create(whole.plan), *b = cop_engine_create(w.plan);
            char last[COP_HASH_HEX] = "";
            for (int g = 0; g < GENERATIONS; g++) {
                char chain[COP_HASH_HEX];
                world_step(&whole, a);
                world_step(&w, b);
                const cop_history *h = cop_engine_history(b);
                assert_ok(cop_history_check(h));
                compare_with_all(h, cop_engine_history(a), windows[k]);
                /* the chain moves at multiples of the window and at no other time */
                memcpy(chain, h->chain, sizeof chain);
                if (*last && (uint32_t)g % windows[k] != 0) assert_string_equal(chain, last);
                if ((uint32_t)g < 2 * windows[k])
                    assert_int_equal(strspn(chain, "0"), COP_HASH_HEX - 1);
                else
                    assert_true(strspn(chain, "0") < COP_HASH_HEX - 1);
                memcpy(last, chain, sizeof last);
            }
            cop_engine_destroy(a);
            cop_engine_destroy(b);
            world_close(&whole);
            world_close(&w);
        }
}

/* Through bytes into a new engine after every generation of @p every. */
static void search(const char *ini, uint32_t window, int every, char digest[COP_HASH_HEX]) {
    char text[512];
    snprintf(text, sizeof text, "%s[stop]\ngenerations = %d\n", ini, GENERATIONS);
    world w = world_bounded(text, window);
    cop_engine *engine = cop_engine_create(w.plan);
    for (int g = 0; !cop_engine_finished(engine, NULL); g++) {
        world_step(&w, engine); /* breeds again what was bred before: the same bits */
        if (!every || g % every) continue;
        char before[COP_HASH_HEX], after[COP_HASH_HEX];
        size_t kept, again;
        cop_history copy = world_copy(cop_engine_history(engine));
        world_digest(cop_engine_history(engine), before);
        const uint64_t *keep = cop_engine_keep(engine, &kept);
        uint64_t *wanted = COP_NEW_ARRAY(uint64_t, kept);
        memcpy(wanted, keep, kept * sizeof *wanted);
        cop_engine_destroy(engine);
        assert_ok(cop_engine_resume(&engine, w.plan, &copy));
        assert_null(copy.individual);
        keep = cop_engine_keep(engine, &again);
        assert_int_equal(again, kept);
        assert_memory_equal(keep, wanted, kept * sizeof *wanted);
        world_digest(cop_engine_history(engine), after);
        assert_string_equal(before, after);
        cop_free(wanted);
    }
    world_digest(cop_engine_history(engine), digest);
    cop_engine_destroy(engine);
    world_close(&w);
}

static void it_goes_on_from_any_generation(void **state) {
    (void)state;
    static const uint32_t windows[] = {1, 2, 5, 8, 100};
    for (size_t c = 0; c < COMPOSITIONS; c++)
        for (size_t k = 0; k < sizeof windows / sizeof *windows; k++) {
            char whole[COP_HASH_HEX], parts[COP_HASH_HEX];
            search(compositions[c], windows[k], 0, whole);
            for (int every = 1; every < 8; every += 2) {
                search(compositions[c], windows[k], every, parts);
                assert_string_equal(whole, parts);
            }
        }
}

static cop_history searched(world *w, const char *ini, uint32_t window, int generations) {
    *w = world_bounded(ini, window);
    cop_engine *engine = cop_engine_create(w->plan);
    for (int g = 0; g < generations; g++) world_step(w, engine);
    cop_history copy = world_copy(cop_engine_history(engine));
    cop_engine_destroy(engine);
    return copy;
}

#define TINY "[population]\nsize = 4\n[select]\nsize = 2\n"

static void another_bound_is_refused(void **state) {
    (void)state;
    static const size_t others[] = {0, 4, 6};
    world w;
    cop_history h = searched(&w, TINY, 5, 12);
    for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
        world other = world_bounded(TINY, others[k]);
        cop_history copy = world_copy(&h);
        cop_engine *engine;
        assert_fails(cop_engine_resume(&engine, other.plan, &copy), COP_E_FORMAT,
                     "bounded to 5 generations");
        assert_null(engine);
        world_close(&other);
    }
    cop_history_clear(&h);
    world_close(&w);
}

/* Damage: no history, or another digest; and a search that goes on is the same but for numbers that
 * nothing was computed from. */
static void probe(const world *w, const char *honest, const unsigned char *bytes, size_t length,
                  bool changed) {
    cop_history h;
    char digest[COP_HASH_HEX];
    cop_status status = cop_history_unpack(&h, bytes, length);
    if (status != COP_OK) {
        assert_int_equal(status, COP_E_FORMAT);
        assert_null(h.individual);
        return;
    }
    cop_buf again = {0};
    cop_history_pack(&h, &again);
    assert_int_equal(again.length, length);
    assert_memory_equal(again.data, bytes, length);
    cop_buf_clear(&again);
    world_digest(&h, digest);
    assert_int_equal(strcmp(digest, honest) != 0, changed);
    cop_engine *engine;
    status = cop_engine_resume(&engine, w->plan, &h);
    assert_true(status == COP_OK || status == COP_E_FORMAT);
    cop_engine_destroy(engine);
}

static void probe_changed(const world *w, const void *honest, const unsigned char *bytes,
                          size_t length) {
    probe(w, honest, bytes, length, true);
}

static void damaged_bytes_are_refused_or_change_the_digest(void **state) {
    (void)state;
    world w;
    cop_history h = searched(&w, TINY, 2, 8);
    char honest[COP_HASH_HEX];
    cop_buf bytes = {0};
    world_digest(&h, honest);
    cop_history_pack(&h, &bytes);
    probe(&w, honest, bytes.data, bytes.length, false);
    world_damage(&w, honest, &bytes, probe_changed);
    for (size_t count = 0; count < 9;
         count++) { /* numbers that overflow when added or multiplied */
        unsigned char kept[8];
        memcpy(kept, bytes.data + 8 + 8 * count, 8);
        memset(bytes.data + 8 + 8 * count, 0xff, 8);
        probe(&w, honest, bytes.data, bytes.length, true);
        for (int shift = 20; shift < 64; shift++) {
            uint64_t huge = UINT64_C(1) << shift;
            memcpy(bytes.data + 8 + 8 * count, &huge, 8);
            probe(&w, honest, bytes.data, bytes.length, true);
        }
        memcpy(bytes.data + 8 + 8 * count, kept, 8);
    }
    cop_buf_clear(&bytes);
    cop_history_clear(&h);
    world_close(&w);
}

/* Tell one lie about a history and say what it must be found out by. */
#define LIE(statement, message)                                                                    \
    do {                                                                                           \
        cop_history h = world_copy(&honest);                                                       \
        statement;                                                                                 \
        assert_fails(cop_history_check(&h), COP_E_FORMAT, message);                                \
        cop_history_clear(&h);                                                                     \
    } while (0)
/* The same for what only a search played again can tell. */
#define LIE_TO_ENGINE(statement, message)                                                          \
    do {                                                                                           \
        cop_history h = world_copy(&honest);                                                       \
        cop_engine *engine;                                                                        \
        statement;                                                                                 \
        assert_ok(cop_history_check(&h));                                                          \
        assert_fails(cop_engine_resume(&engine, w.plan, &h), COP_E_FORMAT, message);               \
    } while (0)

static void swap(uint64_t *a, uint64_t *b) {
    uint64_t kept = *a;
    *a = *b;
    *b = kept;
}

static void remove_elder(cop_history *h, size_t row) {
    size_t behind = cop_history_rows(h) - row - 1;
    memmove(&h->individual[row], &h->individual[row + 1], behind * sizeof *h->individual);
    memmove(&h->measure[row * h->measures], &h->measure[(row + 1) * h->measures],
            behind * h->measures * sizeof *h->measure);
    h->elders--;
}

/* Somebody who was born and died before the snapshot, with the number @p id = its row. */
static void insert_elder(cop_history *h, size_t id) {
    size_t rows = cop_history_rows(h), behind = rows - id, m = h->measures;
    h->individual = cop_realloc(h->individual, rows, rows + 1, sizeof *h->individual);
    h->measure = cop_realloc(h->measure, rows * m, (rows + 1) * m, sizeof *h->measure);
    memmove(&h->individual[id + 1], &h->individual[id], behind * sizeof *h->individual);
    memmove(&h->measure[(id + 1) * m], &h->measure[id * m], behind * m * sizeof *h->measure);
    cop_individual *new = &h->individual[id];
    *new = h->individual[id + 1];
    new->recipe.id = id;
    while (h->generation[new->recipe.born].evaluations > id && new->recipe.born) new->recipe.born--;
    if (h->generation[new->recipe.born].evaluations <= id) new->recipe.born++;
    new->recipe.parent[0] = new->recipe.parent[1] = COP_FOUNDER;
    new->recipe.crossed = 0;
    new->died = new->recipe.born;
    new->elite = 0;
    h->elders++;
}

static bool named_best(const cop_history *h, const cop_individual *i) {
    for (size_t g = 0; g < h->generations; g++)
        if (h->generation[g].best_id == i->recipe.id ||
            h->generation[g].best_ever_id == i->recipe.id)
            return true;
    return false;
}

static void lies_are_found(void **state) {
    (void)state;
    world w;
    cop_history honest = searched(&w, TINY, 3, 12); /* begin: 6, next: 9, last: 11 */
    assert_ok(cop_history_check(&honest));
    assert_int_equal(cop_history_begin(&honest), 6);
    LIE(h.window = 0, "no number of generations");
    LIE(h.window = 4, "history: ");
    LIE(h.elders--, "history: ");
    LIE(h.first++, "history: ");
    LIE(h.elders = 0, "more or fewer elders");
    LIE(h.first = h.individuals + 1, "more or fewer elders");
    LIE(h.chain[0] = 'g', "chain of hashes that is none");
    LIE(h.chain[9] = 0, "chain of hashes that is none");
    LIE(h.begin.population = 0, "without the snapshots");
    LIE(h.next.population = 0, "without the snapshots");
    LIE(h.begin.population--, "3 snapshot ids, but 4 individuals were alive then");
    LIE(h.next.population--, "3 snapshot ids, but 4 individuals were alive then");
    LIE(h.begin.live[1] = h.begin.live[0], "snapshot id 1: unknown, dead or named twice");
    LIE(h.next.live[2] = h.individuals, "snapshot id 2: unknown, dead or named twice");
    LIE(h.next.live[2] = UINT64_MAX, "snapshot id 2: unknown, dead or named twice");
    LIE(h.individual[1].recipe.id = h.individual[0].recipe.id, "out of order");
    LIE(h.individual[h.elders - 1].recipe.id = h.first, "out of order");
    LIE(h.individual[0].recipe.born++, "history: ");
    LIE(h.individual[h.elders].recipe.id++, "its id is another");
    LIE(h.generation[6].best_ever++, "history: generation 6");
    LIE(h.generation[6].evaluations++, "generation 6: its births");
    LIE((h.generation[2].births--, h.generation[2].evaluations--), "generation 3: its births");
    LIE(h.generation[2].best_ever_id = h.generation[1].best_id + 1, "history: generation 2");
    LIE(h.individual[h.elders].recipe.parent[0] = 3, "a parent is missing that was alive");
    /* exactly those are held who lived at the snapshot or were the best of their time */
    size_t champion = 0, gap = 0;
    while (champion < honest.elders && honest.individual[champion].died > 6) champion++;
    while (gap < honest.elders && honest.individual[gap].recipe.id == gap) gap++;
    assert_true(champion < honest.elders && gap < honest.elders);
    LIE(remove_elder(&h, champion), "its best is missing");
    LIE(insert_elder(&h, gap), "held, though it should have been dropped");
    size_t misborn = 0; /* most are at odds with their parents or neighbours too */
    for (size_t r = 0; r < honest.elders; r++)
        for (int by = -1; by <= 1; by += 2) {
            cop_history h = world_copy(&honest);
            h.individual[r].recipe.born += (uint32_t)by;
            assert_int_equal(cop_history_check(&h), COP_E_FORMAT);
            misborn += strstr(cop_error_message(), "born in another generation") != NULL;
            cop_history_clear(&h);
        }
    assert_true(misborn > 0);
    /* somebody as good, but of another generation */
    size_t other = 0;
    while (other < cop_history_rows(&honest) && named_best(&honest, &honest.individual[other]))
        other++;
    assert_true(other < cop_history_rows(&honest) && honest.individual[other].recipe.born < 9);
    LIE((h.generation[9].best_ever_id = h.individual[other].recipe.id,
         h.individual[other].fitness = h.generation[9].best_ever),
        "generation 9: the best ever was not born in it");
    LIE_TO_ENGINE(h.individual[0].recipe.varied |= 8, "impossible");
    LIE_TO_ENGINE(h.measure[0] += 1, "another fitness");
    LIE_TO_ENGINE(h.measure[h.elders * h.measures] += 1, "another fitness");
    LIE_TO_ENGINE(h.generation[6].median = h.generation[6].worst - 1,
                  "generation 6: another summary");
    LIE_TO_ENGINE(swap(&h.next.live[2], &h.next.live[3]), "another window");
    LIE_TO_ENGINE(swap(&h.begin.live[0], &h.begin.live[3]), "history: ");
    cop_history_clear(&honest);
    world_close(&w);
}

static void every_part_is_in_the_digest(void **state) {
    (void)state;
    world w;
    cop_history h = searched(&w, TINY, 3, 12);
    char before[COP_HASH_HEX], after[COP_HASH_HEX];
    world_digest(&h, before);
#define MOVES(change, undo)                                                                        \
    do {                                                                                           \
        change;                                                                                    \
        world_digest(&h, after);                                                                   \
        assert_string_not_equal(before, after);                                                    \
        undo;                                                                                      \
        world_digest(&h, after);                                                                   \
        assert_string_equal(before, after);                                                        \
    } while (0)
    MOVES(h.chain[5] ^= 1, h.chain[5] ^= 1);
    MOVES(h.window++, h.window--);
    MOVES((h.elders++, h.first++), (h.elders--, h.first--));
    MOVES(h.begin.live[1] ^= 1, h.begin.live[1] ^= 1);
    MOVES(h.next.live[3] ^= 1, h.next.live[3] ^= 1);
    MOVES(h.individual[0].elite ^= 1, h.individual[0].elite ^= 1);
    MOVES(h.measure[0] += 1, h.measure[0] -= 1);
    cop_history_clear(&h);
    world_close(&w);
}

/* Every fact of a dropped row moves the chain; when the row goes does not matter. */
static void the_chain_covers_what_was_dropped(void **state) {
    (void)state;
    for (int change = 0; change < 8; change++) {
        world w;
        cop_history h = searched(&w, TINY, 3, 9); /* generation 9 drops from before 6 */
        char honest[COP_HASH_HEX];
        cop_history other = world_copy(&h);
        size_t row = 0;
        while (h.individual[row].died > 6 ||
               h.generation[h.individual[row].recipe.born].best_ever_id ==
                   h.individual[row].recipe.id)
            row++;
        cop_individual *i = &other.individual[row];
        if (change == 0) i->recipe.parent[0] ^= 1;
        if (change == 1) i->recipe.varied ^= 1;
        if (change == 2) i->recipe.amount[0] += 0.5;
        if (change == 3) i->fitness += 1;
        if (change == 4) i->elite++;
        if (change == 5) i->recipe.cut ^= 1;
        if (change == 6) other.measure[row * other.measures + 1] += 1;
        cop_history *both[] = {&h, &other};
        for (size_t k = 0; k < 2; k++) { /* generation 9, with nobody new */
            cop_history *one = both[k];
            assert_int_equal(one->generations, 9);
            one->generation = cop_realloc(one->generation, 9, 10, sizeof *one->generation);
            one->generation[9] = one->generation[8];
            one->generation[9].generation = 9;
            one->generations = 10;
            cop_history_forget(one);
        }
        memcpy(honest, h.chain, sizeof honest);
        assert_int_equal(strcmp(honest, other.chain) != 0, change < 7);
        cop_history_clear(&h);
        cop_history_clear(&other);
        world_close(&w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_is_the_same_and_the_last_generations_are_held),
        cmocka_unit_test(it_goes_on_from_any_generation),
        cmocka_unit_test(another_bound_is_refused),
        cmocka_unit_test(damaged_bytes_are_refused_or_change_the_digest),
        cmocka_unit_test(lies_are_found),
        cmocka_unit_test(every_part_is_in_the_digest),
        cmocka_unit_test(the_chain_covers_what_was_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
