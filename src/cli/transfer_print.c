/* What transfer found, as a table and as JSON. */
#include <math.h>

#include "run/directory.h"
#include "transfer.h"

static void print_text(const cop_transfer *t) {
    const cop_network *network = t->subject.network;
    cop_buf out = {0};
    cop_table table;
    cop_buf_printf(&out, "network %s, individual %llu, %s weights, %zu of %zu edges\n",
                   t->subject.network_file, (unsigned long long)network->id,
                   cop_weighting_name(network->weighting.kind), cop_mask_count(&network->mask),
                   network->mask.bits);
    cop_buf_printf(&out, "last layer %s retrained %s; test samples\n\n",
                   t->tail_model->layers->name,
                   t->as_published ? "as published: `after` is the mean over the epochs of one "
                                     "training, which goes on from task to task"
                   : t->validation > 0
                       ? "for each task anew; `after` is the epoch chosen on held-back samples"
                       : "for each task anew; `after` is the last epoch, as nothing is held back");
    cop_table_init(&table, "<task|trained on|tested on|value|before %|epoch 1 %|last epoch %|"
                           "after %|epoch|validation %|edges");
    for (size_t i = 0; i < t->tasks.count; i++) {
        const cop_transferred *one = &t->result[i];
        cop_table_add(&table, "%s", t->tasks.items[i]);
        cop_table_add(&table, "%zu", one->learnt);
        cop_table_add(&table, "%zu", one->samples);
        if (isnan(one->value))
            cop_table_add(&table, "-");
        else
            cop_table_add(&table, "%g", one->value);
        cop_table_add(&table, "%.2f", one->before);
        cop_table_add(&table, "%.2f", one->epoch[0]);
        cop_table_add(&table, "%.2f", one->epoch[one->epochs - 1]);
        cop_table_add(&table, "%.2f", one->after);
        if (t->as_published)
            cop_table_add(&table, "1 to %zu", one->epochs);
        else
            cop_table_add(&table, "%zu", one->kept);
        if (isnan(one->validation))
            cop_table_add(&table, "-");
        else
            cop_table_add(&table, "%.2f", one->validation);
        cop_table_add(&table, "%zu", one->edges);
    }
    cop_table_write(&table, &out);
    fputs(cop_buf_text(&out), stdout);
    cop_table_clear(&table);
    cop_buf_clear(&out);
}

static void print_json(const cop_transfer *t) {
    const cop_network *network = t->subject.network;
    json_t *out = json_object(), *tasks = json_object();
    json_object_set_new(out, "network", cop_json_text(t->subject.network_file));
    json_object_set_new(out, "individual", cop_json_id(network->id));
    json_object_set_new(out, "weighting", json_string(cop_weighting_name(network->weighting.kind)));
    json_object_set_new(out, "edges", cop_json_id(cop_mask_count(&network->mask)));
    json_object_set_new(out, "as_published", json_boolean(t->as_published));
    json_object_set_new(out, "rate", cop_json_real(t->rate));
    json_object_set_new(out, "seed", cop_json_id(t->seed));
    for (size_t i = 0; i < t->tasks.count; i++) {
        const cop_transferred *one = &t->result[i];
        json_t *row = json_object(), *epochs = json_array();
        for (size_t e = 0; e < one->epochs; e++)
            json_array_append_new(epochs, cop_json_real(one->epoch[e]));
        json_object_set_new(row, "value", cop_json_real(one->value));
        json_object_set_new(row, "train_samples", cop_json_id(one->learnt));
        json_object_set_new(row, "test_samples", cop_json_id(one->samples));
        json_object_set_new(row, "before", cop_json_real(one->before));
        json_object_set_new(row, "after", cop_json_real(one->after));
        json_object_set_new(row, "kept_epoch",
                            t->as_published ? json_null() : cop_json_id(one->kept));
        json_object_set_new(row, "validation", cop_json_real(one->validation));
        json_object_set_new(row, "epochs", epochs);
        json_object_set_new(row, "edges", cop_json_id(one->edges));
        json_object_set_new(tasks, t->tasks.items[i], row);
    }
    json_object_set_new(out, "tasks", tasks);
    cop_json_print(out, stdout);
}

void cop_transfer_print(const cop_transfer *t, bool json) {
    if (json)
        print_json(t);
    else
        print_text(t);
}
