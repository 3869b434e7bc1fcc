/* Histories as plain one-dimensional columns of equal length. */
#include "checkpoint.h"

#include <stdlib.h>
#include <string.h>

#define INDIVIDUAL(field) offsetof(cop_individual, field)
static const cop_column individual_columns[] = {
    {"id", "number of the individual, in order of birth", "1", COP_COLUMN_ID,
     INDIVIDUAL(recipe.id)},
    {"born", "generation of birth", "generation", COP_COLUMN_U32, INDIVIDUAL(recipe.born)},
    {"parent1", "first parent; -1: the base network", "1", COP_COLUMN_ID,
     INDIVIDUAL(recipe.parent[0])},
    {"parent2", "second parent; -1: the base network or none", "1", COP_COLUMN_ID,
     INDIVIDUAL(recipe.parent[1])},
    {"crossed", "1: bred by crossover of both parents", "1", COP_COLUMN_U32,
     INDIVIDUAL(recipe.crossed)},
    {"varied", "bit k: operator k of the variation list was applied", "1", COP_COLUMN_U32,
     INDIVIDUAL(recipe.varied)},
    {"cut", "where the second parent's genes begin", "1", COP_COLUMN_ID, INDIVIDUAL(recipe.cut)},
    {"amount_1", "strength of the first variation", "1", COP_COLUMN_REAL,
     INDIVIDUAL(recipe.amount)},
    {"amount_2", "strength of the second variation", "1", COP_COLUMN_REAL,
     INDIVIDUAL(recipe.amount) + sizeof(double)},
    {"amount_3", "strength of the third variation", "1", COP_COLUMN_REAL,
     INDIVIDUAL(recipe.amount) + 2 * sizeof(double)},
    {"amount_4", "strength of the fourth variation", "1", COP_COLUMN_REAL,
     INDIVIDUAL(recipe.amount) + 3 * sizeof(double)},
    {"fitness", "fitness, larger is better; -inf: evaluation failed", "1", COP_COLUMN_REAL,
     INDIVIDUAL(fitness)},
    {"died", "generation that dropped it; -1: alive", "generation", COP_COLUMN_U32_NEVER,
     INDIVIDUAL(died)},
    {"elite", "generations survived as an elite", "generation", COP_COLUMN_U32, INDIVIDUAL(elite)},
};
_Static_assert(COP_VARY_MAX == 4, "one column per variation");

#define GENERATION(field) offsetof(cop_generation, field)
static const cop_column generation_columns[] = {
    {"generation", "generation; 0: the initial population", "generation", COP_COLUMN_U32,
     GENERATION(generation)},
    {"evaluations", "individuals evaluated so far", "1", COP_COLUMN_ID, GENERATION(evaluations)},
    {"best", "best fitness of the population", "1", COP_COLUMN_REAL, GENERATION(best)},
    {"median", "median fitness of the population", "1", COP_COLUMN_REAL, GENERATION(median)},
    {"mean", "mean fitness of the population", "1", COP_COLUMN_REAL, GENERATION(mean)},
    {"worst", "worst fitness of the population", "1", COP_COLUMN_REAL, GENERATION(worst)},
    {"best_id", "best individual of the population", "1", COP_COLUMN_ID, GENERATION(best_id)},
    {"best_ever_id", "best individual so far", "1", COP_COLUMN_ID, GENERATION(best_ever_id)},
    {"best_ever", "best fitness so far", "1", COP_COLUMN_REAL, GENERATION(best_ever)},
    {"density_mean", "mean fraction of live edges in the population", "1", COP_COLUMN_REAL,
     GENERATION(density_mean)},
    {"births", "individuals evaluated in this generation", "1", COP_COLUMN_U32, GENERATION(births)},
};

const cop_table cop_individual_table = {"/individuals", "individual", individual_columns,
                                        sizeof individual_columns / sizeof *individual_columns,
                                        sizeof(cop_individual)};
const cop_table cop_generation_table = {"/generations", "generation", generation_columns,
                                        sizeof generation_columns / sizeof *generation_columns,
                                        sizeof(cop_generation)};

