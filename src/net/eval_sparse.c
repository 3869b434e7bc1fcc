/* Evaluator `sparse`: any weights in float over lists of live edges; see eval_sparse.h. */
#include "net/eval_sparse.h"
#include "net/evaluators.h"

#include <string.h>

#define PIECE 1024 /* samples of a shard that are held transposed at a time (at least a batch) */

static size_t hidden_width(const cop_eval_setup *setup, size_t h) {
    return cop_shape_size(setup->model->layers[setup->hidden_layer[h]].out);
}

static void destroy(void *self) {
    sparse_eval *e = self;
    if (!e) return;
    cop_sparse_layers_destroy(e);
    for (size_t i = 0; i < 2; i++) cop_free(e->buffer[i]);
    for (size_t h = 0; h < e->setup.hidden; h++) cop_free(e->rows[h]);
    cop_free(e->piece);
    cop_free(e->logit);
    cop_free(e);
}

static cop_status create(void **self, const cop_eval_setup *setup) {
    cop_status status = COP_OK;
    *self = NULL;
    COP_TRY(cop_eval_check(setup));
    sparse_eval *e = COP_NEW(sparse_eval);
    e->setup = *setup;
    e->variants = cop_eval_variants(setup);
    COP_GO(cop_sparse_choose(&e->ops));
    e->chunk = cop_sparse_chunk(setup, e->ops);
    COP_GO(cop_sparse_layers_create(e));
    cop_blas_one_thread();
    for (size_t i = 0; i < 2; i++)
        e->buffer[i] = cop_alloc(setup->model->widest, e->chunk * sizeof(float));
    e->logit = COP_NEW_ARRAY(double, setup->model->classes);
    for (size_t h = 0; h < setup->hidden; h++)
        e->rows[h] = cop_alloc(setup->batch, hidden_width(setup, h) * sizeof(double));
    *self = e;
    e = NULL;
done:
    destroy(e);
    return status;
}

/* Samples of a piece, rounded up to whole chunks in every segment. */
static size_t piece_room(size_t samples, size_t segment, size_t chunk) {
    return (samples + segment - 1) / segment * ((segment + chunk - 1) / chunk) * chunk;
}

/* Batch after batch is computed for a sink, and for BLAS, whose bits may depend on a sample's place
 * in its chunk; the lists' bits do not. Whether a setup may ask for that: pieces are whole batches
 * then. */
static bool may_go_by_batch(const cop_eval_setup *setup) {
    return setup->hidden || (setup->dense_above > 0 && setup->dense_above < 1);
}

/* Samples of a piece, at most @p most if that is possible. */
static size_t whole_piece(const cop_eval_setup *setup, size_t most) {
    if (!may_go_by_batch(setup)) return cop_eval_piece(setup, most);
    return most > setup->batch ? most / setup->batch * setup->batch : setup->batch;
}

/* With all edges live in lists; a layer that goes to BLAS takes half of that. */
static size_t bytes_of(const cop_eval_setup *setup, size_t chunk, size_t piece) {
    const cop_model *m = setup->model;
    size_t inputs = cop_shape_size(m->input);
    size_t total = cop_eval_overhead(setup) + m->weights * sizeof(cop_sparse_edge) +
                   m->biases * sizeof(uint32_t) + 2 * m->widest * chunk * sizeof(float);
    total += piece_room(piece, may_go_by_batch(setup) ? setup->batch : piece, chunk) * inputs *
             sizeof(float);
    for (size_t i = 0; i < m->count; i++) {
        const cop_layer *l = &m->layers[i];
        total += l->weights ? l->fan_in * sizeof(int32_t) : 0;
        if (l->kind == COP_LAYER_MAXPOOL2D) total += cop_sparse_band_bytes(l, chunk);
        if (l->kind == COP_LAYER_CONV2D && l->padding)
            total += l->in.channels * (l->in.height + 2 * l->padding) *
                     (l->in.width + 2 * l->padding) * chunk * sizeof(float);
    }
    for (size_t h = 0; h < setup->hidden; h++)
        total += setup->batch * hidden_width(setup, h) * sizeof(double);
    return total;
}

/* Samples that are held at a time: what setup->memory allows, at least a chunk or a batch. */
static size_t choose_piece(const cop_eval_setup *setup, size_t chunk) {
    size_t piece = whole_piece(setup, PIECE);
    size_t least = may_go_by_batch(setup) ? setup->batch : chunk;
    while (setup->memory && piece > least && bytes_of(setup, chunk, piece) > setup->memory)
        piece = whole_piece(setup, piece / 2);
    return piece;
}

static size_t bytes(const cop_eval_setup *setup) {
    const cop_sparse_ops *ops;
    if (cop_sparse_choose(&ops) != COP_OK) return 0;
    size_t chunk = cop_sparse_chunk(setup, ops);
    return bytes_of(setup, chunk, choose_piece(setup, chunk));
}

/* What one piece of a shard needs: chunks do not cross segments. */
typedef struct piece {
    size_t first, samples, segment;
} piece;

/* Samples innermost, lanes without a sample 0; then the layers before the first weighted one. */
static void load_chunk(sparse_eval *e, const float *x, size_t n, float *out) {
    size_t inputs = cop_shape_size(e->setup.model->input), chunk = e->chunk, steps = 0;
    for (size_t i = 0; i < e->lead; i++) steps += !cop_sparse_passes(&e->layers[i]);
    float *to = steps ? e->buffer[0] : out;
    for (size_t g = 0; g < chunk; g += SPARSE_LANES)
        for (size_t j = 0; j < inputs; j++)
            for (size_t s = g; s < g + SPARSE_LANES; s++)
                to[j * chunk + s] = s < n ? x[s * inputs + j] : 0;
    const float *now = to;
    for (size_t i = 0; i < e->lead; i++) {
        if (cop_sparse_passes(&e->layers[i])) continue;
        now = cop_sparse_apply(e, i, now, --steps ? cop_sparse_buffer(e, now) : out,
                               chunk / SPARSE_LANES);
    }
}

