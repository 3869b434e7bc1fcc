/* What `sign` will do with a network, in words. */
#include "net/eval_sign_cells.h"

static void say_values(const char *layer, const cop_eval_setup *setup, bool differences,
                       cop_buf *out) {
    size_t values = setup->weighting.values;
    if (values == 1) return;
    if (differences)
        cop_buf_printf(out,
                       "%zu shared values share one pass, %sas small differences from one of them "
                       "(one by one where the differences leave 16 bits)\n",
                       values, values > 3 ? "three at a time, " : "");
    else
        cop_buf_printf(out, "the sums of %s serve all %zu shared values\n", layer, values);
}

static void say_front(const cell_shape *s, const sign_plan *plan, cop_buf *out) {
    const char *first = s->first->layer->name, *last = s->last->layer->name;
    const char *next = plan->stages[s->next].layer->name;
    cop_buf_printf(out, "relatives are computed as differences from each other, along a minimum "
                        "spanning tree of what that costs\n");
    if (!s->events) {
        cop_buf_printf(out, "%s from the edges that differ\n", first);
        return;
    }
    if (s->layers == 2)
        cop_buf_printf(out, "%s and %s", first, last);
    else
        cop_buf_printf(out, "%s", first);
    cop_buf_printf(out,
                   " cell by cell (%zu cells with patches of %zu x %zu; patches of nothing but "
                   "background once)\n%s from the activations that are not 0\n",
                   s->cells, s->patch_h, s->patch_w, next);
}

cop_status cop_sign_explain(const cop_eval_setup *setup, cop_buf *out) {
    sign_plan plan = {0};
    cell_shape shape;
    cop_buf why = {0};
    cop_status status = cop_sign_plan_init(&plan, setup);
    if (status == COP_OK) {
        const char *first = plan.stages[0].layer->name;
        bool front = cop_cells_shape(&shape, &plan, setup->model, SIGN_LANES * 2, &why);
        if (setup->alone || !front)
            cop_buf_printf(out, "each individual by itself: %s\n",
                           setup->alone ? "[evaluate] alone = yes" : cop_buf_text(&why));
        else
            say_front(&shape, &plan, out);
        say_values(first, setup, front && !setup->alone && shape.layers == 2, out);
        if (front && !setup->alone && setup->hidden)
            cop_buf_printf(out, "each individual by itself on batches whose activations are "
                                "compared with the base network's\n");
    }
    cop_buf_clear(&why);
    cop_sign_plan_clear(&plan);
    return status;
}
