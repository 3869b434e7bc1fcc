/* One generation's children: handed out in units, evidence gathered, measures made. */
#include "generation.h"

#include "samples.h"

#include <string.h>

/* Evidence of the generation under way: (individuals, shards) cells, so that sums are taken in
 * shard order whatever the order of arrival. */
struct gather {
    size_t shards, layers;
    cop_evidence *cell; /* (individuals, shards) */
    uint64_t *edges;    /* (individuals, layers); the same from every shard, or somebody is wrong */
    bool *edges_known;  /* (individuals) */
    cop_farm_idle idle; /* the caller's */
    void *idle_user;
};

static cop_status take(void *user, const cop_unit *unit, const void *result, size_t length) {
    struct gather *gather = user;
    const unsigned char *at = result;
    cop_unit_head head;
    size_t item = sizeof(cop_evidence) + gather->layers * sizeof(uint64_t);
    if (length < sizeof head)
        return cop_fail(COP_E_PEER, "unit %u: no evidence came back", unit->number);
    memcpy(&head, at, sizeof head);
    if (head.individuals != unit->count || head.layers != gather->layers ||
        length != sizeof head + unit->count * item)
        return cop_fail(COP_E_PEER, "unit %u: %zu bytes of evidence instead of %zu", unit->number,
                        length, sizeof head + unit->count * item);
    at += sizeof head;
    for (size_t i = unit->first; i < unit->first + unit->count; i++, at += item) {
        uint64_t *edges = gather->edges + i * gather->layers;
        memcpy(&gather->cell[i * gather->shards + unit->shard], at, sizeof(cop_evidence));
        if (!gather->edges_known[i])
            memcpy(edges, at + sizeof(cop_evidence), gather->layers * sizeof *edges);
        else if (gather->layers &&
                 memcmp(edges, at + sizeof(cop_evidence), gather->layers * sizeof *edges) != 0)
            return cop_fail(COP_E_PEER,
                            "unit %u: two workers bred different genomes for the same "
                            "individual; this must not happen, please report it",
                            unit->number);
        gather->edges_known[i] = true;
    }
    return COP_OK;
}

void cop_generation_describe(const void *result, size_t length, cop_buf *text) {
    const unsigned char *at = result, *end = at + length;
    cop_unit_head head;
    if (length < sizeof head) return;
    memcpy(&head, at, sizeof head);
    at += sizeof head;
    size_t item = sizeof(cop_evidence) + (size_t)head.layers * sizeof(uint64_t);
    for (uint32_t i = 0; i < head.individuals && (size_t)(end - at) >= item; i++, at += item) {
        cop_evidence evidence;
        memcpy(&evidence, at, sizeof evidence);
        cop_buf_printf(text, "%s %llu", i ? "," : "", (unsigned long long)evidence.correct[0]);
        if (text->length > 200) break;
    }
    cop_buf_printf(text, " samples right");
}

static cop_status poll(void *user) {
    struct gather *gather = user;
    return gather->idle ? gather->idle(gather->idle_user) : COP_OK;
}

cop_status cop_generation_evaluate(const cop_experiment *e, cop_farm *farm, size_t workers,
                                   const cop_recipe *recipes, size_t count, cop_farm_idle idle,
                                   void *user, double *measures) {
    uint32_t generation = recipes[0].born;
    size_t shards = cop_samples_count(e, generation);
    struct gather gather = {
        .shards = shards, .layers = e->model->count, .idle = idle, .idle_user = user};
    size_t block = cop_unit_block(e->conf, workers, count, shards),
           blocks = (count + block - 1) / block;
    size_t width = cop_plan_measures(e->plan)->count;
    cop_unit *units = COP_NEW_ARRAY(cop_unit, blocks * shards);
    cop_evidence *by_task = COP_NEW_ARRAY(cop_evidence, e->tasks);
    gather.cell = COP_NEW_ARRAY(cop_evidence, count * shards);
    gather.edges = COP_NEW_ARRAY(uint64_t, count * e->model->count);
    gather.edges_known = COP_NEW_ARRAY(bool, count);
    uint32_t number = 0;
    for (uint32_t s = 0; s < shards; s++)
        for (size_t b = 0; b < blocks; b++, number++)
            units[number] =
                (cop_unit){number, (uint32_t)(b * block),
                           (uint32_t)(count - b * block < block ? count - b * block : block), s};
    cop_status status = COP_OK;
    COP_GO(cop_farm_breed(farm, recipes, count));
    COP_GO(cop_farm_evaluate(farm, units, number, take, &gather, poll));
    for (size_t i = 0; i < count; i++) {
        memset(by_task, 0, e->tasks * sizeof *by_task);
        for (size_t s = 0; s < shards; s++)
            cop_evidence_add(&by_task[cop_samples_task(e, generation, s)],
                             &gather.cell[i * shards + s], e->setup.weighting.values,
                             e->setup.hidden);
        cop_plan_measure_individual(e->plan, by_task, gather.edges + i * e->model->count,
                                    measures + i * width);
    }
done:
    cop_free(gather.edges_known);
    cop_free(gather.edges);
    cop_free(gather.cell);
    cop_free(by_task);
    cop_free(units);
    return status;
}
