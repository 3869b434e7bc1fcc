/* Stop rules that are a function of the history. */
#include "evo/engine.h"

/* Generations since the best ever was last replaced. */
static size_t stagnant(const cop_history *h) {
    size_t last = h->generations - 1, since = 0;
    while (since < last &&
           h->generation[last - since - 1].best_ever_id == h->generation[last].best_ever_id)
        since++;
    return since;
}

bool cop_engine_finished(const cop_engine *engine, const char **reason) {
    const cop_conf *conf = engine->plan->conf;
    const cop_history *h = &engine->history;
    const char *why = NULL;
    if (h->generations > 0) { /* an initial population is always evaluated */
        uint64_t generations = (uint64_t)cop_conf_int(conf, "stop", "generations");
        uint64_t evaluations = (uint64_t)cop_conf_int(conf, "stop", "evaluations");
        uint64_t stagnation = (uint64_t)cop_conf_int(conf, "stop", "stagnation");
        double target = cop_conf_real(conf, "stop", "target");
        if (h->generation[h->generations - 1].best_ever >= target)
            why = "target fitness reached";
        else if (h->generations - 1 >= generations)
            why = "all generations done";
        else if (evaluations > 0 && h->individuals + engine->plan->pool.children > evaluations)
            why = "all evaluations used";
        else if (stagnation > 0 && stagnant(h) >= stagnation)
            why = "no improvement for long enough";
        else if (h->individuals + engine->plan->pool.children > UINT32_MAX)
            why = "all ids used"; /* 2^32 of them: they address random streams */
    }
    if (reason) *reason = why;
    return why != NULL;
}
