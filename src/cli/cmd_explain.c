/* coppice explain: the composed algorithm in words, how networks are evaluated, and the network
 * layer by layer. */
#include "config_flags.h"
#include "run/composition.h"
#include "run/training.h"

#include <string.h>

static const cop_flag flags[] = {COP_FLAG_SET, {0}};

/* The words of the canonical text behind "input: " are the layers, one each. */
static void write_network(const cop_model *model, cop_buf *out) {
    cop_list words = {0};
    const char *colon = strchr(model->spec, ':');
    cop_list_split(&words, colon ? colon + 1 : model->spec, " ");
    COP_ASSERT(words.count == model->count);
    cop_buf_printf(out, "network     input %zu x %zu x %zu\n", model->input.channels,
                   model->input.height, model->input.width);
    cop_buf_printf(out, "    %-28s %-14s %10s %8s %14s %7s\n", "layer", "output", "edges", "biases",
                   "multiply-adds", "edges %");
    for (size_t i = 0; i < model->count; i++) {
        const cop_layer *l = &model->layers[i];
        char shape[64];
        if (l->out.height * l->out.width == 1)
            snprintf(shape, sizeof shape, "%zu", l->out.channels);
        else
            snprintf(shape, sizeof shape, "%zu x %zu x %zu", l->out.channels, l->out.height,
                     l->out.width);
        cop_buf_printf(out, "    %-28s %-14s", words.items[i], shape);
        if (l->weights)
            cop_buf_printf(out, " %10zu %8zu %14llu %7.2f", l->weights, l->biases,
                           (unsigned long long)l->weights * cop_layer_uses(l),
                           100.0 * (double)l->weights / (double)model->weights);
        cop_buf_printf(out, "\n");
    }
    cop_buf_printf(out, "    %-28s %-14s %10zu %8zu %14llu\n", "all", "", model->weights,
                   model->biases, (unsigned long long)cop_model_macs(model, NULL));
    cop_list_clear(&words);
}

/* How the arithmetic goes about it; `check` refuses what it cannot do, here it is only said. */
static void write_evaluation(const cop_composition *c, cop_buf *out) {
    cop_list lines = {0};
    cop_buf text = {0};
    cop_buf_printf(out, "arithmetic  %s: %s\n", c->evaluator->name, c->evaluator->summary);
    if (c->evaluator->explain(&c->setup, &text) != COP_OK) {
        cop_buf_reset(&text);
        cop_buf_printf(&text, "not possible: %s\n", cop_error_message());
        cop_error_clear();
    } else if (!c->setup.alone)
        cop_buf_printf(&text, "equal individuals of a work unit once\n");
    cop_list_split(&lines, cop_buf_text(&text), "\n");
    for (size_t i = 0; i < lines.count; i++)
        cop_buf_printf(out, "            %s\n", lines.items[i]);
    cop_list_clear(&lines);
    cop_buf_clear(&text);
}

static cop_status explain(const cop_args *args, cop_par *par) {
    (void)par;
    cop_conf *conf = NULL;
    cop_composition composition = {0};
    cop_buf out = {0};
    cop_status status = COP_OK;
    COP_GO(cop_flags_conf(args, args->words[0], &conf));
    if (cop_training_wanted(conf)) {
        COP_GO(cop_training_precheck(conf, NULL));
        cop_training_explain(conf, &out);
        goto say;
    }
    COP_GO(cop_composition_create(&composition, conf));
    cop_plan_explain(composition.plan, &out);
    cop_buf_printf(&out, "\n");
    write_evaluation(&composition, &out);
    cop_buf_printf(&out, "\n");
    write_network(composition.model, &out);
say:
    fputs(cop_buf_text(&out), stdout);
done:
    cop_buf_clear(&out);
    cop_composition_clear(&composition);
    cop_conf_destroy(conf);
    return status;
}

const cop_command cop_cmd_explain = {
    .name = "explain",
    .synopsis = "CONFIG [options]",
    .summary =
        "Show the composed algorithm as pseudo-code, how networks are evaluated, and the network",
    .details = "Every step names its operator, its settings and the paper it comes from. No data "
               "are read.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .ranks = COP_RANKS_ONE,
    .run = explain};
