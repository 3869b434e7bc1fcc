/* What a sweep is made of, as the command line says it: seeds, configurations, sweep files. */
#include <ctype.h>
#include <string.h>

#include "coppice/io.h"
#include "sweep.h"

#define SEEDS_MOST 100000

static cop_status add_seeds(const char *part, const char *text, int64_t **seeds, size_t *count) {
    char *low = cop_strdup(part), *dash = strchr(low, '-');
    int64_t first = -1, last = -1;
    if (dash) *dash = '\0';
    bool good = cop_parse_i64(low, &first) && cop_parse_i64(dash ? dash + 1 : low, &last) &&
                first >= 0 && last >= first && last <= 9007199254740992;
    cop_free(low);
    if (!good)
        return cop_fail(COP_E_USAGE, "seeds '%s': '%s' is not a number or a range such as 1-10",
                        text, part);
    if ((uint64_t)(last - first) >= SEEDS_MOST - *count)
        return cop_fail(COP_E_USAGE, "seeds '%s': more than %d", text, SEEDS_MOST);
    *seeds = cop_realloc(*seeds, *count, *count + (size_t)(last - first) + 1, sizeof **seeds);
    for (int64_t seed = first; seed <= last; seed++) {
        for (size_t i = 0; i < *count; i++)
            if ((*seeds)[i] == seed)
                return cop_fail(COP_E_USAGE, "seeds '%s': %lld is named twice", text,
                                (long long)seed);
        (*seeds)[(*count)++] = seed;
    }
    return COP_OK;
}

cop_status cop_seeds_parse(const char *text, int64_t **seeds, size_t *count) {
    cop_list parts = {0};
    cop_status status = COP_OK;
    *seeds = NULL;
    *count = 0;
    cop_list_split(&parts, text, ",");
    for (size_t i = 0; i < parts.count && status == COP_OK; i++)
        status = add_seeds(parts.items[i], text, seeds, count);
    if (status == COP_OK && *count == 0)
        status = cop_fail(COP_E_USAGE, "seeds '%s': wanted numbers such as 1-10 or 1,4,7", text);
    cop_list_clear(&parts);
    if (status != COP_OK) {
        cop_free(*seeds);
        *seeds = NULL;
    }
    return status;
}

/* ------------------------------------------------------------------ arms */

static cop_status add_arm(cop_sweep *sweep, const char *name, const char *source, cop_conf *conf) {
    for (size_t i = 0; i < sweep->arms; i++)
        if (strcmp(sweep->arm[i].name, name) == 0) {
            cop_status status =
                cop_fail(COP_E_USAGE,
                         "two arms would be called %s (%s and %s): give them names, "
                         "NAME=CONFIG",
                         name, sweep->arm[i].source, source);
            cop_conf_destroy(conf);
            return status;
        }
    sweep->arm = cop_realloc(sweep->arm, sweep->arms, sweep->arms + 1, sizeof *sweep->arm);
    sweep->arm[sweep->arms++] = (cop_sweep_arm){cop_strdup(name), cop_strdup(source), conf};
    return COP_OK;
}

static cop_status add_config(cop_sweep *sweep, const char *word) {
    const char *equals = cop_file_exists(word) ? NULL : strchr(word, '=');
    const char *path = equals ? equals + 1 : word, *slash = strrchr(path, '/');
    char *name = equals ? cop_sprintf("%.*s", (int)(equals - word), word)
                        : cop_strdup(slash ? slash + 1 : path);
    size_t length = strlen(name);
    cop_conf *conf = NULL;
    cop_status status = COP_OK;
    if (!equals && length > 4 && strcmp(name + length - 4, ".ini") == 0) name[length - 4] = '\0';
    if (!cop_arm_name_good(name))
        status = cop_fail(COP_E_USAGE,
                          "'%s' cannot be the name of an arm, which is made of letters, digits, "
                          "'.', '_' and '-': say NAME=CONFIG",
                          name);
    if (status == COP_OK) status = cop_conf_load(&conf, cop_run_schema(), path);
    if (status == COP_OK) status = add_arm(sweep, name, path, conf);
    cop_free(name);
    return status;
}

/* ------------------------------------------------------------------ sweep files */

