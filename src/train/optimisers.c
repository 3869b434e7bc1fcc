/* The optimisers by name, and learning rate schedules. */
#include "list.h"
#include "optimiser.h"

#include <math.h>
#include <string.h>

#define COP_DECLARE(object, name, summary, paper) extern const cop_optimiser object;
COP_OPTIMISER_LIST(COP_DECLARE)
#define COP_ADDRESS(object, name, summary, paper) &object,
static const cop_optimiser *const optimisers[] = {COP_OPTIMISER_LIST(COP_ADDRESS)};
#define COP_DESCRIBE(object, name, summary, paper) {name, summary, paper},
static const cop_optimiser_info infos[] = {COP_OPTIMISER_LIST(COP_DESCRIBE)};
enum { OPTIMISERS = sizeof optimisers / sizeof *optimisers };

const cop_optimiser_info *cop_optimiser_infos(size_t *count) {
    *count = OPTIMISERS;
    return infos;
}

const cop_optimiser *cop_optimiser_find(const char *name) {
    for (size_t i = 0; i < OPTIMISERS; i++)
        if (strcmp(infos[i].name, name) == 0) return optimisers[i];
    return NULL;
}

double cop_schedule_rate(const char *name, double rate, double decay, size_t step, size_t epoch,
                         size_t epochs) {
    if (strcmp(name, "exponential") == 0) return rate * pow(decay, (double)epoch);
    if (strcmp(name, "step") == 0) return rate * pow(decay, (double)(epoch / step));
    if (strcmp(name, "cosine") == 0)
        return 0.5 * rate * (1.0 + cos(3.14159265358979323846 * (double)epoch / (double)epochs));
    COP_ASSERT(strcmp(name, "constant") == 0);
    return rate;
}
