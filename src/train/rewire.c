/* Rewiring: which edges go by a rule, which come by another, and the lists made anew. Time is
 * proportional to the edges, apart from what a rule needs. */
#include "rewire.h"

#include <math.h>
#include <string.h>

#include "positions.h"
#include "rewire/list.h"

#define DECLARE_REMOVE(name) extern const cop_remove_rule cop_remove_##name;
COP_REMOVE_LIST(DECLARE_REMOVE)
#define DECLARE_ADD(name) extern const cop_add_rule cop_add_##name;
COP_ADD_LIST(DECLARE_ADD)
#define REMOVE_ENTRY(name) &cop_remove_##name,
#define ADD_ENTRY(name) &cop_add_##name,
static const cop_remove_rule *const remove_rules[] = {COP_REMOVE_LIST(REMOVE_ENTRY)};
static const cop_add_rule *const add_rules[] = {COP_ADD_LIST(ADD_ENTRY)};

static const cop_rewire_algorithm algorithms[] = {
    {"set", "magnitude", "random", false, "sparse evolutionary training"},
    {"codaset", "magnitude", "cosine-top", false, "CosineSET: addition by similarity"},
    {"copaset", "magnitude", "cosine-sampled", false, "CosineSET: addition drawn by similarity"},
    {"corset", "cosine", "random", false, "CosineSET: removal by similarity"},
    {"codacorset", "cosine", "cosine-top", false, "CosineSET: removal and addition by similarity"},
    {"copacorset", "cosine", "cosine-sampled", false,
     "CosineSET: removal by similarity, addition drawn by it"},
    {"rigl", "magnitude", "gradient-top", false, "addition by gradient"},
    {"fixprob", NULL, NULL, false, "the edges that were drawn at the start"},
    {"dense", NULL, NULL, true, "all edges"},
};

const cop_remove_rule *const *cop_remove_rules(size_t *count) {
    *count = sizeof remove_rules / sizeof *remove_rules;
    return remove_rules;
}

const cop_add_rule *const *cop_add_rules(size_t *count) {
    *count = sizeof add_rules / sizeof *add_rules;
    return add_rules;
}

const cop_remove_rule *cop_remove_rule_find(const char *name) {
    for (size_t i = 0; i < sizeof remove_rules / sizeof *remove_rules; i++)
        if (strcmp(remove_rules[i]->name, name) == 0) return remove_rules[i];
    return NULL;
}

const cop_add_rule *cop_add_rule_find(const char *name) {
    for (size_t i = 0; i < sizeof add_rules / sizeof *add_rules; i++)
        if (strcmp(add_rules[i]->name, name) == 0) return add_rules[i];
    return NULL;
}

const cop_rewire_algorithm *cop_rewire_algorithms(size_t *count) {
    *count = sizeof algorithms / sizeof *algorithms;
    return algorithms;
}

const cop_rewire_algorithm *cop_rewire_algorithm_find(const char *name) {
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (strcmp(algorithms[i].name, name) == 0) return &algorithms[i];
    return NULL;
}

/* ------------------------------------------------------------------ which stay */

/* Of the scores of one sign, unset the lowest share; ties go by place in the list. */
static void cut(const float *score, size_t edges, bool negative, double zeta, uint64_t *keys,
                uint8_t *stays) {
    size_t count = 0;
    for (size_t k = 0; k < edges; k++) {
        const float size = fabsf(score[k]);
        uint32_t bits;
        const uint8_t of_sign = negative ? score[k] < 0 : score[k] > 0;
        memcpy(&bits, &size, sizeof bits);
        keys[count] = (uint64_t)bits << 32 | k; /* signs are random: no branch */
        count += of_sign;
        stays[k] |= of_sign;
    }
    const size_t goes = (size_t)(zeta * (double)count);
    if (!goes) return;
    const uint64_t limit = cop_positions_nth(keys, count, goes - 1);
    for (size_t i = 0; i < count; i++) stays[keys[i] & UINT32_MAX] = keys[i] > limit;
}

/* ------------------------------------------------------------------ new lists */

static float new_weight(const cop_live_net *net, const cop_live_layer *l,
                        const cop_rewire_plan *plan, cop_rng *rng) {
    return plan->draw_weights ? cop_live_first_weight(&net->settings, l, rng) : 0.0f;
}