static int64_t get_whole(const cop_column *column, const char *row) {
    uint64_t wide;
    uint32_t narrow;
    if (column->kind == COP_COLUMN_ID) {
        memcpy(&wide, row + column->offset, sizeof wide);
        return (int64_t)wide;
    }
    memcpy(&narrow, row + column->offset, sizeof narrow);
    return column->kind == COP_COLUMN_U32_NEVER && narrow == UINT32_MAX ? -1 : (int64_t)narrow;
}

static bool set_whole(const cop_column *column, char *row, int64_t value) {
    if (column->kind == COP_COLUMN_ID) {
        uint64_t wide = (uint64_t)value;
        memcpy(row + column->offset, &wide, sizeof wide);
        return value >= -1;
    }
    bool never = column->kind == COP_COLUMN_U32_NEVER && value == -1;
    uint32_t narrow = never ? UINT32_MAX : (uint32_t)value;
    memcpy(row + column->offset, &narrow, sizeof narrow);
    return never || (value >= 0 && value < (int64_t)UINT32_MAX);
}

/* ------------------------------------------------------------------ tables */

cop_status cop_table_put(cop_h5 *file, const cop_table *table, const void *rows, size_t count) {
    int64_t *values = cop_alloc(count, sizeof *values); /* doubles by their bits */
    char *path = NULL, *scale = cop_sprintf("%s/%s", table->group, table->columns[0].name);
    cop_status status = COP_OK;
    for (size_t c = 0; c < table->count; c++) {
        const cop_column *column = &table->columns[c];
        bool real = column->kind == COP_COLUMN_REAL;
        for (size_t r = 0; r < count; r++) {
            const char *row = (const char *)rows + r * table->row_bytes;
            if (real)
                memcpy(&values[r], row + column->offset, sizeof(double));
            else
                values[r] = get_whole(column, row);
        }
        cop_free(path);
        path = cop_sprintf("%s/%s", table->group, column->name);
        COP_GO(cop_h5_write(file, path, real ? COP_H5_F64 : COP_H5_I64, 1, &count, values));
        COP_GO(cop_h5_describe(file, path, column->long_name, column->units));
        if (c) COP_GO(cop_h5_attach_scale(file, path, 0, scale, table->scale));
    }
done:
    cop_free(path);
    cop_free(scale);
    cop_free(values);
    return status;
}

static cop_status take_column(cop_h5 *file, const char *path, const cop_column *column, char *rows,
                              size_t row_bytes, size_t count) {
    bool real = column->kind == COP_COLUMN_REAL;
    int64_t *values = cop_alloc(count, sizeof *values);
    cop_status status =
        cop_h5_read_into(file, path, real ? COP_H5_F64 : COP_H5_I64, 1, &count, values);
    for (size_t r = 0; r < count && status == COP_OK; r++) {
        if (real)
            memcpy(rows + r * row_bytes + column->offset, &values[r], sizeof(double));
        else if (!set_whole(column, rows + r * row_bytes, values[r]))
            status = cop_fail(COP_E_FORMAT, "'%s': row %zu is %lld, which cannot be", path, r,
                              (long long)values[r]);
    }
    cop_free(values);
    return status;
}

cop_status cop_table_take(cop_h5 *file, const cop_table *table, void **rows, size_t *count) {
    char *path = cop_sprintf("%s/%s", table->group, table->columns[0].name);
    void *first = NULL;
    char *made = NULL;
    cop_status status = COP_OK;
    *rows = NULL;
    *count = 0;
    COP_GO(cop_h5_read(file, path, COP_H5_I64, 1, count, UINT32_MAX, &first));
    /* all columns are there before memory for the rows is taken */
    for (size_t c = 0; c < table->count; c++) {
        const cop_column *column = &table->columns[c];
        cop_free(path);
        path = cop_sprintf("%s/%s", table->group, column->name);
        COP_GO(cop_h5_expect(file, path, column->kind == COP_COLUMN_REAL ? COP_H5_F64 : COP_H5_I64,
                             1, count));
    }
    made = cop_alloc(*count, table->row_bytes);
    for (size_t c = 0; c < table->count; c++) {
        cop_free(path);
        path = cop_sprintf("%s/%s", table->group, table->columns[c].name);
        COP_GO(take_column(file, path, &table->columns[c], made, table->row_bytes, *count));
    }
    *rows = made;
    made = NULL;
done:
    if (status != COP_OK) *count = 0;
    cop_free(made);
    cop_free(first);
    cop_free(path);
    return status;
}