static void load(sparse_eval *e, const cop_shard *shard, piece p) {
    size_t inputs = cop_shape_size(e->setup.model->input), chunk = e->chunk;
    size_t width = cop_shape_size(e->setup.model->layers[e->lead].in);
    size_t need = piece_room(p.samples, p.segment, chunk) * width * sizeof(float);
    if (need > e->piece_bytes) {
        cop_free(e->piece);
        e->piece = cop_alloc(need, 1);
        e->piece_bytes = need;
    }
    float *out = e->piece;
    for (size_t s = 0; s < p.samples; s += p.segment) {
        size_t end = s + p.segment < p.samples ? s + p.segment : p.samples;
        for (size_t i = s; i < end; i += chunk, out += chunk * width)
            load_chunk(e, shard->x + (p.first + i) * inputs, end - i < chunk ? end - i : chunk,
                       out);
    }
}

/* Rows for the sink: samples from row @p first on. */
static void show(sparse_eval *e, size_t layer, const float *out, size_t first, size_t n) {
    for (size_t h = 0; h < e->setup.hidden; h++) {
        if (e->setup.hidden_layer[h] != layer) continue;
        size_t width = hidden_width(&e->setup, h);
        double *to = e->rows[h] + first * width;
        for (size_t g = 0; g < n; g += SPARSE_LANES)
            for (size_t j = 0; j < width; j++)
                for (size_t s = g; s < n && s < g + SPARSE_LANES; s++)
                    to[s * width + j] = (double)out[j * e->chunk + s];
    }
}

/* One individual under variant @p v on one piece. */
static cop_status compute(sparse_eval *e, const cop_shard *shard, piece p, size_t individual,
                          size_t v, cop_hidden_sink sink, void *user, cop_evidence *evidence,
                          uint16_t *predictions) {
    const cop_model *m = e->setup.model;
    size_t chunk = e->chunk, width = cop_shape_size(m->layers[e->lead].in);
    const cop_head head = cop_shard_head(&e->setup, shard);
    const float *in = e->piece;
    for (size_t s = 0; s < p.samples; s += p.segment) {
        size_t end = s + p.segment < p.samples ? s + p.segment : p.samples;
        for (size_t i = s; i < end; i += chunk, in += chunk * width) {
            size_t n = end - i < chunk ? end - i : chunk;
            const float *now = in;
            for (size_t l = e->lead; l < m->count; l++) {
                now = cop_sparse_apply(e, l, now, cop_sparse_buffer(e, now),
                                       (n + SPARSE_LANES - 1) / SPARSE_LANES);
                if (sink) show(e, l, now, i - s, n);
            }
            for (size_t r = 0; v < e->setup.weighting.values && r < n; r++) {
                for (size_t k = 0; k < head.count; k++)
                    e->logit[k] = (double)now[(head.first + k) * chunk + r];
                cop_score_add(evidence, v, e->logit, head.count, shard->label[p.first + i + r],
                              predictions ? predictions + v * shard->n + p.first + i + r : NULL);
            }
        }
        for (size_t h = 0; sink && h < e->setup.hidden; h++)
            COP_TRY(sink(user, individual, h, e->rows[h], end - s, hidden_width(&e->setup, h),
                         shard->task, shard->batch_base + (p.first + s) / e->setup.batch,
                         evidence));
    }
    return COP_OK;
}

static cop_status evaluate(void *self, const cop_mask *const *masks, size_t count,
                           const cop_shard *shard, cop_hidden_sink sink, void *user,
                           cop_evidence *evidence, uint16_t *predictions) {
    sparse_eval *e = self;
    size_t values = e->setup.weighting.values, most = choose_piece(&e->setup, e->chunk);
    COP_TRY(cop_shard_check(&e->setup, shard));
    if (!e->setup.hidden) sink = NULL;
    bool by_batch = sink != NULL;
    for (size_t i = 0; i < count; i++) {
        evidence[i] = (cop_evidence){.samples = shard->n};
        by_batch |= cop_sparse_uses_blas(e, masks[i]);
    }
    for (size_t s = 0; s < shard->n; s += most) {
        size_t n = shard->n - s < most ? shard->n - s : most;
        piece p = {.first = s, .samples = n, .segment = by_batch ? e->setup.batch : n};
        load(e, shard, p);
        for (size_t i = 0; i < count; i++)
            for (size_t v = 0; v < e->variants.count; v++) {
                bool visible = sink && v == e->variants.hidden;
                if (v >= values && !visible) continue;
                cop_sparse_compile(e, masks[i], e->variants.value[v]);
                COP_TRY(compute(e, shard, p, i, v, visible ? sink : NULL, user, &evidence[i],
                                predictions ? predictions + i * values * shard->n : NULL));
            }
    }
    return COP_OK;
}

/* How lists are chosen is a matter of the mask alone. */
static cop_status explain(const cop_eval_setup *setup, cop_buf *out) {
    COP_TRY(cop_eval_check(setup));
    cop_buf_printf(out, "each individual and shared value by itself, from lists of live edges\n");
    if (setup->dense_above > 0 && setup->dense_above < 1)
        cop_buf_printf(out, "dense layers with more than %g of their edges live by BLAS\n",
                       setup->dense_above);
    return COP_OK;
}

const cop_evaluator cop_evaluator_sparse = {
    "sparse", "float over lists of live edges: work and memory as many as they are",
    create,   destroy,
    evaluate, bytes,
    explain,  NULL};
