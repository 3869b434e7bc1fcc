/* The composed algorithm in words. */
#include "evo/plan.h"

#include <string.h>

/* A constant schedule does not read where it would end. */
static bool is_unused(const cop_plan *plan, const cop_op *op, const char *key) {
    if (strcmp(key, "amount_end") != 0 && strcmp(key, "over") != 0) return false;
    for (const cop_option *o = op->options; o->key; o++)
        if (strcmp(o->key, "schedule") == 0)
            return strcmp(cop_conf_text(plan->conf, op->section, "schedule"), "constant") == 0;
    return false;
}

/* "  (a = 1, b = x)": the options that this operator reads. */
static void write_options(const cop_plan *plan, const cop_op *op, cop_buf *out) {
    for (const cop_option *o = op->options; o && o->key; o++) {
        if (is_unused(plan, op, o->key)) continue;
        cop_buf_printf(out, "%s%s = ", o == op->options ? "  (" : ", ", o->key);
        switch (o->type) {
        case COP_OPT_INT:
            cop_buf_printf(out, "%lld", (long long)cop_conf_int(plan->conf, op->section, o->key));
            break;
        case COP_OPT_REAL:
            cop_buf_printf(out, "%g", cop_conf_real(plan->conf, op->section, o->key));
            break;
        case COP_OPT_REALS: {
            double values[COP_VALUES_MAX];
            size_t n = cop_conf_reals(plan->conf, op->section, o->key, values, COP_VALUES_MAX);
            for (size_t i = 0; i < n && i < COP_VALUES_MAX; i++)
                cop_buf_printf(out, "%s%g", i ? " " : "", values[i]);
            break;
        }
        case COP_OPT_WORDS: {
            cop_list words = {0};
            cop_conf_words(plan->conf, op->section, o->key, &words);
            for (size_t i = 0; i < words.count; i++)
                cop_buf_printf(out, "%s%s", i ? " " : "", words.items[i]);
            cop_list_clear(&words);
            break;
        }
        case COP_OPT_BOOL:
            cop_buf_printf(out, "%s",
                           cop_conf_bool(plan->conf, op->section, o->key) ? "yes" : "no");
            break;
        case COP_OPT_BYTES: /* text and choices as they are written */
        case COP_OPT_TEXT:
        case COP_OPT_CHOICE:
            cop_buf_printf(out, "%s", cop_conf_text(plan->conf, op->section, o->key));
            break;
        }
    }
    if (op->options && op->options->key) cop_buf_printf(out, ")");
}

static void write_op(const cop_plan *plan, const cop_op *op, const char *indent, cop_buf *out) {
    cop_buf_printf(out, "%s%-10s  %s", indent, cop_role_name(op->role), op->name);
    write_options(plan, op, out);
    cop_buf_printf(out, "\n%s            %s\n", indent, op->summary);
    if (op->paper[0]) cop_buf_printf(out, "%s            from: %s\n", indent, op->paper);
}

static void write_pool(const cop_plan *plan, cop_buf *out) {
    cop_buf_printf(out,
                   "                of %zu: %zu elites, parents from the best %zu, %zu children\n",
                   plan->population, plan->pool.elites, plan->pool.parents, plan->pool.children);
}

static void write_stop(const cop_plan *plan, cop_buf *out) {
    const cop_conf *conf = plan->conf;
    uint64_t generations = (uint64_t)cop_conf_int(conf, "stop", "generations");
    cop_buf_printf(out, "until       %llu generations are done", (unsigned long long)generations);
    int64_t evaluations = cop_conf_int(conf, "stop", "evaluations");
    if (evaluations > 0)
        cop_buf_printf(out, ", or another would exceed %lld evaluations", (long long)evaluations);
    double target = cop_conf_real(conf, "stop", "target");
    if (target < 1e300) cop_buf_printf(out, ", or the best fitness is at least %g", target);
    int64_t stagnation = cop_conf_int(conf, "stop", "stagnation");
    if (stagnation > 0)
        cop_buf_printf(out, ", or there was no improvement for %lld generations",
                       (long long)stagnation);
    double seconds = cop_conf_real(conf, "stop", "time");
    if (seconds > 0) cop_buf_printf(out, ", or %g s have passed", seconds);
    cop_buf_printf(out, "\n            at most %llu individuals are evaluated\n",
                   (unsigned long long)(plan->population + generations * plan->pool.children));
    if (plan->history)
        cop_buf_printf(out,
                       "            those of the last %zu generations at least are remembered\n",
                       plan->history);
}

void cop_plan_explain(const cop_plan *plan, cop_buf *out) {
    cop_buf_printf(out, "genome      %s of the base network: %zu edges in",
                   plan->dense ? "kept units, with weights of its own for all edges between them,"
                               : "one bit per edge",
                   plan->model->weights);
    for (size_t k = 0; k < plan->layer_count; k++)
        cop_buf_printf(out, " %s", plan->model->layers[plan->layers[k]].name);
    cop_buf_printf(out, "; biases are no edges\ntasks      ");
    for (size_t t = 0; t < plan->tasks; t++) cop_buf_printf(out, " %s", plan->task_names[t]);
    cop_buf_printf(out, "\n\n");
    write_op(plan, plan->op[COP_ROLE_INITIALISE], "", out);
    write_op(plan, plan->op[COP_ROLE_EVALUATE], "", out);
    if (plan->draw > 0)
        cop_buf_printf(
            out, "            each generation on %zu new batch%s of %zu samples of each task\n",
            plan->draw, plan->draw == 1 ? "" : "es", plan->batch);
    if (plan->hidden > 0) {
        cop_buf_printf(out, "similarity  of");
        for (size_t h = 0; h < plan->hidden; h++)
            cop_buf_printf(out, " %s", plan->model->layers[plan->hidden_layer[h]].name);
        cop_buf_printf(
            out,
            " to the base network's: Kullback-Leibler divergence of neighbourhoods, perplexity "
            "%g, mean over batches of %zu, sum over layers\n"
            "            from: van den Beemt, Schroeder and de Valk 2021 (EComp)\n",
            cop_conf_real(plan->conf, "similarity", "perplexity"), plan->batch);
    }
    write_op(plan, plan->op[COP_ROLE_FITNESS], "", out);
    cop_buf_printf(out, "repeat\n");
    write_op(plan, plan->op[COP_ROLE_RANK], "    ", out);
    write_op(plan, plan->op[COP_ROLE_POOL], "    ", out);
    write_pool(plan, out);
    cop_buf_printf(out, "    for each child\n");
    write_op(plan, plan->op[COP_ROLE_SELECT], "        ", out);
    if (plan->op[COP_ROLE_CROSS]->as.cross.decide)
        cop_buf_printf(out, "        with probability %g a second parent is selected and\n",
                       plan->cross_probability);
    write_op(plan, plan->op[COP_ROLE_CROSS], "        ", out);
    for (size_t k = 0; k < plan->varies; k++) write_op(plan, plan->vary[k], "        ", out);
    cop_buf_printf(out, "    evaluate the children\n");
    write_op(plan, plan->op[COP_ROLE_SURVIVE], "    ", out);
    write_stop(plan, out);
}
