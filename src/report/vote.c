#include "coppice/report.h"

void cop_vote(const uint16_t *predicted, size_t values, size_t samples, uint16_t *vote) {
    for (size_t i = 0; i < samples; i++) {
        size_t most = 0;
        for (size_t v = 0; v < values; v++) {
            size_t votes = 0;
            for (size_t u = 0; u < values; u++)
                votes += predicted[u * samples + i] == predicted[v * samples + i];
            if (votes > most) {
                most = votes;
                vote[i] = predicted[v * samples + i];
            }
        }
    }
}
