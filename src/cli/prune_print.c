/* What prune found, as tables and as JSON. */
#include <math.h>
#include <string.h>

#include "prune.h"
#include "run/directory.h"

/* Mean and standard deviation (n - 1) over the networks of that name. */
typedef struct spread {
    size_t count;
    double mean, sd;
} spread;

static spread spread_of(const cop_pruning *p, const char *name, size_t task, bool shared) {
    spread s = {0};
    double squares = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < p->count; i++) {
            if (strcmp(p->network[i].name, name) != 0) continue;
            const cop_pruned_score *score = &p->network[i].score[task];
            double x = shared ? score->shared : score->trained;
            if (pass == 0) {
                s.count++;
                s.mean += x;
            } else {
                squares += (x - s.mean) * (x - s.mean);
            }
        }
        if (pass == 0 && s.count) s.mean /= (double)s.count;
    }
    s.sd = s.count > 1 ? sqrt(squares / (double)(s.count - 1)) : NAN;
    return s;
}

static void add_spread(cop_table *table, spread s) {
    if (s.count > 1)
        cop_table_add(table, "%.2f +- %.2f", s.mean, s.sd);
    else
        cop_table_add(table, "%.2f", s.mean);
}

/* First network of each name stands for all of that name. */
static bool is_first(const cop_pruning *p, size_t i) {
    return i == 0 || strcmp(p->network[i].name, p->network[i - 1].name) != 0;
}

static void write_scores(const cop_pruning *p, size_t t, cop_buf *out) {
    cop_table table;
    cop_buf_printf(out, "\n%s, %zu samples, accuracy %%\n", p->tasks.items[t], p->samples[t]);
    cop_table_init(&table, "<network|edges|trained weights|shared weight|value");
    for (size_t i = 0; i < p->count; i++) {
        if (!is_first(p, i)) continue;
        const cop_pruned *one = &p->network[i];
        spread trained = spread_of(p, one->name, t, false);
        if (trained.count > 1)
            cop_table_add(&table, "%s (%zu)", one->name, trained.count);
        else
            cop_table_add(&table, "%s", one->name);
        cop_table_add(&table, "%zu", cop_mask_count(&one->mask));
        add_spread(&table, trained);
        add_spread(&table, spread_of(p, one->name, t, true));
        if (trained.count > 1)
            cop_table_add(&table, "-");
        else
            cop_table_add(&table, "%g", one->score[t].value);
    }
    cop_table_write(&table, out);
    cop_table_clear(&table);
}

/* The pairs worth telling: NETWORK and each baseline, the baselines with each other; of the random
 * ones the first two stand for all. */
static bool is_pair(const cop_pruning *p, size_t i, size_t j) {
    const cop_pruned *a = &p->network[i], *b = &p->network[j];
    return i > 0 && j > i && a->number <= 1 && b->number <= 2 && (b->number < 2 || a->number == 1);
}

static void write_overlaps(const cop_pruning *p, cop_buf *out) {
    cop_table table;
    cop_table_init(&table, "<edges cut in both|number|of the first %|of the second %|by chance|+-|"
                           "by chance, layer by layer|+-");
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = 0; j < p->count; j++) {
            if (!is_pair(p, i, j)) continue;
            const cop_pruned *a = &p->network[i], *b = &p->network[j];
            cop_overlap o = cop_overlap_of(p->subject.network->model, &a->mask, &b->mask);
            cop_table_add(&table, "%s, %s%s", a->name,
                          strcmp(a->name, b->name) == 0 ? "another " : "", b->name);
            cop_table_add(&table, "%llu", (unsigned long long)o.both);
            cop_table_add(&table, "%.2f", 100.0 * (double)o.both / (double)o.a);
            cop_table_add(&table, "%.2f", 100.0 * (double)o.both / (double)o.b);
            cop_table_add(&table, "%.0f", o.chance);
            cop_table_add(&table, "%.0f", o.sd);
            cop_table_add(&table, "%.0f", o.chance_by_layer);
            cop_table_add(&table, "%.0f", o.sd_by_layer);
        }
    if (table.cells.count > table.columns) {
        cop_buf_printf(out, "\n");
        cop_table_write(&table, out);
    }
    cop_table_clear(&table);
}

