/* Networks from safetensors files: a JSON header that names tensors, and their bytes.
 *
 *   8 bytes      length of the header, little endian
 *   header       {"NAME": {"dtype": "F32", "shape": [out, in], "data_offsets": [begin, end]}, ...}
 *   the rest     the tensors; offsets count from here
 *
 * Tensors have PyTorch's axis order, which is ours. */
#include "coppice/io.h"
#include "coppice/net.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MOST = 16 << 20 };
#define FILE_MOST ((size_t)1 << 31)

/* One `PREFIX.weight` and its `PREFIX.bias`. */
typedef struct pair {
    const char *name; /* of the weight, borrowed from the header */
    size_t prefix;    /* its length without ".weight" */
} pair;

typedef struct file {
    const char *path;
    cop_buf bytes;
    const unsigned char *data;
    size_t length; /* of data */
    json_t *header;
    pair *pairs;
    size_t count;
} file;

static void file_clear(file *f) {
    cop_buf_clear(&f->bytes);
    json_decref(f->header);
    cop_free(f->pairs);
}

/* As people count: net.2 before net.10. */
static int natural(const char *a, const char *b) {
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            while (*a == '0') a++;
            while (*b == '0') b++;
            size_t m = strspn(a, "0123456789"), n = strspn(b, "0123456789");
            int order = m != n ? (m > n) - (m < n) : strncmp(a, b, m);
            if (order) return order;
            a += m;
            b += n;
        } else {
            if (*a != *b) return (unsigned char)*a - (unsigned char)*b;
            a++, b++;
        }
    }
    return (*a != 0) - (*b != 0);
}

static int by_name(const void *a, const void *b) {
    const pair *x = a, *y = b;
    int order = natural(x->name, y->name);
    return order ? order : strcmp(x->name, y->name);
}

static cop_status open_file(file *f, const char *path) {
    *f = (file){.path = path};
    json_error_t error;
    uint64_t header = 0;
    COP_TRY(cop_read_file(path, FILE_MOST, &f->bytes));
    const unsigned char *bytes = f->bytes.data;
    if (f->bytes.length < 8)
        return cop_fail(COP_E_FORMAT, "%s: no safetensors file: it has %zu bytes", path,
                        f->bytes.length);
    for (size_t i = 8; i-- > 0;) header = header << 8 | bytes[i];
    if (header > HEADER_MOST || header > f->bytes.length - 8)
        return cop_fail(COP_E_FORMAT,
                        "%s: no safetensors file, or cut short: a header of %llu bytes is stated, "
                        "%zu follow",
                        path, (unsigned long long)header, f->bytes.length - 8);
    f->header = json_loadb((const char *)bytes + 8, (size_t)header, JSON_REJECT_DUPLICATES, &error);
    if (!f->header || !json_is_object(f->header))
        return cop_fail(COP_E_FORMAT, "%s: the header of this safetensors file is no JSON object",
                        path);
    f->data = bytes + 8 + header;
    f->length = f->bytes.length - 8 - (size_t)header;
    return COP_OK;
}

static void list_pairs(file *f) {
    const char *name;
    json_t *entry;
    f->pairs = COP_NEW_ARRAY(pair, json_object_size(f->header));
    json_object_foreach(f->header, name, entry) {
        size_t length = strlen(name);
        if (length < 8 || strcmp(name + length - 7, ".weight") != 0) continue;
        f->pairs[f->count++] = (pair){name, length - 7};
    }
    qsort(f->pairs, f->count, sizeof *f->pairs, by_name);
}

static void say_shape(const json_t *shape, cop_buf *text) {
    for (size_t i = 0; i < json_array_size(shape) && i < 6; i++)
        cop_buf_printf(text, "%s%lld", i ? "x" : "",
                       (long long)json_integer_value(json_array_get(shape, i)));
}

