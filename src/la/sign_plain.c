/* Sign kernels in portable C: what every other variant is tested against. */
#include "la/list.h"

#include <stdint.h>

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

static inline int32_t half(uint32_t u) { /* the low 16 bits as a signed number */
    return (int32_t)((u & 0xffffu) ^ 0x8000u) - 0x8000;
}
static inline uint32_t dot(uint32_t a, uint32_t x, uint32_t s) {
    return a + (uint32_t)(half(x) * half(s)) + (uint32_t)(half(x >> 16) * half(s >> 16));
}
#include "la/sign_template.h"

static bool supported(void) {
    return true;
}
extern const cop_sign_ops cop_sign_ops_plain;
TABLE("plain", supported)
