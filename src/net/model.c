/* Networks from text: the input's shape and a list of layers, each checked against the one before.
 */
#include "layer.h"

#include <string.h>

#define COP_WORD_MAX 200
#define COP_WEIGHTS_MAX ((size_t)1 << 31)
#define COP_CLASSES_MAX 65535 /* predictions are stored as 16-bit numbers */

/** One layer as written: [name=]word[(argument, ...)]. */
typedef struct layer_text {
    char name[COP_NAME_MAX], word[COP_NAME_MAX];
    double args[COP_LAYER_ARGS];
    size_t count;
} layer_text;

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
static bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static bool digit(char c) {
    return c >= '0' && c <= '9';
}

/** The first characters of hostile text, made printable; into @p out (48 bytes). */
static const char *shown(const char *text, size_t length, char out[48]) {
    size_t used = 0;
    while (used < length && used < 40) {
        char c = text[used];
        out[used++] = c < ' ' || c > '~' ? '?' : c;
    }
    memcpy(out + used, used < length ? "..." : "\0\0\0", 4);
    return out;
}

static cop_status parse_identifier(const char **at, char out[COP_NAME_MAX], const char *what) {
    size_t length = 0;
    const char *start = *at;
    while (letter(**at) || (length && (digit(**at) || strchr("_-.", **at)) && **at)) {
        if (++length >= COP_NAME_MAX)
            return cop_fail(COP_E_CONFIG, "the %s is longer than %d characters", what,
                            COP_NAME_MAX - 1);
        ++*at;
    }
    if (!length)
        return cop_fail(COP_E_CONFIG,
                        "the %s must begin with a letter and have letters, digits, '_', '-', '.' "
                        "only",
                        what);
    memcpy(out, start, length);
    out[length] = 0;
    return COP_OK;
}

static cop_status parse_arguments(const char *at, layer_text *layer) {
    const char *end = strchr(at, ')');
    if (!end) return cop_fail(COP_E_CONFIG, "')' is missing");
    if (end[1]) return cop_fail(COP_E_CONFIG, "nothing may follow ')'; separate layers by blanks");
    while (at <= end) {
        size_t length = strcspn(at, ",)");
        const char *next = at + length + 1;
        while (length && blank(*at)) at++, length--;
        while (length && blank(at[length - 1])) length--;
        char number[32] = "", view[48];
        if (length && length < sizeof number) memcpy(number, at, length);
        if (layer->count == COP_LAYER_ARGS)
            return cop_fail(COP_E_CONFIG, "more than %d arguments", COP_LAYER_ARGS);
        if (!cop_parse_double(number, &layer->args[layer->count++]))
            return cop_fail(COP_E_CONFIG, "argument %zu is \"%s\", wanted a number", layer->count,
                            shown(at, length, view));
        at = next;
    }
    return COP_OK;
}

static cop_status parse_layer(const char *text, layer_text *layer) {
    memset(layer, 0, sizeof *layer);
    const char *at = text;
    if (strchr(text, '=') && strchr(text, '=') < text + strcspn(text, "(")) {
        COP_TRY(parse_identifier(&at, layer->name, "name"));
        if (*at != '=')
            return cop_fail(COP_E_CONFIG, "wanted '=' after the name \"%s\"", layer->name);
        at++;
    }
    COP_TRY(parse_identifier(&at, layer->word, "layer"));
    if (*at == '(') return parse_arguments(at + 1, layer);
    if (*at) {
        char view[48];
        return cop_fail(COP_E_CONFIG, "\"%s\" after \"%s\", wanted '(' or a blank",
                        shown(at, strlen(at), view), layer->word);
    }
    return COP_OK;
}

static cop_status unknown_layer(const char *word) {
    size_t count;
    const cop_layer_info *infos = cop_layer_infos(&count);
    const char *words[64];
    COP_ASSERT(count <= 64);
    for (size_t i = 0; i < count; i++) words[i] = infos[i].word;
    const char *near = cop_nearest(word, words, count);
    return cop_fail(COP_E_CONFIG, "there is no layer \"%s\"%s%s%s", word,
                    near ? "; did you mean \"" : "; `coppice list layers` shows all",
                    near ? near : "", near ? "\"?" : "");
}

/** The kind of layer that is asked for, with as many arguments as it takes. */
static cop_status find_layer(const layer_text *text, const cop_layer_op **op) {
    const cop_layer_info *info;
    *op = cop_layer_op_find(text->word, &info);
    if (!*op) return unknown_layer(text->word);
    if (text->count < (*op)->fewest || text->count > (*op)->most)
        return cop_fail(COP_E_CONFIG, "%zu argument%s, wanted %s%s", text->count,
                        text->count == 1 ? "" : "s", info->word,
                        *info->arguments ? info->arguments : " without any");
    return COP_OK;
}

