#include "prune.h"

#include <string.h>

#include "coppice/op.h"

/* A composition of nothing but the two ways to prune, and the shared values of the configuration.
 * Everything else of it is unused. */
static cop_status compose(const cop_pruning *p, cop_conf **conf, cop_plan **plan) {
    static const char *const task[] = {"none"};
    const cop_network *network = p->subject.network;
    double value[COP_VALUES_MAX];
    size_t values = cop_conf_reals(p->judge.conf, "evaluate", "values", value, COP_VALUES_MAX);
    cop_buf ini = {0};
    cop_buf_printf(&ini, "[vary]\nops = prune.random, prune.magnitude\n[prune.random]\nof = all\n"
                         "[prune.magnitude]\nof = all\n[evaluate]\n");
    cop_buf_printf(&ini, "signs = %s\n", cop_conf_text(p->judge.conf, "evaluate", "signs"));
    for (size_t v = 0; v < values && v < COP_VALUES_MAX; v++)
        cop_buf_printf(&ini, "%s%.17g", v ? ", " : "values = ", value[v]);
    cop_buf_printf(&ini, "\n");
    cop_status status = cop_conf_parse(conf, cop_run_schema(), cop_buf_text(&ini), "prune");
    if (status == COP_OK)
        status = cop_plan_create(plan, &(cop_plan_setup){.conf = *conf,
                                                         .model = network->model,
                                                         .base = &network->params,
                                                         .seed = p->seed,
                                                         .tasks = 1,
                                                         .task_names = task});
    cop_buf_clear(&ini);
    return status;
}

static cop_pruned *add(cop_pruning *p, const char *name) {
    cop_pruned *one = &p->network[p->count++];
    one->name = name;
    cop_mask_init(&one->mask, p->subject.network->mask.bits);
    return one;
}

cop_status cop_pruning_make(cop_pruning *p) {
    const cop_network *network = p->subject.network;
    const size_t all = network->mask.bits;
    cop_conf *conf = NULL;
    cop_plan *plan = NULL;
    cop_eval_setup setup = {0};
    cop_status status = COP_OK;
    COP_GO(compose(p, &conf, &plan));
    cop_plan_eval_setup(plan, &setup);
    p->weighting =
        network->weighting.kind == COP_WEIGHTS_TRAINED ? setup.weighting : network->weighting;
    p->network = COP_NEW_ARRAY(cop_pruned, 3 + p->repeats);
    cop_mask_fill(&add(p, "all edges")->mask);
    if (cop_mask_count(&network->mask) < all)
        cop_mask_copy(&add(p, "evolved")->mask, &network->mask);
    const double amount = (double)(all - p->edges) / (double)all;
    for (size_t k = 0; p->random && k < p->repeats; k++) {
        cop_pruned *one = add(p, "random");
        one->number = k + 1;
        one->made = true;
        /* the operator at place 0 of the list, and the stream of individual k */
        cop_recipe recipe = {.id = k, .varied = 1, .amount = {amount}};
        recipe.parent[0] = recipe.parent[1] = COP_FOUNDER;
        cop_plan_breed(plan, &recipe, NULL, NULL, &one->mask);
    }
    if (p->magnitude) {
        cop_pruned *one = add(p, "magnitude");
        one->made = true;
        cop_recipe recipe = {.varied = 2, .amount = {0, amount}};
        recipe.parent[0] = recipe.parent[1] = COP_FOUNDER;
        cop_plan_breed(plan, &recipe, NULL, NULL, &one->mask);
    }
    for (size_t i = 0; i < p->count; i++)
        COP_ASSERT(!p->network[i].made || cop_mask_count(&p->network[i].mask) == p->edges);
done:
    cop_plan_destroy(plan);
    cop_conf_destroy(conf);
    return status;
}

static void score(cop_pruning *p, const cop_judge *judge, const cop_evidence *evidence, size_t task,
                  bool shared) {
    for (size_t i = 0; i < p->count; i++) {
        cop_pruned_score *out = &p->network[i].score[task];
        size_t best = cop_judge_best(judge, &evidence[i]);
        double percent = 100.0 * (double)evidence[i].correct[best] / (double)evidence[i].samples;
        if (shared) {
            out->shared = percent;
            out->value = judge->setup.weighting.value[best];
        } else {
            out->trained = percent;
        }
    }
}

/* All networks on one task under one weighting; they are a block of relatives. */
static cop_status judge_task(cop_pruning *p, size_t t, const cop_judge *judge, bool shared) {
    cop_dataset *set = NULL;
    const cop_mask **masks = COP_NEW_ARRAY(const cop_mask *, p->count);
    cop_evidence *evidence = COP_NEW_ARRAY(cop_evidence, p->count);
    cop_status status = COP_OK;
    for (size_t i = 0; i < p->count; i++) masks[i] = &p->network[i].mask;
    cop_activity_set("evaluating pruned networks on task %s", p->tasks.items[t]);
    COP_GO(cop_judge_load(&p->judge, p->tasks.items[t], p->split, &set));
    cop_shard shard = {.x = set->x, .label = set->label, .n = set->samples, .head = set->head};
    COP_GO(judge->evaluator->evaluate(judge->engine, masks, p->count, &shard, NULL, NULL, evidence,
                                      NULL));
    score(p, judge, evidence, t, shared);
    p->samples[t] = set->samples;
done:
    cop_free(masks);
    cop_free(evidence);
    cop_dataset_destroy(set);
    return status;
}

cop_status cop_pruning_judge(cop_pruning *p) {
    cop_network *network = p->subject.network;
    const cop_weighting own = network->weighting;
    cop_status status = COP_OK;
    for (int shared = 0; shared < 2 && status == COP_OK; shared++) {
        const char *name = cop_conf_text(p->judge.conf, "evaluate", "arithmetic");
        if (!shared && strcmp(name, "sign") == 0) name = "sparse"; /* sign knows no weights */
        cop_judge judge = p->judge;                                /* its configuration is lent */
        network->weighting =
            shared ? p->weighting
                   : (cop_weighting){.kind = COP_WEIGHTS_TRAINED, .values = 1, .value = {1}};
        status = cop_judge_ready(&judge, name);
        snprintf(p->arithmetic[shared], sizeof p->arithmetic[shared], "%s", name);
        for (size_t t = 0; t < p->tasks.count && status == COP_OK; t++)
            status = judge_task(p, t, &judge, shared);
        if (judge.engine) judge.evaluator->destroy(judge.engine);
    }
    network->weighting = own;
    return status;
}

void cop_pruning_clear(cop_pruning *p) {
    for (size_t i = 0; i < p->count; i++) cop_mask_clear(&p->network[i].mask);
    cop_free(p->network);
    cop_list_clear(&p->tasks);
    cop_judge_close(&p->judge);
    cop_subject_close(&p->subject);
}
