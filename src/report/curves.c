/* How the best individual so far became what it is, or a network learnt: from the metrics that a
 * run appends. */
#include <math.h>
#include <string.h>

#include "coppice/io.h"
#include "coppice/report.h"
#include "run/directory.h"

#define GENERATIONS_MOST 10000000

/* A measure of the best so far, known from the generation in which it was the best of all. */
static double number(const json_t *line, const char *name) {
    const json_t *value = json_object_get(json_object_get(line, "best_measures"), name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* A number of an epoch; what is named an accuracy is a share there and a percentage here. */
static double learnt(const json_t *line, const char *name) {
    const json_t *value = json_object_get(line, name);
    const char *tail = strstr(name, "accuracy");
    if (!json_is_number(value)) return NAN;
    return (tail && strcmp(tail, "accuracy") == 0 ? 100 : 1) * json_number_value(value);
}

static void add_line(cop_curve *curve, const json_t *line, const cop_list *measures) {
    json_int_t generation = json_integer_value(json_object_get(line, "generation"));
    bool training = !json_object_get(line, "best_ever_id"),
         fresh =
             json_equal(json_object_get(line, "best_id"), json_object_get(line, "best_ever_id"));
    size_t width = measures->count;
    if (curve->generations == 0) curve->training = training;
    /* in order and without a gap, as a run writes them; anything else ends the curve */
    if (generation < 0 || (size_t)generation != curve->generations + training ||
        generation > GENERATIONS_MOST || training != curve->training)
        return;
    curve->value = cop_realloc(curve->value, curve->generations * width,
                               (curve->generations + 1) * width, sizeof *curve->value);
    double *row = curve->value + curve->generations++ * width;
    for (size_t m = 0; m < width; m++) {
        if (training) {
            row[m] = learnt(line, measures->items[m]);
        } else if (strcmp(measures->items[m], "fitness") == 0) {
            const json_t *best = json_object_get(line, "best_ever");
            row[m] = json_is_number(best) ? json_number_value(best) : NAN;
        } else {
            row[m] = fresh                    ? number(line, measures->items[m])
                     : curve->generations > 1 ? row[(ptrdiff_t)m - (ptrdiff_t)width]
                                              : NAN;
        }
    }
}

cop_status cop_curve_read(cop_curve *curve, const char *directory, const cop_list *measures) {
    char *path = cop_sprintf("%s/metrics.jsonl", directory);
    cop_buf text = {0};
    cop_list lines = {0};
    *curve = (cop_curve){0};
    cop_status status = cop_read_file(path, (size_t)1 << 31, &text);
    if (status == COP_OK) cop_list_split(&lines, cop_buf_text(&text), "\n");
    for (size_t i = 0; i < lines.count; i++) {
        json_t *line = json_loads(lines.items[i], 0, NULL);
        if (line && cop_json_sealed(line)) add_line(curve, line, measures);
        json_decref(line);
    }
    cop_list_clear(&lines);
    cop_buf_clear(&text);
    cop_free(path);
    return status;
}

void cop_curve_clear(cop_curve *curve) {
    cop_free(curve->value);
    *curve = (cop_curve){0};
}
