#include "samples.h"

#include <string.h>

/* Key of the choice of the subset: no pass has it. */
#define FOR_SUBSET (UINT32_MAX - 1)

struct cop_samples {
    const cop_experiment *experiment;
    struct order { /* of one task's samples in the pass under way */
        uint32_t *subset, *item;
        uint32_t pass;
        bool known;
    } order[COP_TASKS_MAX];
    float *x; /* (batch, D) */
    int32_t *label;
    cop_shard shard;
    uint32_t generation;
    size_t number;
    bool ready; /* shard holds that number of that generation */
};

static size_t subset_of(const cop_conf *conf, size_t samples) {
    size_t subset = (size_t)cop_conf_int(conf, "evaluate", "subset");
    return subset && subset < samples ? subset : samples;
}

size_t cop_samples_batches(const cop_conf *conf, size_t samples, size_t batch, size_t wanted) {
    size_t all = subset_of(conf, samples) / batch;
    return wanted < all ? wanted : all;
}

size_t cop_samples_last(const cop_conf *conf) {
    size_t final = (size_t)cop_conf_int(conf, "evaluate", "final");
    return final ? final : SIZE_MAX;
}

static size_t batches_of(const cop_experiment *e, size_t task, size_t wanted) {
    return cop_samples_batches(e->conf, e->evolve[task]->samples, e->setup.batch, wanted);
}

static size_t batches_at(const cop_experiment *e, uint32_t generation, size_t task) {
    return batches_of(e, task, generation == COP_BORN_FINAL ? cop_samples_last(e->conf) : e->draw);
}

size_t cop_samples_count(const cop_experiment *e, uint32_t generation) {
    if (e->draw == 0) return e->shard_count;
    size_t count = 0;
    for (size_t t = 0; t < e->tasks; t++) count += batches_at(e, generation, t);
    return count;
}

/* Task of a shard; the number within the task goes to @p shard. */
static size_t locate(const cop_experiment *e, uint32_t generation, size_t *shard) {
    size_t task = 0;
    while (*shard >= batches_at(e, generation, task)) *shard -= batches_at(e, generation, task++);
    return task;
}

size_t cop_samples_task(const cop_experiment *e, uint32_t generation, size_t shard) {
    return e->draw == 0 ? e->shards[shard].task : locate(e, generation, &shard);
}

cop_samples *cop_samples_create(const cop_experiment *e) {
    cop_samples *samples = COP_NEW(cop_samples);
    samples->experiment = e;
    if (e->draw == 0) return samples;
    samples->x = COP_NEW_ARRAY(float, e->setup.batch *cop_shape_size(e->model->input));
    samples->label = COP_NEW_ARRAY(int32_t, e->setup.batch);
    return samples;
}

void cop_samples_destroy(cop_samples *samples) {
    if (!samples) return;
    for (size_t t = 0; t < COP_TASKS_MAX; t++) {
        cop_free(samples->order[t].subset);
        cop_free(samples->order[t].item);
    }
    cop_free(samples->x);
    cop_free(samples->label);
    cop_free(samples);
}

static const uint32_t *order_of(cop_samples *samples, size_t task, uint32_t pass) {
    const cop_experiment *e = samples->experiment;
    struct order *order = &samples->order[task];
    size_t all = e->evolve[task]->samples, count = subset_of(e->conf, all);
    uint64_t seed = cop_plan_seed(e->plan);
    if (!order->subset) {
        cop_rng rng = cop_rng_at(seed, FOR_SUBSET, (uint32_t)task, COP_FOR_DRAW);
        order->subset = COP_NEW_ARRAY(uint32_t, all);
        order->item = COP_NEW_ARRAY(uint32_t, count);
        for (size_t i = 0; i < all; i++) order->subset[i] = (uint32_t)i;
        if (count < all) cop_rng_shuffle(&rng, order->subset, all);
    }
    if (!order->known || order->pass != pass) {
        cop_rng rng = cop_rng_at(seed, pass, (uint32_t)task, COP_FOR_DRAW);
        memcpy(order->item, order->subset, count * sizeof *order->item);
        cop_rng_shuffle(&rng, order->item, count);
        order->pass = pass;
        order->known = true;
    }
    return order->item;
}

/* As published: the initial population has a pass of its own, and so has the last judgement. */
const cop_shard *cop_samples_shard(cop_samples *samples, uint32_t generation, size_t number) {
    const cop_experiment *e = samples->experiment;
    if (e->draw == 0) return &e->shards[number];
    if (samples->ready && samples->generation == generation && samples->number == number)
        return &samples->shard;
    size_t at = number, task = locate(e, generation, &at);
    size_t features = cop_shape_size(e->model->input), batch = e->setup.batch;
    uint32_t pass = generation;
    if (generation > 0 && generation < COP_BORN_FINAL) {
        uint64_t done = (uint64_t)(generation - 1) * batches_at(e, generation, task) + (uint64_t)at;
        const size_t all = batches_of(e, task, SIZE_MAX);
        pass = 1 + (uint32_t)(done / all);
        at = (size_t)(done % all);
    }
    const uint32_t *item = order_of(samples, task, pass) + at * batch;
    const cop_dataset *set = e->evolve[task];
    for (size_t i = 0; i < batch; i++) {
        memcpy(samples->x + i * features, set->x + item[i] * features, features * sizeof(float));
        samples->label[i] = set->label[item[i]];
    }
    samples->shard = (cop_shard){.x = samples->x,
                                 .label = samples->label,
                                 .n = batch,
                                 .batch_base = ((size_t)generation << 31) + number,
                                 .task = task,
                                 .head = set->head};
    samples->generation = generation;
    samples->number = number;
    samples->ready = true;
    return &samples->shard;
}
