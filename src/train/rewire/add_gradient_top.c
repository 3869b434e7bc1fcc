/* gradient-top: the free places whose weight, now 0, the loss would change by most. */
#include "train/positions.h"
#include "train/rewire.h"

static void choose(const cop_rewire_job *job, uint64_t *out, size_t count) {
    cop_positions_top(job->matrix, (uint64_t)job->layer->inputs * job->layer->outputs, job->taken,
                      job->taken_count, out, count);
}

extern const cop_add_rule cop_add_gradient_top;
const cop_add_rule cop_add_gradient_top = {
    .name = "gradient-top",
    .summary = "free places with the largest gradient of the loss",
    .paper = "Evci et al. 2020, Rigging the lottery: making all tickets winners",
    .needs = COP_REWIRE_GRADIENT,
    .choose = choose,
};
