/* Figures through gnuplot: each is a script and its data, kept, so that it can be drawn again or
 * changed by hand. */
#include <math.h>
#include <string.h>

#include "coppice/io.h"
#include "coppice/report.h"

static const char *const colours[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e",
                                      "#17becf", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22"};
enum { COLOURS = sizeof colours / sizeof *colours };

/* Text inside a script: '...' where a quote is doubled; names hold no line ends. */
static void add_quoted(cop_buf *out, const char *text) {
    cop_buf_printf(out, "'");
    for (; *text; text++) cop_buf_printf(out, *text == '\'' ? "''" : "%c", *text);
    cop_buf_printf(out, "'");
}

/* Labels of tics are formats too. */
static void add_label(cop_buf *out, const char *text) {
    cop_buf doubled = {0};
    for (; *text; text++) cop_buf_printf(&doubled, *text == '%' ? "%%%%" : "%c", *text);
    add_quoted(out, cop_buf_text(&doubled));
    cop_buf_clear(&doubled);
}

/* The body once for each kind of file. */
static cop_status write_script(const char *folder, const char *name, int width, int height,
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

/* ------------------------------------------------------------------ curves */

struct arm_curves {
    cop_curve *curve; /* (trials) */
    size_t generations;
};

/* Value at a generation; a run that ended before keeps its last one. */
static double value_at(const cop_curve *curve, size_t generation, size_t m, size_t width) {
    if (!curve->generations) return NAN;
    size_t g = generation < curve->generations ? generation : curve->generations - 1;
    return curve->value[g * width + m];
}

/* ARM-MEASURE.tsv: generation, mean, sample standard deviation, and one column a trial. @p any: a
 * number is among them; gnuplot gives up on a panel without one. */
static cop_status write_data(const char *folder, const cop_trial_arm *arm,
                             const struct arm_curves *curves, const cop_list *measures, size_t m,
                             bool *any) {
    cop_buf text = {0};
    double *row = COP_NEW_ARRAY(double, arm->trials);
    cop_buf_printf(&text, "# generation\tmean\tsd");
    for (size_t i = 0; i < arm->trials; i++)
        cop_buf_printf(&text, "\tseed %lld", (long long)arm->trial[i].seed);
    for (size_t g = 0; g < curves->generations; g++) {
        for (size_t i = 0; i < arm->trials; i++)
            row[i] = value_at(&curves->curve[i], g, m, measures->count);
        cop_sample s = cop_sample_of(row, arm->trials);
        *any |= s.count > 0;
        cop_buf_printf(&text, "\n%zu", g);
        for (size_t i = 0; i < arm->trials + 2; i++) {
            double value = i == 0 ? s.mean : i == 1 ? s.sd : row[i - 2];
            if (isfinite(value))
                cop_buf_printf(&text, "\t%.8g", value);
            else
                cop_buf_printf(&text, "\tNaN");
        }
    }
    cop_buf_printf(&text, "\n");
    char *path = cop_sprintf("%s/%s-%s.tsv", folder, arm->name, measures->items[m]);
    cop_status status = cop_write_file(path, text.data, text.length);
    cop_buf_clear(&text);
    cop_free(path);
    cop_free(row);
    return status;
}

static void panel(cop_buf *body, const char *label) {
    cop_buf_printf(body, "set xlabel 'generation'\nset ylabel ");
    add_quoted(body, label);
    cop_buf_printf(body, " noenhanced\nset grid lc rgb '#dddddd'\nset key below height 1 noenhanced\n"
                         "set offsets graph 0, 0, 0.03, 0.03\n");
}

/* One measure of one arm: trials thin, their mean thick. */
static void plot_trials(cop_buf *body, const cop_trial_arm *arm, const char *measure,
                        const char *title, size_t colour, bool first) {
    cop_buf_printf(body,
                   "%s for [i=4:%zu] '%s-%s.tsv' using 1:i with lines lw 0.6 lc rgb '%s' notitle, "
                   "'%s-%s.tsv' using 1:2 with lines lw 3 lc rgb '%s' title ",
                   first ? "plot" : ",", arm->trials + 3, arm->name, measure,
                   colours[colour % COLOURS], arm->name, measure, colours[colour % COLOURS]);
    add_quoted(body, title);
}

/* @p drawable (measures): those that there is anything of. */
static cop_status arm_script(const cop_trial_arm *arm, const cop_list *measures,
                             const bool *drawable, const char *folder) {
    cop_buf panels = {0}, body = {0};
    size_t last = measures->count - 1, count = 0;
    bool first = true;
    for (size_t m = 0; m <= last; m++) {
        bool accuracy = m > 0 && m < last;
        if (!drawable[m]) continue;
        if (!accuracy || first) {
            cop_buf_printf(&panels, "\n");
            panel(&panels, accuracy ? "accuracy on the evolution samples, %" : measures->items[m]);
            count++;
        }
        plot_trials(&panels, arm, measures->items[m],
                    accuracy ? measures->items[m] + strlen("accuracy.") : "mean", accuracy ? m : 0,
                    !accuracy || first);
        if (accuracy) first = false;
    }
    cop_buf_printf(&body,
                   "set multiplot layout 1,%zu title '%s: best so far of %zu run%s (thin), mean "
                   "(thick)' noenhanced%s",
                   count, arm->name, arm->trials, arm->trials == 1 ? "" : "s",
                   cop_buf_text(&panels));
    char *name = cop_sprintf("curves-%s", arm->name);
    cop_status status = count ? write_script(folder, name, 500 * (int)count, 480, &body) : COP_OK;
    cop_free(name);
    cop_buf_clear(&panels);
    cop_buf_clear(&body);
    return status;
}

/* Means of all arms, a panel for each measure. @p drawable (arms, measures). */
static cop_status arms_script(const cop_trials *trials, const cop_list *measures,
                              const bool *drawable, const char *folder) {
    cop_buf panels = {0}, body = {0};
    size_t count = 0;
    for (size_t m = 0; m < measures->count; m++) {
        bool first = true;
        for (size_t a = 0; a < trials->arms; a++) {
            if (!drawable[a * measures->count + m]) continue;
            if (first) {
                cop_buf_printf(&panels, "\n");
                panel(&panels, measures->items[m]);
                count++;
            }
            cop_buf_printf(&panels,
                           "%s '%s-%s.tsv' using 1:2 with lines lw 2 lc rgb '%s' dt %zu title '%s'",
                           first ? "plot" : ",", trials->arm[a].name, measures->items[m],
                           colours[a % COLOURS], 1 + a / COLOURS, trials->arm[a].name);
            first = false;
        }
    }
    size_t columns = count < 3 ? count : 3, rows = columns ? (count + columns - 1) / columns : 0;
    cop_buf_printf(&body,
                   "set multiplot layout %zu,%zu title 'best so far, mean over the runs of each "
                   "arm' noenhanced%s\n",
                   rows, columns, cop_buf_text(&panels));
    cop_status status =
        count ? write_script(folder, "arms", 500 * (int)columns, 420 * (int)rows, &body) : COP_OK;
    cop_buf_clear(&panels);
    cop_buf_clear(&body);
    return status;
}

/* Fitness first, edges last, between them the accuracies of any arm's tasks. */
static void curve_measures(const cop_trials *trials, cop_list *names) {
    cop_list_add(names, "fitness");
    for (size_t t = 0; t < trials->tasks.count; t++) {
        char *name = cop_sprintf("accuracy.%s", trials->tasks.items[t]);
        cop_list_add(names, name);
        cop_free(name);
    }
    cop_list_add(names, "edges");
}

/* @p drawable (measures) is filled. A run whose metrics cannot be read is missed in the figure. */
static cop_status arm_figure(const cop_trial_arm *arm, const cop_list *measures, bool *drawable,
                             const char *folder) {
    struct arm_curves curves = {COP_NEW_ARRAY(cop_curve, arm->trials), 0};
    cop_status status = COP_OK;
    for (size_t i = 0; i < arm->trials; i++) {
        if (cop_curve_read(&curves.curve[i], arm->trial[i].directory, measures) != COP_OK) {
            cop_log(COP_LOG_WARNING, "left out of the curves: %s", cop_error_message());
            cop_error_clear();
        }
        if (curves.curve[i].generations > curves.generations)
            curves.generations = curves.curve[i].generations;
    }
    for (size_t m = 0; m < measures->count; m++)
        COP_GO(write_data(folder, arm, &curves, measures, m, &drawable[m]));
    status = arm_script(arm, measures, drawable, folder);
done:
    for (size_t i = 0; i < arm->trials; i++) cop_curve_clear(&curves.curve[i]);
    cop_free(curves.curve);
    return status;
}

cop_status cop_figure_curves(const cop_trials *trials, const char *folder) {
    cop_list measures = {0};
    COP_TRY(cop_make_dirs(folder));
    curve_measures(trials, &measures);
    bool *drawable = COP_NEW_ARRAY(bool, trials->arms *measures.count);
    cop_status status = COP_OK;
    for (size_t a = 0; a < trials->arms && status == COP_OK; a++)
        if (trials->arm[a].trials)
            status = arm_figure(&trials->arm[a], &measures, drawable + a * measures.count, folder);
    if (status == COP_OK) status = arms_script(trials, &measures, drawable, folder);
    cop_free(drawable);
    cop_list_clear(&measures);
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
    add_quoted(&body, title);
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
    status = write_script(folder, name, 760, 680, &body);
done:
    cop_buf_clear(&body);
    cop_buf_clear(&data);
    cop_free(path);
    return status;
}
