/* Hostile run.json, metrics.jsonl and sweep.json: what reads them, makes tables, figures and pages
 * of them, and cuts them on resume. */
#include "fuzz.h"

#include "coppice/io.h"
#include "coppice/report.h"
#include "run/directory.h"
#include "run/sweep.h"
#include "run/training.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

/* How many files a folder has; with @p empty they are removed. */
static size_t files_in(const char *folder, bool empty) {
    size_t count = 0;
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char *path = cop_sprintf("%s/%s", folder, entry->d_name);
        if (empty) FUZZ_REQUIRE(unlink(path) == 0);
        cop_free(path);
        count++;
    }
    if (dir) closedir(dir);
    return count;
}

static void read_run(const char *dir) {
    cop_trials trials = {0};
    char digest[COP_HASH_HEX];
    char *figures = cop_sprintf("%s/figures/inner", dir), *above = cop_sprintf("%s/figures", dir);
    cop_buf out = {0};
    cop_status status = cop_trials_add(&trials, cop_trials_arm(&trials, "arm"), dir, 1);
    fuzz_judge(status);
    for (size_t t = 0; t < trials.tasks.count; t++)
        FUZZ_REQUIRE(cop_conf_plain_name(trials.tasks.items[t]));
    cop_trials_write(&trials, &out);
    cop_trials_csv(&trials, &out);
    cop_trials_runs_csv(&trials, &out);
    if (status == COP_OK) {
        fuzz_judge(cop_figure_curves(&trials, figures));
        files_in(figures, true);
        FUZZ_REQUIRE(files_in(above, false) == 1); /* the folder: nothing is written beside it */
    }
    cop_trials_clear(&trials);
    cop_subject subject;
    status = cop_subject_open(&subject, dir, COP_SUBJECT_BEST, true);
    if (status == COP_OK) {
        json_t *description = cop_describe_subject(&subject);
        cop_describe_write(description, true, &out);
        json_decref(description);
    }
    fuzz_judge(status);
    cop_subject_close(&subject);
    fuzz_judge(cop_run_verify(dir, &out, digest));
    cop_buf_clear(&out);
    cop_free(figures);
    cop_free(above);
}

static void read_metrics(const char *dir) {
    cop_curve curve;
    cop_list measures = {0};
    cop_buf out = {0};
    char digest[COP_HASH_HEX];
    cop_list_split(&measures, "fitness accuracy.t edges", " ");
    fuzz_judge(cop_curve_read(&curve, dir, &measures));
    cop_curve_clear(&curve);
    cop_list_clear(&measures);
    fuzz_judge(cop_training_verify(dir, &out, digest));
    cop_directory directory = {.path = (char *)(uintptr_t)dir};
    fuzz_judge(cop_metrics_cut(&directory, 1));
    cop_buf_clear(&out);
}

/* Who wants to harm seals each line. */
static void seal_lines(const uint8_t *bytes, size_t count, cop_buf *out) {
    cop_buf text = {0};
    cop_list lines = {0};
    cop_buf_add(&text, bytes, count);
    cop_list_split(&lines, cop_buf_text(&text), "\n");
    for (size_t i = 0; i < lines.count; i++) {
        json_t *line = json_loads(lines.items[i], 0, NULL);
        char *sealed = json_is_object(line) ? cop_json_seal(line) : cop_strdup(lines.items[i]);
        cop_buf_printf(out, "%s\n", sealed);
        cop_free(sealed);
        json_decref(line);
    }
    cop_list_clear(&lines);
    cop_buf_clear(&text);
}

