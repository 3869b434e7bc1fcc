/* What a search found: the network with all edges and the best individual side by side, on the
 * evolution and test sets, both with the weights that individuals have. */
#include <math.h>
#include <string.h>

#include "search.h"

struct score {
    double accuracy, value; /* percent, at the best shared value */
    bool known;
};

/* Best accuracy over the shared values, ties to the smallest (as fitness counts it). The values are
 * compared on the very samples that are reported, which the table says. */
static struct score best_of(const cop_evidence *evidence, const cop_weighting *weighting) {
    struct score score = {0, weighting->value[0], evidence->samples > 0};
    uint64_t most = 0;
    for (size_t v = 0; v < weighting->values; v++)
        if (v == 0 || evidence->correct[v] > most) {
            most = evidence->correct[v];
            score.value = weighting->value[v];
        }
    if (evidence->samples) score.accuracy = 100.0 * (double)most / (double)evidence->samples;
    return score;
}

static cop_status score_set(const cop_experiment *e, const cop_dataset *set, size_t task,
                            const cop_genome *const genomes[2], struct score out[2]) {
    cop_eval_setup setup = e->setup;
    setup.hidden = 0;
    setup.block = 2;
    setup.memory = e->memory.limit_master;
    void *evaluator = NULL;
    cop_evidence sum[2] = {{0}}, part[2];
    size_t shard = 10 * setup.batch;
    COP_TRY(e->evaluator->create(&evaluator, &setup));
    cop_status status = COP_OK;
    for (size_t at = 0; at < set->samples && status == COP_OK; at += shard) {
        cop_shard s = {.x = set->x + at * cop_dataset_features(set),
                       .label = set->label + at,
                       .n = set->samples - at < shard ? set->samples - at : shard,
                       .batch_base = at / setup.batch,
                       .task = task,
                       .head = set->head};
        status = cop_evaluate_genomes(e->evaluator, evaluator, &setup, genomes, 2, &s, NULL, NULL,
                                      part, NULL);
        for (int i = 0; i < 2 && status == COP_OK; i++)
            cop_evidence_add(&sum[i], &part[i], setup.weighting.values, 0);
    }
    e->evaluator->destroy(evaluator);
    for (int i = 0; i < 2; i++) out[i] = best_of(&sum[i], &setup.weighting);
    return status;
}

static json_t *score_json(struct score score) {
    return score.known ? json_pack("{s:f,s:f}", "accuracy", score.accuracy, "value", score.value)
                       : json_null();
}

/* Where the table goes: the screen belongs to the caller of a run in the background. */
static FILE *stream(const cop_search *search) {
    return search->options->background ? search->directory->log : stdout;
}

static cop_status table(const cop_search *search, const cop_network *best, json_t *result) {
    FILE *out = stream(search);
    const cop_experiment *e = search->experiment;
    cop_genome full = {0}, found = {.mask = best->mask}; /* lent */
    cop_mask_init(&full.mask, e->model->weights);
    cop_mask_fill(&full.mask);
    if (cop_plan_is_dense(e->plan)) {
        found.w = COP_NEW_ARRAY(float, cop_mask_count(&best->mask));
        found.b = best->params.b;
        for (size_t edge = 0, at = 0; edge < e->model->weights; edge++)
            if (cop_mask_get(&best->mask, edge)) found.w[at++] = best->params.w[edge];
    }
    const cop_genome *const genomes[2] = {&full, &found};
    json_t *tasks = json_object();
    cop_status status = COP_OK;
    bool signs = e->setup.weighting.kind != COP_WEIGHTS_TRAINED;
    fprintf(out, "%-18s %-9s %14s %14s%s\n", "accuracy", "samples",
            signs ? "all edges" : "base network", "best found", signs ? "   shared weight" : "");
    for (size_t t = 0; t < e->tasks && status == COP_OK; t++) {
        const char *name = e->task_names.items[t];
        struct score evolve[2] = {{0}}, test[2] = {{0}};
        COP_GO(score_set(e, e->evolve[t], t, genomes, evolve));
        cop_dataset *set = NULL;
        if (cop_task_load(&set, e->conf, name, COP_SPLIT_TEST, e->data_dir) != COP_OK) {
            cop_log(COP_LOG_WARNING, "no test set for task %s: %s", name, cop_error_message());
            cop_error_clear();
        } else {
            if (set->samples) status = score_set(e, set, t, genomes, test);
            cop_dataset_destroy(set);
            if (status != COP_OK) goto done;
        }
        for (int row = 0; row < 2; row++) {
            const struct score *score = row ? test : evolve;
            if (!score[0].known) continue;
            fprintf(out, "%-18s %-9s %13.2f%% %13.2f%%", row ? "" : name,
                    row ? "test" : "evolution", score[0].accuracy, score[1].accuracy);
            if (signs) fprintf(out, "   %g and %g", score[0].value, score[1].value);
            fprintf(out, "\n");
        }
        json_object_set_new(tasks, name,
                            json_pack("{s:o,s:o,s:o,s:o}", "base_evolve", score_json(evolve[0]),
                                      "best_evolve", score_json(evolve[1]), "base_test",
                                      score_json(test[0]), "best_test", score_json(test[1])));
    }
    size_t edges = cop_mask_count(&best->mask);
    fprintf(out, "%-18s %-9s %14zu %14zu   %.2f %% are left\n", "edges", "", e->model->weights,
            edges, 100.0 * (double)edges / (double)e->model->weights);
    fprintf(out, "%-18s %-9s %14llu %14llu\n", "multiply-adds", "a sample",
            (unsigned long long)cop_model_macs(e->model, NULL),
            (unsigned long long)cop_model_macs(e->model, &best->mask));
    if (signs)
        fprintf(out,
                "(all edges: the base network's edges and biases under a shared weight, not its "
                "trained "
                "weights;\n shared weight: for either network the one with most right on the "
                "samples of "
                "that row, also where they are test samples)\n");
    json_object_set_new(result, "edges", json_integer((json_int_t)edges));
done:
    json_object_set_new(result, "tasks", tasks);
    cop_free(found.w);
    cop_genome_clear(&full);
    return status;
}

