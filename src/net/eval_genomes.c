/* Blocks of genomes, with own weights or without. */
#include "coppice/net.h"

/* Numbers of a caller's block, seen from a part of it. */
typedef struct part {
    size_t first;
    cop_hidden_sink sink;
    void *user;
} part;

static cop_status pass_on(void *user, size_t individual, size_t which, const double *rows, size_t n,
                          size_t width, size_t task, size_t batch, cop_evidence *evidence) {
    const part *p = user;
    return p->sink(p->user, p->first + individual, which, rows, n, width, task, batch, evidence);
}

/* An individual whose weights stand in the base network's places is the base network of its own
 * evaluator. */
static cop_status evaluate_alone(const cop_evaluator *evaluator, const cop_eval_setup *setup,
                                 const cop_genome *genome, const cop_shard *shard,
                                 cop_hidden_sink sink, void *user, cop_evidence *evidence,
                                 uint16_t *predictions) {
    cop_eval_setup own = *setup;
    cop_params params;
    void *self = NULL;
    const cop_mask *mask = &genome->mask;
    COP_ASSERT(setup->weighting.kind == COP_WEIGHTS_TRAINED);
    cop_params_init(&params, setup->model);
    cop_genome_params(genome, setup->model, setup->base, &params);
    own.base = &params;
    cop_status status = evaluator->create(&self, &own);
    if (status == COP_OK)
        status = evaluator->evaluate(self, &mask, 1, shard, sink, user, evidence, predictions);
    if (self) evaluator->destroy(self);
    cop_params_clear(&params);
    return status;
}

cop_status cop_evaluate_genomes(const cop_evaluator *evaluator, void *self,
                                const cop_eval_setup *setup, const cop_genome *const *genomes,
                                size_t count, const cop_shard *shard, cop_hidden_sink sink,
                                void *user, cop_evidence *evidence, uint16_t *predictions) {
    size_t own = 0, each = setup->weighting.values * shard->n;
    for (size_t i = 0; i < count; i++) own += genomes[i]->w != NULL;
    if (own == count && evaluator->evaluate_own)
        return evaluator->evaluate_own(self, genomes, count, shard, sink, user, evidence,
                                       predictions);
    if (own == 0) {
        const cop_mask **masks = COP_NEW_ARRAY(const cop_mask *, count);
        for (size_t i = 0; i < count; i++) masks[i] = &genomes[i]->mask;
        cop_status status = cop_evaluate_distinct(evaluator, self, setup, masks, count, shard, sink,
                                                  user, evidence, predictions);
        cop_free(masks);
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        part p = {i, sink, user};
        uint16_t *to = predictions ? predictions + i * each : NULL;
        bool fast = !genomes[i]->w || evaluator->evaluate_own;
        COP_TRY(fast ? cop_evaluate_genomes(evaluator, self, setup, genomes + i, 1, shard,
                                            sink ? pass_on : NULL, &p, &evidence[i], to)
                     : evaluate_alone(evaluator, setup, genomes[i], shard, sink ? pass_on : NULL,
                                      &p, &evidence[i], to));
    }
    return COP_OK;
}
