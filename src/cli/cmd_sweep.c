/* coppice sweep: configurations x seeds, one table and figures at the end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coppice/cli.h"
#include "coppice/io.h"
#include "judge.h"
#include "memory_flag.h"
#include "run/sweep.h"

static const cop_flag flags[] = {
    {"seeds", 0, "LIST", false, "Seeds of every arm: 1-10, or 1,4,7-9."},
    {"out", 'o', "DIR", false, "Folder of the sweep; runs go to DIR/ARM/seed-N."},
    {"ranks-per-run", 'r', "N", false, "Ranks of a run (default: 1). Rank 0 only directs."},
    {"data", 'd', "DIR", false, "Folder with the datasets (default: COPPICE_DATA)."},
    {"set", 's', "SECTION.KEY=VALUE", true, "Change an option in every arm."},
    {"time-limit", 't', "SECONDS", false,
     "Stop all runs with checkpoints and status 75 after so long (batch jobs)."},
    COP_FLAG_MEMORY,
    {"quiet", 'q', NULL, false, "No line per finished run."},
    {"no-figures", 0, NULL, false, "Leave out confusion matrices, curves and gnuplot."},
    {0},
};

struct view {
    bool quiet, figures;
    const char *data;
    int groups;
    double start, spent; /* seconds of the runs that ended in this session */
    size_t ended, total, done;
};

/* ------------------------------------------------------------------ while it goes on */

static void begun(void *user, const cop_sweep *sweep, int groups) {
    struct view *view = user;
    view->groups = groups;
    view->start = cop_clock();
    for (size_t i = 0; i < sweep->runs; i++) {
        view->total += sweep->run[i].wanted;
        view->done += sweep->run[i].wanted && sweep->run[i].state == COP_RUN_FINISHED;
    }
    if (view->quiet) return;
    cop_log(COP_LOG_INFO,
            "sweep of %zu runs, %zu of them finished; %d at a time on %d rank%s each; %s",
            view->total, view->done, groups, sweep->ranks_per_run,
            sweep->ranks_per_run == 1 ? "" : "s", sweep->directory);
}

static void add_results(const cop_sweep *sweep, const cop_sweep_run *run, cop_buf *line) {
    char *dir = cop_sweep_run_directory(sweep, run);
    cop_trials trials = {0};
    cop_list measures = {0};
    size_t arm = cop_trials_arm(&trials, sweep->arm[run->arm].name);
    if (cop_trials_add(&trials, arm, dir, run->seed) == COP_OK) {
        cop_trials_measures(&trials, &measures);
        for (size_t m = 0; m + 1 < measures.count; m++) {
            const char *name = measures.items[m];
            double value = cop_trial_value(&trials.arm[0].trial[0], name);
            if (strncmp(name, "accuracy.", 9) == 0) name += 9;
            if (isfinite(value))
                cop_buf_printf(line, "%s %s %.*f", m ? "," : ":", name,
                               cop_measure_digits(measures.items[m]), value);
        }
    }
    cop_error_clear();
    cop_trials_clear(&trials);
    cop_list_clear(&measures);
    cop_free(dir);
}

static void ended(void *user, const cop_sweep *sweep, size_t i) {
    struct view *view = user;
    const cop_sweep_run *run = &sweep->run[i];
    char seconds[32], left[32];
    cop_buf line = {0};
    view->spent += run->seconds;
    view->ended++;
    view->done += run->state == COP_RUN_FINISHED;
    cop_buf_printf(&line, "%zu/%zu %s seed %lld %s", view->done, view->total,
                   sweep->arm[run->arm].name, (long long)run->seed, cop_run_state_name(run->state));
    if (run->state == COP_RUN_FINISHED) add_results(sweep, run, &line);
    if (run->message) cop_buf_printf(&line, ": %s", run->message);
    cop_buf_printf(&line, " (%s", cop_format_seconds(run->seconds, seconds));
    double rest = (double)(view->total - view->done) * view->spent / (double)view->ended /
                  (double)view->groups;
    if (view->done < view->total && run->state == COP_RUN_FINISHED)
        cop_buf_printf(&line, "; about %s left", cop_format_seconds(rest, left));
    if (!view->quiet || run->state == COP_RUN_FAILED)
        cop_log(run->state == COP_RUN_FAILED ? COP_LOG_ERROR : COP_LOG_INFO, "%s)",
                cop_buf_text(&line));
    cop_buf_clear(&line);
}

