#include <string.h>

#include "coppice/report.h"

const char *cop_weighting_name(cop_weighting_kind kind) {
    static const char *const names[] = {"trained", "signed", "positive"};
    COP_ASSERT(kind <= COP_WEIGHTS_POSITIVE);
    return names[kind];
}

static json_t *shape(cop_shape s) {
    json_t *numbers = json_array();
    const size_t sizes[] = {s.channels, s.height, s.width};
    for (size_t i = 0; i < 3; i++) json_array_append_new(numbers, cop_json_id(sizes[i]));
    return numbers;
}

static double share(uint64_t part, uint64_t whole) {
    return whole ? (double)part / (double)whole : 1.0;
}

/* Bytes of one layer's live edges in compressed rows: a float and a 32-bit column each, row starts.
 */
static uint64_t sparse_bytes(const cop_layer *layer, uint64_t live) {
    return layer->fan_in ? 8 * live + 4 * (layer->weights / layer->fan_in + 1) : 0;
}

static json_t *describe_layer(const cop_layer *layer, const char *word, const cop_mask *mask,
                              uint64_t *sparse) {
    uint64_t live =
        cop_mask_count_range(mask, layer->weight_begin, layer->weight_begin + layer->weights);
    json_t *out = json_object();
    json_object_set_new(out, "name", json_string(layer->name));
    json_object_set_new(out, "layer", json_string(word));
    json_object_set_new(out, "in", shape(layer->in));
    json_object_set_new(out, "out", shape(layer->out));
    if (layer->weights == 0) return out;
    json_object_set_new(out, "weights", cop_json_id(layer->weights));
    json_object_set_new(out, "biases", cop_json_id(layer->biases));
    json_object_set_new(out, "edges", cop_json_id(live));
    json_object_set_new(out, "density", cop_json_real(share(live, layer->weights)));
    json_object_set_new(out, "density_asked", json_null());
    json_object_set_new(out, "macs", cop_json_id(live * cop_layer_uses(layer)));
    json_object_set_new(out, "macs_dense", cop_json_id(layer->weights * cop_layer_uses(layer)));
    *sparse += sparse_bytes(layer, live);
    return out;
}

json_t *cop_describe_network(const cop_network *network) {
    const cop_model *model = network->model;
    uint64_t live = cop_mask_count(&network->mask), sparse = 4 * model->biases;
    json_t *out = json_object(), *layers = json_array(), *values = json_array();
    const char *colon = strchr(model->spec, ':');
    cop_list words = {0};
    cop_list_split(&words, colon ? colon + 1 : model->spec, " ");
    for (size_t l = 0; l < model->count; l++) {
        const char *word = l < words.count ? words.items[l] : "";
        const char *is = strchr(word, '=');
        json_array_append_new(
            layers, describe_layer(&model->layers[l], is ? is + 1 : word, &network->mask, &sparse));
    }
    cop_list_clear(&words);
    for (size_t v = 0; v < network->weighting.values; v++)
        json_array_append_new(values, cop_json_real(network->weighting.value[v]));
    bool trained = network->weighting.kind == COP_WEIGHTS_TRAINED;
    if (trained) json_array_clear(values);
    json_object_set_new(out, "id", cop_json_id(network->id));
    json_object_set_new(out, "spec", json_string(model->spec));
    json_object_set_new(out, "input", shape(model->input));
    json_object_set_new(out, "classes", cop_json_id(model->classes));
    json_object_set_new(out, "weighting", json_string(cop_weighting_name(network->weighting.kind)));
    json_object_set_new(out, "values", values);
    json_object_set_new(out, "weights", cop_json_id(model->weights));
    json_object_set_new(out, "biases", cop_json_id(model->biases));
    json_object_set_new(out, "edges", cop_json_id(live));
    json_object_set_new(out, "density", cop_json_real(share(live, model->weights)));
    json_object_set_new(out, "density_asked", json_null());
    json_object_set_new(out, "macs", cop_json_id(cop_model_macs(model, &network->mask)));
    json_object_set_new(out, "macs_dense", cop_json_id(cop_model_macs(model, NULL)));
    json_object_set_new(out, "bytes_dense",
                        cop_json_id(4 * ((uint64_t)model->weights + model->biases)));
    json_object_set_new(out, "bytes_sparse", cop_json_id(sparse));
    json_object_set_new(out, "bytes_mask", cop_json_id((model->weights + 7) / 8));
    json_object_set_new(out, "layers", layers);
    return out;
}
