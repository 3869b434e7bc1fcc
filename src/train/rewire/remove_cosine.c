/* cosine: the edges of smallest |weight| times similarity of their ends, of each sign alike. The
 * text of the paper says "smallest value", which would take the most negative; its code does this.
 */
#include "train/rewire.h"

static void score(const cop_rewire_job *job, float *out) {
    for (size_t k = 0; k < job->layer->edges; k++)
        out[k] = job->layer->edge[k].weight * job->edge_similarity[k];
}

extern const cop_remove_rule cop_remove_cosine;
const cop_remove_rule cop_remove_cosine = {
    .name = "cosine",
    .summary = "weight times cosine similarity of the ends nearest to 0, of each sign alike",
    .paper = "Pieterse and Mocanu 2019",
    .needs = COP_REWIRE_EDGE_SIMILARITY,
    .score = score,
};