/** Fill in the layer behind what the model has so far. */
static cop_status add_layer(cop_model *model, const layer_text *text, cop_shape in) {
    const cop_layer_op *op;
    COP_TRY(find_layer(text, &op));
    cop_layer *layer = &model->layers[model->count];
    *layer = (cop_layer){.kind = op->kind,
                         .activation = op->activation,
                         .in = in,
                         .out = in,
                         .weight_begin = model->weights,
                         .bias_begin = model->biases};
    if (*text->name) {
        snprintf(layer->name, sizeof layer->name, "%s", text->name);
    } else {
        size_t same = 1; /* its number among the layers of its word */
        for (size_t i = 0; i < model->count; i++)
            same += cop_layer_op_of(&model->layers[i], NULL) == op;
        snprintf(layer->name, sizeof layer->name, "%s%zu", op->prefix, same);
    }
    if (cop_model_find(model, layer->name) >= 0)
        return cop_fail(COP_E_CONFIG, "the name \"%s\" is taken by layer %ld; choose another",
                        layer->name, cop_model_find(model, layer->name) + 1);
    if (op->shape) COP_TRY(op->shape(layer, text->args, text->count));
    /* channels <= 2^28 and image <= 2^56 values by the bounds of the layers: check before
     * multiplying */
    size_t image = layer->out.height * layer->out.width;
    if (image > COP_LAYER_SIZE_MAX || layer->out.channels > COP_LAYER_SIZE_MAX / image)
        return cop_fail(COP_E_CONFIG, "an output of %zux%zux%zu is larger than %u numbers",
                        layer->out.channels, layer->out.height, layer->out.width,
                        COP_LAYER_SIZE_MAX);
    model->weights += layer->weights;
    model->biases += layer->biases;
    if (model->weights > COP_WEIGHTS_MAX || model->biases > COP_WEIGHTS_MAX)
        return cop_fail(COP_E_CONFIG, "with it the network has %zu weights, the most is %zu",
                        model->weights, COP_WEIGHTS_MAX);
    size_t size = cop_shape_size(layer->out);
    if (size > model->widest) model->widest = size;
    model->count++;
    return COP_OK;
}

cop_status cop_model_parse_input(const char *text, cop_shape *shape) {
    cop_list parts = {0};
    cop_status status = COP_OK;
    char view[48];
    size_t sizes[3] = {1, 1, 1};
    cop_list_split(&parts, text, "x");
    bool good = parts.count == 1 || parts.count == 3;
    /* list splitting drops empty parts, so count the separators too */
    size_t crosses = 0;
    for (const char *c = text; *c; c++) crosses += *c == 'x';
    good = good && crosses + 1 == parts.count;
    for (size_t i = 0; good && i < parts.count; i++) {
        uint64_t value;
        good = cop_parse_u64(parts.items[i], &value) && value >= 1 && value <= COP_LAYER_SIZE_MAX;
        if (good) sizes[i] = (size_t)value;
    }
    if (!good)
        COP_GO(cop_fail(COP_E_CONFIG,
                        "\"%s\": wanted channels x height x width such as 1x28x28, or one "
                        "number of features such as 500",
                        shown(text, strlen(text), view)));
    if (sizes[1] > COP_LAYER_SIZE_MAX / sizes[0] ||
        sizes[2] > COP_LAYER_SIZE_MAX / (sizes[0] * sizes[1]))
        COP_GO(cop_fail(COP_E_CONFIG, "\"%s\" is larger than %u numbers",
                        shown(text, strlen(text), view), COP_LAYER_SIZE_MAX));
    *shape = (cop_shape){sizes[0], sizes[1], sizes[2]};
done:
    cop_list_clear(&parts);
    return status;
}

/** The next layer's text into @p word: up to a blank outside parentheses. False at the end. */
static cop_status next_word(const char **at, char word[COP_WORD_MAX], bool *found) {
    while (blank(**at)) ++*at;
    size_t length = 0;
    bool inside = false;
    const char *start = *at;
    while (start[length] && (inside || !blank(start[length]))) {
        if (start[length] == '(') inside = true;
        if (start[length] == ')') inside = false;
        length++;
    }
    *found = length > 0;
    *at = start + length;
    if (length >= COP_WORD_MAX) {
        char view[48];
        return cop_fail(COP_E_CONFIG, "\"%s\": longer than %d characters",
                        shown(start, length, view), COP_WORD_MAX - 1);
    }
    memcpy(word, start, length);
    word[length] = 0;
    return COP_OK;
}

