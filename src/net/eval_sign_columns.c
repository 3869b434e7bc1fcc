/* From samples to columns; see eval_sign_cells.h. */
#include "net/eval_sign_cells.h"

#include <stdlib.h>
#include <string.h>

/* Patch of @p cell of sample @p i into lane @p lane of @p x. */
void cop_cells_gather(const sign_cells *c, size_t i, size_t cell, size_t lane, int16_t *x) {
    const cell_shape *s = &c->shape;
    const int16_t *from = c->sample + i * cop_shape_size(s->input);
    from += cell / s->cols * s->step * s->input.width + cell % s->cols * s->step;
    x += lane;
    for (size_t ch = 0; ch < s->input.channels; ch++, from += s->input.height * s->input.width)
        for (size_t y = 0; y < s->patch_h; y++)
            for (size_t k = 0; k < s->patch_w; k++, x += s->lanes)
                *x = from[y * s->input.width + k];
}

void cop_cells_transpose(sign_cells *c, size_t v, size_t samples) {
    const cell_shape *s = &c->shape;
    size_t half = s->lanes / 2, inputs = cop_shape_size(s->input);
    int16_t *x = c->x + v * s->patch * s->lanes;
    for (size_t first = 0; first < inputs; first += 64) { /* 64 vectors stay in cache */
        size_t end = first + 64 < inputs ? first + 64 : inputs;
        for (size_t l = 0; l < s->lanes; l++) {
            size_t i = v * s->lanes + (l % 2) * half + l / 2;
            const int16_t *from = c->sample + (i < samples ? i : samples - 1) * inputs;
            for (size_t k = first; k < end; k++) x[k * s->lanes + l] = from[k];
        }
    }
}

static int by_value(const void *a, const void *b) {
    return *(const int16_t *)a - *(const int16_t *)b;
}

/* The most frequent number of the first samples: the background, if there is one. */
int16_t cop_cells_background(const sign_cells *c, size_t samples) {
    size_t n = cop_shape_size(c->shape.input) * (samples < 2 ? samples : 2), most = 0;
    int16_t *sorted = COP_NEW_ARRAY(int16_t, n), found = 0;
    memcpy(sorted, c->sample, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    for (size_t i = 0, begin = 0; i < n; i++) {
        if (sorted[i] != sorted[begin]) begin = i;
        if (i - begin + 1 > most) {
            most = i - begin + 1;
            found = sorted[i];
        }
    }
    cop_free(sorted);
    return found;
}

/* Samples of a class side by side: they are alike, so more vectors are 0 as a whole. */
static void order_by_class(const int32_t *label, size_t samples, uint32_t *order) {
    size_t n = 0;
    int32_t most = 0;
    for (size_t i = 0; i < samples; i++) most = label[i] > most ? label[i] : most;
    for (int32_t k = 0; k <= most && n < samples; k++)
        for (size_t i = 0; i < samples; i++)
            if (label[i] == k) order[n++] = (uint32_t)i;
}

/* Samples of each cell whose patch is not all background. */
void cop_cells_columns(sign_cells *c, const int32_t *label, size_t samples, int16_t blank) {
    const cell_shape *s = &c->shape;
    size_t width = s->input.width, plane = s->input.height * width;
    uint32_t order[CELL_PORTION];
    order_by_class(label, samples, order);
    cop_sign_reserve((void **)&c->column, &c->bytes[7], s->cells * (CELL_PORTION + 1) * 4);
    uint32_t *columns = c->column + s->cells * CELL_PORTION;
    uint8_t *row = COP_NEW_ARRAY(uint8_t, s->input.height * s->cols); /* row y, cell column x */
    memset(columns, 0, s->cells * sizeof *columns);
    for (size_t n = 0; n < samples; n++) {
        size_t i = order[n];
        const int16_t *x = c->sample + i * cop_shape_size(s->input);
        memset(row, 0, s->input.height * s->cols);
        for (size_t ch = 0; ch < s->input.channels; ch++)
            for (size_t y = 0; y < s->input.height; y++)
                for (size_t k = 0; k < s->cols; k++) {
                    const int16_t *at = x + ch * plane + y * width + k * s->step;
                    unsigned seen = 0;
                    for (size_t q = 0; q < s->patch_w; q++) seen |= (unsigned)(at[q] ^ blank);
                    row[y * s->cols + k] |= seen != 0;
                }
        for (size_t cell = 0; cell < s->cells; cell++) {
            const uint8_t *at = row + cell / s->cols * s->step * s->cols + cell % s->cols;
            unsigned seen = 0;
            for (size_t y = 0; y < s->patch_h; y++) seen |= at[y * s->cols];
            if (seen) c->column[cell * CELL_PORTION + columns[cell]++] = (uint32_t)i;
        }
    }
    cop_free(row);
}
