/* ranks: 1 2 3 5 7 16
 * The farm: every unit is answered once, order does not matter, writes see the keep before them,
 * failures name rank and host, all ranks end alike. */
#include "../support/support.h"

#include "coppice/par.h"

#include <string.h>
#include <unistd.h>

static cop_par par;

struct book { /* what a worker remembers */
    uint64_t bred, kept;
    unsigned evaluated;
    bool fail;
    const char *gate; /* a unit ends once this file exists */
    bool slow;        /* only unit 3 of the first evaluation, and only here */
    uint64_t lie;     /* added to the answer of a unit that was held back */
};

static cop_status breed(void *user, const cop_recipe *recipes, size_t count) {
    struct book *book = user;
    for (size_t i = 0; i < count; i++) book->bred += recipes[i].id;
    return COP_OK;
}

static cop_status evaluate(void *user, const cop_unit *unit, cop_buf *result) {
    struct book *book = user;
    book->evaluated++;
    bool held_back = book->gate && (!book->slow || unit->number == 3);
    if (book->gate && book->slow) usleep(3000); /* so that everybody gets some */
    for (int i = 0; held_back && access(book->gate, F_OK) != 0 && i < 20000; i++) usleep(1000);
    cop_activity_set("evaluating individual %u", unit->first);
    if (book->fail && unit->number == 5) return cop_fail(COP_E_EVALUATE, "it is the fifth");
    uint64_t answer[2] = {(uint64_t)unit->number * unit->number + (held_back ? book->lie : 0),
                          book->bred};
    if (unit->number % 7 == 0) usleep(2000);
    cop_buf_add(result, answer, sizeof answer);
    return COP_OK;
}

static cop_status keep(void *user, const uint64_t *ids, size_t count) {
    ((struct book *)user)->kept = count ? ids[count - 1] : 0;
    return COP_OK;
}

static cop_status write_it(void *user, const void *request, size_t length, cop_buf *result) {
    cop_buf_add(result, request, length);
    cop_buf_printf(result, " %llu", (unsigned long long)((struct book *)user)->kept);
    return COP_OK;
}

struct seen {
    uint64_t square[200];
    unsigned times[200];
    unsigned written;
};

static cop_status take(void *user, const cop_unit *unit, const void *result, size_t length) {
    struct seen *seen = user;
    uint64_t answer[2];
    assert_int_equal(length, sizeof answer);
    memcpy(answer, result, sizeof answer);
    seen->square[unit->number] = answer[0];
    seen->times[unit->number]++;
    assert_int_equal(answer[1], 6);
    return COP_OK;
}

static cop_status written(void *user, const void *result, size_t length) {
    assert_int_equal(length, strlen("file 42"));
    assert_memory_equal(result, "file 42", length);
    ((struct seen *)user)->written++;
    return COP_OK;
}

/* What rank 0 does with a farm that has bred; returns what it ends the farm with. */
typedef cop_status (*master)(cop_farm *farm, const cop_unit units[200], struct seen *seen);

/* A farm with @p book at every worker, until rank 0 is through; the outcome on this rank. */
static cop_status on_farm(struct book *book, master direct) {
    cop_farm_work work = {book, breed, evaluate, keep, write_it, NULL};
    cop_farm *farm = cop_farm_create(&par, &work);
    cop_status outcome;
    if (par.rank != 0) {
        outcome = cop_farm_serve(farm);
    } else {
        cop_recipe recipes[3] = {{.id = 1}, {.id = 2}, {.id = 3}};
        cop_unit units[200];
        struct seen seen = {0};
        for (uint32_t i = 0; i < 200; i++) units[i] = (cop_unit){i, i, 1, 0};
        assert_ok(cop_farm_breed(farm, recipes, 3));
        outcome = direct(farm, units, &seen);
        cop_farm_stop(farm, outcome);
    }
    cop_farm_destroy(farm);
    cop_par_barrier(&par);
    return outcome;
}

static cop_status evaluate_and_write(cop_farm *farm, const cop_unit units[200], struct seen *seen) {
    for (int round = 0; round < 3; round++) {
        memset(seen, 0, sizeof *seen);
        assert_ok(cop_farm_keep(farm, &(uint64_t){42}, 1));
        assert_ok(cop_farm_write(farm, "file", 4, written, seen));
        assert_ok(cop_farm_write(farm, "file", 4, written, seen));
        assert_ok(cop_farm_keep(farm, &(uint64_t){43}, 1));
        assert_ok(cop_farm_evaluate(farm, units, 200, take, seen, NULL));
        assert_ok(cop_farm_drain(farm));
        assert_int_equal(seen->written, 2);
        for (uint64_t i = 0; i < 200; i++) {
            assert_int_equal(seen->times[i], 1);
            assert_int_equal(seen->square[i], i * i);
        }
    }
    cop_farm_stats stats;
    cop_farm_get_stats(farm, &stats);
    assert_int_equal(stats.units, 600);
    return COP_E_STOPPED;
}

