/** @file data_support.h
 *  What the tests of data share: sections from text, small files.
 */
#ifndef COPPICE_TEST_DATA_SUPPORT_H
#define COPPICE_TEST_DATA_SUPPORT_H

#include "../support/support.h"

#include "coppice/data.h"

#include <stdlib.h>
#include <string.h>

static const cop_section data_sections[] = {{"task.*", "tasks", cop_task_options}};
static const cop_schema data_schema = {data_sections, 1};

/** A configuration whose section [task.t] has these lines. */
static inline cop_conf *data_conf(const char *lines) {
    cop_conf *conf = NULL;
    char *text = cop_sprintf("[task.t]\n%s\n", lines);
    assert_ok(cop_conf_parse(&conf, &data_schema, text, "test"));
    cop_free(text);
    return conf;
}

/** Load a split of such a section, files in @p dir. */
static inline cop_status data_try(cop_dataset **set, const char *lines, cop_split split,
                                  const char *dir) {
    cop_conf *conf = data_conf(lines);
    cop_status status = cop_task_load(set, conf, "t", split, dir);
    cop_conf_destroy(conf);
    assert_true((status == COP_OK) == (*set != NULL));
    return status;
}

static inline cop_dataset *data_load(const char *lines, cop_split split, const char *dir) {
    cop_dataset *set = NULL;
    assert_ok(data_try(&set, lines, split, dir));
    return set;
}

/** Loading fails with @p status and a message that contains @p text. */
#define data_refused(lines, split, dir, status, text)                                              \
    do {                                                                                           \
        cop_dataset *refused_ = NULL;                                                              \
        assert_fails(data_try(&refused_, lines, split, dir), status, text);                        \
    } while (0)

static inline void data_file(const char *name, const void *bytes, size_t count) {
    FILE *file = fopen(test_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static inline void data_text(const char *name, const char *text) {
    data_file(name, text, strlen(text));
}

#endif
