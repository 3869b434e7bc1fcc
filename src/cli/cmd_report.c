/* coppice report: one run as one page of HTML. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coppice/cli.h"
#include "coppice/io.h"
#include "judge.h"
#include "report/page.h"
#include "run/training.h"

enum { MATRIX_MOST = 100 }; /* classes beyond which a matrix is unreadable */

static const cop_flag flags[] = {
    {"out", 'o', "FILE", false, "Where to write the page (default: RUN/report.html)."},
    {"data", 'd', "DIR", false,
     "Folder with datasets, for the confusion matrices (default: COPPICE_DATA, then the folder "
     "that the run "
     "used)."},
    {"no-data", 0, NULL, false,
     "Leave out what needs the samples: test accuracies and confusion matrices."},
    {0},
};

/* A text inside an object of the description; "" when it is not there. */
static const char *text_at(const json_t *object, const char *first, const char *second) {
    const json_t *inner = second ? json_object_get(json_object_get(object, first), second)
                                 : json_object_get(object, first);
    const char *text = json_string_value(inner);
    return text ? text : "";
}

static void header(const cop_subject *subject, const json_t *description, cop_buf *out) {
    const json_t *run = json_object_get(description, "run");
    const char *name = text_at(run, "name", NULL);
    char *title = cop_sprintf("%s - coppice", *name ? name : subject->path);
    cop_html_begin(out, title);
    cop_free(title);
    cop_buf_printf(out, "<h1>");
    cop_html_text(out, *name ? name : subject->path);
    cop_buf_printf(out, "</h1>\n<p class=\"lead\">");
    cop_html_format(out, "%s", text_at(description, "status", NULL));
    if (*text_at(run, "started", NULL))
        cop_html_format(out, ", begun %s", text_at(run, "started", NULL));
    if (subject->trained) {
        char seconds[32];
        cop_html_format(out, "; %u epochs, %s of training; seed %s",
                        subject->trained->training.epoch,
                        cop_format_seconds(subject->trained->facts.elapsed, seconds),
                        text_at(json_object_get(description, "config"), "run", "seed"));
    } else if (subject->checkpoint) {
        const cop_history *history = &subject->checkpoint->history;
        const cop_generation *last =
            history->generations ? &history->generation[history->generations - 1] : NULL;
        char seconds[32];
        if (last)
            cop_html_format(out, "; %u generations, %llu evaluations, %s of search",
                            last->generation, (unsigned long long)last->evaluations,
                            cop_format_seconds(subject->checkpoint->elapsed, seconds));
        cop_html_format(out, "; seed %s",
                        text_at(json_object_get(description, "config"), "run", "seed"));
    }
    cop_buf_printf(out, "</p>\n<p class=\"lead\"><code>");
    cop_html_text(out, subject->path);
    cop_buf_printf(out, "</code><br>digest <code>");
    cop_html_text(out, text_at(description, "checkpoint", "digest"));
    cop_buf_printf(out, "</code></p>\n");
}

/* ------------------------------------------------------------------ what needs samples */

struct judged {
    uint64_t correct;
    size_t samples;
    double value; /* NaN: trained weights */
};

/* @p image: height and width of the samples. */
static cop_status judge_split(const cop_judge *judge, const char *task, cop_split split,
                              struct judged *result, cop_buf *matrix, size_t image[2]) {
    cop_dataset *set = NULL;
    uint16_t *predicted = NULL;
    cop_evidence evidence;
    cop_status status = COP_OK;
    COP_GO(cop_judge_load(judge, task, split, &set));
    COP_GO(cop_judge_predict(judge, set, &evidence, &predicted));
    image[0] = set->height;
    image[1] = set->width;
    size_t best = cop_judge_best(judge, &evidence);
    bool trained = judge->setup.weighting.kind == COP_WEIGHTS_TRAINED;
    /* test samples are judged at the value that the evolution samples chose */
    for (size_t v = 0; matrix && !trained && v < judge->setup.weighting.values; v++)
        if (judge->setup.weighting.value[v] == result->value) best = v;
    *result = (struct judged){evidence.correct[best], set->samples,
                              trained ? NAN : judge->setup.weighting.value[best]};
    if (matrix && (size_t)set->classes <= MATRIX_MOST &&
        cop_judge_outputs(judge, set) <= MATRIX_MOST) {
        cop_confusion counts;
        char *title = cop_sprintf("%s, %zu test samples, %.2f %% right", task, set->samples,
                                  100.0 * (double)result->correct / (double)set->samples);
        cop_confusion_init(&counts, (size_t)set->classes, cop_judge_outputs(judge, set));
        cop_confusion_fill(&counts, set->label, predicted + best * set->samples, set->samples);
        cop_svg_matrix(matrix, title, counts.count, counts.rows, counts.columns,
                       (const char *const *)set->class_names);
        cop_confusion_clear(&counts);
        cop_free(title);
    }
done:
    cop_free(predicted);
    cop_dataset_destroy(set);
    return status;
}

