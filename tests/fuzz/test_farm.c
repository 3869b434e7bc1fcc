/* Hostile messages of the farm, to a worker and to the master. MPI is played by this file: the
 * program's own definitions go before those of the library, so everything of coppice runs as it is,
 * without a launcher. What a worker breeds, evaluates and writes is real; so is what the master
 * does with evidence. */
#include "fuzz.h"

#include "coppice/io.h"
#include "par/farm.h"
#include "run/experiment.h"
#include "run/generation.h"
#include "run/samples.h"

#include <fcntl.h>
#include <unistd.h>

/* ------------------------------------------------------------------ MPI */

enum { MASTER_SEES = 3 }; /* ranks */

static struct {
    const uint8_t *at, *end; /* frames: kind, length (2 bytes), flags, payload */
    bool master, pause;
    int ends;              /* messages of ours that have come when the input is over */
    unsigned char *letter; /* the message that waits; header and payload */
    size_t length;
    int from, tag;
    unsigned sent;
} line;

static const char config[] =
    "[task.t]\nsource = blobs\nfeatures = 6\nclass_count = "
    "3\ntrain_samples = 30\nevolve_samples = 20\n"
    "test_samples = 10\n[network]\ninput = 6\nlayers = dense(5) relu "
    "dense(3)\n[population]\nsize = 4\n"
    "[evaluate]\nbatch = 5\nshard = 10\n[base]\ntask = t\n[select]\nsize = 2\n";

static void letter(int from, unsigned kind, const void *payload, size_t length, unsigned flags) {
    uint32_t header[4] = {0x434f5031u, kind, (uint32_t)length,
                          0}; /* magic, kind, 64 bits of length */
    cop_free(line.letter);
    line.length = sizeof header + length;
    line.letter = cop_alloc(line.length, 1);
    if (flags & 16) header[(flags >> 5) & 3] ^= 1u << (flags & 7);
    memcpy(line.letter, header, sizeof header);
    if (length) memcpy(line.letter + sizeof header, payload, length);
    line.from = from;
    line.tag = (int)kind;
}

/* A worker must not be made to write where it likes by a test: whole requests go to the scratch
 * folder, or to a name that is no text. */
static void tame(unsigned flags) {
    cop_write_request *request = (void *)(line.letter + 16);
    if (line.tag != COP_MSG_WRITE || line.length < 16 + sizeof *request) return;
    memset(request->directory, flags & 8 ? 'a' : 0, sizeof request->directory);
    if (!(flags & 8)) snprintf(request->directory, sizeof request->directory, "%s", test_scratch());
}

/* The next message of the input, then those that end the conversation. */
static void next_letter(void) {
    static const int32_t stop[2] = {0, 0}, failure[1] = {COP_E_PEER};
    if (line.letter) return;
    if (line.end - line.at < 4) {
        if (!line.master)
            letter(0, COP_MSG_STOP, stop, sizeof stop, 0);
        else if (line.ends++ == 0)
            letter(1, COP_MSG_FAILED, failure, sizeof failure, 0);
        else
            letter(line.ends % 2 + 1, COP_MSG_BYE, NULL, 0, 0);
        return;
    }
    unsigned kind = line.at[0] % (COP_MSG_KINDS + 1), flags = line.at[3];
    size_t length = (size_t)line.at[1] << 8 | line.at[2], left = (size_t)(line.end - line.at - 4);
    if (length > left) length = left;
    if (kind == COP_MSG_DISMISS) kind = COP_MSG_PING; /* it ends the process, as it should */
    letter(line.master ? 1 + (int)(flags >> 7) : 0, kind, line.at + 4, length, flags);
    if (!line.master) tame(flags);
    if (flags == 0x1b) line.length = flags & 1 ? 3 : 0; /* shorter than a header */
    line.at += 4 + length;
}

int MPI_Iprobe(int source, int tag, MPI_Comm comm, int *flag, MPI_Status *status) {
    (void)comm;
    (void)source;
    *flag = tag == MPI_ANY_TAG;
    /* the master has time to hand out units between two messages */
    line.pause = line.master && !line.pause;
    if (line.pause) *flag = 0;
    if (!*flag) return MPI_SUCCESS;
    next_letter();
    status->MPI_SOURCE = line.from;
    status->MPI_TAG = line.tag;
    return MPI_SUCCESS;
}

int MPI_Get_count(const MPI_Status *status, MPI_Datatype type, int *count) {
    (void)status;
    (void)type;
    *count = (int)line.length;
    if (line.length < 16) { /* refused without being fetched */
        cop_free(line.letter);
        line.letter = NULL;
    }
    return MPI_SUCCESS;
}