/* ------------------------------------------------------------------ measures */

static bool fit_name(const char *name) {
    size_t length = strlen(name);
    if (length == 0 || length > 255 || !strcmp(name, ".") || strchr(name, '/')) return false;
    for (size_t c = 0; c < cop_individual_table.count; c++)
        if (!strcmp(name, individual_columns[c].name)) return false;
    return true;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

cop_status cop_measures_check_names(char *const *names, size_t measures) {
    cop_status status = COP_OK;
    char **sorted = COP_NEW_ARRAY(char *, measures);
    for (size_t k = 0; k < measures; k++) {
        sorted[k] = names[k];
        if (!fit_name(names[k]))
            COP_GO(cop_fail(COP_E_FORMAT, "a measure cannot have the name \"%.255s\"", names[k]));
    }
    if (measures) qsort(sorted, measures, sizeof *sorted, by_text);
    for (size_t k = 1; k < measures; k++)
        if (!strcmp(sorted[k - 1], sorted[k]))
            COP_GO(cop_fail(COP_E_FORMAT, "there are two measures \"%.255s\"", sorted[k]));
done:
    cop_free(sorted);
    return status;
}

cop_status cop_measures_put(cop_h5 *file, char *const *names, size_t measures, const double *values,
                            size_t individuals) {
    double *column = cop_alloc(individuals, sizeof *column);
    char *path = NULL;
    cop_status status = COP_OK;
    COP_GO(cop_measures_check_names(names, measures));
    for (size_t k = 0; k < measures; k++) {
        for (size_t r = 0; r < individuals; r++) column[r] = values[r * measures + k];
        cop_free(path);
        path = cop_sprintf("/individuals/%s", names[k]);
        COP_GO(cop_h5_write(file, path, COP_H5_F64, 1, &individuals, column));
        COP_GO(cop_h5_describe(file, path, names[k],
                               strncmp(names[k], "accuracy", 8) ? "1" : "percent"));
        COP_GO(cop_h5_attach_scale(file, path, 0, "/individuals/id", "individual"));
    }
done:
    cop_free(path);
    cop_free(column);
    return status;
}

cop_status cop_measures_take(cop_h5 *file, char *const *names, size_t measures, double **values,
                             size_t individuals) {
    double *column = cop_alloc(individuals, sizeof *column), *made = NULL;
    char *path = NULL;
    size_t total;
    cop_status status = COP_OK;
    *values = NULL;
    COP_GO(cop_measures_check_names(names, measures));
    if (__builtin_mul_overflow(individuals, measures, &total) || total > SIZE_MAX / 16)
        COP_GO(cop_fail(COP_E_FORMAT, "%zu measures of %zu individuals cannot be", measures,
                        individuals));
    for (size_t k = 0; k < measures; k++) {
        cop_free(path);
        path = cop_sprintf("/individuals/%s", names[k]);
        COP_GO(cop_h5_expect(file, path, COP_H5_F64, 1, &individuals));
    }
    made = cop_alloc(total, sizeof *made);
    for (size_t k = 0; k < measures; k++) {
        cop_free(path);
        path = cop_sprintf("/individuals/%s", names[k]);
        COP_GO(cop_h5_read_into(file, path, COP_H5_F64, 1, &individuals, column));
        for (size_t r = 0; r < individuals; r++) made[r * measures + k] = column[r];
    }
    *values = made;
    made = NULL;
done:
    cop_free(made);
    cop_free(path);
    cop_free(column);
    return status;
}
