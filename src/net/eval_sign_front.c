/* Which networks have a front, and the memory for it; see eval_sign_cells.h. */
#include "net/eval_sign_behind.h"

#define OTHER_POOL "is followed by something else than relu and one maxpool(2)"
#define CELL_CHANNELS_MAX 255 /* totals of so many results below 2^23 fit 32 bits */

/* ReLU and 2 x 2 pooling are all that may follow the sums. */
static bool steps_of(const sign_stage *s, bool *relu, bool *pool) {
    *relu = *pool = false;
    for (size_t k = 0; k < s->steps.count; k++) {
        const sign_step *step = &s->steps.items[k];
        if (step->kind == SIGN_RELU) *relu = true;
        if (step->kind == SIGN_POOL && (*pool || step->kernel != 2 || step->stride != 2))
            return false;
        if (step->kind == SIGN_POOL) *pool = true;
    }
    return true;
}

/* False; with why, if somebody asks. */
static bool no(cop_buf *why, const sign_stage *s, const char *text) {
    if (why) cop_buf_printf(why, "layer %s %s", s->layer->name, text);
    return false;
}

bool cop_cells_shape(cell_shape *shape, const sign_plan *plan, const cop_model *model, size_t lanes,
                     cop_buf *why) {
    const sign_stage *first = &plan->stages[0], *last = first;
    bool pool;
    *shape = (cell_shape){.layers = 1, .first = first, .input = first->in, .lanes = lanes};
    bool pooled = cop_shape_size(first->in) != cop_shape_size(model->input);
    for (size_t k = 0; k < plan->lead.count; k++) pooled |= plan->lead.items[k].kind != SIGN_RELU;
    if (pooled) return no(why, first, "sees an input that is pooled");
    if (plan->count < 2) return no(why, first, "is the only one with weights");
    if (first->padding) return no(why, first, "has padding");
    if (first->spread) return no(why, first, "is flattened before another convolution");
    if (!steps_of(first, &shape->relu[0], &pool)) return no(why, first, OTHER_POOL);
    shape->relu[1] = shape->relu[0];
    if (plan->stages[1].layer->kind == COP_LAYER_CONV2D) {
        last = &plan->stages[1];
        shape->layers = 2;
        if (pool) return no(why, first, "is pooled before another convolution");
        if (plan->count < 3) return no(why, last, "is the last one with weights");
        if (last->padding) return no(why, last, "has padding");
        if (last->stride != 1) return no(why, last, "has a stride");
        if (last->spread) return no(why, last, "is flattened before another convolution");
        if (!steps_of(last, &shape->relu[1], &pool)) return no(why, last, OTHER_POOL);
    }
    if (pool && shape->layers == 1 && first->stride != 1)
        return no(why, first, "has a stride, and is pooled");
    shape->next = shape->layers;
    const sign_stage *next = &plan->stages[shape->next];
    if (next->layer->kind != COP_LAYER_DENSE || !next->flat)
        return no(why, next, "is a third convolution");
    size_t side = pool ? 2 : 1;
    shape->last = last;
    shape->positions = side * side;
    shape->rows = last->out.height;
    shape->cols = last->out.width;
    shape->cells = shape->rows * shape->cols;
    shape->step = side * first->stride;
    shape->plane_h = shape->layers == 2 ? side - 1 + last->kernel_h : side;
    shape->plane_w = shape->layers == 2 ? side - 1 + last->kernel_w : side;
    shape->patch_h = (shape->plane_h - 1) * first->stride + first->kernel_h;
    shape->patch_w = (shape->plane_w - 1) * first->stride + first->kernel_w;
    shape->patch = first->in.channels * shape->patch_h * shape->patch_w;
    shape->events = shape->layers == 2 || pool || shape->patch != cop_shape_size(shape->input);
    shape->outputs = (next->sums.channels + 15) / 16 * 16;
    /* neighbouring cells compute the first layer's positions again: only where it is the smaller
     * part */
    double again = (double)shape->plane_h * (double)shape->plane_w * (double)first->layer->weights;
    double once = (double)shape->positions * (double)last->layer->weights;
    if (shape->layers == 2 && again > 0.5 * once)
        return no(why, first, "is too much work beside the next to be done again for every cell");
    if (shape->patch >= INT32_MAX / 64) return no(why, first, "sees too large an input");
    if (!shape->events) return true;
    if (!shape->relu[1]) return no(why, last, "has no relu behind it");
    return last->sums.channels <= CELL_CHANNELS_MAX || no(why, last, "has more than 255 channels");
}

sign_cells *cop_cells_create(const sign_eval *e) {
    cell_shape shape;
    const cop_cell_ops *ops = e->ops->cells;
    if (!cop_cells_shape(&shape, &e->plan, e->setup.model, ops->lanes, NULL)) return NULL;
    sign_cells *c = COP_NEW(sign_cells);
    c->shape = shape;
    for (size_t i = 0; i < sizeof c->hub / sizeof *c->hub; i++)
        cop_mask_init(&c->hub[i], e->setup.model->weights);
    return c;
}

void cop_cells_destroy(sign_cells *c) {
    if (!c) return;
    void *const buffers[] = {c->sample,        c->x,         c->planes,      c->kept,
                             c->bias,          c->out,       c->pairs,       c->work,
                             c->sums,          c->kept16,    c->dead,        c->total,
                             c->column,        c->live,      c->weight,      c->plan.works,
                             c->plan.combines, c->plan.taps, c->plan.program};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) cop_free(buffers[i]);
    cop_cells_drop_slots(&c->plan);
    for (size_t i = 0; i < sizeof c->hub / sizeof *c->hub; i++) cop_mask_clear(&c->hub[i]);
    for (size_t i = 0; i < CELL_BLOCK; i++) {
        cop_behind_clear(&c->behind[i]);
        if (c->ready[i].words) cop_mask_clear(&c->ready[i]);
    }
    cop_free(c);
}
