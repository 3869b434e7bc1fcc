/* coppice bench train: steps of training of a network of live edges, and its rewiring. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_rival.h"
#include "train/rewire.h"

typedef struct bench {
    cop_live_settings settings;
    uint64_t samples, repeat;
    const char *layers, *activation, *front; /* front: layers before those of live edges, or NULL */
    cop_model *model;                        /* of the front */
    cop_live_net *net;
    float *x;
    int32_t *label;
    uint32_t *order;
    const float **rows;
    int32_t *batch_label;
    cop_step step;
    uint32_t batches;
} bench;

/* ------------------------------------------------------------------ what is measured */

static cop_status parse_layers(bench *b) {
    cop_live_settings *s = &b->settings;
    cop_list words = {0};
    uint64_t width;
    cop_status status = COP_OK;
    cop_list_split(&words, b->layers, ",");
    if (words.count < 2 || words.count > COP_LIVE_LAYERS_MAX + 1)
        COP_GO(cop_fail(COP_E_USAGE, "bench: --layers %s: wanted 2 to %d numbers", b->layers,
                        COP_LIVE_LAYERS_MAX + 1));
    for (size_t i = 0; i < words.count; i++) {
        if (!cop_parse_u64(words.items[i], &width) || width < 1 || width > 10000000)
            COP_GO(cop_fail(COP_E_USAGE, "bench: --layers %s: '%s' is no number from 1 to 10000000",
                            b->layers, words.items[i]));
        s->width[i] = (size_t)width;
    }
    s->layers = words.count - 1;
    if (s->width[s->layers] > 65535)
        COP_GO(cop_fail(COP_E_USAGE, "bench: --layers %s: more than 65535 classes", b->layers));
done:
    cop_list_clear(&words);
    return status;
}

static cop_status parse_front(const cop_args *args, bench *b) {
    const char *input = cop_args_get(args, "input");
    cop_shape shape;
    b->front = cop_args_get(args, "front");
    if (!b->front)
        return input ? cop_fail(COP_E_USAGE, "bench: --input is the shape of samples of --front")
                     : COP_OK;
    cop_status status = cop_model_parse_input(input ? input : "3x32x32", &shape);
    if (status != COP_OK) return cop_fail_prefix(COP_E_USAGE, "bench: --input");
    status = cop_model_create_front(&b->model, shape, b->front);
    if (status != COP_OK) return cop_fail_prefix(COP_E_USAGE, "bench: --front");
    b->settings.front = b->model;
    if (b->model->classes == b->settings.width[0]) return COP_OK;
    return cop_fail(COP_E_USAGE, "bench: --layers begins with %zu inputs, the front gives %zu",
                    b->settings.width[0], b->model->classes);
}

static size_t features(const bench *b) {
    return b->model ? cop_shape_size(b->model->input) : b->settings.width[0];
}

static cop_status parse(const cop_args *args, bench *b) {
    uint64_t batch = 100;
    const char *epsilon = cop_args_get(args, "epsilon");
    *b = (bench){.samples = 6000, .repeat = 5};
    b->layers = cop_args_get(args, "layers");
    if (!b->layers) b->layers = "784,1000,1000,1000,10";
    b->activation = cop_args_get(args, "activation");
    if (!b->activation) b->activation = "relu";
    b->settings.epsilon = 20;
    b->settings.seed = 1;
    b->settings.alpha = 0.6;
    COP_TRY(parse_layers(b));
    COP_TRY(parse_front(args, b));
    COP_TRY(cop_bench_count(args, "batch", 1, 100000, &batch));
    COP_TRY(cop_bench_count(args, "samples", 1, 10000000, &b->samples));
    COP_TRY(cop_bench_count(args, "repeat", 1, 1000, &b->repeat));
    COP_TRY(cop_bench_fraction(args, "dropout", &b->settings.dropout));
    if (b->settings.dropout >= 1)
        return cop_fail(COP_E_USAGE, "bench: --dropout: wanted a number below 1");
    if (epsilon && (!cop_parse_double(epsilon, &b->settings.epsilon) || b->settings.epsilon <= 0))
        return cop_fail(COP_E_USAGE, "bench: --epsilon %s: wanted a number above 0", epsilon);
    if (b->samples * features(b) > 2000000000)
        return cop_fail(COP_E_USAGE, "bench: so many --samples are more than 2e9 numbers");
    b->settings.batch = (size_t)(batch < b->samples ? batch : b->samples);
    if (strcmp(b->activation, "relu") == 0)
        b->settings.activation = COP_LIVE_RELU;
    else if (strcmp(b->activation, "srelu") == 0)
        b->settings.activation = COP_LIVE_SRELU;
    else if (strcmp(b->activation, "all-relu") == 0)
        b->settings.activation = COP_LIVE_ALL_RELU;
    else
        return cop_fail(COP_E_USAGE, "bench: --activation %s: wanted relu, srelu or all-relu",
                        b->activation);
    return cop_bench_kernel(args);
}