static void accuracy_row(const char *task, const char *split, const struct judged *judged,
                         cop_buf *out) {
    double low, high;
    cop_wilson_interval(judged->correct, judged->samples, 0.95, &low, &high);
    cop_buf_printf(out, "<tr><td>");
    cop_html_text(out, task);
    cop_buf_printf(out, "</td><td>%s</td><td>%zu</td><td>%.2f</td><td>%.2f to %.2f</td>", split,
                   judged->samples, 100.0 * (double)judged->correct / (double)judged->samples,
                   100 * low, 100 * high);
    if (isnan(judged->value))
        cop_buf_printf(out, "<td>-</td></tr>\n");
    else
        cop_buf_printf(out, "<td>%g</td></tr>\n", judged->value);
}

/* Searches look at the evolution samples, trainings at those of the train split. */
static cop_status judge_tasks(const cop_judge *judge, cop_buf *rows, cop_buf *matrices,
                              size_t image[2]) {
    const cop_split first = judge->trained ? COP_SPLIT_TRAIN : COP_SPLIT_EVOLVE;
    cop_list tasks = {0};
    cop_status status = COP_OK;
    cop_judge_tasks(judge, &tasks);
    for (size_t t = 0; t < tasks.count && status == COP_OK; t++) {
        struct judged judged = {0, 0, NAN};
        status = judge_split(judge, tasks.items[t], first, &judged, NULL, image);
        if (status == COP_OK)
            accuracy_row(tasks.items[t], judge->trained ? "train" : "evolution", &judged, rows);
        if (status == COP_OK)
            status = judge_split(judge, tasks.items[t], COP_SPLIT_TEST, &judged, matrices, image);
        if (status == COP_OK) accuracy_row(tasks.items[t], "test", &judged, rows);
    }
    cop_list_clear(&tasks);
    return status;
}

/* Samples that are not there are no reason for no page: it says so instead. */
static void results(const cop_subject *subject, const char *data, bool no_data, cop_buf *out,
                    cop_buf *matrices, size_t image[2]) {
    const cop_network *network = subject->network;
    const cop_subject_facts facts = cop_subject_facts_of(subject);
    cop_judge judge = {0};
    cop_buf rows = {0};
    cop_status status = no_data ? cop_fail(COP_E_USAGE, "left out by --no-data") : COP_OK;
    if (status == COP_OK) status = cop_judge_open(&judge, subject, NULL, data);
    if (status == COP_OK) status = cop_judge_ready(&judge, NULL);
    if (status == COP_OK) status = judge_tasks(&judge, &rows, matrices, image);
    cop_buf_printf(
        out,
        "<h2 id=\"result\">The %s network</h2>\n<p class=\"lead\">Individual %llu: "
        "%llu of %llu edges live "
        "(%.2f %%), %llu of %llu multiply-adds a sample, %s weights.</p>\n",
        network ? "best" : "trained", (unsigned long long)facts.individual,
        (unsigned long long)facts.edges, (unsigned long long)facts.possible,
        facts.possible ? 100.0 * (double)facts.edges / (double)facts.possible : 0,
        (unsigned long long)(network ? cop_model_macs(network->model, &network->mask)
                                     : facts.edges),
        (unsigned long long)(network ? cop_model_macs(network->model, NULL) : facts.possible),
        cop_weighting_name(facts.weighting));
    if (status == COP_OK) {
        cop_buf_printf(
            out,
            "<div class=\"wide\"><table id=\"accuracy\">\n<tr><th>task</th><th>samples "
            "of</th><th>number</th><th>accuracy "
            "%%</th><th>95 %% interval</th><th>shared value</th></tr>\n%s</table></div>\n<p "
            "class=\"lead\">Wilson's interval%s.</p>\n",
            cop_buf_text(&rows),
            network ? "; the shared value is the best one of the evolution samples, also on the "
                      "test samples"
                    : "");
    } else {
        cop_buf_printf(out, "<p>Accuracies and confusion matrices are missing: ");
        cop_html_text(out, cop_error_message());
        cop_buf_printf(out, "</p>\n");
        if (!no_data)
            cop_log(COP_LOG_WARNING, "no accuracies and confusion matrices: %s",
                    cop_error_message());
        cop_buf_reset(matrices);
        cop_error_clear();
    }
    cop_judge_close(&judge);
    cop_buf_clear(&rows);
}

