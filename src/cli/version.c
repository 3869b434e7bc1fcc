/* Version, build and libraries: for --version, the start banner and provenance. */
#include "commands.h"

#include "coppice/io.h"
#include "coppice/la.h"
#include "version.h"

#include <jansson.h>
#include <zlib.h>

void cop_version_write(cop_buf *out) {
    cop_buf_printf(out, "coppice %s (%s)\n", COP_VERSION, COP_GIT_REVISION);
    cop_buf_printf(out, "compiler  %s\n", COP_COMPILER);
    cop_buf_printf(out, "flags     %s\n", COP_BUILD_FLAGS);
    cop_buf_printf(out, "MPI       %s\n", cop_par_library());
    cop_buf_printf(out, "HDF5      %s\n", cop_h5_version());
    cop_buf_printf(out, "BLAS      %s\n", cop_blas_version());
    cop_buf_printf(out, "kernel    %s\n", cop_sign_kernel());
    cop_buf_printf(out, "also      jansson %s, zlib %s\n", JANSSON_VERSION, zlibVersion());
}
