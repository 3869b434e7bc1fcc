/* cosine-top: the free places whose ends are most similar; ties to the lowest place. */
#include "train/positions.h"
#include "train/rewire.h"

static void choose(const cop_rewire_job *job, uint64_t *out, size_t count) {
    cop_positions_top(job->matrix, (uint64_t)job->layer->inputs * job->layer->outputs, job->taken,
                      job->taken_count, out, count);
}

extern const cop_add_rule cop_add_cosine_top;
const cop_add_rule cop_add_cosine_top = {
    .name = "cosine-top",
    .summary = "free places whose ends have the largest cosine similarity",
    .paper = "Pieterse and Mocanu 2019",
    .needs = COP_REWIRE_SIMILARITY,
    .choose = choose,
};
