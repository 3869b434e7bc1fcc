/* The kinds of layers: rows of list.h by word and by kind. */
#include "layer.h"
#include "list.h"

#include <math.h>
#include <string.h>

#define COP_DECLARE(object, word, arguments, summary) extern const cop_layer_op object;
COP_LAYER_LIST(COP_DECLARE)
#define COP_ADDRESS(object, word, arguments, summary) &object,
static const cop_layer_op *const ops[] = {COP_LAYER_LIST(COP_ADDRESS)};
#define COP_DESCRIBE(object, word, arguments, summary) {word, arguments, summary},
static const cop_layer_info infos[] = {COP_LAYER_LIST(COP_DESCRIBE)};
enum { OPS = sizeof ops / sizeof *ops };

const cop_layer_info *cop_layer_infos(size_t *count) {
    *count = OPS;
    return infos;
}

const cop_layer_op *cop_layer_op_find(const char *word, const cop_layer_info **info) {
    for (size_t i = 0; i < OPS; i++)
        if (strcmp(infos[i].word, word) == 0) {
            if (info) *info = &infos[i];
            return ops[i];
        }
    return NULL;
}

const cop_layer_op *cop_layer_op_of(const cop_layer *layer, const cop_layer_info **info) {
    for (size_t i = 0; i < OPS; i++)
        if (ops[i]->kind == layer->kind &&
            (layer->kind != COP_LAYER_ACTIVATION || ops[i]->activation == layer->activation)) {
            if (info) *info = &infos[i];
            return ops[i];
        }
    cop_assert_failed("a layer of a registered kind", __FILE__, __LINE__, __func__);
}

cop_status cop_layer_whole(double value, double low, double high, const char *what, size_t *out) {
    if (!(value >= low && value <= high) || value != floor(value))
        return cop_fail(COP_E_CONFIG, "%s is %g, wanted a whole number from %.0f to %.0f", what,
                        value, low, high);
    *out = (size_t)value;
    return COP_OK;
}
