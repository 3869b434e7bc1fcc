/* The backward pass: from the logits' gradient down to the first layer with weights. Each layer is
 * done over the whole batch; 2 multiply-adds for each forward one, less the first weighted layer's
 * inputs' gradient, which nobody needs. */
#include "work.h"

float *cop_net_gradient(cop_net_work *work) {
    COP_ASSERT(work->training && work->n);
    work->ready = true;
    return work->dlogits;
}

void cop_net_backward(cop_net_work *work, const cop_params *params, cop_params *grad) {
    const cop_model *model = work->model;
    COP_ASSERT(work->training && work->ready && model->weights);
    work->ready = false;
    size_t first = 0;
    while (!model->layers[first].weights) first++;
    float *dy = work->dlogits;
    size_t turn = 0;
    for (size_t i = model->count; i-- > first;) {
        const cop_layer *layer = &model->layers[i];
        if (cop_layer_passes(layer, work->dropped)) continue;
        const cop_layer_op *op = cop_layer_op_of(layer, NULL);
        float *dx = op->in_place ? dy : i > first ? work->gradient[turn] : NULL;
        op->backward(&(cop_layer_pass){.layer = layer,
                                       .index = i,
                                       .n = work->n,
                                       .x = i ? work->out[i - 1] : work->x,
                                       .y = work->buffer[i],
                                       .dy = dy,
                                       .dx = dx,
                                       .w = params->w + layer->weight_begin,
                                       .b = params->b + layer->bias_begin,
                                       .dw = grad->w + layer->weight_begin,
                                       .db = grad->b + layer->bias_begin,
                                       .memo = work->memo[i],
                                       .scratch = work->scratch});
        dy = dx;
        if (!op->in_place) turn = 1 - turn;
    }
}