cop_status cop_summary_print(const cop_search *search, const char *reason, bool scores) {
    const cop_history *history = cop_engine_history(search->engine);
    const cop_generation *last = &history->generation[history->generations - 1];
    char *path = cop_sprintf("%s/best.h5", search->directory->path), text[32];
    FILE *out = stream(search);
    cop_network *best = NULL;
    cop_status status = COP_OK;
    cop_farm_stats stats;
    cop_farm_get_stats(search->farm, &stats);
    double elapsed = search->elapsed_before + cop_clock() - search->start;
    double workers = search->par->size > 1 ? search->par->size - 1 : 1;
    double busy = stats.worker_seconds / (workers * (cop_clock() - search->start));
    json_t *result =
        json_pack("{s:I,s:I,s:f,s:I,s:f,s:f,s:s}", "generation", (json_int_t)last->generation,
                  "evaluations", (json_int_t)last->evaluations, "best_ever",
                  isfinite(last->best_ever) ? last->best_ever : 0.0, "best_ever_id",
                  (json_int_t)last->best_ever_id, "seconds", elapsed, "utilisation", busy, "digest",
                  search->digest);
    json_object_set_new(result, "checkpoints",
                        json_pack("{s:I,s:f}", "written", (json_int_t)search->writes, "seconds",
                                  search->write_seconds));
    fprintf(out, "\n");
    if (scores) {
        COP_GO(cop_network_read(&best, path));
        COP_GO(table(search, best, result));
    }
    if (search->judged) {
        fprintf(out, "%-18s %-9s %14s %14.4f   individual %llu, the best of the last population\n",
                "fitness", "last", "", search->judged_fitness,
                (unsigned long long)search->judged_best);
        json_object_set_new(result, "final_id", json_integer((json_int_t)search->judged_best));
        if (isfinite(search->judged_fitness))
            json_object_set_new(result, "final_fitness", json_real(search->judged_fitness));
    }
    fprintf(out, "%-18s %-9s %14s %14.4f   individual %llu\n", "fitness", "", "", last->best_ever,
            (unsigned long long)last->best_ever_id);
    fprintf(out, "\n%u generations, %llu evaluations in %s (workers busy %.0f %%)%s%s\n",
            last->generation, (unsigned long long)last->evaluations,
            cop_format_seconds(elapsed, text), 100 * busy, reason ? "; ended because " : "",
            reason ? reason : "");
    if (search->writes)
        fprintf(out, "checkpoints: %llu written in %s, %.2f %% of the workers' time\n",
                (unsigned long long)search->writes, cop_format_seconds(search->write_seconds, text),
                100 * search->write_seconds / (workers * (cop_clock() - search->start)));
    cop_peaks_print(search, out);
    fprintf(out, "digest %s\n", search->digest);
    fprintf(out, "run directory: %s\n", search->directory->path);
    if (fflush(out) != 0) cop_log(COP_LOG_WARNING, "the result table could not be printed");
done:
    json_object_set_new(search->directory->run, "result", result);
    cop_network_destroy(best);
    cop_free(path);
    return status;
}