/* The bytes of a tensor that must have these sizes and a type of @p size bytes. */
static cop_status find(const file *f, const char *name, const size_t *wanted, size_t axes,
                       const unsigned char **bytes, size_t *size) {
    const json_t *entry = json_object_get(f->header, name);
    const json_t *shape = json_object_get(entry, "shape"),
                 *at = json_object_get(entry, "data_offsets");
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    size_t count = 1;
    bool same = json_array_size(shape) == axes;
    if (!entry) return cop_fail(COP_E_FORMAT, "%s: there is no tensor %.100s", f->path, name);
    for (size_t i = 0; i < axes; i++) {
        same = same && json_integer_value(json_array_get(shape, i)) == (json_int_t)wanted[i];
        count *= wanted[i]; /* the model's own sizes, which are bounded */
    }
    if (!same) {
        cop_buf text = {0};
        cop_buf_printf(&text, "%s: tensor %.100s is ", f->path, name);
        say_shape(shape, &text);
        cop_buf_printf(&text, ", [network] wants ");
        for (size_t i = 0; i < axes; i++) cop_buf_printf(&text, "%s%zu", i ? "x" : "", wanted[i]);
        cop_status status = cop_fail(COP_E_FORMAT, "%s", cop_buf_text(&text));
        cop_buf_clear(&text);
        return status;
    }
    *size = type && strcmp(type, "F32") == 0 ? 4 : type && strcmp(type, "F64") == 0 ? 8 : 0;
    if (*size == 0)
        return cop_fail(COP_E_FORMAT, "%s: tensor %.100s is of type %.20s; F32 and F64 are read",
                        f->path, name, type ? type : "(none)");
    const json_t *first = json_array_get(at, 0), *last = json_array_get(at, 1);
    json_int_t begin = json_integer_value(first), end = json_integer_value(last);
    if (json_array_size(at) != 2 || !json_is_integer(first) || !json_is_integer(last) ||
        begin < 0 || end < begin || (uint64_t)end > f->length ||
        (uint64_t)(end - begin) != (uint64_t)count * *size)
        return cop_fail(COP_E_FORMAT,
                        "%s: tensor %.100s does not lie inside the file or has another length than "
                        "its shape says",
                        f->path, name);
    *bytes = f->data + begin;
    return COP_OK;
}

static cop_status take(const file *f, const char *name, const size_t *shape, size_t axes,
                       float *to) {
    const unsigned char *bytes = NULL;
    size_t size = 0, count = 1;
    COP_TRY(find(f, name, shape, axes, &bytes, &size));
    for (size_t i = 0; i < axes; i++) count *= shape[i];
    for (size_t i = 0; i < count; i++, bytes += size) {
        uint64_t word = 0;
        for (size_t b = size; b-- > 0;) word = word << 8 | bytes[b];
        if (size == 4) {
            uint32_t half = (uint32_t)word;
            memcpy(&to[i], &half, sizeof half);
        } else {
            double value;
            memcpy(&value, &word, sizeof word);
            to[i] = (float)value;
        }
        if (to[i] - to[i] != 0)
            return cop_fail(COP_E_FORMAT, "%s: number %zu of tensor %.100s is not finite", f->path,
                            i, name);
    }
    return COP_OK;
}

/* By the layers' names if all of them are there, else one after the other. */
static char *weight_name(const file *f, const cop_layer *layer, size_t k, bool named) {
    if (named) return cop_sprintf("%s.weight", layer->name);
    return cop_strdup(f->pairs[k].name);
}

static bool has_names(const file *f, const cop_model *model) {
    bool all = true;
    for (size_t i = 0; i < model->count && all; i++) {
        char *name = cop_sprintf("%s.weight", model->layers[i].name);
        all = !model->layers[i].weights || json_object_get(f->header, name);
        cop_free(name);
    }
    return all;
}

static cop_status take_layers(const file *f, const cop_model *model, cop_params *params) {
    const bool named = has_names(f, model);
    size_t weighted = 0, k = 0;
    for (size_t i = 0; i < model->count; i++) weighted += model->layers[i].weights > 0;
    if (!named && f->count != weighted)
        return cop_fail(COP_E_FORMAT,
                        "%s has %zu tensors named *.weight, [network] has %zu layers with weights: "
                        "name the layers as the tensors are named (NAME.weight, NAME.bias)",
                        f->path, f->count, weighted);
    for (size_t i = 0; i < model->count; i++) {
        const cop_layer *layer = &model->layers[i];
        if (!layer->weights) continue;
        const size_t kernel = layer->kernel, flat[2] = {layer->biases, layer->fan_in};
        const size_t image[4] = {layer->biases, layer->in.channels, kernel, kernel};
        const bool conv = layer->kind == COP_LAYER_CONV2D;
        char *weight = weight_name(f, layer, k++, named);
        char *bias = cop_sprintf("%.*s.bias", (int)(strlen(weight) - 7), weight);
        cop_status status =
            take(f, weight, conv ? image : flat, conv ? 4 : 2, params->w + layer->weight_begin);
        if (status == COP_OK) status = take(f, bias, flat, 1, params->b + layer->bias_begin);
        cop_free(weight);
        cop_free(bias);
        COP_TRY(status);
    }
    return COP_OK;
}

cop_status cop_network_import(cop_params *params, const cop_model *model, const char *path) {
    file f = {0};
    cop_status status = open_file(&f, path);
    if (status == COP_OK) {
        list_pairs(&f);
        status = take_layers(&f, model, params);
    }
    file_clear(&f);
    return status;
}
