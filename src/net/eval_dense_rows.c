#include "net/eval_dense_rows.h"

#include "coppice/la.h"

#include <string.h>

enum { TABLE_BYTES = 32 << 20, AHEAD = 8 };
enum { SKIP_OUTPUTS = 64 }; /* with fewer, lists cost more than they save */
#define SKIP_DENSITY 0.5

typedef struct entry {
    cop_name name;
    uint32_t slot, epoch;
} entry;

struct cop_rows {
    const cop_model *model;
    const cop_sparse_ops *ops;
    size_t vectors, features, widest;
    size_t *layer, layers; /* weighted ones */
    bool *relu;
    size_t *cut, pieces; /* (pieces + 1) columns of the first layer where pieces begin */
    float **y;           /* by weighted layer (units, S) */
    float *bias;         /* (widest layer) */
    float *batch, *x;    /* (batch, D) as given, and (D, S) */
    size_t n;
    bool alone;
    entry *table;
    size_t places; /* of the table, a power of two */
    float *slot;   /* (slots, S) */
    size_t slots, used;
    uint32_t epoch;
    const float **part; /* (units of the first layer, pieces) */
    const float **row;  /* (units of the widest layer) */
    cop_nonzeros seen;  /* of the batch; place NULL: the variant has no such kernel */
    cop_nonzeros inner; /* of a hidden layer */
    float *scratch;
};

static const cop_layer *weighted(const cop_model *model, size_t *i) {
    while (*i < model->count && !model->layers[*i].weights) (*i)++;
    return *i < model->count ? &model->layers[*i] : NULL;
}

bool cop_rows_can(const cop_model *model) {
    bool any = false, behind = false; /* a weighted layer; directly behind one */
    for (size_t i = 0; i < model->count; i++) {
        const cop_layer *layer = &model->layers[i];
        if (layer->kind == COP_LAYER_DENSE) {
            any = behind = true;
        } else if (layer->kind == COP_LAYER_ACTIVATION) {
            bool relu = layer->activation == COP_ACT_RELU;
            if (!behind || (!relu && layer->activation != COP_ACT_IDENTITY)) return false;
            behind = false;
        } else if (layer->kind == COP_LAYER_DROPOUT || layer->kind == COP_LAYER_FLATTEN) {
            behind = false;
        } else {
            return false;
        }
    }
    return any;
}

static size_t vectors_of(const cop_eval_setup *setup) {
    return (setup->batch + COP_SPARSE_LANES - 1) / COP_SPARSE_LANES;
}

/* As many as a generation of moderate size has, no less than one individual's. */
static size_t slots_of(const cop_eval_setup *setup, const cop_layer *first) {
    size_t each = vectors_of(setup) * COP_SPARSE_LANES * sizeof(float);
    size_t least = first->biases * cop_names_pieces(setup->model), most = TABLE_BYTES;
    if (setup->alone) return least;
    if (setup->memory && setup->memory / 4 < most) most = setup->memory / 4;
    return most / each > least ? most / each : least;
}

static size_t blocks_of(size_t inputs) {
    return (inputs + COP_NONZERO_BLOCK - 1) / COP_NONZERO_BLOCK;
}

static size_t nonzeros_bytes(size_t inputs, size_t s) {
    return (inputs * s + COP_SPARSE_LANES) * 8 + (blocks_of(inputs) * s + 1) * 4;
}

static void nonzeros_create(cop_nonzeros *list, size_t inputs, size_t vectors) {
    const size_t s = vectors * COP_SPARSE_LANES;
    *list = (cop_nonzeros){.inputs = inputs, .vectors = vectors};
    list->begin = COP_NEW_ARRAY(uint32_t, blocks_of(inputs) * s + 1);
    list->place = COP_NEW_ARRAY(uint32_t, inputs * s + COP_SPARSE_LANES);
    list->value = COP_NEW_ARRAY(float, inputs *s + COP_SPARSE_LANES);
}

static void nonzeros_clear(cop_nonzeros *list) {
    cop_free(list->begin);
    cop_free(list->place);
    cop_free(list->value);
}

static size_t places_of(size_t slots) {
    size_t places = 64;
    while (places < 2 * slots) places *= 2;
    return places;
}