static cop_status prepare(bench *b) {
    const size_t inputs = features(b), batch = b->settings.batch;
    COP_TRY(cop_live_create(&b->net, &b->settings));
    b->x = COP_NEW_ARRAY(float, b->samples *inputs);
    b->label = COP_NEW_ARRAY(int32_t, b->samples);
    b->order = COP_NEW_ARRAY(uint32_t, b->samples);
    b->rows = cop_alloc(batch, sizeof *b->rows);
    b->batch_label = COP_NEW_ARRAY(int32_t, batch);
    for (size_t i = 0; i < b->samples; i++) {
        cop_rng rng = cop_rng_at(1, 3, (uint32_t)i, COP_FOR_SYNTH);
        for (size_t f = 0; f < inputs; f++)
            b->x[i * inputs + f] = (float)(2 * cop_rng_uniform(&rng) - 1);
        b->label[i] = (int32_t)cop_rng_below(&rng, b->settings.width[b->settings.layers]);
        b->order[i] = (uint32_t)i;
    }
    b->step = (cop_step){.rate = 0.01f, .momentum = 0.9f, .l2 = 0.0002f};
    return COP_OK;
}

static void clear(bench *b) {
    cop_live_destroy(b->net);
    cop_model_destroy(b->model);
    cop_free(b->x);
    cop_free(b->label);
    cop_free(b->order);
    cop_free(b->rows);
    cop_free(b->batch_label);
}

/* ------------------------------------------------------------------ measuring */

/* A pass over all samples in a drawn order, in seconds. */
static cop_status learn(bench *b, double *seconds) {
    const size_t batch = b->settings.batch, inputs = features(b);
    cop_rng rng = cop_rng_at(1, b->batches, 0, COP_FOR_SHUFFLE);
    double loss = 0;
    cop_rng_shuffle(&rng, b->order, b->samples);
    const double start = cop_bench_clock();
    for (size_t at = 0; at < b->samples; at += batch, b->batches++) {
        const size_t n = b->samples - at < batch ? b->samples - at : batch;
        for (size_t i = 0; i < n; i++) {
            b->rows[i] = b->x + b->order[at + i] * inputs;
            b->batch_label[i] = b->label[b->order[at + i]];
        }
        cop_live_forward(b->net, b->rows, n, &b->batches);
        loss += cop_live_loss(b->net, b->batch_label, 1.0 / (double)n, NULL, NULL);
        cop_live_backward(b->net, NULL, NULL);
        cop_live_step(b->net, &b->step, 0, b->net->slope_count);
    }
    *seconds = cop_bench_clock() - start;
    if (!(loss < 1e30))
        return cop_fail(COP_E_EVALUATE, "bench train: the loss is no longer finite on random "
                                        "samples; take a smaller --epsilon or another --layers");
    return COP_OK;
}

static double rewire(bench *b, uint32_t epoch) {
    const cop_rewire_plan plan = {.remove = cop_remove_rule_find("magnitude"),
                                  .add = cop_add_rule_find("random"),
                                  .zeta = 0.3,
                                  .draw_weights = true,
                                  .seed = 1,
                                  .epoch = epoch};
    const double start = cop_bench_clock();
    cop_rewire(b->net, &plan, NULL, NULL);
    return cop_bench_clock() - start;
}

/* One multiply-add a live edge and sample forward, one for its gradient, one for the way back,
 * which the first layer has where weights in front of it want to know. */
static double live_macs(const cop_live_net *net) {
    const bool back = net->front && net->front->model->weights;
    return 3 * (double)cop_live_edges(net) - (back ? 0 : (double)net->layer[0].edges);
}

/* The same of the front, whose first layer with weights has no way back. */
static double front_macs(const cop_model *model) {
    double macs = 0, first = 0;
    for (size_t i = 0; model && i < model->count; i++) {
        const double own =
            (double)model->layers[i].weights * (double)cop_layer_uses(&model->layers[i]);
        if (!(first > 0)) first = own;
        macs += 3 * own;
    }
    return macs - first;
}

