/* Sign kernels in portable C: what every other variant is tested against. */
#include "la/list.h"

#include <stdint.h>
#include <string.h>

#define VARIANT plain
#define TARGET
#define VEC uint32_t
#define PARTS 16
#define ZERO 0
#define SET1(u) (u)
#define LOAD(p) (*(p))
#define STORE(p, v) (*(p) = (v))
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define DOT(a, x, s) dot((a), (x), (s))
#define TILES(X) X(1, 1)

/* two 16-bit lanes, one 32-bit lane */
#define HALF uint32_t
#define LANES 2
#define WINO_OUTPUTS 4
#define EVENT_VECS 2
#define H_ZERO 0u
#define H_LOAD(p) load((p))
#define H_STORE(p, v) store((p), (v))
#define H_SET16(i) (((uint32_t)(i)&0xffffu) | (uint32_t)(i) << 16)
#define H_SET32(u) ((uint32_t)(u))
#define H_ADD16(a, b) add16((a), (b))
#define H_SUB16(a, b) add16((a), add16(~(b), 0x00010001u))
#define H_MAX16(a, b) max16((a), (b))
#define H_ADD32(a, b) ((a) + (b))
#define H_SUB32(a, b) ((a) - (b))
#define H_MAX32(a, b) ((int32_t)(a) > (int32_t)(b) ? (a) : (b))
#define H_SLL32(a, n) ((a) << (n))
#define H_SRL32(a, n) ((a) >> (n))
#define H_SRA32(a, n) ((uint32_t)((int32_t)(a) >> (n)))
#define H_AND(a, b) ((a) & (b))
#define H_OR(a, b) ((a) | (b))
#define H_EVEN(a, x) ((a) + (uint32_t)half(x))
#define H_ODD(a, x) ((a) + (uint32_t)half((x) >> 16))
#define H_DOT(a, x, s) dot((a), (x), (s))
#define H_POSITIVE(v) ((int32_t)(v) > 0 ? 1u : 0u)
#define H_WITH_BIT(v, n) (((v) >> (n)) & 1u)

static inline int32_t half(uint32_t u) { /* the low 16 bits as a signed number */
    return (int32_t)((u & 0xffffu) ^ 0x8000u) - 0x8000;
}
static inline uint32_t dot(uint32_t a, uint32_t x, uint32_t s) {
    return a + (uint32_t)(half(x) * half(s)) + (uint32_t)(half(x >> 16) * half(s >> 16));
}
static inline uint32_t load(const void *p) {
    uint32_t u;
    memcpy(&u, p, sizeof u);
    return u;
}
static inline void store(void *p, uint32_t u) {
    memcpy(p, &u, sizeof u);
}
static inline uint32_t add16(uint32_t a, uint32_t b) {
    return ((a + b) & 0xffffu) | ((a & 0xffff0000u) + (b & 0xffff0000u));
}
static inline uint32_t max16(uint32_t a, uint32_t b) {
    return (half(a) > half(b) ? a & 0xffffu : b & 0xffffu) |
           (half(a >> 16) > half(b >> 16) ? a & 0xffff0000u : b & 0xffff0000u);
}
#include "la/sign_template.h"

static bool supported(void) {
    return true;
}
extern const cop_sign_ops cop_sign_ops_plain;
TABLE("plain", supported)
