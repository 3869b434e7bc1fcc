/* What a composition must satisfy beyond the bounds of single options. */
#include "evo/plan.h"

#include <string.h>

/* Shards are cut at batch borders, so that a batch holds the same samples however the work is cut.
 */
static cop_status check_batches(const cop_plan *plan) {
    int64_t shard = cop_conf_int(plan->conf, "evaluate", "shard");
    if (shard % (int64_t)plan->batch != 0)
        return cop_conf_fail(
            plan->conf, "evaluate", "shard",
            "must be a multiple of [evaluate] batch = %zu, for example %lld", plan->batch,
            (long long)((shard / (int64_t)plan->batch + 1) * (int64_t)plan->batch));
    double perplexity = cop_conf_real(plan->conf, "similarity", "perplexity");
    /* a sample has batch - 1 neighbours; at that perplexity all would count alike */
    if (plan->hidden > 0 && !(perplexity < (double)plan->batch - 1))
        return cop_conf_fail(
            plan->conf, "similarity", "perplexity",
            "must be below the number of neighbours in a batch, [evaluate] batch - 1 = "
            "%zu",
            plan->batch - 1);
    return COP_OK;
}

static cop_status wrong_kind(const cop_plan *plan, const cop_op *op) {
    const char *role = cop_role_name(op->role);
    return cop_conf_fail(plan->conf, role, op->role == COP_ROLE_VARY ? "ops" : "op",
                         "%s works on %s, and [initialise] op = %s makes %s", op->name,
                         plan->dense ? "masks" : "genomes with weights of their own",
                         plan->op[COP_ROLE_INITIALISE]->name,
                         plan->dense ? "genomes with weights of their own" : "masks");
}

/* Operators that touch genes fit the genomes that [initialise] makes. */
static cop_status check_kinds(const cop_plan *plan) {
    const cop_op *cross = plan->op[COP_ROLE_CROSS];
    if (cross->as.cross.decide && (cross->dense.apply != NULL) != plan->dense)
        return wrong_kind(plan, cross);
    for (size_t k = 0; k < plan->varies; k++)
        if ((plan->vary[k]->dense.vary != NULL) != plan->dense)
            return wrong_kind(plan, plan->vary[k]);
    if (plan->dense && strcmp(plan->op[COP_ROLE_EVALUATE]->name, "trained_weights") != 0)
        return cop_conf_fail(plan->conf, "evaluate", "op",
                             "individuals have weights of their own: set op = trained_weights");
    return COP_OK;
}

/* Numbers of different samples must not be compared. */
static cop_status check_draw(const cop_plan *plan) {
    if (plan->draw == 0) return COP_OK;
    cop_pool pool = {0};
    plan->op[COP_ROLE_POOL]->as.pool(plan, plan->population, &pool);
    if (pool.elites > 0 || strcmp(plan->op[COP_ROLE_SURVIVE]->name, "generational") != 0)
        return cop_conf_fail(plan->conf, "evaluate", "draw",
                             "each generation is judged on other samples, so nobody may survive "
                             "with an old fitness: set [survive] op = generational, and [pool] op "
                             "= reborn (or elite = 0)");
    if (cop_conf_int(plan->conf, "similarity", "batches") > 0)
        return cop_conf_fail(plan->conf, "similarity", "batches",
                             "[evaluate] draw says how many batches there are: leave it at 0");
    return COP_OK;
}

cop_status cop_plan_check(cop_plan *plan) {
    COP_TRY(check_batches(plan));
    COP_TRY(check_kinds(plan));
    COP_TRY(check_draw(plan));
    for (cop_role role = 0; role < COP_ROLES; role++)
        if (role != COP_ROLE_VARY && plan->op[role]->check) COP_TRY(plan->op[role]->check(plan));
    for (size_t k = 0; k < plan->varies; k++)
        if (plan->vary[k]->check) COP_TRY(plan->vary[k]->check(plan));
    return COP_OK;
}

cop_status cop_plan_check_samples(const cop_plan *plan, const size_t *samples) {
    size_t most = 0;
    for (size_t t = 0; t < plan->tasks; t++)
        if (samples[t] > most) most = samples[t];
    for (size_t t = 0; t < plan->tasks && plan->draw > 0; t++) {
        size_t subset = (size_t)cop_conf_int(plan->conf, "evaluate", "subset");
        size_t from = subset && subset < samples[t] ? subset : samples[t];
        if (from / plan->batch < plan->draw)
            return cop_conf_fail(plan->conf, "evaluate", "draw",
                                 "%zu batches of %zu each generation, but task %s has %zu samples "
                                 "to draw from: make it smaller",
                                 plan->draw, plan->batch, plan->task_names[t], from);
    }
    if (plan->hidden == 0 || most >= plan->batch) return COP_OK;
    /* else every individual would count as failed */
    return cop_conf_fail(plan->conf, "evaluate", "batch",
                         "no task fills a batch (the largest has %zu samples to evolve on), and "
                         "[similarity] compares whole batches: make it smaller",
                         most);
}
