/* A network of [train] out of a checkpoint, for those who look at it: no optimiser goes on, no
 * samples are needed. */
#include <string.h>

#include "coppice/io.h"
#include "training.h"

enum { BATCH = 128 }; /* samples in the workspace at a time; the results do not depend on it */
/* bytes that the front's workspace takes, where one sample does not take more; and that may take */
#define FRONT_WORKSPACE ((size_t)64 << 20)
#define FRONT_SAMPLE_MOST ((size_t)1 << 30)

static cop_status read_shape(cop_h5 *file, const char *path, cop_shape *shape) {
    const size_t three[1] = {3};
    uint64_t size[3];
    COP_TRY(cop_h5_read_into(file, "/front/input", COP_H5_U64, 1, three, size));
    for (size_t i = 0; i < 3; i++)
        if (size[i] < 1 || size[i] > UINT32_MAX)
            return cop_fail(COP_E_FORMAT, "%s: /front/input is no shape", path);
    *shape = (cop_shape){(size_t)size[0], (size_t)size[1], (size_t)size[2]};
    return COP_OK;
}

/* That the file holds the parameters which its front says, and not too many samples at a time. */
static cop_status check_front(cop_h5 *file, const char *path, cop_live_settings *settings,
                              size_t outputs) {
    const cop_model *front = settings->front;
    if (front->classes != outputs)
        return cop_fail(COP_E_FORMAT, "%s: %zu inputs, the front of its configuration gives %zu",
                        path, outputs, front->classes);
    if (front->weights)
        COP_TRY(cop_h5_expect(file, "/front/weight", COP_H5_F32, 1, &front->weights));
    if (front->biases) COP_TRY(cop_h5_expect(file, "/front/bias", COP_H5_F32, 1, &front->biases));
    while (settings->batch > 1 &&
           cop_net_work_bytes(front, settings->batch, true) > FRONT_WORKSPACE)
        settings->batch /= 2;
    const size_t least = cop_net_work_bytes(front, settings->batch, true);
    if (least <= FRONT_SAMPLE_MOST) return COP_OK;
    char bytes[32];
    return cop_fail(COP_E_FORMAT, "%s: its front takes %s for one sample", path,
                    cop_format_bytes((double)least, bytes));
}

/* The sizes of layers, checked against the configuration and against what the file really holds,
 * before anything is made of that size. */
static cop_status read_settings(cop_trained *t, const char *path, cop_live_settings *settings) {
    void *width = NULL;
    size_t widths = 0;
    cop_shape shape;
    cop_h5 *file = NULL;
    cop_status status = COP_OK;
    COP_TRY(cop_h5_open(&file, path));
    COP_GO(cop_h5_read(file, "/width", COP_H5_U64, 1, &widths, COP_LIVE_LAYERS_MAX + 1, &width));
    const uint64_t *units = width;
    if (widths < 2 || units[0] < 1 || units[0] > 100000000 || units[widths - 1] < 1 ||
        (units[widths - 1] > 65535 && !cop_training_wants_rbm(t->conf)))
        COP_GO(cop_fail(COP_E_FORMAT, "%s: these are no sizes of layers", path));
    shape = (cop_shape){(size_t)units[0], 1, 1};
    if (*cop_conf_text(t->conf, "train", "front")) COP_GO(read_shape(file, path, &shape));
    COP_GO(cop_training_settings(t->conf, shape, (size_t)units[widths - 1], settings,
                                 &t->training.front));
    if (settings->batch > BATCH) settings->batch = BATCH;
    if (settings->front) COP_GO(check_front(file, path, settings, (size_t)units[0]));
    if (settings->layers + 1 != widths)
        COP_GO(cop_fail(COP_E_FORMAT, "%s: %zu layers, its configuration says %zu", path,
                        widths - 1, settings->layers));
    COP_GO(cop_h5_expect(file, "/core_degree", COP_H5_U32, 1, settings->width));
    for (size_t i = 0; i < settings->layers; i++) {
        const size_t rows[1] = {settings->width[i + 1] + 1};
        char begin[64], input[64];
        void *inputs = NULL;
        size_t edges = 0;
        snprintf(begin, sizeof begin, "/layers/%zu/begin", i + 1);
        snprintf(input, sizeof input, "/layers/%zu/input", i + 1);
        COP_GO(cop_h5_expect(file, begin, COP_H5_U32, 1, rows));
        COP_GO(cop_h5_read(file, input, COP_H5_U32, 1, &edges, (size_t)1 << 31, &inputs));
        cop_free(inputs);
        /* rewiring brings a layer back to the number of edges that it began with */
        if (cop_live_expected(settings, i) > 2 * (double)edges + 1000)
            COP_GO(cop_fail(COP_E_FORMAT,
                            "%s: layer %zu has %zu edges; its configuration says about %.0f", path,
                            i + 1, edges, cop_live_expected(settings, i)));
    }
done:
    cop_h5_discard(file);
    cop_free(width);
    return status;
}

