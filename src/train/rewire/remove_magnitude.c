/* magnitude: the edges whose weights are nearest to 0, of each sign alike. An edge of weight
 * exactly 0 has learnt nothing and always goes, as in the released code. */
#include "train/rewire.h"

static void score(const cop_rewire_job *job, float *out) {
    for (size_t k = 0; k < job->layer->edges; k++) out[k] = job->layer->edge[k].weight;
}

extern const cop_remove_rule cop_remove_magnitude;
const cop_remove_rule cop_remove_magnitude = {
    .name = "magnitude",
    .summary = "weights nearest to 0, of each sign alike",
    .paper = "Mocanu et al. 2018",
    .needs = COP_REWIRE_NOTHING,
    .score = score,
};