static void print_text(const cop_pruning *p) {
    const cop_network *network = p->subject.network;
    cop_buf out = {0};
    cop_buf_printf(&out, "network %s, individual %llu; pruned in one shot to %zu of %zu edges\n",
                   p->subject.network_file, (unsigned long long)network->id, p->edges,
                   network->mask.bits);
    cop_buf_printf(&out, "%s samples; trained weights by %s, shared weights (%s) by %s\n",
                   cop_split_name(p->split), p->arithmetic[0],
                   cop_weighting_name(p->weighting.kind), p->arithmetic[1]);
    for (size_t t = 0; t < p->tasks.count; t++) write_scores(p, t, &out);
    write_overlaps(p, &out);
    fputs(cop_buf_text(&out), stdout);
    cop_buf_clear(&out);
}

static json_t *overlap_json(const cop_pruning *p, const cop_pruned *a, const cop_pruned *b) {
    cop_overlap o = cop_overlap_of(p->subject.network->model, &a->mask, &b->mask);
    json_t *row = json_object(), *names = json_array();
    json_array_append_new(names, json_string(a->name));
    json_array_append_new(names, json_string(b->name));
    json_object_set_new(row, "networks", names);
    json_object_set_new(row, "cut", json_pack("[I,I]", (json_int_t)o.a, (json_int_t)o.b));
    json_object_set_new(row, "both", cop_json_id(o.both));
    json_object_set_new(row, "chance", cop_json_real(o.chance));
    json_object_set_new(row, "sd", cop_json_real(o.sd));
    json_object_set_new(row, "chance_by_layer", cop_json_real(o.chance_by_layer));
    json_object_set_new(row, "sd_by_layer", cop_json_real(o.sd_by_layer));
    return row;
}

static void print_json(const cop_pruning *p) {
    json_t *out = json_object(), *networks = json_array(), *overlaps = json_array();
    for (size_t i = 0; i < p->count; i++) {
        const cop_pruned *one = &p->network[i];
        json_t *row = json_object(), *tasks = json_object();
        json_object_set_new(row, "network", json_string(one->name));
        json_object_set_new(row, "number", one->number ? cop_json_id(one->number) : json_null());
        json_object_set_new(row, "edges", cop_json_id(cop_mask_count(&one->mask)));
        for (size_t t = 0; t < p->tasks.count; t++) {
            json_t *score = json_object();
            json_object_set_new(score, "samples", cop_json_id(p->samples[t]));
            json_object_set_new(score, "trained", cop_json_real(one->score[t].trained));
            json_object_set_new(score, "shared", cop_json_real(one->score[t].shared));
            json_object_set_new(score, "value", cop_json_real(one->score[t].value));
            json_object_set_new(tasks, p->tasks.items[t], score);
        }
        json_object_set_new(row, "tasks", tasks);
        json_array_append_new(networks, row);
        for (size_t j = 0; j < p->count; j++)
            if (is_pair(p, i, j))
                json_array_append_new(overlaps, overlap_json(p, one, &p->network[j]));
    }
    json_object_set_new(out, "network", cop_json_text(p->subject.network_file));
    json_object_set_new(out, "individual", cop_json_id(p->subject.network->id));
    json_object_set_new(out, "edges", cop_json_id(p->edges));
    json_object_set_new(out, "weights", cop_json_id(p->subject.network->mask.bits));
    json_object_set_new(out, "split", json_string(cop_split_name(p->split)));
    json_object_set_new(out, "seed", cop_json_id(p->seed));
    json_object_set_new(out, "networks", networks);
    json_object_set_new(out, "overlaps", overlaps);
    cop_json_print(out, stdout);
}

void cop_pruning_print(const cop_pruning *p, bool json) {
    if (json)
        print_json(p);
    else
        print_text(p);
}
