/* Children from recipes. */
#include "evo/plan.h"

#include <math.h>

#include "evo/ops/schedule.h"

void cop_recipe_vary(const cop_plan *plan, cop_recipe *recipe) {
    for (size_t k = 0; k < plan->varies; k++) {
        recipe->varied |= 1u << k;
        recipe->amount[k] = cop_schedule_at(plan, plan->vary[k]->section, recipe->born);
    }
}

cop_status cop_plan_check_recipe(const cop_plan *plan, const cop_recipe *recipe) {
    const cop_op *op = plan->op[COP_ROLE_CROSS];
    const char *wrong = NULL;
    if (recipe->id > UINT32_MAX) wrong = "its number is too large";
    if (recipe->crossed > 1 || recipe->varied >> plan->varies)
        wrong = "it names operators that are not there";
    if (recipe->crossed && op->as.cross.cuts) {
        uint64_t cuts = op->as.cross.cuts(plan);
        if (recipe->cut > cuts || (recipe->cut > 0) != (cuts > 0))
            wrong = "its cut is at no place of a genome";
    } else if (recipe->crossed) {
        wrong = "it is crossed, which this search does not do";
    }
    if (recipe->crossed && plan->dense &&
        (recipe->parent[0] == COP_FOUNDER || recipe->parent[1] == COP_FOUNDER))
        wrong = "it is crossed with nobody";
    for (size_t k = 0; k < plan->varies && !wrong; k++) {
        if (!(recipe->varied >> k & 1)) continue;
        double most = cop_schedule_most(plan, plan->vary[k]->section);
        /* a schedule's last bits may be another machine's */
        if (!(recipe->amount[k] >= 0 && recipe->amount[k] <= most + 1e-9 * fabs(most)))
            wrong = "it varies by more than this search does";
    }
    if (wrong)
        return cop_fail(COP_E_FORMAT, "the recipe of individual %llu is impossible: %s",
                        (unsigned long long)recipe->id, wrong);
    return COP_OK;
}

static void cross(const cop_plan *plan, const cop_recipe *recipe, const cop_mask *b,
                  cop_mask *child) {
    const cop_op *op = plan->op[COP_ROLE_CROSS];
    COP_ASSERT(op->as.cross.cuts);
    uint64_t cuts = op->as.cross.cuts(plan);
    COP_ASSERT(recipe->cut <= cuts && (recipe->cut > 0) == (cuts > 0));
    cop_mask founder = {0};
    if (!b) {
        cop_mask_init(&founder, child->bits);
        cop_mask_fill(&founder);
    }
    cop_rng rng = cop_rng_at(plan->seed, recipe->born, (uint32_t)recipe->id, COP_FOR_CROSS_GENES);
    op->as.cross.apply(plan, recipe, b ? b : &founder, child, &rng);
    cop_mask_clear(&founder);
}

static void breed_dense(const cop_plan *plan, const cop_recipe *recipe, const cop_genome *a,
                        const cop_genome *b, cop_genome *child) {
    if (a)
        cop_genome_copy(child, a, plan->model);
    else
        plan->op[COP_ROLE_INITIALISE]->dense.found(plan, recipe, child);
    if (recipe->crossed) {
        COP_ASSERT(a && b);
        cop_rng rng =
            cop_rng_at(plan->seed, recipe->born, (uint32_t)recipe->id, COP_FOR_CROSS_GENES);
        plan->op[COP_ROLE_CROSS]->dense.apply(plan, recipe, b, child, &rng);
        if (!plan->op[COP_ROLE_CROSS]->dense.names) cop_genome_unname(child);
    }
    for (size_t k = 0; k < plan->varies; k++) {
        if (!(recipe->varied >> k & 1)) continue;
        cop_rng rng = cop_rng_at(plan->seed, recipe->born, (uint32_t)recipe->id,
                                 COP_FOR_VARY + 16 * (uint32_t)k);
        plan->vary[k]->dense.vary(plan, recipe->amount[k], child, &rng);
        if (!plan->vary[k]->dense.names) cop_genome_unname(child);
    }
    cop_genome_name(child, plan->model);
}

void cop_plan_breed_genome(const cop_plan *plan, const cop_recipe *recipe, const cop_genome *a,
                           const cop_genome *b, cop_genome *child) {
    *child = (cop_genome){0};
    if (plan->dense) {
        breed_dense(plan, recipe, a, b, child);
        return;
    }
    cop_mask_init(&child->mask, plan->model->weights);
    cop_plan_breed(plan, recipe, a ? &a->mask : NULL, b ? &b->mask : NULL, &child->mask);
}

void cop_plan_breed(const cop_plan *plan, const cop_recipe *recipe, const cop_mask *a,
                    const cop_mask *b, cop_mask *child) {
    COP_ASSERT(child->bits == plan->model->weights && recipe->id <= UINT32_MAX);
    COP_ASSERT((!a || a->bits == child->bits) && (!b || b->bits == child->bits));
    COP_ASSERT(recipe->varied >> plan->varies == 0 && !plan->dense);
    if (a)
        cop_mask_copy(child, a);
    else
        cop_mask_fill(child);
    if (recipe->crossed) cross(plan, recipe, b, child);
    for (size_t k = 0; k < plan->varies; k++) {
        if (!(recipe->varied >> k & 1)) continue;
        cop_rng rng = cop_rng_at(plan->seed, recipe->born, (uint32_t)recipe->id,
                                 COP_FOR_VARY + 16 * (uint32_t)k);
        plan->vary[k]->as.vary(plan, recipe->amount[k], child, &rng);
    }
}