cop_status cop_trained_read(cop_trained **out, const char *path) {
    cop_trained *t = COP_NEW(cop_trained);
    cop_live_settings settings;
    char digest[COP_HASH_HEX];
    cop_status status = COP_OK;
    COP_GO(cop_training_read_facts(&t->facts, path));
    COP_GO(cop_conf_parse(&t->conf, cop_run_schema(), t->facts.config, path));
    COP_GO(cop_training_check(t->conf));
    COP_GO(cop_training_task(t->conf, &t->task));
    COP_GO(read_settings(t, path, &settings));
    COP_GO(cop_live_create(&t->training.net, &settings));
    if (cop_training_wants_rbm(t->conf)) t->training.rbm = cop_rbm_create(t->training.net);
    t->training.core = COP_NEW_ARRAY(uint32_t, settings.width[0]);
    COP_GO(cop_training_read(&t->training, path));
    cop_training_digest(&t->training, t->facts.science, digest);
    if (strcmp(digest, t->facts.digest) != 0)
        status = cop_fail(COP_E_FORMAT, "%s does not have the digest that it states", path);
done:
    if (status != COP_OK) {
        cop_trained_destroy(t);
        t = NULL;
    }
    *out = t;
    return status;
}

void cop_trained_destroy(cop_trained *t) {
    if (!t) return;
    cop_rbm_destroy(t->training.rbm);
    cop_live_destroy(t->training.net);
    cop_model_destroy(t->training.front);
    cop_free(t->training.core);
    cop_free(t->training.history);
    cop_training_file_clear(&t->facts);
    cop_conf_destroy(t->conf);
    cop_free(t->task);
    cop_free(t);
}

cop_status cop_trained_fits(const cop_trained *t, const cop_dataset *set, const char *task) {
    const cop_live_settings *s = &t->training.net->settings;
    const size_t features = cop_live_features(t->training.net);
    if (cop_dataset_features(set) != features)
        return cop_fail(COP_E_CONFIG, "[task.%s] has samples of %zu numbers, the network takes %zu",
                        task, cop_dataset_features(set), features);
    if (s->front && (set->channels != s->front->input.channels ||
                     set->height != s->front->input.height || set->width != s->front->input.width))
        return cop_fail(
            COP_E_CONFIG,
            "[task.%s] has samples of %zux%zux%zu numbers, the network takes %zux%zux%zu", task,
            set->channels, set->height, set->width, s->front->input.channels,
            s->front->input.height, s->front->input.width);
    if ((size_t)set->classes > s->width[s->layers])
        return cop_fail(COP_E_CONFIG, "[task.%s] has %d classes, the network only %zu outputs",
                        task, (int)set->classes, s->width[s->layers]);
    if (set->samples == 0) return cop_fail(COP_E_CONFIG, "[task.%s] has no samples", task);
    return COP_OK;
}

void cop_trained_classify(const cop_trained *t, const cop_dataset *set, uint16_t *predicted,
                          size_t *correct, double *loss) {
    cop_live_net *net = t->training.net;
    const size_t features = cop_dataset_features(set), batch = net->settings.batch;
    const float **rows = cop_alloc(batch, sizeof *rows);
    *correct = 0;
    *loss = 0;
    for (size_t at = 0; at < set->samples; at += batch) {
        const size_t n = set->samples - at < batch ? set->samples - at : batch;
        size_t right;
        for (size_t i = 0; i < n; i++) rows[i] = set->x + (at + i) * features;
        cop_live_forward(net, rows, n, NULL);
        *loss += cop_live_loss(net, set->label + at, 0, &right, predicted + at);
        *correct += right;
    }
    cop_free(rows);
}
