/* Softmax cross entropy, in double whatever the network's precision: a few hundred operations a
 * sample. */
#include "work.h"

#include <math.h>
#include <string.h>

double cop_cross_entropy(const float *logits, size_t classes, int32_t label, double weight,
                         float *slope) {
    COP_ASSERT(label >= 0 && (size_t)label < classes);
    double largest = -INFINITY, sum = 0.0;
    bool finite = true;
    for (size_t k = 0; k < classes; k++) {
        finite = finite && isfinite(logits[k]);
        if (logits[k] > largest) largest = logits[k];
    }
    if (!finite) {
        for (size_t k = 0; slope && k < classes; k++) slope[k] = 0.0f;
        return INFINITY;
    }
    /* the largest exponent is 0, so the sum lies in [1, classes] */
    for (size_t k = 0; k < classes; k++) sum += exp((double)logits[k] - largest);
    for (size_t k = 0; slope && k < classes; k++) {
        double p = exp((double)logits[k] - largest) / sum;
        slope[k] = (float)(weight * (p - ((size_t)label == k)));
    }
    return log(sum) - ((double)logits[label] - largest);
}

int32_t cop_argmax(const float *logits, size_t classes) {
    int32_t best = -1;
    for (size_t k = 0; k < classes; k++)
        if (isfinite(logits[k]) && (best < 0 || logits[k] > logits[best])) best = (int32_t)k;
    return best;
}

void cop_net_head(cop_net_work *work, cop_head head) {
    COP_ASSERT(head.first + head.count <= work->model->classes);
    work->head = head;
}

double cop_net_loss(cop_net_work *work, const int32_t *label, size_t n, size_t *correct) {
    COP_ASSERT(n == work->n && n > 0);
    const size_t classes = work->model->classes;
    const float *logits = work->out[work->model->count - 1];
    double sum = 0.0;
    size_t hits = 0;
    const cop_head head = work->head.count ? work->head : (cop_head){0, classes};
    /* outputs outside the head take no part, so nothing pulls at them */
    if (work->training && head.count < classes)
        memset(work->dlogits, 0, n * classes * sizeof *work->dlogits);
    for (size_t i = 0; i < n; i++, logits += classes) {
        float *slope = work->training ? work->dlogits + i * classes + head.first : NULL;
        sum += cop_cross_entropy(logits + head.first, head.count, label[i], 1.0 / (double)n, slope);
        hits += cop_argmax(logits + head.first, head.count) == label[i];
    }
    if (correct) *correct = hits;
    work->ready = work->training;
    return sum / (double)n;
}
