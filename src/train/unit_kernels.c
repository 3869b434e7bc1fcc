#include "unit_kernels.h"

#include <string.h>

#include "net/exact_math.h"

#define SIGN_BIT 0x8000000000000000ull

#define WIDTH 2
#define TARGET
#define NAME(x) x##_base
#define TEXT "base"
#include "unit_lanes.h"

#if defined(__x86_64__)
#define WIDTH 4
#define TARGET __attribute__((target("avx2")))
#define NAME(x) x##_avx2
#define TEXT "avx2"
#include "unit_lanes.h"

#define WIDTH 8
#define TARGET __attribute__((target("avx512f,avx512dq")))
#define NAME(x) x##_avx512
#define TEXT "avx512"
#include "unit_lanes.h"
#endif

const cop_unit_kernel *const *cop_unit_kernels(size_t *count) {
    static const cop_unit_kernel *const all[] = {
        &kernel_base,
#if defined(__x86_64__)
        &kernel_avx2,
        &kernel_avx512,
#endif
    };
    *count = 1;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) *count = 2;
    if (*count == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
        *count = 3;
#endif
    return all;
}