static cop_status parse_layers(cop_model *model, const char *layers) {
    size_t room = 0;
    for (;;) {
        char word[COP_WORD_MAX], view[48];
        bool found;
        layer_text text;
        cop_status status = next_word(&layers, word, &found);
        if (status) return cop_fail_prefix(status, "layer %zu", model->count + 1);
        if (!found) return COP_OK;
        if (model->count == COP_MODEL_LAYERS_MAX)
            return cop_fail(COP_E_CONFIG, "more than %d layers", COP_MODEL_LAYERS_MAX);
        if (model->count == room) {
            model->layers = cop_realloc(model->layers, room, room + 16, sizeof *model->layers);
            room += 16;
        }
        status = parse_layer(word, &text);
        if (!status)
            status = add_layer(model, &text,
                               model->count ? model->layers[model->count - 1].out : model->input);
        if (status)
            return cop_fail_prefix(status, "layer %zu \"%s\"", model->count + 1,
                                   shown(word, strlen(word), view));
    }
}

/** The last weighted layer gives the logits. */
static cop_status check_output(cop_model *model) {
    size_t last = model->count;
    for (size_t i = 0; i < model->count; i++)
        if (model->layers[i].weights) last = i;
    if (last == model->count)
        return cop_fail(COP_E_CONFIG, "no layer has weights: end with dense(number of classes)");
    for (size_t i = last + 1; i < model->count; i++)
        if (model->layers[i].kind != COP_LAYER_FLATTEN)
            return cop_fail(COP_E_CONFIG,
                            "layer %zu \"%s\" stands behind \"%s\", which gives the class scores; "
                            "only flatten may follow it (softmax is part of the loss)",
                            i + 1, model->layers[i].name, model->layers[last].name);
    model->classes = cop_shape_size(model->layers[last].out);
    if (model->classes < 2 || model->classes > COP_CLASSES_MAX)
        return cop_fail(COP_E_CONFIG, "layer %zu \"%s\" gives %zu classes, wanted 2 to %d",
                        last + 1, model->layers[last].name, model->classes, COP_CLASSES_MAX);
    return COP_OK;
}

static void write_spec(cop_model *model) {
    cop_buf text = {0};
    cop_buf_printf(&text, "%zu", model->input.channels);
    if (model->input.height != 1 || model->input.width != 1)
        cop_buf_printf(&text, "x%zux%zu", model->input.height, model->input.width);
    cop_buf_printf(&text, ":");
    for (size_t i = 0; i < model->count; i++) {
        const cop_layer_info *info;
        const cop_layer_op *op = cop_layer_op_of(&model->layers[i], &info);
        cop_buf_printf(&text, " %s=%s", model->layers[i].name, info->word);
        if (op->print) op->print(&model->layers[i], &text);
    }
    model->spec = cop_strdup(cop_buf_text(&text));
    cop_buf_clear(&text);
}

/** What a front gives goes on to another network, whatever its last layer is. */
static cop_status check_front(cop_model *model) {
    if (!model->count) return cop_fail(COP_E_CONFIG, "there is no layer");
    model->classes = cop_shape_size(model->layers[model->count - 1].out);
    return COP_OK;
}

static cop_status create(cop_model **model, cop_shape input, const char *layers, bool front) {
    cop_model *made = COP_NEW(cop_model);
    cop_status status = COP_OK;
    made->input = input;
    made->widest = cop_shape_size(input);
    COP_GO(parse_layers(made, layers));
    COP_GO(front ? check_front(made) : check_output(made));
    write_spec(made);
    *model = made;
    made = NULL;
done:
    cop_model_destroy(made);
    return status;
}

cop_status cop_model_create(cop_model **model, const char *input, const char *layers) {
    cop_shape shape;
    cop_status status = cop_model_parse_input(input, &shape);
    if (status) return cop_fail_prefix(status, "input");
    return create(model, shape, layers, false);
}

cop_status cop_model_check_words(const char *layers) {
    for (size_t number = 1;; number++) {
        char word[COP_WORD_MAX], view[48];
        bool found;
        layer_text text;
        const cop_layer_op *op;
        cop_status status = next_word(&layers, word, &found);
        if (status) return cop_fail_prefix(status, "layer %zu", number);
        if (!found) return COP_OK;
        status = parse_layer(word, &text);
        if (!status) status = find_layer(&text, &op);
        if (status)
            return cop_fail_prefix(status, "layer %zu \"%s\"", number,
                                   shown(word, strlen(word), view));
    }
}

cop_status cop_model_create_front(cop_model **model, cop_shape input, const char *layers) {
    if (input.channels < 1 || input.channels > COP_LAYER_SIZE_MAX || input.height < 1 ||
        input.width < 1 || input.height > COP_LAYER_SIZE_MAX / input.channels ||
        input.width > COP_LAYER_SIZE_MAX / (input.channels * input.height))
        return cop_fail(COP_E_CONFIG, "samples of %zux%zux%zu numbers; wanted 1 to %u of them",
                        input.channels, input.height, input.width, COP_LAYER_SIZE_MAX);
    return create(model, input, layers, true);
}

void cop_model_destroy(cop_model *model) {
    if (!model) return;
    cop_free(model->layers);
    cop_free(model->spec);
    cop_free(model);
}
