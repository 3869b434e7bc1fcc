/* Sign kernels for AVX-512 with VNNI: vpdpwssd multiplies and adds 32 16-bit numbers at once. */
#include "coppice/la.h"
#include "la/list.h"

#if defined(__x86_64__)
#include "la/sign_avx512.h"

#define VARIANT avx512vnni
#define TARGET __attribute__((target(AVX512 ",avx512vnni")))
#define DOT(a, x, s) _mm512_dpwssd_epi32((a), (x), (s))
#define H_DOT(a, x, s) DOT((a), (x), (s))
#include "la/sign_template.h"

static bool supported(void) {
    return has_avx512() && __builtin_cpu_supports("avx512vnni");
}
extern const cop_sign_ops cop_sign_ops_avx512vnni;
TABLE("avx512-vnni", supported)
#else
typedef int cop_sign_avx512vnni_absent; /* a translation unit must declare something */
#endif
