/* coppice check: everything that can be wrong with a configuration, before the cluster finds out.
 */
#include "compose.h"
#include "config_flags.h"
#include "memory_flag.h"
#include "run/sweep.h"
#include "run/training.h"

static const cop_flag flags[] = {
    COP_FLAG_DATA,
    COP_FLAG_SET,
    COP_FLAG_MEMORY,
    {"print-config", 0, NULL, false, "Print the resolved configuration instead of the estimate."},
    {"no-data", 0, NULL, false, "Do not look for the data; work and their memory stay unknown."},
    {0}};

/* One configuration, called @p name in what is said about it, to stdout. */
static cop_status check_one(const cop_args *args, const char *name, cop_conf *conf) {
    const bool read = !cop_args_has(args, "no-data");
    char *memory = NULL;
    cop_composition composition = {0};
    cop_data_facts facts = {0};
    cop_buf out = {0};
    cop_status status = COP_OK;
    const char *set;
    for (size_t k = 0; (set = cop_args_nth(args, "set", k)); k++) COP_GO(cop_conf_set(conf, set));
    COP_GO(cop_memory_assignment(args, &memory));
    if (memory) COP_GO(cop_conf_set(conf, memory));
    COP_GO(cop_conf_check(conf));
    if (cop_training_wanted(conf)) {
        cop_buf_printf(&out, "%s is sound%s\n", name, read ? "" : " (data were not looked at)");
        COP_GO(cop_training_estimate(conf, read ? cop_flags_data(args) : NULL, read, &out));
    } else {
        COP_GO(cop_composition_create(&composition, conf));
        COP_GO(cop_composition_try(&composition));
        if (read) COP_GO(cop_composed_read_data(&composition, cop_flags_data(args), &facts));
        cop_buf_printf(&out, "%s is sound%s\n", name,
                       facts.known ? "" : " (data were not looked at)");
        COP_GO(cop_composed_estimate(&composition, &facts, &out));
    }
    if (cop_args_has(args, "print-config")) {
        cop_buf_reset(&out);
        cop_conf_write(conf, &out, COP_CONF_ALL);
    }
    fputs(cop_buf_text(&out), stdout);
done:
    cop_free(memory);
    cop_buf_clear(&out);
    cop_composition_clear(&composition);
    return status;
}

static cop_status check_arms(const cop_args *args, const char *path) {
    cop_sweep sweep = {.lock = -1};
    char *seeds = NULL;
    int ranks = 0;
    cop_status status = cop_sweep_add_word(&sweep, path, &seeds, &ranks);
    for (size_t i = 0; i < sweep.arms && status == COP_OK; i++) {
        const cop_sweep_arm *arm = &sweep.arm[i];
        char *name = cop_sprintf("%s[arm.%s] of %s", i ? "\n" : "", arm->name, path);
        status = check_one(args, name, arm->conf);
        if (status != COP_OK) cop_fail_prefix(status, "%s: [arm.%s]", path, arm->name);
        cop_free(name);
    }
    cop_sweep_close(&sweep);
    cop_free(seeds);
    return status;
}

static cop_status check(const cop_args *args, cop_par *par) {
    (void)par;
    const char *path = args->words[0];
    cop_conf *conf = NULL;
    if (cop_is_sweep_file(path)) return check_arms(args, path);
    COP_TRY(cop_conf_load(&conf, cop_run_schema(), path));
    cop_status status = check_one(args, path, conf);
    cop_conf_destroy(conf);
    return status;
}

const cop_command cop_cmd_check = {
    .name = "check",
    .synopsis = "CONFIG [options]",
    .summary = "Check a configuration and estimate memory, work and file size",
    .details =
        "Reads the configuration, composes network, operators and evaluator, reads the samples of "
        "every task, and says what a search needs. Bounds are for every edge live and every "
        "generation born. Of a sweep file every arm is checked. Status 78 when the configuration "
        "is "
        "wrong.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .ranks = COP_RANKS_ONE,
    .run = check};
