#include "coppice/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTIVES_MAX 16

static const cop_option options[] = {
    {"objectives", COP_OPT_WORDS, "", 0, 0, "", NULL, COP_SCIENCE,
     "Measures to be traded off, for example accuracy.mnist, edges; accuracies and fitness are to "
     "be large, all others small; none: the accuracy of every task, and edges."},
    {.key = NULL}};

/* Where an objective stands, and its sign such that larger is better. */
typedef struct objective {
    long column; /* -1: the fitness */
    double sign;
} objective;

static bool begins(const char *name, const char *with) {
    return strncmp(name, with, strlen(with)) == 0;
}

/* COP_E_CONFIG for a name that is no measure. */
static cop_status resolve(const cop_plan *plan, objective *out, size_t *count) {
    const cop_conf *conf = cop_plan_conf(plan);
    const cop_measure_list *all = cop_plan_measures(plan);
    cop_list names = {0};
    cop_status status = COP_OK;
    cop_conf_words(conf, "rank", "objectives", &names);
    if (names.count == 0) {
        for (size_t t = 0; t < cop_plan_tasks(plan) && t + 1 < OBJECTIVES_MAX; t++)
            cop_list_add(&names, all->names[t]); /* the first columns: accuracy.TASK */
        cop_list_add(&names, "edges");
    }
    *count = names.count;
    if (names.count > OBJECTIVES_MAX)
        COP_GO(cop_conf_fail(conf, "rank", "objectives", "%zu objectives, at most %d are possible",
                             names.count, OBJECTIVES_MAX));
    for (size_t k = 0; k < names.count; k++) {
        const char *name = names.items[k];
        bool fitness = strcmp(name, "fitness") == 0;
        out[k].column = fitness ? -1 : cop_plan_measure(plan, name);
        out[k].sign = fitness || begins(name, "accuracy.") ? 1 : -1;
        if (!fitness && (out[k].column < 0 || begins(name, "value."))) {
            const char *near = cop_nearest(name, (const char *const *)all->names, all->count);
            COP_GO(cop_conf_fail(conf, "rank", "objectives",
                                 "%s is no measure that could be better or worse%s%s%s", name,
                                 near ? "; did you mean " : "", near ? near : "", near ? "?" : ""));
        }
        for (size_t j = 0; j < k; j++)
            if (out[j].column == out[k].column)
                COP_GO(cop_conf_fail(conf, "rank", "objectives", "%s is named twice: name it once",
                                     name));
    }
done:
    cop_list_clear(&names);
    return status;
}

/* An individual on its way to a place: fronts from 0, within a front the lonely ones first. */
typedef struct item {
    uint32_t index;
    uint32_t front; /* UINT32_MAX: failed */
    double distance;
    const double *value; /* (objectives), larger is better */
} item;

static bool dominates(const double *a, const double *b, size_t objectives) {
    bool better = false;
    for (size_t k = 0; k < objectives; k++) {
        if (a[k] < b[k]) return false;
        better |= a[k] > b[k];
    }
    return better;
}

/* Front numbers. Quadratic in the population: the comparisons of millions of individuals would take
 * longer than evaluating them only where evaluating costs next to nothing. */
static void find_fronts(item *items, size_t count, size_t objectives) {
    size_t *above = COP_NEW_ARRAY(size_t, count); /* dominated by how many not yet in a front */
    uint32_t *front = COP_NEW_ARRAY(uint32_t, count), *next = COP_NEW_ARRAY(uint32_t, count);
    size_t members = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].front == UINT32_MAX) continue;
        for (size_t j = 0; j < count; j++)
            above[i] += items[j].front != UINT32_MAX &&
                        dominates(items[j].value, items[i].value, objectives);
        if (above[i] == 0) front[members++] = (uint32_t)i;
    }
    for (uint32_t number = 0; members > 0; number++) {
        size_t found = 0;
        for (size_t m = 0; m < members; m++) items[front[m]].front = number;
        for (size_t m = 0; m < members; m++)
            for (size_t j = 0; j < count; j++)
                if (items[j].front != UINT32_MAX && above[j] > 0 &&
                    dominates(items[front[m]].value, items[j].value, objectives) && --above[j] == 0)
                    next[found++] = (uint32_t)j;
        uint32_t *swap = front;
        front = next;
        next = swap;
        members = found;
    }
    cop_free(above);
    cop_free(front);
    cop_free(next);
}

