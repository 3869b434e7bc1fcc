#include "bench_world.h"

#include "run/generation.h"

#include <string.h>

const char cop_bench_ga[] = "[population]\nsize = 20\n"
                            "[initialise]\nop = base_and_pruned\n"
                            "[evaluate]\nop = weight_agnostic\nvalues = 0.5, 1, 2\nsigns = keep\n"
                            "[fitness]\nop = padawann\n"
                            "[rank]\nop = scalar\n"
                            "[pool]\nop = elite_cull\nelite = 0.3\ncull = 0.3\n"
                            "[select]\nop = tournament\nsize = 8\n"
                            "[cross]\nop = one_point\nover = edges\nprobability = 0.5\n"
                            "[vary]\nops = prune.random\n"
                            "[prune.random]\namount = 0.025\nof = all\n"
                            "[survive]\nop = elite\n"
                            "[stop]\ngenerations = 50\n";

/* A few seconds: enough that the network knows the digits, as the searches of PADAWANN begin. */
static const char base[] = "[base]\ntask = digits\nepochs = 2\nbatch = 50\noptimiser = adam\n"
                           "rate = 0.002\n";

/* Drawn digits and letters a to j in equal parts, as PADAWANN's two tasks. Of 26 letters drawn in
 * turn ten are kept. */
static cop_status configure(const cop_bench_world *w, uint64_t samples, cop_conf **conf) {
    cop_buf text = {0};
    unsigned long long digits = (samples + 1) / 2, letters = samples / 2;
    cop_buf_printf(&text, "%s%s[network]\ninput = %s\nlayers = %s\n", cop_bench_ga, base,
                   w->net->input, w->net->layers);
    cop_buf_printf(&text,
                   "[task.digits]\nsource = glyphs-digits\ntrain_samples = 2000\n"
                   "evolve_samples = %llu\n",
                   digits);
    cop_buf_printf(&text,
                   "[task.letters]\nsource = glyphs-letters\nclasses = a,b,c,d,e,f,g,h,i,j\n"
                   "evolve_samples = %llu\nevolve_limit = %llu\n",
                   (letters + 9) / 10 * 26, letters);
    char *sets[] = {
        cop_sprintf("population.size=%llu", (unsigned long long)w->population),
        cop_sprintf("stop.generations=%llu", (unsigned long long)w->generation + 1),
        cop_sprintf("evaluate.values=%s", w->values),
        cop_sprintf("evaluate.arithmetic=%s", w->evaluator),
    };
    cop_status status = cop_conf_parse(conf, cop_run_schema(), cop_buf_text(&text), "bench");
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (status == COP_OK) status = cop_conf_set(*conf, sets[i]);
        cop_free(sets[i]);
    }
    cop_buf_clear(&text);
    return status;
}

static cop_status load(cop_bench_world *w, const cop_par *par) {
    cop_experiment *few = &w->breeding, *all = &w->timed;
    COP_TRY(configure(w, w->fitness_samples, &few->conf));
    COP_TRY(configure(w, w->samples, &all->conf));
    COP_TRY(cop_experiment_load(few, par));
    COP_TRY(cop_experiment_load(all, par));
    COP_TRY(cop_experiment_base(few, par));
    cop_params_init(&all->base, all->model);
    all->base_ready = true;
    cop_params_copy(&all->base, &few->base);
    COP_TRY(cop_experiment_compose(few));
    return cop_experiment_compose(all);
}

/* What the search asks for and keeps, remembered generation by generation. */
static void remember(cop_bench_world *w, size_t g, const cop_recipe *recipes, size_t count) {
    w->births[g] = count;
    w->recipes[g] = COP_NEW_ARRAY(cop_recipe, count);
    memcpy(w->recipes[g], recipes, count * sizeof *recipes);
}

static cop_status search(cop_bench_world *w, const cop_par *par) {
    const cop_experiment *e = &w->breeding;
    size_t width = cop_plan_measures(e->plan)->count, count;
    cop_engine *engine = cop_engine_create(e->plan);
    cop_worker *worker = NULL;
    cop_farm *farm = NULL;
    double *measures = COP_NEW_ARRAY(double, w->population *width);
    cop_status status = COP_OK;
    COP_GO(cop_worker_create(&worker, e, par));
    cop_farm_work work = cop_worker_work(worker);
    farm = cop_farm_create(par, &work);
    for (size_t g = 0; g < w->generation; g++) {
        const cop_recipe *recipes = cop_engine_ask(engine, &count);
        COP_ASSERT(count <= w->population);
        remember(w, g, recipes, count);
        COP_GO(cop_generation_evaluate(e, farm, 1, recipes, count, NULL, NULL, measures));
        cop_engine_tell(engine, measures);
        const uint64_t *ids = cop_engine_keep(engine, &w->kept[g]);
        w->keep[g] = COP_NEW_ARRAY(uint64_t, w->kept[g]);
        memcpy(w->keep[g], ids, w->kept[g] * sizeof *ids);
        COP_GO(cop_farm_keep(farm, ids, w->kept[g]));
    }
    const cop_recipe *recipes = cop_engine_ask(engine, &count);
    remember(w, w->generation, recipes, count);
done:
    cop_farm_destroy(farm);
    cop_worker_destroy(worker);
    cop_engine_destroy(engine);
    cop_free(measures);
    return status;
}

cop_status cop_bench_world_create(cop_bench_world *w, const cop_par *par) {
    w->recipes = COP_NEW_ARRAY(cop_recipe *, w->generation + 1);
    w->births = COP_NEW_ARRAY(size_t, w->generation + 1);
    w->keep = COP_NEW_ARRAY(uint64_t *, w->generation + 1);
    w->kept = COP_NEW_ARRAY(size_t, w->generation + 1);
    COP_TRY(load(w, par));
    return search(w, par);
}

void cop_bench_world_clear(cop_bench_world *w) {
    for (size_t g = 0; g <= w->generation && w->recipes; g++) {
        cop_free(w->recipes[g]);
        cop_free(w->keep[g]);
    }
    cop_free(w->recipes);
    cop_free(w->births);
    cop_free(w->keep);
    cop_free(w->kept);
    cop_experiment_clear(&w->breeding);
    cop_experiment_clear(&w->timed);
}

cop_status cop_bench_world_worker(const cop_bench_world *w, const cop_par *par,
                                  cop_worker **worker) {
    COP_TRY(cop_worker_create(worker, &w->timed, par));
    cop_farm_work work = cop_worker_work(*worker);
    for (size_t g = 0; g < w->generation; g++) {
        COP_TRY(work.breed(work.user, w->recipes[g], w->births[g]));
        COP_TRY(work.keep(work.user, w->keep[g], w->kept[g]));
    }
    return COP_OK;
}
