/* What a training found: on the screen, in run.json, in tables of inputs. */
#include <math.h>
#include <string.h>

#include "coppice/io.h"
#include "training.h"

static double percent(double share) {
    return 100 * share;
}

static json_t *real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

/* Epoch with the largest number in one column; the first of equals. */
static uint32_t largest(const cop_training *t, bool validation) {
    uint32_t best = 0;
    for (uint32_t e = 0; e < t->epoch; e++) {
        const double now = validation ? t->history[e].validation : t->history[e].test;
        const double then = validation ? t->history[best].validation : t->history[best].test;
        if (now > then) best = e;
    }
    return best;
}

cop_status cop_training_write_degrees(const cop_training_end *e, const uint32_t *degree) {
    const cop_training *t = e->training;
    cop_buf text = {0};
    cop_buf_printf(&text, "input,degree,core_degree\n");
    for (size_t i = 0; i < t->net->settings.width[0]; i++)
        cop_buf_printf(&text, "%zu,%u,%u\n", i, degree[i], t->core[i]);
    char *path = cop_sprintf("%s/degrees.csv", e->directory);
    cop_status status = cop_write_file(path, text.data, text.length);
    cop_buf_clear(&text);
    cop_free(path);
    return status;
}

/* The feature-removal experiment of the CosineSET paper: least and most connected inputs first. */
static cop_status write_features(const cop_training_end *e) {
    const size_t inputs = e->training->net->settings.width[0];
    double *least = COP_NEW_ARRAY(double, inputs + 1), *most = COP_NEW_ARRAY(double, inputs + 1);
    cop_buf text = {0};
    cop_training_without(e->training, false, least);
    cop_training_without(e->training, true, most);
    cop_buf_printf(&text, "removed,least_connected_first,most_connected_first\n");
    for (size_t k = 0; k <= inputs; k++)
        cop_buf_printf(&text, "%zu,%.4f,%.4f\n", k, percent(least[k]), percent(most[k]));
    char *path = cop_sprintf("%s/features.csv", e->directory);
    cop_status status = cop_write_file(path, text.data, text.length);
    cop_buf_clear(&text);
    cop_free(path);
    cop_free(least);
    cop_free(most);
    return status;
}

/* The last removal, on a network that is stored already: what is left of the edges and of the
 * accuracy, and the degrees before and after. */
static cop_status core(const cop_training_end *e, json_t *result) {
    cop_training *t = e->training;
    const cop_live_layer *l = &t->net->layer[0];
    uint32_t *degree = COP_NEW_ARRAY(uint32_t, l->inputs);
    double accuracy = NAN, loss;
    for (size_t k = 0; k < l->edges; k++) degree[cop_live_input(t->net, l, k)]++;
    cop_status status = COP_OK;
    if (!t->plan.remove || t->epoch <= t->every) /* never rewired */
        memcpy(t->core, degree, l->inputs * sizeof *degree);
    if (cop_conf_bool(e->training->conf, "train", "feature_removal") && t->test->samples)
        COP_GO(write_features(e));
    if (cop_training_finish(t)) {
        if (isfinite(t->similarity_error))
            json_object_set_new(result, "similarity_error", real(t->similarity_error));
        if (t->test->samples)
            cop_training_score(t, t->test, NULL, t->test->samples, false, &accuracy, &loss);
    } else {
        accuracy = t->history[t->epoch - 1].test;
    }
    json_object_set_new(result, "parameters_after_removal",
                        json_integer((json_int_t)cop_live_parameters(t->net)));
    json_object_set_new(result, "edges_after_removal",
                        json_integer((json_int_t)cop_live_edges(t->net)));
    json_object_set_new(result, "test_after_removal", real(percent(accuracy)));
    status = cop_training_write_degrees(e, degree);
done:
    cop_free(degree);
    return status;
}

cop_status cop_training_report(const cop_training_end *e, json_t **out_result) {
    cop_training *t = e->training;
    if (t->rbm) return cop_training_report_rbm(e, out_result);
    const cop_training_row *last = &t->history[t->epoch - 1];
    const uint32_t peak = largest(t, false), chosen = t->held ? largest(t, true) : t->epoch - 1;
    const double possible = cop_live_possible(t->net);
    FILE *out = e->out;
    json_t *result = json_object(), *tasks = json_object();
    char text[32];
    json_object_set_new(tasks, e->task,
                        json_pack("{s:{s:f},s:{s:o}}", "best_evolve", "accuracy",
                                  percent(last->accuracy), "best_test", "accuracy",
                                  real(percent(t->history[chosen].test))));
    json_object_set_new(result, "generation", json_integer(t->epoch));
    json_object_set_new(result, "evaluations", json_integer(t->epoch));
    /* what runs may be chosen by: never the test samples */
    json_object_set_new(result, "best_ever",
                        real(percent(t->held ? t->history[chosen].validation : last->accuracy)));
    json_object_set_new(result, "test_peak", real(percent(t->history[peak].test)));
    json_object_set_new(result, "peak_epoch", json_integer(peak + 1));
    json_object_set_new(result, "chosen_epoch", json_integer(chosen + 1));
    json_object_set_new(result, "test_last", real(percent(last->test)));
    json_object_set_new(result, "edges", json_integer((json_int_t)last->edges));
    json_object_set_new(result, "parameters",
                        json_integer((json_int_t)cop_live_parameters(t->net)));
    json_object_set_new(result, "held_back", json_integer((json_int_t)t->held));
    json_object_set_new(result, "density", json_real(last->edges / possible));
    json_object_set_new(result, "seconds", json_real(e->seconds));
    json_object_set_new(result, "digest", json_string(e->digest));
    json_object_set_new(result, "tasks", tasks);
    double plain = last->test, unused;
    if (t->test_dropout && t->test->samples) {
        cop_training_score(t, t->test, NULL, t->test->samples, false, &plain, &unused);
        json_object_set_new(result, "test_without_dropout", real(percent(plain)));
    }
    cop_status status = core(e, result);
    fprintf(out, "\n%-28s %8.2f %%  (epoch %u, the last)\n", "test accuracy", percent(last->test),
            t->epoch);
    if (t->test_dropout)
        fprintf(out, "%-28s %8.2f %%  (the last epoch; the other test accuracies are with it)\n",
                "  without dropout", percent(plain));
    if (t->held)
        fprintf(out, "%-28s %8.2f %%  (epoch %u, by validation)\n", "test accuracy, chosen",
                percent(t->history[chosen].test), chosen + 1);
    fprintf(out, "%-28s %8.2f %%  (epoch %u; chosen on the test samples, as papers print it)\n",
            "test accuracy, peak", percent(t->history[peak].test), peak + 1);
    fprintf(out, "%-28s %8.0f    %.2f %% of all possible\n", "edges", last->edges,
            100 * last->edges / possible);
    fprintf(out, "%-28s %8zu    test accuracy %.2f %%\n", "edges after a last removal",
            cop_live_edges(t->net),
            json_number_value(json_object_get(result, "test_after_removal")));
    fprintf(out, "%u epochs in %s\ndigest %s\nrun directory: %s\n", t->epoch,
            cop_format_seconds(e->seconds, text), e->digest, e->directory);
    *out_result = result;
    if (fflush(out) != 0) cop_log(COP_LOG_WARNING, "the result could not be printed");
    return status;
}
