/* What the training of a Boltzmann machine found: on the screen and in run.json. */
#include <math.h>

#include "training.h"

static json_t *real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

/* Log-probabilities of the machine as it is now. */
struct likelihood {
    cop_rbm_log_z z;
    double train, test; /* mean ln p, nats; NaN: not asked for, or no samples */
};

static struct likelihood measure(cop_training *t) {
    struct likelihood l = {{NAN, NAN}, NAN, NAN};
    if (cop_conf_int(t->conf, "train", "ais") == 0) return l;
    cop_activity_set("annealed importance sampling");
    l.z = cop_training_log_z(t);
    l.train = cop_training_log_probability(t, t->train, t->train->samples, l.z.log_z);
    if (t->test->samples)
        l.test = cop_training_log_probability(t, t->test, t->test->samples, l.z.log_z);
    cop_activity_set("%s", "");
    return l;
}

static void say(FILE *out, const char *what, size_t edges, const struct likelihood *l) {
    fprintf(out, "%-28s %8zu", what, edges);
    if (isfinite(l->z.log_z))
        fprintf(out, "    ln p: train %.2f, test %.2f nats (ln Z %.2f +- %.2f)", l->train, l->test,
                l->z.log_z, l->z.error);
    fprintf(out, "\n");
}

cop_status cop_training_report_rbm(const cop_training_end *e, json_t **out_result) {
    cop_training *t = e->training;
    const cop_training_row *last = &t->history[t->epoch - 1];
    const cop_live_layer *layer = &t->net->layer[0];
    const double possible = cop_live_possible(t->net);
    const size_t edges = cop_live_edges(t->net);
    uint32_t *degree = COP_NEW_ARRAY(uint32_t, layer->inputs);
    json_t *result = json_object(), *tasks = json_object();
    char text[32];
    for (size_t k = 0; k < edges; k++) degree[cop_live_input(t->net, layer, k)]++;
    const struct likelihood whole = measure(t);
    cop_training_finish(t);
    const struct likelihood core = cop_live_edges(t->net) < edges ? measure(t) : whole;
    json_object_set_new(tasks, e->task, json_object());
    json_object_set_new(result, "generation", json_integer(t->epoch));
    json_object_set_new(result, "evaluations", json_integer(t->epoch));
    json_object_set_new(result, "best_ever", real(whole.test));
    json_object_set_new(result, "log_z", real(whole.z.log_z));
    json_object_set_new(result, "log_z_error", real(whole.z.error));
    json_object_set_new(result, "train_log_probability", real(whole.train));
    json_object_set_new(result, "test_log_probability", real(whole.test));
    json_object_set_new(result, "reconstruction_error", real(last->loss));
    json_object_set_new(result, "test_reconstruction_error", real(last->test_loss));
    json_object_set_new(result, "edges", json_integer((json_int_t)edges));
    json_object_set_new(result, "density", json_real((double)edges / possible));
    json_object_set_new(result, "edges_after_removal",
                        json_integer((json_int_t)cop_live_edges(t->net)));
    json_object_set_new(result, "train_log_probability_after_removal", real(core.train));
    json_object_set_new(result, "test_log_probability_after_removal", real(core.test));
    json_object_set_new(result, "seconds", json_real(e->seconds));
    json_object_set_new(result, "digest", json_string(e->digest));
    json_object_set_new(result, "tasks", tasks);
    cop_status status = cop_training_write_degrees(e, degree);
    fprintf(e->out, "\n%-28s %8.5f    test %.5f\n", "squared error", last->loss, last->test_loss);
    say(e->out, "edges", edges, &whole);
    say(e->out, "edges after a last removal", cop_live_edges(t->net), &core);
    fprintf(e->out, "%u epochs in %s\ndigest %s\nrun directory: %s\n", t->epoch,
            cop_format_seconds(e->seconds, text), e->digest, e->directory);
    *out_result = result;
    cop_free(degree);
    if (fflush(e->out) != 0) cop_log(COP_LOG_WARNING, "the result could not be printed");
    return status;
}
