/* What rules of rewiring need of the samples: similarities of inputs and outputs, gradients of all
 * possible weights. A layer's matrix costs inputs * outputs multiply-adds a sample in sgemm, as
 * much as the layer with all its edges; similarities of live edges alone cost one a live edge. */
#include <math.h>
#include <string.h>

#include "rewire.h"

typedef struct gathering {
    cop_live_net *net;
    cop_rewire_facts *facts;
    double *squares[COP_LIVE_LAYERS_MAX + 1]; /* by unit: of inputs, then of each layer's z */
    double *edge_sum[COP_LIVE_LAYERS_MAX];
    float *edge_part; /* of one batch */
    bool gradient;    /* the matrices are of gradients */
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

static void add_similarities(gathering *g) {
    cop_live_net *net = g->net;
    add_squares(net, net->x, net->settings.width[0], g->squares[0]);
    for (size_t i = 0; i < net->settings.layers; i++) {
        cop_live_layer *l = &net->layer[i];
        add_squares(net, l->z, l->outputs, g->squares[i + 1]);
        clear_rest(net, l->z, l->outputs);
        if (!l->rewired) continue;
        if (g->facts->edge_similarity[i]) {
            net->ops->slope(l->outputs, l->begin, l->edge, net->vectors, source(net, i), l->z,
                            g->edge_part);
            for (size_t k = 0; k < l->edges; k++) g->edge_sum[i][k] += (double)g->edge_part[k];
        }
        if (g->facts->matrix[i] && !g->gradient)
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

static void finish(gathering *g) {
    const cop_live_net *net = g->net;
    for (size_t i = 0; i < net->settings.layers; i++) {
        const cop_live_layer *l = &net->layer[i];
        const double *in = g->squares[i], *out = g->squares[i + 1];
        float *edge = g->facts->edge_similarity[i];
        float *matrix = g->gradient ? NULL : g->facts->matrix[i];
        for (size_t o = 0; o < l->outputs; o++) {
            for (uint32_t k = l->begin[o]; edge && k < l->begin[o + 1]; k++)
                edge[k] = cosine(g->edge_sum[i][k], in[cop_live_input(net, l, k)], out[o]);
            for (size_t j = 0; matrix && j < l->inputs; j++)
                matrix[o * l->inputs + j] =
                    cosine((double)matrix[o * l->inputs + j], in[j], out[o]);
        }
    }
}

static void make_room(gathering *g, const cop_rewire_plan *plan) {
    const cop_live_net *net = g->net;
    size_t most = 0;
    for (size_t i = 0; i <= net->settings.layers; i++)
        g->squares[i] = COP_NEW_ARRAY(double, net->settings.width[i]);
    for (size_t i = 0; i < net->settings.layers; i++) {
        const cop_live_layer *l = &net->layer[i];
        if (!l->rewired) continue;
        if (l->edges > most) most = l->edges;
        if (plan->remove->needs == COP_REWIRE_EDGE_SIMILARITY) {
            g->facts->edge_similarity[i] = COP_NEW_ARRAY(float, l->edges);
            g->edge_sum[i] = COP_NEW_ARRAY(double, l->edges);
        }
        if (add_needs(plan) != COP_REWIRE_NOTHING)
            g->facts->matrix[i] = COP_NEW_ARRAY(float, l->inputs * l->outputs);
    }
    g->edge_part = COP_NEW_ARRAY(float, most);
}

void cop_rewire_collect(cop_rewire_facts *facts, cop_live_net *net, const cop_rewire_plan *plan,
                        const cop_dataset *set, const uint32_t *which, size_t count) {
    const bool similarity = plan->remove->needs == COP_REWIRE_EDGE_SIMILARITY ||
                            add_needs(plan) == COP_REWIRE_SIMILARITY;
    const bool gradient = add_needs(plan) == COP_REWIRE_GRADIENT;
    gathering g = {.net = net, .facts = facts, .gradient = gradient};
    const size_t features = cop_dataset_features(set), batch = net->settings.batch;
    *facts = (cop_rewire_facts){{0}, {0}};
    if (!similarity && !gradient) return;
    cop_blas_one_thread();
    make_room(&g, plan);
    const float **rows = cop_alloc(batch, sizeof *rows);
    int32_t *label = COP_NEW_ARRAY(int32_t, batch);
    for (size_t at = 0; at < count; at += batch) {
        const size_t n = count - at < batch ? count - at : batch;
        const uint32_t drawn = cop_live_pass(plan->epoch, COP_LIVE_PASS_REWIRE, at / batch);
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
        if (similarity) add_similarities(&g);
    }
    if (similarity) finish(&g);
    for (size_t i = 0; gradient && i < net->settings.layers; i++)
        for (size_t k = 0; facts->matrix[i] && k < net->layer[i].inputs * net->layer[i].outputs;
             k++)
            facts->matrix[i][k] = fabsf(facts->matrix[i][k]);
    for (size_t i = 0; i <= net->settings.layers; i++) cop_free(g.squares[i]);
    for (size_t i = 0; i < net->settings.layers; i++) cop_free(g.edge_sum[i]);
    cop_free(g.edge_part);
    cop_free(rows);
    cop_free(label);
}

void cop_rewire_facts_clear(cop_rewire_facts *facts) {
    for (size_t i = 0; i < COP_LIVE_LAYERS_MAX; i++) {
        cop_free(facts->edge_similarity[i]);
        cop_free(facts->matrix[i]);
    }
    *facts = (cop_rewire_facts){{0}, {0}};
}
