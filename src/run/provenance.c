/* Who made a result, where, with what. */
#include <sys/utsname.h>

#include "coppice/io.h"
#include "directory.h"
#include "version.h"

json_t *cop_provenance(const cop_par *par, const char *command_line) {
    struct utsname machine;
    char now[32];
    json_t *p = json_object();
    json_object_set_new(p, "software", json_string("coppice"));
    json_object_set_new(p, "version", json_string(COP_VERSION));
    json_object_set_new(p, "revision", json_string(COP_GIT_REVISION));
    json_object_set_new(p, "compiler", json_string(COP_COMPILER));
    json_object_set_new(p, "build", json_string(COP_BUILD_FLAGS));
    json_object_set_new(p, "mpi", json_string(cop_par_library()));
    json_object_set_new(p, "hdf5", json_string(cop_h5_version()));
    json_object_set_new(p, "kernel", json_string(cop_sign_kernel()));
    json_object_set_new(p, "host", json_string(par->host));
    if (uname(&machine) == 0)
        json_object_set_new(p, "machine",
                            json_pack("{s:s,s:s,s:s}", "system", machine.sysname, "release",
                                      machine.release, "architecture", machine.machine));
    json_object_set_new(p, "ranks", json_integer(par->size));
    json_object_set_new(p, "nodes", json_integer(par->nodes));
    json_object_set_new(p, "command_line", cop_json_text(command_line));
    json_object_set_new(p, "date", json_string(cop_time_now(now)));
    return p;
}
