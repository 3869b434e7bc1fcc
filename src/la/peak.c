/* What the processor can do at best with 16-bit products summed in pairs into 32 bits: chains of
 * independent sums, long enough to hide every latency, and nothing else. The bound of the sign
 * kernels. */
#include "coppice/la.h"

#include <string.h>

/* Results go here, so that no compiler leaves the work out. */
static volatile int32_t sink;

enum {
    DOTS = 100000, /* instructions of a burst */
    ROUNDS = 256,
    VECTORS = 192, /* of 64 bytes: 12 KiB, within any first-level cache */
    LANES = 32     /* 16-bit elements in 64 bytes */
};

static int64_t plain(const int16_t *in, bool memory) {
    int32_t sum = 0;
    (void)memory; /* where a portable loop keeps its operands is the compiler's choice */
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < (size_t)VECTORS * LANES / 2; i++)
            sum += in[i] * in[(size_t)VECTORS * LANES / 2 + i];
#if defined(__GNUC__)
        __asm__ volatile("" : : "r"(in) : "memory"); /* the next round reads anew */
#endif
    }
    sink = sum;
    return (int64_t)ROUNDS * VECTORS * LANES / 2;
}

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>

/* As many chains as the slowest of the instructions takes cycles, twice a cycle; more would not fit
 * the sixteen registers of older processors. HIDE keeps the compiler from taking equal products out
 * of the chains or the loop, and the sums in registers. */
#define CHAINS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9)
#define CHAIN_COUNT 10
#define BEGIN(k) VEC s##k = ZERO;
#define FROM_REGISTER(k)                                                                           \
    HIDE(x);                                                                                       \
    s##k = DOT(s##k, x, a);                                                                        \
    HIDE(s##k);
#define FROM_MEMORY(k)                                                                             \
    s##k = DOT(s##k, LOAD(at + (k)), a);                                                           \
    HIDE(s##k);
#define END(k) s0 = ADD(s0, s##k);

#define BURST(name, TARGET)                                                                        \
    TARGET static int64_t name##_register(const VEC *in) {                                         \
        VEC a = LOAD(in), x = LOAD(in + 1);                                                        \
        int64_t dots = 0;                                                                          \
        CHAINS(BEGIN)                                                                              \
        for (; dots < DOTS; dots += CHAIN_COUNT) {                                                 \
            CHAINS(FROM_REGISTER)                                                                  \
        }                                                                                          \
        CHAINS(END)                                                                                \
        sink = FIRST(s0);                                                                          \
        return dots * (int64_t)sizeof(VEC) / 2;                                                    \
    }                                                                                              \
    TARGET static int64_t name##_memory(const VEC *in) {                                           \
        const VEC *end = in + (size_t)VECTORS * 64 / sizeof(VEC), *at = in;                        \
        VEC a = LOAD(in);                                                                          \
        int64_t dots = 0;                                                                          \
        CHAINS(BEGIN)                                                                              \
        for (; dots < DOTS; dots += CHAIN_COUNT) {                                                 \
            CHAINS(FROM_MEMORY)                                                                    \
            at += CHAIN_COUNT;                                                                     \
            if (at + CHAIN_COUNT > end) at = in;                                                   \
        }                                                                                          \
        CHAINS(END)                                                                                \
        sink = FIRST(s0);                                                                          \
        return dots * (int64_t)sizeof(VEC) / 2;                                                    \
    }                                                                                              \
    static int64_t name(const int16_t *in, bool memory) {                                          \
        const VEC *vector = (const VEC *)(const void *)in;                                         \
        return memory ? name##_memory(vector) : name##_register(vector);                           \
    }

/* Left to itself gcc adds the sum to the product and copies it back. */
static inline __m128i add_in_place(__m128i sum, __m128i product) {
    __asm__("paddd %1, %0" : "+x"(sum) : "x"(product));
    return sum;
}

#define VEC __m128i
#define ZERO _mm_setzero_si128()
#define LOAD(p) _mm_load_si128(p)
#define ADD(s, t) _mm_add_epi32(s, t)
#define DOT(s, x, a) add_in_place(s, _mm_madd_epi16(x, a))
#define FIRST(s) _mm_cvtsi128_si32(s)
#define HIDE(x) __asm__ volatile("" : "+x"(x))
BURST(sse2, )
#undef VEC
#undef ZERO
#undef LOAD
#undef ADD
#undef DOT
#undef FIRST
#define VEC __m256i
#define ZERO _mm256_setzero_si256()
#define LOAD(p) _mm256_load_si256(p)
#define ADD(s, t) _mm256_add_epi32(s, t)
#define DOT(s, x, a) _mm256_add_epi32(s, _mm256_madd_epi16(x, a))
#define FIRST(s) _mm_cvtsi128_si32(_mm256_castsi256_si128(s))
BURST(avx2, __attribute__((target("avx2"))))
#undef VEC
#undef ZERO
#undef LOAD
#undef ADD
#undef DOT
#undef FIRST
#undef HIDE
#define VEC __m512i
#define ZERO _mm512_setzero_si512()
#define LOAD(p) _mm512_load_si512(p)
#define ADD(s, t) _mm512_add_epi32(s, t)
#define DOT(s, x, a) _mm512_add_epi32(s, _mm512_madd_epi16(x, a))
#define FIRST(s) _mm_cvtsi128_si32(_mm512_castsi512_si128(s))
#define HIDE(x) __asm__ volatile("" : "+v"(x))
BURST(avx512, __attribute__((target("avx512f,avx512bw"))))
#undef DOT
#define DOT(s, x, a) _mm512_dpwssd_epi32(s, x, a)
BURST(avx512vnni, __attribute__((target("avx512f,avx512bw,avx512vnni"))))

static bool has_sse2(void) {
    return true;
}
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2");
}
static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}
static bool has_avx512vnni(void) {
    return has_avx512() && __builtin_cpu_supports("avx512vnni");
}
#define X86_BURSTS                                                                                 \
    {"avx512-vnni", has_avx512vnni, avx512vnni}, {"avx512", has_avx512, avx512},                   \
        {"avx2", has_avx2, avx2}, {"sse2", has_sse2, sse2},
#else
#define X86_BURSTS
#endif

static bool always(void) {
    return true;
}

static const struct {
    const char *name;
    bool (*supported)(void);
    int64_t (*run)(const int16_t *in, bool memory);
} bursts[] = {X86_BURSTS{"plain", always, plain}};

const char *cop_dot_burst(const char *kernel, bool memory, uint64_t *macs) {
    static _Alignas(64) int16_t in[VECTORS * LANES];
    size_t count = sizeof bursts / sizeof *bursts, chosen = count;
    for (size_t i = 0; i < count && chosen == count; i++)
        if (kernel && strcmp(bursts[i].name, kernel) == 0 && bursts[i].supported()) chosen = i;
    for (size_t i = 0; i < count && chosen == count; i++)
        if (bursts[i].supported()) chosen = i;
    for (size_t i = 0; i < (size_t)VECTORS * LANES; i++) in[i] = (int16_t)(i % 3) - 1;
    *macs = (uint64_t)bursts[chosen].run(in, memory);
    return bursts[chosen].name;
}

size_t cop_sign_names(const char **names, size_t capacity) {
    size_t count, known = 0;
    const cop_sign_ops *const *all = cop_sign_variants(&count);
    for (size_t i = 0; i < count && known < capacity; i++)
        if (all[i]->supported()) names[known++] = all[i]->name;
    return known;
}
