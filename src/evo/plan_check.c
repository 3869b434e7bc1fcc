/* What a composition must satisfy beyond the bounds of single options. */
#include "evo/plan.h"

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

cop_status cop_plan_check(cop_plan *plan) {
    COP_TRY(check_batches(plan));
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
    if (plan->hidden == 0 || most >= plan->batch) return COP_OK;
    /* else every individual would count as failed */
    return cop_conf_fail(plan->conf, "evaluate", "batch",
                         "no task fills a batch (the largest has %zu samples to evolve on), and "
                         "[similarity] compares whole batches: make it smaller",
                         most);
}
