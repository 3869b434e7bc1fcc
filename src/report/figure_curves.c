/* Curves of runs as figures: each run thin, their mean thick; means of arms side by side. */
#include <math.h>
#include <string.h>

#include "coppice/io.h"
#include "figures.h"

static const char *const colours[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e",
                                      "#17becf", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22"};
enum { COLOURS = sizeof colours / sizeof *colours };

/* A curve that can be drawn. Those of one panel stand together in the list and share a panel in
 * the figure of an arm. */
struct measure {
    char *name; /* of cop_curve_read */
    const char *panel, *title;
};
struct measures {
    size_t count;
    struct measure *of;
    cop_list names;
};

/* What an arm's runs have; @p drawable (measures): there is a number, without which gnuplot gives
 * up on a panel. */
struct arm {
    bool training, *drawable;
};

static void add_measure(struct measures *m, const char *name, const char *panel,
                        const char *title) {
    m->of = cop_realloc(m->of, m->count, m->count + 1, sizeof *m->of);
    m->of[m->count++] = (struct measure){cop_strdup(name), panel, title};
    cop_list_add(&m->names, name);
}

/* Of searches fitness and the accuracies of any arm's tasks, of trainings what an epoch leaves. */
static void list_measures(const cop_trials *trials, struct measures *m) {
    *m = (struct measures){0};
    add_measure(m, "fitness", "fitness", "mean");
    for (size_t t = 0; t < trials->tasks.count; t++) {
        char *name = cop_sprintf("accuracy.%s", trials->tasks.items[t]);
        add_measure(m, name, "accuracy on the evolution samples, %", NULL);
        cop_free(name);
    }
    for (size_t t = 0; t < trials->tasks.count; t++) /* its place moved with the list */
        m->of[1 + t].title = m->of[1 + t].name + strlen("accuracy.");
    add_measure(m, "test_accuracy", "accuracy, %", "test");
    add_measure(m, "validation_accuracy", "accuracy, %", "validation");
    add_measure(m, "accuracy", "accuracy, %", "while learning");
    add_measure(m, "test_loss", "loss", "test");
    add_measure(m, "loss", "loss", "while learning");
    add_measure(m, "edges", "edges", "mean");
}

static void clear_measures(struct measures *m) {
    for (size_t i = 0; i < m->count; i++) cop_free(m->of[i].name);
    cop_free(m->of);
    cop_list_clear(&m->names);
}

/* Value at a generation; a run that ended before keeps its last one. */
static double value_at(const cop_curve *curve, size_t generation, size_t m, size_t width) {
    if (!curve->generations) return NAN;
    size_t g = generation < curve->generations ? generation : curve->generations - 1;
    return curve->value[g * width + m];
}

/* ARM-MEASURE.tsv: generation or epoch, mean, sample standard deviation, and one column a trial;
 * only when there is a number in it. */
static cop_status write_data(const char *folder, const cop_trial_arm *arm, const cop_curve *curves,
                             size_t generations, const struct measures *measures, size_t m,
                             const struct arm *what) {
    cop_buf text = {0};
    double *row = COP_NEW_ARRAY(double, arm->trials);
    cop_buf_printf(&text, "# %s\tmean\tsd", what->training ? "epoch" : "generation");
    for (size_t i = 0; i < arm->trials; i++)
        cop_buf_printf(&text, "\tseed %lld", (long long)arm->trial[i].seed);
    for (size_t g = 0; g < generations; g++) {
        for (size_t i = 0; i < arm->trials; i++)
            row[i] = value_at(&curves[i], g, m, measures->count);
        cop_sample s = cop_sample_of(row, arm->trials);
        what->drawable[m] |= s.count > 0;
        cop_buf_printf(&text, "\n%zu", g + what->training);
        for (size_t i = 0; i < arm->trials + 2; i++) {
            double value = i == 0 ? s.mean : i == 1 ? s.sd : row[i - 2];
            if (isfinite(value))
                cop_buf_printf(&text, "\t%.8g", value);
            else
                cop_buf_printf(&text, "\tNaN");
        }
    }
    cop_buf_printf(&text, "\n");
    char *path = cop_sprintf("%s/%s-%s.tsv", folder, arm->name, measures->of[m].name);
    cop_status status = what->drawable[m] ? cop_write_file(path, text.data, text.length) : COP_OK;
    cop_buf_clear(&text);
    cop_free(path);
    cop_free(row);
    return status;
}

static void begin_panel(cop_buf *body, const char *label, const char *along) {
    cop_buf_printf(body, "\nset xlabel '%s'\nset ylabel ", along);
    cop_figure_quote(body, label);
    cop_buf_printf(body,
                   " noenhanced\nset grid lc rgb '#dddddd'\nset key below height 1 noenhanced\n"
                   "set offsets graph 0, 0, 0.03, 0.03\n");
}

/* One measure of one arm: trials thin, their mean thick. */
static void plot_trials(cop_buf *body, const cop_trial_arm *arm, const struct measure *m,
                        size_t colour, bool first) {
    cop_buf_printf(body,
                   "%s for [i=4:%zu] '%s-%s.tsv' using 1:i with lines lw 0.6 lc rgb '%s' notitle, "
                   "'%s-%s.tsv' using 1:2 with lines lw 3 lc rgb '%s' title ",
                   first ? "plot" : ",", arm->trials + 3, arm->name, m->name,
                   colours[colour % COLOURS], arm->name, m->name, colours[colour % COLOURS]);
    cop_figure_quote(body, m->title);
}

static cop_status arm_script(const cop_trial_arm *arm, const struct measures *measures,
                             const struct arm *what, const char *folder) {
    cop_buf panels = {0}, body = {0};
    const char *panel = NULL;
    size_t count = 0, colour = 0;
    for (size_t m = 0; m < measures->count; m++) {
        const struct measure *one = &measures->of[m];
        if (!what->drawable[m]) continue;
        const bool first = !panel || strcmp(panel, one->panel) != 0;
        if (first) begin_panel(&panels, one->panel, what->training ? "epoch" : "generation");
        colour = first ? 0 : colour + 1;
        count += first;
        plot_trials(&panels, arm, one, colour, first);
        panel = one->panel;
    }
    cop_buf_printf(&body,
                   "set multiplot layout 1,%zu title '%s: %s%zu run%s (thin), mean (thick)' "
                   "noenhanced%s",
                   count, arm->name, what->training ? "" : "best so far of ", arm->trials,
                   arm->trials == 1 ? "" : "s", cop_buf_text(&panels));
    char *name = cop_sprintf("curves-%s", arm->name);
    cop_status status =
        count ? cop_figure_script(folder, name, 500 * (int)count, 480, &body) : COP_OK;
    cop_free(name);
    cop_buf_clear(&panels);
    cop_buf_clear(&body);
    return status;
}

/* Means of all arms, a panel for each measure. */
static cop_status arms_script(const cop_trials *trials, const struct measures *measures,
                              const struct arm *arms, const char *folder) {
    cop_buf panels = {0}, body = {0};
    size_t count = 0, trainings = 0, searches = 0;
    for (size_t a = 0; a < trials->arms; a++) {
        if (!trials->arm[a].trials) continue;
        trainings += arms[a].training;
        searches += !arms[a].training;
    }
    const char *along = !trainings ? "generation" : searches ? "generation or epoch" : "epoch";
    for (size_t m = 0; m < measures->count; m++) {
        const struct measure *one = &measures->of[m];
        char *label = strcmp(one->panel, "accuracy, %") == 0 || strcmp(one->panel, "loss") == 0
                          ? cop_sprintf("%s, %s", one->panel, one->title)
                          : cop_strdup(one->name);
        bool first = true;
        for (size_t a = 0; a < trials->arms; a++) {
            if (!arms[a].drawable[m]) continue;
            if (first) {
                begin_panel(&panels, label, along);
                count++;
            }
            cop_buf_printf(&panels,
                           "%s '%s-%s.tsv' using 1:2 with lines lw 2 lc rgb '%s' dt %zu title '%s'",
                           first ? "plot" : ",", trials->arm[a].name, one->name,
                           colours[a % COLOURS], 1 + a / COLOURS, trials->arm[a].name);
            first = false;
        }
        cop_free(label);
    }
    size_t columns = count < 3 ? count : 3, rows = columns ? (count + columns - 1) / columns : 0;
    cop_buf_printf(&body,
                   "set multiplot layout %zu,%zu title '%smean over the runs of each arm' "
                   "noenhanced%s\n",
                   rows, columns, searches ? "best so far, " : "", cop_buf_text(&panels));
    cop_status status =
        count ? cop_figure_script(folder, "arms", 500 * (int)columns, 420 * (int)rows, &body)
              : COP_OK;
    cop_buf_clear(&panels);
    cop_buf_clear(&body);
    return status;
}

/* @p what is filled. A run whose metrics cannot be read is missed in the figure. */
static cop_status arm_figure(const cop_trial_arm *arm, const struct measures *measures,
                             struct arm *what, const char *folder) {
    cop_curve *curves = COP_NEW_ARRAY(cop_curve, arm->trials);
    size_t generations = 0;
    cop_status status = COP_OK;
    for (size_t i = 0; i < arm->trials; i++) {
        if (cop_curve_read(&curves[i], arm->trial[i].directory, &measures->names) != COP_OK) {
            cop_log(COP_LOG_WARNING, "left out of the curves: %s", cop_error_message());
            cop_error_clear();
        }
        if (curves[i].generations > generations) generations = curves[i].generations;
        what->training |= curves[i].training;
    }
    for (size_t m = 0; m < measures->count; m++)
        COP_GO(write_data(folder, arm, curves, generations, measures, m, what));
    status = arm_script(arm, measures, what, folder);
done:
    for (size_t i = 0; i < arm->trials; i++) cop_curve_clear(&curves[i]);
    cop_free(curves);
    return status;
}

cop_status cop_figure_curves(const cop_trials *trials, const char *folder) {
    struct measures measures;
    COP_TRY(cop_make_dirs(folder));
    list_measures(trials, &measures);
    struct arm *arms = COP_NEW_ARRAY(struct arm, trials->arms);
    cop_status status = COP_OK;
    for (size_t a = 0; a < trials->arms; a++)
        arms[a].drawable = COP_NEW_ARRAY(bool, measures.count);
    for (size_t a = 0; a < trials->arms && status == COP_OK; a++)
        if (trials->arm[a].trials)
            status = arm_figure(&trials->arm[a], &measures, &arms[a], folder);
    if (status == COP_OK) status = arms_script(trials, &measures, arms, folder);
    for (size_t a = 0; a < trials->arms; a++) cop_free(arms[a].drawable);
    cop_free(arms);
    clear_measures(&measures);
    return status;
}