static const cop_option sweep_options[] = {
    {"seeds", COP_OPT_TEXT, "", 0, 0, "", NULL, COP_EXTENT, "Seeds, such as 1-10."},
    {"ranks_per_run", COP_OPT_INT, "0", 0, 1e6, "ranks", NULL, COP_MANNER, "Ranks of a run."},
    {0},
};
static const cop_option arm_options[] = {
    {"config", COP_OPT_TEXT, NULL, 0, 0, "", NULL, COP_SCIENCE,
     "Configuration, relative to the sweep file."},
    {"set", COP_OPT_TEXT, "", 0, 0, "", NULL, COP_SCIENCE,
     "What is changed in it: section.key=value, several separated by blanks."},
    {0},
};
static const cop_section sweep_sections[] = {{"sweep", "What is run.", sweep_options},
                                             {"arm.*", "An arm.", arm_options}};
static const cop_schema sweep_schema = {sweep_sections, 2};

bool cop_is_sweep_file(const char *path) {
    cop_buf text = {0};
    bool found = false;
    if (cop_read_file(path, (size_t)1 << 24, &text) == COP_OK) {
        cop_list lines = {0};
        cop_list_split(&lines, cop_buf_text(&text), "\n");
        for (size_t i = 0; i < lines.count; i++)
            found |= strncmp(lines.items[i], "[sweep]", 7) == 0 ||
                     strncmp(lines.items[i], "[arm.", 5) == 0;
        cop_list_clear(&lines);
    }
    cop_error_clear();
    cop_buf_clear(&text);
    return found;
}

/* section.key= begins an assignment; other words belong to the value of the one before. */
static bool begins_assignment(const char *word) {
    const char *equals = strchr(word, '='), *dot = strchr(word, '.');
    if (!equals || !dot || dot > equals || dot == word) return false;
    for (const char *c = word; c < equals; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c)) return false;
    return true;
}

static cop_status apply_assignments(cop_conf *conf, const char *text) {
    cop_list words = {0};
    cop_buf one = {0};
    cop_status status = COP_OK;
    cop_list_split(&words, text, " \t\n");
    for (size_t i = 0; i < words.count && status == COP_OK; i++) {
        cop_buf_printf(&one, "%s%s", one.length ? " " : "", words.items[i]);
        if (i + 1 < words.count && !begins_assignment(words.items[i + 1])) continue;
        status = cop_conf_set(conf, cop_buf_text(&one));
        cop_buf_reset(&one);
    }
    cop_list_clear(&words);
    cop_buf_clear(&one);
    return status == COP_OK ? cop_conf_check(conf) : status;
}

static cop_status add_file(cop_sweep *sweep, const char *file, char **seeds, int *ranks) {
    cop_conf *conf = NULL;
    cop_list sections = {0};
    cop_status status = COP_OK;
    const char *slash = strrchr(file, '/');
    COP_GO(cop_conf_load(&conf, &sweep_schema, file));
    cop_conf_sections(conf, "arm.", &sections);
    if (!sections.count)
        COP_GO(cop_fail(COP_E_CONFIG, "%s: no section [arm.NAME]: nothing to run", file));
    for (size_t i = 0; i < sections.count; i++) {
        const char *config = cop_conf_text(conf, sections.items[i], "config");
        char *path = *config == '/' || !slash
                         ? cop_strdup(config)
                         : cop_sprintf("%.*s/%s", (int)(slash - file), file, config);
        const char *name = sections.items[i] + strlen("arm.");
        cop_conf *arm = NULL;
        status = cop_arm_name_good(name) ? cop_conf_load(&arm, cop_run_schema(), path)
                                         : cop_conf_fail(conf, sections.items[i], "config",
                                                         "'%s' cannot be the name of an arm", name);
        if (status == COP_OK)
            status = apply_assignments(arm, cop_conf_text(conf, sections.items[i], "set"));
        if (status != COP_OK) {
            cop_conf_destroy(arm);
            cop_fail_prefix(status, "%s: [%s]", file, sections.items[i]);
        } else {
            status = add_arm(sweep, name, path, arm);
        }
        cop_free(path);
        COP_GO(status);
    }
    const char *text = cop_conf_text(conf, "sweep", "seeds");
    if (*text) {
        cop_free(*seeds);
        *seeds = cop_strdup(text);
    }
    if (cop_conf_int(conf, "sweep", "ranks_per_run"))
        *ranks = (int)cop_conf_int(conf, "sweep", "ranks_per_run");
done:
    cop_list_clear(&sections);
    cop_conf_destroy(conf);
    return status;
}

cop_status cop_sweep_add_word(cop_sweep *sweep, const char *word, char **seeds, int *ranks) {
    return cop_is_sweep_file(word) ? add_file(sweep, word, seeds, ranks) : add_config(sweep, word);
}
