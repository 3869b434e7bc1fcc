/* random: every free place is equally likely, one that was just given up too. */
#include "train/positions.h"
#include "train/rewire.h"

static void choose(const cop_rewire_job *job, uint64_t *out, size_t count) {
    cop_positions_draw(job->rng, (uint64_t)job->layer->inputs * job->layer->outputs, job->taken,
                       job->taken_count, out, count);
}

extern const cop_add_rule cop_add_random;
const cop_add_rule cop_add_random = {
    .name = "random",
    .summary = "free places, all equally likely",
    .paper = "Mocanu et al. 2018",
    .needs = COP_REWIRE_NOTHING,
    .choose = choose,
};