static int by_front(const void *a, const void *b) {
    const item *x = a, *y = b;
    if (x->front != y->front) return x->front < y->front ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static int by_place(const void *a, const void *b) {
    const item *x = a, *y = b;
    if (x->front != y->front) return x->front < y->front ? -1 : 1;
    if (x->distance != y->distance) return x->distance > y->distance ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

typedef struct along {
    double value;
    uint32_t index;
    item *item;
} along;

static int by_value(const void *a, const void *b) {
    const along *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Sum over the objectives of the gap between an individual's neighbours, as a share of the front's
 * extent; the ends are infinitely far from anybody. */
static void find_distances(item *front, size_t members, size_t objectives) {
    along *row = COP_NEW_ARRAY(along, members);
    for (size_t k = 0; k < objectives; k++) {
        for (size_t i = 0; i < members; i++)
            row[i] = (along){front[i].value[k], front[i].index, &front[i]};
        qsort(row, members, sizeof *row, by_value);
        double extent = row[members - 1].value - row[0].value;
        if (!(extent > 0)) continue; /* all alike: it tells nobody apart */
        row[0].item->distance = row[members - 1].item->distance = INFINITY;
        for (size_t i = 1; i + 1 < members; i++)
            row[i].item->distance += (row[i + 1].value - row[i - 1].value) / extent;
    }
    cop_free(row);
}

static void rank(const cop_plan *plan, const cop_pop_view *pop, uint32_t *order) {
    objective objectives[OBJECTIVES_MAX];
    size_t count = 0;
    cop_status status = resolve(plan, objectives, &count);
    COP_ASSERT(status == COP_OK); /* checked when the plan was made */
    item *items = COP_NEW_ARRAY(item, pop->count);
    double *value = COP_NEW_ARRAY(double, pop->count *count);
    for (size_t i = 0; i < pop->count; i++) {
        items[i] = (item){.index = (uint32_t)i, .value = value + i * count};
        if (!isfinite(pop->fitness[i])) items[i].front = UINT32_MAX;
        for (size_t k = 0; k < count; k++) {
            long column = objectives[k].column;
            double v = column < 0 ? pop->fitness[i]
                                  : pop->measures[i * pop->measure_count + (size_t)column];
            if (!isfinite(v)) items[i].front = UINT32_MAX;
            value[i * count + k] = objectives[k].sign * v;
        }
    }
    find_fronts(items, pop->count, count);
    qsort(items, pop->count, sizeof *items, by_front);
    for (size_t begin = 0, end; begin < pop->count; begin = end) {
        for (end = begin; end < pop->count && items[end].front == items[begin].front;) end++;
        if (items[begin].front != UINT32_MAX) find_distances(items + begin, end - begin, count);
    }
    qsort(items, pop->count, sizeof *items, by_place);
    for (size_t i = 0; i < pop->count; i++) order[i] = items[i].index;
    cop_free(items);
    cop_free(value);
}

static cop_status check(const cop_plan *plan) {
    objective objectives[OBJECTIVES_MAX];
    size_t count;
    return resolve(plan, objectives, &count);
}

const cop_op cop_rank_pareto = {
    .role = COP_ROLE_RANK,
    .name = "pareto",
    .paper = "Deb, Pratap, Agarwal and Meyarivan 2002 (NSGA-II)",
    .summary = "Individuals that no other beats in one objective without losing in another come "
               "first, then those that only the first ones beat, and so on; within such a front "
               "the lonelier ones; failed individuals come last.",
    .section = "rank",
    .options = options,
    .check = check,
    .as.rank = rank,
};
