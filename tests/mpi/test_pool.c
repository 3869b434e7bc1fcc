/* ranks: 1 2 3 5 8
 * The pool: every job is done once by all ranks of one group, its answer comes back, all end alike.
 */
#include "../support/support.h"

#include "coppice/par.h"

#include <string.h>
#include <unistd.h>

enum { JOBS = 23 };
static cop_par par;

struct master {
    int handed, took[JOBS];
    unsigned idles;
};

struct job {
    int number;
};
struct answer {
    int number, ranks, sum;
};

static bool next(void *user, cop_buf *job) {
    struct master *m = user;
    if (m->handed == JOBS) return false;
    cop_buf_add(job, &(struct job){m->handed++}, sizeof(struct job));
    return true;
}

static void done(void *user, const void *bytes, size_t length) {
    struct master *m = user;
    struct answer a;
    assert_int_equal(length, sizeof a);
    memcpy(&a, bytes, sizeof a);
    assert_true(a.number >= 0 && a.number < JOBS);
    m->took[a.number]++;
    assert_int_equal(a.sum, 10 * a.number);
}

static void idle(void *user) {
    ((struct master *)user)->idles++;
}

static int loads;
static cop_status load(void *user, cop_dataset **set) {
    int number = *(int *)user;
    cop_dataset *fresh = COP_NEW(cop_dataset);
    loads++;
    fresh->name = cop_strdup("number");
    fresh->samples = 4;
    fresh->channels = fresh->height = fresh->width = 1;
    fresh->classes = 2;
    fresh->x = COP_NEW_ARRAY(float, 4);
    fresh->label = COP_NEW_ARRAY(int32_t, 4);
    for (int i = 0; i < 4; i++) fresh->x[i] = (float)(number * (i + 1));
    *set = fresh;
    return COP_OK;
}

/* What a run does with its ranks: agree, broadcast, share data. Far more jobs than a rank may hold
 * windows of shared memory. */
static void work(void *user, cop_par *group, const cop_buf *bytes, cop_buf *answer) {
    struct job job;
    int *wanted = user;
    assert_int_equal(bytes->length, sizeof job);
    memcpy(&job, bytes->data, sizeof job);
    assert_int_equal(group->size, *wanted);
    cop_status mine = group->rank == group->size - 1 && job.number % 5 == 4
                          ? cop_fail(COP_E_IO, "job %d", job.number)
                          : COP_OK;
    assert_int_equal(cop_par_agree(group, mine), job.number % 5 == 4 ? COP_E_IO : COP_OK);
    cop_error_clear();
    int sum = 0;
    for (int k = 0; k < 4; k++) {
        cop_dataset *set;
        assert_ok(cop_par_share_dataset(group, load, &job.number, &set));
        sum += (int)set->x[k];
        cop_par_barrier(group);
        cop_dataset_destroy(set);
    }
    if (group->rank == 0) {
        usleep(1000);
        cop_buf_add(answer, &(struct answer){job.number, group->size, sum}, sizeof(struct answer));
    }
}

static void jobs_are_done_once_by_whole_groups(void **state) {
    (void)state;
    for (int size = 1; size <= 3; size++) {
        cop_pool *pool;
        struct master m = {0};
        if (size > 1 && size >= par.size) {
            assert_fails(cop_pool_create(&pool, &par, size), COP_E_USAGE, "ranks want at least");
            assert_null(pool);
            continue;
        }
        assert_ok(cop_pool_create(&pool, &par, size));
        assert_int_equal(cop_pool_groups(pool), par.size == 1 ? 1 : (par.size - 1) / size);
        int wanted = size;
        if (par.rank == 0) {
            assert_ok(cop_pool_run(pool, &(cop_pool_master){&m, next, done, idle}, work, &wanted));
            for (int i = 0; i < JOBS; i++) assert_int_equal(m.took[i], 1);
            assert_true(par.size == 1 || m.idles > 0);
            cop_pool_stop(pool, COP_E_STOPPED);
        } else {
            assert_int_equal(cop_pool_serve(pool, work, &wanted), COP_E_STOPPED);
        }
        cop_pool_destroy(pool);
        cop_par_barrier(&par);
    }
    assert_fails(cop_pool_check(&par, 0), COP_E_USAGE, "groups of 0 ranks");
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_done_once_by_whole_groups),
    };
    if (cop_par_start(&par, &argc, &argv, true) != COP_OK) return 1;
    if (par.rank != 0 && !freopen("/dev/null", "w", stdout)) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cop_par_end(&par);
    return failed;
}