int MPI_Irecv(void *bytes, int count, MPI_Datatype type, int source, int tag, MPI_Comm comm,
              MPI_Request *request) {
    (void)type, (void)source, (void)tag, (void)comm;
    FUZZ_REQUIRE((size_t)count == line.length && line.letter);
    memcpy(bytes, line.letter, line.length);
    cop_free(line.letter);
    line.letter = NULL;
    *request = MPI_REQUEST_NULL;
    return MPI_SUCCESS;
}

int MPI_Isend(const void *bytes, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request *request) {
    (void)bytes, (void)count, (void)type, (void)to, (void)tag, (void)comm;
    line.sent++;
    *request = MPI_REQUEST_NULL;
    return MPI_SUCCESS;
}

int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status) {
    (void)request, (void)status;
    *flag = 1;
    return MPI_SUCCESS;
}

/* ------------------------------------------------------------------ the two sides */

static struct {
    cop_experiment e;
    cop_par one, worker, master;
    cop_par_impl impl;
    char host[MASTER_SEES][64];
    int64_t pid[MASTER_SEES];
} world;

static void begin(void) {
    if (world.e.plan) return;
    FUZZ_REQUIRE(cop_conf_parse(&world.e.conf, cop_run_schema(), config, "test") == COP_OK);
    world.one = (cop_par){.size = 1, .nodes = 1, .node_size = 1};
    FUZZ_REQUIRE(cop_experiment_load(&world.e, &world.one) == COP_OK);
    cop_params_init(&world.e.base, world.e.model);
    cop_params_randomise(&world.e.base, world.e.model, 3);
    world.e.base_ready = true;
    assert_ok(cop_experiment_compose(&world.e));
    world.impl.host = world.host;
    world.impl.pid = world.pid;
    world.master =
        (cop_par){.size = MASTER_SEES, .nodes = 1, .node_size = MASTER_SEES, .impl = &world.impl};
    world.worker = world.master;
    world.worker.rank = 1;
    cop_log_set_level(COP_LOG_ERROR);
}

static void to_worker(void) {
    cop_worker *worker = NULL;
    FUZZ_REQUIRE(cop_worker_create(&worker, &world.e, &world.one) == COP_OK);
    cop_farm_work work = cop_worker_work(worker);
    cop_farm *farm = cop_farm_create(&world.worker, &work);
    cop_farm_serve(farm);
    cop_farm_destroy(farm);
    cop_worker_destroy(worker);
    cop_error_clear();
}

/* How many generations were evaluated. */
static int to_master(void) {
    cop_farm_work none = {.describe = cop_generation_describe};
    cop_farm *farm = cop_farm_create(&world.master, &none);
    const size_t width = cop_plan_measures(world.e.plan)->count;
    cop_recipe recipes[4];
    double *measures = COP_NEW_ARRAY(double, 4 * width);
    for (uint32_t i = 0; i < 4; i++)
        recipes[i] = (cop_recipe){.id = i, .parent = {COP_FOUNDER, COP_FOUNDER}};
    cop_status status = COP_OK;
    int round = 0;
    for (; round < 3 && status == COP_OK; round++)
        status = cop_generation_evaluate(&world.e, farm, 2, recipes, 4, NULL, NULL, measures);
    fuzz_judge(status);
    line.at = line.end;
    line.ends = line.ends ? line.ends : 1;
    cop_farm_stop(farm, COP_OK);
    cop_farm_destroy(farm);
    cop_free(measures);
    cop_error_clear();
    return status == COP_OK ? round : round - 1;
}

static int converse(const uint8_t *bytes, size_t count) {
    int generations = 0;
    cop_free(line.letter);
    memset(&line, 0, sizeof line);
    line.at = bytes + 1;
    line.end = bytes + count;
    line.master = bytes[0] & 1;
    if (line.master)
        generations = to_master();
    else
        to_worker();
    cop_halt_forget(COP_HALT_STOP | COP_HALT_CHECKPOINT);
    return generations;
}

/* The first byte says to whom. */
static void run(const uint8_t *bytes, size_t count) {
    begin();
    if (count) converse(bytes, count);
}

/* ------------------------------------------------------------------ seeds */

static void frame(cop_buf *out, unsigned kind, unsigned flags, const void *payload, size_t length) {
    const uint8_t head[4] = {(uint8_t)kind, (uint8_t)(length >> 8), (uint8_t)length,
                             (uint8_t)flags};
    FUZZ_REQUIRE(length < 1 << 16);
    cop_buf_add(out, head, sizeof head);
    if (length) cop_buf_add(out, payload, length);
}

