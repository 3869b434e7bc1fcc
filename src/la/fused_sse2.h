/* The fused multiply-add that a processor with no more than SSE2 lacks, made of double arithmetic.
 *
 * The product of two floats is exact in double (24 + 24 <= 53 bits). Its sum s with the addend is
 * rounded; rounding s to float would round twice. So s is first rounded to odd: where the addition
 * lost something (its error term is not 0) and the last bit of s is 0, s moves one step toward the
 * lost part. With 53 >= 2 * 24 + 2 bits the float nearest to that is the float nearest to the exact
 * value, denormal ones included (Boldo and Melquiond 2008). An infinite or NaN sum has a NaN for
 * error term and stays. */
#ifndef COPPICE_LA_FUSED_SSE2_H
#define COPPICE_LA_FUSED_SSE2_H

#include <emmintrin.h>

static inline __m128d odd_sum(__m128d p, __m128d a) {
    const __m128d s = _mm_add_pd(p, a), zero = _mm_setzero_pd();
    /* error term of the addition: Knuth's TwoSum */
    const __m128d b = _mm_sub_pd(s, p);
    const __m128d e = _mm_add_pd(_mm_sub_pd(p, _mm_sub_pd(s, b)), _mm_sub_pd(a, b));
    /* e and s of the same sign: away from 0, one step up in the integer that s is; else one down */
    const __m128i up =
        _mm_castpd_si128(_mm_or_pd(_mm_and_pd(_mm_cmpgt_pd(e, zero), _mm_cmpgt_pd(s, zero)),
                                   _mm_and_pd(_mm_cmplt_pd(e, zero), _mm_cmplt_pd(s, zero))));
    const __m128i down =
        _mm_castpd_si128(_mm_or_pd(_mm_and_pd(_mm_cmpgt_pd(e, zero), _mm_cmplt_pd(s, zero)),
                                   _mm_and_pd(_mm_cmplt_pd(e, zero), _mm_cmpgt_pd(s, zero))));
    const __m128i bits = _mm_castpd_si128(s), one = _mm_set_epi32(0, 1, 0, 1);
    const __m128i even = _mm_andnot_si128(bits, one); /* 1 where the last bit of s is 0 */
    const __m128i plus = _mm_and_si128(up, even), minus = _mm_and_si128(down, even);
    return _mm_castsi128_pd(_mm_sub_epi64(_mm_add_epi64(bits, plus), minus));
}

static inline __m128 fused(__m128 x, __m128 w, __m128 a) {
    const __m128d low = odd_sum(_mm_mul_pd(_mm_cvtps_pd(x), _mm_cvtps_pd(w)), _mm_cvtps_pd(a));
    const __m128d high =
        odd_sum(_mm_mul_pd(_mm_cvtps_pd(_mm_movehl_ps(x, x)), _mm_cvtps_pd(_mm_movehl_ps(w, w))),
                _mm_cvtps_pd(_mm_movehl_ps(a, a)));
    return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
}

#endif