/* Those that stay and those that come, by position, in lists of their own. */
static void rebuild(cop_live_net *net, cop_live_layer *l, const cop_rewire_plan *plan,
                    const uint8_t *stays, const uint64_t *added, size_t count, cop_rng *rng) {
    cop_sparse_edge *edge = COP_NEW_ARRAY(cop_sparse_edge, l->initial);
    float *m = COP_NEW_ARRAY(float, l->initial);
    float *v = l->v ? COP_NEW_ARRAY(float, l->initial) : NULL;
    uint32_t begin = 0;
    size_t a = 0, n = 0;
    for (size_t o = 0; o < l->outputs; o++) {
        const uint32_t end = l->begin[o + 1];
        const uint64_t row = (uint64_t)o * l->inputs;
        uint32_t k = begin;
        begin = end;
        for (;;) {
            while (k < end && !stays[k]) k++;
            const bool come = a < count && added[a] < row + l->inputs;
            if (k == end && !come) break;
            const int32_t place = come ? (int32_t)((added[a] - row) * net->stride) : 0;
            if (come && (k == end || place < l->edge[k].offset)) {
                edge[n] = (cop_sparse_edge){place, new_weight(net, l, plan, rng)};
                a++;
            } else {
                edge[n] = l->edge[k];
                m[n] = plan->forget ? 0 : l->m[k];
                if (v) v[n] = plan->forget ? 0 : l->v[k];
                k++;
            }
            n++;
        }
        l->begin[o + 1] = (uint32_t)n;
    }
    cop_free(l->edge);
    cop_free(l->m);
    cop_free(l->v);
    l->edge = edge;
    l->m = m;
    l->v = v;
    l->edges = n;
    cop_live_index(net, l);
}

static void rewire_layer(cop_live_net *net, size_t index, const cop_rewire_plan *plan,
                         const cop_rewire_facts *facts, uint32_t *core) {
    cop_live_layer *l = &net->layer[index];
    cop_rng rng = cop_rng_at(plan->seed, plan->epoch, (uint32_t)index, COP_FOR_VARY);
    float *score = COP_NEW_ARRAY(float, l->edges);
    uint64_t *list = COP_NEW_ARRAY(uint64_t, l->edges);
    uint8_t *stays = COP_NEW_ARRAY(uint8_t, l->edges);
    size_t left = 0;
    cop_rewire_job job = {.net = net,
                          .layer = l,
                          .edge_similarity = facts ? facts->edge_similarity[index] : NULL,
                          .matrix = facts ? facts->matrix[index] : NULL,
                          .rng = &rng};
    plan->remove->score(&job, score);
    cut(score, l->edges, true, plan->zeta, list, stays);
    cut(score, l->edges, false, plan->zeta, list, stays);
    for (size_t o = 0; o < l->outputs; o++)
        for (uint32_t k = l->begin[o]; k < l->begin[o + 1]; k++) {
            const size_t input = cop_live_input(net, l, k);
            list[left] = (uint64_t)o * l->inputs + input;
            left += stays[k];
            if (core) core[input] += stays[k];
        }
    job.taken = list;
    job.taken_count = left;
    const size_t count = plan->add ? l->initial - left : 0;
    uint64_t *added = COP_NEW_ARRAY(uint64_t, count);
    if (count) plan->add->choose(&job, added, count);
    rebuild(net, l, plan, stays, added, count, &rng);
    cop_free(score);
    cop_free(list);
    cop_free(stays);
    cop_free(added);
}

static void forget(cop_live_layer *l) {
    const size_t units = l->numbers * l->outputs;
    memset(l->m, 0, l->edges * sizeof(float));
    memset(l->unit_m, 0, units * sizeof(float));
    if (l->v) memset(l->v, 0, l->edges * sizeof(float));
    if (l->v) memset(l->unit_v, 0, units * sizeof(float));
}

void cop_rewire(cop_live_net *net, const cop_rewire_plan *plan, const cop_rewire_facts *facts,
                uint32_t *core) {
    if (core) memset(core, 0, net->settings.width[0] * sizeof *core);
    for (size_t i = 0; i < net->settings.layers; i++) {
        if (net->layer[i].rewired) rewire_layer(net, i, plan, facts, i ? NULL : core);
        if (plan->forget) forget(&net->layer[i]);
    }
    if (plan->forget && net->front) cop_front_forget(net->front);
}
