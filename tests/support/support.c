#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch[256];

static void remove_scratch(void) {
    char *command = cop_sprintf("rm -rf '%s'", scratch);
    if (system(command) != 0) fprintf(stderr, "could not remove %s\n", scratch);
    cop_free(command);
}

const char *test_scratch(void) {
    if (!scratch[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(scratch, sizeof scratch, "%s/coppice-test-XXXXXX", base ? base : "/tmp");
        if (!mkdtemp(scratch)) {
            perror("mkdtemp");
            exit(1);
        }
        atexit(remove_scratch);
    }
    return scratch;
}

const char *test_path(const char *name) {
    static char buffers[8][512];
    static unsigned next;
    char *out = buffers[next++ % 8];
    snprintf(out, 512, "%s/%s", test_scratch(), name);
    return out;
}

const char *test_data_dir(const char *needs_file) {
    const char *dir = getenv("COPPICE_DATA");
    char *path = dir ? cop_sprintf("%s/%s", dir, needs_file) : NULL;
    bool there = path && access(path, R_OK) == 0;
    cop_free(path);
    if (there) return dir;
    printf("# SKIP: %s/%s is not there: set COPPICE_DATA to a folder that holds it\n",
           dir ? dir : "$COPPICE_DATA", needs_file);
    return NULL;
}

void test_assert_ok(cop_status status, const char *expr, const char *file, int line) {
    if (status != COP_OK) {
        print_error("%s: status %d: %s\n", expr, (int)status, cop_error_message());
        _fail(file, line);
    }
}

void test_assert_fails(cop_status seen, cop_status wanted, const char *text, const char *expr,
                       const char *file, int line) {
    if (seen != wanted || !strstr(cop_error_message(), text)) {
        print_error("%s: status %d (wanted %d), message \"%s\" (wanted \"...%s...\")\n", expr,
                    (int)seen, (int)wanted, cop_error_message(), text);
        _fail(file, line);
    }
    cop_error_clear();
}

void test_assert_near(double a, double b, double tolerance, const char *file, int line) {
    if (!(fabs(a - b) <= tolerance)) {
        print_error("%.17g is not within %g of %.17g\n", a, tolerance, b);
        _fail(file, line);
    }
}