static cop_status make_rival(const cop_args *args, const bench *b, cop_bench_rival **rival) {
    char text[64];
    const cop_weighting one = {COP_WEIGHTS_TRAINED, 1, {1}};
    const cop_bench_spec spec = {.net = b->layers,
                                 .weighting = &one,
                                 .density =
                                     (double)cop_live_edges(b->net) / cop_live_possible(b->net),
                                 .samples = b->samples,
                                 .individuals = 1};
    COP_TRY(cop_bench_rival_create(args, &spec, b->repeat, rival));
    snprintf(text, sizeof text, "%.9g", b->settings.epsilon);
    setenv("COPPICE_BENCH_EPSILON", text, 1);
    snprintf(text, sizeof text, "%zu", b->settings.batch);
    setenv("COPPICE_BENCH_BATCH", text, 1);
    snprintf(text, sizeof text, "%.9g", b->settings.dropout);
    setenv("COPPICE_BENCH_DROPOUT", text, 1);
    setenv("COPPICE_BENCH_ACTIVATION", b->activation, 1);
    setenv("COPPICE_BENCH_FRONT", b->model ? b->model->spec : "", 1);
    return COP_OK;
}

static cop_status report(const cop_args *args, bench *b, json_t *result) {
    double *learning = COP_NEW_ARRAY(double, b->repeat), *wiring = COP_NEW_ARRAY(double, b->repeat);
    double warm;
    cop_bench_rival *rival = NULL;
    cop_status status = COP_OK;
    COP_GO(make_rival(args, b, &rival));
    COP_GO(learn(b, &warm));
    for (size_t i = 0; i < b->repeat; i++) {
        COP_GO(learn(b, &learning[i]));
        wiring[i] = rewire(b, (uint32_t)i);
        COP_GO(cop_bench_rival_run(rival));
    }
    const double seconds = cop_bench_median(learning, b->repeat);
    const double rate = (double)b->samples / seconds;
    const double live = live_macs(b->net), front = front_macs(b->model);
    double bound = live / cop_bench_kernel_peak(b->net->ops->sparse);
    if (front > 0) bound += front / cop_bench_sgemm_peak();
    bound = 1 / bound;
    cop_bench_text(result, "kernel", b->net->ops->name);
    cop_bench_text(result, "layers", b->layers);
    cop_bench_text(result, "activation", b->activation);
    if (b->front) cop_bench_text(result, "front", b->model->spec);
    cop_bench_real(result, "dropout", b->settings.dropout);
    cop_bench_real(result, "epsilon", b->settings.epsilon);
    cop_bench_int(result, "batch", b->settings.batch);
    cop_bench_int(result, "samples", b->samples);
    cop_bench_int(result, "repeat", b->repeat);
    cop_bench_int(result, "edges", cop_live_edges(b->net));
    cop_bench_real(result, "density", (double)cop_live_edges(b->net) / cop_live_possible(b->net));
    cop_bench_int(result, "network_bytes", cop_live_bytes(b->net));
    cop_bench_real(result, "seconds", seconds);
    cop_bench_real(result, "samples_per_s", rate);
    cop_bench_real(result, "rewire_s", cop_bench_median(wiring, b->repeat));
    cop_bench_real(result, "live_macs_per_s", rate * (live + front));
    cop_bench_real(result, "bound", bound);
    cop_bench_text(result, "bound_name",
                   b->front ? "samples_per_s_at_sgemm_macs_per_s_and_kernel_cached_macs_per_s"
                            : "samples_per_s_at_kernel_cached_macs_per_s");
    cop_bench_real(result, "ratio", rate / bound);
    cop_bench_rival_report(rival, seconds, result);
done:
    cop_bench_rival_destroy(rival);
    cop_free(learning);
    cop_free(wiring);
    return status;
}

static cop_status run(const cop_args *args, cop_par *par, json_t *result) {
    bench b;
    (void)par;
    COP_TRY(parse(args, &b));
    cop_status status = prepare(&b);
    if (status == COP_OK) status = report(args, &b, result);
    clear(&b);
    return status;
}

const cop_bench cop_bench_train = {
    .name = "train",
    .summary = "steps of training, and rewiring, of a network of live edges",
    .uses =
        "layers front input epsilon batch samples activation dropout kernel repeat compare-with",
    .run = run};
