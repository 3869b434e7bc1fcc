/* coppice list: what there is, from the registries. */
#include "commands.h"

#include "coppice/op.h"
#include "coppice/train.h"

#include <string.h>

static void add_row(cop_buf *out, const char *name, const char *summary, const char *paper) {
    char *text = *paper ? cop_sprintf("%s [%s]", summary, paper) : cop_strdup(summary);
    cop_buf_printf(out, strlen(name) < 20 ? "  %-20s" : "  %s\n%22s", name, "");
    cop_buf_fill(out, text, 22, 22);
    cop_free(text);
}

static void list_operators(cop_buf *out) {
    size_t count;
    const cop_op *const *ops = cop_ops(&count);
    for (cop_role role = 0; role < COP_ROLES; role++) {
        cop_buf_printf(out, "operators of [%s]\n", cop_role_name(role));
        for (size_t i = 0; i < count; i++)
            if (ops[i]->role == role) add_row(out, ops[i]->name, ops[i]->summary, ops[i]->paper);
    }
}

static void list_tasks(cop_buf *out) {
    size_t count;
    const cop_source *const *sources = cop_sources(&count);
    cop_buf_printf(out, "sources of samples ([task.NAME] source = ...)\n");
    for (size_t i = 0; i < count; i++) {
        char *summary =
            cop_sprintf("%s%s", sources[i]->summary, sources[i]->built_in ? " (built in)" : "");
        add_row(out, sources[i]->name, summary, sources[i]->paper);
        cop_free(summary);
    }
}

static void list_layers(cop_buf *out) {
    size_t count;
    const cop_layer_info *infos = cop_layer_infos(&count);
    cop_buf_printf(out, "layers ([network] layers = ...)\n");
    for (size_t i = 0; i < count; i++) {
        const char *arguments = infos[i].arguments ? infos[i].arguments : "";
        bool bracketed = *arguments == '(' || !*arguments;
        char *name = cop_sprintf(bracketed ? "%s%s" : "%s(%s)", infos[i].word, arguments);
        add_row(out, name, infos[i].summary, "");
        cop_free(name);
    }
}

static void list_options(cop_buf *out) {
    cop_schema_write_reference(cop_run_schema(), out, false);
}

static void list_optimisers(cop_buf *out) {
    size_t count;
    const cop_optimiser_info *infos = cop_optimiser_infos(&count);
    cop_buf_printf(out, "optimisers ([base] optimiser = ...)\n");
    for (size_t i = 0; i < count; i++)
        add_row(out, infos[i].name, infos[i].summary, infos[i].paper);
}

static void list_evaluators(cop_buf *out) {
    size_t count;
    const cop_evaluator *const *evaluators = cop_evaluators(&count);
    cop_buf_printf(out, "evaluators ([evaluate] arithmetic = ...)\n");
    for (size_t i = 0; i < count; i++)
        add_row(out, evaluators[i]->name, evaluators[i]->summary, "");
}

static const struct topic {
    const char *name;
    void (*write)(cop_buf *out);
} topics[] = {{"operators", list_operators},   {"tasks", list_tasks},
              {"layers", list_layers},         {"optimisers", list_optimisers},
              {"evaluators", list_evaluators}, {"options", list_options}};
enum { TOPICS = sizeof topics / sizeof *topics };

static cop_status list(const cop_args *args, cop_par *par) {
    (void)par;
    const char *wanted = args->word_count ? args->words[0] : NULL, *names[TOPICS];
    cop_buf out = {0};
    bool known = false;
    for (size_t i = 0; i < TOPICS; i++) {
        names[i] = topics[i].name;
        if (wanted && strcmp(wanted, topics[i].name) != 0) continue;
        if (out.length) cop_buf_printf(&out, "\n");
        topics[i].write(&out);
        known = true;
    }
    fputs(cop_buf_text(&out), stdout);
    cop_buf_clear(&out);
    if (known) return COP_OK;
    const char *near = cop_nearest(wanted, names, TOPICS);
    return cop_fail(COP_E_USAGE,
                    "list: there is nothing called '%s'%s%s%s; known are operators, tasks, "
                    "layers, optimisers, evaluators and options",
                    wanted, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

const cop_command cop_cmd_list = {
    .name = "list",
    .synopsis = "[WHAT] [options]",
    .summary = "List operators, tasks, layers, optimisers, evaluators or options",
    .details = "WHAT is one of these words; without it all are shown.",
    .max_words = 1,
    .ranks = COP_RANKS_ONE,
    .run = list};