static void units_come_back_once_and_writes_in_order(void **state) {
    (void)state;
    struct book book = {0};
    assert_int_equal(on_farm(&book, evaluate_and_write), COP_E_STOPPED);
}

static cop_status meet_a_failure(cop_farm *farm, const cop_unit units[200], struct seen *seen) {
    cop_status status = cop_farm_evaluate(farm, units, 200, take, seen, NULL);
    assert_non_null(strstr(cop_error_message(), "it is the fifth"));
    if (par.size > 1) {
        assert_non_null(strstr(cop_error_message(), "rank "));
        assert_non_null(strstr(cop_error_message(), par.host));
        assert_non_null(strstr(cop_error_message(), "evaluating individual 5"));
    }
    return status;
}

static void a_failure_names_rank_and_activity_and_ends_everywhere(void **state) {
    (void)state;
    struct book book = {.fail = true};
    cop_error_clear();
    assert_int_equal(on_farm(&book, meet_a_failure), COP_E_EVALUATE);
    if (par.rank != 0) assert_string_equal(cop_error_message(), ""); /* the master has said it */
}

static cop_status stop_at_once(void *user) {
    (void)user;
    return cop_fail(COP_E_STOPPED, "stopped on request");
}

/* The first units are held back by this file until the master has said that the rest is not wanted.
 */
static cop_buf gate;

static cop_status stop_early(cop_farm *farm, const cop_unit units[200], struct seen *seen) {
    assert_ok(cop_farm_keep(farm, &(uint64_t){42}, 1));
    assert_int_equal(cop_farm_evaluate(farm, units, 200, take, seen, stop_at_once), COP_E_STOPPED);
    FILE *open_gate = fopen(cop_buf_text(&gate), "w");
    assert_non_null(open_gate);
    fclose(open_gate);
    assert_ok(cop_farm_write(farm, "file", 4, written, seen));
    assert_ok(cop_farm_drain(farm));
    assert_int_equal(seen->written, 1);
    return COP_E_STOPPED;
}

static void a_stop_waits_for_no_more_than_the_unit_under_way(void **state) {
    (void)state;
    if (par.rank == 0) cop_buf_printf(&gate, "%s", test_path("gate"));
    cop_par_broadcast(&par, &gate);
    struct book book = {.gate = par.size > 1 ? cop_buf_text(&gate) : NULL};
    assert_int_equal(on_farm(&book, stop_early), COP_E_STOPPED);
    cop_buf_clear(&gate);
    assert_true(book.evaluated <= 1); /* two were handed to each */
}

static uint64_t lying;

/* Units are handed out one each in rank order, then the second ones: who has unit 3? */
static int slow_rank(void) {
    return 1 + 3 % (par.size - 1);
}

/* Unit 3 is held back at one rank until an idle worker has answered it, and longer: its own answer
 * comes during the second evaluation. */
static cop_status double_slow_units(cop_farm *farm, const cop_unit units[200], struct seen *seen) {
    cop_farm_stats stats;
    cop_unit swapped[4];
    for (uint32_t i = 0; i < 4; i++) swapped[i] = units[i];
    assert_ok(cop_farm_keep(farm, &(uint64_t){42}, 1));
    assert_ok(cop_farm_evaluate(farm, units, 200, take, seen, NULL));
    cop_farm_get_stats(farm, &stats);
    assert_int_equal(stats.units, 200);
    assert_true(stats.doubled >= 1);
    for (int i = 0; i < 200; i++) assert_int_equal(seen->times[i], 1);
    FILE *open_gate = fopen(cop_buf_text(&gate), "w");
    assert_non_null(open_gate);
    fclose(open_gate);
    memset(seen, 0, sizeof *seen);
    cop_status status = COP_OK;
    /* one evaluation may be over before the late answer is there */
    for (int round = 0; round < 1000 && status == COP_OK; round++) {
        status = cop_farm_evaluate(farm, swapped, 4, take, seen, NULL);
        if (lying == 0 && round == 20) break;
        usleep(1000);
    }
    return status;
}

