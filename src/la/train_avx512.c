/* Training kernels for AVX-512: one vector of 16 samples is one register. */
#include "la/list.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define VARIANT avx512
#if defined(__clang__)
#define TARGET __attribute__((target("avx512f")))
#else
#define TARGET __attribute__((target("avx512f,prefer-vector-width=512")))
#endif
#define VEC __m512
#define PARTS 1
#define WIDEST 8
#define SET1(f) _mm512_set1_ps(f)
#define LOAD(p) _mm512_load_ps(p)
#define STORE(p, v) _mm512_store_ps((p), (v))
#define FMA(x, w, a) _mm512_fmadd_ps((x), (w), (a))
#define JOIN16(v, to) join16((v), (to))
#define TURN16(block, to, step) turn16((block), (to), (step))

static inline TARGET __attribute__((always_inline)) void join16(const __m512 *v, float *to) {
    __m512 half[8], quarter[4], pair[2];
    for (int i = 0; i < 8; i++) { /* places l and l + 8 */
        const __m512 a = v[2 * i], b = v[2 * i + 1];
        half[i] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
    }
    for (int i = 0; i < 4; i++) { /* l and l + 4 */
        const __m512 a = half[2 * i], b = half[2 * i + 1];
        quarter[i] =
            _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
    }
    for (int i = 0; i < 2; i++) { /* l and l + 2 */
        const __m512 a = quarter[2 * i], b = quarter[2 * i + 1];
        pair[i] = _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xEE));
    }
    _mm512_storeu_ps(to, _mm512_add_ps(_mm512_shuffle_ps(pair[0], pair[1], 0x88),
                                       _mm512_shuffle_ps(pair[0], pair[1], 0xDD)));
}

/* Columns of a 16 x 16 block to rows @p step apart. */
static inline TARGET __attribute__((always_inline)) void turn16(float (*block)[16], float *to,
                                                                size_t step) {
    __m512 a[16], b[16];
    for (int i = 0; i < 16; i++) a[i] = _mm512_loadu_ps(block[i]);
    for (int i = 0; i < 16; i += 4) { /* 4 x 4 inside each quarter */
        const __m512 p = _mm512_unpacklo_ps(a[i], a[i + 1]), q = _mm512_unpackhi_ps(a[i], a[i + 1]);
        const __m512 r = _mm512_unpacklo_ps(a[i + 2], a[i + 3]),
                     t = _mm512_unpackhi_ps(a[i + 2], a[i + 3]);
        b[i] = _mm512_shuffle_ps(p, r, 0x44);
        b[i + 1] = _mm512_shuffle_ps(p, r, 0xEE);
        b[i + 2] = _mm512_shuffle_ps(q, t, 0x44);
        b[i + 3] = _mm512_shuffle_ps(q, t, 0xEE);
    }
    for (int j = 0; j < 4; j++) { /* quarter k of b[4 i + j] is rows 4 i.. of column 4 k + j */
        const __m512 p = _mm512_shuffle_f32x4(b[j], b[4 + j], 0x44),
                     q = _mm512_shuffle_f32x4(b[j], b[4 + j], 0xEE),
                     r = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0x44),
                     t = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0xEE);
        _mm512_storeu_ps(to + (size_t)j * step, _mm512_shuffle_f32x4(p, r, 0x88));
        _mm512_storeu_ps(to + (size_t)(4 + j) * step, _mm512_shuffle_f32x4(p, r, 0xDD));
        _mm512_storeu_ps(to + (size_t)(8 + j) * step, _mm512_shuffle_f32x4(q, t, 0x88));
        _mm512_storeu_ps(to + (size_t)(12 + j) * step, _mm512_shuffle_f32x4(q, t, 0xDD));
    }
}

#include "la/train_template.h"

static bool supported(void) {
    return __builtin_cpu_supports("avx512f");
}
TRAIN_TABLE("avx512", supported)
#else
typedef int cop_train_avx512_absent; /* a translation unit must declare something */
#endif
