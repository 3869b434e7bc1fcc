/* Which BLAS this is. */
#include "coppice/la.h"

#include <string.h>

/* absent when another BLAS was chosen with BLAS_PKG */
char *openblas_get_config(void) __attribute__((weak));
char *openblas_get_corename(void) __attribute__((weak));

const char *cop_blas_version(void) {
    static char text[256];
    if (!openblas_get_config || !openblas_get_corename) return "CBLAS (not OpenBLAS)";
    /* "OpenBLAS 0.3.21 DYNAMIC_ARCH NO_AFFINITY SkylakeX MAX_THREADS=64" */
    const char *config = openblas_get_config();
    const char *rest = strncmp(config, "OpenBLAS ", 9) == 0 ? config + 9 : config;
    snprintf(text, sizeof text, "OpenBLAS %.*s, %s kernels", (int)strcspn(rest, " "), rest,
             openblas_get_corename());
    return text;
}