static void write_frame(cop_buf *out, uint64_t best) {
    cop_individual individual[4] = {0};
    cop_generation generation[] = {{0, 4, 3, 1, 1.5, 0, 3, 3, 3, 0.75, 4}};
    const size_t measures = cop_plan_measures(world.e.plan)->count;
    double *measure = COP_NEW_ARRAY(double, 4 * measures);
    uint64_t live[] = {1, 0, 2, 3};
    cop_write_request request = {.file = "checkpoints/gen-000000.h5",
                                 .run_id = "0-1",
                                 .best = best,
                                 .shown = best,
                                 .provenance_length = 2};
    cop_buf bytes = {0};
    for (uint64_t i = 0; i < 4; i++)
        individual[i] = (cop_individual){
            {.id = i, .parent = {COP_FOUNDER, COP_FOUNDER}}, (double)i, UINT32_MAX, 0};
    cop_history history = {.individual = individual,
                           .individuals = 4,
                           .measure = measure,
                           .measures = measures,
                           .generation = generation,
                           .generations = 1,
                           .live = live,
                           .population = 4};
    cop_buf_add(&bytes, &request, sizeof request);
    cop_buf_add(&bytes, "{}", 2);
    cop_history_pack(&history, &bytes);
    frame(out, COP_MSG_WRITE, 0, bytes.data, bytes.length);
    cop_buf_clear(&bytes);
    cop_free(measure);
}

static void worker_seed(fuzz_add add) {
    cop_recipe founders[4], child = {.id = 4,
                                     .born = 1,
                                     .crossed = 1,
                                     .varied = 1,
                                     .parent = {1, 2},
                                     .cut = 7,
                                     .amount = {0.02}};
    const uint64_t live[] = {1, 2, 4};
    const double patience = 5;
    cop_buf out = {0};
    for (uint32_t i = 0; i < 4; i++)
        founders[i] = (cop_recipe){.id = i, .parent = {COP_FOUNDER, COP_FOUNDER}};
    cop_buf_add(&out, "\0", 1);
    frame(&out, COP_MSG_PING, 0, &patience, sizeof patience);
    frame(&out, COP_MSG_BREED, 0, founders, sizeof founders);
    for (uint32_t shard = 0; shard < 2; shard++)
        frame(&out, COP_MSG_UNIT, 0, &(struct unit_order){1, 0, {shard, 0, 4, shard}},
              sizeof(struct unit_order));
    write_frame(&out, 3);
    frame(&out, COP_MSG_BREED, 0, &child, sizeof child);
    frame(&out, COP_MSG_UNIT, 0, &(struct unit_order){2, 0, {0, 0, 1, 1}},
          sizeof(struct unit_order));
    frame(&out, COP_MSG_KEEP, 0, live, sizeof live);
    frame(&out, COP_MSG_ABANDON, 0, NULL, 0);
    converse(out.data, out.length); /* it is understood to its end */
    FUZZ_REQUIRE(cop_file_exists(test_path("best.h5")) && line.sent == 5);
    add(out.data, out.length);
    cop_buf_clear(&out);
}

static void master_seed(fuzz_add add) {
    const size_t block = cop_unit_block(world.e.conf, 2, 4, 2), units = (4 + block - 1) / block * 2;
    cop_buf out = {0}, result = {0};
    cop_buf_add(&out, "\1", 1);
    for (uint32_t n = 0; n < units; n++) {
        const size_t first = n % (units / 2) * block, count = 4 - first < block ? 4 - first : block;
        const cop_unit_head head = {(uint32_t)count, (uint32_t)world.e.model->count};
        cop_buf_reset(&result);
        cop_buf_add(&result, &(struct result_head){1, n, 0, 0, 0.001, 1 << 20},
                    sizeof(struct result_head));
        cop_buf_add(&result, &head, sizeof head);
        for (size_t i = 0; i < count; i++) {
            const cop_evidence evidence = {.samples = 10, .correct = {3, 4, 5}, .loss = {1, 2, 3}};
            cop_buf_add(&result, &evidence, sizeof evidence);
            for (size_t l = 0; l < world.e.model->count; l++)
                cop_buf_add(&result, &(uint64_t){l}, sizeof(uint64_t));
        }
        frame(&out, COP_MSG_RESULT, n % 2 ? 128 : 0, result.data, result.length);
    }
    FUZZ_REQUIRE(converse(out.data, out.length) == 1);
    add(out.data, out.length);
    cop_buf_clear(&out);
    cop_buf_clear(&result);
}

static void seeds(fuzz_add add) {
    begin();
    FUZZ_REQUIRE(cop_make_dirs(test_path("checkpoints")) == COP_OK);
    worker_seed(add);
    master_seed(add);
}

const fuzz_target fuzz_this = {"farm", run, seeds};