/* ------------------------------------------------------------------ the rest */

static void configuration(const cop_subject *subject, const json_t *description, cop_buf *out) {
    const json_t *provenance = json_object_get(json_object_get(description, "run"), "provenance");
    const char *key;
    json_t *value;
    cop_buf_printf(out, "<h2 id=\"config\">Where it comes from</h2>\n");
    if (json_is_object(provenance)) {
        cop_buf_printf(out,
                       "<details><summary>Program and machine</summary><div class=\"wide\"><table "
                       "class=\"words\">\n");
        json_object_foreach((json_t *)(uintptr_t)provenance, key, value) {
            char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
            const char *cells[] = {key, json_is_string(value) ? json_string_value(value)
                                        : text                ? text
                                                              : ""};
            cop_html_row(out, "td", cells, 2);
            free(text);
        }
        cop_buf_printf(out, "</table></div></details>\n");
    }
    cop_buf_printf(out, "<details><summary>Configuration, all options</summary><pre>");
    cop_html_text(out,
                  subject->trained ? subject->trained->facts.config : subject->network->config);
    cop_buf_printf(out, "</pre></details>\n");
}

static cop_status report(const cop_args *args, cop_par *par) {
    cop_subject subject = {0};
    cop_buf page = {0}, matrices = {0};
    json_t *description = NULL;
    char *path = NULL;
    const char *out = cop_args_get(args, "out");
    size_t image[2] = {1, 1};
    cop_status status = COP_OK;
    (void)par;
    COP_GO(cop_subject_open(&subject, args->words[0], COP_SUBJECT_BEST, true));
    if (!subject.network && !subject.trained)
        COP_GO(cop_fail(
            COP_E_IO, "%s holds no network yet: neither best.h5 nor a checkpoint that can be read",
            args->words[0]));
    if (!out && subject.kind != COP_SUBJECT_RUN)
        COP_GO(cop_fail(COP_E_USAGE,
                        "%s is no run directory: say with --out where the page is to go",
                        args->words[0]));
    path = out ? cop_strdup(out) : cop_sprintf("%s/report.html", subject.path);
    description = cop_describe_subject(&subject);
    header(&subject, description, &page);
    results(&subject, cop_args_get(args, "data"), cop_args_has(args, "no-data"), &page, &matrices,
            image);
    if (subject.checkpoint && subject.checkpoint->history.generations)
        cop_page_curves(subject.checkpoint, &page);
    if (matrices.length)
        cop_buf_printf(&page,
                       "<h2 id=\"confusion\">Confusion matrices</h2>\n<p class=\"lead\">Test "
                       "samples; darker: a larger "
                       "share of the true class.</p>\n<div class=\"charts\">\n%s</div>\n",
                       cop_buf_text(&matrices));
    if (subject.trained) {
        const bool images = image[0] > 1;
        cop_page_training(subject.trained, images ? image[0] : 0, images ? image[1] : 0, &page);
    } else {
        cop_page_layers(subject.checkpoint, subject.network, &page);
        if (subject.checkpoint) cop_page_lineage(subject.checkpoint, subject.network->id, &page);
        cop_page_survival(subject.checkpoint, subject.network, &page);
    }
    configuration(&subject, description, &page);
    cop_html_end(&page);
    COP_GO(cop_write_file(path, page.data, page.length));
    printf("%s\n", path);
done:
    json_decref(description);
    cop_free(path);
    cop_buf_clear(&page);
    cop_buf_clear(&matrices);
    cop_subject_close(&subject);
    return status;
}

const cop_command cop_cmd_report = {
    .name = "report",
    .synopsis = "RUN [options]",
    .summary = "Write one HTML page about a run: curves, layers, lineage, confusion, edges",
    .details = "RUN is a run directory, also while the run goes on, a checkpoint or a network "
               "file. The page holds "
               "everything it shows, loads nothing and runs no scripts, so it can be mailed or "
               "kept: accuracies with "
               "intervals, curves by generation, confusion matrices on the test samples, density "
               "by layer, the ancestors "
               "of the best individual, and which edges are left. Where the samples cannot be "
               "read, the page says so and "
               "has the rest. Prints where the page is.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .ranks = COP_RANKS_ONE,
    .run = report,
};
