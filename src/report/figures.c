/* Figures through gnuplot: each is a script and its data, kept, so that it can be drawn again or
 * changed by hand. */
#include "figures.h"

#include "coppice/io.h"

void cop_figure_quote(cop_buf *out, const char *text) {
    cop_buf_printf(out, "'");
    for (; *text; text++) cop_buf_printf(out, *text == '\'' ? "''" : "%c", *text);
    cop_buf_printf(out, "'");
}

/* Labels of tics are formats too. */
static void add_label(cop_buf *out, const char *text) {
    cop_buf doubled = {0};
    for (; *text; text++) cop_buf_printf(&doubled, *text == '%' ? "%%%%" : "%c", *text);
    cop_figure_quote(out, cop_buf_text(&doubled));
    cop_buf_clear(&doubled);
}

cop_status cop_figure_script(const char *folder, const char *name, int width, int height,
                             const cop_buf *body) {
    cop_buf text = {0};
    char *path = cop_sprintf("%s/%s.gp", folder, name);
    cop_buf_printf(&text,
                   "# gnuplot %s.gp, in this folder, draws %s.svg and %s.png\n"
                   "set terminal svg size %d,%d dynamic background 'white' font 'sans,12'\n"
                   "set output '%s.svg'\n%s\nunset multiplot\nset output\nreset\n"
                   "if (strstrt(GPVAL_TERMINALS, 'pngcairo')) {\n"
                   "    set terminal pngcairo size %d,%d background 'white' font 'sans,10'\n"
                   "} else {\n    set terminal png size %d,%d\n}\n"
                   "set output '%s.png'\n%s\nunset multiplot\nset output\n",
                   name, name, name, width, height, name, cop_buf_text(body), width, height, width,
                   height, name, cop_buf_text(body));
    cop_status status = cop_write_file(path, text.data, text.length);
    cop_buf_clear(&text);
    cop_free(path);
    return status;
}

/* ------------------------------------------------------------------ confusion */

static void add_tics(cop_buf *body, char axis, size_t count, const char *const *classes,
                     size_t named) {
    cop_buf_printf(body, "set %ctics noenhanced (", axis);
    for (size_t c = 0; c < count; c++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", c);
        bool has = classes && c < named && classes[c] && *classes[c];
        cop_buf_printf(body, c ? ", " : "");
        add_label(body, has ? classes[c] : number);
        cop_buf_printf(body, " %zu", c);
    }
    cop_buf_printf(body, ")\n");
}

cop_status cop_figure_confusion(const cop_confusion *matrix, const char *const *classes,
                                const char *name, const char *title, const char *folder) {
    cop_buf body = {0}, data = {0};
    cop_status status = COP_OK;
    char *path = cop_sprintf("%s/%s.tsv", folder, name);
    cop_buf_printf(&data, "# predicted\ttrue\tsamples\tpercent of the true class\n");
    for (size_t r = 0; r < matrix->rows; r++) {
        uint64_t samples = 0;
        for (size_t c = 0; c < matrix->columns; c++)
            samples += matrix->count[r * matrix->columns + c];
        for (size_t c = 0; c < matrix->columns; c++) {
            uint64_t count = matrix->count[r * matrix->columns + c];
            cop_buf_printf(&data, "%zu\t%zu\t%llu\t%.4g\n", c, r, (unsigned long long)count,
                           samples ? 100.0 * (double)count / (double)samples : 0.0);
        }
    }
    cop_buf_printf(&body, "set title ");
    cop_figure_quote(&body, title);
    cop_buf_printf(&body, " noenhanced\nset xlabel 'predicted'\nset ylabel 'true'\n");
    add_tics(&body, 'x', matrix->columns, classes, matrix->rows);
    add_tics(&body, 'y', matrix->rows, classes, matrix->rows);
    cop_buf_printf(&body,
                   "set xrange [-0.5:%zu.5]\nset yrange [%zu.5:-0.5]\nset cbrange [0:100]\n"
                   "set cblabel '%% of the true class'\n"
                   "set palette defined (0 'white', 50 '#6baed6', 100 '#08306b')\n"
                   "unset key\n"
                   "plot '%s.tsv' using 1:2:4 with image, '%s.tsv' using 1:2:($3 > 0 ? "
                   "sprintf('%%d', int($3)) : ''):($4 > 50 ? 0xffffff : 0) with labels font ',%d' "
                   "textcolor rgb variable\n",
                   matrix->columns - 1, matrix->rows - 1, name, name, matrix->columns > 15 ? 6 : 9);
    COP_GO(cop_make_dirs(folder));
    COP_GO(cop_write_file(path, data.data, data.length));
    status = cop_figure_script(folder, name, 760, 680, &body);
done:
    cop_buf_clear(&body);
    cop_buf_clear(&data);
    cop_free(path);
    return status;
}
