#include "session_flags.h"

cop_status cop_session_with_flags(cop_session_options *options, const cop_args *args,
                                  cop_par *par) {
    const char *sets[129];
    char *memory;
    while (options->set_count < 128) {
        const char *set = cop_args_nth(args, "set", options->set_count);
        if (!set) break;
        sets[options->set_count++] = set;
    }
    options->sets = sets;
    options->data_dir = cop_args_get(args, "data");
    options->quiet = cop_args_has(args, "quiet");
    const char *limit = cop_args_get(args, "time-limit");
    if (limit && (!cop_parse_double(limit, &options->time_limit) || options->time_limit <= 0))
        return cop_fail(COP_E_USAGE, "--time-limit %s: a positive number of seconds is wanted",
                        limit);
    COP_TRY(cop_memory_assignment(args, &memory));
    if (memory) sets[options->set_count++] = memory;
    cop_buf line = {0};
    cop_args_describe(args, &line);
    options->command_line = cop_buf_text(&line);
    cop_status status = cop_session(options, par);
    cop_buf_clear(&line);
    cop_free(memory);
    return status;
}
