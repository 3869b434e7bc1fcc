/* What rules of rewiring need of the samples: similarities of inputs and outputs, gradients of all
 * possible weights. A layer's matrix costs inputs * outputs multiply-adds a sample in sgemm, as
 * much as the layer with all its edges; similarities of live edges alone cost one a live edge. */
#include <math.h>
#include <string.h>

#include "rewire.h"

/* Sums over samples of what similarities are made of. */
typedef struct sums {
    double *squares[COP_LIVE_LAYERS_MAX + 1]; /* by unit: of inputs, then of each layer's z */
    double *edge[COP_LIVE_LAYERS_MAX];        /* by live edge: input times z; NULL: not wanted */
} sums;

typedef struct gathering {
    cop_live_net *net;
    cop_rewire_facts *facts;
    sums all, half[2]; /* half: of every other batch, for the error; NULL: not wanted */
    size_t seen[2];    /* samples of each half */
    float *edge_part;  /* of one batch */
    bool gradient;     /* the matrices are of gradients */
    bool halves;
} gathering;

static cop_rewire_needs add_needs(const cop_rewire_plan *plan) {
    return plan->add ? plan->add->needs : COP_REWIRE_NOTHING;
}

cop_status cop_rewire_check(const cop_live_net *net, const cop_rewire_plan *plan) {
    if (add_needs(plan) == COP_REWIRE_NOTHING) return COP_OK;
    for (size_t i = 0; i < net->settings.layers; i++) {
        const cop_live_layer *l = &net->layer[i];
        const uint64_t possible = (uint64_t)l->inputs * l->outputs;
        if (l->rewired && possible > COP_REWIRE_MATRIX_MAX)
            return cop_fail(COP_E_CONFIG,
                            "add = %s looks at all %llu places of layer %zu; more than %llu are "
                            "too many: take add = random",
                            plan->add->name, (unsigned long long)possible, i + 1,
                            (unsigned long long)COP_REWIRE_MATRIX_MAX);
    }
    return COP_OK;
}

/* What goes into layer @p i as the similarity sees it: the samples, or z of the layer before. */
static const float *source(const cop_live_net *net, size_t i) {
    return i ? net->layer[i - 1].z : net->x;
}

static void add_squares(const cop_live_net *net, const float *x, size_t units, double *squares) {
    for (size_t u = 0; u < units; u++)
        for (size_t s = 0; s < net->n; s++)
            squares[u] += (double)x[u * net->stride + s] * (double)x[u * net->stride + s];
}

/* Places of the batch without a sample must not count. */
static void clear_rest(const cop_live_net *net, float *z, size_t units) {
    for (size_t u = 0; u < units; u++)
        memset(z + u * net->stride + net->n, 0, (net->stride - net->n) * sizeof(float));
}

static void add_sums(const gathering *g, const sums *to, size_t layer) {
    const cop_live_layer *l = &g->net->layer[layer];
    if (!layer) add_squares(g->net, g->net->x, l->inputs, to->squares[0]);
    add_squares(g->net, l->z, l->outputs, to->squares[layer + 1]);
    for (size_t k = 0; to->edge[layer] && k < l->edges; k++)
        to->edge[layer][k] += (double)g->edge_part[k];
}

static void add_similarities(gathering *g, size_t batch) {
    cop_live_net *net = g->net;
    g->seen[batch % 2] += net->n;
    for (size_t i = 0; i < net->settings.layers; i++) {
        cop_live_layer *l = &net->layer[i];
        clear_rest(net, l->z, l->outputs);
        if (g->all.edge[i] || g->half[0].edge[i])
            cop_live_slope(net, i, source(net, i), l->z, g->edge_part);
        add_sums(g, &g->all, i);
        if (g->halves) add_sums(g, &g->half[batch % 2], i);
        if (l->rewired && g->facts->matrix[i] && !g->gradient)
            cop_sgemm(false, true, l->outputs, l->inputs, net->n, l->z, net->stride, source(net, i),
                      net->stride, 1.0f, g->facts->matrix[i], l->inputs);
    }
}

static void add_gradient(void *user, size_t i, const float *gradient) {
    const gathering *g = user;
    const cop_live_layer *l = &g->net->layer[i];
    if (!l->rewired) return;
    cop_sgemm(false, true, l->outputs, l->inputs, g->net->n, gradient, g->net->stride,
              i ? g->net->layer[i - 1].a : g->net->x, g->net->stride, 1.0f, g->facts->matrix[i],
              l->inputs);
}

/* Sums of products become cosines. */
static float cosine(double product, double a, double b) {
    const double c = a > 0 && b > 0 ? fabs(product) / (sqrt(a) * sqrt(b)) : 0;
    return (float)(c < 1 ? c : 1); /* also for what is not a number */
}

static float edge_cosine(const gathering *g, const sums *of, size_t layer, size_t output,
                         size_t k) {
    return cosine(of->edge[layer][k],
                  of->squares[layer][cop_live_input(g->net, &g->net->layer[layer], k)],
                  of->squares[layer + 1][output]);
}

