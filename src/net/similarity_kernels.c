#include "net/similarity_kernels.h"

#include "net/exact_math.h"

#include <float.h>
#include <string.h>

static inline double tree(const double lane[8]) {
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

typedef float rough_floats __attribute__((vector_size(64)));
typedef float rough_half __attribute__((vector_size(32)));
typedef float rough_quarter __attribute__((vector_size(16)));
typedef int32_t rough_ints __attribute__((vector_size(64)));
#define ROUGH_LOWEST (-86.0f)         /* exp(-86) is still a normal number, and nothing */
#define ROUGH_ROUNDER 0x1.8p23f       /* x + it - it rounds x to a whole number */
#define ROUGH_LN2_HIGH 0x1.62e400p-1f /* times a whole number below 2^8: exact */
#define ROUGH_LN2_LOW 0x1.7f7d1cp-20f

static inline __attribute__((always_inline)) float rough_tree(const rough_floats *v) {
    union {
        rough_floats all;
        rough_half half[2];
    } a = {.all = *v};
    union {
        rough_half all;
        rough_quarter half[2];
    } b = {.all = a.half[0] + a.half[1]};
    rough_quarter c = b.half[0] + b.half[1];
    return (c[0] + c[2]) + (c[1] + c[3]);
}

#define LANES "net/similarity_lanes.h"
#include "net/exact_variants.h"

const cop_similarity_kernel *const *cop_similarity_kernels(size_t *count) {
    static const cop_similarity_kernel *const all[] = {EXACT_KERNELS};
    *count = cop_exact_variants();
    return all;
}
