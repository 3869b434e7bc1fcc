#include "network_store.h"

#include <math.h>
#include <string.h>

#define SPEC_MAX ((size_t)1 << 16) /* characters of a spec worth parsing */

/* Axes of the weights as PyTorch has them: (out, in) or (out, in, height, width); returns the rank.
 */
static int weight_axes(const cop_layer *layer, size_t dims[4]) {
    dims[0] = layer->weights / layer->fan_in;
    dims[1] = layer->fan_in;
    if (layer->kind != COP_LAYER_CONV2D) return 2;
    dims[1] = layer->fan_in / (layer->kernel * layer->kernel);
    dims[2] = dims[3] = layer->kernel;
    return 4;
}

static cop_status check_finite(const float *values, size_t count, const char *place) {
    for (size_t k = 0; k < count; k++)
        if (!isfinite(values[k]))
            return cop_fail(COP_E_FORMAT, "%s: number %zu is %g; a network's must be finite", place,
                            k, (double)values[k]);
    return COP_OK;
}

static cop_status put_layer(cop_h5 *file, const char *group, const cop_layer *layer,
                            const cop_params *params) {
    static const char *const conv_axes[4] = {"output_channel", "input_channel", "height", "width"};
    static const char *const dense_axes[2] = {"output", "input"};
    char *weight = cop_sprintf("%s/%s/weight", group, layer->name);
    char *bias = cop_sprintf("%s/%s/bias", group, layer->name);
    const float *w = params->w + layer->weight_begin, *b = params->b + layer->bias_begin;
    size_t dims[4];
    int rank = weight_axes(layer, dims);
    const char *const *axes = rank == 4 ? conv_axes : dense_axes;
    cop_status status = COP_OK;
    COP_GO(check_finite(w, layer->weights, weight));
    COP_GO(check_finite(b, layer->biases, bias));
    COP_GO(cop_h5_write(file, weight, COP_H5_F32, rank, dims, w));
    COP_GO(cop_h5_describe(file, weight, "weights, axes in the order of PyTorch", "1"));
    for (int axis = 0; axis < rank; axis++)
        COP_GO(cop_h5_label_axis(file, weight, axis, axes[axis]));
    COP_GO(cop_h5_attr_i64(file, weight, "first_edge", (int64_t)layer->weight_begin));
    if (layer->biases) {
        COP_GO(cop_h5_write(file, bias, COP_H5_F32, 1, &layer->biases, b));
        COP_GO(cop_h5_describe(file, bias, "biases", "1"));
        COP_GO(cop_h5_label_axis(file, bias, 0, axes[0]));
    }
done:
    cop_free(weight);
    cop_free(bias);
    return status;
}

cop_status cop_network_put(cop_h5 *file, const char *group, const cop_model *model,
                           const cop_params *params) {
    COP_ASSERT(params->weights == model->weights && params->biases == model->biases);
    COP_TRY(cop_h5_attr_text(file, group, "spec", model->spec));
    COP_TRY(cop_h5_attr_i64(file, group, "edges", (int64_t)model->weights));
    for (size_t k = 0; k < model->count; k++)
        if (model->layers[k].weights) COP_TRY(put_layer(file, group, &model->layers[k], params));
    return COP_OK;
}

/* ------------------------------------------------------------------ reading */

static cop_status parse_spec(cop_h5 *file, const char *group, cop_model **model) {
    char *spec = NULL;
    cop_status status = COP_OK;
    COP_GO(cop_h5_get_text(file, group, "spec", &spec));
    char *colon = strchr(spec, ':');
    if (!colon || strlen(spec) > SPEC_MAX)
        COP_GO(cop_fail(COP_E_FORMAT,
                        "'%s': its spec is not \"INPUT: LAYERS\" of at most %zu characters", group,
                        SPEC_MAX));
    *colon = '\0';
    /* what a spec asks for is bounded by cop_model_create, which takes memory for layers only */
    if (cop_model_create(model, spec, colon + 1) != COP_OK)
        status = cop_fail_prefix(COP_E_FORMAT, "'%s': spec", group);
done:
    cop_free(spec);
    return status;
}

/* Checks (@p params NULL) or reads the datasets of a layer. */
static cop_status take_layer(cop_h5 *file, const char *group, const cop_layer *layer,
                             cop_params *params) {
    char *weight = cop_sprintf("%s/%s/weight", group, layer->name);
    char *bias = cop_sprintf("%s/%s/bias", group, layer->name);
    size_t dims[4];
    int rank = weight_axes(layer, dims);
    cop_status status = COP_OK;
    if (!params) {
        COP_GO(cop_h5_expect(file, weight, COP_H5_F32, rank, dims));
        if (layer->biases) COP_GO(cop_h5_expect(file, bias, COP_H5_F32, 1, &layer->biases));
    } else {
        float *w = params->w + layer->weight_begin, *b = params->b + layer->bias_begin;
        COP_GO(cop_h5_read_into(file, weight, COP_H5_F32, rank, dims, w));
        COP_GO(check_finite(w, layer->weights, weight));
        if (layer->biases) COP_GO(cop_h5_read_into(file, bias, COP_H5_F32, 1, &layer->biases, b));
        COP_GO(check_finite(b, layer->biases, bias));
    }
done:
    cop_free(weight);
    cop_free(bias);
    return status;
}

cop_status cop_network_take(cop_h5 *file, const char *group, cop_model **model,
                            cop_params *params) {
    cop_status status = COP_OK;
    cop_model *made = NULL;
    *model = NULL;
    *params = (cop_params){0};
    COP_GO(parse_spec(file, group, &made));
    for (size_t k = 0; k < made->count; k++)
        if (made->layers[k].weights) COP_GO(take_layer(file, group, &made->layers[k], NULL));
    COP_GO(cop_memory_ask(group, made->weights + made->biases, sizeof(float)));
    cop_params_init(params, made);
    for (size_t k = 0; k < made->count; k++)
        if (made->layers[k].weights) COP_GO(take_layer(file, group, &made->layers[k], params));
    *model = made;
    made = NULL;
done:
    if (status != COP_OK) cop_params_clear(params);
    cop_model_destroy(made);
    return status;
}

/* ------------------------------------------------------------------ masks */

size_t cop_mask_bytes(size_t bits) {
    return bits / 8 + (bits % 8 != 0);
}

void cop_mask_to_bytes(const cop_mask *mask, unsigned char *bytes) {
    for (size_t k = 0; k < cop_mask_bytes(mask->bits); k++)
        bytes[k] = (unsigned char)(mask->words[k / 8] >> 8 * (k % 8));
}

bool cop_mask_from_bytes(cop_mask *mask, const unsigned char *bytes) {
    size_t count = cop_mask_bytes(mask->bits);
    if (mask->bits % 8 && bytes[count - 1] >> mask->bits % 8) return false;
    memset(mask->words, 0, cop_mask_words(mask->bits) * sizeof *mask->words);
    for (size_t k = 0; k < count; k++) mask->words[k / 8] |= (uint64_t)bytes[k] << 8 * (k % 8);
    return true;
}
