/* cosine-sampled: free places drawn one after the other without return, each with probability
 * proportional to the similarity of its ends. The same as the largest similarity / e, e exponential
 * (Efraimidis and Spirakis 2006). The released code does this up to the first place drawn, which it
 * skips by mistake. */
#include "net/exact_math.h"
#include "train/positions.h"
#include "train/rewire.h"

static void choose(const cop_rewire_job *job, uint64_t *out, size_t count) {
    const uint64_t possible = (uint64_t)job->layer->inputs * job->layer->outputs;
    float *key = COP_NEW_ARRAY(float, possible);
    for (uint64_t at = 0; at < possible; at++) {
        /* ends without similarity come last, in random order */
        const double weight = job->matrix[at] > 1e-20f ? (double)job->matrix[at] : 1e-20;
        const double e = -cop_exact_log(1.0 - cop_rng_uniform(job->rng));
        key[at] = (float)(weight / (e + 1e-18));
    }
    cop_positions_top(key, possible, job->taken, job->taken_count, out, count);
    cop_free(key);
}

extern const cop_add_rule cop_add_cosine_sampled;
const cop_add_rule cop_add_cosine_sampled = {
    .name = "cosine-sampled",
    .summary = "free places drawn in proportion to the cosine similarity of their ends",
    .paper = "Pieterse and Mocanu 2019",
    .needs = COP_REWIRE_SIMILARITY,
    .choose = choose,
};
