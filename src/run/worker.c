/* What a worker rank does: breeds from recipes, evaluates units, writes checkpoints. */
#include "coppice/io.h"
#include "experiment.h"

#include <stdlib.h>
#include <string.h>

#include "samples.h"
#include "targets.h"

struct cop_worker {
    const cop_experiment *experiment;
    const cop_par *par;
    void *evaluator;
    cop_targets *targets; /* of the similarity; NULL when it is not wanted */

    struct genome {
        uint64_t id;
        cop_genome genes;
    } * live; /* sorted by id */
    size_t live_count;

    size_t bred; /* newborn ones: ids first_bred .. */
    uint64_t first_bred;
    uint32_t born; /* their generation */
    cop_samples *samples;
    long fault_individual; /* COPPICE_FAULT, for tests of the failure path; -1: none */
};

/* ------------------------------------------------------------------ genome store */

static struct genome *find(const cop_worker *worker, uint64_t id) {
    size_t low = 0, high = worker->live_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (worker->live[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < worker->live_count && worker->live[low].id == id ? &worker->live[low] : NULL;
}

void cop_worker_adopt(cop_worker *worker, uint64_t id, cop_genome *genes) {
    if (find(worker, id)) {
        cop_genome_clear(genes);
        return;
    }
    worker->live =
        cop_realloc(worker->live, worker->live_count, worker->live_count + 1, sizeof *worker->live);
    size_t at = worker->live_count++;
    for (; at > 0 && worker->live[at - 1].id > id; at--) worker->live[at] = worker->live[at - 1];
    worker->live[at].id = id;
    worker->live[at].genes = *genes;
    *genes = (cop_genome){0};
}

const cop_mask *cop_worker_genome(const cop_worker *worker, uint64_t id) {
    const struct genome *genome = find(worker, id);
    return genome ? &genome->genes.mask : NULL;
}

static cop_status parent(const cop_worker *worker, const cop_recipe *recipe, int which,
                         const cop_genome **genes) {
    *genes = NULL;
    if (recipe->parent[which] == COP_FOUNDER) return COP_OK;
    struct genome *genome = find(worker, recipe->parent[which]);
    if (!genome)
        return cop_fail(COP_E_PEER,
                        "individual %llu cannot be bred: its parent %llu is not alive here",
                        (unsigned long long)recipe->id, (unsigned long long)recipe->parent[which]);
    *genes = &genome->genes;
    return COP_OK;
}

static cop_status breed(void *user, const cop_recipe *recipes, size_t count) {
    cop_worker *worker = user;
    for (size_t i = 0; i < count; i++) {
        const cop_genome *a, *b;
        cop_genome child;
        cop_activity_set("breeding individual %llu", (unsigned long long)recipes[i].id);
        COP_TRY(parent(worker, &recipes[i], 0, &a));
        COP_TRY(parent(worker, &recipes[i], 1, &b));
        if (recipes[i].id != recipes[0].id + i ||
            (worker->live_count && i == 0 &&
             recipes[0].id <= worker->live[worker->live_count - 1].id))
            return cop_fail(COP_E_PEER, "individual %llu is out of order",
                            (unsigned long long)recipes[i].id);
        COP_TRY(cop_plan_check_recipe(worker->experiment->plan, &recipes[i]));
        cop_plan_breed_genome(worker->experiment->plan, &recipes[i], a, b, &child);
        cop_worker_adopt(worker, recipes[i].id, &child);
    }
    worker->born = count ? recipes[0].born : 0;
    worker->first_bred = count ? recipes[0].id : 0;
    worker->bred = count;
    return COP_OK;
}

static int by_id(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static cop_status keep(void *user, const uint64_t *ids, size_t count) {
    cop_worker *worker = user;
    uint64_t *sorted = COP_NEW_ARRAY(uint64_t, count);
    size_t kept = 0;
    if (count) memcpy(sorted, ids, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_id);
    for (size_t i = 0; i < worker->live_count; i++) {
        if (bsearch(&worker->live[i].id, sorted, count, sizeof *sorted, by_id))
            worker->live[kept++] = worker->live[i];
        else
            cop_genome_clear(&worker->live[i].genes);
    }
    worker->live_count = kept;
    worker->bred = 0;
    cop_free(sorted);
    if (kept != count)
        return cop_fail(COP_E_PEER, "%zu genomes are to be kept but only %zu of them are here",
                        count, kept);
    return COP_OK;
}

/* ------------------------------------------------------------------ evaluation */

static cop_status compare_hidden(void *user, size_t individual, size_t which, const double *rows,
                                 size_t n, size_t width, size_t task, size_t batch,
                                 cop_evidence *evidence) {
    const cop_worker *worker = user;
    (void)individual;
    return cop_targets_compare(worker->targets, which, rows, n, width, task, batch, evidence);
}

static cop_status evaluate_genomes(cop_worker *worker, const cop_genome *const *genomes,
                                   size_t count, const cop_shard *shard, cop_evidence *evidence) {
    const cop_experiment *e = worker->experiment;
    bool similarity = worker->targets && shard->batch_base < e->similarity_batches;
    if (similarity) cop_targets_draw(worker->targets, shard);
    return cop_evaluate_genomes(e->evaluator, worker->evaluator, &e->setup, genomes, count, shard,
                                similarity ? compare_hidden : NULL, worker, evidence, NULL);
}

static void say_what(const cop_experiment *e, const cop_shard *shard, uint64_t id, size_t count) {
    char who[64];
    if (count == 1)
        snprintf(who, sizeof who, "individual %llu", (unsigned long long)id);
    else
        snprintf(who, sizeof who, "individuals %llu to %llu", (unsigned long long)id,
                 (unsigned long long)(id + count - 1));
    if (e->draw) {
        cop_activity_set("evaluating %s on task %s", who, e->task_names.items[shard->task]);
        return;
    }
    size_t first = shard->batch_base * e->setup.batch;
    cop_activity_set("evaluating %s on task %s, samples %zu to %zu", who,
                     e->task_names.items[shard->task], first, first + shard->n - 1);
}

static cop_status evaluate(void *user, const cop_unit *unit, cop_buf *result) {
    cop_worker *worker = user;
    const cop_experiment *e = worker->experiment;
    if (unit->shard >= cop_samples_count(e, worker->born) || unit->count == 0 ||
        unit->first >= worker->bred || unit->count > worker->bred - unit->first)
        return cop_fail(COP_E_PEER, "unit %u asks for individuals or samples that are not here",
                        unit->number);
    const cop_shard *shard = cop_samples_shard(worker->samples, worker->born, unit->shard);
    const struct genome *first = find(worker, worker->first_bred + unit->first);
    COP_ASSERT(first && first + unit->count <= worker->live + worker->live_count);
    const cop_genome **genes = COP_NEW_ARRAY(const cop_genome *, unit->count);
    cop_evidence *evidence = COP_NEW_ARRAY(cop_evidence, unit->count);
    for (size_t i = 0; i < unit->count; i++) genes[i] = &first[i].genes;
    say_what(e, shard, first->id, unit->count);
    cop_status status = evaluate_genomes(worker, genes, unit->count, shard, evidence);
    if (status != COP_OK && unit->count > 1) {
        /* one by one, to name the individual at fault */
        status = COP_OK;
        for (size_t i = 0; i < unit->count && status == COP_OK; i++) {
            say_what(e, shard, first[i].id, 1);
            status = evaluate_genomes(worker, genes + i, 1, shard, evidence + i);
        }
    }
    for (size_t i = 0; i < unit->count && status == COP_OK; i++)
        if (worker->fault_individual >= 0 && first[i].id == (uint64_t)worker->fault_individual) {
            say_what(e, shard, first[i].id, 1);
            status = cop_fail(COP_E_EVALUATE, "failed on request (COPPICE_FAULT)");
        }
    cop_unit_head head = {unit->count, (uint32_t)e->model->count};
    cop_buf_add(result, &head, sizeof head);
    for (size_t i = 0; i < unit->count && status == COP_OK; i++) {
        cop_buf_add(result, &evidence[i], sizeof evidence[i]);
        for (size_t l = 0; l < e->model->count; l++) {
            const cop_layer *layer = &e->model->layers[l];
            uint64_t edges = cop_mask_count_range(&genes[i]->mask, layer->weight_begin,
                                                  layer->weight_begin + layer->weights);
            cop_buf_add(result, &edges, sizeof edges);
        }
    }
    cop_free(evidence);
    cop_free(genes);
    return status;
}

/* ------------------------------------------------------------------ writing */

static cop_status write_best(const cop_worker *worker, const cop_write_request *request,
                             const char *config) {
    const cop_experiment *e = worker->experiment;
    struct genome *best = find(worker, request->shown);
    if (!best)
        return cop_fail(COP_E_PEER, "individual %llu is to be written but is not alive here",
                        (unsigned long long)request->shown);
    cop_network network = {.model = e->model,
                           .mask = best->genes.mask,
                           .weighting = e->setup.weighting,
                           .id = request->shown};
    cop_params_init(&network.params, e->model);
    cop_genome_params(&best->genes, e->model, &e->base, &network.params);
    char *path = cop_sprintf("%s/best.h5", request->directory);
    network.config = cop_strdup(config);
    cop_status status = cop_network_write(&network, path);
    cop_params_clear(&network.params);
    cop_free(network.config);
    cop_free(path);
    return status;
}

/* Aside, synced, read back and checked, renamed: only then does the master hear of it. The history,
 * once written, makes room for the one that is read back. */
static cop_status write_checkpoint(cop_checkpoint *checkpoint, const char *path,
                                   cop_write_answer *answer) {
    char *aside = cop_publish_name(path);
    cop_checkpoint *again = NULL;
    cop_status status = COP_OK;
    cop_fault_point("checkpoint.begin");
    COP_GO(cop_checkpoint_write(checkpoint, aside));
    cop_fault_point("checkpoint.written");
    char digest[COP_HASH_HEX];
    cop_checkpoint_digest(checkpoint, answer->digest);
    cop_history_clear(&checkpoint->history);
    COP_GO(cop_checkpoint_read(&again, aside));
    cop_checkpoint_digest(again, digest);
    if (strcmp(digest, answer->digest) != 0)
        COP_GO(cop_fail(COP_E_IO,
                        "%s: what was read back is not what was written: is the disk failing?",
                        aside));
    COP_GO(cop_hash_file(aside, answer->sha256));
    cop_fault_point("checkpoint.checked");
    COP_GO(cop_publish(aside, path));
    cop_fault_point("checkpoint.renamed");
    FILE *file = fopen(path, "rb");
    if (file && fseek(file, 0, SEEK_END) == 0) answer->bytes = (uint64_t)ftell(file);
    if (file) fclose(file);
done:
    if (status != COP_OK) remove(aside);
    cop_checkpoint_destroy(again);
    cop_free(aside);
    return status;
}

static cop_status write_files(void *user, const void *bytes, size_t length, cop_buf *result) {
    cop_worker *worker = user;
    const cop_experiment *e = worker->experiment;
    double start = cop_clock();
    const cop_write_request *request = bytes;
    if (length < sizeof *request || request->provenance_length > length - sizeof *request ||
        !memchr(request->directory, 0, sizeof request->directory) ||
        !memchr(request->file, 0, sizeof request->file))
        return cop_fail(COP_E_PEER, "a request to write is cut short");
    if (!cop_ledger_name_good(request->file))
        return cop_fail(COP_E_PEER, "a request to write a file that is not in the run directory");
    cop_activity_set("writing %.60s", request->file);
    const char *provenance = (const char *)(request + 1);
    cop_checkpoint checkpoint = {0};
    cop_network base = {.model = e->model, .params = e->base};
    cop_write_answer answer = {0};
    cop_buf config = {0};
    cop_status status = COP_OK;
    cop_conf_write(e->conf, &config, COP_CONF_ALL);
    checkpoint.provenance = cop_sprintf("%.*s", (int)request->provenance_length, provenance);
    COP_GO(cop_history_unpack(&checkpoint.history, provenance + request->provenance_length,
                              length - sizeof *request - request->provenance_length));
    cop_network_keep_all(&base);
    base.config = cop_strdup(cop_buf_text(&config));
    checkpoint.config = cop_strdup(cop_buf_text(&config));
    checkpoint.run_id = cop_sprintf("%.63s", request->run_id);
    checkpoint.science_hash = cop_strdup(e->science);
    checkpoint.base = &base;
    checkpoint.measure_names = cop_plan_measures(e->plan)->names;
    checkpoint.task_names = e->task_names.items;
    checkpoint.tasks = e->tasks;
    checkpoint.elapsed = request->elapsed;
    checkpoint.complete = request->complete;
    /* the population in rank order, then the best ever if it is not among it */
    const cop_history *history = &checkpoint.history;
    bool best_lives = false;
    checkpoint.genome_id = COP_NEW_ARRAY(uint64_t, history->population + 1);
    checkpoint.genome = COP_NEW_ARRAY(cop_genome, history->population + 1);
    for (size_t i = 0; i < history->population; i++) {
        checkpoint.genome_id[checkpoint.genomes++] = history->live[i];
        best_lives |= history->live[i] == request->best;
    }
    if (!best_lives) checkpoint.genome_id[checkpoint.genomes++] = request->best;
    for (size_t i = 0; i < checkpoint.genomes; i++) {
        struct genome *genome = find(worker, checkpoint.genome_id[i]);
        if (!genome)
            COP_GO(cop_fail(COP_E_PEER, "individual %llu is to be stored but is not alive here",
                            (unsigned long long)checkpoint.genome_id[i]));
        checkpoint.genome[i] = genome->genes; /* lent */
    }
    char *path = cop_sprintf("%.4095s/%.63s", request->directory, request->file);
    status = write_checkpoint(&checkpoint, path, &answer);
    cop_free(path);
    COP_GO(status);
    COP_GO(write_best(worker, request, cop_buf_text(&config)));
    answer.seconds = cop_clock() - start;
    cop_buf_add(result, &answer, sizeof answer);
done:
    cop_free(checkpoint.provenance);
    cop_free(checkpoint.config);
    cop_free(checkpoint.run_id);
    cop_free(checkpoint.science_hash);
    cop_free(checkpoint.genome_id);
    cop_free(checkpoint.genome);
    cop_history_clear(&checkpoint.history);
    cop_free(base.config);
    cop_mask_clear(&base.mask);
    cop_buf_clear(&config);
    return status;
}

/* ------------------------------------------------------------------ life */

cop_status cop_worker_create(cop_worker **out, const cop_experiment *e, const cop_par *par) {
    cop_worker *worker = COP_NEW(cop_worker);
    *out = worker;
    worker->experiment = e;
    worker->par = par;
    worker->fault_individual = -1;
    const char *fault = getenv("COPPICE_FAULT"); /* "evaluate:ID": the failure path on request */
    if (fault && strncmp(fault, "evaluate:", 9) == 0)
        worker->fault_individual = strtol(fault + 9, NULL, 10);
    COP_TRY(e->evaluator->create(&worker->evaluator, &e->setup));
    worker->samples = cop_samples_create(e);
    if (e->setup.hidden) worker->targets = cop_targets_create(e);
    return COP_OK;
}

void cop_worker_destroy(cop_worker *worker) {
    if (!worker) return;
    if (worker->evaluator) worker->experiment->evaluator->destroy(worker->evaluator);
    cop_targets_destroy(worker->targets);
    cop_samples_destroy(worker->samples);
    for (size_t i = 0; i < worker->live_count; i++) cop_genome_clear(&worker->live[i].genes);
    cop_free(worker->live);
    cop_free(worker);
}

cop_farm_work cop_worker_work(cop_worker *worker) {
    return (cop_farm_work){worker, breed, evaluate, keep, write_files, NULL};
}
