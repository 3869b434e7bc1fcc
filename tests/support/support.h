/** @file support.h
 *  What test programs share: cmocka in the right order, scratch folders, skipping with a reason,
 * the real data folder. Under mpirun only rank 0 reports.
 */
#ifndef COPPICE_TEST_SUPPORT_H
#define COPPICE_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coppice/base.h"

/** Fresh empty folder, removed at exit of the test program; borrowed. */
const char *test_scratch(void);
/** "<scratch>/<name>", in one of 8 rotating buffers. */
const char *test_path(const char *name);
/** Folder with the real datasets (COPPICE_DATA), or NULL after printing why the test is skipped;
 *  callers then skip(). */
const char *test_data_dir(const char *needs_file);
/** assert_true(status == COP_OK) that prints the error message. */
#define assert_ok(expr) test_assert_ok((expr), #expr, __FILE__, __LINE__)
void test_assert_ok(cop_status status, const char *expr, const char *file, int line);
/** The call fails with @p status and its message contains @p text. */
#define assert_fails(expr, status, text)                                                           \
    test_assert_fails((expr), (status), (text), #expr, __FILE__, __LINE__)
void test_assert_fails(cop_status seen, cop_status wanted, const char *text, const char *expr,
                       const char *file, int line);
/** |a - b| <= tolerance, with the values in the message (cmocka's float assertion is single
 * precision). */
#define assert_near(a, b, tolerance) test_assert_near((a), (b), (tolerance), __FILE__, __LINE__)
void test_assert_near(double a, double b, double tolerance, const char *file, int line);

#endif