size_t cop_rows_bytes(const cop_eval_setup *setup) {
    const cop_model *m = setup->model;
    size_t at = 0, widest = 0, s = vectors_of(setup) * COP_SPARSE_LANES * sizeof(float);
    const cop_layer *first = weighted(m, &at);
    COP_ASSERT(first);
    for (size_t i = 0; i < m->count; i++)
        if (m->layers[i].biases > widest) widest = m->layers[i].biases;
    size_t slots = slots_of(setup, first), features = cop_shape_size(m->input);
    return slots * s + places_of(slots) * sizeof(entry) + (m->biases + features) * s +
           setup->batch * features * sizeof(float) + nonzeros_bytes(features, s / sizeof(float)) +
           nonzeros_bytes(widest, s / sizeof(float)) +
           COP_SKIP_SCRATCH(s / sizeof(float)) * sizeof(float) +
           first->biases * cop_names_pieces(setup->model) * sizeof(float *) +
           widest * (sizeof(float *) + sizeof(float)) + 64 * (m->count + 8);
}

cop_status cop_rows_create(cop_rows **rows, const cop_eval_setup *setup) {
    const cop_model *model = setup->model;
    cop_rows *r = COP_NEW(cop_rows);
    size_t at = 0, widest = 0;
    const cop_layer *first = weighted(model, &at);
    COP_ASSERT(first);
    *rows = r;
    r->model = model;
    r->vectors = vectors_of(setup);
    r->alone = setup->alone;
    r->features = cop_shape_size(model->input);
    const size_t s = r->vectors * COP_SPARSE_LANES;
    r->layer = COP_NEW_ARRAY(size_t, model->count);
    r->relu = COP_NEW_ARRAY(bool, model->count);
    r->y = COP_NEW_ARRAY(float *, model->count);
    for (at = 0; weighted(model, &at); at++) {
        const cop_layer *layer = &model->layers[at], *next = layer + 1;
        r->relu[r->layers] = at + 1 < model->count && next->kind == COP_LAYER_ACTIVATION &&
                             next->activation == COP_ACT_RELU;
        r->y[r->layers] = COP_NEW_ARRAY(float, layer->biases *s);
        r->layer[r->layers++] = at;
        if (layer->biases > widest) widest = layer->biases;
    }
    r->widest = widest;
    r->pieces = cop_names_pieces(setup->model);
    r->cut = COP_NEW_ARRAY(size_t, r->pieces + 1);
    for (size_t p = 0; p <= r->pieces; p++) r->cut[p] = cop_names_cut(model, p);
    r->bias = COP_NEW_ARRAY(float, widest);
    r->row = COP_NEW_ARRAY(const float *, widest);
    r->part = COP_NEW_ARRAY(const float *, first->biases * r->pieces);
    r->batch = COP_NEW_ARRAY(float, setup->batch * r->features);
    r->x = COP_NEW_ARRAY(float, r->features *s);
    r->slots = slots_of(setup, first);
    r->places = places_of(r->slots);
    r->slot = cop_alloc(r->slots * s, sizeof(float));
    r->table = COP_NEW_ARRAY(entry, r->places);
    COP_TRY(cop_sparse_choose(&r->ops));
    if (r->ops->skip_zeros && r->features * s < UINT32_MAX && widest * s < UINT32_MAX) {
        nonzeros_create(&r->seen, r->features, r->vectors);
        nonzeros_create(&r->inner, widest, r->vectors);
        r->scratch = COP_NEW_ARRAY(float, COP_SKIP_SCRATCH(s));
    }
    return COP_OK;
}

void cop_rows_destroy(cop_rows *r) {
    if (!r) return;
    for (size_t k = 0; k < r->layers; k++) cop_free(r->y[k]);
    cop_free(r->layer);
    cop_free(r->relu);
    cop_free(r->y);
    cop_free(r->cut);
    cop_free(r->bias);
    cop_free(r->row);
    cop_free(r->part);
    cop_free(r->batch);
    cop_free(r->x);
    cop_free(r->slot);
    cop_free(r->table);
    nonzeros_clear(&r->seen);
    nonzeros_clear(&r->inner);
    cop_free(r->scratch);
    cop_free(r);
}

/* ------------------------------------------------------------------ the batch */

static void forget(cop_rows *r) {
    r->used = 0;
    if (++r->epoch == 0) {
        memset(r->table, 0, r->places * sizeof *r->table);
        r->epoch = 1;
    }
}

void cop_rows_batch(cop_rows *r, const float *x, size_t n) {
    const size_t s = r->vectors * COP_SPARSE_LANES, bytes = n * r->features * sizeof(float);
    if (r->epoch && n == r->n && memcmp(r->batch, x, bytes) == 0) return;
    forget(r);
    r->n = n;
    memcpy(r->batch, x, bytes);
    for (size_t f = 0; f < r->features; f++) {
        float *to = r->x + f * s;
        for (size_t i = 0; i < n; i++) to[i] = x[i * r->features + f];
        for (size_t i = n; i < s; i++) to[i] = 0;
    }
    if (r->seen.place) r->ops->nonzeros(r->x, &r->seen);
}

