/* Sign kernels for AVX-512 without VNNI: vpmaddwd and an addition. */
#include "coppice/la.h"
#include "la/list.h"

#if defined(__x86_64__)
#include "la/sign_avx512.h"

#define VARIANT avx512
#define TARGET __attribute__((target(AVX512)))
#define DOT(a, x, s) _mm512_add_epi32((a), _mm512_madd_epi16((x), (s)))
#define H_DOT(a, x, s) DOT((a), (x), (s))
#include "la/sign_template.h"

extern const cop_sign_ops cop_sign_ops_avx512;
TABLE("avx512", has_avx512)
#else
typedef int cop_sign_avx512_absent; /* a translation unit must declare something */
#endif