/* The first byte says which file; 3: metrics that are sealed first; 4: such a run.json. */
static void run(const uint8_t *bytes, size_t count) {
    static const char *const names[] = {"run.json", "metrics.jsonl", "sweep.json", "metrics.jsonl",
                                        "run.json"};
    if (count < 1) return;
    cop_log_set_level(COP_LOG_ERROR);
    unsigned which = bytes[0] % 5;
    cop_buf sealed = {0};
    if (which >= 3)
        seal_lines(bytes + 1, count - 1, &sealed);
    else
        cop_buf_add(&sealed, bytes + 1, count - 1);
    char *dir = cop_sprintf("%s/run", test_scratch());
    FUZZ_REQUIRE(cop_make_dirs(dir) == COP_OK);
    fuzz_file("run/ledger.jsonl", "", 0);
    fuzz_file("run/metrics.jsonl", "", 0);
    unlink(test_path("run/run.json"));
    char *name = cop_sprintf("run/%s", names[which]);
    fuzz_file(name, sealed.data ? sealed.data : (const unsigned char *)"", sealed.length);
    cop_free(name);
    if (which == 0 || which == 4) read_run(dir);
    if (which == 1 || which == 3) read_metrics(dir);
    if (which == 2) {
        cop_sweep sweep;
        fuzz_judge(cop_sweep_read(&sweep, dir));
        for (size_t i = 0; i < sweep.runs; i++) {
            char *path = cop_sweep_run_directory(&sweep, &sweep.run[i]);
            FUZZ_REQUIRE(!strstr(path, "/../") && strncmp(path, dir, strlen(dir)) == 0);
            cop_free(path);
        }
        cop_sweep_close(&sweep);
    }
    cop_buf_clear(&sealed);
    cop_free(dir);
}

static void add_text(fuzz_add add, char which, const char *text) {
    char *all = cop_sprintf("%c%s", which, text);
    add(all, strlen(all));
    cop_free(all);
}

static void seeds(fuzz_add add) {
    static const char run[] =
        "{\"status\":\"finished\",\"data\":\"/"
        "d\",\"provenance\":{\"version\":\"1\"},\"result\":{\"best_ever\":0.5,"
        "\"edges\":12,\"generation\":3,\"evaluations\":20,\"seconds\":1.5,\"digest\":\"00ff\","
        "\"tasks\":{\"mnist\":{"
        "\"best_evolve\":{\"accuracy\":97.5},\"best_test\":{\"accuracy\":null}},\"a_b-C\":{\"best_"
        "evolve\":{}}}}}";
    static const char metrics[] = "{\"generation\":0,\"best_id\":1,\"best_ever_id\":1,\"best_"
                                  "ever\":0.25,\"best_measures\":{\"accuracy.t\":50,"
                                  "\"edges\":3}}\n{\"generation\":1,\"best_id\":2,\"best_ever_id\":"
                                  "1,\"best_ever\":1e300,\"best_measures\":{}}\n";
    static const char sweep[] =
        "{\"format\":\"coppice "
        "sweep\",\"format_version\":1,\"started\":\"2024-01-01T00:00:00Z\",\"ranks_per_run\":2,"
        "\"arms\":[{\"name\":\"a\",\"source\":\"a.ini\"},{\"name\":\"b\"}],\"runs\":[{\"arm\":"
        "\"a\",\"seed\":1,"
        "\"status\":\"finished\",\"broken_off\":0,\"seconds\":2.5},{\"arm\":\"b\",\"seed\":2,"
        "\"status\":\"failed\","
        "\"message\":\"it\"}]}";
    for (int which = 0; which < 5; which++)
        add_text(add, (char)(which + 5),
                 which == 0 || which == 4 ? run
                 : which == 2             ? sweep
                                          : metrics);
    /* names that would be paths or commands */
    add_text(add, 4 + 5,
             "{\"status\":\"finished\",\"result\":{\"tasks\":{\"/../../"
             "x\":{\"best_evolve\":{\"accuracy\":1}}}}}");
    add_text(add, 4 + 5,
             "{\"status\":\"finished\",\"result\":{\"tasks\":{\"'; system('x') "
             "#\":{\"best_evolve\":{\"accuracy\":1}}}}}");
    add_text(add, 2 + 5,
             "{\"format\":\"coppice "
             "sweep\",\"format_version\":1,\"arms\":[{\"name\":\"../x\"}],\"runs\":[]}");
}

const fuzz_target fuzz_this = {"records", run, seeds};