/* ------------------------------------------------------------------ at the end */

/* Confusion matrices of an arm's champion on the test samples, where it tells classes apart. */
static cop_status confusion_figures(const cop_trial_arm *arm, const char *data,
                                    const char *folder) {
    const cop_trial *champion = cop_trial_champion(arm);
    cop_subject subject;
    cop_judge judge = {0};
    cop_list tasks = {0};
    cop_status status = COP_OK;
    COP_GO(cop_subject_open(&subject, champion->directory, COP_SUBJECT_BEST, false));
    if (!cop_judge_can(&subject)) goto done;
    COP_GO(cop_judge_open(&judge, &subject, NULL, data));
    COP_GO(cop_judge_ready(&judge, NULL));
    cop_judge_tasks(&judge, &tasks);
    for (size_t t = 0; t < tasks.count && status == COP_OK; t++) {
        cop_dataset *set = NULL;
        uint16_t *predicted = NULL;
        cop_evidence evidence;
        cop_confusion matrix = {0};
        status = cop_judge_load(&judge, tasks.items[t], COP_SPLIT_TEST, &set);
        if (status == COP_OK) status = cop_judge_predict(&judge, set, &evidence, &predicted);
        if (status == COP_OK) {
            char *name = cop_sprintf("confusion-%s-%s", arm->name, tasks.items[t]);
            char *title = cop_sprintf("%s, seed %lld, on %s (test samples)", arm->name,
                                      (long long)champion->seed, tasks.items[t]);
            cop_confusion_init(&matrix, (size_t)set->classes, cop_judge_outputs(&judge, set));
            cop_confusion_fill(&matrix, set->label,
                               predicted + cop_judge_best(&judge, &evidence) * set->samples,
                               set->samples);
            status = cop_figure_confusion(&matrix, (const char *const *)set->class_names, name,
                                          title, folder);
            cop_confusion_clear(&matrix);
            cop_free(name);
            cop_free(title);
        }
        cop_free(predicted);
        cop_dataset_destroy(set);
    }
done:
    cop_list_clear(&tasks);
    cop_judge_close(&judge);
    cop_subject_close(&subject);
    return status;
}

/* A figure that cannot be made is a pity, no failure of the sweep. */
static void figures(const struct view *view, const cop_sweep *sweep, const cop_trials *trials) {
    char *folder = cop_sprintf("%s/figures", sweep->directory);
    size_t drawn = 0;
    cop_status status = cop_figure_curves(trials, folder);
    for (size_t a = 0; a < trials->arms && status == COP_OK; a++)
        if (trials->arm[a].trials &&
            confusion_figures(&trials->arm[a], view->data, folder) != COP_OK) {
            cop_log(COP_LOG_WARNING, "no confusion matrices of arm %s: %s", trials->arm[a].name,
                    cop_error_message());
            cop_error_clear();
        }
    if (status == COP_OK) status = cop_figures_draw(folder, &drawn);
    if (status != COP_OK) cop_log(COP_LOG_WARNING, "%s", cop_error_message());
    if (drawn) printf("figures: %zu, as SVG and PNG in %s\n", drawn, folder);
    cop_error_clear();
    cop_free(folder);
}

static cop_status write_into(const cop_sweep *sweep, const char *file, const cop_buf *text) {
    char *path = cop_sprintf("%s/%s", sweep->directory, file);
    cop_status status = cop_write_file(path, text->data, text->length);
    cop_free(path);
    return status;
}

static void list_unfinished(const cop_sweep *sweep, cop_buf *out) {
    for (size_t i = 0; i < sweep->runs; i++) {
        const cop_sweep_run *run = &sweep->run[i];
        if (run->state != COP_RUN_FINISHED)
            cop_buf_printf(out, "%s: %s seed %lld%s%s\n", cop_run_state_name(run->state),
                           sweep->arm[run->arm].name, (long long)run->seed,
                           run->message ? ": " : "", run->message ? run->message : "");
    }
}

