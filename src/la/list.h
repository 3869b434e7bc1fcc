/* Variants of the sign and of the sparse kernels, fastest first: X(name). The plain version comes
 * last. */
#ifndef COPPICE_LA_LIST_H
#define COPPICE_LA_LIST_H

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define COP_SIGN_X86(X) X(avx512vnni) X(avx512) X(avx2) X(sse2)
#define COP_SPARSE_X86(X) X(avx512) X(avx2) X(sse2)
#else
#define COP_SIGN_X86(X)
#define COP_SPARSE_X86(X)
#endif
#define COP_SIGN_LIST(X) COP_SIGN_X86(X) X(plain)
#define COP_SPARSE_LIST(X) COP_SPARSE_X86(X) X(plain)

#endif
