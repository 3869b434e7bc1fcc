/** @file exact_variants.h
 *  Kernels on native vectors, the same bits in every width. The including file defines
 *    LANES  the file (in quotes) with their bodies for one width, which takes WIDTH, TARGET, NAME
 * and TEXT, the variant's name, ends with a table NAME(kernel) and undefines all four after
 * exact_math.h, and gets EXACT_KERNELS: the tables' addresses, widest last. The first
 *  cop_exact_variants() of them run on this processor.
 */
#define WIDTH 2
#define TARGET
#define NAME(x) x##_base
#define TEXT "base"
#include LANES

#if defined(__x86_64__)
#define WIDTH 4
#define TARGET __attribute__((target("avx2")))
#define NAME(x) x##_avx2
#define TEXT "avx2"
#include LANES

#define WIDTH 8
#define TARGET __attribute__((target("avx512f,avx512dq")))
#define NAME(x) x##_avx512
#define TEXT "avx512"
#include LANES
#define EXACT_KERNELS &kernel_base, &kernel_avx2, &kernel_avx512
#else
#define EXACT_KERNELS &kernel_base
#endif
#undef LANES
