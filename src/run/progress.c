/* The table of generations on stderr. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "search.h"

void cop_progress_head(const cop_search *search) {
    const cop_experiment *e = search->experiment;
    cop_buf line = {0};
    cop_buf_printf(&line, "%6s %8s %9s %9s", "gen", "evals", "best", "median");
    for (size_t t = 0; t < e->tasks; t++) cop_buf_printf(&line, " %10.10s", e->task_names.items[t]);
    cop_buf_printf(&line, " %8s %8s %6s %9s", "edges %", "evals/s", "busy", "left");
    fprintf(stderr, "%s\n", cop_buf_text(&line));
    cop_buf_clear(&line);
}

/* Seconds that are left, by the speed of this session; NaN when no rule tells. */
static double left(const cop_search *search, const cop_generation *row) {
    const cop_conf *conf = search->experiment->conf;
    double session = cop_clock() - search->start;
    double generations = (double)cop_conf_int(conf, "stop", "generations");
    double per_evaluation = session / (double)(search->evaluated ? search->evaluated : 1);
    if (generations <= 0) return NAN;
    double births = row->generation ? (double)row->births
                                    : (double)cop_plan_population(search->experiment->plan);
    return (generations - row->generation) * births * per_evaluation;
}

void cop_progress_line(cop_search *search, bool last) {
    const cop_experiment *e = search->experiment;
    const cop_history *history = cop_engine_history(search->engine);
    const cop_generation *row = &history->generation[history->generations - 1];
    bool terminal = isatty(STDERR_FILENO);
    double now = cop_clock(), session = now - search->start;
    /* into a file or through mpirun: a line per generation while that is at most two a second */
    if (!last && now - search->line_at < (terminal ? 0.1 : 0.5)) return;
    search->line_at = now;
    cop_farm_stats stats;
    cop_farm_get_stats(search->farm, &stats);
    double workers = search->par->size > 1 ? search->par->size - 1 : 1;
    const double *best = cop_history_measures(history, row->best_id);
    cop_buf line = {0};
    cop_buf_printf(&line, "%6u %8llu %9.4f %9.4f", row->generation,
                   (unsigned long long)row->evaluations, row->best, row->median);
    for (size_t t = 0; t < e->tasks; t++) {
        char name[128];
        snprintf(name, sizeof name, "accuracy.%s", e->task_names.items[t]);
        long column = cop_plan_measure(e->plan, name);
        cop_buf_printf(&line, " %9.2f%%", column < 0 ? NAN : best[column]);
    }
    long density = cop_plan_measure(e->plan, "density");
    char eta[32];
    cop_buf_printf(&line, " %8.2f %8.1f %5.0f%% %9s", density < 0 ? NAN : 100 * best[density],
                   (double)search->evaluated / session,
                   100 * stats.worker_seconds / (session * workers),
                   cop_format_seconds(left(search, row), eta));
    fprintf(stderr, terminal ? "\r%s\033[K%s" : "%s%s", cop_buf_text(&line),
            terminal && !last ? "" : "\n");
    fflush(stderr);
    cop_buf_clear(&line);
}