static void finish(gathering *g) {
    const cop_live_net *net = g->net;
    double squares = 0, count = 0;
    const double first = (double)g->seen[0], second = (double)g->seen[1];
    for (size_t i = 0; i < net->settings.layers; i++) {
        const cop_live_layer *l = &net->layer[i];
        const double *in = g->all.squares[i], *out = g->all.squares[i + 1];
        float *edge = g->facts->edge_similarity[i];
        float *matrix = g->gradient ? NULL : g->facts->matrix[i];
        for (size_t o = 0; o < l->outputs; o++) {
            for (uint32_t k = l->begin[o]; k < l->begin[o + 1]; k++) {
                if (edge) edge[k] = edge_cosine(g, &g->all, i, o, k);
                if (!g->half[0].edge[i]) continue;
                const double apart = (double)edge_cosine(g, &g->half[0], i, o, k) -
                                     (double)edge_cosine(g, &g->half[1], i, o, k);
                squares += apart * apart;
                count++;
            }
            for (size_t j = 0; matrix && j < l->inputs; j++)
                matrix[o * l->inputs + j] =
                    cosine((double)matrix[o * l->inputs + j], in[j], out[o]);
        }
    }
    /* the variance of a difference goes with 1/first + 1/second, that of the whole with 1/(first +
     * second) */
    if (count > 0) g->facts->error = sqrt(squares / count * first * second) / (first + second);
}

static void make_sums(const gathering *g, sums *made, bool edges) {
    const cop_live_net *net = g->net;
    for (size_t i = 0; i <= net->settings.layers; i++)
        made->squares[i] = COP_NEW_ARRAY(double, net->settings.width[i]);
    for (size_t i = 0; edges && i < net->settings.layers; i++)
        if (net->layer[i].rewired) made->edge[i] = COP_NEW_ARRAY(double, net->layer[i].edges);
}

static void clear_sums(sums *made) {
    for (size_t i = 0; i <= COP_LIVE_LAYERS_MAX; i++) cop_free(made->squares[i]);
    for (size_t i = 0; i < COP_LIVE_LAYERS_MAX; i++) cop_free(made->edge[i]);
}

static void make_room(gathering *g, const cop_rewire_plan *plan) {
    const cop_live_net *net = g->net;
    const bool edges = plan->remove->needs == COP_REWIRE_EDGE_SIMILARITY;
    size_t most = 0;
    for (size_t i = 0; i < net->settings.layers; i++) {
        const cop_live_layer *l = &net->layer[i];
        if (!l->rewired) continue;
        if (l->edges > most) most = l->edges;
        if (edges) g->facts->edge_similarity[i] = COP_NEW_ARRAY(float, l->edges);
        if (add_needs(plan) != COP_REWIRE_NOTHING)
            g->facts->matrix[i] = COP_NEW_ARRAY(float, l->inputs * l->outputs);
    }
    make_sums(g, &g->all, edges);
    for (size_t h = 0; g->halves && h < 2; h++) make_sums(g, &g->half[h], true);
    g->edge_part = COP_NEW_ARRAY(float, most);
}

void cop_rewire_collect(cop_rewire_facts *facts, cop_live_net *net, const cop_rewire_plan *plan,
                        const cop_dataset *set, const uint32_t *which, size_t count) {
    const bool similarity = plan->remove->needs == COP_REWIRE_EDGE_SIMILARITY ||
                            add_needs(plan) == COP_REWIRE_SIMILARITY;
    const bool gradient = add_needs(plan) == COP_REWIRE_GRADIENT;
    gathering g = {.net = net, .facts = facts, .gradient = gradient};
    const size_t features = cop_dataset_features(set), batch = net->settings.batch;
    *facts = (cop_rewire_facts){.error = NAN};
    if (!similarity && !gradient) return;
    g.halves = plan->error && similarity && count > 1;
    cop_blas_one_thread();
    make_room(&g, plan);
    const float **rows = cop_alloc(batch, sizeof *rows);
    int32_t *label = COP_NEW_ARRAY(int32_t, batch);
    /* two halves are of as many samples, to one a batch */
    const size_t pairs = (count + 2 * batch - 1) / (2 * batch), even = 2 * pairs;
    for (size_t at = 0, end, b = 0; at < count; at = end, b++) {
        end = g.halves ? count * (b + 1) / even : at + batch < count ? at + batch : count;
        const size_t n = end - at;
        if (!n) continue; /* batches of one, and not even */
        const uint32_t drawn = cop_live_pass(plan->epoch, COP_LIVE_PASS_REWIRE, b);
        for (size_t i = 0; i < n; i++) {
            const size_t sample = which ? which[at + i] : at + i;
            rows[i] = set->x + sample * features;
            label[i] = set->label[sample];
        }
        cop_live_forward(net, rows, n, plan->dropping && similarity ? &drawn : NULL);
        if (gradient) {
            cop_live_loss(net, label, 1.0 / (double)count, NULL, NULL);
            cop_live_backward(net, add_gradient, &g);
        }
        if (similarity) add_similarities(&g, b);
    }
    if (similarity) finish(&g);
    for (size_t i = 0; gradient && i < net->settings.layers; i++)
        for (size_t k = 0; facts->matrix[i] && k < net->layer[i].inputs * net->layer[i].outputs;
             k++)
            facts->matrix[i][k] = fabsf(facts->matrix[i][k]);
    clear_sums(&g.all);
    for (size_t h = 0; h < 2; h++) clear_sums(&g.half[h]);
    cop_free(g.edge_part);
    cop_free(rows);
    cop_free(label);
}

void cop_rewire_facts_clear(cop_rewire_facts *facts) {
    for (size_t i = 0; i < COP_LIVE_LAYERS_MAX; i++) {
        cop_free(facts->edge_similarity[i]);
        cop_free(facts->matrix[i]);
    }
    *facts = (cop_rewire_facts){.error = NAN};
}