/* @p list NULL, or what is not zero of layer->x, whose inputs begin with list block @p block. */
static void multiply(cop_rows *r, const cop_full *layer, const cop_nonzeros *list, size_t block) {
    const size_t s = r->vectors * COP_SPARSE_LANES;
    if (list && layer->outputs >= SKIP_OUTPUTS) {
        const uint32_t *begin = list->begin + block * s;
        const size_t left = begin[blocks_of(layer->inputs) * s] - begin[0];
        if ((double)left <= SKIP_DENSITY * (double)(layer->inputs * s) &&
            r->ops->skip_zeros(layer, list, block, r->scratch))
            return;
    }
    r->ops->full(layer);
}

/* ------------------------------------------------------------------ pieces of the first layer */

/* The slot of a piece; *known tells whether its sums are there (or under way). */
static uint32_t find(cop_rows *r, const cop_name *name, bool *known) {
    size_t at = (size_t)name->part[0] & (r->places - 1);
    while (r->table[at].epoch == r->epoch && memcmp(&r->table[at].name, name, sizeof *name) != 0)
        at = (at + 1) & (r->places - 1);
    entry *e = &r->table[at];
    *known = e->epoch == r->epoch;
    if (!*known) *e = (entry){*name, (uint32_t)r->used++, r->epoch};
    return e->slot;
}

/* Sums of the pieces [cut[p], cut[p+1]) of all rows; those that are new are computed together. */
static void sum_pieces(cop_rows *r, const cop_genome *genome, size_t rows, size_t columns,
                       size_t p) {
    const size_t s = r->vectors * COP_SPARSE_LANES, begin = r->cut[p];
    const size_t count = r->cut[p + 1] - begin;
    cop_full fresh = {.inputs = count,
                      .vectors = r->vectors,
                      .row = r->row,
                      .stride = 1,
                      .x = r->x + begin * s,
                      .y = r->slot + r->used * s};
    for (size_t u = 0; u < rows; u++) {
        const float *piece = genome->w + u * columns + begin;
        cop_name own;
        bool known;
        const cop_name *name = genome->name ? &genome->name[u * r->pieces + p] : &own;
        if (!genome->name) cop_name_piece(piece, count, p, &own);
        if (genome->name && u + AHEAD < rows) /* the table is larger than the caches */
            __builtin_prefetch(
                &r->table[(size_t)name[AHEAD * r->pieces].part[0] & (r->places - 1)]);
        r->part[u * r->pieces + p] = r->slot + (size_t)find(r, name, &known) * s;
        if (!known) r->row[fresh.outputs++] = piece;
    }
    multiply(r, &fresh, r->seen.place ? &r->seen : NULL, begin / COP_NONZERO_BLOCK);
}

/* ------------------------------------------------------------------ layers */

void cop_rows_forward(cop_rows *r, const cop_genome *genome, const cop_dense *units) {
    COP_ASSERT(units->count == r->layers && r->epoch);
    for (size_t k = 0; k < r->layers; k++) {
        const cop_dense_layer *d = &units->layer[k];
        const float *w = genome->w + d->begin;
        const size_t columns = d->columns * d->per;
        cop_full layer = {.outputs = d->rows,
                          .inputs = columns,
                          .vectors = r->vectors,
                          .row = r->row,
                          .stride = 1,
                          .bias = r->bias,
                          .relu = r->relu[k],
                          .y = r->y[k]};
        for (size_t u = 0; u < d->rows; u++)
            r->bias[u] = genome->b[r->model->layers[d->layer].bias_begin + d->row[u]];
        if (k == 0) {
            if (r->alone || r->used + d->rows * r->pieces > r->slots) forget(r);
            for (size_t p = 0; p < r->pieces; p++) sum_pieces(r, genome, d->rows, columns, p);
            r->ops->join(&layer, r->part, r->pieces);
            continue;
        }
        for (size_t u = 0; u < d->rows; u++) r->row[u] = w + u * columns;
        layer.x = r->y[k - 1];
        const bool lists = r->seen.place && r->relu[k - 1] && d->rows >= SKIP_OUTPUTS;
        COP_ASSERT(columns <= r->widest);
        r->inner.inputs = columns;
        if (lists) r->ops->nonzeros(layer.x, &r->inner);
        multiply(r, &layer, lists ? &r->inner : NULL, 0);
    }
}

const float *cop_rows_output(const cop_rows *r, size_t k, size_t *stride) {
    COP_ASSERT(k < r->layers);
    *stride = r->vectors * COP_SPARSE_LANES;
    return r->y[k];
}
