/* The forward pass, layer by layer over the whole batch. Every output is kept: the backward pass
 * and the similarity measure read them. */
#include "coppice/la.h"
#include "work.h"

/* Sizes of the workspace's parts, for its creation and for the estimate of its memory. */
static size_t output_floats(const cop_layer *layer, size_t batch, bool training) {
    bool never = training ? cop_layer_passes(layer, true) : cop_layer_passes(layer, false);
    return never ? 0 : batch * cop_shape_size(layer->out);
}

static size_t memo_bytes(const cop_layer *layer, size_t batch, bool training) {
    const cop_layer_op *op = cop_layer_op_of(layer, NULL);
    return training && op->memo ? op->memo(layer, batch) : 0;
}

static size_t scratch_floats(const cop_model *model) {
    size_t most = 0;
    for (size_t i = 0; i < model->count; i++) {
        const cop_layer_op *op = cop_layer_op_of(&model->layers[i], NULL);
        size_t wanted = op->scratch ? op->scratch(&model->layers[i]) : 0;
        if (wanted > most) most = wanted;
    }
    return most;
}

cop_net_work *cop_net_work_create(const cop_model *model, size_t batch, bool training) {
    COP_ASSERT(batch > 0);
    cop_blas_one_thread();
    cop_net_work *work = COP_NEW(cop_net_work);
    work->model = model;
    work->batch = batch;
    work->training = training;
    work->buffer = COP_NEW_ARRAY(float *, model->count);
    work->memo = COP_NEW_ARRAY(void *, model->count);
    work->out = COP_NEW_ARRAY(const float *, model->count);
    for (size_t i = 0; i < model->count; i++) {
        size_t floats = output_floats(&model->layers[i], batch, training);
        size_t bytes = memo_bytes(&model->layers[i], batch, training);
        if (floats) work->buffer[i] = COP_NEW_ARRAY(float, floats);
        if (bytes) work->memo[i] = cop_alloc(bytes, 1);
    }
    work->scratch = COP_NEW_ARRAY(float, scratch_floats(model));
    if (training) {
        for (size_t i = 0; i < 2; i++)
            work->gradient[i] = COP_NEW_ARRAY(float, batch * model->widest);
        work->dlogits = COP_NEW_ARRAY(float, batch * model->classes);
    }
    return work;
}

size_t cop_net_work_bytes(const cop_model *model, size_t batch, bool training) {
    size_t floats = scratch_floats(model), bytes = sizeof(cop_net_work);
    for (size_t i = 0; i < model->count; i++) {
        floats += output_floats(&model->layers[i], batch, training);
        bytes += memo_bytes(&model->layers[i], batch, training) + 3 * sizeof(void *);
    }
    if (training) floats += batch * (2 * model->widest + model->classes);
    return bytes + floats * sizeof(float);
}

void cop_net_work_destroy(cop_net_work *work) {
    if (!work) return;
    for (size_t i = 0; i < work->model->count; i++) {
        cop_free(work->buffer[i]);
        cop_free(work->memo[i]);
    }
    cop_free(work->buffer);
    cop_free(work->memo);
    cop_free(work->out);
    cop_free(work->scratch);
    cop_free(work->gradient[0]);
    cop_free(work->gradient[1]);
    cop_free(work->dlogits);
    cop_free(work);
}

const float *cop_net_forward(cop_net_work *work, const cop_params *params, const float *x, size_t n,
                             const cop_dropout_key *key) {
    COP_ASSERT(n <= work->batch && (!key || work->training));
    work->x = x;
    work->n = n;
    work->dropped = key != NULL;
    work->ready = false;
    for (size_t i = 0; i < work->model->count; i++) {
        const cop_layer *layer = &work->model->layers[i];
        const float *in = i ? work->out[i - 1] : x;
        if (cop_layer_passes(layer, work->dropped)) {
            work->out[i] = in;
            continue;
        }
        work->out[i] = work->buffer[i];
        cop_layer_op_of(layer, NULL)
            ->forward(&(cop_layer_pass){.layer = layer,
                                        .index = i,
                                        .n = n,
                                        .x = in,
                                        .y = work->buffer[i],
                                        .w = params->w + layer->weight_begin,
                                        .b = params->b + layer->bias_begin,
                                        .memo = work->memo[i],
                                        .scratch = work->scratch,
                                        .key = key});
    }
    return work->out[work->model->count - 1];
}

const float *cop_net_output(const cop_net_work *work, size_t layer) {
    COP_ASSERT(layer < work->model->count);
    return work->out[layer];
}

void cop_net_score(const cop_model *model, const cop_params *params, const cop_dataset *set,
                   double *accuracy, double *loss) {
    enum { BATCH = 100 };
    const size_t features = cop_shape_size(model->input);
    size_t hits = 0;
    double sum = 0.0;
    COP_ASSERT(cop_dataset_features(set) == features);
    cop_net_work *work = cop_net_work_create(model, BATCH, false);
    cop_net_head(work, set->head);
    for (size_t begin = 0; begin < set->samples; begin += BATCH) {
        size_t left = set->samples - begin, n = left < BATCH ? left : BATCH, correct;
        cop_net_forward(work, params, set->x + begin * features, n, NULL);
        sum += (double)n * cop_net_loss(work, set->label + begin, n, &correct);
        hits += correct;
    }
    cop_net_work_destroy(work);
    if (accuracy) *accuracy = set->samples ? (double)hits / (double)set->samples : 0.0;
    if (loss) *loss = set->samples ? sum / (double)set->samples : 0.0;
}