static void with_a_slow_worker(uint64_t lie, cop_status wanted) {
    cop_buf_clear(&gate);
    if (par.rank == 0) cop_buf_printf(&gate, "%s-%llu", test_path("late"), (unsigned long long)lie);
    cop_par_broadcast(&par, &gate);
    lying = lie;
    struct book book = {.gate = cop_buf_text(&gate), .slow = true, .lie = lie};
    if (par.rank != slow_rank()) book.gate = NULL;
    cop_error_clear();
    assert_int_equal(on_farm(&book, double_slow_units), wanted);
    if (par.rank == 0 && lie) {
        assert_non_null(strstr(cop_error_message(), "unit 3 "));
        assert_non_null(strstr(cop_error_message(), "has two answers"));
    }
    cop_buf_clear(&gate);
}

static void a_slow_unit_is_given_to_an_idle_worker_too(void **state) {
    (void)state;
    if (par.size >= 3) with_a_slow_worker(0, COP_OK);
}

static void two_different_answers_stop_the_run(void **state) {
    (void)state;
    if (par.size >= 3) with_a_slow_worker(1, COP_E_PEER);
}

static void ranks_agree_on_the_lowest_failure(void **state) {
    (void)state;
    assert_ok(cop_par_agree(&par, COP_OK));
    if (par.size == 1) return;
    cop_status mine = COP_OK;
    if (par.rank == par.size - 1) mine = cop_fail(COP_E_IO, "no such disk");
    assert_int_equal(cop_par_agree(&par, mine), COP_E_IO);
    char wanted[128];
    snprintf(wanted, sizeof wanted, "rank %d on %s: no such disk", par.size - 1, par.host);
    assert_string_equal(cop_error_message(), wanted);
    /* the same everywhere: said once, without a rank */
    assert_int_equal(cop_par_agree(&par, cop_fail(COP_E_CONFIG, "bad key")), COP_E_CONFIG);
    assert_string_equal(cop_error_message(), "bad key");
    cop_buf buf = {0};
    if (par.rank == 0)
        for (int i = 0; i < 1000; i++) cop_buf_printf(&buf, "%d ", i);
    cop_par_broadcast(&par, &buf);
    assert_int_equal(buf.length, 3890);
    assert_string_equal(cop_buf_text(&buf) + 3886, "999 ");
    cop_buf_clear(&buf);
}

static cop_status load(void *user, cop_dataset **set) {
    ++*(int *)user;
    cop_dataset *fresh = COP_NEW(cop_dataset);
    fresh->name = cop_strdup("ramp");
    fresh->samples = 10;
    fresh->channels = 1;
    fresh->height = 2;
    fresh->width = 3;
    fresh->classes = 2;
    fresh->x = COP_NEW_ARRAY(float, 60);
    fresh->label = COP_NEW_ARRAY(int32_t, 10);
    for (int i = 0; i < 60; i++) fresh->x[i] = (float)i;
    for (int i = 0; i < 10; i++) fresh->label[i] = i % 2;
    *set = fresh;
    return COP_OK;
}

static cop_status refuse(void *user, cop_dataset **set) {
    (void)user;
    *set = NULL;
    return cop_fail(COP_E_IO, "ramp.idx: cannot be opened");
}

static void a_dataset_is_loaded_once_per_node(void **state) {
    (void)state;
    int loads = 0;
    cop_dataset *set;
    assert_ok(cop_par_share_dataset(&par, load, &loads, &set));
    assert_int_equal(loads, par.node_rank == 0);
    assert_int_equal(set->samples, 10);
    assert_string_equal(set->name, "ramp");
    for (int i = 0; i < 60; i++) assert_true(set->x[i] == (float)i);
    for (int i = 0; i < 10; i++) assert_int_equal(set->label[i], i % 2);
    cop_par_barrier(&par);
    cop_dataset_destroy(set);
    assert_int_equal(cop_par_share_dataset(&par, refuse, NULL, &set), COP_E_IO);
    assert_non_null(strstr(cop_error_message(), "ramp.idx: cannot be opened"));
    assert_null(set);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_agree_on_the_lowest_failure),
        cmocka_unit_test(a_dataset_is_loaded_once_per_node),
        cmocka_unit_test(units_come_back_once_and_writes_in_order),
        cmocka_unit_test(a_stop_waits_for_no_more_than_the_unit_under_way),
        cmocka_unit_test(a_slow_unit_is_given_to_an_idle_worker_too),
        cmocka_unit_test(two_different_answers_stop_the_run),
        cmocka_unit_test(a_failure_names_rank_and_activity_and_ends_everywhere),
    };
    if (cop_par_start(&par, &argc, &argv, true) != COP_OK) return 1;
    if (par.rank != 0 && !freopen("/dev/null", "w", stdout)) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cop_par_end(&par);
    return failed;
}