static cop_status all(void *user, const cop_sweep *sweep, bool stopped) {
    struct view *view = user;
    cop_trials trials = {0};
    cop_buf text = {0}, csv = {0}, runs = {0};
    cop_status status = COP_OK;
    for (size_t a = 0; a < sweep->arms; a++) cop_trials_arm(&trials, sweep->arm[a].name);
    for (size_t i = 0; i < sweep->runs; i++) {
        if (sweep->run[i].state != COP_RUN_FINISHED) continue;
        char *dir = cop_sweep_run_directory(sweep, &sweep->run[i]);
        if (cop_trials_add(&trials, sweep->run[i].arm, dir, sweep->run[i].seed) != COP_OK) {
            cop_log(COP_LOG_WARNING, "left out of the table: %s", cop_error_message());
            cop_error_clear();
        }
        cop_free(dir);
    }
    cop_trials_write(&trials, &text);
    cop_trials_csv(&trials, &csv);
    cop_trials_runs_csv(&trials, &runs);
    list_unfinished(sweep, &text);
    COP_GO(write_into(sweep, "table.txt", &text));
    COP_GO(write_into(sweep, "table.csv", &csv));
    COP_GO(write_into(sweep, "runs.csv", &runs));
    printf("%s\n", cop_buf_text(&text));
    printf("%zu of %zu runs are finished; tables: %s/table.txt, table.csv, runs.csv\n", view->done,
           view->total, sweep->directory);
    if (view->figures && !stopped) figures(view, sweep, &trials);
    if (fflush(stdout) != 0) status = cop_fail(COP_E_IO, "the table could not be printed");
done:
    cop_trials_clear(&trials);
    cop_buf_clear(&text);
    cop_buf_clear(&csv);
    cop_buf_clear(&runs);
    return status;
}

/* ------------------------------------------------------------------ the command */

static cop_status run(const cop_args *args, cop_par *par) {
    char *memory;
    const char *sets[129], *limit = cop_args_get(args, "time-limit"),
                           *ranks = cop_args_get(args, "ranks-per-run");
    cop_sweep_options options = {
        .words = args->words,
        .word_count = args->word_count,
        .sets = sets,
        .seeds = cop_args_get(args, "seeds"),
        .directory = cop_args_get(args, "out"),
        .data_dir = cop_args_get(args, "data"),
    };
    struct view view = {.quiet = cop_args_has(args, "quiet"),
                        .figures = !cop_args_has(args, "no-figures"),
                        .data = options.data_dir};
    const cop_sweep_watch watch = {&view, begun, ended, all};
    int64_t n = 0;
    if (limit && (!cop_parse_double(limit, &options.time_limit) || options.time_limit <= 0))
        return cop_fail(COP_E_USAGE, "--time-limit %s: a positive number of seconds is wanted",
                        limit);
    if (ranks && (!cop_parse_i64(ranks, &n) || n < 1 || n > 1000000))
        return cop_fail(COP_E_USAGE, "--ranks-per-run %s: a number of ranks is wanted", ranks);
    options.ranks_per_run = (int)n;
    if (!options.data_dir) options.data_dir = getenv("COPPICE_DATA");
    if (options.data_dir && !*options.data_dir) options.data_dir = NULL;
    while (options.set_count < 128) {
        const char *set = cop_args_nth(args, "set", options.set_count);
        if (!set) break;
        sets[options.set_count++] = set;
    }
    COP_TRY(cop_memory_assignment(args, &memory));
    if (memory) sets[options.set_count++] = memory;
    cop_buf line = {0};
    cop_args_describe(args, &line);
    options.command_line = cop_buf_text(&line);
    cop_status status = cop_sweep_session(&options, par, &watch);
    cop_buf_clear(&line);
    cop_free(memory);
    return status;
}

const cop_command cop_cmd_sweep = {
    .name = "sweep",
    .synopsis = "CONFIG... [options]",
    .summary = "Run configurations with many seeds, several at a time; table and figures",
    .details =
        "Each CONFIG is an arm, named after its file or as in NAME=CONFIG; a file with sections "
        "[arm.NAME] lists several (docs/sweeps.md). Every arm is run with every seed, each run on "
        "ranks of its own: 'mpirun -np CORES+1' keeps every core busy, as rank 0 only directs. A "
        "run finds the same as under 'coppice run'.\n\n"
        "The same command again, or 'coppice sweep DIR', goes on: finished runs are left as they "
        "are, the others go on from their checkpoints, failed ones are tried again. More seeds and "
        "arms may be added. A run that fails is reported and the others go on. Signals, a file "
        "named 'stop' in DIR and --time-limit stop all runs with checkpoints and status 75.\n\n"
        "At the end: means and sample standard deviations as text and in DIR/table.csv, every run "
        "in DIR/runs.csv, and, where gnuplot is installed, curves and confusion matrices in "
        "DIR/figures.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1000,
    .ranks = COP_RANKS_ALL,
    .run = run,
};
